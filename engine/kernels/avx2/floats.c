/* floats.c: float weights with AVX2 and FMA. */
#include "engine/kernels/avx2/floats.h"
#include <math.h>

/* Two accumulators per token, whatever the number of tokens: each token's result is the same in any company. */
INLINE void dot_float (enum float_type type, const uint8_t *w, const uint8_t *x, size_t x_bytes, const int n_tokens,
                       size_t n_items, float *out)
{
  const size_t w_bytes = float_bytes (type);
  const float *token[4] = { NULL };
  __m256 sum[4], sum_2[4];
  size_t i = 0;
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    token[t] = (const float *)(x + (size_t)t * x_bytes);
    sum[t] = sum_2[t] = _mm256_setzero_ps ();
  }
  for (; i + 16 <= n_items; i += 16) {
    const __m256 a = load_8_floats (type, w + i * w_bytes), b = load_8_floats (type, w + (i + 8) * w_bytes);
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++) {
      sum[t] = _mm256_fmadd_ps (a, _mm256_loadu_ps (token[t] + i), sum[t]);
      sum_2[t] = _mm256_fmadd_ps (b, _mm256_loadu_ps (token[t] + i + 8), sum_2[t]);
    }
  }
  for (int t = 0; t < n_tokens; t++) {
    size_t j = i;
    if (j + 8 <= n_items) {
      sum[t] = _mm256_fmadd_ps (load_8_floats (type, w + j * w_bytes), _mm256_loadu_ps (token[t] + j), sum[t]);
      j += 8;
    }
    out[t] = sum_f32 (_mm256_add_ps (sum[t], sum_2[t]));
    for (; j < n_items; j++)
      out[t] = fmaf (load_float (type, w + j * w_bytes), token[t][j], out[t]);
  }
}

/* Rows that are not there are zeros. */
INLINE void pack_float (enum float_type type, const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,
                        float *panel)
{
  for (uint32_t r = 0; r < PANEL_ROWS; r++, w += row_bytes, panel += PANEL_COLS) {
    size_t i = 0;
    if (r >= n_rows) {
      memset (panel, 0, n_items * sizeof *panel);
      continue;
    }
    for (; i + 8 <= n_items; i += 8)
      _mm256_store_ps (panel + i, load_8_floats (type, w + i * float_bytes (type)));
    for (; i < n_items; i++)
      panel[i] = load_float (type, w + i * float_bytes (type));
  }
}

#define FLOAT_AVX2(name, type)                                                                                         \
  float dot_##name##_row_avx2 (const uint8_t *w, const void *x, size_t n_items)                                        \
  {                                                                                                                    \
    float sum;                                                                                                         \
    dot_float (type, w, x, 0, 1, n_items, &sum);                                                                       \
    return sum;                                                                                                        \
  }                                                                                                                    \
  void dot_4_##name##_row_avx2 (const uint8_t *w, const void *x, size_t x_bytes, size_t n_items, float sum[4])         \
  {                                                                                                                    \
    dot_float (type, w, x, x_bytes, 4, n_items, sum);                                                                  \
  }                                                                                                                    \
  void pack_##name##_avx2 (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items, const uint8_t *next,   \
                           uint8_t *panel)                                                                             \
  {                                                                                                                    \
    (void)next; /* of few floats dot products are quicker */                                                           \
    pack_float (type, w, row_bytes, n_rows, n_items, (float *)panel);                                                  \
  }

FLOAT_AVX2 (f32, FLOAT_F32)
FLOAT_AVX2 (f16, FLOAT_F16)
FLOAT_AVX2 (bf16, FLOAT_BF16)

float dot_f32_avx2 (const float *a, const float *b, size_t n)
{
  return dot_f32_row_avx2 ((const uint8_t *)a, b, n);
}

/* ---- panels ---------------------------------------------------------------------------------------------- */

enum { TILE_ROWS = 2, TILE_TOKENS = 3 }; /* twelve sums, and registers left for what is multiplied */

/* Half the lanes are left of each sum: those of two rows are folded together and added to out[2]. */
INLINE void add_two_sums (__m256 first, __m256 second, float *out)
{
  const __m128 a = _mm_add_ps (_mm256_castps256_ps128 (first), _mm256_extractf128_ps (first, 1));
  const __m128 b = _mm_add_ps (_mm256_castps256_ps128 (second), _mm256_extractf128_ps (second, 1));
  const __m128 halves = _mm_add_ps (_mm_unpacklo_ps (a, b), _mm_unpackhi_ps (a, b));
  const __m128 sums = _mm_add_ps (halves, _mm_movehl_ps (halves, halves));
  _mm_storel_pi ((__m64 *)out, _mm_add_ps (_mm_loadl_pi (_mm_setzero_ps (), (const __m64 *)out), sums));
}

/* Columns from i on, which fill no two vectors, and all sums so far. */
INLINE void add_rest (const float *w, const float *x, size_t i, size_t n_items, __m256 sum, float *out)
{
  if (i + 8 <= n_items) /* see dot_float(): the first of its two vectors; the other has been added */
    i += 8;
  float total = sum_f32 (sum);
  for (; i < n_items; i++)
    total = fmaf (w[i], x[i], total);
  *out += total;
}

/* Two rows and up to three tokens, x[t]; those from n_tokens on are computed but not kept. */
INLINE void multiply_tile (const float *w, const float *const x[TILE_TOKENS], unsigned n_tokens, size_t n_items,
                           float *sums)
{
  __m256 low[TILE_ROWS][TILE_TOKENS], high[TILE_ROWS][TILE_TOKENS];
  size_t i = 0;
#pragma GCC unroll 3
  for (int t = 0; t < TILE_TOKENS; t++)
    low[0][t] = low[1][t] = high[0][t] = high[1][t] = _mm256_setzero_ps ();
  for (; i + 16 <= n_items; i += 16) {
    const __m256 a = _mm256_load_ps (w + i), b = _mm256_load_ps (w + PANEL_COLS + i);
#pragma GCC unroll 3
    for (int t = 0; t < TILE_TOKENS; t++) {
      const __m256 v = _mm256_loadu_ps (x[t] + i);
      low[0][t] = _mm256_fmadd_ps (a, v, low[0][t]);
      low[1][t] = _mm256_fmadd_ps (b, v, low[1][t]);
    }
    const __m256 c = _mm256_load_ps (w + i + 8), d = _mm256_load_ps (w + PANEL_COLS + i + 8);
#pragma GCC unroll 3
    for (int t = 0; t < TILE_TOKENS; t++) {
      const __m256 v = _mm256_loadu_ps (x[t] + i + 8);
      high[0][t] = _mm256_fmadd_ps (c, v, high[0][t]);
      high[1][t] = _mm256_fmadd_ps (d, v, high[1][t]);
    }
  }
#pragma GCC unroll 3
  for (int t = 0; t < TILE_TOKENS; t++) {
    __m256 sum[TILE_ROWS];
#pragma GCC unroll 2
    for (int r = 0; r < TILE_ROWS; r++) {
      if (i + 8 <= n_items)
        low[r][t] = _mm256_fmadd_ps (_mm256_load_ps (w + r * PANEL_COLS + i), _mm256_loadu_ps (x[t] + i), low[r][t]);
      sum[r] = _mm256_add_ps (low[r][t], high[r][t]);
    }
    if ((unsigned)t >= n_tokens)
      continue;
    if (n_items % 8 == 0)
      add_two_sums (sum[0], sum[1], sums + t * PANEL_ROWS);
    else
      for (int r = 0; r < TILE_ROWS; r++)
        add_rest (w + r * PANEL_COLS, x[t], i, n_items, sum[r], sums + t * PANEL_ROWS + r);
  }
}

static void multiply_floats (const uint8_t *panel, const void *x, size_t x_bytes, unsigned n_tokens, size_t n_items,
                             float *sums)
{
  for (unsigned first = 0; first < n_tokens; first += TILE_TOKENS) {
    const unsigned n = n_tokens - first < TILE_TOKENS ? n_tokens - first : TILE_TOKENS;
    const float *tokens[TILE_TOKENS];
    for (unsigned t = 0; t < TILE_TOKENS; t++)
      tokens[t] = (const float *)((const uint8_t *)x + (first + (t < n ? t : 0)) * x_bytes);
    for (unsigned r = 0; r < PANEL_ROWS; r += TILE_ROWS)
      multiply_tile ((const float *)panel + r * PANEL_COLS, tokens, n, n_items, sums + first * PANEL_ROWS + r);
  }
}

#define FLOAT_TYPE(name)                                                                                               \
  {                                                                                                                    \
    COMPANION_F32, dot_##name##_row_avx2, dot_4_##name##_row_avx2, pack_##name##_avx2, multiply_floats,                \
        2 * TILE_TOKENS                                                                                                \
  }
const struct kernel_type f32_avx2 = FLOAT_TYPE (f32), f16_avx2 = FLOAT_TYPE (f16), bf16_avx2 = FLOAT_TYPE (bf16);
