/* gguf.h: the GGUF container (versions 2 and 3, little-endian), read through a bounded cursor over a mapping.
 *
 * Everything is checked before it is believed: counts against the bytes that remain, string lengths, nesting,
 * dimension products against overflow, duplicate names, tensor extents against the file and against each other.
 * After gguf_open() succeeded every pointer handed out here stays inside the mapping.
 * Specification: ggml's docs/gguf.md. */
#ifndef LECTERN_GGUF_H
#define LECTERN_GGUF_H

#include "engine/engine.h"
#include "engine/gguf/tensor_type.h"

enum gguf_kind {
  GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY,
  GGUF_U64, GGUF_I64, GGUF_F64, GGUF_N_KINDS
};

struct gguf_string {
  const char *bytes; /* not NUL-terminated */
  size_t length;
};

#define GGUF_MAX_DIMS 4

/* A weight matrix as the file holds it: ne[0] is the row length (the input size of a linear layer), ne[1] the number
 * of rows (its output size). `data` is nbytes long and aligned to general.alignment within the file. A type that
 * tensor_type_get_info() does not know keeps the file's number, and its nbytes is 0. */
struct gguf_tensor {
  struct gguf_string name;
  enum tensor_type type;
  uint32_t n_dims;
  uint64_t ne[GGUF_MAX_DIMS]; /* unused dimensions are 1 */
  const void *data;
  uint64_t nbytes;
};

struct gguf;

/* Maps `path` read-only. The parts of a split model (NAME-00001-of-00003.gguf, of which `path` is any) become one: the
 * metadata of the first, the tensors of all. A file that is cut short while it is open raises SIGBUS, as any mapping.
 * Errors: IO, FORMAT (not GGUF, damaged, cut short, a part missing), UNSUPPORTED (version, byte order, nested arrays),
 * NO_MEMORY. */
int gguf_open (const char *path, struct gguf **gguf, struct engine_error *error);
/* The same over bytes that outlive it (fuzzing, tests). */
int gguf_open_memory (const void *bytes, size_t size, struct gguf **gguf, struct engine_error *error);
void gguf_close (struct gguf *gguf);

uint32_t gguf_get_version (const struct gguf *gguf);
uint64_t gguf_get_file_bytes (const struct gguf *gguf); /* of all parts */
/* What comes before the first tensor's data: metadata and tensor table. Borrowed. */
const void *gguf_get_head (const struct gguf *gguf, size_t *n_bytes);

/* What a file is that holds no model of its own (an adapter, a vocabulary, an image encoder), as a sentence; NULL: it
 * may be a model. */
const char *gguf_explain_contents (const struct gguf *gguf);

bool gguf_has_key (const struct gguf *gguf, const char *key); /* of any kind */
/* Metadata. The getters return false when the key is absent or of another kind (integers of any width convert if the
 * value fits); *value is then unchanged. */
bool gguf_get_u64 (const struct gguf *gguf, const char *key, uint64_t *value);
bool gguf_get_u32 (const struct gguf *gguf, const char *key, uint32_t *value);
bool gguf_get_f32 (const struct gguf *gguf, const char *key, float *value);
bool gguf_get_bool (const struct gguf *gguf, const char *key, bool *value);
bool gguf_get_string (const struct gguf *gguf, const char *key, struct gguf_string *value);

/* Arrays of one scalar kind or of strings. */
bool gguf_get_array (const struct gguf *gguf, const char *key, enum gguf_kind *item_kind, uint64_t *n_items);
bool gguf_array_get_string (const struct gguf *gguf, const char *key, uint64_t index, struct gguf_string *value);
/* Fills items[n_items] in linear time; false if the array is not of that length and (convertible) kind, and the items
 * are then undefined. Booleans convert to 0 and 1 in copy_i32, F64 to F32 in copy_f32. */
bool gguf_array_copy_strings (const struct gguf *gguf, const char *key, struct gguf_string *items, uint64_t n_items);
bool gguf_array_copy_f32 (const struct gguf *gguf, const char *key, float *items, uint64_t n_items);
bool gguf_array_copy_i32 (const struct gguf *gguf, const char *key, int32_t *items, uint64_t n_items);

uint64_t gguf_get_n_tensors (const struct gguf *gguf);
const struct gguf_tensor *gguf_get_tensor (const struct gguf *gguf, uint64_t index);
const struct gguf_tensor *gguf_find_tensor (const struct gguf *gguf, const char *name); /* NULL if absent */

#endif
