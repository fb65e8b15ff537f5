/* floats.c: activations, float weights and the plain helpers, in NEON that every aarch64 CPU has. */
#include "engine/kernels/neon/neon.h"
#include <math.h>

/* ---- activations ----------------------------------------------------------------------------------------- */

/* Rounds 16 * n_vectors items; returns the scale as the reference does. A NaN does not count for the maximum. */
INLINE float round_to_8_bits (const float *x, int8_t *q, int n_vectors)
{
  float32x4_t most_4 = vdupq_n_f32 (0);
  for (int i = 0; i < 4 * n_vectors; i++)
    most_4 = vmaxnmq_f32 (most_4, vabsq_f32 (vld1q_f32 (x + 4 * i)));
  const float most = vmaxnmvq_f32 (most_4);
  if (!(most > Q8_TINY)) {
    memset (q, 0, (size_t)(16 * n_vectors));
    return 0;
  }
  const float scale = 127.0f / most;
  for (int i = 0; i < n_vectors; i++) {
    int32x4_t part[4];
    for (int j = 0; j < 4; j++)
      part[j] = vcvtnq_s32_f32 (vmulq_n_f32 (vld1q_f32 (x + 16 * i + 4 * j), scale));
    const int16x8_t low = vcombine_s16 (vqmovn_s32 (part[0]), vqmovn_s32 (part[1]));
    const int16x8_t high = vcombine_s16 (vqmovn_s32 (part[2]), vqmovn_s32 (part[3]));
    vst1q_s8 (q + 16 * i, vcombine_s8 (vqmovn_s16 (low), vqmovn_s16 (high)));
  }
  return most / 127.0f;
}

void quantise_q8_neon (const float *x, struct q8_block *out, size_t n_items)
{
  for (; n_items >= 32; n_items -= 32, x += 32, out++) {
    out->d = round_to_8_bits (x, out->q, 2);
    out->sum = vaddlvq_s8 (vld1q_s8 (out->q)) + vaddlvq_s8 (vld1q_s8 (out->q + 16));
  }
}

void quantise_q8_k_neon (const float *x, struct q8_k_block *out, size_t n_items)
{
  for (; n_items >= 256; n_items -= 256, x += 256, out++) {
    out->d = round_to_8_bits (x, out->q, 16);
    for (int i = 0; i < 16; i++)
      out->sums[i] = vaddlvq_s8 (vld1q_s8 (out->q + 16 * i));
  }
}

/* ---- float weights --------------------------------------------------------------------------------------- */

enum float_type { FLOAT_F32, FLOAT_F16, FLOAT_BF16 };

INLINE size_t float_bytes (enum float_type type)
{
  return type == FLOAT_F32 ? 4 : 2;
}

INLINE float32x4_t load_4_halves (const uint8_t *bytes)
{
  return vcvt_f32_f16 (vreinterpret_f16_u8 (vld1_u8 (bytes)));
}

INLINE float32x4_t load_4_floats (enum float_type type, const uint8_t *w)
{
  switch (type) {
  case FLOAT_F32: return vreinterpretq_f32_u8 (vld1q_u8 (w));
  case FLOAT_F16: return load_4_halves (w);
  case FLOAT_BF16: break;
  }
  return vreinterpretq_f32_u32 (vshll_n_u16 (vreinterpret_u16_u8 (vld1_u8 (w)), 16));
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

/* Four accumulators per token, whatever the number of tokens: each token's result is the same in any company. */
INLINE void dot_float (enum float_type type, const uint8_t *w, const uint8_t *x, size_t x_bytes, const int n_tokens,
                       size_t n_items, float *out)
{
  const size_t w_bytes = float_bytes (type);
  const float *token[4] = { NULL };
  float32x4_t sum[4][4];
  size_t i = 0;
  for (int t = 0; t < n_tokens; t++) {
    token[t] = (const float *)(x + (size_t)t * x_bytes);
    for (int j = 0; j < 4; j++)
      sum[t][j] = vdupq_n_f32 (0);
  }
  for (; i + 16 <= n_items; i += 16)
    for (size_t j = 0; j < 4; j++) {
      const float32x4_t weights = load_4_floats (type, w + (i + 4 * j) * w_bytes);
      for (int t = 0; t < n_tokens; t++)
        sum[t][j] = vfmaq_f32 (sum[t][j], weights, vld1q_f32 (token[t] + i + 4 * j));
    }
  for (; i + 4 <= n_items; i += 4)
    for (int t = 0; t < n_tokens; t++)
      sum[t][0] = vfmaq_f32 (sum[t][0], load_4_floats (type, w + i * w_bytes), vld1q_f32 (token[t] + i));
  for (int t = 0; t < n_tokens; t++) {
    out[t] = vaddvq_f32 (vaddq_f32 (vaddq_f32 (sum[t][0], sum[t][1]), vaddq_f32 (sum[t][2], sum[t][3])));
    for (size_t j = i; j < n_items; j++)
      out[t] = fmaf (load_float (type, w + j * w_bytes), token[t][j], out[t]);
  }
}

#define FLOAT_NEON(name, type)                                                                                         \
  static float dot_##name##_row_neon (const uint8_t *w, const void *x, size_t n_items)                                 \
  {                                                                                                                    \
    float sum;                                                                                                         \
    dot_float (type, w, x, 0, 1, n_items, &sum);                                                                       \
    return sum;                                                                                                        \
  }                                                                                                                    \
  static void dot_4_##name##_row_neon (const uint8_t *w, const void *x, size_t x_bytes, size_t n_items, float sum[4])  \
  {                                                                                                                    \
    dot_float (type, w, x, x_bytes, 4, n_items, sum);                                                                  \
  }                                                                                                                    \
  const struct kernel_type name##_neon = { COMPANION_F32, dot_##name##_row_neon, dot_4_##name##_row_neon };

FLOAT_NEON (f32, FLOAT_F32)
FLOAT_NEON (f16, FLOAT_F16)
FLOAT_NEON (bf16, FLOAT_BF16)

float dot_f32_neon (const float *a, const float *b, size_t n)
{
  return dot_f32_row_neon ((const uint8_t *)a, b, n);
}

/* ---- halves ---------------------------------------------------------------------------------------------- */

void f32_to_f16_neon (const float *x, uint16_t *y, size_t n)
{
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    vst1_u16 (y + i, vreinterpret_u16_f16 (vcvt_f16_f32 (vld1q_f32 (x + i))));
  for (; i < n; i++)
    y[i] = vget_lane_u16 (vreinterpret_u16_f16 (vcvt_f16_f32 (vdupq_n_f32 (x[i]))), 0);
}

void f16_to_f32_neon (const uint16_t *x, float *y, size_t n)
{
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    vst1q_f32 (y + i, load_4_halves ((const uint8_t *)(x + i)));
  for (; i < n; i++)
    y[i] = load_f16_fast ((const uint8_t *)(x + i));
}

void q8_0_to_f32_neon (const uint8_t *x, float *y, size_t n_items)
{
  for (; n_items >= 32; n_items -= 32, x += 34, y += 32) {
    const float d = load_f16_fast (x);
    for (int i = 0; i < 4; i++) {
      const int16x8_t q = vmovl_s8 (vreinterpret_s8_u8 (vld1_u8 (x + 2 + 8 * i)));
      vst1q_f32 (y + 8 * i, vmulq_n_f32 (vcvtq_f32_s32 (vmovl_s16 (vget_low_s16 (q))), d));
      vst1q_f32 (y + 8 * i + 4, vmulq_n_f32 (vcvtq_f32_s32 (vmovl_high_s16 (q)), d));
    }
  }
}
