/* attention.h: the turning of halves, for AVX2 and wider paths. */
#ifndef LECTERN_AVX2_ATTENTION_H
#define LECTERN_AVX2_ATTENTION_H

#include "engine/kernels/attention_tile.h"
#include "engine/kernels/avx2/avx2.h"

/* columns[i] holds item at + i of the sixteen rows. Rows r and r + 8 share a vector, so that nothing crosses 128 bits. */
INLINE void get_columns (const uint16_t *const *rows, size_t at, __m256i columns[8])
{
  __m256i items[8], pairs[8], quads[8];
  for (int i = 0; i < 8; i++)
    items[i]
        = _mm256_inserti128_si256 (_mm256_castsi128_si256 (load_128 (rows[i] + at)), load_128 (rows[i + 8] + at), 1);
  for (int i = 0; i < 4; i++) {
    pairs[2 * i] = _mm256_unpacklo_epi16 (items[2 * i], items[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_epi16 (items[2 * i], items[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    quads[4 * i] = _mm256_unpacklo_epi32 (pairs[4 * i], pairs[4 * i + 2]);
    quads[4 * i + 1] = _mm256_unpackhi_epi32 (pairs[4 * i], pairs[4 * i + 2]);
    quads[4 * i + 2] = _mm256_unpacklo_epi32 (pairs[4 * i + 1], pairs[4 * i + 3]);
    quads[4 * i + 3] = _mm256_unpackhi_epi32 (pairs[4 * i + 1], pairs[4 * i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    columns[2 * i] = _mm256_unpacklo_epi64 (quads[i], quads[4 + i]);
    columns[2 * i + 1] = _mm256_unpackhi_epi64 (quads[i], quads[4 + i]);
  }
}

#endif
