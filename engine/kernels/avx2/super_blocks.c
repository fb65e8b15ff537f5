/* super_blocks.c: quantised weights in blocks of 256 on AVX2. */
#include "engine/kernels/avx2/load_super.h"

/* How the weights lie in the vectors, and so how they are multiplied. */
enum super_class {
  CLASS_2_BITS, /* Q2_K: 0..3, minimums */
  CLASS_3_BITS, /* Q3_K: 0..7, minus 4 */
  CLASS_4_BITS, /* Q4_K: 0..15, minimums, groups of 32 */
  CLASS_5_BITS, /* Q5_K: 0..31, minimums, groups of 32 */
  CLASS_6_BITS, /* Q6_K: 0..63, minus 32 */
  CLASS_TINY,   /* signed, at most 15 */
  CLASS_SMALL,  /* signed, at most 62 */
  CLASS_LARGE,  /* signed, any */
};

static const struct super_layout {
  int n_adds; /* vectors of four columns whose products may be added in 16 bits; no more than are under one scale */
  int offset; /* taken off with the sums of the activations */
  bool has_minimum, is_signed;
} super_layouts[] = {
  [CLASS_2_BITS] = { 4, 0, true, false },   [CLASS_3_BITS] = { 4, 4, false, false },
  [CLASS_4_BITS] = { 8, 0, true, false },   [CLASS_5_BITS] = { 4, 0, true, false },
  [CLASS_6_BITS] = { 2, 32, false, false }, [CLASS_TINY] = { 4, 0, false, true },
  [CLASS_SMALL] = { 2, 0, false, true },    [CLASS_LARGE] = { 1, 0, false, true },
};

/* ---- one token ------------------------------------------------------------------------------------------- */

/* Q4_K and Q5_K have eight scales, not sixteen, which is quicker. */
INLINE float dot_q4_or_q5 (enum tensor_type type, const uint8_t *w, const struct q8_k_block *x, size_t n_items)
{
  float sum = 0;
  for (; n_items >= 256; n_items -= 256, w += super_block_bytes[type], x++) {
    __m256i q[8], products = _mm256_setzero_si256 ();
    const __m256i factors = _mm256_cvtepu8_epi16 (unpack_scales (w + 4)); /* eight scales, eight minimums */
    const __m256i scales = _mm256_permute4x64_epi64 (factors, 0x44);
    unpack_q4_or_q5 (type, w, q);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      const __m256i scale = _mm256_shuffle_epi8 (scales, _mm256_set1_epi16 ((short)(2 * i | (2 * i + 1) << 8)));
      products = _mm256_add_epi32 (products,
                                   _mm256_madd_epi16 (_mm256_maddubs_epi16 (q[i], load_256 (x->q + 32 * i)), scale));
    }
    const __m128i x_sums = _mm_hadd_epi16 (load_128 (x->sums), load_128 (x->sums + 8));
    const __m128i minimums = _mm_madd_epi16 (_mm256_extracti128_si256 (factors, 1), x_sums);
    sum += load_f16_fast (w) * x->d * (float)sum_i32 (products);
    sum -= load_f16_fast (w + 2) * x->d * (float)sum_i32_128 (minimums);
  }
  return sum;
}

INLINE float dot_super (enum tensor_type type, enum super_class class, const uint8_t *w, const struct q8_k_block *x,
                        size_t n_items)
{
  const struct super_layout layout = super_layouts[class];
  float sum = 0;
  if (class == CLASS_4_BITS || class == CLASS_5_BITS)
    return dot_q4_or_q5 (type, w, x, n_items);
  for (; n_items >= 256; n_items -= 256, w += super_block_bytes[type], x++) {
    struct vectors block;
    __m256i products = _mm256_setzero_si256 ();
    load_super (type, w, &block);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      const __m128i which
          = _mm_setr_epi32 (0x02020202 * i, 0x02020202 * i, 0x02020202 * i + 0x01010101, 0x02020202 * i + 0x01010101);
      const __m256i scale = _mm256_cvtepi8_epi16 (_mm_shuffle_epi8 (block.scale, which));
      const __m256i pairs = multiply_bytes (layout.is_signed, block.q[i], load_256 (x->q + 32 * i));
      products = _mm256_add_epi32 (products, _mm256_madd_epi16 (pairs, scale));
    }
    if (layout.offset) {
      const __m256i sums = _mm256_madd_epi16 (_mm256_cvtepi8_epi16 (block.scale), load_256 (x->sums));
      products = _mm256_sub_epi32 (products, _mm256_mullo_epi32 (sums, _mm256_set1_epi32 (layout.offset)));
    }
    sum += block.d * x->d * (float)sum_i32 (products);
    if (layout.has_minimum) {
      const __m256i minimums = _mm256_madd_epi16 (_mm256_cvtepi8_epi16 (block.minimum), load_256 (x->sums));
      sum -= block.dmin * x->d * (float)sum_i32 (minimums);
    }
  }
  return sum;
}

/* ---- panels ---------------------------------------------------------------------------------------------- */

/* Eight rows of 256 columns. Scales are doubled to 16-bit pairs, for vpmaddwd. */
struct super_part {
  uint8_t q[64][32];
  int16_t scale[16][16];  /* by group of 16 */
  int16_t minimum[8][16]; /* for the activations' sums 2 i and 2 i + 1; where there is an offset, the scales */
  float d[8], dmin[8];
};

_Static_assert(PANEL_PARTS * sizeof (struct super_part) <= PANEL_BYTES_MAX, "a panel fits");

enum { super_part_length = 1 };

INLINE __m256i double_pairs (__m256i v)
{
  return _mm256_or_si256 (_mm256_and_si256 (v, _mm256_set1_epi32 (0xffff)), _mm256_slli_epi32 (v, 16));
}

INLINE void pack_super (enum tensor_type type, enum super_class class, const uint8_t *w, size_t row_bytes,
                        uint32_t n_rows, const uint8_t *next, uint8_t *panel)
{
  struct super_part *part = (struct super_part *)panel;
  for (size_t first = 0; first < PANEL_ROWS; first += PART_ROWS, part++) {
    struct vectors rows[8];
    __m256i scale[8], scale_2[8], minimum[8], column[8];
    for (size_t r = 0; r < 8; r++) {
      fetch (next + (first + r) * super_block_bytes[type], super_block_bytes[type]);
      load_super (type, w + (first + r < n_rows ? first + r : 0) * row_bytes, &rows[r]);
      scale[r] = double_pairs (_mm256_cvtepi8_epi32 (rows[r].scale));
      scale_2[r] = double_pairs (_mm256_cvtepi8_epi32 (_mm_srli_si128 (rows[r].scale, 8)));
      minimum[r] = _mm256_cvtepi8_epi16 (super_layouts[class].offset ? rows[r].scale : rows[r].minimum);
      part->d[r] = rows[r].d;
      part->dmin[r] = rows[r].dmin;
    }
    for (int i = 0; i < 8; i++) {
      for (int r = 0; r < 8; r++)
        column[r] = rows[r].q[i];
      store_transposed (column, part->q[8 * i]);
    }
    store_transposed (scale, part->scale);
    store_transposed (scale_2, part->scale[8]);
    store_transposed (minimum, part->minimum);
  }
}

INLINE void multiply_super (enum super_class class, const struct super_part *part, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *sums)
{
  const struct super_layout layout = super_layouts[class];
  __m256 sum[4];
  for (int t = 0; t < n_tokens; t++)
    sum[t] = _mm256_loadu_ps (sums + (size_t)t * PANEL_ROWS);
  (void)n_items; /* PANEL_COLS */
  __m256i products[4], minimums[4];
  for (int t = 0; t < n_tokens; t++)
    products[t] = minimums[t] = _mm256_setzero_si256 ();
  for (int v = 0; v < 64; v += layout.n_adds) {
    const __m256i scale = _mm256_load_si256 ((const __m256i *)part->scale[v / 4]);
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
    for (int t = 0; t < n_tokens; t++)
      products[t] = _mm256_add_epi32 (products[t], _mm256_madd_epi16 (pairs[t], scale));
  }
  for (int i = 0; i < 8 && (layout.offset || layout.has_minimum); i++) {
    const __m256i minimum = _mm256_load_si256 ((const __m256i *)part->minimum[i]);
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++) {
      const struct q8_k_block *block = (const struct q8_k_block *)(x + (size_t)t * x_bytes);
      minimums[t]
          = _mm256_add_epi32 (minimums[t], _mm256_madd_epi16 (minimum, broadcast_4_bytes (&block->sums[2 * i])));
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    const __m256 x_d = _mm256_set1_ps (((const struct q8_k_block *)(x + (size_t)t * x_bytes))->d);
    if (layout.offset)
      products[t] = _mm256_sub_epi32 (products[t], _mm256_mullo_epi32 (minimums[t], _mm256_set1_epi32 (layout.offset)));
    sum[t] = _mm256_add_ps (
        sum[t], _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (part->d), x_d), _mm256_cvtepi32_ps (products[t])));
    if (layout.has_minimum)
      sum[t] = _mm256_sub_ps (
          sum[t], _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (part->dmin), x_d), _mm256_cvtepi32_ps (minimums[t])));
  }
  for (int t = 0; t < n_tokens; t++)
    _mm256_storeu_ps (sums + (size_t)t * PANEL_ROWS, sum[t]);
}

MULTIPLY_AVX2 (2_bits, super, CLASS_2_BITS)
MULTIPLY_AVX2 (3_bits, super, CLASS_3_BITS)
MULTIPLY_AVX2 (4_bits, super, CLASS_4_BITS)
MULTIPLY_AVX2 (5_bits, super, CLASS_5_BITS)
MULTIPLY_AVX2 (6_bits, super, CLASS_6_BITS)
MULTIPLY_AVX2 (tiny, super, CLASS_TINY)
MULTIPLY_AVX2 (small, super, CLASS_SMALL)
MULTIPLY_AVX2 (large, super, CLASS_LARGE)

#define SUPER_AVX2(type, name, class, multiply)                                                                        \
  float dot_##name##_avx2 (const uint8_t *w, const void *x, size_t n_items)                                            \
  {                                                                                                                    \
    return dot_super (TENSOR_##type, class, w, (const struct q8_k_block *)x, n_items);                                 \
  }                                                                                                                    \
  static void pack_##name##_avx2 (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,                 \
                                  const uint8_t *next, uint8_t *panel)                                                 \
  {                                                                                                                    \
    (void)n_items; /* 256 */                                                                                           \
    pack_super (TENSOR_##type, class, w, row_bytes, n_rows, next, panel);                                              \
  }                                                                                                                    \
  const struct kernel_type name##_avx2                                                                                 \
      = { COMPANION_Q8_K, dot_##name##_avx2, NULL, pack_##name##_avx2, multiply, PANEL_TOKENS_AVX2 };

SUPER_AVX2 (Q2_K, q2_k, CLASS_2_BITS, multiply_2_bits_avx2)
SUPER_AVX2 (Q3_K, q3_k, CLASS_3_BITS, multiply_3_bits_avx2)
SUPER_AVX2 (Q4_K, q4_k, CLASS_4_BITS, multiply_4_bits_avx2)
SUPER_AVX2 (Q5_K, q5_k, CLASS_5_BITS, multiply_5_bits_avx2)
SUPER_AVX2 (Q6_K, q6_k, CLASS_6_BITS, multiply_6_bits_avx2)
SUPER_AVX2 (IQ4_XS, iq4_xs, CLASS_LARGE, multiply_large_avx2)
SUPER_AVX2 (IQ3_S, iq3_s, CLASS_TINY, multiply_tiny_avx2)
SUPER_AVX2 (IQ3_XXS, iq3_xxs, CLASS_SMALL, multiply_small_avx2)
SUPER_AVX2 (IQ2_S, iq2_s, CLASS_SMALL, multiply_small_avx2)
SUPER_AVX2 (IQ2_XS, iq2_xs, CLASS_SMALL, multiply_small_avx2)
SUPER_AVX2 (IQ2_XXS, iq2_xxs, CLASS_SMALL, multiply_small_avx2)
SUPER_AVX2 (IQ1_M, iq1_m, CLASS_TINY, multiply_tiny_avx2)
SUPER_AVX2 (IQ1_S, iq1_s, CLASS_TINY, multiply_tiny_avx2)
SUPER_AVX2 (TQ1_0, tq1_0, CLASS_TINY, multiply_tiny_avx2)
SUPER_AVX2 (TQ2_0, tq2_0, CLASS_TINY, multiply_tiny_avx2)
