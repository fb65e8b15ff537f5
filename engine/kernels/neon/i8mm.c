/* i8mm.c: panels by smmla, which multiplies two rows with two tokens, and the table of the path. Compiled with that
 * extension too. An odd token is multiplied twice. */
#include "engine/kernels/neon/panel.h"

/* The products of two tokens in pairs of rows, as smmla leaves them: row 0 of both tokens, row 1 of both. */
struct pair_products {
  int32x4_t of[PANEL_TOKENS_NEON / 2][4];
};

INLINE void clear_pairs (const int n_tokens, struct pair_products *products)
{
#pragma GCC unroll 2
  for (int t = 0; t < n_tokens; t += 2)
    for (int i = 0; i < 4; i++)
      products->of[t / 2][i] = vdupq_n_s32 (0);
}

/* Adds the products of 16 columns. */
INLINE void multiply_columns (const int8_t *q, const uint8_t *x, size_t x_bytes, const int n_tokens,
                              struct pair_products *products)
{
#pragma GCC unroll 2
  for (int t = 0; t < n_tokens; t += 2) {
    const int second = t + 1 < n_tokens ? t + 1 : t;
    const int8x16_t a = vreinterpretq_s8_u8 (vld1q_u8 (x + (size_t)t * x_bytes));
    const int8x16_t b = vreinterpretq_s8_u8 (vld1q_u8 (x + (size_t)second * x_bytes));
    const int8x16_t low = zip_low_halves (a, b), high = zip_high_halves (a, b);
    for (int i = 0; i < 4; i++) {
      const int32x4_t part = vmmlaq_s32 (products->of[t / 2][i], vld1q_s8 (q + 16 * i), low);
      products->of[t / 2][i] = vmmlaq_s32 (part, vld1q_s8 (q + 64 + 16 * i), high);
    }
  }
}

/* To four rows of one token a vector. */
INLINE void separate_tokens (const struct pair_products *pairs, const int n_tokens, struct products *products)
{
#pragma GCC unroll 2
  for (int t = 0; t < n_tokens; t += 2)
    for (int h = 0; h < 2; h++) {
      const int32x4_t first = pairs->of[t / 2][2 * h], second = pairs->of[t / 2][2 * h + 1];
      products->of[t][h] = vuzp1q_s32 (first, second);
      if (t + 1 < n_tokens)
        products->of[t + 1][h] = vuzp2q_s32 (first, second);
    }
}

INLINE void multiply_small (bool has_minimum, const struct small_part *part, const uint8_t *x, size_t x_bytes,
                            const int n_tokens, size_t n_items, float *out)
{
  struct row_sums sums;
  load_sums (out, n_tokens, &sums);
  for (; n_items >= 32; n_items -= 32, part++, x += sizeof (struct q8_block)) {
    struct pair_products pairs;
    struct products products;
    clear_pairs (n_tokens, &pairs);
    multiply_columns (part->q, x, x_bytes, n_tokens, &pairs);
    multiply_columns (part->q + 128, x + 16, x_bytes, n_tokens, &pairs);
    separate_tokens (&pairs, n_tokens, &products);
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
      struct pair_products pairs;
      struct products group;
      clear_pairs (n_tokens, &pairs);
      multiply_columns (part->q + 128 * i, x + 16 * i, x_bytes, n_tokens, &pairs);
      if (by_32)
        multiply_columns (part->q + 128 * i + 128, x + 16 * i + 16, x_bytes, n_tokens, &pairs);
      separate_tokens (&pairs, n_tokens, &group);
      add_group (part->scale[i], n_tokens, &group, &products);
    }
    add_super (has_minimum, part, x, x_bytes, n_tokens, &products, &sums);
  }
  store_sums (&sums, n_tokens, out);
}

SHAPES_NEON (i8mm)
#define SMALL_TYPE(type, name, shape) TYPE_NEON (i8mm, ORDER_I8MM, small, type, name, shape, COMPANION_Q8)
#define SUPER_TYPE(type, name, shape) TYPE_NEON (i8mm, ORDER_I8MM, super, type, name, shape, COMPANION_Q8_K)
SMALL_TYPES_NEON (SMALL_TYPE)
SUPER_TYPES_NEON (SUPER_TYPE)

#define TYPE_ROW(type, name, shape) [TENSOR_##type] = &name##_i8mm,
const struct kernels kernels_i8mm = {
  .name = "i8mm",
  .rows = &row_kernels_c, /* its vectors of four are NEON's */
  .types = { [TENSOR_F32] = &f32_neon,
             [TENSOR_F16] = &f16_neon,
             [TENSOR_BF16] = &bf16_neon,
             SMALL_TYPES_NEON (TYPE_ROW) SUPER_TYPES_NEON (TYPE_ROW) },
  FLOATS_NEON,
};
