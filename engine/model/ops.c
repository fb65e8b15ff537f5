#include "engine/model/ops.h"
#include "engine/kernels/row_kernels.h"
#include <math.h>

void rms_norm (const float *x, const float *weight, size_t n, float epsilon, float *out)
{
  row_kernels_get ()->rms_norm (x, weight, n, epsilon, out);
}

void layer_norm (const float *x, const float *weight, const float *bias, size_t n, float epsilon, float *out)
{
  row_kernels_get ()->layer_norm (x, weight, bias, n, epsilon, out);
}

void add (float *y, const float *x, size_t n)
{
  row_kernels_get ()->add (y, x, n);
}

void add_scaled (float *y, float factor, const float *x, size_t n)
{
  row_kernels_get ()->add_scaled (y, factor, x, n);
}

void multiply (float *y, const float *x, size_t n)
{
  row_kernels_get ()->multiply (y, x, n);
}

void scale (float *x, float factor, size_t n)
{
  if (factor != 1)
    row_kernels_get ()->scale (x, factor, n);
}

void soft_cap (float *x, float factor, size_t n)
{
  for (size_t i = 0; i < n; i++)
    x[i] = factor * tanhf (x[i] / factor);
}

void activate (enum activation activation, float *x, size_t n)
{
  switch (activation) {
  case ACTIVATION_SILU: row_kernels_get ()->silu (x, n); break;
  case ACTIVATION_GELU_ERF: row_kernels_get ()->gelu_erf (x, n); break;
  case ACTIVATION_GELU_TANH: row_kernels_get ()->gelu_tanh (x, n); break;
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
