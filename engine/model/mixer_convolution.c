/* mixer_convolution.c: LFM2's gated short convolution: y = out (c * conv (b * x)), where b, c, x are projections. */
#include "engine/model/forward.h"
#include "engine/model/history.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"

static struct history get_history (const struct forward *forward)
{
  const struct model_shape *shape = &forward->model->shape;
  return (struct history){
    .rows = forward->buffers.wide,
    .stride = 3 * (size_t)shape->n_embd,
    .positions = forward->buffers.positions,
    .before = forward->state + forward->shape->state_before,
    .n_rows = forward->n_tokens,
    .n_channels = shape->n_embd,
    .n_taps = shape->conv_taps,
  };
}

/* b, in place, becomes b * x: the convolution's input. */
static void gate_input_row (void *data, uint32_t row)
{
  const struct forward *forward = data;
  const size_t n = forward->model->shape.n_embd;
  float *b = forward->buffers.wide + 3 * n * row;
  multiply (b, b + 2 * n, n);
}

static void convolve_row (void *data, uint32_t index)
{
  const struct forward *forward = data;
  const struct history history = get_history (forward);
  const uint32_t row = forward->first_row + index;
  const size_t n = forward->model->shape.n_embd;
  float *out = forward->buffers.inner + row * n;
  history_convolve (&history, forward->layer->conv_taps, row, out);
  multiply (out, forward->buffers.wide + 3 * n * row + n, n);
}

void forward_convolve (struct forward *forward)
{
  const struct forward_buffers *b = &forward->buffers;
  const struct layer_weights *layer = forward->layer;
  const uint32_t n_rows = forward->n_tokens - forward->first_row;
  forward_project_first (forward, &layer->conv_in, b->wide);
  if (forward_is_cancelled (forward))
    return;
  rows_run (forward->pool, forward->n_tokens, gate_input_row, forward);
  rows_run (forward->pool, n_rows, convolve_row, forward);
  const struct history history = get_history (forward);
  history_advance (&history);
  if (n_rows > 0)
    forward_project (forward, &layer->conv_out, b->inner, b->y, forward->first_row);
}
