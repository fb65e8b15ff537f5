#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include "app/token-ids.h"
#include <math.h>
#include <string.h>

#define MAX_TOP 1000

static const OptionSpec options[] = {
  { 0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE },
  { 0, "prompt", OPTION_TEXT, "TEXT", 0, 0,
    "the prompt, tokenised as by engine tokenize --special; - reads standard input", FALSE },
  { 0, "prompt-tokens", OPTION_TEXT, "ID,…", 0, 0, "the prompt as token ids", FALSE },
  { 'n', NULL, OPTION_COUNT, "N", 0, 1000000, "tokens to generate at most (default: 128)", FALSE },
  { 0, "ignore-eos", OPTION_FLAG, NULL, 0, 0, "never end before -n tokens", FALSE },
  { 0, "temperature", OPTION_NUMBER, "X", 0, 100, "0 always takes the likeliest token (default: 0)", FALSE },
  { 0, "seed", OPTION_COUNT, "N", 0, 4294967295.0, "seed of the sampling (default: 0)", FALSE },
  { 0, "top", OPTION_COUNT, "N", 1, MAX_TOP, "with --json, the N best log-probabilities of each step", FALSE },
  { 0, "context", OPTION_COUNT, "N", 1, 268435456, "room for N tokens (default: the prompt and -n)", FALSE },
  { 0, "exact", OPTION_FLAG, NULL, 0, 0, "use the reference arithmetic", FALSE },
  { 't', NULL, OPTION_COUNT, "THREADS", 1, 1024, "threads (default: one per physical core)", FALSE },
  OPTIONS_END,
};

typedef struct {
  const Invocation *invocation;
  struct engine_model *model;
  struct engine_session *session;
  struct engine_sampler *sampler;
  struct engine_text_stream *stream;
  struct engine_tokens prompt;
  GArray *end_tokens; /* of gint32, that --ignore-eos rules out; NULL: the model may end */
  float *masked;      /* [n_vocab] logits without the end tokens; NULL if there is no mask */
  guint32 n_vocab;
  guint n_top;
  JsonWriter *steps; /* NULL without --json */
  GArray *tokens;    /* of gint32, generated */
  GString *text;
  double prefill_ms, decode_ms;
} Generation;

static void generation_clear (Generation *generation)
{
  g_clear_pointer (&generation->stream, engine_text_stream_free);
  g_clear_pointer (&generation->sampler, engine_sampler_free);
  g_clear_pointer (&generation->session, engine_session_free);
  g_clear_pointer (&generation->model, engine_model_close);
  engine_tokens_clear (&generation->prompt);
  g_clear_pointer (&generation->end_tokens, g_array_unref);
  g_clear_pointer (&generation->masked, g_free);
  g_clear_pointer (&generation->steps, json_writer_free);
  g_clear_pointer (&generation->tokens, g_array_unref);
  if (generation->text)
    g_string_free (g_steal_pointer (&generation->text), TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Generation, generation_clear)

static double ms_since (gint64 start)
{
  return (double)(g_get_monotonic_time () - start) / 1000.0;
}

static gboolean read_prompt (Generation *generation, GError **error)
{
  const Invocation *invocation = generation->invocation;
  const char *prompt = options_get_text (invocation->options, "prompt");
  const char *ids = options_get_text (invocation->options, "prompt-tokens");
  struct engine_error engine_error = { 0 };
  if (ids) {
    g_autoptr (GArray) parsed = token_ids_parse (ids, error);
    if (!parsed)
      return FALSE;
    generation->prompt.ids = malloc (MAX (1, parsed->len) * sizeof *generation->prompt.ids);
    g_assert (generation->prompt.ids);
    if (parsed->len)
      memcpy (generation->prompt.ids, parsed->data, parsed->len * sizeof *generation->prompt.ids);
    generation->prompt.n = generation->prompt.capacity = parsed->len;
  } else {
    gsize length;
    g_autofree char *text = invocation_dup_text (invocation, prompt, &length, error);
    if (!text)
      return FALSE;
    if (!engine_check (engine_tokenize (generation->model, text, length,
                                        ENGINE_TOKENIZE_ADD_SPECIAL | ENGINE_TOKENIZE_READ_SPECIAL, &generation->prompt,
                                        &engine_error),
                       &engine_error, error))
      return FALSE;
  }
  if (generation->prompt.n == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "The prompt has no tokens, and this model adds none by itself; give it at least one.");
    return FALSE;
  }
  return TRUE;
}

/* Room for the prompt and what is generated, within what the model was trained for. */
static gboolean open_session (Generation *generation, guint64 n_wanted, GError **error)
{
  const struct engine_model_info *info = engine_model_get_info (generation->model);
  guint64 needed = generation->prompt.n + n_wanted;
  guint64 context = options_get_count (generation->invocation->options, "context", needed);
  if (info->context_tokens && needed > info->context_tokens) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "A prompt of %" G_GSIZE_FORMAT " tokens and %" G_GUINT64_FORMAT
                 " more do not fit the model's context of %u; shorten the prompt or lower -n.",
                 generation->prompt.n, n_wanted, info->context_tokens);
    return FALSE;
  }
  struct engine_session_options session = {
    .context_tokens = (guint32)MAX (context, needed),
    .n_threads = (int)options_get_count (generation->invocation->options, "t", 0),
    .exact = options_has (generation->invocation->options, "exact"),
  };
  struct engine_error engine_error = { 0 };
  return engine_check (engine_session_new (generation->model, &session, &generation->session, &engine_error),
                       &engine_error, error);
}

static gboolean open_sampling (Generation *generation, GError **error)
{
  const Options *given = generation->invocation->options;
  const struct engine_model_info *info = engine_model_get_info (generation->model);
  struct engine_sampler_options sampler = {
    .temperature = (float)options_get_number (given, "temperature", 0),
    .seed = options_get_count (given, "seed", 0),
  };
  struct engine_error engine_error = { 0 };
  generation->n_vocab = info->n_vocab;
  generation->n_top = MIN ((guint)options_get_count (given, "top", 0), info->n_vocab);
  if (options_has (given, "ignore-eos")) {
    generation->end_tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
    for (guint32 id = 0; id < info->n_vocab; id++)
      if (engine_token_is_end (generation->model, (gint32)id))
        g_array_append_val (generation->end_tokens, id);
    generation->masked = g_new (float, info->n_vocab);
  }
  if (!engine_check (engine_sampler_new (&sampler, info->n_vocab, &generation->sampler, &engine_error), &engine_error,
                     error))
    return FALSE;
  /* A model without a tokenizer still generates ids. */
  if (*info->tokenizer)
    return engine_check (engine_text_stream_new (generation->model, &generation->stream, &engine_error), &engine_error,
                         error);
  return TRUE;
}

static gint32 pick (Generation *generation, const float *logits)
{
  if (!generation->end_tokens)
    return engine_sampler_pick (generation->sampler, logits);
  memcpy (generation->masked, logits, generation->n_vocab * sizeof *logits);
  for (guint i = 0; i < generation->end_tokens->len; i++)
    generation->masked[g_array_index (generation->end_tokens, gint32, i)] = -INFINITY;
  return engine_sampler_pick (generation->sampler, generation->masked);
}

static void write_step (Generation *generation, const float *logits, gint32 id)
{
  JsonWriter *writer = generation->steps;
  json_writer_begin_object (writer);
  json_writer_member_int (writer, "token", id);
  json_writer_key (writer, "logprob");
  json_writer_float (writer, engine_logprob_of (logits, generation->n_vocab, id));
  if (generation->n_top) {
    g_autofree struct engine_logprob *top = g_new0 (struct engine_logprob, generation->n_top);
    engine_top_logprobs (logits, generation->n_vocab, top, generation->n_top);
    json_writer_key (writer, "top");
    json_writer_begin_array (writer);
    for (guint i = 0; i < generation->n_top; i++) {
      json_writer_begin_array (writer);
      json_writer_int (writer, top[i].id);
      json_writer_float (writer, top[i].logprob);
      json_writer_end_array (writer);
    }
    json_writer_end_array (writer);
  }
  json_writer_end_object (writer);
}

static void take_text (Generation *generation, const char *text)
{
  if (generation->steps) {
    g_string_append (generation->text, text);
    return;
  }
  output_text (text);
  output_flush ();
}

static gboolean generate (Generation *generation, guint64 n_wanted, GError **error)
{
  struct engine_error engine_error = { 0 };
  gint64 start = g_get_monotonic_time ();
  if (!engine_check (engine_session_set_tokens (generation->session, generation->prompt.ids, generation->prompt.n, NULL,
                                                &engine_error),
                     &engine_error, error))
    return FALSE;
  generation->prefill_ms = ms_since (start);

  gboolean may_end = !generation->end_tokens;
  for (guint64 i = 0; i < n_wanted; i++) {
    const float *logits = engine_session_get_logits (generation->session);
    start = g_get_monotonic_time ();
    gint32 id = pick (generation, logits);
    generation->decode_ms += ms_since (start);
    if (generation->steps)
      write_step (generation, logits, id);
    g_array_append_val (generation->tokens, id);
    if (generation->stream)
      take_text (generation, engine_text_stream_push (generation->stream, id));
    if (i + 1 == n_wanted || (may_end && engine_token_is_end (generation->model, id)))
      break;
    start = g_get_monotonic_time ();
    if (!engine_check (engine_session_append (generation->session, id, &engine_error), &engine_error, error))
      return FALSE;
    generation->decode_ms += ms_since (start);
  }
  if (generation->stream)
    take_text (generation, engine_text_stream_finish (generation->stream));
  return TRUE;
}

static void write_ids (JsonWriter *writer, const char *key, const gint32 *ids, gsize n)
{
  json_writer_key (writer, key);
  json_writer_begin_array (writer);
  for (gsize i = 0; i < n; i++)
    json_writer_int (writer, ids[i]);
  json_writer_end_array (writer);
}

static void print_json (const Generation *generation)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  write_ids (writer, "prompt_tokens", generation->prompt.ids, generation->prompt.n);
  write_ids (writer, "tokens", (const gint32 *)(void *)generation->tokens->data, generation->tokens->len);
  json_writer_member_string (writer, "text", generation->text->str);
  json_writer_key (writer, "steps");
  json_writer_raw (writer, json_writer_get_text (generation->steps));
  json_writer_key (writer, "timings");
  json_writer_begin_object (writer);
  json_writer_member_int (writer, "prompt_tokens", (gint64)generation->prompt.n);
  json_writer_member_double (writer, "prefill_ms", generation->prefill_ms);
  json_writer_member_int (writer, "generated_tokens", generation->tokens->len);
  json_writer_member_double (writer, "decode_ms", generation->decode_ms);
  json_writer_end_object (writer);
  json_writer_end_object (writer);
  output_json (writer);
}

static void cancel_session (GCancellable *cancellable, gpointer session)
{
  engine_session_cancel (session);
}

static gboolean run_generate (const Invocation *invocation, GError **error)
{
  gboolean prompt = options_has (invocation->options, "prompt");
  if (prompt == options_has (invocation->options, "prompt-tokens")) {
    g_set_error (error, USAGE_ERROR, 0, "Either --prompt or --prompt-tokens is needed%s.", prompt ? ", not both" : "");
    return FALSE;
  }
  g_auto (Generation) generation = { .invocation = invocation };
  guint64 n_wanted = options_get_count (invocation->options, "n", 128);
  generation.tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  generation.text = g_string_new (NULL);
  generation.model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!generation.model || !read_prompt (&generation, error) || !open_session (&generation, n_wanted, error)
      || !open_sampling (&generation, error))
    return FALSE;
  if (invocation->json) {
    generation.steps = json_writer_new ();
    json_writer_begin_array (generation.steps);
  }
  gulong handler
      = g_cancellable_connect (invocation->cancellable, G_CALLBACK (cancel_session), generation.session, NULL);
  gboolean done = generate (&generation, n_wanted, error);
  g_cancellable_disconnect (invocation->cancellable, handler);
  if (!invocation->json)
    output_text ("\n");
  if (!done)
    return FALSE;
  if (invocation->json) {
    json_writer_end_array (generation.steps);
    print_json (&generation);
  }
  return TRUE;
}

const Command command_engine_generate = {
  .name = "engine generate",
  .arguments = "",
  .summary = "Generate text from a prompt",
  .options = options,
  .run = run_generate,
};
