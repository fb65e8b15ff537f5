/* avx512.h: what the AVX-512 files share. Only files compiled with the flags of that path may include it.
 *
 * The path needs F, BW, DQ, VL, VNNI and VBMI (Ice Lake, Zen 4 and later). What it has no kernels of its own for is taken
 * from the AVX2 path, which every such CPU runs as well.
 *
 * Panels are two vectors of sixteen rows. Weights are made unsigned, w + offset, as `vpdpbusd` wants; its 32-bit sums begin
 * at -offset times the sum of the activations, so that they end as those of the signed weights. */
#ifndef LECTERN_KERNELS_AVX512_H
#define LECTERN_KERNELS_AVX512_H

#include "engine/kernels/avx2/avx2.h"

/* With 4 tokens the sums of 32 rows leave registers enough for gcc 12 not to spill; 6 and 8 measured slower. */
enum { PANEL_TOKENS_AVX512 = 4, VECTOR_ROWS = 16 };

INLINE __m512i load_512 (const void *aligned)
{
  return _mm512_load_si512 (aligned);
}

INLINE __m512i broadcast_32_bits (const void *bytes)
{
  int32_t value;
  memcpy (&value, bytes, sizeof value);
  return _mm512_set1_epi32 (value);
}

/* sums[2][n_tokens] += four columns of 32 rows times those of each token. */
INLINE void add_products (__m512i sums[2][PANEL_TOKENS_AVX512], const uint8_t *weights, const uint8_t *x,
                          size_t x_bytes, const int n_tokens)
{
  const __m512i low = load_512 (weights), high = load_512 (weights + 4 * VECTOR_ROWS);
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    const __m512i four = broadcast_32_bits (x + (size_t)t * x_bytes);
    sums[0][t] = _mm512_dpbusd_epi32 (sums[0][t], low, four);
    sums[1][t] = _mm512_dpbusd_epi32 (sums[1][t], high, four);
  }
}

/* multiply() for each number of tokens, so that the sums stay in registers. */
#define MULTIPLY_AVX512(name, kind, type)                                                                              \
  static void multiply_##name##_avx512 (const uint8_t *panel, const void *x, size_t x_bytes, unsigned n_tokens,        \
                                        size_t n_items, float *sums)                                                   \
  {                                                                                                                    \
    const struct kind##_panel *it = (const struct kind##_panel *)panel;                                                \
    switch (n_tokens) {                                                                                                \
    case 4: multiply_##kind (type, it, x, x_bytes, 4, n_items, sums); break;                                           \
    case 3: multiply_##kind (type, it, x, x_bytes, 3, n_items, sums); break;                                           \
    case 2: multiply_##kind (type, it, x, x_bytes, 2, n_items, sums); break;                                           \
    default: multiply_##kind (type, it, x, x_bytes, 1, n_items, sums); break;                                          \
    }                                                                                                                  \
  }

extern const struct kernel_type f32_avx512, f16_avx512, bf16_avx512;

/* Each quantised type's row of the table: in small_blocks.c and super_blocks.c. */
#define DECLARE_AVX512(type, name, block_bytes, has_minimum) extern const struct kernel_type name##_avx512;
SMALL_BLOCK_TYPES (DECLARE_AVX512)
SUPER_BLOCK_TYPES (DECLARE_AVX512)

/* In dot_rows.c. */
dot_rows_function dot_rows_q4_k_avx512, dot_rows_q5_k_avx512, dot_rows_q6_k_avx512;

#endif
