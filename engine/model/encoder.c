/* encoder.c: a text's tokens through an encoder (BERT, arXiv 1810.04805, and what came after it), or through a decoder
 * whose last token stands for the text. */
#include "engine/model/encoder.h"
#include "engine/error.h"
#include "engine/model/memory.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_TOKENS 512 /* memory grows in steps of so many */

/* ---- memory ---------------------------------------------------------------------------------------------- */

static uint32_t round_up (const struct engine_model *model, uint32_t n_tokens)
{
  const uint32_t most = model->shape.context_tokens, steps = n_tokens ? (n_tokens - 1) / STEP_TOKENS + 1 : 1;
  return n_tokens < most && steps <= most / STEP_TOKENS ? steps * STEP_TOKENS : most;
}

static uint32_t largest (const uint32_t *sizes, size_t n)
{
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++)
    most = sizes[i] > most ? sizes[i] : most;
  return most;
}

static void lay_out (struct engine_encoder *encoder, const struct engine_model *model, uint32_t n_tokens,
                     struct arena *arena)
{
  const struct model_shape *shape = &model->shape;
  struct forward *forward = &encoder->forward;
  const uint32_t n_heads = shape->head_dim ? shape->n_kv_max / shape->head_dim : 0;
  const uint32_t sizes[] = { shape->n_embd, shape->n_classifier, shape->n_labels, shape->n_dense, shape->n_vector };
  const uint32_t n_head = largest (sizes, sizeof sizes / sizeof *sizes);
  void *cache = arena_take (arena, kv_cache_bytes (KV_F16, shape->head_dim, n_heads, n_tokens), 1);
  forward->cache = (struct kv_cache){ cache, shape->head_dim, n_tokens, KV_F16 };
  forward->cache_is_shared = true;
  forward->state = arena_take (arena, shape->n_state_all, sizeof *forward->state);
  forward->buffers = forward_take_buffers (model, n_tokens, n_tokens, arena);
  encoder->pooled = arena_take (arena, shape->n_embd, sizeof *encoder->pooled);
  encoder->head = arena_take (arena, n_head, sizeof *encoder->head);
  encoder->out = arena_take (arena, n_head, sizeof *encoder->out);
  encoder->head_scratch = arena_take (arena, matmul_scratch_bytes (n_head, 1), 1);
}

uint64_t encoder_get_bytes (const struct engine_model *model, uint32_t n_tokens)
{
  struct engine_encoder encoder = { 0 };
  struct arena arena = { 0 };
  lay_out (&encoder, model, round_up (model, n_tokens), &arena);
  return arena.used;
}

int encoder_reserve (struct engine_encoder *encoder, uint32_t n_tokens, struct engine_error *error)
{
  const struct engine_model *model = encoder->forward.model;
  const uint32_t n = round_up (model, n_tokens);
  if (encoder->memory && n_tokens <= encoder->forward.buffers.n_tokens)
    return ENGINE_OK;
  struct arena arena = { .used = 0 };
  free (encoder->memory); /* first, so that both are never held at once */
  encoder->memory = NULL;
  lay_out (encoder, model, n, &arena);
  char what[64];
  snprintf (what, sizeof what, "A text of %u tokens", n);
  const struct memory_limits limits = memory_read_limits ("");
  int status = memory_check (&limits, model, what, arena.used, 0, 1, error);
  if (status != ENGINE_OK)
    return status;
  encoder->memory = aligned_alloc (ARENA_ALIGNMENT, arena.used);
  if (!encoder->memory)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "%s needs %.1f MB of memory, which the system refuses.",
                             what, (double)arena.used / 1e6);
  arena = (struct arena){ .base = encoder->memory };
  lay_out (encoder, model, n, &arena);
  return ENGINE_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static int check (const struct engine_model *model, const struct engine_encoder_options *options,
                  struct engine_error *error)
{
  if (!model->info.runs)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "%s", model->info.reason);
  if (model->info.role != ENGINE_ROLE_ENCODER && model->info.role != ENGINE_ROLE_RERANKER)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s makes neither vectors nor scores: choose an encoder or a reranker.",
                             model->path);
  if (options->n_threads < 0 || options->n_threads > 1024)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The number of threads, %d, is not between 0 and 1024.",
                             options->n_threads);
  if (options->dimensions > model->shape.n_vector)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "Vectors of %u dimensions were asked for but the model makes vectors of %u.",
                             options->dimensions, model->shape.n_vector);
  return ENGINE_OK;
}

int engine_encoder_new (const struct engine_model *model, const struct engine_encoder_options *options,
                        struct engine_encoder **encoder, struct engine_error *error)
{
  const struct engine_encoder_options defaults = { 0 };
  options = options ? options : &defaults;
  int status = check (model, options, error);
  if (status != ENGINE_OK)
    return status;
  struct engine_encoder *made = calloc (1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for an encoder.");
  made->forward.model = model;
  made->forward.cancel = &made->cancel;
  made->dimensions = options->dimensions ? options->dimensions : model->shape.n_vector;
  for (int i = 0; i < ROPE_N_TABLES; i++)
    made->forward.ropes[i] = model_get_rope (model, (enum rope_table)i, model->shape.context_tokens);
  atomic_init (&made->cancel, false);
  status = encoder_reserve (made, 0, error);
  if (status == ENGINE_OK) {
    made->forward.pool = pool_new (options->n_threads ? options->n_threads : engine_get_physical_cores ());
    if (!made->forward.pool)
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
  if (encoder->forward.pool)
    pool_free (encoder->forward.pool);
  adapter_set_free (encoder->forward.adapters);
  engine_tokens_clear (&encoder->tokens);
  free (encoder->types);
  free (encoder->memory);
  free (encoder);
}

int engine_encoder_set_adapters (struct engine_encoder *encoder, const struct engine_adapter *const *adapters,
                                 const float *scales, size_t n_adapters, struct engine_error *error)
{
  struct forward *forward = &encoder->forward;
  struct adapter_set *set;
  const uint32_t most = forward->model->shape.context_tokens; /* the buffers may still grow to this */
  int status = adapter_set_new (forward->model, adapters, scales, n_adapters, most, &set, error);
  if (status != ENGINE_OK)
    return status;
  adapter_set_free (forward->adapters);
  forward->adapters = set;
  return ENGINE_OK;
}

uint32_t engine_encoder_get_dimensions (const struct engine_encoder *encoder)
{
  return encoder->dimensions;
}

void engine_encoder_cancel (struct engine_encoder *encoder)
{
  atomic_store (&encoder->cancel, true);
}

int encoder_check_cancel (struct engine_encoder *encoder, struct engine_error *error)
{
  if (atomic_exchange (&encoder->cancel, false))
    return engine_error_set (error, ENGINE_ERROR_CANCELLED, "Reading the text was cancelled.");
  return ENGINE_OK;
}

/* ---- forward pass ---------------------------------------------------------------------------------------- */

/* What BERT adds to the embeddings of the tokens: those of their positions and of their type, and a norm. */
static void embed_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct forward *forward = &encoder->forward;
  const struct model_weights *weights = &forward->model->weights;
  size_t n_embd = forward->model->shape.n_embd;
  float *x = forward->buffers.x + row * n_embd, *scratch = forward->buffers.h + row * n_embd;
  if (weights->position_embd.data) {
    matrix_get_row (&weights->position_embd, forward->buffers.positions[row], scratch);
    add (x, scratch, n_embd);
  }
  if (weights->token_types.data) {
    uint32_t type = encoder->use_types ? encoder->types[row] : 0;
    matrix_get_row (&weights->token_types, type < weights->token_types.n_rows ? type : 0, scratch);
    add (x, scratch, n_embd);
  }
  if (weights->embd_norm.weight)
    forward_norm (forward, &weights->embd_norm, x, x);
}

static int check_tokens (const struct engine_encoder *encoder, struct engine_error *error)
{
  const struct engine_tokens *tokens = &encoder->tokens;
  for (size_t i = 0; i < tokens->n; i++)
    if (tokens->ids[i] < 0 || (uint32_t)tokens->ids[i] >= encoder->forward.model->shape.n_vocab)
      return engine_error_set (error, ENGINE_ERROR_FORMAT,
                               "The tokenizer gives the token %d, which the model does not have.", tokens->ids[i]);
  return ENGINE_OK;
}

int encoder_run (struct engine_encoder *encoder, struct engine_error *error)
{
  struct forward *forward = &encoder->forward;
  const struct model_shape *shape = &forward->model->shape;
  const uint32_t n = (uint32_t)encoder->tokens.n;
  int status = check_tokens (encoder, error);
  if (status == ENGINE_OK)
    status = encoder_reserve (encoder, n, error);
  if (status != ENGINE_OK)
    return status;
  forward_embed (forward, encoder->tokens.ids, n, 0);
  rows_run (forward->pool, n, embed_row, encoder);
  for (uint32_t i = 0; i < shape->n_layers && !forward_is_cancelled (forward); i++) {
    if (i + 1 == shape->n_layers && shape->pooling == POOLING_LAST) /* only that token is looked at afterwards */
      forward->first_row = n - 1;
    forward_run_layer (forward, i);
  }
  forward_last_norm (forward);
  encoder_pool (encoder);
  return ENGINE_OK;
}

/* Fills encoder->tokens and cuts them at the context, keeping the special token that closes the text. */
static int read_text (struct engine_encoder *encoder, const char *text, size_t length, struct engine_error *error)
{
  const struct engine_model *model = encoder->forward.model;
  struct engine_tokens *tokens = &encoder->tokens;
  tokens->n = 0;
  encoder->use_types = false;
  int status = engine_tokenize (model, text, length, ENGINE_TOKENIZE_ADD_SPECIAL, tokens, error);
  if (status != ENGINE_OK)
    return status;
  if (tokens->n == 0)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "The text has no tokens: there is nothing to make a vector of.");
  if (tokens->n > model->shape.context_tokens) {
    const int32_t last = tokens->ids[tokens->n - 1];
    tokens->n = model->shape.context_tokens;
    if (tokenizer_is_control (model->tokenizer, last))
      tokens->ids[tokens->n - 1] = last;
  }
  return ENGINE_OK;
}

int engine_encoder_embed (struct engine_encoder *encoder, const char *text, size_t length, float *vector,
                          struct engine_error *error)
{
  if (encoder->forward.model->info.role != ENGINE_ROLE_ENCODER)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s scores passages and makes no vectors: choose an encoder.",
                             encoder->forward.model->path);
  int status = read_text (encoder, text, length, error);
  if (status == ENGINE_OK)
    status = encoder_run (encoder, error);
  if (status != ENGINE_OK)
    return status;
  const float *whole = encoder_run_dense (encoder);
  if ((status = encoder_check_cancel (encoder, error)) != ENGINE_OK)
    return status;
  memcpy (vector, whole, encoder->dimensions * sizeof *vector);
  l2_normalize (vector, encoder->dimensions);
  return ENGINE_OK;
}
