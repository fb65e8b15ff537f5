#include "tests/unit/gguf-writer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_append (struct bytes *bytes, const void *data, size_t n)
{
  if (n > bytes->capacity - bytes->n) {
    bytes->capacity = 2 * bytes->capacity + n;
    bytes->data = realloc (bytes->data, bytes->capacity);
    if (!bytes->data)
      abort ();
  }
  if (n > 0 && data)
    memcpy (bytes->data + bytes->n, data, n);
  else if (n > 0)
    memset (bytes->data + bytes->n, 0, n);
  bytes->n += n;
}

void bytes_append_le (struct bytes *bytes, uint64_t value, size_t n_bytes)
{
  for (size_t i = 0; i < n_bytes; i++) {
    const uint8_t byte = (uint8_t)(value >> (8 * i));
    bytes_append (bytes, &byte, 1);
  }
}

void bytes_append_string (struct bytes *bytes, const char *text)
{
  bytes_append_le (bytes, strlen (text), 8);
  bytes_append (bytes, text, strlen (text));
}

void bytes_clear (struct bytes *bytes)
{
  free (bytes->data);
  *bytes = (struct bytes){ 0 };
}

void gguf_writer_clear (struct gguf_writer *writer)
{
  bytes_clear (&writer->metadata);
  bytes_clear (&writer->tensors);
  bytes_clear (&writer->data);
  *writer = (struct gguf_writer){ 0 };
}

static void add_key (struct gguf_writer *writer, const char *key, enum gguf_kind kind)
{
  writer->n_entries++;
  bytes_append_string (&writer->metadata, key);
  bytes_append_le (&writer->metadata, kind, 4);
}

void gguf_writer_add_scalar (struct gguf_writer *writer, const char *key, enum gguf_kind kind, uint64_t bits)
{
  static const size_t n_bytes[GGUF_N_KINDS] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
  add_key (writer, key, kind);
  bytes_append_le (&writer->metadata, bits, n_bytes[kind]);
}

void gguf_writer_add_u32 (struct gguf_writer *writer, const char *key, uint32_t value)
{
  gguf_writer_add_scalar (writer, key, GGUF_U32, value);
}

void gguf_writer_add_f32 (struct gguf_writer *writer, const char *key, float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  gguf_writer_add_scalar (writer, key, GGUF_F32, bits);
}

void gguf_writer_add_bool (struct gguf_writer *writer, const char *key, bool value)
{
  gguf_writer_add_scalar (writer, key, GGUF_BOOL, value);
}

void gguf_writer_add_string (struct gguf_writer *writer, const char *key, const char *value)
{
  add_key (writer, key, GGUF_STRING);
  bytes_append_string (&writer->metadata, value);
}

void gguf_writer_add_array (struct gguf_writer *writer, const char *key, enum gguf_kind item_kind, const void *items,
                            uint64_t n_items, size_t n_bytes)
{
  add_key (writer, key, GGUF_ARRAY);
  bytes_append_le (&writer->metadata, item_kind, 4);
  bytes_append_le (&writer->metadata, n_items, 8);
  bytes_append (&writer->metadata, items, n_bytes);
}

void gguf_writer_add_strings (struct gguf_writer *writer, const char *key, const char *const *items, uint64_t n_items)
{
  gguf_writer_add_array (writer, key, GGUF_STRING, NULL, n_items, 0);
  for (uint64_t i = 0; i < n_items; i++)
    bytes_append_string (&writer->metadata, items[i]);
}

static void pad (struct bytes *bytes, size_t alignment)
{
  bytes_append (bytes, NULL, (alignment - bytes->n % alignment) % alignment);
}

static size_t get_alignment (const struct gguf_writer *writer)
{
  return writer->alignment ? writer->alignment : 32;
}

void gguf_writer_add_tensor_at (struct gguf_writer *writer, const char *name, uint32_t type, uint32_t n_dims,
                                const uint64_t *ne, uint64_t offset)
{
  writer->n_tensors++;
  bytes_append_string (&writer->tensors, name);
  bytes_append_le (&writer->tensors, n_dims, 4);
  for (uint32_t d = 0; d < n_dims; d++)
    bytes_append_le (&writer->tensors, ne[d], 8);
  bytes_append_le (&writer->tensors, type, 4);
  bytes_append_le (&writer->tensors, offset, 8);
}

void gguf_writer_add_tensor (struct gguf_writer *writer, const char *name, uint32_t type, uint32_t n_dims,
                             const uint64_t *ne, const void *data, uint64_t n_bytes)
{
  if (n_bytes == 0) {
    n_bytes = tensor_type_row_bytes ((enum tensor_type)type, n_dims ? ne[0] : 1);
    for (uint32_t d = 1; d < n_dims; d++)
      n_bytes *= ne[d];
  }
  pad (&writer->data, get_alignment (writer));
  gguf_writer_add_tensor_at (writer, name, type, n_dims, ne, writer->data.n);
  bytes_append (&writer->data, data, (size_t)n_bytes);
}

struct bytes gguf_writer_finish (const struct gguf_writer *writer)
{
  struct bytes file = { 0 };
  bytes_append (&file, "GGUF", 4);
  bytes_append_le (&file, writer->version ? writer->version : 3, 4);
  bytes_append_le (&file, writer->n_tensors, 8);
  bytes_append_le (&file, writer->n_entries, 8);
  bytes_append (&file, writer->metadata.data, writer->metadata.n);
  bytes_append (&file, writer->tensors.data, writer->tensors.n);
  if (writer->n_tensors > 0) {
    pad (&file, get_alignment (writer));
    bytes_append (&file, writer->data.data, writer->data.n);
  }
  return file;
}

bool gguf_writer_save (const struct gguf_writer *writer, const char *path)
{
  struct bytes file = gguf_writer_finish (writer);
  FILE *out = fopen (path, "wb");
  bool ok = out && fwrite (file.data, 1, file.n, out) == file.n;
  if (out && fclose (out) != 0)
    ok = false;
  bytes_clear (&file);
  return ok;
}
