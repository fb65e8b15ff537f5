#include "engine/tokenizer/utf8.h"

/* The range that the second byte must lie in, given the first (Unicode standard, table 3-7), and the length. */
static size_t sequence_length (uint8_t lead, uint8_t *low, uint8_t *high)
{
  *low = 0x80;
  *high = 0xBF;
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return 2;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0)
      *low = 0xA0;
    if (lead == 0xED)
      *high = 0x9F;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0)
      *low = 0x90;
    if (lead == 0xF4)
      *high = 0x8F;
    return 4;
  }
  return 0;
}

size_t utf8_decode (const char *text, size_t length, uint32_t *code_point)
{
  if (length == 0)
    return 0;
  uint8_t lead = (uint8_t)text[0], low, high;
  size_t n = sequence_length (lead, &low, &high);
  if (n == 0 || n > length)
    return 0;
  uint32_t value = n == 1 ? lead : n == 2 ? lead & 0x1Fu : n == 3 ? lead & 0x0Fu : lead & 0x07u;
  for (size_t i = 1; i < n; i++) {
    uint8_t byte = (uint8_t)text[i];
    if (byte < low || byte > high)
      return 0;
    low = 0x80;
    high = 0xBF;
    value = value << 6 | (byte & 0x3Fu);
  }
  if (code_point)
    *code_point = value;
  return n;
}

size_t utf8_encode (uint32_t code_point, char bytes[4])
{
  if (code_point < 0x80) {
    bytes[0] = (char)code_point;
    return 1;
  }
  if (code_point < 0x800) {
    bytes[0] = (char)(0xC0 | code_point >> 6);
    bytes[1] = (char)(0x80 | (code_point & 0x3F));
    return 2;
  }
  if (code_point < 0x10000) {
    bytes[0] = (char)(0xE0 | code_point >> 12);
    bytes[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
    bytes[2] = (char)(0x80 | (code_point & 0x3F));
    return 3;
  }
  bytes[0] = (char)(0xF0 | code_point >> 18);
  bytes[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
  bytes[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
  bytes[3] = (char)(0x80 | (code_point & 0x3F));
  return 4;
}

size_t utf8_incomplete_tail (const char *text, size_t length)
{
  for (size_t back = 1; back <= 3 && back <= length; back++) {
    uint8_t byte = (uint8_t)text[length - back], low, high;
    if (byte >= 0x80 && byte <= 0xBF)
      continue;
    size_t n = sequence_length (byte, &low, &high);
    if (n <= back)
      return 0;
    if (back >= 2) {
      uint8_t second = (uint8_t)text[length - back + 1];
      if (second < low || second > high)
        return 0;
    }
    return back;
  }
  return 0;
}
