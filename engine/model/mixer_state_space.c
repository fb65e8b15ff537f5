/* mixer_state_space.c: Mamba's selective state space (arXiv 2312.00752, section 3.4 and algorithm 2).
 *
 * Of each layer's state, the first (taps - 1) x inner floats are the convolution's last inputs, the others are the hidden
 * states [inner][state]. Channels are independent: they are what the threads share out. */
#include "engine/model/forward.h"
#include "engine/model/history.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include "engine/model/vec4.h"
#include <math.h>
#include <string.h>

#define CHANNELS_PER_PART 64

static struct history get_history (const struct forward *forward)
{
  const struct model_shape *shape = &forward->model->shape;
  return (struct history){
    .rows = forward->buffers.wide,
    .stride = 2 * (size_t)shape->ssm_inner,
    .positions = forward->buffers.positions,
    .before = forward->state + forward->shape->state_before,
    .n_rows = forward->n_tokens,
    .n_channels = shape->ssm_inner,
    .n_taps = shape->conv_taps,
  };
}

static void convolve_row (void *data, uint32_t row)
{
  const struct forward *forward = data;
  const struct history history = get_history (forward);
  const size_t n = forward->model->shape.ssm_inner;
  float *out = forward->buffers.inner + row * n;
  history_convolve (&history, forward->layer->ssm_taps, row, out);
  add (out, forward->layer->ssm_taps_bias, n);
  activate (ACTIVATION_SILU, out, n);
}

/* dt, B and C, one after the other. */
static void norm_select_row (void *data, uint32_t row)
{
  const struct forward *forward = data;
  const struct model_shape *shape = &forward->model->shape;
  float *select = forward->buffers.select + (size_t)row * (shape->ssm_dt + 2 * shape->ssm_state);
  const uint32_t sizes[] = { shape->ssm_dt, shape->ssm_state, shape->ssm_state };
  for (size_t i = 0; i < 3; select += sizes[i++])
    rms_norm (select, NULL, sizes[i], shape->norm_epsilon, select);
}

static float softplus (float x)
{
  return x > 20 ? x : log1pf (expf (x));
}

/* One step of one channel: h = exp (dt A) h + dt x B; returns h C. */
static float step (float *h, const float *a, const float *b, const float *c, float dt, float x, uint32_t n)
{
  vec4 sum = vec4_all (0);
  uint32_t i = 0;
  for (; i + 4 <= n; i += 4) {
    vec4 next = vec4_load (h + i) * vec4_exp (dt * vec4_load (a + i)) + vec4_load (b + i) * (dt * x);
    vec4_store (h + i, next);
    sum += next * vec4_load (c + i);
  }
  float rest = 0;
  for (; i < n; i++) {
    h[i] = h[i] * expf (dt * a[i]) + b[i] * (dt * x);
    rest += h[i] * c[i];
  }
  return vec4_sum (sum) + rest;
}

static void scan_channel (const struct forward *forward, uint32_t channel)
{
  const struct model_shape *shape = &forward->model->shape;
  const struct forward_buffers *b = &forward->buffers;
  const struct layer_weights *layer = forward->layer;
  const size_t inner = shape->ssm_inner, n_state = shape->ssm_state, select_width = shape->ssm_dt + 2 * n_state;
  float *h = forward->state + forward->shape->state_before + (shape->conv_taps - 1) * inner + channel * n_state;
  const float *a = layer->ssm_a + channel * n_state;
  for (uint32_t t = 0; t < forward->n_tokens; t++) {
    const float *in = b->select + t * select_width + shape->ssm_dt, *out = in + n_state;
    float *x = b->inner + t * inner + channel;
    if (b->positions[t] == 0)
      memset (h, 0, n_state * sizeof *h);
    float dt = softplus (b->dt[t * inner + channel] + layer->ssm_dt_bias[channel]);
    *x = step (h, a, in, out, dt, *x, shape->ssm_state) + layer->ssm_d[channel] * *x;
  }
}

static void scan_part (void *data, size_t part)
{
  const struct forward *forward = data;
  const uint32_t first = (uint32_t)part * CHANNELS_PER_PART, n = forward->model->shape.ssm_inner;
  for (uint32_t channel = first; channel < n && channel < first + CHANNELS_PER_PART; channel++)
    scan_channel (forward, channel);
}

/* The scan's output, gated by silu (z). */
static void gate_output_row (void *data, uint32_t index)
{
  const struct forward *forward = data;
  const size_t n = forward->model->shape.ssm_inner, row = forward->first_row + index;
  float *z = forward->buffers.wide + 2 * n * row + n;
  activate (ACTIVATION_SILU, z, n);
  multiply (forward->buffers.inner + row * n, z, n);
}

void forward_scan (struct forward *forward)
{
  const struct model_shape *shape = &forward->model->shape;
  const struct forward_buffers *b = &forward->buffers;
  const struct layer_weights *layer = forward->layer;
  const uint32_t n = forward->n_tokens, n_rows = n - forward->first_row;
  forward_project_first (forward, &layer->ssm_in, b->wide);
  if (forward_is_cancelled (forward))
    return;
  rows_run (forward->pool, n, convolve_row, forward);
  const struct history history = get_history (forward);
  history_advance (&history);
  forward_project (forward, &layer->ssm_select, b->inner, b->select, 0);
  if (shape->ssm_norms)
    rows_run (forward->pool, n, norm_select_row, forward);
  forward_multiply (forward, &layer->ssm_dt, b->select, shape->ssm_dt + 2 * (size_t)shape->ssm_state, n, b->dt,
                    shape->ssm_inner);
  if (forward_is_cancelled (forward))
    return;
  pool_run (forward->pool, (shape->ssm_inner + CHANNELS_PER_PART - 1) / CHANNELS_PER_PART, scan_part, forward);
  rows_run (forward->pool, n_rows, gate_output_row, forward);
  if (n_rows > 0)
    forward_project (forward, &layer->ssm_out, b->inner, b->y, forward->first_row);
}
