/* encoder.c: an encoder's memory and life, and from texts to vectors. */
#include "engine/model/encoder.h"
#include "engine/error.h"
#include "engine/model/memory.h"
#include "engine/model/ops.h"
#include "engine/tokenizer/tokens.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_TOKENS 512 /* memory grows in steps of so many */

/* ---- memory ---------------------------------------------------------------------------------------------- */

/* Tokens of a batch to take memory for: whole steps, and no more than a batch can have. */
static uint32_t round_up (const struct engine_model *model, uint32_t n_tokens)
{
  const uint32_t context = model->shape.context_tokens, steps = n_tokens ? (n_tokens - 1) / STEP_TOKENS + 1 : 1;
  const uint32_t most = n_tokens > context && n_tokens <= ENCODER_BATCH_TOKENS ? ENCODER_BATCH_TOKENS : context;
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
  /* Where a token sees those after it, all must be there at once. */
  const uint32_t n_batch = shape->bidirectional || n_tokens < ENCODER_BATCH_TOKENS ? n_tokens : ENCODER_BATCH_TOKENS;
  encoder->buffers = forward_take_buffers (model, n_batch, n_tokens, arena);
  encoder->pooled = arena_take (arena, shape->n_embd, sizeof *encoder->pooled);
  encoder->head = arena_take (arena, n_head, sizeof *encoder->head);
  encoder->out = arena_take (arena, n_head, sizeof *encoder->out);
  encoder->head_scratch = arena_take (arena, matmul_scratch_bytes (n_head, 1), 1);
}

uint64_t encoder_get_bytes (const struct engine_model *model, uint32_t n_tokens)
{
  struct engine_encoder encoder = { 0 };
  struct arena arena = { 0 };
  const uint32_t most = model->shape.context_tokens;
  lay_out (&encoder, model, round_up (model, n_tokens < most ? n_tokens : most), &arena);
  return arena.used;
}

int encoder_reserve (struct engine_encoder *encoder, uint32_t n_tokens, struct engine_error *error)
{
  const struct engine_model *model = encoder->forward.model;
  const uint32_t n = round_up (model, n_tokens);
  if (encoder->memory && n_tokens <= encoder->n_reserved)
    return ENGINE_OK;
  struct arena arena = { .used = 0 };
  free (encoder->memory); /* first, so that both are never held at once */
  encoder->memory = NULL;
  lay_out (encoder, model, n, &arena);
  char what[64];
  snprintf (what, sizeof what, "Reading %u tokens at once", n);
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
  encoder->n_reserved = n;
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
  engine_tokens_clear (&encoder->batch.tokens);
  free (encoder->batch.types);
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

/* ---- texts ----------------------------------------------------------------------------------------------- */

/* Fills encoder->tokens and cuts them at the context, keeping the special token that closes the text. */
static int read_text (struct engine_encoder *encoder, const char *text, size_t length, struct engine_error *error)
{
  const struct engine_model *model = encoder->forward.model;
  struct engine_tokens *tokens = &encoder->tokens;
  tokens->n = 0;
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

static int check_role (const struct engine_encoder *encoder, struct engine_error *error)
{
  const struct engine_model *model = encoder->forward.model;
  if (model->info.role != ENGINE_ROLE_ENCODER)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s scores passages and makes no vectors: choose an encoder.", model->path);
  return ENGINE_OK;
}

static void finish_vector (struct engine_encoder *encoder, float *vector)
{
  memcpy (vector, encoder_run_dense (encoder), encoder->dimensions * sizeof *vector);
  l2_normalize (vector, encoder->dimensions);
}

/* Fills encoder->tokens with text `index` of a list. */
typedef int (*read_func) (struct engine_encoder *encoder, const void *list, size_t index, struct engine_error *error);

static int embed_list (struct engine_encoder *encoder, read_func read, const void *list, size_t n, float *vectors,
                       struct engine_error *error)
{
  int status = check_role (encoder, error);
  if (status != ENGINE_OK || n == 0)
    return status;
  const size_t width = encoder->dimensions;
  float *made = calloc (n, width * sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for %zu vectors.", n);
  struct encoder_job job = { finish_vector, made, width };
  encoder_begin (encoder);
  encoder->use_types = false;
  for (size_t i = 0; i < n && status == ENGINE_OK; i++) {
    status = read (encoder, list, i, error);
    if (status == ENGINE_OK)
      status = encoder_add (encoder, &job, error);
  }
  if (status == ENGINE_OK)
    status = encoder_finish (encoder, &job, error);
  if (status == ENGINE_OK)
    memcpy (vectors, made, n * width * sizeof *made);
  free (made);
  return status;
}

static int read_listed_text (struct engine_encoder *encoder, const void *list, size_t index, struct engine_error *error)
{
  const struct engine_text *text = (const struct engine_text *)list + index;
  return read_text (encoder, text->bytes, text->length, error);
}

static int read_listed_tokens (struct engine_encoder *encoder, const void *list, size_t index,
                               struct engine_error *error)
{
  const struct engine_tokens *tokens = (const struct engine_tokens *)list + index;
  const struct model_shape *shape = &encoder->forward.model->shape;
  if (tokens->n < 1 || tokens->n > shape->context_tokens)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A text has %zu tokens, which is not between 1 and %u.",
                             tokens->n, shape->context_tokens);
  encoder->tokens.n = 0;
  for (size_t i = 0; i < tokens->n; i++) {
    if (tokens->ids[i] < 0 || (uint32_t)tokens->ids[i] >= shape->n_vocab)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "The token %d is not in the vocabulary of %u tokens.",
                               tokens->ids[i], shape->n_vocab);
    if (!engine_tokens_append (&encoder->tokens, tokens->ids[i]))
      return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a text.");
  }
  return ENGINE_OK;
}

int engine_encoder_embed_batch (struct engine_encoder *encoder, const struct engine_text *texts, size_t n_texts,
                                float *vectors, struct engine_error *error)
{
  return embed_list (encoder, read_listed_text, texts, n_texts, vectors, error);
}

int engine_encoder_embed_tokens (struct engine_encoder *encoder, const struct engine_tokens *texts, size_t n_texts,
                                 float *vectors, struct engine_error *error)
{
  return embed_list (encoder, read_listed_tokens, texts, n_texts, vectors, error);
}

int engine_encoder_embed (struct engine_encoder *encoder, const char *text, size_t length, float *vector,
                          struct engine_error *error)
{
  return engine_encoder_embed_batch (encoder, &(struct engine_text){ text, length }, 1, vector, error);
}
