#include "engine/tokenizer/unicode.h"

static bool in_ranges (const struct unicode_range *ranges, size_t n, uint32_t c)
{
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ranges[middle].last < c)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && ranges[low].first <= c;
}

bool unicode_is_space (uint32_t c)
{
  return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A)
         || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool unicode_is_punctuation (uint32_t c)
{
  if (c < 0x80)
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return in_ranges (unicode_punctuation, unicode_n_punctuation, c);
}

bool unicode_is_control (uint32_t c)
{
  if (c < 0x80)
    return c < 0x20 || c == 0x7F;
  return in_ranges (unicode_controls, unicode_n_controls, c);
}

bool unicode_is_nonspacing_mark (uint32_t c)
{
  return c >= 0x300 && in_ranges (unicode_marks, unicode_n_marks, c);
}

bool unicode_is_cjk (uint32_t c)
{
  static const struct unicode_range ideographs[] = {
    { 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },   { 0xF900, 0xFAFF },   { 0x20000, 0x2A6DF },
    { 0x2A700, 0x2B73F }, { 0x2B740, 0x2B81F }, { 0x2B920, 0x2CEAF }, /* as the reference has it, not 2B820 */
    { 0x2F800, 0x2FA1F },
  };
  return c >= 0x3400 && in_ranges (ideographs, sizeof ideographs / sizeof *ideographs, c);
}

uint32_t unicode_to_lower (uint32_t c)
{
  if (c < 0x80)
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  size_t low = 0, high = unicode_n_lowers;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (unicode_lowers[middle].from < c)
      low = middle + 1;
    else
      high = middle;
  }
  return low < unicode_n_lowers && unicode_lowers[low].from == c ? unicode_lowers[low].to : c;
}

size_t unicode_decompose (uint32_t c, uint32_t to[UNICODE_MAX_DECOMPOSITION])
{
  to[0] = c;
  if (c < 0xC0)
    return 1;
  if (c >= 0xAC00 && c <= 0xD7A3) { /* Hangul syllables: the Unicode standard, section 3.12 */
    uint32_t index = c - 0xAC00;
    to[0] = 0x1100 + index / 588;
    to[1] = 0x1161 + index % 588 / 28;
    to[2] = 0x11A7 + index % 28;
    return index % 28 ? 3 : 2;
  }
  size_t low = 0, high = unicode_n_decompositions;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (unicode_decompositions[middle].from < c)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == unicode_n_decompositions || unicode_decompositions[low].from != c)
    return 1;
  const struct unicode_decomposition *found = &unicode_decompositions[low];
  for (size_t i = 0; i < found->n; i++)
    to[i] = unicode_decomposition_pool[found->offset + i];
  return found->n;
}
