/* super_blocks.c: quantised weights in blocks of 256 on AVX-512. */
#include "engine/kernels/avx2/unsigned_super.h"
#include "engine/kernels/avx512/avx512.h"

INLINE void multiply_super (enum tensor_type type, const struct super_panel *panel, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *sums)
{
  const struct super_layout layout = super_layouts[type];
  const int n_pairs = !layout.has_minimum ? 0 : layout.group == 32 ? 4 : 8;
  struct token_sums token[PANEL_TOKENS_AVX512];
  __m512i products[2][PANEL_TOKENS_AVX512];
  (void)n_items; /* PANEL_COLS */
  for (int t = 0; t < n_tokens; t++) {
    load_token_sums (type, (const struct q8_k_block *)(x + (size_t)t * x_bytes), &token[t]);
    products[0][t] = products[1][t] = _mm512_setzero_si512 ();
  }
  for (int first = 0; first < 256; first += layout.group) {
    __m512i group[2][PANEL_TOKENS_AVX512];
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++)
      group[0][t] = group[1][t]
          = layout.offset ? broadcast_32_bits (&token[t].start[first / 16]) : _mm512_setzero_si512 ();
#pragma GCC unroll 8
    for (int i = 0; i < layout.group; i += 4)
      add_products (group, panel->q[(first + i) / 4][0], x + first + i, x_bytes, n_tokens);
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
      const __m512i scale = load_512 (panel->scale[first / 16] + VECTOR_ROWS * half);
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++)
        products[half][t] = _mm512_add_epi32 (products[half][t], _mm512_mullo_epi32 (group[half][t], scale));
    }
  }
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    const __m512 d = _mm512_load_ps (panel->d + VECTOR_ROWS * half);
    const __m512 dmin = _mm512_load_ps (panel->dmin + VECTOR_ROWS * half);
    __m512i minimums[PANEL_TOKENS_AVX512];
#pragma GCC unroll 8
    for (int i = 0; i < n_pairs; i++) {
      const __m512i minimum = load_512 (panel->minimum[i][VECTOR_ROWS * half]);
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++)
        minimums[t] = _mm512_dpwssd_epi32 (i ? minimums[t] : _mm512_setzero_si512 (), minimum,
                                           broadcast_32_bits (&token[t].pairs[2 * i]));
    }
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++) {
      const __m512 x_d = _mm512_set1_ps (((const struct q8_k_block *)(x + (size_t)t * x_bytes))->d);
      float *to = sums + t * PANEL_ROWS + VECTOR_ROWS * half;
      __m512 sum = _mm512_add_ps (_mm512_load_ps (to),
                                  _mm512_mul_ps (_mm512_mul_ps (d, x_d), _mm512_cvtepi32_ps (products[half][t])));
      if (layout.has_minimum)
        sum = _mm512_sub_ps (sum, _mm512_mul_ps (_mm512_mul_ps (dmin, x_d), _mm512_cvtepi32_ps (minimums[t])));
      _mm512_store_ps (to, sum);
    }
  }
}

#define SUPER_AVX512(type, name, block_bytes, has_minimum)                                                             \
  static void pack_##name##_avx512 (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,               \
                                    const uint8_t *next, uint8_t *panel)                                               \
  {                                                                                                                    \
    pack_super (TENSOR_##type, w, row_bytes, n_rows, n_items, next, panel);                                            \
  }                                                                                                                    \
  MULTIPLY_AVX512 (name, super, TENSOR_##type)                                                                         \
  const struct kernel_type name##_avx512 = { COMPANION_Q8_K,       dot_##name##_avx2,        NULL,                     \
                                             pack_##name##_avx512, multiply_##name##_avx512, PANEL_TOKENS_AVX512 };

SUPER_BLOCK_TYPES (SUPER_AVX512)
