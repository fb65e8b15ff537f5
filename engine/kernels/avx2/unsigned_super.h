/* unsigned_super.h: panels for `vpdpbusd` of weights in blocks of 256: the weights made unsigned, w + offset. The paths that
 * have the instruction include it. */
#ifndef LECTERN_KERNELS_UNSIGNED_SUPER_H
#define LECTERN_KERNELS_UNSIGNED_SUPER_H

#include "engine/kernels/avx2/load_super.h"

static const struct super_layout {
  int offset; /* makes the weights unsigned */
  int added;  /* of it, what load_super() leaves to be added */
  int group;  /* columns that share a scale and a minimum */
  bool has_minimum;
} super_layouts[TENSOR_N_TYPES] = {
  [TENSOR_Q2_K] = { 0, 0, 16, true },         [TENSOR_Q3_K] = { 4, 0, 16, false },
  [TENSOR_Q4_K] = { 0, 0, 32, true },         [TENSOR_Q5_K] = { 0, 0, 32, true },
  [TENSOR_Q6_K] = { 32, 0, 16, false },       [TENSOR_IQ4_XS] = { 128, 128, 32, false },
  [TENSOR_IQ3_S] = { 128, 128, 32, false },   [TENSOR_IQ3_XXS] = { 128, 128, 32, false },
  [TENSOR_IQ2_S] = { 128, 128, 16, false },   [TENSOR_IQ2_XS] = { 128, 128, 16, false },
  [TENSOR_IQ2_XXS] = { 128, 128, 32, false }, [TENSOR_IQ1_M] = { 128, 128, 16, false },
  [TENSOR_IQ1_S] = { 128, 128, 32, false },   [TENSOR_TQ1_0] = { 128, 128, 32, false },
  [TENSOR_TQ2_0] = { 128, 128, 32, false },
};

struct super_panel {
  uint8_t q[64][PANEL_ROWS][4];      /* four columns of each row */
  int32_t scale[16][PANEL_ROWS];     /* of groups of 16 */
  int16_t minimum[8][PANEL_ROWS][2]; /* of two groups each */
  float d[PANEL_ROWS], dmin[PANEL_ROWS];
};

_Static_assert(sizeof (struct super_panel) <= PANEL_BYTES_MAX, "a panel fits");

/* The minimums of groups of 16 or 32 in 16 bits, as pairs. */
INLINE __m256i widen_minimums (enum tensor_type type, __m128i minimum)
{
  if (super_layouts[type].group == 32)
    minimum = _mm_shuffle_epi8 (minimum, _mm_setr_epi8 (0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1));
  return _mm256_cvtepi8_epi16 (minimum);
}

INLINE void pack_super (enum tensor_type type, const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,
                        const uint8_t *next, uint8_t *bytes)
{
  const struct super_layout layout = super_layouts[type];
  const __m256i offset = _mm256_set1_epi8 ((char)layout.added);
  struct super_panel *panel = (struct super_panel *)bytes;
  (void)n_items; /* PANEL_COLS */
  for (size_t first = 0; first < PANEL_ROWS; first += 8) {
    struct vectors rows[8];
    __m256i scale[8], scale_2[8], minimum[8], column[8];
    for (size_t r = 0; r < 8; r++) {
      fetch (next + (first + r) * super_block_bytes[type], super_block_bytes[type]);
      load_super (type, w + (first + r < n_rows ? first + r : 0) * row_bytes, &rows[r]);
      scale[r] = _mm256_cvtepi8_epi32 (rows[r].scale);
      scale_2[r] = _mm256_cvtepi8_epi32 (_mm_srli_si128 (rows[r].scale, 8));
      minimum[r] = widen_minimums (type, rows[r].minimum);
      panel->d[first + r] = rows[r].d;
      panel->dmin[first + r] = rows[r].dmin;
    }
    for (int i = 0; i < 8; i++) {
      for (int r = 0; r < 8; r++)
        column[r] = _mm256_add_epi8 (rows[r].q[i], offset);
      scatter_dwords (column, panel->q[8 * i], first);
    }
    scatter_dwords (scale, panel->scale, first);
    scatter_dwords (scale_2, panel->scale[8], first);
    if (layout.has_minimum)
      scatter_dwords (minimum, panel->minimum, first);
  }
}

/* What the activations' sums are needed for, of one token. */
struct token_sums {
  _Alignas(64) int32_t start[16]; /* of each group of 16: -offset times its sum */
  int16_t pairs[16];              /* the sums of groups, of 16 or 32 */
};

INLINE void load_token_sums (enum tensor_type type, const struct q8_k_block *x, struct token_sums *out)
{
  const struct super_layout layout = super_layouts[type];
  const __m256i sums = load_256 (x->sums);
  if (layout.offset) {
    const __m256i factor = _mm256_set1_epi32 (-layout.offset);
    __m256i wide[2] = { _mm256_cvtepi16_epi32 (_mm256_castsi256_si128 (sums)),
                        _mm256_cvtepi16_epi32 (_mm256_extracti128_si256 (sums, 1)) };
    for (int i = 0; i < 2; i++) {
      if (layout.group == 32) /* the first of two groups of 16 begins with both */
        wide[i] = _mm256_add_epi32 (wide[i], _mm256_shuffle_epi32 (wide[i], 0xb1));
      _mm256_store_si256 ((__m256i *)out->start + i, _mm256_mullo_epi32 (wide[i], factor));
    }
  }
  if (layout.has_minimum && layout.group == 32)
    _mm_storeu_si128 ((__m128i *)out->pairs,
                      _mm_hadd_epi16 (_mm256_castsi256_si128 (sums), _mm256_extracti128_si256 (sums, 1)));
  else if (layout.has_minimum)
    _mm256_storeu_si256 ((__m256i *)out->pairs, sums);
}

#endif
