/* floats.c: panels of float weights with AVX-512. Dot products are those of AVX2, whose order of addition is kept. */
#include "engine/kernels/avx512/avx512.h"
#include "engine/kernels/avx2/floats.h"
#include <math.h>

enum { TILE = 4 }; /* rows and tokens: sixteen sums */

INLINE __m512 add_halves_512 (__m512 a, __m512 b)
{
  return _mm512_add_ps (_mm512_shuffle_f32x4 (a, b, 0x44), _mm512_shuffle_f32x4 (a, b, 0xee));
}

/* Four lanes of each of the four sums, one after the other. */
INLINE __m512 fold_to_four (const __m512 sums[TILE])
{
  const __m512 a = add_halves_512 (sums[0], sums[1]), b = add_halves_512 (sums[2], sums[3]);
  return _mm512_add_ps (_mm512_shuffle_f32x4 (a, b, 0x88), _mm512_shuffle_f32x4 (a, b, 0xdd));
}

/* The sums of four rows, for the token of each 128 bits. */
INLINE __m512 fold_tile (__m512 sums[TILE][TILE])
{
  const __m512 r0 = fold_to_four (sums[0]), r1 = fold_to_four (sums[1]);
  const __m512 r2 = fold_to_four (sums[2]), r3 = fold_to_four (sums[3]);
  const __m512d a = _mm512_castps_pd (_mm512_add_ps (_mm512_unpacklo_ps (r0, r1), _mm512_unpackhi_ps (r0, r1)));
  const __m512d b = _mm512_castps_pd (_mm512_add_ps (_mm512_unpacklo_ps (r2, r3), _mm512_unpackhi_ps (r2, r3)));
  return _mm512_add_ps (_mm512_castpd_ps (_mm512_unpacklo_pd (a, b)), _mm512_castpd_ps (_mm512_unpackhi_pd (a, b)));
}

/* One step of 16 columns, or of the first 8 of them. */
INLINE void add_columns (const float *w, const float *const x[TILE], size_t i, __mmask16 lanes, __m512 sums[TILE][TILE])
{
  __m512 weights[TILE];
#pragma GCC unroll 4
  for (int r = 0; r < TILE; r++)
    weights[r] = _mm512_maskz_loadu_ps (lanes, w + r * PANEL_COLS + i);
#pragma GCC unroll 4
  for (int t = 0; t < TILE; t++) {
    const __m512 v = _mm512_maskz_loadu_ps (lanes, x[t] + i);
#pragma GCC unroll 4
    for (int r = 0; r < TILE; r++)
      sums[r][t] = _mm512_mask3_fmadd_ps (weights[r], v, sums[r][t], lanes);
  }
}

/* Four rows and up to four tokens, x[t]; those from n_tokens on are computed but not kept. */
INLINE void multiply_tile (const float *w, const float *const x[TILE], unsigned n_tokens, size_t n_items, float *out)
{
  _Alignas(64) float totals[TILE][TILE];
  __m512 sums[TILE][TILE];
  size_t i = 0;
#pragma GCC unroll 4
  for (int r = 0; r < TILE; r++)
#pragma GCC unroll 4
    for (int t = 0; t < TILE; t++)
      sums[r][t] = _mm512_setzero_ps ();
  for (; i + 16 <= n_items; i += 16)
    add_columns (w, x, i, 0xffff, sums);
  if (i + 8 <= n_items) {
    add_columns (w, x, i, 0x00ff, sums);
    i += 8;
  }
  _mm512_store_ps (totals, fold_tile (sums));
  for (unsigned t = 0; t < n_tokens; t++, out += PANEL_ROWS) {
    for (size_t r = 0; i < n_items && r < TILE; r++)
      for (size_t j = i; j < n_items; j++)
        totals[t][r] = fmaf (w[r * PANEL_COLS + j], x[t][j], totals[t][r]);
    _mm_store_ps (out, _mm_add_ps (_mm_load_ps (out), _mm_load_ps (totals[t])));
  }
}

static void multiply_floats (const uint8_t *panel, const void *x, size_t x_bytes, unsigned n_tokens, size_t n_items,
                             float *sums)
{
  for (unsigned first = 0; first < n_tokens; first += TILE) {
    const unsigned n = n_tokens - first < TILE ? n_tokens - first : TILE;
    const float *tokens[TILE];
    for (unsigned t = 0; t < TILE; t++)
      tokens[t] = (const float *)((const uint8_t *)x + (first + (t < n ? t : 0)) * x_bytes);
    for (unsigned r = 0; r < PANEL_ROWS; r += TILE)
      multiply_tile ((const float *)panel + r * PANEL_COLS, tokens, n, n_items, sums + first * PANEL_ROWS + r);
  }
}

#define FLOAT_TYPE(name)                                                                                               \
  {                                                                                                                    \
    COMPANION_F32, dot_##name##_row_avx2, dot_4_##name##_row_avx2, pack_##name##_avx2, multiply_floats,                \
        PANEL_TOKENS_MAX                                                                                               \
  }
const struct kernel_type f32_avx512 = FLOAT_TYPE (f32), f16_avx512 = FLOAT_TYPE (f16), bf16_avx512 = FLOAT_TYPE (bf16);
