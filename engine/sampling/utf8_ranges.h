/* utf8_ranges.h: ranges of characters as ranges of their UTF-8 bytes. */
#ifndef LECTERN_UTF8_RANGES_H
#define LECTERN_UTF8_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct utf8_sequence {
  uint8_t n; /* bytes, 1 to 4 */
  uint8_t low[4], high[4];
};

/* Calls `take` for byte sequences that together match exactly the characters low..high, surrogates excepted; stops at
 * the first result that is not 0 and returns it. high <= 0x10FFFF. */
int utf8_ranges_split (uint32_t low, uint32_t high, int (*take) (const struct utf8_sequence *sequence, void *data),
                       void *data);

#endif
