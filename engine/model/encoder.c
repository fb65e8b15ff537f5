/* encoder.c: the forward pass of BERT encoders (arXiv 1810.04805, post-LayerNorm, exact GELU), and its pooling. */
#include "engine/model/arena.h"
#include "engine/model/attention.h"
#include "engine/error.h"
#include "engine/model/memory.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FFN_BLOCK_TOKENS 256 /* the feed-forward net runs over blocks, so that long contexts stay affordable */

struct engine_encoder {
  const struct engine_model *model;
  struct pool *pool;
  struct engine_tokens tokens;
  void *memory;                /* everything below points into it */
  struct kv_cache cache;       /* of one layer */
  float *x, *h;                /* [n_tokens][embd] */
  float *q, *k, *v, *attended; /* [n_tokens][embd] */
  float *inner;                /* [FFN_BLOCK_TOKENS][ff] */
  void *matmul_scratch;
  atomic_bool cancel;

  const struct layer_weights *layer; /* under way */
  uint32_t first_row;                /* of the block under way */
};

static void lay_out (struct engine_encoder *encoder, const struct engine_model *model, struct arena *arena)
{
  struct model_shape shape = model->shape;
  uint32_t n = shape.context_tokens, block = n < FFN_BLOCK_TOKENS ? n : FFN_BLOCK_TOKENS;
  shape.n_layers = 1;
  encoder->cache = kv_cache_at (arena_take (arena, kv_cache_bytes (&shape, n, false), 1), &shape, n, false);
  const struct {
    float **field;
    uint32_t n_rows, n_cols;
  } rows[] = {
    { &encoder->x, n, shape.n_embd },       { &encoder->h, n, shape.n_embd }, { &encoder->q, n, shape.n_q },
    { &encoder->k, n, shape.n_kv },         { &encoder->v, n, shape.n_kv },   { &encoder->attended, n, shape.n_q },
    { &encoder->inner, block, shape.n_ff },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    *rows[i].field = arena_take (arena, (uint64_t)rows[i].n_rows * rows[i].n_cols, sizeof (float));
  const struct {
    uint32_t n_cols, n_tokens;
  } products[] = { { shape.n_embd, n }, { shape.n_q, n }, { shape.n_ff, block } };
  size_t scratch = 0;
  for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
    size_t bytes = matmul_scratch_bytes (products[i].n_cols, products[i].n_tokens);
    scratch = bytes > scratch ? bytes : scratch;
  }
  encoder->matmul_scratch = arena_take (arena, scratch, 1);
}

static int allocate (struct engine_encoder *encoder, const struct engine_model *model, struct engine_error *error)
{
  struct arena arena = { 0 };
  lay_out (encoder, model, &arena);
  int status = memory_check ("The encoder", arena.used, error);
  if (status != ENGINE_OK)
    return status;
  encoder->memory = aligned_alloc (ARENA_ALIGNMENT, arena.used);
  if (!encoder->memory)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "The encoder needs %.1f MB of memory, which the system refuses.",
                             (double)arena.used / 1e6);
  arena = (struct arena){ .base = encoder->memory };
  lay_out (encoder, model, &arena);
  return ENGINE_OK;
}

int engine_encoder_new (const struct engine_model *model, int n_threads, struct engine_encoder **encoder,
                        struct engine_error *error)
{
  if (!model->info.runs)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "%s", model->info.reason);
  if (model->info.role != ENGINE_ROLE_ENCODER)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s does not make vectors: choose an encoder.", model->path);
  if (n_threads < 0 || n_threads > 1024)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The number of threads, %d, is not between 0 and 1024.",
                             n_threads);
  struct engine_encoder *made = calloc (1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for an encoder.");
  made->model = model;
  atomic_init (&made->cancel, false);
  int status = allocate (made, model, error);
  if (status == ENGINE_OK) {
    made->pool = pool_new (n_threads ? n_threads : engine_get_physical_cores ());
    if (!made->pool)
      status = engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "The system refuses to make the encoder's threads.");
  }
  if (status != ENGINE_OK) {
    engine_encoder_free (made);
    return status;
  }
  *encoder = made;
  return ENGINE_OK;
}

void engine_encoder_free (struct engine_encoder *encoder)
{
  if (!encoder)
    return;
  if (encoder->pool)
    pool_free (encoder->pool);
  engine_tokens_clear (&encoder->tokens);
  free (encoder->memory);
  free (encoder);
}

uint32_t engine_encoder_get_dimensions (const struct engine_encoder *encoder)
{
  return encoder->model->shape.n_embd;
}

void engine_encoder_cancel (struct engine_encoder *encoder)
{
  atomic_store (&encoder->cancel, true);
}

/* ---- forward pass ---------------------------------------------------------------------------------------- */

static void embed_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct model_weights *weights = &encoder->model->weights;
  size_t n_embd = encoder->model->shape.n_embd;
  float *x = encoder->x + row * n_embd, *scratch = encoder->h + row * n_embd;
  matrix_get_row (&weights->token_embd, (uint32_t)encoder->tokens.ids[row], x);
  matrix_get_row (&weights->position_embd, row, scratch);
  add (x, scratch, n_embd);
  if (weights->token_types.data) {
    matrix_get_row (&weights->token_types, 0, scratch); /* one text: all of it is the first segment */
    add (x, scratch, n_embd);
  }
  layer_norm (x, weights->embd_norm, weights->embd_norm_bias, n_embd, encoder->model->shape.norm_epsilon, x);
}

static void finish_qkv_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct model_shape *shape = &encoder->model->shape;
  float *k = encoder->k + (size_t)row * shape->n_kv, *v = encoder->v + (size_t)row * shape->n_kv;
  add (encoder->q + (size_t)row * shape->n_q, encoder->layer->q_bias, shape->n_q);
  add (k, encoder->layer->k_bias, shape->n_kv);
  add (v, encoder->layer->v_bias, shape->n_kv);
  kv_cache_put (&encoder->cache, kv_cache_get_keys (&encoder->cache, 0), row, k);
  kv_cache_put (&encoder->cache, kv_cache_get_values (&encoder->cache, 0), row, v);
}

/* x = LayerNorm (x + h + bias) */
static void close_block (const struct engine_encoder *encoder, uint32_t row, const float *bias, const float *norm,
                         const float *norm_bias)
{
  size_t n_embd = encoder->model->shape.n_embd;
  float *x = encoder->x + row * n_embd;
  add (x, encoder->h + row * n_embd, n_embd);
  add (x, bias, n_embd);
  layer_norm (x, norm, norm_bias, n_embd, encoder->model->shape.norm_epsilon, x);
}

static void close_attention_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct layer_weights *layer = encoder->layer;
  close_block (encoder, row, layer->o_bias, layer->attn_output_norm, layer->attn_output_norm_bias);
}

static void activate_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  size_t n_ff = encoder->model->shape.n_ff;
  float *inner = encoder->inner + row * n_ff;
  add (inner, encoder->layer->up_bias, n_ff);
  gelu (inner, n_ff);
}

static void close_ffn_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct layer_weights *layer = encoder->layer;
  close_block (encoder, encoder->first_row + row, layer->down_bias, layer->layer_output_norm,
               layer->layer_output_norm_bias);
}

static void project (struct engine_encoder *encoder, const struct matrix *w, const float *in, float *out,
                     uint32_t n_tokens)
{
  matmul (encoder->pool, w, in, w->n_cols, n_tokens, out, w->n_rows, false, encoder->matmul_scratch, &encoder->cancel);
}

static void run_layer (struct engine_encoder *encoder, const struct layer_weights *layer, uint32_t n)
{
  const struct model_shape *shape = &encoder->model->shape;
  encoder->layer = layer;
  project (encoder, &layer->q, encoder->x, encoder->q, n);
  project (encoder, &layer->k, encoder->x, encoder->k, n);
  project (encoder, &layer->v, encoder->x, encoder->v, n);
  rows_run (encoder->pool, n, finish_qkv_row, encoder);
  struct attention attention = {
    .cache = &encoder->cache,
    .keys = kv_cache_get_keys (&encoder->cache, 0),
    .values = kv_cache_get_values (&encoder->cache, 0),
    .n_heads = shape->n_heads,
    .n_tokens = n,
    .n_positions = n,
    .scale = 1 / sqrtf ((float)shape->head_dim),
    .q = encoder->q,
    .out = encoder->attended,
    .cancel = &encoder->cancel,
  };
  attention_run (encoder->pool, &attention);
  project (encoder, &layer->o, encoder->attended, encoder->h, n);
  rows_run (encoder->pool, n, close_attention_row, encoder);
  for (uint32_t first = 0; first < n; first += FFN_BLOCK_TOKENS) {
    uint32_t rows = n - first < FFN_BLOCK_TOKENS ? n - first : FFN_BLOCK_TOKENS;
    size_t at = (size_t)first * shape->n_embd;
    encoder->first_row = first;
    project (encoder, &layer->up, encoder->x + at, encoder->inner, rows);
    rows_run (encoder->pool, rows, activate_row, encoder);
    project (encoder, &layer->down, encoder->inner, encoder->h + at, rows);
    rows_run (encoder->pool, rows, close_ffn_row, encoder);
  }
}

static void pool_rows (const struct engine_encoder *encoder, uint32_t n, float *vector)
{
  size_t n_embd = encoder->model->shape.n_embd;
  switch (encoder->model->shape.pooling) {
  case POOLING_CLS: memcpy (vector, encoder->x, n_embd * sizeof (float)); break;
  case POOLING_LAST: memcpy (vector, encoder->x + (n - 1) * n_embd, n_embd * sizeof (float)); break;
  case POOLING_MEAN:
    memset (vector, 0, n_embd * sizeof (float));
    for (uint32_t row = 0; row < n; row++) /* the division is left to the normalisation */
      add (vector, encoder->x + row * n_embd, n_embd);
    break;
  }
  l2_normalize (vector, n_embd);
}

/* Fills encoder->tokens and cuts them at the context, keeping the closing special token. */
static int read_text (struct engine_encoder *encoder, const char *text, size_t length, struct engine_error *error)
{
  struct engine_tokens *tokens = &encoder->tokens;
  const struct model_shape *shape = &encoder->model->shape;
  tokens->n = 0;
  int status = engine_tokenize (encoder->model, text, length, ENGINE_TOKENIZE_ADD_SPECIAL, tokens, error);
  if (status != ENGINE_OK)
    return status;
  if (tokens->n == 0)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "The text has no tokens: there is nothing to make a vector of.");
  if (tokens->n > shape->context_tokens) {
    tokens->ids[shape->context_tokens - 1] = tokens->ids[tokens->n - 1];
    tokens->n = shape->context_tokens;
  }
  for (size_t i = 0; i < tokens->n; i++)
    if (tokens->ids[i] < 0 || (uint32_t)tokens->ids[i] >= shape->n_vocab)
      return engine_error_set (error, ENGINE_ERROR_FORMAT,
                               "The tokenizer gives the token %d, which the model does not have.", tokens->ids[i]);
  return ENGINE_OK;
}

int engine_encoder_embed (struct engine_encoder *encoder, const char *text, size_t length, float *vector,
                          struct engine_error *error)
{
  int status = read_text (encoder, text, length, error);
  if (status != ENGINE_OK)
    return status;
  uint32_t n = (uint32_t)encoder->tokens.n;
  rows_run (encoder->pool, n, embed_row, encoder);
  for (uint32_t i = 0; i < encoder->model->shape.n_layers && !atomic_load (&encoder->cancel); i++)
    run_layer (encoder, &encoder->model->layers[i], n);
  if (atomic_exchange (&encoder->cancel, false))
    return engine_error_set (error, ENGINE_ERROR_CANCELLED, "The embedding was cancelled.");
  pool_rows (encoder, n, vector);
  return ENGINE_OK;
}
