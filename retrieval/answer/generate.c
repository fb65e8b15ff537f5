#include "retrieval/answer/generator.h"

#include <string.h>

enum { LOOP_MIN_TOKENS = 16, LOOP_MAX_PERIOD = 48, LOOP_REPEATS = 3 };

static void set_engine_error (GError **error, const struct engine_error *problem)
{
  if (problem->status == ENGINE_ERROR_CANCELLED)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The answer was cancelled.");
  else
    g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_MODEL, problem->message);
}

/* Greedy decoding can fall into a cycle; three turns of it are enough. */
static gboolean is_looping (const GArray *ids)
{
  const gint32 *end = (const gint32 *)(void *)ids->data + ids->len;
  for (guint period = 1; period <= LOOP_MAX_PERIOD; period++) {
    guint repeats = MAX (LOOP_REPEATS, (LOOP_MIN_TOKENS + period - 1) / period);
    if ((guint64)period * repeats > ids->len)
      continue;
    guint n = period * (repeats - 1);
    if (!memcmp (end - n, end - n - period, n * sizeof (gint32)))
      return TRUE;
  }
  return FALSE;
}

/* What of the answer has been shown. Its beginning is held back while it may still become the marker. */
typedef struct {
  const LecternGenerateOptions *options;
  GString *text;
  gsize shown;
} Stream;

static gboolean may_be_marker (const Stream *stream)
{
  const char *marker = stream->options->marker, *p = stream->text->str;
  if (!marker)
    return FALSE;
  while (*p == ' ' || *p == '\n' || *p == '"')
    p++;
  return g_ascii_strncasecmp (p, marker, MIN (strlen (p), strlen (marker))) == 0;
}

static void show (Stream *stream, const char *piece)
{
  g_string_append (stream->text, piece);
  if (may_be_marker (stream) || stream->shown == stream->text->len)
    return;
  if (stream->options->func)
    stream->options->func (stream->text->str + stream->shown, stream->options->user_data);
  stream->shown = stream->text->len;
}

/* One generation under way. */
typedef struct {
  struct engine_sampler *sampler;
  struct engine_text_stream *pieces;
  struct engine_generation *writing;
} Decoding;

static void decoding_clear (Decoding *decoding)
{
  engine_generation_free (decoding->writing);
  engine_text_stream_free (decoding->pieces);
  engine_sampler_free (decoding->sampler);
}

static gboolean decode (const LecternGenerator *generator, Decoding *decoding, gsize n_prompt, Stream *stream,
                        LecternTimings *timings, gint64 start, struct engine_error *problem)
{
  const struct engine_generation_options writing
      = { .max_tokens = stream->options->max_tokens, .no_speculation = stream->options->no_speculation };
  if (engine_generation_new (generator->session, decoding->sampler, &writing, &decoding->writing, problem) != ENGINE_OK)
    return FALSE;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  const size_t context = engine_session_get_context_tokens (generator->session);
  for (guint n = 0; n < stream->options->max_tokens; n++) {
    gint32 id;
    if (engine_generation_next (decoding->writing, &id, problem) != ENGINE_OK)
      return FALSE;
    if (engine_token_is_end (generator->model, id))
      break;
    g_array_append_val (ids, id);
    timings->generated_tokens++;
    if (n == 0)
      timings->first_token_ms = (double)(g_get_monotonic_time () - start) / 1000;
    show (stream, engine_text_stream_push (decoding->pieces, id));
    if (is_looping (ids) || n_prompt + n >= context)
      break;
  }
  show (stream, engine_text_stream_finish (decoding->pieces));
  const struct engine_generation_counts counts = engine_generation_get_counts (decoding->writing);
  timings->drafted_tokens = (guint)counts.n_drafted;
  timings->accepted_tokens = (guint)counts.n_accepted;
  return engine_generation_finish (decoding->writing, problem) == ENGINE_OK;
}

char *lectern_generate (LecternGenerator *generator, LecternPrompt *prompt, const LecternGenerateOptions *options,
                        LecternTimings *timings, GCancellable *cancellable, GError **error)
{
  struct engine_error problem = { 0 };
  Decoding decoding = { 0 };
  struct engine_sampler_options sampling = { 0 };
  if (options->seed)
    sampling = (struct engine_sampler_options){ .temperature = 0.7f, .top_p = 0.9f, .seed = options->seed };
  Stream stream = { options, g_string_new (NULL), 0 };
  gulong handler = lectern_generator_connect (generator, cancellable);

  gint64 start = g_get_monotonic_time ();
  const gsize n_prompt = prompt->tokens.n;
  gsize n_cached = 0;
  gboolean done
      = engine_sampler_new (&sampling, engine_model_get_info (generator->model)->n_vocab, &decoding.sampler, &problem)
            == ENGINE_OK
        && engine_text_stream_new (generator->model, &decoding.pieces, &problem) == ENGINE_OK
        && lectern_prefill (generator, prompt, n_prompt, &n_cached, cancellable, &problem);
  gint64 prefilled = g_get_monotonic_time ();
  timings->prompt_tokens = (guint)n_prompt;
  timings->cached_tokens = (guint)n_cached;
  timings->prefill_ms = (double)(prefilled - start) / 1000;
  done = done && decode (generator, &decoding, n_prompt, &stream, timings, start, &problem);
  timings->decode_ms = (double)(g_get_monotonic_time () - prefilled) / 1000;

  lectern_generator_disconnect (generator, cancellable, handler);
  decoding_clear (&decoding);
  if (done && g_cancellable_set_error_if_cancelled (cancellable, error)) {
    g_string_free (stream.text, TRUE);
    return NULL;
  }
  if (!done) {
    set_engine_error (error, &problem);
    g_string_free (stream.text, TRUE);
    return NULL;
  }
  return g_string_free (stream.text, FALSE);
}
