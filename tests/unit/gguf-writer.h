/* gguf-writer.h: writes small GGUF files for tests, good ones and deliberately bad ones. Out of memory ends the test. */
#ifndef LECTERN_GGUF_WRITER_H
#define LECTERN_GGUF_WRITER_H

#include "engine/gguf/gguf.h"

struct bytes {
  uint8_t *data;
  size_t n, capacity;
};

void bytes_append (struct bytes *bytes, const void *data, size_t n);
void bytes_append_le (struct bytes *bytes, uint64_t value, size_t n_bytes);
void bytes_append_string (struct bytes *bytes, const char *text); /* with its 64-bit length */
void bytes_clear (struct bytes *bytes);

/* Metadata and tensors may be added in any order; the file is put together at the end. Start from {0}. */
struct gguf_writer {
  struct bytes metadata, tensors, data;
  uint64_t n_entries, n_tensors;
  uint32_t version;   /* 0: 3 */
  uint32_t alignment; /* 0: 32; set it before the first tensor. The key general.alignment is yours to add */
};

void gguf_writer_clear (struct gguf_writer *writer);

/* Scalars: `bits` is the value's little-endian bit pattern, cut to the kind's width. */
void gguf_writer_add_scalar (struct gguf_writer *writer, const char *key, enum gguf_kind kind, uint64_t bits);
void gguf_writer_add_u32 (struct gguf_writer *writer, const char *key, uint32_t value);
void gguf_writer_add_f32 (struct gguf_writer *writer, const char *key, float value);
void gguf_writer_add_bool (struct gguf_writer *writer, const char *key, bool value);
void gguf_writer_add_string (struct gguf_writer *writer, const char *key, const char *value);

/* Arrays: items as the file holds them, or C strings. */
void gguf_writer_add_array (struct gguf_writer *writer, const char *key, enum gguf_kind item_kind, const void *items,
                            uint64_t n_items, size_t n_bytes);
void gguf_writer_add_strings (struct gguf_writer *writer, const char *key, const char *const *items, uint64_t n_items);

/* A tensor at the next aligned offset. `data` is n_bytes of packed rows; NULL: zeros. n_bytes 0: what the type and the
 * dimensions ask for. */
void gguf_writer_add_tensor (struct gguf_writer *writer, const char *name, uint32_t type, uint32_t n_dims,
                             const uint64_t *ne, const void *data, uint64_t n_bytes);

/* The same with the offset that the file claims, and no data: for damage. */
void gguf_writer_add_tensor_at (struct gguf_writer *writer, const char *name, uint32_t type, uint32_t n_dims,
                                const uint64_t *ne, uint64_t offset);

/* The whole file; the caller clears it. */
struct bytes gguf_writer_finish (const struct gguf_writer *writer);

/* Writes it to `path`; false if that failed. */
bool gguf_writer_save (const struct gguf_writer *writer, const char *path);

#endif
