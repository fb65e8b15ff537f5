#include "engine/model/decoder.h"
#include "engine/model/attention.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <math.h>
#include <string.h>

struct decoder_buffers decoder_take_buffers (const struct engine_model *model, uint32_t n_tokens, struct arena *arena)
{
  const struct model_shape *shape = &model->shape;
  struct decoder_buffers buffers = { .n_tokens = n_tokens };
  const struct {
    float **field;
    uint32_t n_rows, n_cols;
  } rows[] = {
    { &buffers.x, n_tokens, shape->n_embd },
    { &buffers.h, n_tokens, shape->n_embd },
    { &buffers.q, n_tokens, shape->n_q },
    { &buffers.attended, n_tokens, shape->n_q },
    { &buffers.k, n_tokens, shape->n_kv },
    { &buffers.v, n_tokens, shape->n_kv },
    { &buffers.gate, n_tokens, shape->n_ff },
    { &buffers.up, n_tokens, shape->n_ff },
    { &buffers.cosines, n_tokens, model->rope.n_pairs },
    { &buffers.sines, n_tokens, model->rope.n_pairs },
    { &buffers.logits, 1, shape->n_vocab },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    *rows[i].field = arena_take (arena, (uint64_t)rows[i].n_rows * rows[i].n_cols, sizeof (float));
  size_t scratch = 0;
  const uint32_t inputs[] = { shape->n_embd, shape->n_q, shape->n_ff };
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
    size_t bytes = matmul_scratch_bytes (inputs[i], n_tokens);
    scratch = bytes > scratch ? bytes : scratch;
  }
  buffers.matmul_scratch = arena_take (arena, scratch, 1);
  return buffers;
}

/* One batch on its way through the layers. */
struct batch {
  struct decoder *decoder;
  const struct layer_weights *layer;
  const int32_t *ids;
  uint32_t n_tokens, position;
  uint32_t first_row; /* rows before it are not needed any further (the last layer computes one row) */
  void *keys, *values;
};

static void embed_row (void *data, uint32_t row)
{
  const struct batch *batch = data;
  const struct engine_model *model = batch->decoder->model;
  struct decoder_buffers *b = &batch->decoder->buffers;
  size_t pairs = model->rope.n_pairs;
  matrix_get_row (&model->weights.token_embd, (uint32_t)batch->ids[row], b->x + (size_t)row * model->shape.n_embd);
  rope_angles (&model->rope, batch->position + row, b->cosines + row * pairs, b->sines + row * pairs);
}

static void attention_norm_row (void *data, uint32_t row)
{
  const struct batch *batch = data;
  const struct model_shape *shape = &batch->decoder->model->shape;
  struct decoder_buffers *b = &batch->decoder->buffers;
  size_t at = (size_t)row * shape->n_embd;
  rms_norm (b->x + at, batch->layer->attn_norm, shape->n_embd, shape->norm_epsilon, b->h + at);
}

/* Bias, norm and rotation of one projected row of heads. */
static void finish_heads (const struct batch *batch, float *heads, uint32_t n_heads, const float *bias,
                          const float *norm, uint32_t row)
{
  const struct engine_model *model = batch->decoder->model;
  const struct decoder_buffers *b = &batch->decoder->buffers;
  uint32_t head_dim = model->shape.head_dim;
  size_t pairs = model->rope.n_pairs;
  if (bias)
    add (heads, bias, (size_t)n_heads * head_dim);
  for (uint32_t head = 0; norm && head < n_heads; head++)
    rms_norm (heads + head * head_dim, norm, head_dim, model->shape.norm_epsilon, heads + head * head_dim);
  rope_apply (&model->rope, b->cosines + row * pairs, b->sines + row * pairs, heads, n_heads, head_dim);
}

static void finish_qkv_row (void *data, uint32_t row)
{
  const struct batch *batch = data;
  const struct model_shape *shape = &batch->decoder->model->shape;
  const struct layer_weights *layer = batch->layer;
  struct decoder_buffers *b = &batch->decoder->buffers;
  float *k = b->k + (size_t)row * shape->n_kv, *v = b->v + (size_t)row * shape->n_kv;
  if (row >= batch->first_row)
    finish_heads (batch, b->q + (size_t)row * shape->n_q, shape->n_heads, layer->q_bias, layer->q_norm, row);
  finish_heads (batch, k, shape->n_kv_heads, layer->k_bias, layer->k_norm, row);
  if (layer->v_bias)
    add (v, layer->v_bias, shape->n_kv);
  kv_cache_put (&batch->decoder->cache, batch->keys, batch->position + row, k);
  kv_cache_put (&batch->decoder->cache, batch->values, batch->position + row, v);
}

static void add_attention_row (void *data, uint32_t index)
{
  const struct batch *batch = data;
  const struct model_shape *shape = &batch->decoder->model->shape;
  struct decoder_buffers *b = &batch->decoder->buffers;
  size_t at = (size_t)(batch->first_row + index) * shape->n_embd;
  add (b->x + at, b->h + at, shape->n_embd);
  if (batch->layer->o_bias)
    add (b->x + at, batch->layer->o_bias, shape->n_embd);
  rms_norm (b->x + at, batch->layer->ffn_norm, shape->n_embd, shape->norm_epsilon, b->h + at);
}

static void activate_row (void *data, uint32_t index)
{
  const struct batch *batch = data;
  struct decoder_buffers *b = &batch->decoder->buffers;
  size_t n_ff = batch->decoder->model->shape.n_ff, at = (batch->first_row + index) * n_ff;
  silu_multiply (b->gate + at, b->up + at, n_ff);
}

static void add_ffn_row (void *data, uint32_t index)
{
  const struct batch *batch = data;
  size_t n_embd = batch->decoder->model->shape.n_embd, at = (batch->first_row + index) * n_embd;
  add (batch->decoder->buffers.x + at, batch->decoder->buffers.h + at, n_embd);
}

/* out = w * in for rows [first, n_tokens) of both. */
static void project (const struct batch *batch, const struct matrix *w, const float *in, float *out, uint32_t first)
{
  const struct decoder *decoder = batch->decoder;
  matmul (decoder->pool, w, in + (size_t)first * w->n_cols, w->n_cols, batch->n_tokens - first,
          out + (size_t)first * w->n_rows, w->n_rows, decoder->exact, decoder->buffers.matmul_scratch, decoder->cancel);
}

static bool is_cancelled (const struct decoder *decoder)
{
  return decoder->cancel && atomic_load_explicit (decoder->cancel, memory_order_relaxed);
}

static void run_attention (const struct batch *batch)
{
  const struct decoder *decoder = batch->decoder;
  const struct model_shape *shape = &decoder->model->shape;
  size_t at = (size_t)batch->first_row * shape->n_q;
  struct attention attention = {
    .cache = &decoder->cache,
    .keys = batch->keys,
    .values = batch->values,
    .n_heads = shape->n_heads,
    .n_tokens = batch->n_tokens - batch->first_row,
    .first_position = batch->position + batch->first_row,
    .causal = true,
    .scale = 1 / sqrtf ((float)shape->head_dim),
    .q = decoder->buffers.q + at,
    .out = decoder->buffers.attended + at,
    .cancel = decoder->cancel,
  };
  attention_run (decoder->pool, &attention);
}

/* The rows from first_row on come out in x; keys and values of all rows go into the cache. */
static void run_layer (struct batch *batch)
{
  struct decoder *decoder = batch->decoder;
  struct decoder_buffers *b = &decoder->buffers;
  const struct layer_weights *layer = batch->layer;
  uint32_t first = batch->first_row, n_rows = batch->n_tokens - first;

  rows_run (decoder->pool, batch->n_tokens, attention_norm_row, batch);
  project (batch, &layer->k, b->h, b->k, 0);
  project (batch, &layer->v, b->h, b->v, 0);
  if (n_rows > 0)
    project (batch, &layer->q, b->h, b->q, first);
  rows_run (decoder->pool, batch->n_tokens, finish_qkv_row, batch);
  if (n_rows == 0 || is_cancelled (decoder))
    return;
  run_attention (batch);
  project (batch, &layer->o, b->attended, b->h, first);
  rows_run (decoder->pool, n_rows, add_attention_row, batch);
  project (batch, &layer->gate, b->h, b->gate, first);
  project (batch, &layer->up, b->h, b->up, first);
  if (is_cancelled (decoder))
    return;
  rows_run (decoder->pool, n_rows, activate_row, batch);
  project (batch, &layer->down, b->gate, b->h, first);
  rows_run (decoder->pool, n_rows, add_ffn_row, batch);
}

static void run_head (struct batch *batch)
{
  struct decoder *decoder = batch->decoder;
  const struct engine_model *model = decoder->model;
  struct decoder_buffers *b = &decoder->buffers;
  size_t n_embd = model->shape.n_embd;
  rms_norm (b->x + (batch->n_tokens - 1) * n_embd, model->weights.output_norm, n_embd, model->shape.norm_epsilon, b->h);
  matmul (decoder->pool, &model->weights.output, b->h, n_embd, 1, b->logits, model->shape.n_vocab, decoder->exact,
          b->matmul_scratch, decoder->cancel);
}

bool decoder_evaluate (struct decoder *decoder, const int32_t *ids, uint32_t n_tokens, uint32_t position,
                       bool want_logits)
{
  const struct engine_model *model = decoder->model;
  struct batch batch = { .decoder = decoder, .ids = ids, .n_tokens = n_tokens, .position = position };
  rows_run (decoder->pool, n_tokens, embed_row, &batch);
  for (uint32_t i = 0; i < model->shape.n_layers; i++) {
    batch.layer = &model->layers[i];
    batch.keys = kv_cache_get_keys (&decoder->cache, i);
    batch.values = kv_cache_get_values (&decoder->cache, i);
    if (i + 1 == model->shape.n_layers) /* later layers read no more than what the head needs */
      batch.first_row = want_logits ? n_tokens - 1 : n_tokens;
    run_layer (&batch);
    if (is_cancelled (decoder))
      return false;
  }
  if (want_logits)
    run_head (&batch);
  return !is_cancelled (decoder);
}
