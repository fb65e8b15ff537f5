/* kernels_avx2.c: AVX2 + FMA + F16C. Compiled with those flags, so nothing here may run before the choice of a path.
 *
 * Panels hold eight rows with rows in the lanes: each vector is four columns of eight rows, so that `vpmaddubsw` with
 * four broadcast activation bytes gives two 16-bit sums per row. Small weights let several of these be added in 16 bits
 * before one `vpmaddwd` applies the scale and widens: eight for 4 bits (8 * 2 * 15 * 127 = 30480), four for 5 bits
 * (4 * 2 * 31 * 127 = 31496), two for 6 bits (2 * 2 * 63 * 127 = 32004). Products stay exact integers until the end of
 * a block, where the float arithmetic is the reference's, operation by operation. */
#include "engine/kernels/kernels.h"
#include "engine/gguf/block.h"
#include <immintrin.h>
#include <math.h>

#define INLINE static inline __attribute__ ((always_inline))

INLINE __m256i load_256 (const void *bytes)
{
  return _mm256_loadu_si256 ((const __m256i *)bytes);
}

INLINE __m128i load_128 (const void *bytes)
{
  return _mm_loadu_si128 ((const __m128i *)bytes);
}

INLINE __m256i broadcast_4_bytes (const void *bytes)
{
  int32_t value;
  memcpy (&value, bytes, sizeof value);
  return _mm256_set1_epi32 (value);
}

INLINE __m128i add_halves (__m256i v)
{
  return _mm_add_epi32 (_mm256_castsi256_si128 (v), _mm256_extracti128_si256 (v, 1));
}

INLINE int sum_i32_128 (__m128i v)
{
  v = _mm_add_epi32 (v, _mm_shuffle_epi32 (v, 0x4e));
  return _mm_cvtsi128_si32 (_mm_add_epi32 (v, _mm_shuffle_epi32 (v, 0xb1)));
}

INLINE int sum_i32 (__m256i v)
{
  return sum_i32_128 (add_halves (v));
}

INLINE float sum_f32 (__m256 v)
{
  __m128 half = _mm_add_ps (_mm256_castps256_ps128 (v), _mm256_extractf128_ps (v, 1));
  half = _mm_add_ps (half, _mm_movehl_ps (half, half));
  return _mm_cvtss_f32 (_mm_add_ss (half, _mm_movehdup_ps (half)));
}

INLINE float load_f16_fast (const uint8_t *bytes)
{
  return _cvtsh_ss (load_u16 (bytes));
}

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

static void quantise_q8_avx2 (const float *x, struct q8_block *out, size_t n_items)
{
  for (; n_items >= 32; n_items -= 32, x += 32, out++) {
    out->d = round_to_8_bits (x, out->q, 1);
    out->sum = sum_i32 (add_bytes (out->q));
  }
}

static void quantise_q8_k_avx2 (const float *x, struct q8_k_block *out, size_t n_items)
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

/* ---- blocks of 32 ---------------------------------------------------------------------------------------- */

enum small_type { SMALL_Q4_0, SMALL_Q4_1, SMALL_Q5_0, SMALL_Q5_1, SMALL_Q8_0 };

/* Weights are unpacked without their offset, to 0..15 or 0..31; Q8_0's stay signed. */
static const struct small_layout {
  size_t block_bytes;
  int offset;
  int n_adds; /* vectors whose products may be added in 16 bits */
  bool has_minimum, is_signed;
} small_layouts[] = {
  [SMALL_Q4_0] = { 18, 8, 8, false, false },  [SMALL_Q4_1] = { 20, 0, 8, true, false },
  [SMALL_Q5_0] = { 22, 16, 4, false, false }, [SMALL_Q5_1] = { 24, 0, 4, true, false },
  [SMALL_Q8_0] = { 34, 0, 1, false, true },
};

INLINE __m256i unpack_nibbles (const uint8_t *bytes)
{
  const __m128i packed = load_128 (bytes);
  return _mm256_and_si256 (_mm256_set_m128i (_mm_srli_epi16 (packed, 4), packed), _mm256_set1_epi8 (15));
}

/* Bit i of the four bytes becomes 16 in byte i. */
INLINE __m256i unpack_fifth_bits (const uint8_t *bytes)
{
  const __m256i spread = _mm256_setr_epi8 (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                                           3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x ((long long)0x8040201008040201u);
  const __m256i bits = _mm256_and_si256 (_mm256_shuffle_epi8 (broadcast_4_bytes (bytes), spread), bit);
  return _mm256_and_si256 (_mm256_cmpeq_epi8 (bits, bit), _mm256_set1_epi8 (16));
}

INLINE __m256i unpack_small (enum small_type type, const uint8_t *block)
{
  switch (type) {
  case SMALL_Q4_0: return unpack_nibbles (block + 2);
  case SMALL_Q4_1: return unpack_nibbles (block + 4);
  case SMALL_Q5_0: return _mm256_or_si256 (unpack_nibbles (block + 6), unpack_fifth_bits (block + 2));
  case SMALL_Q5_1: return _mm256_or_si256 (unpack_nibbles (block + 8), unpack_fifth_bits (block + 4));
  case SMALL_Q8_0: break;
  }
  return load_256 (block + 2);
}

/* Products of 32 bytes in 16-bit pairs. |w| <= 128 and |x| <= 127, so a pair fits. */
INLINE __m256i multiply_bytes (bool is_signed, __m256i w, __m256i x)
{
  if (is_signed)
    return _mm256_maddubs_epi16 (_mm256_abs_epi8 (w), _mm256_sign_epi8 (x, w));
  return _mm256_maddubs_epi16 (w, x);
}

/* Four blocks at a time, so that the sums across lanes share their work; the sums are added one after another, as the
 * reference adds them. */
INLINE float dot_small (enum small_type type, const uint8_t *w, const struct q8_block *x, size_t n_items)
{
  const struct small_layout layout = small_layouts[type];
  const __m256i ones = _mm256_set1_epi16 (1);
  float sum = 0;
  size_t left = n_items / 32;
  for (; left >= 4; left -= 4, w += 4 * layout.block_bytes, x += 4) {
    __m256i part[4];
    float terms[4];
    for (size_t i = 0; i < 4; i++)
      part[i] = _mm256_madd_epi16 (
          multiply_bytes (layout.is_signed, unpack_small (type, w + i * layout.block_bytes), load_256 (x[i].q)), ones);
    __m128i products
        = add_halves (_mm256_hadd_epi32 (_mm256_hadd_epi32 (part[0], part[1]), _mm256_hadd_epi32 (part[2], part[3])));
    const __m128i x_sum = _mm_setr_epi32 (x[0].sum, x[1].sum, x[2].sum, x[3].sum);
    if (layout.offset)
      products = _mm_sub_epi32 (products, _mm_mullo_epi32 (x_sum, _mm_set1_epi32 (layout.offset)));
    const __m128 x_d = _mm_setr_ps (x[0].d, x[1].d, x[2].d, x[3].d);
    const __m128 w_d = _mm_cvtph_ps (_mm_setr_epi16 ((short)load_u16 (w), (short)load_u16 (w + layout.block_bytes),
                                                     (short)load_u16 (w + 2 * layout.block_bytes),
                                                     (short)load_u16 (w + 3 * layout.block_bytes), 0, 0, 0, 0));
    _mm_storeu_ps (terms, _mm_mul_ps (_mm_mul_ps (w_d, x_d), _mm_cvtepi32_ps (products)));
    for (size_t i = 0; i < 4; i++) {
      sum += terms[i];
      if (layout.has_minimum)
        sum += load_f16_fast (w + i * layout.block_bytes + 2) * x[i].d * (float)x[i].sum;
    }
  }
  for (; left > 0; left--, w += layout.block_bytes, x++) {
    const __m256i part = multiply_bytes (layout.is_signed, unpack_small (type, w), load_256 (x->q));
    const int products = sum_i32 (_mm256_madd_epi16 (part, ones)) - layout.offset * x->sum;
    sum += load_f16_fast (w) * x->d * (float)products;
    if (layout.has_minimum)
      sum += load_f16_fast (w + 2) * x->d * (float)x->sum;
  }
  return sum;
}

/* Eight rows of 32 columns. */
struct small_panel {
  uint8_t q[8][32];
  float d[8], m[8];
};

_Static_assert(8 * sizeof (struct small_panel) <= PANEL_BYTES_PER_256_MAX, "a panel fits");

/* rows[r] holds eight dwords of row r; afterwards rows[i] holds dword i of the eight rows. */
INLINE void transpose_dwords (__m256i rows[8])
{
  __m256i pairs[8], quads[8];
  for (int i = 0; i < 4; i++) {
    pairs[2 * i] = _mm256_unpacklo_epi32 (rows[2 * i], rows[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_epi32 (rows[2 * i], rows[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    quads[4 * i] = _mm256_unpacklo_epi64 (pairs[4 * i], pairs[4 * i + 2]);
    quads[4 * i + 1] = _mm256_unpackhi_epi64 (pairs[4 * i], pairs[4 * i + 2]);
    quads[4 * i + 2] = _mm256_unpacklo_epi64 (pairs[4 * i + 1], pairs[4 * i + 3]);
    quads[4 * i + 3] = _mm256_unpackhi_epi64 (pairs[4 * i + 1], pairs[4 * i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm256_permute2x128_si256 (quads[i], quads[4 + i], 0x20);
    rows[4 + i] = _mm256_permute2x128_si256 (quads[i], quads[4 + i], 0x31);
  }
}

INLINE void store_transposed (__m256i rows[8], void *out)
{
  transpose_dwords (rows);
  for (int i = 0; i < 8; i++)
    _mm256_store_si256 ((__m256i *)out + i, rows[i]);
}

INLINE void pack_small (enum small_type type, const uint8_t *w, size_t row_bytes, size_t n_items, uint8_t *bytes)
{
  const struct small_layout layout = small_layouts[type];
  struct small_panel *panel = (struct small_panel *)bytes;
  for (; n_items >= 32; n_items -= 32, w += layout.block_bytes, panel++) {
    __m256i rows[8];
    for (size_t r = 0; r < 8; r++) {
      rows[r] = unpack_small (type, w + r * row_bytes);
      panel->d[r] = load_f16_fast (w + r * row_bytes);
      if (layout.has_minimum)
        panel->m[r] = load_f16_fast (w + r * row_bytes + 2);
    }
    store_transposed (rows, panel->q);
  }
}

INLINE void multiply_small (enum small_type type, const struct small_panel *panel, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *out, size_t out_stride)
{
  const struct small_layout layout = small_layouts[type];
  const __m256i ones = _mm256_set1_epi16 (1);
  __m256 sum[4];
  for (int t = 0; t < n_tokens; t++)
    sum[t] = _mm256_loadu_ps (out + (size_t)t * out_stride);
  for (; n_items >= 32; n_items -= 32, panel++, x += sizeof (struct q8_block)) {
    __m256i products[4];
#pragma GCC unroll 8
    for (int v = 0; v < 8; v += layout.n_adds) {
      __m256i pairs[4];
#pragma GCC unroll 8
      for (int a = 0; a < layout.n_adds; a++) {
        const __m256i weights = _mm256_load_si256 ((const __m256i *)panel->q[v + a]);
#pragma GCC unroll 4
        for (int t = 0; t < n_tokens; t++) {
          const __m256i part
              = multiply_bytes (layout.is_signed, weights, broadcast_4_bytes (x + (size_t)t * x_bytes + 4 * (v + a)));
          pairs[t] = a ? _mm256_add_epi16 (pairs[t], part) : part;
        }
      }
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++) {
        const __m256i wide = _mm256_madd_epi16 (pairs[t], ones);
        products[t] = v ? _mm256_add_epi32 (products[t], wide) : wide;
      }
    }
    const __m256 w_d = _mm256_load_ps (panel->d);
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++) {
      const struct q8_block *block = (const struct q8_block *)(x + (size_t)t * x_bytes);
      const __m256 x_d = _mm256_set1_ps (block->d);
      if (layout.offset)
        products[t] = _mm256_sub_epi32 (products[t], _mm256_set1_epi32 (layout.offset * block->sum));
      sum[t] = _mm256_add_ps (sum[t], _mm256_mul_ps (_mm256_mul_ps (w_d, x_d), _mm256_cvtepi32_ps (products[t])));
      if (layout.has_minimum)
        sum[t] = _mm256_add_ps (
            sum[t], _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (panel->m), x_d), _mm256_set1_ps ((float)block->sum)));
    }
  }
  for (int t = 0; t < n_tokens; t++)
    _mm256_storeu_ps (out + (size_t)t * out_stride, sum[t]);
}

/* ---- K-quants -------------------------------------------------------------------------------------------- */

enum k_type { K_Q4, K_Q5, K_Q6 };

/* Weights are unpacked to 0..15, 0..31 and 0..63; Q6_K's offset of 32 is taken off with the sums of the activations. */
static const struct k_layout {
  size_t block_bytes;
  int n_adds;      /* vectors whose products may be added in 16 bits */
  int group_items; /* under one scale */
} k_layouts[] = { [K_Q4] = { 144, 8, 32 }, [K_Q5] = { 176, 4, 32 }, [K_Q6] = { 210, 2, 16 } };

/* The eight 6-bit scales of Q4_K and Q5_K in bytes 0..7, the minimums in bytes 8..15. See unpack_scales_6_bit(). */
INLINE __m128i unpack_scales (const uint8_t *bytes)
{
  uint32_t a, b, c;
  memcpy (&a, bytes, 4);
  memcpy (&b, bytes + 4, 4);
  memcpy (&c, bytes + 8, 4);
  return _mm_setr_epi32 ((int)(a & 0x3f3f3f3f), (int)((c & 0x0f0f0f0f) | (a >> 2 & 0x30303030)), (int)(b & 0x3f3f3f3f),
                         (int)((c >> 4 & 0x0f0f0f0f) | (b >> 2 & 0x30303030)));
}

/* All 256 weights, 32 to a vector, in order. */
INLINE void unpack_k (enum k_type type, const uint8_t *block, __m256i q[8])
{
  const __m256i nibble = _mm256_set1_epi8 (15), fifth = _mm256_set1_epi8 (16), pair = _mm256_set1_epi8 (0x30);
  if (type == K_Q6) {
    for (int half = 0; half < 2; half++) {
      const __m256i low = load_256 (block + 64 * half), low_2 = load_256 (block + 64 * half + 32);
      const __m256i high = load_256 (block + 128 + 32 * half);
      q[4 * half]
          = _mm256_or_si256 (_mm256_and_si256 (low, nibble), _mm256_and_si256 (_mm256_slli_epi16 (high, 4), pair));
      q[4 * half + 1]
          = _mm256_or_si256 (_mm256_and_si256 (low_2, nibble), _mm256_and_si256 (_mm256_slli_epi16 (high, 2), pair));
      q[4 * half + 2]
          = _mm256_or_si256 (_mm256_and_si256 (_mm256_srli_epi16 (low, 4), nibble), _mm256_and_si256 (high, pair));
      q[4 * half + 3] = _mm256_or_si256 (_mm256_and_si256 (_mm256_srli_epi16 (low_2, 4), nibble),
                                         _mm256_and_si256 (_mm256_srli_epi16 (high, 2), pair));
    }
    return;
  }
  const uint8_t *low = block + (type == K_Q4 ? 16 : 48);
  for (int i = 0; i < 4; i++) {
    const __m256i nibbles = load_256 (low + 32 * i);
    q[2 * i] = _mm256_and_si256 (nibbles, nibble);
    q[2 * i + 1] = _mm256_and_si256 (_mm256_srli_epi16 (nibbles, 4), nibble);
  }
  if (type == K_Q5) {
    const __m256i high = load_256 (block + 16);
    for (int i = 0; i < 8; i++)
      q[i] = _mm256_or_si256 (
          q[i], _mm256_and_si256 (i < 4 ? _mm256_slli_epi16 (high, 4 - i) : _mm256_srli_epi16 (high, i - 4), fifth));
  }
}

INLINE float dot_q4_or_q5 (enum k_type type, const uint8_t *w, const struct q8_k_block *x, size_t n_items)
{
  float sum = 0;
  for (; n_items >= 256; n_items -= 256, w += k_layouts[type].block_bytes, x++) {
    __m256i q[8], products = _mm256_setzero_si256 ();
    const __m256i factors = _mm256_cvtepu8_epi16 (unpack_scales (w + 4)); /* eight scales, eight minimums */
    const __m256i scales = _mm256_permute4x64_epi64 (factors, 0x44);
    unpack_k (type, w, q);
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

INLINE float dot_q6 (const uint8_t *w, const struct q8_k_block *x, size_t n_items)
{
  float sum = 0;
  for (; n_items >= 256; n_items -= 256, w += k_layouts[K_Q6].block_bytes, x++) {
    __m256i q[8], products;
    const __m128i scales = load_128 (w + 192);
    const __m256i offsets = _mm256_madd_epi16 (_mm256_cvtepi8_epi16 (scales), load_256 (x->sums));
    products = _mm256_sub_epi32 (_mm256_setzero_si256 (), _mm256_slli_epi32 (offsets, 5));
    unpack_k (K_Q6, w, q);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      const __m128i which
          = _mm_setr_epi32 (0x02020202 * i, 0x02020202 * i, 0x02020202 * i + 0x01010101, 0x02020202 * i + 0x01010101);
      const __m256i scale = _mm256_cvtepi8_epi16 (_mm_shuffle_epi8 (scales, which));
      products = _mm256_add_epi32 (products,
                                   _mm256_madd_epi16 (_mm256_maddubs_epi16 (q[i], load_256 (x->q + 32 * i)), scale));
    }
    sum += load_f16_fast (w + 208) * x->d * (float)sum_i32 (products);
  }
  return sum;
}

/* Eight rows of 256 columns. Scales are doubled to 16-bit pairs, for vpmaddwd. */
struct k_panel {
  uint8_t q[64][32];
  int16_t scale[16][16];  /* by group; Q4_K and Q5_K use eight */
  int16_t minimum[8][16]; /* for the activations' sums 2 i and 2 i + 1; Q6_K: the scales themselves */
  float d[8], dmin[8];
};

_Static_assert(sizeof (struct k_panel) <= PANEL_BYTES_PER_256_MAX, "a panel fits");

INLINE __m256i double_pairs (__m256i v)
{
  return _mm256_or_si256 (_mm256_and_si256 (v, _mm256_set1_epi32 (0xffff)), _mm256_slli_epi32 (v, 16));
}

INLINE void pack_k (enum k_type type, const uint8_t *w, size_t row_bytes, size_t n_items, uint8_t *bytes)
{
  struct k_panel *panel = (struct k_panel *)bytes;
  for (; n_items >= 256; n_items -= 256, w += k_layouts[type].block_bytes, panel++) {
    __m256i q[8][8], scale[8], scale_2[8], minimum[8], column[8];
    for (size_t r = 0; r < 8; r++) {
      const uint8_t *block = w + r * row_bytes;
      unpack_k (type, block, q[r]);
      if (type == K_Q6) {
        const __m128i scales = load_128 (block + 192);
        scale[r] = double_pairs (_mm256_cvtepi8_epi32 (scales));
        scale_2[r] = double_pairs (_mm256_cvtepi8_epi32 (_mm_srli_si128 (scales, 8)));
        minimum[r] = _mm256_cvtepi8_epi16 (scales);
        panel->d[r] = load_f16_fast (block + 208);
      } else {
        const __m128i scales = unpack_scales (block + 4);
        scale[r] = double_pairs (_mm256_cvtepu8_epi32 (scales));
        minimum[r] = double_pairs (_mm256_cvtepu8_epi32 (_mm_srli_si128 (scales, 8)));
        panel->d[r] = load_f16_fast (block);
        panel->dmin[r] = load_f16_fast (block + 2);
      }
    }
    for (int i = 0; i < 8; i++) {
      for (int r = 0; r < 8; r++)
        column[r] = q[r][i];
      store_transposed (column, panel->q[8 * i]);
    }
    store_transposed (scale, panel->scale);
    store_transposed (minimum, panel->minimum);
    if (type == K_Q6)
      store_transposed (scale_2, panel->scale[8]);
  }
}

INLINE void multiply_k (enum k_type type, const struct k_panel *panel, const uint8_t *x, size_t x_bytes,
                        const int n_tokens, size_t n_items, float *out, size_t out_stride)
{
  const struct k_layout layout = k_layouts[type];
  __m256 sum[4];
  for (int t = 0; t < n_tokens; t++)
    sum[t] = _mm256_loadu_ps (out + (size_t)t * out_stride);
  for (; n_items >= 256; n_items -= 256, panel++, x += sizeof (struct q8_k_block)) {
    __m256i products[4], minimums[4];
    for (int t = 0; t < n_tokens; t++)
      products[t] = minimums[t] = _mm256_setzero_si256 ();
    for (int v = 0; v < 64; v += layout.n_adds) {
      const __m256i scale = _mm256_load_si256 ((const __m256i *)panel->scale[4 * v / layout.group_items]);
      __m256i pairs[4];
#pragma GCC unroll 8
      for (int a = 0; a < layout.n_adds; a++) {
        const __m256i weights = _mm256_load_si256 ((const __m256i *)panel->q[v + a]);
#pragma GCC unroll 4
        for (int t = 0; t < n_tokens; t++) {
          const __m256i part
              = _mm256_maddubs_epi16 (weights, broadcast_4_bytes (x + (size_t)t * x_bytes + 4 * (v + a)));
          pairs[t] = a ? _mm256_add_epi16 (pairs[t], part) : part;
        }
      }
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++)
        products[t] = _mm256_add_epi32 (products[t], _mm256_madd_epi16 (pairs[t], scale));
    }
    for (int i = 0; i < 8; i++) {
      const __m256i minimum = _mm256_load_si256 ((const __m256i *)panel->minimum[i]);
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
      if (type == K_Q6)
        products[t] = _mm256_sub_epi32 (products[t], _mm256_slli_epi32 (minimums[t], 5));
      sum[t] = _mm256_add_ps (
          sum[t], _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (panel->d), x_d), _mm256_cvtepi32_ps (products[t])));
      if (type != K_Q6)
        sum[t] = _mm256_sub_ps (sum[t], _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (panel->dmin), x_d),
                                                       _mm256_cvtepi32_ps (minimums[t])));
    }
  }
  for (int t = 0; t < n_tokens; t++)
    _mm256_storeu_ps (out + (size_t)t * out_stride, sum[t]);
}

/* ---- one set of functions per quantised type ------------------------------------------------------------- */

#define DOT_AVX2(name, x_type, call)                                                                                   \
  static float dot_##name##_avx2 (const uint8_t *w, const void *bytes, size_t n_items)                                 \
  {                                                                                                                    \
    const struct x_type *x = bytes;                                                                                    \
    return call;                                                                                                       \
  }

#define PANEL_AVX2(name, kind, type)                                                                                   \
  static void pack_##name##_avx2 (const uint8_t *w, size_t row_bytes, size_t n_items, uint8_t *panel)                  \
  {                                                                                                                    \
    pack_##kind (type, w, row_bytes, n_items, panel);                                                                  \
  }                                                                                                                    \
  static void multiply_##name##_avx2 (const uint8_t *bytes, const void *x, size_t x_bytes, unsigned n_tokens,          \
                                      size_t n_items, float *out, size_t out_stride)                                   \
  {                                                                                                                    \
    const struct kind##_panel *panel = (const struct kind##_panel *)bytes;                                             \
    switch (n_tokens) {                                                                                                \
    case 4: multiply_##kind (type, panel, x, x_bytes, 4, n_items, out, out_stride); break;                             \
    case 3: multiply_##kind (type, panel, x, x_bytes, 3, n_items, out, out_stride); break;                             \
    case 2: multiply_##kind (type, panel, x, x_bytes, 2, n_items, out, out_stride); break;                             \
    default: multiply_##kind (type, panel, x, x_bytes, 1, n_items, out, out_stride); break;                            \
    }                                                                                                                  \
  }

DOT_AVX2 (q4_0, q8_block, dot_small (SMALL_Q4_0, w, x, n_items))
DOT_AVX2 (q4_1, q8_block, dot_small (SMALL_Q4_1, w, x, n_items))
DOT_AVX2 (q5_0, q8_block, dot_small (SMALL_Q5_0, w, x, n_items))
DOT_AVX2 (q5_1, q8_block, dot_small (SMALL_Q5_1, w, x, n_items))
DOT_AVX2 (q8_0, q8_block, dot_small (SMALL_Q8_0, w, x, n_items))
DOT_AVX2 (q4_k, q8_k_block, dot_q4_or_q5 (K_Q4, w, x, n_items))
DOT_AVX2 (q5_k, q8_k_block, dot_q4_or_q5 (K_Q5, w, x, n_items))
DOT_AVX2 (q6_k, q8_k_block, dot_q6 (w, x, n_items))
PANEL_AVX2 (q4_0, small, SMALL_Q4_0)
PANEL_AVX2 (q4_1, small, SMALL_Q4_1)
PANEL_AVX2 (q5_0, small, SMALL_Q5_0)
PANEL_AVX2 (q5_1, small, SMALL_Q5_1)
PANEL_AVX2 (q8_0, small, SMALL_Q8_0)
PANEL_AVX2 (q4_k, k, K_Q4)
PANEL_AVX2 (q5_k, k, K_Q5)
PANEL_AVX2 (q6_k, k, K_Q6)

/* ---- float weights --------------------------------------------------------------------------------------- */

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

#define FLOAT_AVX2(name, type)                                                                                         \
  static float dot_##name##_row_avx2 (const uint8_t *w, const void *x, size_t n_items)                                 \
  {                                                                                                                    \
    float sum;                                                                                                         \
    dot_float (type, w, x, 0, 1, n_items, &sum);                                                                       \
    return sum;                                                                                                        \
  }                                                                                                                    \
  static void dot_4_##name##_row_avx2 (const uint8_t *w, const void *x, size_t x_bytes, size_t n_items, float sum[4])  \
  {                                                                                                                    \
    dot_float (type, w, x, x_bytes, 4, n_items, sum);                                                                  \
  }

FLOAT_AVX2 (f32, FLOAT_F32)
FLOAT_AVX2 (f16, FLOAT_F16)
FLOAT_AVX2 (bf16, FLOAT_BF16)

static float dot_f32_avx2 (const float *a, const float *b, size_t n)
{
  return dot_f32_row_avx2 ((const uint8_t *)a, b, n);
}

static float dot_f16_avx2 (const uint16_t *a, const float *b, size_t n)
{
  return dot_f16_row_avx2 ((const uint8_t *)a, b, n);
}

/* Four rows of `width` vectors of c stay in registers while the inner dimension runs. */
static inline __attribute__ ((always_inline)) void multiply_strip (const float *a, const float *b, float *c,
                                                                   size_t n_cols, size_t n_inner, size_t width)
{
  __m256 sums[4][2];
  for (size_t row = 0; row < 4; row++)
    for (size_t v = 0; v < width; v++)
      sums[row][v] = _mm256_loadu_ps (c + row * n_cols + 8 * v);
  for (size_t i = 0; i < n_inner; i++)
    for (size_t row = 0; row < 4; row++) {
      const __m256 scale = _mm256_broadcast_ss (a + row * n_inner + i);
      for (size_t v = 0; v < width; v++)
        sums[row][v] = _mm256_fmadd_ps (scale, _mm256_loadu_ps (b + i * n_cols + 8 * v), sums[row][v]);
    }
  for (size_t row = 0; row < 4; row++)
    for (size_t v = 0; v < width; v++)
      _mm256_storeu_ps (c + row * n_cols + 8 * v, sums[row][v]);
}

static void multiply_f32_avx2 (const float *a, const float *b, float *c, size_t n_rows, size_t n_cols, size_t n_inner)
{
  for (size_t row = 0; row < n_rows; row += 4) {
    const float *a_row = a + row * n_inner;
    float *c_row = c + row * n_cols;
    size_t col = 0;
    for (; col + 16 <= n_cols; col += 16)
      multiply_strip (a_row, b + col, c_row + col, n_cols, n_inner, 2);
    if (col < n_cols)
      multiply_strip (a_row, b + col, c_row + col, n_cols, n_inner, 1);
  }
}

static void axpy_f16_avx2 (float *y, float scale, const uint16_t *x, size_t n)
{
  const __m256 scale_8 = _mm256_set1_ps (scale);
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (y + i, _mm256_fmadd_ps (scale_8, _mm256_cvtph_ps (load_128 (x + i)), _mm256_loadu_ps (y + i)));
  for (; i < n; i++)
    y[i] = fmaf (scale, _cvtsh_ss (x[i]), y[i]);
}

static void f32_to_f16_avx2 (const float *x, uint16_t *y, size_t n)
{
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128 ((__m128i *)(y + i), _mm256_cvtps_ph (_mm256_loadu_ps (x + i), _MM_FROUND_TO_NEAREST_INT));
  for (; i < n; i++)
    y[i] = _cvtss_sh (x[i], _MM_FROUND_TO_NEAREST_INT);
}

static void f16_to_f32_avx2 (const uint16_t *x, float *y, size_t n)
{
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (y + i, _mm256_cvtph_ps (load_128 (x + i)));
  for (; i < n; i++)
    y[i] = _cvtsh_ss (x[i]);
}

#define SMALL_ROW(name)                                                                                                \
  {                                                                                                                    \
    COMPANION_Q8, dot_##name##_avx2, NULL, 8 * sizeof (struct small_panel), pack_##name##_avx2, multiply_##name##_avx2 \
  }
#define K_ROW(name)                                                                                                    \
  {                                                                                                                    \
    COMPANION_Q8_K, dot_##name##_avx2, NULL, sizeof (struct k_panel), pack_##name##_avx2, multiply_##name##_avx2       \
  }

const struct kernels kernels_avx2 = {
  .name = "avx2",
  .types = {
    [TENSOR_F32] = { COMPANION_F32, dot_f32_row_avx2, dot_4_f32_row_avx2 },
    [TENSOR_F16] = { COMPANION_F32, dot_f16_row_avx2, dot_4_f16_row_avx2 },
    [TENSOR_BF16] = { COMPANION_F32, dot_bf16_row_avx2, dot_4_bf16_row_avx2 },
    [TENSOR_Q4_0] = SMALL_ROW (q4_0),
    [TENSOR_Q4_1] = SMALL_ROW (q4_1),
    [TENSOR_Q5_0] = SMALL_ROW (q5_0),
    [TENSOR_Q5_1] = SMALL_ROW (q5_1),
    [TENSOR_Q8_0] = SMALL_ROW (q8_0),
    [TENSOR_Q4_K] = K_ROW (q4_k),
    [TENSOR_Q5_K] = K_ROW (q5_k),
    [TENSOR_Q6_K] = K_ROW (q6_k),
  },
  .quantise_q8 = quantise_q8_avx2,
  .quantise_q8_k = quantise_q8_k_avx2,
  .dot_f32 = dot_f32_avx2,
  .dot_f16 = dot_f16_avx2,
  .multiply_f32 = multiply_f32_avx2,
  .axpy_f16 = axpy_f16_avx2,
  .f32_to_f16 = f32_to_f16_avx2,
  .f16_to_f32 = f16_to_f32_avx2,
};
