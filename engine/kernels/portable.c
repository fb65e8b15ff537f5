/* portable.c: the reference path: what every other path must compute. */
#include "engine/kernels/kernels.h"
#include "engine/gguf/unpack_iq.h"
#include "engine/gguf/unpack_k.h"
#include "engine/gguf/unpack_small.h"
#include <math.h>

/* ---- activations ----------------------------------------------------------------------------------------- */

/* Rounds n items to q with one scale, which is returned. */
static float round_to_8_bits (const float *x, int8_t *q, size_t n)
{
  float most = 0;
  for (size_t i = 0; i < n; i++)
    most = fmaxf (most, fabsf (x[i]));
  if (!(most > Q8_TINY)) {
    memset (q, 0, n);
    return 0;
  }
  const float scale = 127.0f / most;
  for (size_t i = 0; i < n; i++)
    q[i] = (int8_t)lrintf (x[i] * scale);
  return most / 127.0f;
}

static int sum_of (const int8_t *q, size_t n)
{
  int sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += q[i];
  return sum;
}

static void quantise_q8_c (const float *x, struct q8_block *out, size_t n_items)
{
  for (; n_items >= 32; n_items -= 32, x += 32, out++) {
    out->d = round_to_8_bits (x, out->q, 32);
    out->sum = sum_of (out->q, 32);
  }
}

static void quantise_q8_k_c (const float *x, struct q8_k_block *out, size_t n_items)
{
  for (; n_items >= 256; n_items -= 256, x += 256, out++) {
    out->d = round_to_8_bits (x, out->q, 256);
    for (int i = 0; i < 16; i++)
      out->sums[i] = (int16_t)sum_of (out->q + 16 * i, 16);
  }
}

/* ---- quantised weights ----------------------------------------------------------------------------------- */

/* w = d q + m and x = dx qx, so the block adds (d dx) sum (q qx) + (m dx) sum (qx). */
static inline float dot_small_blocks (const uint8_t *w, size_t block_bytes, const struct q8_block *x, size_t n_items,
                                      bool has_minimum, void (*unpack) (const uint8_t *, struct small_block *))
{
  struct small_block block;
  float sum = 0;
  for (; n_items >= BLOCK_ITEMS; n_items -= BLOCK_ITEMS, w += block_bytes, x++) {
    int products = 0;
    unpack (w, &block);
    for (int i = 0; i < BLOCK_ITEMS; i++)
      products += block.q[i] * x->q[i];
    sum += block.d * x->d * (float)products;
    if (has_minimum)
      sum += block.m * x->d * (float)x->sum;
  }
  return sum;
}

static inline float dot_super_blocks (const uint8_t *w, size_t block_bytes, const struct q8_k_block *x, size_t n_items,
                                      bool has_minimum, void (*unpack) (const uint8_t *, struct super_block *))
{
  struct super_block block;
  float sum = 0;
  for (; n_items >= SUPER_BLOCK_ITEMS; n_items -= SUPER_BLOCK_ITEMS, w += block_bytes, x++) {
    int products = 0, minimums = 0;
    unpack (w, &block);
    for (int group = 0; group < 16; group++) {
      int product = 0;
      for (int i = 16 * group; i < 16 * group + 16; i++)
        product += block.q[i] * x->q[i];
      products += block.scale[group] * product;
      minimums += block.minimum[group] * x->sums[group];
    }
    sum += block.d * x->d * (float)products;
    if (has_minimum)
      sum -= block.dmin * x->d * (float)minimums;
  }
  return sum;
}

#define SMALL_DOT(type, name, block_bytes, has_minimum)                                                                \
  static float dot_##name##_c (const uint8_t *w, const void *x, size_t n_items)                                        \
  {                                                                                                                    \
    return dot_small_blocks (w, block_bytes, (const struct q8_block *)x, n_items, has_minimum, unpack_##name);         \
  }                                                                                                                    \
  static const struct kernel_type name##_c = { COMPANION_Q8, dot_##name##_c };
#define SUPER_DOT(type, name, block_bytes, has_minimum)                                                                \
  static float dot_##name##_c (const uint8_t *w, const void *x, size_t n_items)                                        \
  {                                                                                                                    \
    return dot_super_blocks (w, block_bytes, (const struct q8_k_block *)x, n_items, has_minimum, unpack_##name);       \
  }                                                                                                                    \
  static const struct kernel_type name##_c = { COMPANION_Q8_K, dot_##name##_c };
SMALL_BLOCK_TYPES (SMALL_DOT)
SUPER_BLOCK_TYPES (SUPER_DOT)

/* ---- float weights --------------------------------------------------------------------------------------- */

static float dot_f32_row_c (const uint8_t *w, const void *x, size_t n_items)
{
  const float *b = x;
  float sum = 0;
  for (size_t i = 0; i < n_items; i++) {
    float a;
    memcpy (&a, w + 4 * i, sizeof a);
    sum += a * b[i];
  }
  return sum;
}

static float dot_f16_row_c (const uint8_t *w, const void *x, size_t n_items)
{
  const float *b = x;
  float sum = 0;
  for (size_t i = 0; i < n_items; i++)
    sum += load_f16 (w + 2 * i) * b[i];
  return sum;
}

static float dot_bf16_row_c (const uint8_t *w, const void *x, size_t n_items)
{
  const float *b = x;
  float sum = 0;
  for (size_t i = 0; i < n_items; i++)
    sum += f32_of_bf16 (load_u16 (w + 2 * i)) * b[i];
  return sum;
}

static float dot_f32_c (const float *a, const float *b, size_t n)
{
  return dot_f32_row_c ((const uint8_t *)a, b, n);
}

static void f32_to_f16_c (const float *x, uint16_t *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = f16_of_f32 (x[i]);
}

static void f16_to_f32_c (const uint16_t *x, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = f32_of_f16 (x[i]);
}

static void q8_0_to_f32_c (const uint8_t *x, float *y, size_t n_items)
{
  struct small_block block;
  for (; n_items >= BLOCK_ITEMS; n_items -= BLOCK_ITEMS, x += 34, y += BLOCK_ITEMS) {
    unpack_q8_0 (x, &block);
    for (int i = 0; i < BLOCK_ITEMS; i++)
      y[i] = block.d * (float)block.q[i];
  }
}

static const struct kernel_type f32_c = { COMPANION_F32, dot_f32_row_c };
static const struct kernel_type f16_c = { COMPANION_F32, dot_f16_row_c };
static const struct kernel_type bf16_c = { COMPANION_F32, dot_bf16_row_c };

#define BLOCK_ROW(type, name, block_bytes, has_minimum) [TENSOR_##type] = &name##_c,
const struct kernels kernels_c = {
  .name = "c",
  .rows = &row_kernels_c,
  .types = {
    [TENSOR_F32] = &f32_c,
    [TENSOR_F16] = &f16_c,
    [TENSOR_BF16] = &bf16_c,
    SMALL_BLOCK_TYPES (BLOCK_ROW)
    SUPER_BLOCK_TYPES (BLOCK_ROW)
  },
  .quantise_q8 = quantise_q8_c,
  .quantise_q8_k = quantise_q8_k_c,
  .dot_f32 = dot_f32_c,
  .f32_to_f16 = f32_to_f16_c,
  .f16_to_f32 = f16_to_f32_c,
  .q8_0_to_f32 = q8_0_to_f32_c,
  .attention = &attention_c,
};
