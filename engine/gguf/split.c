/* split.c: models in several files, NAME-00001-of-00003.gguf and so on (llama.cpp's gguf-split). Each part is a GGUF file
 * with the keys split.no (from 0), split.count and split.tensors.count (over all parts); the first has the rest of the
 * metadata. Every part is read and checked as any file; here they are held against each other. */
#include "engine/gguf/gguf-private.h"
#include "engine/error.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_PARTS 999
#define SUFFIX "-%05u-of-%05u.gguf"
#define SUFFIX_BYTES 20 /* as written */

struct split {
  uint32_t index, count;
  uint64_t n_tensors;
};

/* False if the file is no part. */
static bool read_split (const struct gguf *gguf, struct split *split)
{
  return gguf_get_u32 (gguf, "split.count", &split->count) && split->count > 1
         && gguf_get_u32 (gguf, "split.no", &split->index)
         && gguf_get_u64 (gguf, "split.tensors.count", &split->n_tensors);
}

/* The path of part `index`, where `path` is that of another; malloc'ed. */
static char *dup_part_path (const char *path, uint32_t index, uint32_t count)
{
  char suffix[SUFFIX_BYTES + 28];
  char *part = strdup (path);
  snprintf (suffix, sizeof suffix, SUFFIX, index + 1, count);
  if (part)
    memcpy (part + strlen (path) - SUFFIX_BYTES, suffix, SUFFIX_BYTES);
  return part;
}

static const char *get_name (const char *path)
{
  const char *slash = strrchr (path, '/');
  return slash ? slash + 1 : path;
}

static int check_first (const char *path, const struct split *split, struct engine_error *error)
{
  char suffix[SUFFIX_BYTES + 28];
  const size_t length = strlen (path);
  if (split->count > MAX_PARTS || split->index >= split->count)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The file claims to be part %llu of %u of a split model; up to %d parts can be read.",
                             (unsigned long long)split->index + 1, split->count, MAX_PARTS);
  snprintf (suffix, sizeof suffix, SUFFIX, split->index + 1, split->count);
  if (length <= SUFFIX_BYTES || strcmp (path + length - SUFFIX_BYTES, suffix) != 0)
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "\"%.200s\" is part %u of %u of a split model, so its name must end in \"%s\" for the other "
        "parts to be found: rename the parts as they were.",
        get_name (path), split->index + 1, split->count, suffix);
  return ENGINE_OK;
}

static int open_part (const char *path, uint32_t index, const struct split *whole, struct gguf **part,
                      struct engine_error *error)
{
  struct split split;
  struct engine_error why = { 0 };
  const char *name = get_name (path);
  if (access (path, F_OK) != 0 && errno == ENOENT)
    return engine_error_set (error, ENGINE_ERROR_IO,
                             "Part %u of %u of the model, \"%.200s\", is missing: put all parts in one folder.",
                             index + 1, whole->count, name);
  const int status = gguf_open_file (path, part, &why);
  if (status != ENGINE_OK)
    return engine_error_set (error, status, "The part \"%.120s\" of the model cannot be read: %s", name, why.message);
  if (!read_split (*part, &split))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "\"%.200s\" is not part %u of a split model: download the parts again.", name, index + 1);
  if (split.index != index || split.count != whole->count || split.n_tensors != whole->n_tensors)
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "\"%.200s\" is part %u of %u of another model (%llu tensors, not %llu): download the parts again.", name,
        split.index + 1, split.count, (unsigned long long)split.n_tensors, (unsigned long long)whole->n_tensors);
  return ENGINE_OK;
}

/* One table of all tensors, in the order of the parts. */
static int merge_tensors (struct gguf *first, const struct split *whole, struct engine_error *error)
{
  uint64_t n = first->n_tensors;
  for (size_t i = 0; i < first->n_parts; i++)
    n += first->parts[i]->n_tensors; /* each is below the bytes of a file */
  if (n != whole->n_tensors)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The %u parts of the model hold %llu tensors, but %llu are promised: a part belongs to "
                             "another model; download the parts again.",
                             whole->count, (unsigned long long)n, (unsigned long long)whole->n_tensors);
  struct gguf_tensor *tensors = calloc ((size_t)n + 1, sizeof *tensors);
  struct gguf_name *names = calloc ((size_t)n + 1, sizeof *names);
  if (!tensors || !names) {
    free (tensors);
    free (names);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the table of the GGUF file.");
  }
  uint64_t at = 0;
  for (size_t i = 0; i <= first->n_parts; i++) {
    const struct gguf *part = i == 0 ? first : first->parts[i - 1];
    for (uint64_t j = 0; j < part->n_tensors; j++, at++) {
      tensors[at] = part->tensors[j];
      names[at] = (struct gguf_name){ tensors[at].name, at };
    }
  }
  free (first->tensors);
  free (first->tensor_names);
  first->tensors = tensors;
  first->tensor_names = names;
  first->n_tensors = n;
  const struct gguf_name *twice = gguf_sort_names (names, n);
  if (twice)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "Two parts of the model hold the tensor \"%.*s\".",
                             gguf_print_length (twice->name), twice->name.bytes);
  return ENGINE_OK;
}

/* Opens all parts but the one that is open already; all[] is in order and the caller's to close. */
static int open_others (const char *path, const struct split *whole, struct gguf **all, struct engine_error *error)
{
  for (uint32_t i = 0; i < whole->count; i++) {
    if (all[i])
      continue;
    char *part_path = dup_part_path (path, i, whole->count);
    const int status = part_path ? open_part (part_path, i, whole, &all[i], error)
                                 : engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                                                     "There is not enough memory to open the GGUF file.");
    free (part_path);
    if (status != ENGINE_OK)
      return status;
  }
  return ENGINE_OK;
}

int gguf_join_parts (const char *path, struct gguf **gguf, struct engine_error *error)
{
  struct split whole;
  if (!read_split (*gguf, &whole))
    return ENGINE_OK;
  int status = check_first (path, &whole, error);
  struct gguf **all = status == ENGINE_OK ? calloc (whole.count, sizeof *all) : NULL;
  if (!all) {
    gguf_close (*gguf);
    return status != ENGINE_OK
               ? status
               : engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is not enough memory to open the GGUF file.");
  }
  all[whole.index] = *gguf;
  status = open_others (path, &whole, all, error);
  if (status != ENGINE_OK) {
    for (uint32_t i = 0; i < whole.count; i++)
      gguf_close (all[i]);
    free (all);
    return status;
  }
  struct gguf *first = all[0];
  first->parts = all;
  first->n_parts = whole.count - 1;
  for (size_t i = 0; i < first->n_parts; i++)
    all[i] = all[i + 1];
  status = merge_tensors (first, &whole, error);
  if (status != ENGINE_OK) {
    gguf_close (first);
    return status;
  }
  *gguf = first;
  return ENGINE_OK;
}
