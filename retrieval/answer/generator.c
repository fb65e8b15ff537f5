/* generator.c: opening a generator, what it keeps of the last prompt, and evaluating a prompt's beginnings. */
#include "retrieval/answer/generator.h"
#include "retrieval/cache/cache.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- opening --------------------------------------------------------------------------------------------- */

static gboolean check_model (struct engine_model *model, const char *path, GError **error)
{
  const struct engine_model_info *info = engine_model_get_info (model);
  if (info->role != ENGINE_ROLE_GENERATOR) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_MODEL,
                 "The model \"%s\" does not write text (its role is \"%s\"); choose a generator.", path,
                 lectern_role_get_name (info->role));
    return FALSE;
  }
  if (!info->runs) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_MODEL, "The model \"%s\" does not run: %s", path, info->reason);
    return FALSE;
  }
  return TRUE;
}

/* The engine's own hash does not read every byte of a model: the file's size and time tell of the rest. */
static LecternDigest bind_states (const char *path, const struct engine_session *session)
{
  guint8 id[ENGINE_STATE_ID_BYTES];
  GStatBuf info = { 0 };
  const char *cpu = engine_get_cpu_path ();
  engine_session_get_state_id (session, id);
  g_stat (path, &info);
  const gint64 file[] = { info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_append (bytes, id, sizeof id);
  g_byte_array_append (bytes, (const guint8 *)file, sizeof file);
  g_byte_array_append (bytes, (const guint8 *)cpu, (guint)strlen (cpu));
  return lectern_digest_of (bytes->data, bytes->len);
}

LecternGenerator *lectern_generator_open (const char *path, int n_threads, GError **error)
{
  struct engine_error problem;
  struct engine_model *model = NULL;
  if (engine_model_open (path, &model, &problem) != ENGINE_OK) {
    g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_MODEL, problem.message);
    return NULL;
  }
  if (!check_model (model, path, error)) {
    engine_model_close (model);
    return NULL;
  }
  struct engine_session_options options = { .n_threads = MAX (n_threads, 0) };
  struct engine_session *session = NULL;
  if (engine_session_new (model, &options, &session, &problem) != ENGINE_OK) {
    engine_model_close (model);
    g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_MODEL, problem.message);
    return NULL;
  }
  LecternGenerator *generator = g_new0 (LecternGenerator, 1);
  generator->path = g_strdup (path);
  generator->model = model;
  generator->session = session;
  return generator;
}

LecternGenerator *lectern_generator_open_default (const char *dir, int n_threads, GError **error)
{
  g_autoptr (GPtrArray) models = lectern_models_list (dir);
  const LecternModel *model = lectern_models_find_generator (models);
  return model ? lectern_generator_open (model->path, n_threads, error) : NULL;
}

void lectern_generator_close (LecternGenerator *generator)
{
  if (!generator)
    return;
  lectern_prompt_clear (&generator->prompt);
  g_clear_pointer (&generator->previous, g_array_unref);
  g_free (generator->conversation);
  lectern_cache_unref (generator->cache);
  engine_session_free (generator->session);
  engine_model_close (generator->model);
  g_free (generator->path);
  g_free (generator);
}

const char *lectern_generator_get_path (LecternGenerator *generator)
{
  return generator->path;
}

void lectern_generator_set_cache (LecternGenerator *generator, LecternCache *cache)
{
  lectern_cache_unref (generator->cache);
  generator->cache = cache ? lectern_cache_ref (cache) : NULL;
  if (cache)
    generator->binding = bind_states (generator->path, generator->session);
}

/* ---- cancelling ------------------------------------------------------------------------------------------ */

static void cancel_session (GCancellable *cancellable, gpointer session)
{
  engine_session_cancel (session);
}

gulong lectern_generator_connect (LecternGenerator *generator, GCancellable *cancellable)
{
  engine_session_reset_cancel (generator->session);
  return cancellable ? g_cancellable_connect (cancellable, G_CALLBACK (cancel_session), generator->session, NULL) : 0;
}

void lectern_generator_disconnect (LecternGenerator *generator, GCancellable *cancellable, gulong handler)
{
  if (handler)
    g_cancellable_disconnect (cancellable, handler);
  engine_session_reset_cancel (generator->session);
}

/* ---- the last prompt ------------------------------------------------------------------------------------- */

const GArray *lectern_generator_get_previous (LecternGenerator *generator, const char *conversation)
{
  if (!conversation || g_strcmp0 (generator->conversation, conversation) == 0)
    return conversation ? generator->previous : NULL;
  g_clear_pointer (&generator->previous, g_array_unref);
  g_free (generator->conversation);
  generator->conversation = g_strdup (conversation);
  if (generator->cache)
    generator->previous = lectern_cache_find_passages (generator->cache, &generator->binding, conversation);
  return generator->previous;
}

void lectern_generator_set_previous (LecternGenerator *generator, const char *conversation, const LecternPrompt *prompt)
{
  g_clear_pointer (&generator->previous, g_array_unref);
  g_free (generator->conversation);
  generator->conversation = g_strdup (conversation);
  generator->previous = conversation && prompt->passages ? g_array_ref (prompt->passages) : NULL;
}

/* Saves the first n_tokens of the last prompt, or as many as can be gone back to. */
static void save_beginning (LecternGenerator *generator, gsize n_tokens, GArray *passages, const char *conversation,
                            GCancellable *cancellable)
{
  const struct engine_tokens *tokens = &generator->prompt.tokens;
  const gsize n = engine_session_match (generator->session, tokens->ids, n_tokens + 1);
  if (n == 0 || n > n_tokens)
    return;
  g_autoptr (GArray) ids = g_array_sized_new (FALSE, FALSE, sizeof (gint32), (guint)n);
  g_array_append_vals (ids, tokens->ids, (guint)n);
  const LecternCacheEntry entry = { { generator->binding, ids, passages }, conversation };
  lectern_cache_store (generator->cache, &entry, generator->session, cancellable);
}

void lectern_generator_save (LecternGenerator *generator, GCancellable *cancellable)
{
  const LecternPrompt *prompt = &generator->prompt;
  if (!generator->cache)
    return;
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (LecternDigest));
  if (prompt->n_system > 0)
    save_beginning (generator, prompt->n_system, none, NULL, cancellable);
  if (generator->asked && prompt->n_passages > prompt->n_system && !g_cancellable_is_cancelled (cancellable))
    save_beginning (generator, prompt->n_passages, prompt->passages, generator->conversation, cancellable);
}

/* ---- evaluating ------------------------------------------------------------------------------------------ */

/* Recurrent models can go back only to where a call ended: each beginning that others have is such a place. */
static int evaluate (LecternGenerator *generator, gsize n_tokens, gsize n_have, struct engine_error *problem)
{
  const LecternPrompt *prompt = &generator->prompt;
  const gsize ends[] = { prompt->n_system, prompt->n_passages, n_tokens };
  const gboolean recurrent = engine_model_get_info (generator->model)->recurrent;
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    const gboolean is_stop = ends[i] == n_tokens || (recurrent && ends[i] > n_have && ends[i] < n_tokens);
    if (!is_stop)
      continue;
    const int status = engine_session_set_tokens (generator->session, prompt->tokens.ids, ends[i], NULL, problem);
    if (status != ENGINE_OK || ends[i] == n_tokens)
      return status;
  }
  return ENGINE_OK;
}

gboolean lectern_prefill (LecternGenerator *generator, LecternPrompt *prompt, gsize n_tokens, gsize *n_cached,
                          GCancellable *cancellable, struct engine_error *problem)
{
  struct engine_session *session = generator->session;
  const gboolean whole = n_tokens == prompt->tokens.n;
  lectern_prompt_clear (&generator->prompt);
  generator->prompt = *prompt;
  generator->asked = whole;
  *prompt = (LecternPrompt){ 0 };
  const gint32 *ids = generator->prompt.tokens.ids;
  /* A beginning needs no logits: it is enough to have it, and what follows it in the session may still be of use. */
  const gsize n_wanted = whole ? n_tokens : n_tokens + 1;
  gsize n_have = engine_session_match (session, ids, n_wanted);
  if (generator->cache && n_have < n_tokens) {
    lectern_cache_restore (generator->cache, &generator->binding, session, ids, n_tokens, n_have, cancellable);
    n_have = engine_session_match (session, ids, n_wanted);
  }
  *n_cached = MIN (n_have, n_tokens);
  if (!whole && n_have >= n_tokens)
    return TRUE;
  return evaluate (generator, n_tokens, n_have, problem) == ENGINE_OK;
}
