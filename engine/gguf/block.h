/* block.h: the quantised types that run, and the two forms that their blocks are unpacked to. Dequantisers, kernels and
 * tests follow from the rows below: a new type is a row, its unpack function and its test data.
 *
 * A quantised weight is an integer q, a scale and sometimes a minimum per group of weights:
 *   weight = d * scale * q - dmin * minimum
 * Layouts are ggml's (ggml-common.h); numbers are little-endian. */
#ifndef LECTERN_BLOCK_H
#define LECTERN_BLOCK_H

#include "engine/gguf/half.h"
#include <stdbool.h>

enum {
  BLOCK_ITEMS = 32,
  SUPER_BLOCK_ITEMS = 256,
};

/* Types in blocks of 32. Name; NAME of unpack_NAME(); bytes of a block; whether it has a minimum. */
#define SMALL_BLOCK_TYPES(row)                                                                                         \
  row (Q4_0, q4_0, 2 + 16, false)                                                                                      \
  row (Q4_1, q4_1, 2 + 2 + 16, true)                                                                                   \
  row (Q5_0, q5_0, 2 + 4 + 16, false)                                                                                  \
  row (Q5_1, q5_1, 2 + 2 + 4 + 16, true)                                                                               \
  row (Q8_0, q8_0, 2 + 32, false)                                                                                      \
  row (IQ4_NL, iq4_nl, 2 + 16, false)                                                                                  \
  row (MXFP4, mxfp4, 1 + 16, false)

/* The same for types in blocks of 256. */
#define SUPER_BLOCK_TYPES(row)                                                                                         \
  row (Q2_K, q2_k, 16 + 64 + 2 + 2, true)                                                                              \
  row (Q3_K, q3_k, 32 + 64 + 12 + 2, false)                                                                            \
  row (Q4_K, q4_k, 2 + 2 + 12 + 128, true)                                                                             \
  row (Q5_K, q5_k, 2 + 2 + 12 + 32 + 128, true)                                                                        \
  row (Q6_K, q6_k, 128 + 64 + 16 + 2, false)                                                                           \
  row (IQ4_XS, iq4_xs, 2 + 2 + 4 + 128, false)                                                                         \
  row (IQ3_S, iq3_s, 2 + 64 + 8 + 32 + 4, false)                                                                       \
  row (IQ3_XXS, iq3_xxs, 2 + 64 + 32, false)                                                                           \
  row (IQ2_S, iq2_s, 2 + 64 + 8 + 8, false)                                                                            \
  row (IQ2_XS, iq2_xs, 2 + 64 + 8, false)                                                                              \
  row (IQ2_XXS, iq2_xxs, 2 + 64, false)                                                                                \
  row (IQ1_M, iq1_m, 32 + 16 + 8, false)                                                                               \
  row (IQ1_S, iq1_s, 2 + 32 + 16, false)                                                                               \
  row (TQ1_0, tq1_0, 48 + 4 + 2, false)                                                                                \
  row (TQ2_0, tq2_0, 64 + 2, false)

/* weight = d * q + m. */
struct small_block {
  float d, m;
  int8_t q[BLOCK_ITEMS];
};

/* weight = d * scale[i/16] * q[i] - dmin * minimum[i/16], in groups of 16. Types whose groups are larger repeat the
 * scale. The products of 256 weights and activations, scaled, fit in 32 bits: |scale * q| is at most 4096. */
struct super_block {
  float d, dmin;
  int8_t scale[16];
  uint8_t minimum[16];
  int8_t q[SUPER_BLOCK_ITEMS];
};

#endif
