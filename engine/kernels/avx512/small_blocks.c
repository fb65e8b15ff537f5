/* small_blocks.c: quantised weights in blocks of 32 on AVX-512. */
#include "engine/kernels/avx2/unsigned_small.h"
#include "engine/kernels/avx512/avx512.h"

INLINE void multiply_small (enum tensor_type type, const struct small_panel *panel, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *sums)
{
  const struct small_columns *columns = panel->block;
  __m512 sum[2][PANEL_TOKENS_AVX512];
  for (int half = 0; half < 2; half++)
    for (int t = 0; t < n_tokens; t++)
      sum[half][t] = _mm512_load_ps (sums + t * PANEL_ROWS + VECTOR_ROWS * half);
  for (; n_items >= 32; n_items -= 32, columns++, x += sizeof (struct q8_block)) {
    __m512i products[2][PANEL_TOKENS_AVX512];
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++)
      products[0][t] = products[1][t]
          = _mm512_set1_epi32 (-small_layouts[type].offset * ((const struct q8_block *)(x + (size_t)t * x_bytes))->sum);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
      add_products (products, columns->q[i][0], x + 4 * i, x_bytes, n_tokens);
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
      const __m512 d = _mm512_load_ps (columns->d + VECTOR_ROWS * half);
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++) {
        const struct q8_block *block = (const struct q8_block *)(x + (size_t)t * x_bytes);
        const __m512 x_d = _mm512_set1_ps (block->d);
        sum[half][t] = _mm512_add_ps (sum[half][t],
                                      _mm512_mul_ps (_mm512_mul_ps (d, x_d), _mm512_cvtepi32_ps (products[half][t])));
        if (small_has_minimum[type])
          sum[half][t] = _mm512_add_ps (
              sum[half][t], _mm512_mul_ps (_mm512_mul_ps (_mm512_load_ps (columns->m + VECTOR_ROWS * half), x_d),
                                           _mm512_set1_ps ((float)block->sum)));
      }
    }
  }
  for (int half = 0; half < 2; half++)
    for (int t = 0; t < n_tokens; t++)
      _mm512_store_ps (sums + t * PANEL_ROWS + VECTOR_ROWS * half, sum[half][t]);
}

#define SMALL_AVX512(type, name, block_bytes, has_minimum)                                                             \
  static void pack_##name##_avx512 (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,               \
                                    const uint8_t *next, uint8_t *panel)                                               \
  {                                                                                                                    \
    pack_small (TENSOR_##type, w, row_bytes, n_rows, n_items, next, panel);                                            \
  }                                                                                                                    \
  MULTIPLY_AVX512 (name, small, TENSOR_##type)                                                                         \
  const struct kernel_type name##_avx512 = { COMPANION_Q8,         dot_##name##_avx2,        NULL,                     \
                                             pack_##name##_avx512, multiply_##name##_avx512, PANEL_TOKENS_AVX512 };

SMALL_BLOCK_TYPES (SMALL_AVX512)
