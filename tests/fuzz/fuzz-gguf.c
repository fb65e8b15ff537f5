/* fuzz-gguf.c: any bytes either open or fail with a sentence; what opens can be read to its last byte. */
#include "engine/gguf/gguf.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static volatile uint8_t sink; /* keeps the reads */

static void touch (const void *bytes, uint64_t n)
{
  uint8_t sum = 0;
  for (uint64_t i = 0; i < n; i++)
    sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
  sink = sum;
}

static void read_key (const struct gguf *gguf, const char *key)
{
  uint64_t u64, n_items;
  uint32_t u32;
  float f32;
  bool boolean;
  struct gguf_string string;
  enum gguf_kind kind;
  gguf_get_u64 (gguf, key, &u64);
  gguf_get_u32 (gguf, key, &u32);
  gguf_get_f32 (gguf, key, &f32);
  gguf_get_bool (gguf, key, &boolean);
  if (gguf_get_string (gguf, key, &string))
    touch (string.bytes, string.length);
  if (!gguf_get_array (gguf, key, &kind, &n_items))
    return;
  /* An array of n items takes at least n bytes of the file, so this is bounded by the input. */
  struct gguf_string *strings = calloc ((size_t)n_items + 1, sizeof *strings);
  int32_t *integers = calloc ((size_t)n_items + 1, sizeof *integers);
  float *floats = calloc ((size_t)n_items + 1, sizeof *floats);
  if (strings && integers && floats) {
    const bool copied = gguf_array_copy_strings (gguf, key, strings, n_items);
    for (uint64_t i = 0; i < n_items && copied; i++) {
      if (!gguf_array_get_string (gguf, key, i, &string) || string.bytes != strings[i].bytes)
        abort ();
      touch (string.bytes, string.length);
    }
    gguf_array_copy_i32 (gguf, key, integers, n_items);
    gguf_array_copy_f32 (gguf, key, floats, n_items);
  }
  free (strings);
  free (integers);
  free (floats);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const keys[] = { "general.alignment", "general.architecture", "a", "b", "c", "" };
  struct gguf *gguf = NULL;
  struct engine_error error = { 0 };
  if (gguf_open_memory (data, size, &gguf, &error) != ENGINE_OK) {
    if (error.status >= 0 || error.message[0] == '\0' || gguf)
      abort ();
    return 0;
  }
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    read_key (gguf, keys[i]);
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    const struct gguf_tensor *tensor = gguf_get_tensor (gguf, i);
    const struct tensor_type_info *info = tensor_type_get_info (tensor->type);
    touch (tensor->name.bytes, tensor->name.length);
    touch (tensor->data, tensor->nbytes);
    if (info && info->runs && tensor->nbytes <= 65536) {
      const size_t n_items = (size_t)(tensor->nbytes / info->block_bytes * info->block_items);
      float *items = malloc ((n_items + 1) * sizeof *items);
      if (items)
        tensor_type_to_f32 (tensor->type, tensor->data, items, n_items);
      free (items);
    }
  }
  gguf_close (gguf);
  return 0;
}
