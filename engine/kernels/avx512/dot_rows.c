/* dot_rows.c: sixteen rows of Q4_K, Q5_K or Q6_K times one to eight tokens, straight from the file's layout.
 *
 * Sixteen rows are taken together, a block of each at a time. The integer products of a row and a token are left in the
 * 16 lanes of a vector; four such vectors, then four of the results, are added across lanes by shuffles that also
 * transpose, so that a vector with one sum for each row comes out and the float step of the block is done once.
 *
 * Sixteen rows are as many streams as the CPU's own prefetching follows badly: while a group is worked on the next one,
 * which lies behind it in memory, is fetched to the L2 cache from its beginning to its end (measured: 10 without, 25
 * GB/s with it on one Zen 4 core). */
#include "engine/kernels/avx512/avx512.h"

enum { DOT_ROWS = 16 }; /* at once */

/* Sixteen rows; those beyond the last are the last again. */
struct row_group {
  const uint8_t *rows[DOT_ROWS];
  const uint8_t *next; /* the group after it, or where there is none this one */
  __mmask16 valid;
};

INLINE struct row_group get_row_group (const uint8_t *w, size_t row_bytes, size_t n_rows)
{
  struct row_group group = { .next = n_rows > DOT_ROWS ? w + DOT_ROWS * row_bytes : w,
                             .valid = (__mmask16)(n_rows < DOT_ROWS ? (1u << n_rows) - 1 : 0xffff) };
  for (size_t r = 0; r < DOT_ROWS; r++)
    group.rows[r] = w + (r < n_rows ? r : n_rows - 1) * row_bytes;
  return group;
}

INLINE __m512i loadu_512 (const void *bytes)
{
  return _mm512_loadu_si512 (bytes);
}

/* Dword i of each 128-bit lane is the sum of that lane of rows[i]. */
INLINE __m512i add_within_lanes (const __m512i rows[4])
{
  const __m512i even
      = _mm512_add_epi32 (_mm512_unpacklo_epi32 (rows[0], rows[1]), _mm512_unpackhi_epi32 (rows[0], rows[1]));
  const __m512i odd
      = _mm512_add_epi32 (_mm512_unpacklo_epi32 (rows[2], rows[3]), _mm512_unpackhi_epi32 (rows[2], rows[3]));
  return _mm512_add_epi32 (_mm512_unpacklo_epi64 (even, odd), _mm512_unpackhi_epi64 (even, odd));
}

/* Lanes 0 and 1 of a, then of b: each with its neighbour added. */
INLINE __m512i add_lane_pairs (__m512i a, __m512i b)
{
  return _mm512_add_epi32 (_mm512_shuffle_i64x2 (a, b, 0x88), _mm512_shuffle_i64x2 (a, b, 0xdd));
}

/* A block's weights as the products take them, without offset; `scale` as 16-bit words beside the packed products. */
struct row_block {
  __m512i q[4], scale[2];
  __m256i offset; /* Q6_K: twice the scales */
};

/* A block's activations, in the order of the weights. */
struct x_block {
  __m512i q[4];
  __m256i sums; /* Q4_K, Q5_K: of the groups of 32, twice; Q6_K: of those of 16, times -16 */
};

/* ---- Q4_K and Q5_K ---------------------------------------------------------------------------------------- */

/* Headers of the rows j, 4 + j, 8 + j and 12 + j: sixteen bytes each. */
INLINE __m512i load_heads (const struct row_group *group, size_t offset, size_t j)
{
  __m512i heads = _mm512_castsi128_si512 (load_128 (group->rows[j] + offset));
  heads = _mm512_inserti32x4 (heads, load_128 (group->rows[4 + j] + offset), 1);
  heads = _mm512_inserti32x4 (heads, load_128 (group->rows[8 + j] + offset), 2);
  return _mm512_inserti32x4 (heads, load_128 (group->rows[12 + j] + offset), 3);
}

/* Eight scales and eight minimums in each lane. See unpack_scales_6_bit(). */
INLINE __m512i unpack_heads (__m512i heads)
{
  const __m512i low = _mm512_srlv_epi32 (_mm512_shuffle_epi32 (heads, _MM_PERM_CCBB),
                                         _mm512_broadcast_i32x4 (_mm_setr_epi32 (0, 2, 0, 2)));
  const __m512i high = _mm512_srlv_epi32 (_mm512_shuffle_epi32 (heads, _MM_PERM_DDDD),
                                          _mm512_broadcast_i32x4 (_mm_setr_epi32 (0, 0, 0, 4)));
  return _mm512_or_si512 (
      _mm512_and_si512 (low, _mm512_broadcast_i32x4 (_mm_setr_epi32 (0x3f3f3f3f, 0x30303030, 0x3f3f3f3f, 0x30303030))),
      _mm512_and_si512 (high, _mm512_broadcast_i32x4 (_mm_setr_epi32 (0, 0x0f0f0f0f, 0, 0x0f0f0f0f))));
}

/* Lane i of q[0] and q[1] is group 2 i, that of q[2] and q[3] is group 2 i + 1: products of one lane and two vectors
 * then have one scale, and their sums fit in 16 bits (8 * 31 * 127 = 31496). */
INLINE void load_q4_or_q5_k (enum tensor_type type, const uint8_t *block, const uint8_t scales[8],
                             struct row_block *out)
{
  const __m512i nibble = _mm512_set1_epi8 (15), fifth = _mm512_set1_epi8 (16);
  const uint8_t *low = block + (type == TENSOR_Q4_K ? 16 : 48);
  const __m512i packed = loadu_512 (low), packed_2 = loadu_512 (low + 64);
  const __m512i a = _mm512_shuffle_i64x2 (packed, packed_2, 0x88), b = _mm512_shuffle_i64x2 (packed, packed_2, 0xdd);
  const __m512i spread
      = _mm512_setr_epi64 ((long long)0x8000800080008000, (long long)0x8001800180018001, (long long)0x8002800280028002,
                           (long long)0x8003800380038003, (long long)0x8004800480048004, (long long)0x8005800580058005,
                           (long long)0x8006800680068006, (long long)0x8007800780078007);
  int64_t eight;
  memcpy (&eight, scales, sizeof eight);
  out->scale[0] = _mm512_shuffle_epi8 (_mm512_set1_epi64 (eight), spread);
  out->q[0] = _mm512_and_si512 (a, nibble);
  out->q[1] = _mm512_and_si512 (b, nibble);
  out->q[2] = _mm512_and_si512 (_mm512_srli_epi16 (a, 4), nibble);
  out->q[3] = _mm512_and_si512 (_mm512_srli_epi16 (b, 4), nibble);
  if (type == TENSOR_Q5_K) {
    /* Bit g of a byte belongs to group g; rotated to bit 4, none leaves its byte. */
    const __m512i even = _mm512_setr_epi32 (4, 4, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0, 30, 30, 30, 30);
    const __m512i odd = _mm512_setr_epi32 (3, 3, 3, 3, 1, 1, 1, 1, 31, 31, 31, 31, 29, 29, 29, 29);
    const __m512i high = _mm512_broadcast_i32x4 (load_128 (block + 16));
    const __m512i high_2 = _mm512_broadcast_i32x4 (load_128 (block + 32));
    enum { OR_AND = 0xf8 }; /* a | (b & c) */
    out->q[0] = _mm512_ternarylogic_epi32 (out->q[0], _mm512_rolv_epi32 (high, even), fifth, OR_AND);
    out->q[1] = _mm512_ternarylogic_epi32 (out->q[1], _mm512_rolv_epi32 (high_2, even), fifth, OR_AND);
    out->q[2] = _mm512_ternarylogic_epi32 (out->q[2], _mm512_rolv_epi32 (high, odd), fifth, OR_AND);
    out->q[3] = _mm512_ternarylogic_epi32 (out->q[3], _mm512_rolv_epi32 (high_2, odd), fifth, OR_AND);
  }
}

INLINE void load_x_q4_or_q5_k (const struct q8_k_block *x, struct x_block *out)
{
  const __m512i a = loadu_512 (x->q), b = loadu_512 (x->q + 64), c = loadu_512 (x->q + 128), d = loadu_512 (x->q + 192);
  /* The 128-bit parts 0 4 8 12, 1 5 9 13, 2 6 10 14 and 3 7 11 15. */
  const __m512i even = _mm512_shuffle_i64x2 (a, b, 0x88), even_2 = _mm512_shuffle_i64x2 (c, d, 0x88);
  const __m512i odd = _mm512_shuffle_i64x2 (a, b, 0xdd), odd_2 = _mm512_shuffle_i64x2 (c, d, 0xdd);
  out->q[0] = _mm512_shuffle_i64x2 (even, even_2, 0x88);
  out->q[1] = _mm512_shuffle_i64x2 (odd, odd_2, 0x88);
  out->q[2] = _mm512_shuffle_i64x2 (even, even_2, 0xdd);
  out->q[3] = _mm512_shuffle_i64x2 (odd, odd_2, 0xdd);
  const __m128i sums = _mm_hadd_epi16 (load_128 (x->sums), load_128 (x->sums + 8));
  out->sums = _mm256_broadcastsi128_si256 (sums);
}

/* ---- Q6_K ------------------------------------------------------------------------------------------------- */

/* Weights in their order: lane i of q[v] is group 4 v + i. */
INLINE void load_row_q6_k (const uint8_t *block, struct row_block *out)
{
  const __m512i nibble = _mm512_set1_epi8 (15), pair = _mm512_set1_epi8 (0x30);
  /* Rotated to bits 4 and 5, the pairs stay within their bytes. */
  const __m512i first = _mm512_setr_epi32 (4, 4, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2);
  const __m512i second = _mm512_setr_epi32 (0, 0, 0, 0, 0, 0, 0, 0, 30, 30, 30, 30, 30, 30, 30, 30);
  /* In the lanes i, the scales i and 4 + i four times each, in the high bytes. */
  const __m512i spread
      = _mm512_setr_epi64 ((long long)0x0080008000800080, (long long)0x0480048004800480, (long long)0x0180018001800180,
                           (long long)0x0580058005800580, (long long)0x0280028002800280, (long long)0x0680068006800680,
                           (long long)0x0380038003800380, (long long)0x0780078007800780);
  const __m128i scales = load_128 (block + 192);
  const __m512i everywhere = _mm512_broadcast_i32x4 (scales);
  const __m256i wide = _mm256_cvtepi8_epi16 (scales);
  enum { OR_AND = 0xf8 }; /* a | (b & c) */
  for (int half = 0; half < 2; half++) {
    const __m512i low = loadu_512 (block + 64 * half);
    const __m512i high = _mm512_broadcast_i64x4 (load_256 (block + 128 + 32 * half));
    out->q[2 * half]
        = _mm512_ternarylogic_epi32 (_mm512_and_si512 (low, nibble), _mm512_rolv_epi32 (high, first), pair, OR_AND);
    out->q[2 * half + 1] = _mm512_ternarylogic_epi32 (_mm512_and_si512 (_mm512_srli_epi16 (low, 4), nibble),
                                                      _mm512_rolv_epi32 (high, second), pair, OR_AND);
  }
  out->scale[0] = _mm512_srai_epi16 (_mm512_shuffle_epi8 (everywhere, spread), 8);
  out->scale[1]
      = _mm512_srai_epi16 (_mm512_shuffle_epi8 (everywhere, _mm512_add_epi8 (spread, _mm512_set1_epi16 (0x0800))), 8);
  out->offset = _mm256_add_epi16 (wide, wide);
}

INLINE void load_x_q6_k (const struct q8_k_block *x, struct x_block *out)
{
  for (int i = 0; i < 4; i++)
    out->q[i] = loadu_512 (x->q + 64 * i);
  out->sums = _mm256_mullo_epi16 (load_256 (x->sums), _mm256_set1_epi16 (-16)); /* |sum| <= 16 * 127 */
}

/* ---- products --------------------------------------------------------------------------------------------- */

INLINE __m512i multiply_row (enum tensor_type type, const struct row_block *w, const struct x_block *x)
{
  const __m512i zero = _mm512_setzero_si512 ();
  if (type == TENSOR_Q6_K) { /* 4 * 63 * 127 = 32004 fits in 16 bits */
    const __m512i start = _mm512_zextsi256_si512 (_mm256_madd_epi16 (w->offset, x->sums));
    const __m512i a = _mm512_dpbusd_epi32 (zero, w->q[0], x->q[0]), b = _mm512_dpbusd_epi32 (zero, w->q[1], x->q[1]);
    const __m512i c = _mm512_dpbusd_epi32 (zero, w->q[2], x->q[2]), d = _mm512_dpbusd_epi32 (zero, w->q[3], x->q[3]);
    return _mm512_dpwssd_epi32 (_mm512_dpwssd_epi32 (start, _mm512_packs_epi32 (a, b), w->scale[0]),
                                _mm512_packs_epi32 (c, d), w->scale[1]);
  }
  const __m512i even = _mm512_dpbusd_epi32 (_mm512_dpbusd_epi32 (zero, w->q[0], x->q[0]), w->q[1], x->q[1]);
  const __m512i odd = _mm512_dpbusd_epi32 (_mm512_dpbusd_epi32 (zero, w->q[2], x->q[2]), w->q[3], x->q[3]);
  return _mm512_madd_epi16 (_mm512_packs_epi32 (even, odd), w->scale[0]);
}

INLINE size_t get_block_bytes (enum tensor_type type)
{
  return type == TENSOR_Q4_K ? 144 : type == TENSOR_Q5_K ? 176 : 210;
}

/* The factors of the block at `offset` of each row, and what else is unpacked for four rows at a time. */
struct heads {
  __m512 d, dmin;
  __m512i minimums[4];                   /* words: of the rows i, 4 + i, 8 + i, 12 + i in the lanes of vector i */
  _Alignas(64) uint8_t scales[4][4][16]; /* of row 4 lane + i at [i][lane] */
};

INLINE void load_heads_of (enum tensor_type type, const struct row_group *group, size_t offset, struct heads *out)
{
  if (type == TENSOR_Q6_K) {
    uint16_t d[DOT_ROWS];
    for (size_t r = 0; r < DOT_ROWS; r++)
      d[r] = load_u16 (group->rows[r] + offset + 208);
    out->d = _mm512_cvtph_ps (load_256 (d));
    return;
  }
  __m512i heads[4];
  for (size_t i = 0; i < 4; i++) {
    heads[i] = load_heads (group, offset, i);
    const __m512i factors = unpack_heads (heads[i]);
    _mm512_store_si512 (out->scales[i], factors);
    out->minimums[i] = _mm512_unpackhi_epi8 (factors, _mm512_setzero_si512 ());
  }
  const __m512i both
      = _mm512_unpacklo_epi64 (_mm512_unpacklo_epi32 (heads[0], heads[1]), _mm512_unpacklo_epi32 (heads[2], heads[3]));
  out->d = _mm512_cvtph_ps (_mm512_cvtepi32_epi16 (both));
  out->dmin = _mm512_cvtph_ps (_mm512_cvtepi32_epi16 (_mm512_srli_epi32 (both, 16)));
}

INLINE __m512 add_block (enum tensor_type type, __m512 sum, const struct heads *heads, const struct q8_k_block *x,
                         const struct x_block *x_block, const __m512i quarters[4])
{
  const __m512 x_d = _mm512_set1_ps (x->d);
  const __m512i products
      = add_lane_pairs (add_lane_pairs (quarters[0], quarters[1]), add_lane_pairs (quarters[2], quarters[3]));
  sum = _mm512_add_ps (sum, _mm512_mul_ps (_mm512_mul_ps (heads->d, x_d), _mm512_cvtepi32_ps (products)));
  if (type == TENSOR_Q6_K)
    return sum;
  const __m512i x_sums = _mm512_broadcast_i64x4 (x_block->sums);
  __m512i minimums[4];
  for (int i = 0; i < 4; i++)
    minimums[i] = _mm512_madd_epi16 (heads->minimums[i], x_sums);
  return _mm512_sub_ps (
      sum, _mm512_mul_ps (_mm512_mul_ps (heads->dmin, x_d), _mm512_cvtepi32_ps (add_within_lanes (minimums))));
}

INLINE void dot_group (enum tensor_type type, const struct row_group *group, const uint8_t *x, size_t x_bytes,
                       const unsigned n_tokens, size_t n_items, float *out, size_t out_stride)
{
  const size_t block_bytes = get_block_bytes (type), end = n_items / 256 * block_bytes;
  __m512 sum[DOT_TOKENS_MAX];
  for (unsigned t = 0; t < n_tokens; t++)
    sum[t] = _mm512_setzero_ps ();
  for (size_t offset = 0; offset < end; offset += block_bytes, x += sizeof (struct q8_k_block)) {
    struct x_block x_blocks[DOT_TOKENS_MAX];
    __m512i quarters[DOT_TOKENS_MAX][4];
    struct heads heads;
    load_heads_of (type, group, offset, &heads);
    for (unsigned t = 0; t < n_tokens; t++)
      if (type == TENSOR_Q6_K)
        load_x_q6_k ((const struct q8_k_block *)(x + t * x_bytes), &x_blocks[t]);
      else
        load_x_q4_or_q5_k ((const struct q8_k_block *)(x + t * x_bytes), &x_blocks[t]);
    for (size_t four = 0; four < 4; four++) {
      __m512i products[DOT_TOKENS_MAX][4];
#pragma GCC unroll 4
      for (size_t r = 0; r < 4; r++) {
        const uint8_t *block = group->rows[4 * four + r] + offset;
        struct row_block row;
        fetch (group->next + DOT_ROWS * offset + (4 * four + r) * block_bytes, block_bytes);
        if (type == TENSOR_Q6_K)
          load_row_q6_k (block, &row);
        else
          load_q4_or_q5_k (type, block, heads.scales[r][four], &row);
        for (unsigned t = 0; t < n_tokens; t++)
          products[t][r] = multiply_row (type, &row, &x_blocks[t]);
      }
      for (unsigned t = 0; t < n_tokens; t++)
        quarters[t][four] = add_within_lanes (products[t]);
    }
    for (unsigned t = 0; t < n_tokens; t++)
      sum[t]
          = add_block (type, sum[t], &heads, (const struct q8_k_block *)(x + t * x_bytes), &x_blocks[t], quarters[t]);
  }
  for (unsigned t = 0; t < n_tokens; t++)
    _mm512_mask_storeu_ps (out + t * out_stride, group->valid, sum[t]);
}

INLINE void dot_rows (enum tensor_type type, const uint8_t *w, size_t row_bytes, size_t n_rows, const uint8_t *x,
                      size_t x_bytes, const unsigned n_tokens, size_t n_items, float *out, size_t out_stride)
{
  for (size_t r = 0; r < n_rows; r += DOT_ROWS) {
    const struct row_group group = get_row_group (w + r * row_bytes, row_bytes, n_rows - r);
    dot_group (type, &group, x, x_bytes, n_tokens, n_items, out + r, out_stride);
  }
}

/* Code of its own for each number of tokens, so that sums stay in registers. */
#define DOT_ROWS_AVX512(name, type)                                                                                    \
  void dot_rows_##name##_avx512 (const uint8_t *w, size_t row_bytes, size_t n_rows, const void *x, size_t x_bytes,     \
                                 unsigned n_tokens, size_t n_items, float *out, size_t out_stride)                     \
  {                                                                                                                    \
    switch (n_tokens) {                                                                                                \
    case 1: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 1, n_items, out, out_stride); break;                     \
    case 2: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 2, n_items, out, out_stride); break;                     \
    case 3: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 3, n_items, out, out_stride); break;                     \
    case 4: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 4, n_items, out, out_stride); break;                     \
    case 5: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 5, n_items, out, out_stride); break;                     \
    case 6: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 6, n_items, out, out_stride); break;                     \
    case 7: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 7, n_items, out, out_stride); break;                     \
    default: dot_rows (type, w, row_bytes, n_rows, x, x_bytes, 8, n_items, out, out_stride); break;                    \
    }                                                                                                                  \
  }

DOT_ROWS_AVX512 (q4_k, TENSOR_Q4_K)
DOT_ROWS_AVX512 (q5_k, TENSOR_Q5_K)
DOT_ROWS_AVX512 (q6_k, TENSOR_Q6_K)
