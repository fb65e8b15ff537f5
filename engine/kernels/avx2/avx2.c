/* avx2.c: AVX2 + FMA + F16C. Compiled with those flags, so nothing here may run before the choice of a path.
 * The activations and the table; weights are in floats.c, small_blocks.c and super_blocks.c. */
#include "engine/kernels/avx2/avx2.h"
#include <math.h>

/* ---- activations ----------------------------------------------------------------------------------------- */

/* Rounds 32 * n_vectors items; returns the scale as the reference does. A NaN does not count for the maximum. */
INLINE float round_to_8_bits (const float *x, int8_t *q, int n_vectors)
{
  const __m256 magnitude = _mm256_castsi256_ps (_mm256_set1_epi32 (0x7fffffff));
  __m256 most_8 = _mm256_setzero_ps ();
  for (int i = 0; i < 4 * n_vectors; i++)
    most_8 = _mm256_max_ps (_mm256_and_ps (_mm256_loadu_ps (x + 8 * i), magnitude), most_8);
  __m128 most_4 = _mm_max_ps (_mm256_castps256_ps128 (most_8), _mm256_extractf128_ps (most_8, 1));
  most_4 = _mm_max_ps (most_4, _mm_movehl_ps (most_4, most_4));
  const float most = _mm_cvtss_f32 (_mm_max_ss (most_4, _mm_movehdup_ps (most_4)));
  if (!(most > Q8_TINY)) {
    memset (q, 0, (size_t)(32 * n_vectors));
    return 0;
  }
  const __m256 scale = _mm256_set1_ps (127.0f / most);
  const __m256i order = _mm256_setr_epi32 (0, 4, 1, 5, 2, 6, 3, 7); /* undoes what packing within lanes did */
  for (int i = 0; i < n_vectors; i++) {
    __m256i part[4];
    for (int j = 0; j < 4; j++)
      part[j] = _mm256_cvtps_epi32 (_mm256_mul_ps (_mm256_loadu_ps (x + 32 * i + 8 * j), scale));
    const __m256i packed
        = _mm256_packs_epi16 (_mm256_packs_epi32 (part[0], part[1]), _mm256_packs_epi32 (part[2], part[3]));
    _mm256_storeu_si256 ((__m256i *)(q + 32 * i), _mm256_permutevar8x32_epi32 (packed, order));
  }
  return most / 127.0f;
}

/* The sums of the low and the high 16 bytes, each spread over four lanes. */
INLINE __m256i add_bytes (const int8_t *q)
{
  return _mm256_madd_epi16 (_mm256_maddubs_epi16 (_mm256_set1_epi8 (1), load_256 (q)), _mm256_set1_epi16 (1));
}

void quantise_q8_avx2 (const float *x, struct q8_block *out, size_t n_items)
{
  for (; n_items >= 32; n_items -= 32, x += 32, out++) {
    out->d = round_to_8_bits (x, out->q, 1);
    out->sum = sum_i32 (add_bytes (out->q));
  }
}

void quantise_q8_k_avx2 (const float *x, struct q8_k_block *out, size_t n_items)
{
  for (; n_items >= 256; n_items -= 256, x += 256, out++) {
    out->d = round_to_8_bits (x, out->q, 8);
    for (int i = 0; i < 8; i++) {
      const __m256i sums = add_bytes (out->q + 32 * i);
      out->sums[2 * i] = (int16_t)sum_i32_128 (_mm256_castsi256_si128 (sums));
      out->sums[2 * i + 1] = (int16_t)sum_i32_128 (_mm256_extracti128_si256 (sums, 1));
    }
  }
}

/* ---- F32 and F16 rows ------------------------------------------------------------------------------------- */

void f32_to_f16_avx2 (const float *x, uint16_t *y, size_t n)
{
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128 ((__m128i *)(y + i), _mm256_cvtps_ph (_mm256_loadu_ps (x + i), _MM_FROUND_TO_NEAREST_INT));
  for (; i < n; i++)
    y[i] = _cvtss_sh (x[i], _MM_FROUND_TO_NEAREST_INT);
}

void f16_to_f32_avx2 (const uint16_t *x, float *y, size_t n)
{
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (y + i, _mm256_cvtph_ps (load_128 (x + i)));
  for (; i < n; i++)
    y[i] = _cvtsh_ss (x[i]);
}

void q8_0_to_f32_avx2 (const uint8_t *x, float *y, size_t n_items)
{
  for (; n_items >= 32; n_items -= 32, x += 34, y += 32) {
    const __m256 d = _mm256_set1_ps (load_f16_fast (x));
    for (int i = 0; i < 4; i++) {
      const __m128i q = _mm_loadl_epi64 ((const __m128i *)(x + 2 + 8 * i));
      _mm256_storeu_ps (y + 8 * i, _mm256_mul_ps (d, _mm256_cvtepi32_ps (_mm256_cvtepi8_epi32 (q))));
    }
  }
}

#define BLOCK_ROW(type, name, block_bytes, has_minimum) [TENSOR_##type] = &name##_avx2,
const struct kernels kernels_avx2 = {
  .name = "avx2",
  .rows = &row_kernels_avx2,
  .types = { [TENSOR_F32] = &f32_avx2,
             [TENSOR_F16] = &f16_avx2,
             [TENSOR_BF16] = &bf16_avx2,
             SMALL_BLOCK_TYPES (BLOCK_ROW) SUPER_BLOCK_TYPES (BLOCK_ROW) },
  .panel_tokens_min = { [COMPANION_F32] = 4 },
  HELPERS_AVX2,
  .attention = &attention_avx2,
};
