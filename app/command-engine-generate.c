#include "app/commands.h"
#include "app/engine-error.h"
#include "app/lora.h"
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
  { 0, "top-k", OPTION_COUNT, "N", 0, 2147483647, "sample from the N likeliest tokens (default: 0, off)", FALSE },
  { 0, "top-p", OPTION_NUMBER, "X", 0, 1, "from the likeliest that make up this probability (default: 1, off)", FALSE },
  { 0, "min-p", OPTION_NUMBER, "X", 0, 1, "from those with X times the likeliest's probability (default: 0, off)",
    FALSE },
  { 0, "typical", OPTION_NUMBER, "X", 0, 1, "from the most typical that make up X (default: 1, off)", FALSE },
  { 0, "repeat-penalty", OPTION_NUMBER, "X", 0, 100, "divides logits of tokens seen lately (default: 1, off)", FALSE },
  { 0, "frequency-penalty", OPTION_NUMBER, "X", -100, 100, "taken off per time seen (default: 0)", FALSE },
  { 0, "presence-penalty", OPTION_NUMBER, "X", -100, 100, "taken off if seen (default: 0)", FALSE },
  { 0, "repeat-last-n", OPTION_COUNT, "N", 1, 1048576, "tokens that the penalties look back (default: 64)", FALSE },
  { 0, "stop", OPTION_TEXT, "TEXT", 0, 0, "end before this text; may be given several times", FALSE },
  { 0, "grammar", OPTION_TEXT, "FILE", 0, 0, "generate only what this GBNF grammar allows; json is built in", FALSE },
  { 0, "no-speculation", OPTION_FLAG, NULL, 0, 0, "evaluate one token at a time, guess none", FALSE },
  { 0, "top", OPTION_COUNT, "N", 1, MAX_TOP, "with --json, the N best log-probabilities of each step", FALSE },
  { 0, "context", OPTION_COUNT, "N", 1, 268435456, "room for N tokens (default: the prompt and -n)", FALSE },
  LORA_OPTION,
  { 0, "exact", OPTION_FLAG, NULL, 0, 0, "use the reference arithmetic", FALSE },
  { 0, "kv", OPTION_TEXT, "FORMAT", 0, 0, "keep keys and values as f16 (default) or q8_0", FALSE },
  { 0, "restore-state", OPTION_TEXT, "FILE", 0, 0, "go on from a saved session, whose tokens are not evaluated again",
    FALSE },
  { 0, "save-state", OPTION_TEXT, "FILE", 0, 0, "save the session when done: the prompt and what was generated",
    FALSE },
  { 't', NULL, OPTION_COUNT, "THREADS", 1, 1024, "threads (default: one per physical core)", FALSE },
  OPTIONS_END,
};

typedef struct {
  const Invocation *invocation;
  struct engine_model *model;
  struct engine_session *session;
  GPtrArray *adapters; /* that the session applies */
  struct engine_sampler *sampler;
  struct engine_generation *writing;
  struct engine_text_stream *stream;
  struct engine_stop_strings *stops; /* NULL: none */
  struct engine_token_trie *trie;
  struct engine_grammar *grammar; /* NULL: none */
  struct engine_tokens prompt;
  guint32 n_vocab;
  guint n_top;
  JsonWriter *steps; /* NULL without --json */
  GArray *tokens;    /* of gint32, generated */
  GString *text;
  size_t n_cached; /* tokens of the prompt that a restored session had */
  double restore_ms, prefill_ms, decode_ms;
} Generation;

static void generation_clear (Generation *generation)
{
  g_clear_pointer (&generation->stream, engine_text_stream_free);
  g_clear_pointer (&generation->stops, engine_stop_strings_free);
  g_clear_pointer (&generation->writing, engine_generation_free);
  g_clear_pointer (&generation->sampler, engine_sampler_free);
  g_clear_pointer (&generation->grammar, engine_grammar_free);
  g_clear_pointer (&generation->trie, engine_token_trie_free);
  g_clear_pointer (&generation->session, engine_session_free);
  g_clear_pointer (&generation->adapters, g_ptr_array_unref);
  g_clear_pointer (&generation->model, engine_model_close);
  engine_tokens_clear (&generation->prompt);
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

static gboolean read_kv (const Options *given, enum engine_kv *kv, GError **error)
{
  const char *word = options_get_text (given, "kv");
  if (!word || strcmp (word, "f16") == 0) {
    *kv = ENGINE_KV_F16;
    return TRUE;
  }
  if (strcmp (word, "q8_0") == 0) {
    *kv = ENGINE_KV_Q8_0;
    return TRUE;
  }
  g_autofree char *shown = g_utf8_make_valid (word, -1);
  g_set_error (error, USAGE_ERROR, 0, "--kv is f16 or q8_0, not “%s”.", shown);
  return FALSE;
}

static gboolean restore_state (Generation *generation, GError **error)
{
  const char *path = options_get_text (generation->invocation->options, "restore-state");
  struct engine_error engine_error = { 0 };
  gint64 start = g_get_monotonic_time ();
  if (path && !engine_check (engine_session_restore (generation->session, path, &engine_error), &engine_error, error))
    return FALSE;
  generation->restore_ms = path ? ms_since (start) : 0;
  return TRUE;
}

static gboolean save_state (const Generation *generation, GError **error)
{
  const char *path = options_get_text (generation->invocation->options, "save-state");
  struct engine_error engine_error = { 0 };
  return !path || engine_check (engine_session_save (generation->session, path, &engine_error), &engine_error, error);
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
  guint n_adapters;
  const char *const *adapters = options_get_texts (generation->invocation->options, "lora", &n_adapters);
  if (!read_kv (generation->invocation->options, &session.kv, error))
    return FALSE;
  if (!engine_check (engine_session_new (generation->model, &session, &generation->session, &engine_error),
                     &engine_error, error))
    return FALSE;
  generation->adapters = lora_apply (generation->model, generation->session, adapters, n_adapters, error);
  return generation->adapters != NULL;
}

/* --grammar: the name of a built-in one, or a file. */
static gboolean open_grammar (Generation *generation, GError **error)
{
  const char *name = options_get_text (generation->invocation->options, "grammar");
  const char *text = name ? engine_grammar_get_builtin (name) : NULL;
  g_autofree char *read = NULL;
  gsize length = text ? strlen (text) : 0;
  struct engine_error engine_error = { 0 };
  if (!name)
    return TRUE;
  if (!text) {
    g_autoptr (GError) problem = NULL;
    if (!g_file_get_contents (name, &read, &length, &problem)) {
      g_autofree char *shown = g_filename_display_name (name);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The grammar %s cannot be read: %s.", shown, problem->message);
      return FALSE;
    }
    text = read;
  }
  return engine_check (engine_token_trie_new (generation->model, &generation->trie, &engine_error), &engine_error,
                       error)
         && engine_check (engine_grammar_new (generation->trie, text, length, &generation->grammar, &engine_error),
                          &engine_error, error);
}

static gboolean open_sampler (Generation *generation, GError **error)
{
  const Options *given = generation->invocation->options;
  struct engine_sampler_options sampler = {
    .temperature = (float)options_get_number (given, "temperature", 0),
    .seed = options_get_count (given, "seed", 0),
    .top_k = (guint32)options_get_count (given, "top-k", 0),
    .top_p = (float)options_get_number (given, "top-p", 0),
    .min_p = (float)options_get_number (given, "min-p", 0),
    .typical_p = (float)options_get_number (given, "typical", 0),
    .repeat_penalty = (float)options_get_number (given, "repeat-penalty", 0),
    .frequency_penalty = (float)options_get_number (given, "frequency-penalty", 0),
    .presence_penalty = (float)options_get_number (given, "presence-penalty", 0),
    .penalty_window = (guint32)options_get_count (given, "repeat-last-n", 0),
    .grammar = generation->grammar,
  };
  struct engine_error engine_error = { 0 };
  g_autoptr (GArray) biases = g_array_new (FALSE, FALSE, sizeof (struct engine_logit_bias));
  if (options_has (given, "ignore-eos"))
    for (guint32 id = 0; id < generation->n_vocab; id++) {
      struct engine_logit_bias never = { (gint32)id, -INFINITY };
      if (engine_token_is_end (generation->model, (gint32)id))
        g_array_append_val (biases, never);
    }
  sampler.biases = (const struct engine_logit_bias *)(void *)biases->data;
  sampler.n_biases = biases->len;
  if (!engine_check (engine_sampler_new (&sampler, generation->n_vocab, &generation->sampler, &engine_error),
                     &engine_error, error))
    return FALSE;
  engine_sampler_restart (generation->sampler, generation->prompt.ids, generation->prompt.n);
  return TRUE;
}

static gboolean open_sampling (Generation *generation, GError **error)
{
  const Options *given = generation->invocation->options;
  const struct engine_model_info *info = engine_model_get_info (generation->model);
  struct engine_error engine_error = { 0 };
  guint n_stops;
  const char *const *stops = options_get_texts (given, "stop", &n_stops);
  generation->n_vocab = info->n_vocab;
  generation->n_top = MIN ((guint)options_get_count (given, "top", 0), info->n_vocab);
  if (!open_grammar (generation, error) || !open_sampler (generation, error))
    return FALSE;
  if (n_stops > 0
      && !engine_check (engine_stop_strings_new (stops, n_stops, &generation->stops, &engine_error), &engine_error,
                        error))
    return FALSE;
  /* A model without a tokenizer still generates ids. */
  if (*info->tokenizer || n_stops > 0)
    return engine_check (engine_text_stream_new (generation->model, &generation->stream, &engine_error), &engine_error,
                         error);
  return TRUE;
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

/* Text that was generated; TRUE if a stop string ends it. */
static gboolean watch_text (Generation *generation, const char *text)
{
  bool stopped = false;
  if (generation->stops) {
    text = engine_stop_strings_push (generation->stops, text, &stopped);
    g_assert (text);
  }
  take_text (generation, text);
  return stopped;
}

static void finish_text (Generation *generation)
{
  if (!generation->stream)
    return;
  watch_text (generation, engine_text_stream_finish (generation->stream));
  if (generation->stops)
    take_text (generation, engine_stop_strings_finish (generation->stops));
}

/* The next token, added to what was generated; *done if it is the last. */
static gboolean take_token (Generation *generation, gboolean *done, GError **error)
{
  struct engine_error engine_error = { 0 };
  gint64 start = g_get_monotonic_time ();
  gint32 id;
  if (!engine_check (engine_generation_next (generation->writing, &id, &engine_error), &engine_error, error))
    return FALSE;
  generation->decode_ms += ms_since (start);
  if (engine_sampler_is_stuck (generation->sampler)) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "No token of this model goes on with the text within the grammar; simplify the grammar or use another model.");
    return FALSE;
  }
  if (generation->steps)
    write_step (generation, engine_generation_get_logits (generation->writing), id);
  g_array_append_val (generation->tokens, id);
  *done = engine_token_is_end (generation->model, id) && !options_has (generation->invocation->options, "ignore-eos");
  if (generation->stream && watch_text (generation, engine_text_stream_push (generation->stream, id)))
    *done = TRUE;
  return TRUE;
}

static gboolean prefill (Generation *generation, guint64 n_wanted, GError **error)
{
  const struct engine_generation_options writing = {
    .max_tokens = (guint32)n_wanted,
    .no_speculation = options_has (generation->invocation->options, "no-speculation"),
  };
  struct engine_error engine_error = { 0 };
  gint64 start = g_get_monotonic_time ();
  if (!engine_check (engine_session_set_tokens (generation->session, generation->prompt.ids, generation->prompt.n,
                                                &generation->n_cached, &engine_error),
                     &engine_error, error))
    return FALSE;
  generation->prefill_ms = ms_since (start);
  return engine_check (
      engine_generation_new (generation->session, generation->sampler, &writing, &generation->writing, &engine_error),
      &engine_error, error);
}

static gboolean generate (Generation *generation, guint64 n_wanted, GError **error)
{
  struct engine_error engine_error = { 0 };
  gboolean done = FALSE;
  if (!prefill (generation, n_wanted, error))
    return FALSE;
  for (guint64 i = 0; i < n_wanted && !done; i++)
    if (!take_token (generation, &done, error))
      return FALSE;
  finish_text (generation);
  return engine_check (engine_generation_finish (generation->writing, &engine_error), &engine_error, error);
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
  const struct engine_generation_counts counts = engine_generation_get_counts (generation->writing);
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
  json_writer_member_int (writer, "cached_tokens", (gint64)generation->n_cached);
  json_writer_member_double (writer, "restore_ms", generation->restore_ms);
  json_writer_member_double (writer, "prefill_ms", generation->prefill_ms);
  json_writer_member_int (writer, "generated_tokens", generation->tokens->len);
  json_writer_member_int (writer, "drafted_tokens", (gint64)counts.n_drafted);
  json_writer_member_int (writer, "accepted_tokens", (gint64)counts.n_accepted);
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
  if (options_has (invocation->options, "ignore-eos") && options_has (invocation->options, "grammar")) {
    g_set_error (error, USAGE_ERROR, 0,
                 "--ignore-eos and --grammar exclude each other: a grammar says where the text ends.");
    return FALSE;
  }
  g_auto (Generation) generation = { .invocation = invocation };
  guint64 n_wanted = options_get_count (invocation->options, "n", 128);
  generation.tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  generation.text = g_string_new (NULL);
  generation.model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!generation.model || !read_prompt (&generation, error) || !open_session (&generation, n_wanted, error)
      || !restore_state (&generation, error) || !open_sampling (&generation, error))
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
  if (!done || !save_state (&generation, error))
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
