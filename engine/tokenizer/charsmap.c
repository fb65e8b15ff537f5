#include "engine/tokenizer/charsmap.h"

#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"

#define MAX_BYTES ((uint64_t)16 << 20) /* nmt_nfkc takes 240 kB */

#define HAS_VALUE ((uint32_t)1 << 8)
#define LABEL (((uint32_t)1 << 31) | 0xFF)

static uint32_t read_u32 (const uint8_t *bytes)
{
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Whether every replacement ends, and soon enough, wherever it starts. */
static bool replacements_end (const char *replacements, size_t length)
{
  size_t run = 0;
  for (size_t i = 0; i < length; i++) {
    run = replacements[i] ? run + 1 : 0;
    if (run > CHARSMAP_MAX_REPLACEMENT)
      return false;
  }
  return run == 0;
}

int charsmap_load (struct charsmap *charsmap, const struct gguf *gguf, struct engine_error *error)
{
  static const char *const key = "tokenizer.ggml.precompiled_charsmap";
  enum gguf_kind kind;
  uint64_t n;
  if (!gguf_get_array (gguf, key, &kind, &n) || n == 0)
    return ENGINE_OK;
  if ((kind != GGUF_U8 && kind != GGUF_I8) || n < 4 || n > MAX_BYTES)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The model's normalisation rules (%s) cannot be read; download or convert it again.", key);
  int32_t *items = calloc (n, sizeof *items);
  charsmap->bytes = malloc (n);
  if (!items || !charsmap->bytes || !gguf_array_copy_i32 (gguf, key, items, n)) {
    free (items);
    return tokenizer_no_memory (error);
  }
  for (uint64_t i = 0; i < n; i++)
    charsmap->bytes[i] = (uint8_t)items[i];
  free (items);
  uint32_t n_array = read_u32 (charsmap->bytes);
  if (n_array > n - 4 || n_array % 4 != 0
      || !replacements_end ((const char *)charsmap->bytes + 4 + n_array, n - 4 - n_array))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The model's normalisation rules (%s) are damaged; download or convert it again.", key);
  charsmap->n_units = n_array / 4;
  charsmap->replacements = (const char *)charsmap->bytes + 4 + n_array;
  charsmap->replacements_length = n - 4 - n_array;
  return ENGINE_OK;
}

void charsmap_release (struct charsmap *charsmap)
{
  free (charsmap->bytes);
  memset (charsmap, 0, sizeof *charsmap);
}

static bool read_unit (const struct charsmap *charsmap, uint32_t index, uint32_t *unit)
{
  if (index >= charsmap->n_units)
    return false;
  *unit = read_u32 (charsmap->bytes + 4 + 4 * (size_t)index);
  return true;
}

static uint32_t get_offset (uint32_t unit)
{
  return unit >> 10 << (unit >> 9 & 1 ? 8 : 0);
}

size_t charsmap_find (const struct charsmap *charsmap, const char *text, size_t length, const char **replacement,
                      size_t *replacement_length)
{
  uint32_t unit, value, index = 0;
  size_t found = 0, at = 0;
  if (!read_unit (charsmap, 0, &unit))
    return 0;
  index ^= get_offset (unit);
  for (size_t i = 0; i < length && text[i]; i++) {
    uint8_t byte = (uint8_t)text[i];
    index ^= byte;
    if (!read_unit (charsmap, index, &unit) || (unit & LABEL) != byte)
      break;
    index ^= get_offset (unit);
    if ((unit & HAS_VALUE) && read_unit (charsmap, index, &value)
        && (value & ~((uint32_t)1 << 31)) < charsmap->replacements_length) {
      at = value & ~((uint32_t)1 << 31);
      found = i + 1;
    }
  }
  if (found > 0) {
    *replacement = charsmap->replacements + at;
    *replacement_length = strlen (*replacement);
  }
  return found;
}
