/* session.c: one growing sequence of tokens over a decoder model. */
#include "engine/model/session_private.h"
#include "engine/error.h"
#include "engine/model/decoder.h"
#include "engine/model/fingerprint.h"
#include "engine/model/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONTEXT_TOKENS 4096

static uint32_t default_context (const struct engine_model *model)
{
  uint32_t trained = model->shape.context_tokens;
  return trained < DEFAULT_CONTEXT_TOKENS ? trained : DEFAULT_CONTEXT_TOKENS;
}

static enum kv_format choose_format (const struct engine_session_options *options)
{
  if (options->exact)
    return KV_F32;
  return options->kv == ENGINE_KV_Q8_0 ? KV_Q8_0 : KV_F16;
}

/* Cuts the session's memory; with a counting arena only its size comes out. */
static void lay_out (struct engine_session *session, const struct engine_model *model, struct arena *arena)
{
  const struct model_shape *shape = &model->shape;
  struct forward *forward = &session->forward;
  const uint32_t n = session->context_tokens;
  const enum kv_format format = forward->cache.format;
  void *cache = arena_take (arena, kv_cache_bytes (format, shape->head_dim, shape->n_kv_heads_all, n), 1);
  forward->cache = (struct kv_cache){ cache, shape->head_dim, n, format };
  forward->state = arena_take (arena, shape->n_state_all, sizeof *forward->state);
  const uint32_t n_batch = n < DECODER_BATCH_TOKENS ? n : DECODER_BATCH_TOKENS;
  forward->buffers = forward_take_buffers (model, n_batch, n_batch, arena);
  session->checkpoints = checkpoints_take (shape->n_state_all, arena);
  session->logit_rows
      = arena_take (arena, (uint64_t)shape->n_vocab * ENGINE_VERIFY_TOKENS_MAX, sizeof *session->logit_rows);
  session->logits = session->logit_rows;
  session->ids = arena_take (arena, n, sizeof *session->ids);
}

uint64_t engine_model_count_session_bytes (const struct engine_model *model,
                                           const struct engine_session_options *options)
{
  if (!model->info.runs)
    return 0;
  if (model->info.role != ENGINE_ROLE_GENERATOR)
    return encoder_get_bytes (model, options->context_tokens);
  struct engine_session session
      = { .context_tokens = options->context_tokens ? options->context_tokens : default_context (model) };
  struct arena arena = { 0 };
  session.forward.cache.format = choose_format (options);
  lay_out (&session, model, &arena);
  return arena.used;
}

uint64_t engine_model_get_session_bytes (const struct engine_model *model, uint32_t context_tokens)
{
  return engine_model_count_session_bytes (model, &(struct engine_session_options){ .context_tokens = context_tokens });
}

uint64_t engine_model_get_kv_bytes_per_token (const struct engine_model *model, enum engine_kv kv)
{
  if (!model->info.runs || model->info.role != ENGINE_ROLE_GENERATOR)
    return 0;
  const enum kv_format format = choose_format (&(struct engine_session_options){ .kv = kv });
  return kv_cache_bytes (format, model->shape.head_dim, model->shape.n_kv_heads_all, 1);
}

static int allocate (struct engine_session *session, const struct engine_model *model, struct engine_error *error)
{
  char what[64];
  struct arena arena = { 0 };
  lay_out (session, model, &arena);
  snprintf (what, sizeof what, "A session of %u tokens", session->context_tokens);
  const struct memory_limits limits = memory_read_limits ("");
  const uint32_t scale = session->forward.exact ? 2 : 1; /* F32 in the KV cache in place of F16 */
  int status = memory_check (&limits, model, what, arena.used, session->context_tokens, scale, error);
  if (status != ENGINE_OK)
    return status;
  session->memory = aligned_alloc (ARENA_ALIGNMENT, arena.used);
  if (!session->memory)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "%s needs %.1f MB of memory, which the system refuses.",
                             what, (double)arena.used / 1e6);
  arena = (struct arena){ .base = session->memory };
  lay_out (session, model, &arena);
  memset (session->logits, 0, model->shape.n_vocab * sizeof *session->logits);
  if (model->shape.n_state_all)
    memset (session->forward.state, 0, model->shape.n_state_all * sizeof *session->forward.state);
  return ENGINE_OK;
}

int engine_session_new (const struct engine_model *model, const struct engine_session_options *options,
                        struct engine_session **session, struct engine_error *error)
{
  const struct engine_session_options defaults = { 0 };
  options = options ? options : &defaults;
  if (!model->info.runs)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "%s", model->info.reason);
  if (model->info.role != ENGINE_ROLE_GENERATOR)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s does not generate text: choose a generator.", model->path);
  if (options->context_tokens > model->shape.context_tokens)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "A context of %u tokens was asked for but the model was trained for %u.",
                             options->context_tokens, model->shape.context_tokens);
  if (options->n_threads < 0 || options->n_threads > 1024)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The number of threads, %d, is not between 0 and 1024.",
                             options->n_threads);
  struct engine_session *made = calloc (1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a session.");
  atomic_init (&made->cancel, false);
  made->context_tokens = options->context_tokens ? options->context_tokens : default_context (model);
  made->forward.exact = options->exact;
  made->forward.cache.format = choose_format (options);
  int status = allocate (made, model, error);
  if (status == ENGINE_OK) {
    made->forward.model = model;
    made->forward.cancel = &made->cancel;
    for (int i = 0; i < ROPE_N_TABLES; i++)
      made->forward.ropes[i] = model_get_rope (model, (enum rope_table)i, made->context_tokens);
    made->forward.pool = pool_new (options->n_threads ? options->n_threads : engine_get_physical_cores ());
    if (!made->forward.pool)
      status = engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "The system refuses to make the session's threads.");
  }
  if (status != ENGINE_OK) {
    engine_session_free (made);
    return status;
  }
  *session = made;
  return ENGINE_OK;
}

void engine_session_free (struct engine_session *session)
{
  if (!session)
    return;
  if (session->forward.pool)
    pool_free (session->forward.pool);
  adapter_set_free (session->forward.adapters);
  free (session->memory);
  free (session);
}

int engine_session_set_adapters (struct engine_session *session, const struct engine_adapter *const *adapters,
                                 const float *scales, size_t n_adapters, struct engine_error *error)
{
  struct forward *forward = &session->forward;
  struct adapter_set *set;
  int status = adapter_set_new (forward->model, adapters, scales, n_adapters, forward->buffers.n_tokens, &set, error);
  if (status != ENGINE_OK)
    return status;
  adapter_set_free (forward->adapters);
  forward->adapters = set;
  fingerprint_adapters (adapters, scales, n_adapters, session->adapters);
  session_clear (session);
  memset (session->logits, 0, forward->model->shape.n_vocab * sizeof *session->logits);
  return ENGINE_OK;
}

void session_clear (struct engine_session *session)
{
  session->n_ids = 0;
  session->n_ready = checkpoints_restore (&session->checkpoints, session->forward.state, 0);
  session->has_logits = false;
  session->n_logits_before = 0;
}

int session_check_ids (const struct engine_session *session, const int32_t *ids, size_t n_ids,
                       struct engine_error *error)
{
  uint32_t n_vocab = session->forward.model->shape.n_vocab;
  for (size_t i = 0; i < n_ids; i++)
    if (ids[i] < 0 || (uint32_t)ids[i] >= n_vocab)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "The token %d is not in the vocabulary of %u tokens.", ids[i],
                               n_vocab);
  return ENGINE_OK;
}

/* Lets n tokens or fewer be ready, and so many as can be. */
static void go_back (struct engine_session *session, uint32_t n)
{
  if (n < session->n_ready)
    session->n_ready = checkpoints_restore (&session->checkpoints, session->forward.state, n);
}

/* Of the tokens [first, end) those at the end that are among the last n_logits of `n`. */
static uint32_t count_wanted (uint32_t first, uint32_t end, uint32_t n, uint32_t n_logits)
{
  const uint32_t from = n - n_logits;
  return end <= from ? 0 : end - (first > from ? first : from);
}

/* Evaluates ids[n_ready, n) of the session's own array, batch by batch, with the logits after each of the last n_logits,
 * none of which is ready: 1 <= n_logits <= ENGINE_VERIFY_TOKENS_MAX. */
static int evaluate_to (struct engine_session *session, uint32_t n, uint32_t n_logits, struct engine_error *error)
{
  struct forward *forward = &session->forward;
  const size_t n_vocab = forward->model->shape.n_vocab;
  float *logits = session->logit_rows;
  session->has_logits = false;
  while (session->n_ready < n) {
    const uint32_t left = n - session->n_ready, most = forward->buffers.n_tokens;
    const uint32_t n_batch = left < most ? left : most, end = session->n_ready + n_batch;
    const uint32_t n_wanted = count_wanted (session->n_ready, end, n, n_logits);
    if (!decoder_evaluate (forward, session->ids + session->n_ready, n_batch, session->n_ready, n_wanted, logits)) {
      /* The recurrent state is somewhere in the middle of the batch. */
      session->n_ready = checkpoints_restore (&session->checkpoints, forward->state, session->n_ready);
      return engine_error_set (error, ENGINE_ERROR_CANCELLED, "The generation was cancelled.");
    }
    logits += n_wanted * n_vocab;
    session->n_ready = end;
    if (session->n_ids < session->n_ready)
      session->n_ids = session->n_ready;
    if (n_batch > 1 && n_batch > n_wanted) /* prefill: a place to come back to; else there would be too many */
      checkpoints_save (&session->checkpoints, forward->state, session->n_ready);
  }
  session->logits = logits - n_vocab;
  session->n_logits_before = n_logits - 1;
  session->has_logits = true;
  return ENGINE_OK;
}

static uint32_t count_common (const struct engine_session *session, const int32_t *ids, size_t n_ids)
{
  uint32_t common = 0;
  while (common < session->n_ids && common < n_ids && session->ids[common] == ids[common])
    common++;
  return common;
}

/* How many of ids[n_ids], of which the first `common` are those of the session, need no evaluation. */
static uint32_t count_reusable (const struct engine_session *session, uint32_t common, size_t n_ids)
{
  if (common == n_ids && common == session->n_ids && session->has_logits)
    return common;
  uint32_t n = common < session->n_ready ? common : session->n_ready;
  if (n == n_ids)
    n--; /* the last token is evaluated for its logits */
  return n == session->n_ready ? n : checkpoints_find (&session->checkpoints, n);
}

size_t engine_session_match (const struct engine_session *session, const int32_t *ids, size_t n_ids)
{
  return n_ids ? count_reusable (session, count_common (session, ids, n_ids), n_ids) : 0;
}

int engine_session_set_tokens (struct engine_session *session, const int32_t *ids, size_t n_ids, size_t *n_cached,
                               struct engine_error *error)
{
  if (n_ids < 1)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A prompt needs at least one token.");
  if (n_ids > session->context_tokens)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The prompt has %zu tokens but the context holds %u.", n_ids,
                             session->context_tokens);
  int status = session_check_ids (session, ids, n_ids, error);
  if (status != ENGINE_OK)
    return status;
  const uint32_t common = count_common (session, ids, n_ids), reused = count_reusable (session, common, n_ids);
  if (reused < n_ids) {
    go_back (session, reused);
    memmove (session->ids + common, ids + common, (n_ids - common) * sizeof *ids);
    session->n_ids = common;
    status = evaluate_to (session, (uint32_t)n_ids, 1, error);
  }
  if (status == ENGINE_OK && n_cached)
    *n_cached = reused;
  return status;
}

int engine_session_append (struct engine_session *session, int32_t id, struct engine_error *error)
{
  return engine_session_extend (session, &id, 1, error);
}

int engine_session_extend (struct engine_session *session, const int32_t *ids, size_t n_ids, struct engine_error *error)
{
  const uint32_t n_before = session->n_ids, room = session->context_tokens - n_before;
  if (n_ids < 1 || n_ids > ENGINE_VERIFY_TOKENS_MAX)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A session grows by 1 to %d tokens at once, not by %zu.",
                             ENGINE_VERIFY_TOKENS_MAX, n_ids);
  if (room == 0)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The context of %u tokens is full.", session->context_tokens);
  if (n_ids > room)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The context of %u tokens has room for %u more, not for %zu.",
                             session->context_tokens, room, n_ids);
  int status = session_check_ids (session, ids, n_ids, error);
  if (status != ENGINE_OK)
    return status;
  memcpy (session->ids + n_before, ids, n_ids * sizeof *ids);
  status = evaluate_to (session, n_before + (uint32_t)n_ids, (uint32_t)n_ids, error);
  if (status != ENGINE_OK) { /* a part may be done */
    session->n_ids = n_before;
    go_back (session, n_before);
  }
  return status;
}

int engine_session_truncate (struct engine_session *session, size_t n_tokens, struct engine_error *error)
{
  if (n_tokens > session->n_ids)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The session cannot be cut to %zu tokens: it has %u.", n_tokens,
                             session->n_ids);
  if (n_tokens == session->n_ids)
    return ENGINE_OK;
  const float *logits = engine_session_get_logits_before (session, session->n_ids - n_tokens);
  const uint32_t n_dropped = session->n_ids - (uint32_t)n_tokens;
  session->n_ids = (uint32_t)n_tokens;
  go_back (session, session->n_ids);
  session->has_logits = logits && session->n_ready == session->n_ids;
  if (session->has_logits) {
    session->logits -= n_dropped * (size_t)session->forward.model->shape.n_vocab;
    session->n_logits_before -= n_dropped;
  }
  return ENGINE_OK;
}

bool engine_session_can_drop (const struct engine_session *session)
{
  return session->forward.model->shape.n_state_all == 0;
}

const int32_t *engine_session_get_tokens (const struct engine_session *session)
{
  return session->ids;
}

size_t engine_session_get_n_tokens (const struct engine_session *session)
{
  return session->n_ids;
}

uint32_t engine_session_get_context_tokens (const struct engine_session *session)
{
  return session->context_tokens;
}

const float *engine_session_get_logits (const struct engine_session *session)
{
  return session->logits;
}

const float *engine_session_get_logits_before (const struct engine_session *session, size_t n_tokens)
{
  if (!session->has_logits || n_tokens > session->n_logits_before)
    return NULL;
  return session->logits - n_tokens * session->forward.model->shape.n_vocab;
}

void engine_session_cancel (struct engine_session *session)
{
  atomic_store (&session->cancel, true);
}

void engine_session_reset_cancel (struct engine_session *session)
{
  atomic_store (&session->cancel, false);
}
