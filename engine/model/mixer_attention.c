/* mixer_attention.c: projections, norms and rotation of queries and keys, and attention over the cache. */
#include "engine/model/attention.h"
#include "engine/model/forward.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <math.h>

/* Weights of the norm over each head of Q or K: one set for all heads, or one each. */
struct head_norm {
  const float *shared, *each;
};

static void norm_head (const struct forward *forward, const struct head_norm *norm, uint32_t head, float *x)
{
  const struct model_shape *shape = &forward->model->shape;
  const float *weight = norm->shared ? norm->shared : norm->each + (size_t)head * shape->head_dim;
  if (forward->model->arch->norm == NORM_LAYER)
    layer_norm (x, weight, NULL, shape->head_dim, shape->norm_epsilon, x);
  else
    rms_norm (x, weight, shape->head_dim, shape->norm_epsilon, x);
}

/* Bias, norm and rotation of one projected row of heads. */
static void finish_heads (const struct forward *forward, float *heads, uint32_t n_heads, const float *bias,
                          struct head_norm norm, uint32_t row)
{
  const struct engine_model *model = forward->model;
  const enum rope_table table = forward->shape->rope;
  const uint32_t head_dim = model->shape.head_dim;
  if (bias)
    add (heads, bias, (size_t)n_heads * head_dim);
  for (uint32_t head = 0; (norm.shared || norm.each) && head < n_heads; head++)
    norm_head (forward, &norm, head, heads + (size_t)head * head_dim);
  if (table != ROPE_TABLE_NONE) {
    size_t at = (size_t)row * model->n_rope_pairs;
    rope_apply (forward->ropes[table], forward->buffers.cosines[table] + at, forward->buffers.sines[table] + at, heads,
                n_heads, head_dim);
  }
}

/* Queries of far positions grow with their logarithm (Llama 4, Mistral 3). */
static float temperature_of (const struct model_shape *shape, uint32_t position)
{
  if (shape->temperature_scale == 0)
    return 1;
  return 1 + shape->temperature_scale * logf (1 + floorf ((float)position / (float)shape->temperature_tokens));
}

static void finish_row (void *data, uint32_t row)
{
  const struct forward *forward = data;
  const struct model_shape *shape = &forward->model->shape;
  const struct layer_weights *layer = forward->layer;
  const struct forward_buffers *b = &forward->buffers;
  const uint32_t n_kv = forward->shape->n_kv, n_kv_heads = forward->shape->n_kv_heads;
  const uint32_t place = forward->position + row; /* in the cache */
  float *q = b->q + (size_t)row * shape->n_q, *k = b->k + (size_t)row * n_kv, *v = b->v + (size_t)row * n_kv;
  if (row >= forward->first_row) {
    finish_heads (forward, q, shape->n_heads, layer->q_bias, (struct head_norm){ layer->q_norm, layer->q_norm_heads },
                  row);
    scale (q, temperature_of (shape, b->positions[row]), shape->n_q);
  }
  finish_heads (forward, k, n_kv_heads, layer->k_bias, (struct head_norm){ layer->k_norm, layer->k_norm_heads }, row);
  if (layer->v_bias)
    add (v, layer->v_bias, n_kv);
  kv_layer_put (&forward->kv, forward->kv.keys, place, k);
  kv_layer_put (&forward->kv, forward->kv.values, place, v);
}

/* Keys and values of all rows, queries of those from first_row on. */
static void project_heads (struct forward *forward)
{
  const struct layer_weights *layer = forward->layer;
  const struct forward_buffers *b = &forward->buffers;
  const bool all_rows = forward->first_row == 0;
  forward_multiply_all (forward, &(struct matmul){ .x = b->h,
                                                   .x_stride = layer->k.n_cols,
                                                   .n_tokens = forward->n_tokens,
                                                   .outputs = { { &layer->k, b->k, layer->k.n_rows },
                                                                { &layer->v, b->v, layer->v.n_rows },
                                                                { &layer->q, b->q, layer->q.n_rows } },
                                                   .n_outputs = all_rows ? 3 : 2,
                                                   .prepare = forward_prepare_mixer,
                                                   .data = forward });
  if (!all_rows && forward->first_row < forward->n_tokens)
    forward_project (forward, &layer->q, b->h, b->q, forward->first_row);
}

/* Where the weights are quantised, the products around the attention round their activations to 8 bits: then its own
 * operands may have 8 bits too (bf16). Float weights get F32. */
static bool is_exact (const struct forward *forward)
{
  return forward->exact || tensor_type_get_info (forward->layer->q.type)->block_items == 1;
}

void forward_attend (struct forward *forward)
{
  const struct model_shape *shape = &forward->model->shape;
  const struct layer_weights *layer = forward->layer;
  const struct forward_buffers *b = &forward->buffers;
  const uint32_t first = forward->first_row, n_rows = forward->n_tokens - first, window = forward->shape->window_tokens;
  const bool causal = !shape->bidirectional;
  project_heads (forward);
  rows_run (forward->pool, forward->n_tokens, finish_row, forward);
  if (n_rows == 0 || forward_is_cancelled (forward))
    return;
  struct attention attention = {
    .kernel = attention_kernel_get (is_exact (forward)),
    .kv = forward->kv,
    .n_heads = shape->n_heads,
    .sequences = forward->sequences,
    .n_sequences = forward->n_sequences,
    .first_row = first,
    .n_rows = forward->n_tokens,
    .position = forward->position,
    /* Causal windows count the token itself; symmetric ones reach half of their size to each side. */
    .before = window == 0 ? ATTENTION_ALL
              : causal    ? window - 1
                          : window / 2,
    .after = causal        ? 0
             : window == 0 ? ATTENTION_ALL
                           : window / 2,
    .scale = shape->attention_scale,
    .softcap = shape->attention_softcap,
    .q = b->q,
    .out = b->attended,
    .cancel = forward->cancel,
  };
  attention_run (forward->pool, &attention);
  forward_project (forward, &layer->o, b->attended, b->y, first);
}
