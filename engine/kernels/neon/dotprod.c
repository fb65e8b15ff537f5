/* dotprod.c: quantised weights by sdot: the dots of single rows, the panels, and the table of the path. */
#include "engine/kernels/neon/panel.h"

/* ---- single rows ----------------------------------------------------------------------------------------- */

INLINE float dot_small (enum tensor_type type, const uint8_t *w, const struct q8_block *x, size_t n_items)
{
  float sum = 0;
  for (; n_items >= 32; n_items -= 32, w += quant_block_bytes[type], x++) {
    struct small_vectors block;
    load_small (type, w, &block);
    const int32x4_t part = vdotq_s32 (vdupq_n_s32 (0), block.q[0], vld1q_s8 (x->q));
    sum += block.d * x->d * (float)vaddvq_s32 (vdotq_s32 (part, block.q[1], vld1q_s8 (x->q + 16)));
    if (quant_has_minimum[type])
      sum += block.m * x->d * (float)x->sum;
  }
  return sum;
}

INLINE int multiply_minimums (uint8x16_t minimum, const int16_t sums[16])
{
  const int16x8_t low = vreinterpretq_s16_u16 (vmovl_u8 (vget_low_u8 (minimum)));
  const int16x8_t high = vreinterpretq_s16_u16 (vmovl_high_u8 (minimum));
  const int16x8_t sums_low = vld1q_s16 (sums), sums_high = vld1q_s16 (sums + 8);
  int32x4_t products = vmull_s16 (vget_low_s16 (low), vget_low_s16 (sums_low));
  products = vmlal_high_s16 (products, low, sums_low);
  products = vmlal_s16 (products, vget_low_s16 (high), vget_low_s16 (sums_high));
  return vaddvq_s32 (vmlal_high_s16 (products, high, sums_high));
}

/* Four groups of 16 at a time: their sums to four lanes, which the scales then multiply. */
INLINE int multiply_groups (const struct super_vectors *block, const int8_t *x)
{
  int32x4_t products = vdupq_n_s32 (0);
  int8_t scale[16];
  vst1q_s8 (scale, block->scale);
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    int32x4_t part[4];
    for (int j = 0; j < 4; j++)
      part[j] = vdotq_s32 (vdupq_n_s32 (0), block->q[i + j], vld1q_s8 (x + 16 * (i + j)));
    const int32x4_t four = vpaddq_s32 (vpaddq_s32 (part[0], part[1]), vpaddq_s32 (part[2], part[3]));
    const int32x4_t scales = { scale[i], scale[i + 1], scale[i + 2], scale[i + 3] };
    products = vmlaq_s32 (products, four, scales);
  }
  return vaddvq_s32 (products);
}

INLINE float dot_super (enum tensor_type type, const uint8_t *w, const struct q8_k_block *x, size_t n_items)
{
  float sum = 0;
  for (; n_items >= 256; n_items -= 256, w += quant_block_bytes[type], x++) {
    struct super_vectors block;
    load_super (type, w, &block);
    sum += block.d * x->d * (float)multiply_groups (&block, x->q);
    if (quant_has_minimum[type])
      sum -= block.dmin * x->d * (float)multiply_minimums (block.minimum, x->sums);
  }
  return sum;
}

#define SMALL_DOT(type, name, block_bytes, has_minimum)                                                                \
  float dot_##name##_dotprod (const uint8_t *w, const void *x, size_t n_items)                                         \
  {                                                                                                                    \
    return dot_small (TENSOR_##type, w, (const struct q8_block *)x, n_items);                                          \
  }
#define SUPER_DOT(type, name, block_bytes, has_minimum)                                                                \
  float dot_##name##_dotprod (const uint8_t *w, const void *x, size_t n_items)                                         \
  {                                                                                                                    \
    return dot_super (TENSOR_##type, w, (const struct q8_k_block *)x, n_items);                                        \
  }
SMALL_BLOCK_TYPES (SMALL_DOT)
SUPER_BLOCK_TYPES (SUPER_DOT)

/* ---- panels ---------------------------------------------------------------------------------------------- */

/* Four columns, which are dword `c` of each token's vector, of eight rows. The lane is part of the instruction. */
#define ADD_COLUMNS(c)                                                                                                 \
  do {                                                                                                                 \
    const int8x16_t first = vld1q_s8 (q + 32 * (c)), second = vld1q_s8 (q + 32 * (c) + 16);                            \
    _Pragma ("GCC unroll 4") for (int t = 0; t < n_tokens; t++)                                                        \
    {                                                                                                                  \
      products->of[t][0] = vdotq_laneq_s32 (products->of[t][0], first, columns[t], c);                                 \
      products->of[t][1] = vdotq_laneq_s32 (products->of[t][1], second, columns[t], c);                                \
    }                                                                                                                  \
  } while (0)

/* Adds the products of 16 columns. */
INLINE void multiply_columns (const int8_t *q, const uint8_t *x, size_t x_bytes, const int n_tokens,
                              struct products *products)
{
  int8x16_t columns[PANEL_TOKENS_NEON];
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++)
    columns[t] = vreinterpretq_s8_u8 (vld1q_u8 (x + (size_t)t * x_bytes));
  ADD_COLUMNS (0);
  ADD_COLUMNS (1);
  ADD_COLUMNS (2);
  ADD_COLUMNS (3);
}

INLINE void multiply_small (bool has_minimum, const struct small_part *part, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *out)
{
  struct row_sums sums;
  load_sums (out, n_tokens, &sums);
  for (; n_items >= 32; n_items -= 32, part++, x += sizeof (struct q8_block)) {
    struct products products;
    clear_products (n_tokens, &products);
    multiply_columns (part->q, x, x_bytes, n_tokens, &products);
    multiply_columns (part->q + 128, x + 16, x_bytes, n_tokens, &products);
    add_small (has_minimum, part, x, x_bytes, n_tokens, &products, &sums);
  }
  store_sums (&sums, n_tokens, out);
}

INLINE void multiply_super (bool by_32, bool has_minimum, const struct super_part *part, const uint8_t *x,
                            size_t x_bytes, const int n_tokens, size_t n_items, float *out)
{
  struct row_sums sums;
  load_sums (out, n_tokens, &sums);
  for (; n_items >= 256; n_items -= 256, part++, x += sizeof (struct q8_k_block)) {
    struct products products;
    clear_products (n_tokens, &products);
    for (int i = 0; i < 16; i += by_32 ? 2 : 1) {
      struct products group;
      clear_products (n_tokens, &group);
      multiply_columns (part->q + 128 * i, x + 16 * i, x_bytes, n_tokens, &group);
      if (by_32)
        multiply_columns (part->q + 128 * i + 128, x + 16 * i + 16, x_bytes, n_tokens, &group);
      add_group (part->scale[i], n_tokens, &group, &products);
    }
    add_super (has_minimum, part, x, x_bytes, n_tokens, &products, &sums);
  }
  store_sums (&sums, n_tokens, out);
}

SHAPES_NEON (dotprod)
#define SMALL_TYPE(type, name, shape) TYPE_NEON (dotprod, ORDER_DOTPROD, small, type, name, shape, COMPANION_Q8)
#define SUPER_TYPE(type, name, shape) TYPE_NEON (dotprod, ORDER_DOTPROD, super, type, name, shape, COMPANION_Q8_K)
SMALL_TYPES_NEON (SMALL_TYPE)
SUPER_TYPES_NEON (SUPER_TYPE)

#define TYPE_ROW(type, name, shape) [TENSOR_##type] = &name##_dotprod,
const struct kernels kernels_dotprod = {
  .name = "dotprod",
  .rows = &row_kernels_c, /* its vectors of four are NEON's */
  .types = { [TENSOR_F32] = &f32_neon,
             [TENSOR_F16] = &f16_neon,
             [TENSOR_BF16] = &bf16_neon,
             SMALL_TYPES_NEON (TYPE_ROW) SUPER_TYPES_NEON (TYPE_ROW) },
  FLOATS_NEON,
};
