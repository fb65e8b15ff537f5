#include "engine/model/forward.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <string.h>

/* ---- memory ---------------------------------------------------------------------------------------------- */

struct buffer {
  float **field;
  uint32_t n_rows, n_cols;
};

static void take_all (const struct buffer *list, size_t n, struct arena *arena)
{
  for (size_t i = 0; i < n; i++)
    if (list[i].n_cols > 0)
      *list[i].field = arena_take (arena, (uint64_t)list[i].n_rows * list[i].n_cols, sizeof (float));
}

static uint32_t largest (const uint32_t *sizes, size_t n)
{
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++)
    most = sizes[i] > most ? sizes[i] : most;
  return most;
}

static size_t count_scratch (const struct model_shape *shape, uint32_t n_tokens, uint32_t n_ffn)
{
  const uint32_t inputs[] = { shape->n_embd, shape->n_q, shape->ssm_inner, shape->ssm_dt };
  const uint32_t inners[] = { shape->n_embd, shape->n_ff_max, shape->n_expert_ff, shape->n_shared_ff };
  size_t mixer = matmul_scratch_bytes (largest (inputs, 4), n_tokens);
  size_t ffn = matmul_scratch_bytes (largest (inners, 4), n_ffn);
  return mixer > ffn ? mixer : ffn;
}

struct forward_buffers forward_take_buffers (const struct engine_model *model, uint32_t n_tokens, uint32_t n_rows,
                                             struct arena *arena)
{
  const struct model_shape *shape = &model->shape;
  const uint32_t n = n_tokens, n_ffn = n < FORWARD_FFN_TOKENS ? n : FORWARD_FFN_TOKENS;
  const uint32_t ffs[] = { shape->n_ff_max, shape->n_expert_ff, shape->n_shared_ff }, n_ff = largest (ffs, 3);
  const bool convolves = model->arch->groups & GROUP_CONVOLUTION, scans = model->arch->groups & GROUP_STATE_SPACE;
  const uint32_t inner = scans ? shape->ssm_inner : convolves ? shape->n_embd : 0;
  struct forward_buffers buffers
      = { .n_tokens = n, .positions = arena_take (arena, n_rows, sizeof *buffers.positions) };
  const struct buffer list[] = {
    { &buffers.x, n_rows, shape->n_embd },
    { &buffers.h, n, shape->n_embd },
    { &buffers.y, n, shape->n_embd },
    { &buffers.q, n, shape->n_q },
    { &buffers.attended, n, shape->n_q },
    { &buffers.k, n, shape->n_kv_max },
    { &buffers.v, n, shape->n_kv_max },
    { &buffers.wide, n, scans ? 2 * inner : 3 * inner },
    { &buffers.inner, n, inner },
    { &buffers.select, n, scans ? shape->ssm_dt + 2 * shape->ssm_state : 0 },
    { &buffers.dt, n, scans ? inner : 0 },
    { &buffers.gate, n_ffn, n_ff },
    { &buffers.up, n_ffn, n_ff },
    { &buffers.gathered, n_ffn, shape->n_experts ? shape->n_embd : 0 },
    { &buffers.expert_out, n_ffn, shape->n_experts ? shape->n_embd : 0 },
    { &buffers.router, n_ffn, shape->n_experts },
    { &buffers.expert_weights, n_ffn, shape->n_experts_used },
  };
  take_all (list, sizeof list / sizeof *list, arena);
  for (size_t i = 0; i < ROPE_N_TABLES; i++)
    if (model->ropes[i].frequencies) {
      buffers.cosines[i] = arena_take (arena, (uint64_t)n_rows * model->n_rope_pairs, sizeof (float));
      buffers.sines[i] = arena_take (arena, (uint64_t)n_rows * model->n_rope_pairs, sizeof (float));
    }
  if (shape->n_experts) {
    buffers.experts = arena_take (arena, (uint64_t)n_ffn * shape->n_experts_used, sizeof *buffers.experts);
    buffers.expert_rows = arena_take (arena, n_ffn, sizeof *buffers.expert_rows);
  }
  buffers.matmul_scratch = arena_take (arena, count_scratch (shape, n, n_ffn), 1);
  return buffers;
}

/* ---- steps ----------------------------------------------------------------------------------------------- */

void forward_multiply_all (const struct forward *forward, struct matmul *call)
{
  call->exact = forward->exact;
  call->scratch = forward->buffers.matmul_scratch;
  call->cancel = forward->cancel;
  if (!forward->adapters) {
    matmul_run (forward->pool, call);
    return;
  }
  struct matmul products = *call;
  products.combine = NULL;
  matmul_run (forward->pool, &products);
  for (uint32_t i = 0; i < call->n_outputs; i++) {
    const struct matmul_output *output = &call->outputs[i];
    adapter_set_project (forward->adapters, forward->pool, output->w, call->x, call->x_stride, call->n_tokens,
                         output->out, output->out_stride, forward->exact, forward->cancel);
  }
  if (call->combine)
    matmul_combine (forward->pool, call);
}

void forward_multiply (const struct forward *forward, const struct matrix *w, const float *in, size_t in_stride,
                       uint32_t n, float *out, size_t out_stride)
{
  forward_multiply_all (
      forward,
      &(struct matmul){
          .x = in, .x_stride = in_stride, .n_tokens = n, .outputs = { { w, out, out_stride } }, .n_outputs = 1 });
}

void forward_project_first (struct forward *forward, const struct matrix *w, float *out)
{
  forward_multiply_all (forward, &(struct matmul){ .x = forward->buffers.h,
                                                   .x_stride = w->n_cols,
                                                   .n_tokens = forward->n_tokens,
                                                   .outputs = { { w, out, w->n_rows } },
                                                   .n_outputs = 1,
                                                   .prepare = forward_prepare_mixer,
                                                   .data = forward });
}

void forward_project (struct forward *forward, const struct matrix *w, const float *in, float *out, uint32_t first_row)
{
  forward_multiply (forward, w, in + (size_t)first_row * w->n_cols, w->n_cols, forward->n_tokens - first_row,
                    out + (size_t)first_row * w->n_rows, w->n_rows);
}

void forward_norm (const struct forward *forward, const struct norm *norm, const float *x, float *out)
{
  const struct model_shape *shape = &forward->model->shape;
  if (forward->model->arch->norm == NORM_LAYER)
    layer_norm (x, norm->weight, norm->bias, shape->n_embd, shape->norm_epsilon, out);
  else
    rms_norm (x, norm->weight, shape->n_embd, shape->norm_epsilon, out);
}

static void embed_row (void *data, uint32_t row)
{
  const struct forward *forward = data;
  const struct engine_model *model = forward->model;
  const struct forward_buffers *b = &forward->buffers;
  float *x = b->x + (size_t)row * model->shape.n_embd;
  matrix_get_row (&model->weights.token_embd, (uint32_t)forward->ids[row], x);
  scale (x, model->shape.embedding_scale, model->shape.n_embd);
  for (size_t i = 0; i < ROPE_N_TABLES; i++)
    if (b->cosines[i]) {
      size_t at = (size_t)row * model->n_rope_pairs;
      rope_angles (forward->ropes[i], b->positions[row], b->cosines[i] + at, b->sines[i] + at);
    }
}

static void begin (struct forward *forward, const struct sequence *sequences, uint32_t n_sequences, uint32_t position)
{
  const struct sequence *last = &sequences[n_sequences - 1];
  forward->sequences = sequences;
  forward->n_sequences = n_sequences;
  forward->n_tokens = last->first_row + last->n_rows;
  forward->position = position;
  forward->first_row = 0;
  forward->unclosed = NULL;
}

void forward_begin (struct forward *forward, uint32_t n_tokens, uint32_t position)
{
  forward->whole = (struct sequence){ .n_rows = n_tokens, .position = position };
  begin (forward, &forward->whole, 1, position);
}

static void embed (struct forward *forward, const int32_t *ids)
{
  for (uint32_t i = 0; i < forward->n_sequences; i++)
    for (uint32_t row = 0; row < forward->sequences[i].n_rows; row++)
      forward->buffers.positions[forward->sequences[i].first_row + row] = forward->sequences[i].position + row;
  forward->ids = ids;
  rows_run (forward->pool, forward->n_tokens, embed_row, forward);
  if (forward->adapters)
    adapter_set_embed (forward->adapters, forward->pool, ids, forward->n_tokens, forward->model->shape.embedding_scale,
                       forward->buffers.x, forward->exact, forward->cancel);
}

void forward_embed (struct forward *forward, const int32_t *ids, uint32_t n_tokens, uint32_t position)
{
  forward_begin (forward, n_tokens, position);
  embed (forward, ids);
}

void forward_embed_texts (struct forward *forward, const int32_t *ids, const struct sequence *sequences,
                          uint32_t n_sequences)
{
  begin (forward, sequences, n_sequences, 0);
  embed (forward, ids);
}

/* ---- a layer --------------------------------------------------------------------------------------------- */

/* x += y, with the norms around the sum that the layer has. */
static void add_branch (const struct forward *forward, uint32_t row, const float *bias, const struct norm *branch_norm,
                        const struct norm *post_norm)
{
  const struct model_shape *shape = &forward->model->shape;
  const size_t at = (size_t)row * shape->n_embd;
  float *x = forward->buffers.x + at, *y = forward->buffers.y + at;
  if (bias)
    add (y, bias, shape->n_embd);
  if (branch_norm->weight)
    forward_norm (forward, branch_norm, y, y);
  scale (y, shape->residual_scale, shape->n_embd);
  add (x, y, shape->n_embd);
  if (post_norm->weight)
    forward_norm (forward, post_norm, x, x);
}

static void close_ffn (const struct forward *forward, uint32_t row)
{
  const struct layer_weights *layer = forward->unclosed;
  if (layer)
    add_branch (forward, row, layer->down_bias, &layer->ffn_branch_norm, &layer->ffn_post_norm);
}

/* h = norm (x), or x itself. */
static void make_input (const struct forward *forward, uint32_t row, const struct norm *norm)
{
  const size_t n_embd = forward->model->shape.n_embd, at = row * n_embd;
  if (norm->weight)
    forward_norm (forward, norm, forward->buffers.x + at, forward->buffers.h + at);
  else
    memcpy (forward->buffers.h + at, forward->buffers.x + at, n_embd * sizeof (float));
}

void forward_prepare_mixer (void *data, uint32_t row)
{
  const struct forward *forward = data;
  close_ffn (forward, row);
  make_input (forward, row, &forward->layer->attn_norm);
}

static void close_mixer (const struct forward *forward, uint32_t row)
{
  const struct layer_weights *layer = forward->layer;
  add_branch (forward, row, layer->o_bias, &layer->attn_branch_norm, &layer->attn_post_norm);
}

void forward_prepare_ffn (struct forward *forward, uint32_t row)
{
  const struct layer_weights *layer = forward->layer;
  close_mixer (forward, row);
  if (layer->ffn_norm.weight || !(forward->model->arch->flags & ARCH_PARALLEL)) /* else h stays what the mixer read */
    make_input (forward, row, &layer->ffn_norm);
}

static void close_mixer_row (void *data, uint32_t index)
{
  const struct forward *forward = data;
  close_mixer (forward, forward->first_row + index);
}

static void mix (struct forward *forward)
{
  switch (forward->shape->mixer) {
  case MIXER_ATTENTION: forward_attend (forward); break;
  case MIXER_CONVOLUTION: forward_convolve (forward); break;
  case MIXER_STATE_SPACE: forward_scan (forward); break;
  }
}

void forward_run_layer (struct forward *forward, uint32_t index)
{
  forward->shape = &forward->model->layer_shapes[index];
  forward->layer = &forward->model->layers[index];
  forward->kv = kv_cache_get_layer (&forward->cache, forward->cache_is_shared ? 0 : forward->shape->kv_heads_before,
                                    forward->shape->n_kv_heads);
  const uint32_t end = forward->n_tokens, n_rows = end - forward->first_row;
  mix (forward);
  forward->unclosed = NULL;
  if (n_rows == 0 || forward_is_cancelled (forward))
    return;
  if (forward->shape->n_ff == 0 && !forward->shape->has_experts) {
    rows_run (forward->pool, n_rows, close_mixer_row, forward);
    return;
  }
  for (uint32_t first = forward->first_row; first < end && !forward_is_cancelled (forward);
       first += FORWARD_FFN_TOKENS) {
    uint32_t n = end - first < FORWARD_FFN_TOKENS ? end - first : FORWARD_FFN_TOKENS;
    (forward->shape->has_experts ? forward_run_experts : forward_run_dense) (forward, first, n);
  }
  forward->unclosed = forward->layer;
}

static void close_ffn_row (void *data, uint32_t index)
{
  const struct forward *forward = data;
  close_ffn (forward, forward->first_row + index);
}

void forward_close_layer (struct forward *forward)
{
  if (forward->unclosed)
    rows_run (forward->pool, forward->n_tokens - forward->first_row, close_ffn_row, forward);
  forward->unclosed = NULL;
}

static void finish_row (void *data, uint32_t index)
{
  const struct forward *forward = data;
  const uint32_t row = forward->first_row + index;
  const struct norm *norm = &forward->model->weights.output_norm;
  float *x = forward->buffers.x + (size_t)row * forward->model->shape.n_embd;
  close_ffn (forward, row);
  if (norm->weight)
    forward_norm (forward, norm, x, x);
}

void forward_finish (struct forward *forward)
{
  rows_run (forward->pool, forward->n_tokens - forward->first_row, finish_row, forward);
  forward->unclosed = NULL;
}
