/* dot_small_blocks.c: sixteen rows of Q8_0 or Q4_0 times one to eight tokens, straight from the file's layout.
 *
 * A vector holds the weights of two blocks of Q8_0, or the low or high nibbles of four of Q4_0. Weights are taken without
 * their sign or offset: 128 or 8 times the sum of the activations is what the products begin at, negative. */
#include "engine/kernels/avx512/dot_rows.h"

enum { BLOCKS_MAX = 4 }; /* of a step */

/* The activations of a step, in the order of the weights. */
struct x_step {
  __m512i q[2], start;
};

INLINE size_t get_block_bytes (enum tensor_type type)
{
  return type == TENSOR_Q8_0 ? 34 : 18;
}

/* A step of fewer than four blocks must not read beyond them. */
INLINE __m512i load_nibbles (const uint8_t *block, size_t n_blocks)
{
  __m512i packed = _mm512_castsi128_si512 (load_128 (block + 2));
  if (n_blocks == 4) {
    packed = _mm512_inserti32x4 (packed, load_128 (block + 20), 1);
    packed = _mm512_inserti32x4 (packed, load_128 (block + 38), 2);
    return _mm512_inserti32x4 (packed, load_128 (block + 56), 3);
  }
  packed = _mm512_zextsi128_si512 (load_128 (block + 2));
  if (n_blocks > 1)
    packed = _mm512_inserti32x4 (packed, load_128 (block + 20), 1);
  if (n_blocks > 2)
    packed = _mm512_inserti32x4 (packed, load_128 (block + 38), 2);
  return packed;
}

INLINE __m512i load_two_blocks (const uint8_t *block, size_t n_blocks)
{
  const __m512i first = _mm512_zextsi256_si512 (load_256 (block + 2));
  return n_blocks == 1 ? first : _mm512_inserti64x4 (first, load_256 (block + 36), 1);
}

INLINE void load_x_step (enum tensor_type type, const struct q8_block *x, size_t n_blocks, struct x_step *out)
{
  const size_t lanes = type == TENSOR_Q8_0 ? 2 : 1;
  _Alignas(64) int8_t q[2][64] = { 0 };
  _Alignas(64) int32_t start[16] = { 0 };
  for (size_t b = 0; b < n_blocks; b++) {
    if (type == TENSOR_Q8_0) {
      memcpy (q[0] + 32 * b, x[b].q, 32);
    } else {
      memcpy (q[0] + 16 * b, x[b].q, 16);
      memcpy (q[1] + 16 * b, x[b].q + 16, 16);
    }
    start[4 * lanes * b] = (type == TENSOR_Q8_0 ? -128 : -8) * x[b].sum;
  }
  out->q[0] = _mm512_load_si512 (q[0]);
  out->q[1] = _mm512_load_si512 (q[1]);
  out->start = _mm512_load_si512 (start);
}

/* From products of four rows in each vector, one vector for each block. */
INLINE void transpose_blocks (enum tensor_type type, const __m512i quarters[4], __m512i blocks[BLOCKS_MAX])
{
  if (type == TENSOR_Q8_0) {
    const __m512i low = add_lane_pairs (quarters[0], quarters[1]), high = add_lane_pairs (quarters[2], quarters[3]);
    blocks[0] = _mm512_shuffle_i64x2 (low, high, 0x88);
    blocks[1] = _mm512_shuffle_i64x2 (low, high, 0xdd);
    return;
  }
  const __m512i a = _mm512_shuffle_i64x2 (quarters[0], quarters[1], 0x88);
  const __m512i b = _mm512_shuffle_i64x2 (quarters[0], quarters[1], 0xdd);
  const __m512i c = _mm512_shuffle_i64x2 (quarters[2], quarters[3], 0x88);
  const __m512i d = _mm512_shuffle_i64x2 (quarters[2], quarters[3], 0xdd);
  blocks[0] = _mm512_shuffle_i64x2 (a, c, 0x88);
  blocks[1] = _mm512_shuffle_i64x2 (b, d, 0x88);
  blocks[2] = _mm512_shuffle_i64x2 (a, c, 0xdd);
  blocks[3] = _mm512_shuffle_i64x2 (b, d, 0xdd);
}

/* n_blocks blocks, at `offset` of each row. */
INLINE void add_step (enum tensor_type type, const struct row_group *group, size_t offset, const uint8_t *x,
                      size_t x_bytes, const unsigned n_tokens, const size_t n_blocks, __m512 sum[DOT_TOKENS_MAX])
{
  const size_t block_bytes = get_block_bytes (type);
  const __m512i nibble = _mm512_set1_epi8 (15), sign = _mm512_set1_epi8 ((char)0x80);
  struct x_step steps[DOT_TOKENS_MAX];
  __m512i quarters[DOT_TOKENS_MAX][4];
  _Alignas(64) uint16_t d[BLOCKS_MAX][DOT_ROWS];
  for (unsigned t = 0; t < n_tokens; t++)
    load_x_step (type, (const struct q8_block *)(x + t * x_bytes), n_blocks, &steps[t]);
  for (size_t four = 0; four < 4; four++) {
    __m512i products[DOT_TOKENS_MAX][4];
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
      const uint8_t *block = group->rows[4 * four + r] + offset;
      fetch (group->next + DOT_ROWS * offset + (4 * four + r) * n_blocks * block_bytes, n_blocks * block_bytes);
      for (size_t b = 0; b < n_blocks; b++)
        d[b][4 * four + r] = load_u16 (block + b * block_bytes);
      if (type == TENSOR_Q8_0) {
        const __m512i q = _mm512_xor_si512 (load_two_blocks (block, n_blocks), sign);
        for (unsigned t = 0; t < n_tokens; t++)
          products[t][r] = _mm512_dpbusd_epi32 (steps[t].start, q, steps[t].q[0]);
      } else {
        const __m512i packed = load_nibbles (block, n_blocks);
        const __m512i low = _mm512_and_si512 (packed, nibble);
        const __m512i high = _mm512_and_si512 (_mm512_srli_epi16 (packed, 4), nibble);
        for (unsigned t = 0; t < n_tokens; t++)
          products[t][r]
              = _mm512_dpbusd_epi32 (_mm512_dpbusd_epi32 (steps[t].start, low, steps[t].q[0]), high, steps[t].q[1]);
      }
    }
    for (unsigned t = 0; t < n_tokens; t++)
      quarters[t][four] = add_within_lanes (products[t]);
  }
  for (unsigned t = 0; t < n_tokens; t++) {
    const struct q8_block *x_block = (const struct q8_block *)(x + t * x_bytes);
    __m512i blocks[BLOCKS_MAX];
    transpose_blocks (type, quarters[t], blocks);
    for (size_t b = 0; b < n_blocks; b++) {
      const __m512 factor = _mm512_mul_ps (_mm512_cvtph_ps (load_256 (d[b])), _mm512_set1_ps (x_block[b].d));
      sum[t] = _mm512_add_ps (sum[t], _mm512_mul_ps (factor, _mm512_cvtepi32_ps (blocks[b])));
    }
  }
}

INLINE void dot_small_rows (enum tensor_type type, const struct row_group *group, const uint8_t *x, size_t x_bytes,
                            const unsigned n_tokens, size_t n_items, float *out, size_t out_stride)
{
  const size_t per_step = type == TENSOR_Q8_0 ? 2 : 4, step_bytes = per_step * get_block_bytes (type);
  const size_t x_step_bytes = per_step * sizeof (struct q8_block);
  size_t left = n_items / 32, offset = 0;
  __m512 sum[DOT_TOKENS_MAX];
  for (unsigned t = 0; t < n_tokens; t++)
    sum[t] = _mm512_setzero_ps ();
  for (; left >= per_step; left -= per_step, offset += step_bytes, x += x_step_bytes)
    add_step (type, group, offset, x, x_bytes, n_tokens, per_step, sum);
  if (left == 1)
    add_step (type, group, offset, x, x_bytes, n_tokens, 1, sum);
  else if (left == 2 && per_step > 2)
    add_step (type, group, offset, x, x_bytes, n_tokens, 2, sum);
  else if (left == 3 && per_step > 2)
    add_step (type, group, offset, x, x_bytes, n_tokens, 3, sum);
  for (unsigned t = 0; t < n_tokens; t++)
    _mm512_mask_storeu_ps (out + t * out_stride, group->valid, sum[t]);
}

DOT_ROWS_AVX512 (q8_0, dot_small_rows, TENSOR_Q8_0)
DOT_ROWS_AVX512 (q4_0, dot_small_rows, TENSOR_Q4_0)
