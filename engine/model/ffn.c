/* ffn.c: feed-forward nets: dense, or the few of many experts that a router chooses for each token (arXiv 1701.06538). */
#include "engine/model/forward.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <math.h>
#include <string.h>

/* One gated or plain net over n rows. */
struct net {
  struct forward *forward;
  struct matrix gate, up, down; /* gate.data NULL: plain */
  const float *up_bias;
  bool prepares; /* its input is h of the rows from `first` on, which is still to be made */
  uint32_t first;
};

static void project_rows (const struct forward *forward, const struct matrix *w, const float *in, float *out,
                          uint32_t n)
{
  forward_multiply (forward, w, in, w->n_cols, n, out, w->n_rows);
}

static void prepare_net (void *data, uint32_t row)
{
  const struct net *net = data;
  forward_prepare_ffn (net->forward, net->first + row);
}

/* up = activation (gate) * (up + bias), of n items from `row` on of each token. */
static void combine_gated (void *data, float *gate, float *up, size_t stride, uint32_t n_tokens, uint32_t row,
                           uint32_t n)
{
  const struct net *net = data;
  const enum activation activation = net->forward->model->shape.activation;
  for (uint32_t t = 0; net->up_bias && t < n_tokens; t++)
    add (up + t * stride, net->up_bias + row, n);
  const bool whole = n == stride; /* the tile is one run of memory */
  for (uint32_t t = 0; t < (whole ? 1 : n_tokens); t++) {
    const size_t n_items = whole ? (size_t)n_tokens * n : n;
    activate (activation, gate + t * stride, n_items);
    multiply (up + t * stride, gate + t * stride, n_items);
  }
}

static void activate_row (void *data, uint32_t row)
{
  const struct net *net = data;
  const size_t n_ff = net->up.n_rows;
  float *up = net->forward->buffers.up + row * n_ff;
  if (net->up_bias)
    add (up, net->up_bias, n_ff);
  activate (net->forward->model->shape.activation, up, n_ff);
}

static void run_net (struct net *net, const float *in, float *out, uint32_t n)
{
  const struct forward *forward = net->forward;
  const struct forward_buffers *b = &forward->buffers;
  const bool gated = net->gate.data;
  const struct matmul_output gate = { &net->gate, b->gate, net->gate.n_rows }, up = { &net->up, b->up, net->up.n_rows };
  forward_multiply_all (forward, &(struct matmul){ .x = in,
                                                   .x_stride = net->up.n_cols,
                                                   .n_tokens = n,
                                                   .outputs = { gated ? gate : up, up },
                                                   .n_outputs = gated ? 2 : 1,
                                                   .prepare = net->prepares ? prepare_net : NULL,
                                                   .combine = gated ? combine_gated : NULL,
                                                   .data = net });
  if (forward_is_cancelled (forward))
    return;
  if (!gated)
    rows_run (forward->pool, n, activate_row, net);
  project_rows (forward, &net->down, b->up, out, n);
}

void forward_run_dense (struct forward *forward, uint32_t first, uint32_t n)
{
  const struct layer_weights *layer = forward->layer;
  const size_t at = (size_t)first * forward->model->shape.n_embd;
  struct net net = { forward, layer->gate, layer->up, layer->down, layer->up_bias, true, first };
  run_net (&net, forward->buffers.h + at, forward->buffers.y + at, n);
}

/* ---- experts --------------------------------------------------------------------------------------------- */

/* The matrix of expert `index` of those that follow `first`. */
static struct matrix get_expert (const struct matrix *first, uint32_t index)
{
  struct matrix matrix = *first;
  if (first->data) /* else plain nets, without a gate */
    matrix.data
        = (const char *)first->data + index * first->n_rows * tensor_type_row_bytes (first->type, first->n_cols);
  return matrix;
}

/* Turns a row of router logits into the best experts, best first (ties: the lower number), and their weights. */
static void choose_experts (void *data, uint32_t row)
{
  const struct forward *forward = data;
  const struct model_shape *shape = &forward->model->shape;
  const uint32_t n = shape->n_experts, n_used = shape->n_experts_used;
  float *logits = forward->buffers.router + (size_t)row * n;
  uint16_t *chosen = forward->buffers.experts + (size_t)row * n_used;
  float *weights = forward->buffers.expert_weights + (size_t)row * n_used, best = -INFINITY, total = 0, sum = 0;
  for (uint32_t i = 0; i < n; i++)
    best = logits[i] > best ? logits[i] : best;
  for (uint32_t i = 0; i < n; i++)
    total += logits[i] = expf (logits[i] - best);
  for (uint32_t k = 0; k < n_used; k++) {
    uint32_t most = 0;
    for (uint32_t i = 1; i < n; i++)
      if (logits[i] > logits[most])
        most = i;
    chosen[k] = (uint16_t)most;
    sum += weights[k] = logits[most] / total;
    logits[most] = -1;
  }
  const float factor = shape->expert_scale / (shape->experts_normalised ? sum : 1);
  for (uint32_t k = 0; k < n_used; k++)
    weights[k] *= factor;
}

/* Runs one expert over those of the n rows from `first` on that chose it, and adds its weighted output to y. */
static void run_expert (struct forward *forward, uint32_t expert, uint32_t first, uint32_t n)
{
  const struct model_shape *shape = &forward->model->shape;
  const struct layer_weights *layer = forward->layer;
  const struct forward_buffers *b = &forward->buffers;
  const size_t n_embd = shape->n_embd, n_used = shape->n_experts_used;
  uint32_t n_rows = 0;
  for (uint32_t row = 0; row < n; row++) {
    size_t k = 0; /* of NaN logits an expert may be chosen twice: it counts once */
    while (k < n_used && b->experts[row * n_used + k] != expert)
      k++;
    if (k == n_used)
      continue;
    memcpy (b->gathered + n_rows * n_embd, b->h + (first + row) * n_embd, n_embd * sizeof (float));
    b->expert_rows[n_rows++] = (uint32_t)(row * n_used + k);
  }
  if (n_rows == 0)
    return;
  struct net net = { forward,
                     get_expert (&layer->expert_gate, expert),
                     get_expert (&layer->expert_up, expert),
                     get_expert (&layer->expert_down, expert),
                     NULL,
                     false,
                     0 };
  run_net (&net, b->gathered, b->expert_out, n_rows);
  for (uint32_t i = 0; i < n_rows; i++)
    add_scaled (b->y + (first + b->expert_rows[i] / n_used) * n_embd, b->expert_weights[b->expert_rows[i]],
                b->expert_out + i * n_embd, n_embd);
}

static void run_shared_expert (struct forward *forward, uint32_t first, uint32_t n)
{
  const struct layer_weights *layer = forward->layer;
  const struct forward_buffers *b = &forward->buffers;
  const size_t n_embd = forward->model->shape.n_embd, at = first * n_embd;
  struct net net = { forward, layer->shared_gate, layer->shared_up, layer->shared_down, NULL, false, 0 };
  project_rows (forward, &layer->shared_router, b->h + at, b->router, n);
  run_net (&net, b->h + at, b->expert_out, n);
  for (uint32_t row = 0; row < n; row++)
    add_scaled (b->y + at + row * n_embd, 1 / (1 + expf (-b->router[row])), b->expert_out + row * n_embd, n_embd);
}

void forward_run_experts (struct forward *forward, uint32_t first, uint32_t n)
{
  const struct forward_buffers *b = &forward->buffers;
  const size_t n_embd = forward->model->shape.n_embd, at = first * n_embd;
  struct net rows = { .forward = forward, .first = first };
  const struct matrix *router = &forward->layer->router;
  forward_multiply_all (forward, &(struct matmul){ .x = b->h + at,
                                                   .x_stride = n_embd,
                                                   .n_tokens = n,
                                                   .outputs = { { router, b->router, router->n_rows } },
                                                   .n_outputs = 1,
                                                   .prepare = prepare_net,
                                                   .data = &rows });
  if (forward_is_cancelled (forward))
    return; /* the logits are undefined */
  rows_run (forward->pool, n, choose_experts, forward);
  memset (b->y + at, 0, n * n_embd * sizeof (float));
  for (uint32_t expert = 0; expert < forward->model->shape.n_experts && !forward_is_cancelled (forward); expert++)
    run_expert (forward, expert, first, n);
  if (forward->layer->shared_up.data && !forward_is_cancelled (forward))
    run_shared_expert (forward, first, n);
}
