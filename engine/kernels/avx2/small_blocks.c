/* small_blocks.c: quantised weights in blocks of 32 on AVX2. */
#include "engine/kernels/avx2/load_small.h"

static const struct small_layout {
  int offset;
  int n_adds; /* vectors whose products may be added in 16 bits */
  bool is_signed;
} small_layouts[TENSOR_N_TYPES] = {
  [TENSOR_Q4_0] = { 8, 8, false }, [TENSOR_Q4_1] = { 0, 8, false }, [TENSOR_Q5_0] = { 16, 4, false },
  [TENSOR_Q5_1] = { 0, 4, false }, [TENSOR_Q8_0] = { 0, 1, true },  [TENSOR_IQ4_NL] = { 0, 1, true },
  [TENSOR_MXFP4] = { 0, 8, true }, /* 8 * 2 * 12 * 127 = 24384 */
};

/* Four blocks at a time, so that the sums across lanes share their work; the sums are added one after another, as the
 * reference adds them. */
INLINE float dot_small (enum tensor_type type, const uint8_t *w, const struct q8_block *x, size_t n_items)
{
  const struct small_layout layout = small_layouts[type];
  const __m256i ones = _mm256_set1_epi16 (1);
  float sum = 0;
  size_t left = n_items / 32;
  for (; left >= 4; left -= 4, w += 4 * small_block_bytes[type], x += 4) {
    __m256i part[4];
    float terms[4];
    for (size_t i = 0; i < 4; i++)
      part[i] = _mm256_madd_epi16 (
          multiply_bytes (layout.is_signed, unpack_small (type, w + i * small_block_bytes[type]), load_256 (x[i].q)),
          ones);
    __m128i products
        = add_halves (_mm256_hadd_epi32 (_mm256_hadd_epi32 (part[0], part[1]), _mm256_hadd_epi32 (part[2], part[3])));
    const __m128i x_sum = _mm_setr_epi32 (x[0].sum, x[1].sum, x[2].sum, x[3].sum);
    if (layout.offset)
      products = _mm_sub_epi32 (products, _mm_mullo_epi32 (x_sum, _mm_set1_epi32 (layout.offset)));
    const __m128 x_d = _mm_setr_ps (x[0].d, x[1].d, x[2].d, x[3].d);
    const __m128 w_d = load_4_scales (type, w);
    _mm_storeu_ps (terms, _mm_mul_ps (_mm_mul_ps (w_d, x_d), _mm_cvtepi32_ps (products)));
    for (size_t i = 0; i < 4; i++) {
      sum += terms[i];
      if (small_has_minimum[type])
        sum += load_f16_fast (w + i * small_block_bytes[type] + 2) * x[i].d * (float)x[i].sum;
    }
  }
  for (; left > 0; left--, w += small_block_bytes[type], x++) {
    const __m256i part = multiply_bytes (layout.is_signed, unpack_small (type, w), load_256 (x->q));
    const int products = sum_i32 (_mm256_madd_epi16 (part, ones)) - layout.offset * x->sum;
    sum += load_scale (type, w) * x->d * (float)products;
    if (small_has_minimum[type])
      sum += load_f16_fast (w + 2) * x->d * (float)x->sum;
  }
  return sum;
}

/* Eight rows of 32 columns. */
struct small_part {
  uint8_t q[8][32];
  float d[8], m[8];
};

enum { small_part_length = PANEL_COLS / 32 };

_Static_assert(PANEL_PARTS *small_part_length * sizeof (struct small_part) <= PANEL_BYTES_MAX, "a panel fits");

INLINE void pack_small (enum tensor_type type, const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,
                        const uint8_t *next, uint8_t *panel)
{
  for (size_t first = 0; first < PANEL_ROWS; first += PART_ROWS)
    for (size_t i = 0; i < n_items / 32; i++) {
      struct small_part *part = (struct small_part *)panel + first / PART_ROWS * small_part_length + i;
      __m256i rows[8];
      for (size_t r = 0; r < 8; r++) {
        const uint8_t *block = w + (first + r < n_rows ? first + r : 0) * row_bytes + i * small_block_bytes[type];
        fetch (next, small_block_bytes[type]);
        next += small_block_bytes[type];
        rows[r] = unpack_small (type, block);
        part->d[r] = load_scale (type, block);
        if (small_has_minimum[type])
          part->m[r] = load_f16_fast (block + 2);
      }
      store_transposed (rows, part->q);
    }
}

INLINE void multiply_small (enum tensor_type type, const struct small_part *part, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *sums)
{
  const struct small_layout layout = small_layouts[type];
  const __m256i ones = _mm256_set1_epi16 (1);
  __m256 sum[4];
  for (int t = 0; t < n_tokens; t++)
    sum[t] = _mm256_loadu_ps (sums + (size_t)t * PANEL_ROWS);
  for (; n_items >= 32; n_items -= 32, part++, x += sizeof (struct q8_block)) {
    __m256i products[4];
#pragma GCC unroll 8
    for (int v = 0; v < 8; v += layout.n_adds) {
      __m256i pairs[4];
#pragma GCC unroll 8
      for (int a = 0; a < layout.n_adds; a++) {
        const __m256i weights = _mm256_load_si256 ((const __m256i *)part->q[v + a]);
#pragma GCC unroll 4
        for (int t = 0; t < n_tokens; t++) {
          const __m256i term
              = multiply_bytes (layout.is_signed, weights, broadcast_4_bytes (x + (size_t)t * x_bytes + 4 * (v + a)));
          pairs[t] = a ? _mm256_add_epi16 (pairs[t], term) : term;
        }
      }
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++) {
        const __m256i wide = _mm256_madd_epi16 (pairs[t], ones);
        products[t] = v ? _mm256_add_epi32 (products[t], wide) : wide;
      }
    }
    const __m256 w_d = _mm256_load_ps (part->d);
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++) {
      const struct q8_block *block = (const struct q8_block *)(x + (size_t)t * x_bytes);
      const __m256 x_d = _mm256_set1_ps (block->d);
      if (layout.offset)
        products[t] = _mm256_sub_epi32 (products[t], _mm256_set1_epi32 (layout.offset * block->sum));
      sum[t] = _mm256_add_ps (sum[t], _mm256_mul_ps (_mm256_mul_ps (w_d, x_d), _mm256_cvtepi32_ps (products[t])));
      if (small_has_minimum[type])
        sum[t] = _mm256_add_ps (
            sum[t], _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (part->m), x_d), _mm256_set1_ps ((float)block->sum)));
    }
  }
  for (int t = 0; t < n_tokens; t++)
    _mm256_storeu_ps (sums + (size_t)t * PANEL_ROWS, sum[t]);
}

#define SMALL_AVX2(type, name, block_bytes, has_minimum)                                                               \
  float dot_##name##_avx2 (const uint8_t *w, const void *x, size_t n_items)                                            \
  {                                                                                                                    \
    return dot_small (TENSOR_##type, w, (const struct q8_block *)x, n_items);                                          \
  }                                                                                                                    \
  static void pack_##name##_avx2 (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,                 \
                                  const uint8_t *next, uint8_t *panel)                                                 \
  {                                                                                                                    \
    pack_small (TENSOR_##type, w, row_bytes, n_rows, n_items, next, panel);                                            \
  }                                                                                                                    \
  MULTIPLY_AVX2 (name, small, TENSOR_##type)                                                                           \
  const struct kernel_type name##_avx2                                                                                 \
      = { COMPANION_Q8, dot_##name##_avx2, NULL, pack_##name##_avx2, multiply_##name##_avx2, PANEL_TOKENS_AVX2 };

SMALL_BLOCK_TYPES (SMALL_AVX2)
