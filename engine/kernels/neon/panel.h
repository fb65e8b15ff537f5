/* panel.h: panels as four parts of eight rows, and what both paths do before and after their integer products. */
#ifndef LECTERN_KERNELS_NEON_PANEL_H
#define LECTERN_KERNELS_NEON_PANEL_H

#include "engine/kernels/neon/load.h"

/* How the bytes of 16 columns lie in eight vectors. */
enum panel_order {
  ORDER_DOTPROD, /* four columns of four rows; vector 2 c + h: columns 4 c.., rows 4 h.. */
  ORDER_I8MM,    /* eight columns of two rows; vector 4 c + p: columns 8 c.., rows 2 p and 2 p + 1 */
};

/* Eight rows of 32 columns. */
struct small_part {
  int8_t q[256];
  float d[8], m[8];
};

/* Eight rows of 256 columns. */
struct super_part {
  int8_t q[2048];
  int16_t scale[16][8], minimum[16][8]; /* by group of 16 */
  float d[8], dmin[8];
};

enum { small_part_length = PANEL_COLS / 32, super_part_length = 1 };

_Static_assert(PANEL_PARTS *small_part_length * sizeof (struct small_part) <= PANEL_BYTES_MAX, "a panel fits");
_Static_assert(PANEL_PARTS * sizeof (struct super_part) <= PANEL_BYTES_MAX, "a panel fits");

/* ---- packing --------------------------------------------------------------------------------------------- */

/* rows[i] holds four dwords of row i; out + 32 i gets dword i of the four rows. */
INLINE void store_dwords (const int8x16_t rows[4], int8_t *out)
{
  int32x4_t v[4];
  for (int i = 0; i < 4; i++)
    v[i] = vreinterpretq_s32_s8 (rows[i]);
  const int32x4_t even = vzip1q_s32 (v[0], v[2]), odd = vzip1q_s32 (v[1], v[3]);
  const int32x4_t even_2 = vzip2q_s32 (v[0], v[2]), odd_2 = vzip2q_s32 (v[1], v[3]);
  vst1q_s8 (out, vreinterpretq_s8_s32 (vzip1q_s32 (even, odd)));
  vst1q_s8 (out + 32, vreinterpretq_s8_s32 (vzip2q_s32 (even, odd)));
  vst1q_s8 (out + 64, vreinterpretq_s8_s32 (vzip1q_s32 (even_2, odd_2)));
  vst1q_s8 (out + 96, vreinterpretq_s8_s32 (vzip2q_s32 (even_2, odd_2)));
}

INLINE int8x16_t zip_low_halves (int8x16_t a, int8x16_t b)
{
  return vreinterpretq_s8_s64 (vzip1q_s64 (vreinterpretq_s64_s8 (a), vreinterpretq_s64_s8 (b)));
}

INLINE int8x16_t zip_high_halves (int8x16_t a, int8x16_t b)
{
  return vreinterpretq_s8_s64 (vzip2q_s64 (vreinterpretq_s64_s8 (a), vreinterpretq_s64_s8 (b)));
}

/* 16 columns of eight rows. */
INLINE void store_columns (enum panel_order order, const int8x16_t rows[8], int8_t *out)
{
  if (order == ORDER_DOTPROD) {
    store_dwords (rows, out);
    store_dwords (rows + 4, out + 16);
    return;
  }
  for (int pair = 0; pair < 4; pair++) {
    vst1q_s8 (out + 16 * pair, zip_low_halves (rows[2 * pair], rows[2 * pair + 1]));
    vst1q_s8 (out + 64 + 16 * pair, zip_high_halves (rows[2 * pair], rows[2 * pair + 1]));
  }
}

INLINE void pack_small (enum panel_order order, enum tensor_type type, const uint8_t *w, size_t row_bytes,
                        uint32_t n_rows, size_t n_items, const uint8_t *next, uint8_t *panel)
{
  for (size_t first = 0; first < PANEL_ROWS; first += PART_ROWS)
    for (size_t i = 0; i < n_items / 32; i++) {
      struct small_part *part = (struct small_part *)panel + first / PART_ROWS * small_part_length + i;
      int8x16_t q[2][8];
      for (size_t r = 0; r < 8; r++) {
        struct small_vectors row;
        fetch (next, quant_block_bytes[type]);
        next += quant_block_bytes[type];
        load_small (type, w + (first + r < n_rows ? first + r : 0) * row_bytes + i * quant_block_bytes[type], &row);
        q[0][r] = row.q[0];
        q[1][r] = row.q[1];
        part->d[r] = row.d;
        part->m[r] = row.m;
      }
      store_columns (order, q[0], part->q);
      store_columns (order, q[1], part->q + 128);
    }
}

INLINE void pack_super (enum panel_order order, enum tensor_type type, const uint8_t *w, size_t row_bytes,
                        uint32_t n_rows, size_t n_items, const uint8_t *next, uint8_t *panel)
{
  struct super_part *part = (struct super_part *)panel;
  (void)n_items; /* 256 */
  for (size_t first = 0; first < PANEL_ROWS; first += PART_ROWS, part++) {
    int8x16_t q[16][8];
    for (size_t r = 0; r < 8; r++) {
      struct super_vectors row;
      int8_t scale[16];
      uint8_t minimum[16];
      fetch (next + (first + r) * quant_block_bytes[type], quant_block_bytes[type]);
      load_super (type, w + (first + r < n_rows ? first + r : 0) * row_bytes, &row);
      vst1q_s8 (scale, row.scale);
      vst1q_u8 (minimum, row.minimum);
      for (int i = 0; i < 16; i++) {
        q[i][r] = row.q[i];
        part->scale[i][r] = scale[i];
        part->minimum[i][r] = minimum[i];
      }
      part->d[r] = row.d;
      part->dmin[r] = row.dmin;
    }
    for (int i = 0; i < 16; i++)
      store_columns (order, q[i], part->q + 128 * i);
  }
}

/* ---- sums ------------------------------------------------------------------------------------------------ */

/* Products of eight rows, and their sums, for each token. */
struct products {
  int32x4_t of[PANEL_TOKENS_NEON][2];
};

struct row_sums {
  float32x4_t of[PANEL_TOKENS_NEON][2];
};

INLINE void load_sums (const float *from, const int n_tokens, struct row_sums *sums)
{
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++)
    for (int h = 0; h < 2; h++)
      sums->of[t][h] = vld1q_f32 (from + t * PANEL_ROWS + 4 * h);
}

INLINE void store_sums (const struct row_sums *sums, const int n_tokens, float *to)
{
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++)
    for (int h = 0; h < 2; h++)
      vst1q_f32 (to + t * PANEL_ROWS + 4 * h, sums->of[t][h]);
}

INLINE void clear_products (const int n_tokens, struct products *products)
{
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++)
    products->of[t][0] = products->of[t][1] = vdupq_n_s32 (0);
}

/* (d * x_d) * products, in this order. */
INLINE float32x4_t scale_products (const float *d, float x_d, int32x4_t products)
{
  return vmulq_f32 (vmulq_n_f32 (vld1q_f32 (d), x_d), vcvtq_f32_s32 (products));
}

INLINE void add_small (bool has_minimum, const struct small_part *part, const uint8_t *x, size_t x_bytes,
                       const int n_tokens, const struct products *products, struct row_sums *sums)
{
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    const struct q8_block *block = (const struct q8_block *)(x + (size_t)t * x_bytes);
    for (int h = 0; h < 2; h++) {
      sums->of[t][h] = vaddq_f32 (sums->of[t][h], scale_products (part->d + 4 * h, block->d, products->of[t][h]));
      if (has_minimum)
        sums->of[t][h]
            = vaddq_f32 (sums->of[t][h], scale_products (part->m + 4 * h, block->d, vdupq_n_s32 (block->sum)));
    }
  }
}

/* Adds a group's products, times the scale of each row, to those of the block. */
INLINE void add_group (const int16_t scale[8], const int n_tokens, const struct products *group,
                       struct products *products)
{
  const int16x8_t both = vld1q_s16 (scale);
  const int32x4_t low = vmovl_s16 (vget_low_s16 (both)), high = vmovl_high_s16 (both);
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    products->of[t][0] = vmlaq_s32 (products->of[t][0], group->of[t][0], low);
    products->of[t][1] = vmlaq_s32 (products->of[t][1], group->of[t][1], high);
  }
}

INLINE void add_super (bool has_minimum, const struct super_part *part, const uint8_t *x, size_t x_bytes,
                       const int n_tokens, const struct products *products, struct row_sums *sums)
{
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    const struct q8_k_block *block = (const struct q8_k_block *)(x + (size_t)t * x_bytes);
    int32x4_t minimums[2] = { vdupq_n_s32 (0), vdupq_n_s32 (0) };
    for (int i = 0; i < 16 && has_minimum; i++) {
      const int16x8_t minimum = vld1q_s16 (part->minimum[i]);
      minimums[0] = vmlal_n_s16 (minimums[0], vget_low_s16 (minimum), block->sums[i]);
      minimums[1] = vmlal_high_n_s16 (minimums[1], minimum, block->sums[i]);
    }
    for (int h = 0; h < 2; h++) {
      sums->of[t][h] = vaddq_f32 (sums->of[t][h], scale_products (part->d + 4 * h, block->d, products->of[t][h]));
      if (has_minimum)
        sums->of[t][h] = vsubq_f32 (sums->of[t][h], scale_products (part->dmin + 4 * h, block->d, minimums[h]));
    }
  }
}

/* ---- the table's functions ------------------------------------------------------------------------------- */

/* multiply() for each number of tokens, so that the sums stay in registers. */
#define MULTIPLY_NEON(path, name, kind, ...)                                                                           \
  static void multiply_##name##_##path (const uint8_t *panel, const void *x, size_t x_bytes, unsigned n_tokens,        \
                                        size_t n_items, float *sums)                                                   \
  {                                                                                                                    \
    const struct kind##_part *part = (const struct kind##_part *)panel;                                                \
    for (size_t i = 0; i < PANEL_PARTS; i++, part += kind##_part_length, sums += PART_ROWS)                            \
      switch (n_tokens) {                                                                                              \
      case 4: multiply_##kind (__VA_ARGS__, part, x, x_bytes, 4, n_items, sums); break;                                \
      case 3: multiply_##kind (__VA_ARGS__, part, x, x_bytes, 3, n_items, sums); break;                                \
      case 2: multiply_##kind (__VA_ARGS__, part, x, x_bytes, 2, n_items, sums); break;                                \
      default: multiply_##kind (__VA_ARGS__, part, x, x_bytes, 1, n_items, sums); break;                               \
      }                                                                                                                \
  }

/* Each type's row of a path's table. Types of one shape share multiply(). */
#define TYPE_NEON(path, order, kind, type, name, shape, companion_kind)                                                \
  static void pack_##name##_##path (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,               \
                                    const uint8_t *next, uint8_t *panel)                                               \
  {                                                                                                                    \
    pack_##kind (order, TENSOR_##type, w, row_bytes, n_rows, n_items, next, panel);                                    \
  }                                                                                                                    \
  static const struct kernel_type name##_##path = {                                                                    \
    .companion = companion_kind,                                                                                       \
    .dot = dot_##name##_dotprod,                                                                                       \
    .pack = pack_##name##_##path,                                                                                      \
    .multiply = multiply_##shape##_##path,                                                                             \
    .panel_tokens = PANEL_TOKENS_NEON,                                                                                 \
  };

/* The types of each kind, and the shape of multiply() that they take. */
#define SMALL_TYPES_NEON(row)                                                                                          \
  row (Q4_0, q4_0, small) row (Q4_1, q4_1, small_minimum) row (Q5_0, q5_0, small) row (Q5_1, q5_1, small_minimum)      \
      row (Q8_0, q8_0, small) row (IQ4_NL, iq4_nl, small) row (MXFP4, mxfp4, small)
#define SUPER_TYPES_NEON(row)                                                                                          \
  row (Q2_K, q2_k, by_16_minimum) row (Q3_K, q3_k, by_16) row (Q4_K, q4_k, by_32_minimum)                              \
      row (Q5_K, q5_k, by_32_minimum) row (Q6_K, q6_k, by_16) row (IQ4_XS, iq4_xs, by_32) row (IQ3_S, iq3_s, by_16)    \
          row (IQ3_XXS, iq3_xxs, by_16) row (IQ2_S, iq2_s, by_16) row (IQ2_XS, iq2_xs, by_16)                          \
              row (IQ2_XXS, iq2_xxs, by_16) row (IQ1_M, iq1_m, by_16) row (IQ1_S, iq1_s, by_16)                        \
                  row (TQ1_0, tq1_0, by_16) row (TQ2_0, tq2_0, by_16)

/* All shapes, from a path's multiply_small (has_minimum, ...) and multiply_super (by_32, has_minimum, ...). */
#define SHAPES_NEON(path)                                                                                              \
  MULTIPLY_NEON (path, small, small, false)                                                                            \
  MULTIPLY_NEON (path, small_minimum, small, true)                                                                     \
  MULTIPLY_NEON (path, by_16, super, false, false)                                                                     \
  MULTIPLY_NEON (path, by_16_minimum, super, false, true)                                                              \
  MULTIPLY_NEON (path, by_32, super, true, false)                                                                      \
  MULTIPLY_NEON (path, by_32_minimum, super, true, true)

#endif
