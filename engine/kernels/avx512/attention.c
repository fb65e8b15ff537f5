/* attention.c: attention in sixteen F32 lanes. */
#include "engine/kernels/avx2/attention.h"
#include "engine/kernels/avx512/attention.h"

INLINE void transpose_keys (const float *rows, size_t stride, uint32_t *to)
{
  for (size_t i = 0; i < LANES; i += 4)
    transpose_4_words ((const uint32_t *)(const void *)(rows + i), stride, to + i * ATTENTION_TILE);
}

INLINE void transpose_halves (const uint16_t *const *rows, size_t at, uint32_t *to)
{
  __m256i columns[8];
  get_columns (rows, at, columns);
  for (size_t i = 0; i < 8; i++)
    vec_store ((float *)(void *)(to + i * ATTENTION_TILE), _mm512_cvtph_ps (columns[i]));
}

#include "engine/kernels/attention_f32.h"
#include "engine/kernels/attention_loops.h"

ATTENTION_F32 (attention_avx512, "avx512")
