/* gguf.c: reading a file: header, tensor table, extents. Metadata values are read in metadata.c; file.c maps files and
 * split.c joins the parts of a model. */
#include "engine/gguf/gguf-private.h"
#include "engine/error.h"
#include <stdlib.h>
#include <sys/mman.h>

/* The least that one entry can take, to hold counts against the bytes that are left. */
#define ENTRY_MIN_BYTES (8 + 4 + 1)      /* empty key, kind, one byte */
#define TENSOR_MIN_BYTES (8 + 4 + 4 + 8) /* empty name, number of dimensions, type, offset */
#define DEFAULT_ALIGNMENT 32
#define NAME_MAX_BYTES 65535

static int compare_strings (struct gguf_string a, struct gguf_string b)
{
  const size_t shorter = a.length < b.length ? a.length : b.length;
  const int order = shorter ? memcmp (a.bytes, b.bytes, shorter) : 0;
  return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_names (const void *a, const void *b)
{
  return compare_strings (((const struct gguf_name *)a)->name, ((const struct gguf_name *)b)->name);
}

uint64_t gguf_find_name (const struct gguf_name *names, uint64_t n_names, const char *name)
{
  const struct gguf_name key = { .name = { name, strlen (name) } };
  const struct gguf_name *found = n_names ? bsearch (&key, names, (size_t)n_names, sizeof *names, compare_names) : NULL;
  return found ? found->index : UINT64_MAX;
}

const struct gguf_name *gguf_sort_names (struct gguf_name *names, uint64_t n_names)
{
  if (n_names == 0)
    return NULL;
  qsort (names, (size_t)n_names, sizeof *names, compare_names);
  for (uint64_t i = 1; i < n_names; i++)
    if (compare_names (&names[i - 1], &names[i]) == 0)
      return &names[i];
  return NULL;
}

static int read_header (struct gguf *gguf, struct cursor *cursor, struct engine_error *error)
{
  const uint8_t *magic;
  if (!cursor_take (cursor, 4, &magic) || memcmp (magic, "GGUF", 4) != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "%s", gguf_explain_other (cursor->bytes, cursor->size));
  if (!cursor_read_u32 (cursor, &gguf->version))
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file ends inside its header.");
  if (gguf->version != 0 && (gguf->version & 0xffff) == 0)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The GGUF file is big-endian; convert it to little-endian.");
  if (gguf->version != 2 && gguf->version != 3)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The file is GGUF version %u, but only versions 2 and 3 can be read; convert the model again.", gguf->version);
  if (!cursor_read_u64 (cursor, &gguf->n_tensors) || !cursor_read_u64 (cursor, &gguf->n_entries))
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file ends inside its header.");
  const uint64_t left = cursor_get_left (cursor);
  if (gguf->n_entries > left / ENTRY_MIN_BYTES || gguf->n_tensors > left / TENSOR_MIN_BYTES)
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The GGUF file claims %llu metadata entries and %llu tensors, more than its size can hold.",
        (unsigned long long)gguf->n_entries, (unsigned long long)gguf->n_tensors);
  gguf->entries = calloc ((size_t)gguf->n_entries + 1, sizeof *gguf->entries);
  gguf->tensors = calloc ((size_t)gguf->n_tensors + 1, sizeof *gguf->tensors);
  gguf->entry_names = calloc ((size_t)gguf->n_entries + 1, sizeof *gguf->entry_names);
  gguf->tensor_names = calloc ((size_t)gguf->n_tensors + 1, sizeof *gguf->tensor_names);
  if (!gguf->entries || !gguf->tensors || !gguf->entry_names || !gguf->tensor_names)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the table of the GGUF file.");
  return ENGINE_OK;
}

/* Names end up in C strings and messages. The specification gives keys 64 KiB. */
static int check_name (const char *what, uint64_t index, struct gguf_string name, struct engine_error *error)
{
  const char *fault = NULL;
  if (name.length == 0)
    fault = "is empty";
  else if (name.length > NAME_MAX_BYTES)
    fault = "is longer than 65535 bytes";
  else if (memchr (name.bytes, 0, name.length))
    fault = "holds a zero byte";
  if (!fault)
    return ENGINE_OK;
  return engine_error_set (error, ENGINE_ERROR_FORMAT, "The name of %s %llu %s: the GGUF file is damaged.", what,
                           (unsigned long long)index, fault);
}

static int read_metadata (struct gguf *gguf, struct cursor *cursor, struct engine_error *error)
{
  for (uint64_t i = 0; i < gguf->n_entries; i++) {
    struct gguf_entry *entry = &gguf->entries[i];
    if (!cursor_read_string (cursor, &entry->key))
      return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file ends inside metadata key %llu.",
                               (unsigned long long)i);
    int status = check_name ("metadata key", i, entry->key, error);
    if (status == ENGINE_OK)
      status = gguf_entry_read (entry, cursor, error);
    if (status != ENGINE_OK)
      return status;
    gguf->entry_names[i] = (struct gguf_name){ entry->key, i };
  }
  const struct gguf_name *twice = gguf_sort_names (gguf->entry_names, gguf->n_entries);
  if (twice)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file holds metadata key \"%.*s\" twice.",
                             gguf_print_length (twice->name), twice->name.bytes);
  return ENGINE_OK;
}

/* Sets nbytes of a tensor whose type and dimensions are read. Types outside the table leave it 0. */
static bool compute_tensor_bytes (struct gguf_tensor *tensor)
{
  const struct tensor_type_info *info = tensor_type_get_info (tensor->type);
  uint64_t n_items = 1;
  for (uint32_t d = 0; d < GGUF_MAX_DIMS; d++)
    if (tensor->ne[d] == 0 || tensor->ne[d] > INT64_MAX || __builtin_mul_overflow (n_items, tensor->ne[d], &n_items))
      return false;
  if (n_items > INT64_MAX)
    return false;
  if (!info)
    return true;
  return tensor->ne[0] % info->block_items == 0
         && !__builtin_mul_overflow (n_items / info->block_items, (uint64_t)info->block_bytes, &tensor->nbytes);
}

/* `offsets` gets where the tensor begins, counted from the start of the data section. */
static int read_tensor (struct gguf *gguf, uint64_t i, struct cursor *cursor, uint64_t alignment, uint64_t *offset,
                        struct engine_error *error)
{
  struct gguf_tensor *tensor = &gguf->tensors[i];
  uint32_t type;
  if (!cursor_read_string (cursor, &tensor->name) || !cursor_read_u32 (cursor, &tensor->n_dims))
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file ends inside the description of tensor %llu.",
                             (unsigned long long)i);
  const int length = gguf_print_length (tensor->name);
  const int status = check_name ("tensor", i, tensor->name, error);
  if (status != ENGINE_OK)
    return status;
  if (tensor->n_dims > GGUF_MAX_DIMS)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "Tensor \"%.*s\" claims %u dimensions; GGUF allows %d.",
                             length, tensor->name.bytes, tensor->n_dims, GGUF_MAX_DIMS);
  for (uint32_t d = 0; d < GGUF_MAX_DIMS; d++)
    tensor->ne[d] = 1;
  for (uint32_t d = 0; d < tensor->n_dims; d++)
    if (!cursor_read_u64 (cursor, &tensor->ne[d]))
      return engine_error_set (error, ENGINE_ERROR_FORMAT,
                               "The GGUF file ends inside the description of tensor \"%.*s\".", length,
                               tensor->name.bytes);
  if (!cursor_read_u32 (cursor, &type) || !cursor_read_u64 (cursor, offset))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The GGUF file ends inside the description of tensor \"%.*s\".", length,
                             tensor->name.bytes);
  tensor->type = (enum tensor_type)type;
  if (!compute_tensor_bytes (tensor))
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT, "Tensor \"%.*s\" has impossible dimensions %llu x %llu x %llu x %llu for its type.",
        length, tensor->name.bytes, (unsigned long long)tensor->ne[0], (unsigned long long)tensor->ne[1],
        (unsigned long long)tensor->ne[2], (unsigned long long)tensor->ne[3]);
  if (*offset % alignment != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "Tensor \"%.*s\" is not aligned to %llu bytes.", length,
                             tensor->name.bytes, (unsigned long long)alignment);
  gguf->tensor_names[i] = (struct gguf_name){ tensor->name, i };
  return ENGINE_OK;
}

static int compare_tensor_data (const void *a, const void *b)
{
  const struct gguf_tensor *left = *(const struct gguf_tensor *const *)a;
  const struct gguf_tensor *right = *(const struct gguf_tensor *const *)b;
  const uintptr_t l = (uintptr_t)left->data, r = (uintptr_t)right->data;
  return (l > r) - (l < r);
}

static int check_overlaps (const struct gguf *gguf, struct engine_error *error)
{
  const struct gguf_tensor **by_place = calloc ((size_t)gguf->n_tensors + 1, sizeof *by_place);
  size_t n = 0;
  int status = ENGINE_OK;
  if (!by_place)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the table of the GGUF file.");
  for (uint64_t i = 0; i < gguf->n_tensors; i++)
    if (gguf->tensors[i].nbytes > 0)
      by_place[n++] = &gguf->tensors[i];
  if (n > 0)
    qsort (by_place, n, sizeof *by_place, compare_tensor_data);
  for (size_t i = 1; i < n && status == ENGINE_OK; i++) {
    const struct gguf_tensor *a = by_place[i - 1], *b = by_place[i];
    const uint64_t distance = (uint64_t)((const uint8_t *)b->data - (const uint8_t *)a->data);
    if (distance < a->nbytes)
      status
          = engine_error_set (error, ENGINE_ERROR_FORMAT, "Tensors \"%.*s\" and \"%.*s\" overlap in the GGUF file.",
                              gguf_print_length (a->name), a->name.bytes, gguf_print_length (b->name), b->name.bytes);
  }
  free (by_place);
  return status;
}

static int read_tensors (struct gguf *gguf, struct cursor *cursor, struct engine_error *error)
{
  uint64_t alignment = DEFAULT_ALIGNMENT;
  /* An alignment of another kind would leave every offset in doubt. */
  if (gguf_has_key (gguf, "general.alignment") && !gguf_get_u64 (gguf, "general.alignment", &alignment))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "Metadata \"general.alignment\" of the GGUF file is damaged: it is no positive number.");
  if (alignment < 8 || (alignment & (alignment - 1)) != 0 || alignment > (1u << 30))
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The GGUF file asks for an alignment of %llu bytes, which is not a power of two from 8 up.",
        (unsigned long long)alignment);
  if (gguf->n_tensors > cursor_get_left (cursor) / TENSOR_MIN_BYTES)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file ends inside its table of %llu tensors.",
                             (unsigned long long)gguf->n_tensors);
  uint64_t *offsets = calloc ((size_t)gguf->n_tensors + 1, sizeof *offsets);
  if (!offsets)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the table of the GGUF file.");
  int status = ENGINE_OK;
  for (uint64_t i = 0; i < gguf->n_tensors && status == ENGINE_OK; i++)
    status = read_tensor (gguf, i, cursor, alignment, &offsets[i], error);
  /* The data section begins at the next aligned byte; a file without tensors may end before it. */
  const uint64_t data_start = (cursor->pos + alignment - 1) & ~(alignment - 1);
  const uint64_t data_bytes = data_start <= gguf->size ? gguf->size - data_start : 0;
  for (uint64_t i = 0; i < gguf->n_tensors && status == ENGINE_OK; i++) {
    struct gguf_tensor *tensor = &gguf->tensors[i];
    if (data_start > gguf->size || offsets[i] > data_bytes || tensor->nbytes > data_bytes - offsets[i])
      status = engine_error_set (
          error, ENGINE_ERROR_FORMAT,
          "The data of tensor \"%.*s\" lies beyond the end of the GGUF file; the file is cut short, "
          "fetch it again.",
          gguf_print_length (tensor->name), tensor->name.bytes);
    else
      tensor->data = gguf->bytes + data_start + offsets[i];
  }
  free (offsets);
  if (status != ENGINE_OK)
    return status;
  const struct gguf_name *twice = gguf_sort_names (gguf->tensor_names, gguf->n_tensors);
  if (twice)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The GGUF file holds tensor \"%.*s\" twice.",
                             gguf_print_length (twice->name), twice->name.bytes);
  return check_overlaps (gguf, error);
}

static int parse (struct gguf *gguf, struct engine_error *error)
{
  struct cursor cursor = { gguf->bytes, gguf->size, 0 };
  int status = read_header (gguf, &cursor, error);
  if (status == ENGINE_OK)
    status = read_metadata (gguf, &cursor, error);
  if (status == ENGINE_OK)
    status = read_tensors (gguf, &cursor, error);
  return status;
}

int gguf_parse (const void *bytes, size_t size, bool mapped, struct gguf **out, struct engine_error *error)
{
  struct gguf *gguf = calloc (1, sizeof *gguf);
  if (!gguf) {
    if (mapped)
      munmap ((void *)bytes, size);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is not enough memory to open the GGUF file.");
  }
  gguf->bytes = bytes;
  gguf->size = size;
  gguf->mapped = mapped;
  const int status = parse (gguf, error);
  if (status != ENGINE_OK) {
    gguf_close (gguf);
    return status;
  }
  *out = gguf;
  return ENGINE_OK;
}

int gguf_open_memory (const void *bytes, size_t size, struct gguf **gguf, struct engine_error *error)
{
  return gguf_parse (bytes, size, false, gguf, error);
}

void gguf_close (struct gguf *gguf)
{
  if (!gguf)
    return;
  for (uint64_t i = 0; gguf->entries && i < gguf->n_entries; i++)
    free (gguf->entries[i].marks);
  free (gguf->entries);
  free (gguf->tensors);
  free (gguf->entry_names);
  free (gguf->tensor_names);
  if (gguf->mapped)
    munmap ((void *)gguf->bytes, gguf->size);
  for (size_t i = 0; i < gguf->n_parts; i++)
    gguf_close (gguf->parts[i]);
  free (gguf->parts);
  free (gguf);
}

uint32_t gguf_get_version (const struct gguf *gguf)
{
  return gguf->version;
}

uint64_t gguf_get_file_bytes (const struct gguf *gguf)
{
  uint64_t bytes = gguf->size;
  for (size_t i = 0; i < gguf->n_parts; i++)
    bytes += gguf->parts[i]->size;
  return bytes;
}

const void *gguf_get_head (const struct gguf *gguf, size_t *n_bytes)
{
  *n_bytes = gguf->size;
  for (uint64_t i = 0; i < gguf->n_tensors; i++) {
    const uintptr_t data = (uintptr_t)gguf->tensors[i].data, begin = (uintptr_t)gguf->bytes;
    if (data >= begin && data - begin < *n_bytes)
      *n_bytes = data - begin;
  }
  return gguf->bytes;
}

uint64_t gguf_get_n_tensors (const struct gguf *gguf)
{
  return gguf->n_tensors;
}

const struct gguf_tensor *gguf_get_tensor (const struct gguf *gguf, uint64_t index)
{
  return index < gguf->n_tensors ? &gguf->tensors[index] : NULL;
}

const struct gguf_tensor *gguf_find_tensor (const struct gguf *gguf, const char *name)
{
  return gguf_get_tensor (gguf, gguf_find_name (gguf->tensor_names, gguf->n_tensors, name));
}
