#include "engine/sampling/utf8_ranges.h"

#include "engine/tokenizer/utf8.h"

/* Where the length of the encoding changes, and the gap of the surrogates. */
static const struct {
  uint32_t low, high;
} blocks[] = { { 0, 0x7F }, { 0x80, 0x7FF }, { 0x800, 0xD7FF }, { 0xE000, 0xFFFF }, { 0x10000, 0x10FFFF } };

struct taker {
  int (*take) (const struct utf8_sequence *sequence, void *data);
  void *data;
};

/* low and high are encoded in equally many bytes. A range is one sequence when all bytes after the first that differs
 * run through all their values; else it is cut at the multiples of 64, 4096 and 262144. */
static int split (uint32_t low, uint32_t high, const struct taker *taker)
{
  char first[4], last[4];
  size_t n = utf8_encode (low, first);
  utf8_encode (high, last);
  for (size_t i = 1; i < n; i++) {
    uint32_t mask = (UINT32_C (1) << (6 * i)) - 1;
    if ((low & ~mask) == (high & ~mask))
      continue;
    uint32_t cut = (low & mask) != 0 ? (low | mask) : (high & mask) != mask ? (high & ~mask) - 1 : high;
    if (cut == high)
      continue;
    int status = split (low, cut, taker);
    return status ? status : split (cut + 1, high, taker);
  }
  struct utf8_sequence sequence = { .n = (uint8_t)n };
  for (size_t i = 0; i < n && i < sizeof sequence.low; i++) {
    sequence.low[i] = (uint8_t)first[i];
    sequence.high[i] = (uint8_t)last[i];
  }
  return taker->take (&sequence, taker->data);
}

int utf8_ranges_split (uint32_t low, uint32_t high, int (*take) (const struct utf8_sequence *sequence, void *data),
                       void *data)
{
  const struct taker taker = { take, data };
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    uint32_t from = low > blocks[i].low ? low : blocks[i].low, to = high < blocks[i].high ? high : blocks[i].high;
    int status = from <= to ? split (from, to, &taker) : 0;
    if (status)
      return status;
  }
  return 0;
}
