/* floats.h: float weights, for the paths that have AVX2.
 *
 * A dot product runs in 16 lanes, whatever the path and the number of tokens: two vectors of AVX2, one of AVX-512. Halves of
 * the lanes are then added until one is left, and columns beyond whole vectors of 8 follow one by one. A panel holds rows
 * as F32, columns in the lanes, so that its products have the bits of the dot product. */
#ifndef LECTERN_KERNELS_FLOATS_H
#define LECTERN_KERNELS_FLOATS_H

#include "engine/kernels/avx2/avx2.h"

enum float_type { FLOAT_F32, FLOAT_F16, FLOAT_BF16 };

INLINE size_t float_bytes (enum float_type type)
{
  return type == FLOAT_F32 ? 4 : 2;
}

INLINE __m256 load_8_floats (enum float_type type, const uint8_t *w)
{
  switch (type) {
  case FLOAT_F32: return _mm256_castsi256_ps (load_256 (w));
  case FLOAT_F16: return _mm256_cvtph_ps (load_128 (w));
  case FLOAT_BF16: break;
  }
  return _mm256_castsi256_ps (_mm256_slli_epi32 (_mm256_cvtepu16_epi32 (load_128 (w)), 16));
}

INLINE float load_float (enum float_type type, const uint8_t *w)
{
  float value;
  switch (type) {
  case FLOAT_F32: memcpy (&value, w, sizeof value); return value;
  case FLOAT_F16: return load_f16_fast (w);
  case FLOAT_BF16: break;
  }
  return f32_of_bf16 (load_u16 (w));
}

/* Of each type: its dot products, and rows unpacked to a panel. */
#define DECLARE_FLOAT(name)                                                                                            \
  float dot_##name##_row_avx2 (const uint8_t *w, const void *x, size_t n_items);                                       \
  void dot_4_##name##_row_avx2 (const uint8_t *w, const void *x, size_t x_bytes, size_t n_items, float sum[4]);        \
  void pack_##name##_avx2 (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items, const uint8_t *next,   \
                           uint8_t *panel);
DECLARE_FLOAT (f32)
DECLARE_FLOAT (f16)
DECLARE_FLOAT (bf16)

#endif
