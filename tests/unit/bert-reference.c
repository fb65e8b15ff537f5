#include "tests/unit/bert-reference.h"
#include "engine/kernels/matmul.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

float *reference_array (size_t n)
{
  float *values = calloc (n, sizeof *values);
  assert (values);
  return values;
}

static void linear (const struct builder_model *m, uint32_t layer, const char *name, const float *x, uint32_t n_cols,
                    uint32_t n_rows, float *out)
{
  const float *w = builder_model_get (m, "blk.%u.%s.weight", layer, name);
  const float *bias = builder_model_get (m, "blk.%u.%s.bias", layer, name);
  for (uint32_t r = 0; r < n_rows; r++) {
    double sum = bias[r];
    for (uint32_t c = 0; c < n_cols; c++)
      sum += (double)w[(size_t)r * n_cols + c] * x[c];
    out[r] = (float)sum;
  }
}

static void normalize (const float *weight, const float *bias, uint32_t n, float *x)
{
  double mean = 0, variance = 0;
  for (uint32_t i = 0; i < n; i++)
    mean += x[i];
  mean /= n;
  for (uint32_t i = 0; i < n; i++)
    variance += (x[i] - mean) * (x[i] - mean);
  for (uint32_t i = 0; i < n; i++)
    x[i] = (float)((x[i] - mean) / sqrt (variance / n + 1e-5)) * weight[i] + bias[i];
}

static void round_to_half (float *x, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    uint16_t half;
    f32_to_f16 (x + i, &half, 1);
    f16_to_f32 (&half, x + i, 1);
  }
}

static void attend (const struct builder_options *o, const float *q, const float *k, const float *v, uint32_t n,
                    float *out)
{
  double *weights = calloc (n, sizeof *weights);
  assert (weights);
  for (uint32_t h = 0; h < o->n_heads; h++) {
    uint32_t at = h * o->head_dim;
    double total = 0;
    for (uint32_t p = 0; p < n; p++) {
      double score = 0;
      for (uint32_t d = 0; d < o->head_dim; d++)
        score += (double)q[at + d] * k[p * o->n_embd + at + d];
      total += weights[p] = exp (score / sqrt (o->head_dim));
    }
    for (uint32_t d = 0; d < o->head_dim; d++) {
      double sum = 0;
      for (uint32_t p = 0; p < n; p++)
        sum += weights[p] / total * v[p * o->n_embd + at + d];
      out[at + d] = (float)sum;
    }
  }
  free (weights);
}

static void reference_layer (const struct builder_model *m, uint32_t l, float *x, uint32_t n)
{
  const struct builder_options *o = &m->options;
  uint32_t e = o->n_embd;
  float *q = reference_array ((size_t)n * e), *k = reference_array ((size_t)n * e),
        *v = reference_array ((size_t)n * e), *h = reference_array (e);
  float *attended = reference_array (e), *inner = reference_array (o->n_ff);
  for (uint32_t t = 0; t < n; t++) {
    linear (m, l, "attn_q", x + t * e, e, e, q + t * e);
    linear (m, l, "attn_k", x + t * e, e, e, k + t * e);
    linear (m, l, "attn_v", x + t * e, e, e, v + t * e);
    round_to_half (k + t * e, e);
    round_to_half (v + t * e, e);
  }
  for (uint32_t t = 0; t < n; t++) {
    attend (o, q + t * e, k, v, n, attended);
    linear (m, l, "attn_output", attended, e, e, h);
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] += h[i];
    normalize (builder_model_get (m, "blk.%u.attn_output_norm.weight", l),
               builder_model_get (m, "blk.%u.attn_output_norm.bias", l), e, x + t * e);
    linear (m, l, "ffn_up", x + t * e, e, o->n_ff, inner);
    for (uint32_t i = 0; i < o->n_ff; i++)
      inner[i] = (float)(0.5 * inner[i] * (1 + erf (inner[i] / sqrt (2))));
    linear (m, l, "ffn_down", inner, o->n_ff, e, h);
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] += h[i];
    normalize (builder_model_get (m, "blk.%u.layer_output_norm.weight", l),
               builder_model_get (m, "blk.%u.layer_output_norm.bias", l), e, x + t * e);
  }
  float *all[] = { q, k, v, h, attended, inner };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    free (all[i]);
}

float *bert_reference_run (const struct builder_model *m, const int32_t *ids, const uint8_t *types, uint32_t n)
{
  const struct builder_options *o = &m->options;
  uint32_t e = o->n_embd;
  float *x = reference_array ((size_t)n * e);
  for (uint32_t t = 0; t < n; t++) {
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] = builder_model_get (m, "token_embd.weight")[(size_t)ids[t] * e + i]
                     + builder_model_get (m, "position_embd.weight")[t * e + i]
                     + builder_model_get (m, "token_types.weight")[(types ? types[t] : 0) * e + i];
    normalize (builder_model_get (m, "token_embd_norm.weight"), builder_model_get (m, "token_embd_norm.bias"), e,
               x + t * e);
  }
  for (uint32_t l = 0; l < o->n_layers; l++)
    reference_layer (m, l, x, n);
  return x;
}
