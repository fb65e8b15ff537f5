#include "engine/model/ops.h"
#include "engine/model/vec4.h"
#include <math.h>

static float sum_of_squares (const float *x, size_t n, float minus)
{
  vec4 sum = vec4_all (0);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    vec4 v = vec4_load (x + i) - minus;
    sum += v * v;
  }
  float rest = 0;
  for (; i < n; i++)
    rest += (x[i] - minus) * (x[i] - minus);
  return vec4_sum (sum) + rest;
}

void rms_norm (const float *x, const float *weight, size_t n, float epsilon, float *out)
{
  float by = 1 / sqrtf (sum_of_squares (x, n, 0) / (float)n + epsilon);
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    vec4_store (out + i, vec4_load (x + i) * by * (weight ? vec4_load (weight + i) : vec4_all (1)));
  for (; i < n; i++)
    out[i] = x[i] * by * (weight ? weight[i] : 1);
}

void layer_norm (const float *x, const float *weight, const float *bias, size_t n, float epsilon, float *out)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += x[i];
  float mean = (float)(sum / (double)n);
  float by = 1 / sqrtf (sum_of_squares (x, n, mean) / (float)n + epsilon);
  for (size_t i = 0; i < n; i++)
    out[i] = (x[i] - mean) * by * weight[i] + (bias ? bias[i] : 0);
}

void add (float *y, const float *x, size_t n)
{
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    vec4_store (y + i, vec4_load (y + i) + vec4_load (x + i));
  for (; i < n; i++)
    y[i] += x[i];
}

void add_scaled (float *y, float factor, const float *x, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] += factor * x[i];
}

void multiply (float *y, const float *x, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] *= x[i];
}

void scale (float *x, float factor, size_t n)
{
  for (size_t i = 0; factor != 1 && i < n; i++)
    x[i] *= factor;
}

void soft_cap (float *x, float factor, size_t n)
{
  for (size_t i = 0; i < n; i++)
    x[i] = factor * tanhf (x[i] / factor);
}

/* ---- activations ----------------------------------------------------------------------------------------- */

static inline vec4 silu4 (vec4 x)
{
  return x / (1.0f + vec4_exp (-x));
}

/* Abramowitz and Stegun 7.1.26 for erf. */
static inline vec4 gelu_erf4 (vec4 x)
{
  vec4_bits negative = (vec4_bits)(x < vec4_all (0));
  vec4 z = vec4_select (negative, -x, x) * 0.70710678118f;
  vec4 t = 1.0f / (1.0f + 0.3275911f * z);
  vec4 p = vec4_all (1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  vec4 complement = p * t * vec4_exp (-z * z); /* 1 - erf (z) */
  return 0.5f * x * vec4_select (negative, complement, 2.0f - complement);
}

/* x (1 + tanh (z)) / 2 = x / (1 + e^(-2 z)) with z = sqrt (2 / pi) (x + 0.044715 x^3). */
static inline vec4 gelu_tanh4 (vec4 x)
{
  return x / (1.0f + vec4_exp (-1.5957691216f * x * (1.0f + 0.044715f * x * x)));
}

#define APPLY(function)                                                                                                \
  do {                                                                                                                 \
    size_t i = 0;                                                                                                      \
    for (; i + 4 <= n; i += 4)                                                                                         \
      vec4_store (x + i, function (vec4_load (x + i)));                                                                \
    for (; i < n; i++)                                                                                                 \
      x[i] = function (vec4_all (x[i]))[0];                                                                            \
  } while (0)

void activate (enum activation activation, float *x, size_t n)
{
  switch (activation) {
  case ACTIVATION_SILU: APPLY (silu4); break;
  case ACTIVATION_GELU_ERF: APPLY (gelu_erf4); break;
  case ACTIVATION_GELU_TANH: APPLY (gelu_tanh4); break;
  case ACTIVATION_TANH:
    for (size_t i = 0; i < n; i++)
      x[i] = tanhf (x[i]);
    break;
  }
}

void l2_normalize (float *x, size_t n)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double)x[i] * x[i];
  if (!(sum > 0))
    return;
  scale (x, (float)(1 / sqrt (sum)), n);
}

void rope_angles (const struct rope *rope, uint32_t position, float *cosines, float *sines)
{
  for (uint32_t i = 0; i < rope->n_pairs; i++) {
    double angle = (double)position * rope->frequencies[i];
    cosines[i] = (float)cos (angle) * rope->magnitude;
    sines[i] = (float)sin (angle) * rope->magnitude;
  }
}

void rope_apply (const struct rope *rope, const float *cosines, const float *sines, float *x, uint32_t n_heads,
                 uint32_t head_dim)
{
  size_t step = rope->layout == ROPE_NEOX ? 1 : 2, apart = rope->layout == ROPE_NEOX ? rope->n_pairs : 1;
  for (uint32_t head = 0; head < n_heads; head++, x += head_dim)
    for (uint32_t i = 0; i < rope->n_pairs; i++) {
      float *first = x + i * step, *second = first + apart;
      float a = *first, b = *second;
      *first = a * cosines[i] - b * sines[i];
      *second = a * sines[i] + b * cosines[i];
    }
}
