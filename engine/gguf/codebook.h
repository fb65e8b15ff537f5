/* codebook.h: the tables of the types whose weights are not evenly spaced. A group of weights is named by the index of
 * a point in a grid; the signs come apart from it, except in IQ1. */
#ifndef LECTERN_CODEBOOK_H
#define LECTERN_CODEBOOK_H

#include <stdint.h>

extern const int8_t codebook_iq2_xxs[256][8], codebook_iq2_xs[512][8], codebook_iq2_s[1024][8]; /* 8, 25 or 43 */
extern const int8_t codebook_iq3_xxs[256][4], codebook_iq3_s[512][4]; /* 4 to 62, and odd numbers up to 15 */
extern const int8_t codebook_iq1[2048][8];                            /* -1, 0 or 1 */

/* A nibble of IQ4_NL and IQ4_XS. */
static const int8_t codebook_iq4[16] = { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 };

/* A nibble of MXFP4, a float of 1 sign, 2 exponent and 1 fraction bit, doubled so that it is whole. */
static const int8_t codebook_fp4[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

/* Seven signs, of which an eighth follows: the number of minus signs is even. */
static inline uint8_t complete_signs (uint32_t seven)
{
  return (uint8_t)(seven | (uint32_t)__builtin_parity (seven) << 7);
}

#endif
