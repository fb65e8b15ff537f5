/* encoder.c: a text's tokens through an encoder (BERT, arXiv 1810.04805), and their pooling into one vector. */
#include "engine/error.h"
#include "engine/model/forward.h"
#include "engine/model/memory.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct engine_encoder {
  struct forward forward;
  struct engine_tokens tokens;
  void *memory; /* of the buffers and the cache */
  atomic_bool cancel;
};

static void lay_out (struct engine_encoder *encoder, const struct engine_model *model, struct arena *arena)
{
  const struct model_shape *shape = &model->shape;
  const uint32_t n = shape->context_tokens, n_heads = shape->n_kv_max / shape->head_dim;
  void *cache = arena_take (arena, kv_cache_bytes (KV_F16, shape->head_dim, n_heads, n), 1);
  encoder->forward.cache = (struct kv_cache){ cache, shape->head_dim, n, KV_F16 };
  encoder->forward.cache_is_shared = true;
  encoder->forward.buffers = forward_take_buffers (model, n, arena);
}

uint64_t encoder_get_bytes (const struct engine_model *model)
{
  struct engine_encoder encoder = { 0 };
  struct arena arena = { 0 };
  lay_out (&encoder, model, &arena);
  return arena.used;
}

static int allocate (struct engine_encoder *encoder, const struct engine_model *model, struct engine_error *error)
{
  struct arena arena = { 0 };
  lay_out (encoder, model, &arena);
  const struct memory_limits limits = memory_read_limits ("");
  int status = memory_check (&limits, model, "The encoder", arena.used, 0, 1, error);
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
  made->forward.model = model;
  made->forward.cancel = &made->cancel;
  for (int i = 0; i < ROPE_N_TABLES; i++)
    made->forward.ropes[i] = model_get_rope (model, (enum rope_table)i, model->shape.context_tokens);
  atomic_init (&made->cancel, false);
  int status = allocate (made, model, error);
  if (status == ENGINE_OK) {
    made->forward.pool = pool_new (n_threads ? n_threads : engine_get_physical_cores ());
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
  free (encoder->memory);
  free (encoder);
}

int engine_encoder_set_adapters (struct engine_encoder *encoder, const struct engine_adapter *const *adapters,
                                 const float *scales, size_t n_adapters, struct engine_error *error)
{
  struct forward *forward = &encoder->forward;
  struct adapter_set *set;
  int status = adapter_set_new (forward->model, adapters, scales, n_adapters, forward->buffers.n_tokens, &set, error);
  if (status != ENGINE_OK)
    return status;
  adapter_set_free (forward->adapters);
  forward->adapters = set;
  return ENGINE_OK;
}

uint32_t engine_encoder_get_dimensions (const struct engine_encoder *encoder)
{
  return encoder->forward.model->shape.n_embd;
}

void engine_encoder_cancel (struct engine_encoder *encoder)
{
  atomic_store (&encoder->cancel, true);
}

/* ---- forward pass ---------------------------------------------------------------------------------------- */

/* What BERT adds to the embeddings of the tokens: those of their positions and of their segment, and a norm. */
static void embed_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct forward *forward = &encoder->forward;
  const struct model_weights *weights = &forward->model->weights;
  size_t n_embd = forward->model->shape.n_embd;
  float *x = forward->buffers.x + row * n_embd, *scratch = forward->buffers.h + row * n_embd;
  if (weights->position_embd.data) {
    matrix_get_row (&weights->position_embd, row, scratch);
    add (x, scratch, n_embd);
  }
  if (weights->token_types.data) {
    matrix_get_row (&weights->token_types, 0, scratch); /* one text: all of it is the first segment */
    add (x, scratch, n_embd);
  }
  if (weights->embd_norm.weight)
    forward_norm (forward, &weights->embd_norm, x, x);
}

static void pool_rows (const struct engine_encoder *encoder, uint32_t n, float *vector)
{
  size_t n_embd = encoder->forward.model->shape.n_embd;
  switch (encoder->forward.model->shape.pooling) {
  case POOLING_CLS: memcpy (vector, encoder->forward.buffers.x, n_embd * sizeof (float)); break;
  case POOLING_LAST: memcpy (vector, encoder->forward.buffers.x + (n - 1) * n_embd, n_embd * sizeof (float)); break;
  case POOLING_MEAN:
    memset (vector, 0, n_embd * sizeof (float));
    for (uint32_t row = 0; row < n; row++) /* the division is left to the normalisation */
      add (vector, encoder->forward.buffers.x + row * n_embd, n_embd);
    break;
  }
  l2_normalize (vector, n_embd);
}

/* Fills encoder->tokens and cuts them at the context, keeping the closing special token. */
static int read_text (struct engine_encoder *encoder, const char *text, size_t length, struct engine_error *error)
{
  struct engine_tokens *tokens = &encoder->tokens;
  const struct model_shape *shape = &encoder->forward.model->shape;
  tokens->n = 0;
  int status = engine_tokenize (encoder->forward.model, text, length, ENGINE_TOKENIZE_ADD_SPECIAL, tokens, error);
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
  forward_embed (&encoder->forward, encoder->tokens.ids, n, 0);
  rows_run (encoder->forward.pool, n, embed_row, encoder);
  for (uint32_t i = 0; i < encoder->forward.model->shape.n_layers && !atomic_load (&encoder->cancel); i++)
    forward_run_layer (&encoder->forward, i);
  forward_last_norm (&encoder->forward);
  if (atomic_exchange (&encoder->cancel, false))
    return engine_error_set (error, ENGINE_ERROR_CANCELLED, "The embedding was cancelled.");
  pool_rows (encoder, n, vector);
  return ENGINE_OK;
}
