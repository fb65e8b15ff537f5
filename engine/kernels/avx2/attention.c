/* attention.c: attention in eight F32 lanes. */
#include "engine/kernels/avx2/attention.h"

#define LANES 8
#define BLOCK_ROWS 6
#define BLOCK_VECTORS 2

typedef __m256 vec;
typedef uint32_t vec_bits __attribute__ ((vector_size (32)));

INLINE vec vec_load (const float *from)
{
  return _mm256_loadu_ps (from);
}

INLINE void vec_store (float *to, vec v)
{
  _mm256_storeu_ps (to, v);
}

INLINE vec vec_all (float x)
{
  return _mm256_set1_ps (x);
}

INLINE vec vec_fma (vec a, vec b, vec c)
{
  return _mm256_fmadd_ps (a, b, c);
}

INLINE vec vec_max (vec a, vec b)
{
  return _mm256_max_ps (a, b);
}

INLINE float vec_largest (vec v)
{
  __m128 most = _mm_max_ps (_mm256_castps256_ps128 (v), _mm256_extractf128_ps (v, 1));
  most = _mm_max_ps (most, _mm_movehl_ps (most, most));
  return _mm_cvtss_f32 (_mm_max_ss (most, _mm_movehdup_ps (most)));
}

INLINE vec vec_keep (vec v, uint32_t index, uint32_t begin, uint32_t end, vec other)
{
  const __m256i lane
      = _mm256_add_epi32 (_mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32 ((int32_t)index));
  const __m256i inside = _mm256_andnot_si256 (_mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int32_t)begin), lane),
                                              _mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int32_t)end), lane));
  return _mm256_blendv_ps (other, v, _mm256_castsi256_ps (inside));
}

INLINE vec vec_keep_sign (vec v, vec x)
{
  return _mm256_or_ps (v, _mm256_and_ps (x, _mm256_set1_ps (-0.0f)));
}

INLINE void transpose_keys (const float *rows, size_t stride, uint32_t *to)
{
  for (int half = 0; half < 2; half++) {
    __m256i words[8];
    for (size_t r = 0; r < 8; r++)
      words[r] = load_256 (rows + (r + 8 * (size_t)half) * stride);
    transpose_dwords (words);
    for (size_t i = 0; i < 8; i++)
      _mm256_storeu_si256 ((__m256i *)(to + i * ATTENTION_TILE + 8 * half), words[i]);
  }
}

INLINE void transpose_halves (const uint16_t *const *rows, size_t at, uint32_t *to)
{
  __m256i columns[8];
  get_columns (rows, at, columns);
  for (size_t i = 0; i < 8; i++, to += ATTENTION_TILE) {
    vec_store ((float *)(void *)to, _mm256_cvtph_ps (_mm256_castsi256_si128 (columns[i])));
    vec_store ((float *)(void *)(to + 8), _mm256_cvtph_ps (_mm256_extracti128_si256 (columns[i], 1)));
  }
}

#include "engine/kernels/attention_f32.h"
#include "engine/kernels/attention_loops.h"

ATTENTION_F32 (attention_avx2, "avx2")
