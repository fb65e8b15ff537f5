#include "app/commands.h"
#include "app/output.h"
#include "app/passages.h"
#include <string.h>

static const OptionSpec options[] = {
  { 0, "model", OPTION_TEXT, "FILE", 0, 0,
    "the generator, or none to quote (default: the first that runs in the models folder)", FALSE },
  { 0, "max-tokens", OPTION_COUNT, "N", 1, 100000, "longest answer of a generator (default: 400)", FALSE },
  { 0, "seed", OPTION_COUNT, "N", 0, 4294967295.0, "seed of the sampling (default: 0)", FALSE },
  { 0, "no-speculation", OPTION_FLAG, NULL, 0, 0, "guess no tokens of a generator's answer from its passages", FALSE },
  { 0, "in", OPTION_TEXT, "PATH", 0, 0, "only from this file or folder", FALSE },
  { 0, "no-cache", OPTION_FLAG, NULL, 0, 0, "neither use nor save sessions of the generator", FALSE },
  OPTIONS_END,
};

/* ---- JSON ------------------------------------------------------------------------------------------------ */

static void write_sentences (JsonWriter *writer, const GPtrArray *sentences)
{
  json_writer_key (writer, "sentences");
  json_writer_begin_array (writer);
  for (guint i = 0; i < sentences->len; i++) {
    const LecternSentence *sentence = g_ptr_array_index (sentences, i);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "text", sentence->text);
    json_writer_key (writer, "citations");
    json_writer_begin_array (writer);
    for (guint c = 0; sentence->citations && c < sentence->citations->len; c++)
      json_writer_int (writer, g_array_index (sentence->citations, guint, c));
    json_writer_end_array (writer);
    json_writer_member_boolean (writer, "supported", sentence->supported);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
}

static void print_json (const LecternAnswer *answer)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "question", answer->question);
  json_writer_member_string (writer, "answer", answer->answer);
  json_writer_member_boolean (writer, "answered", answer->answered);
  json_writer_member_string (writer, "mode", answer->generated ? "generated" : "extractive");
  write_sentences (writer, answer->sentences);
  json_writer_key (writer, "sources");
  json_writer_begin_array (writer);
  for (guint i = 0; i < answer->sources->len; i++) {
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "n", i + 1);
    json_writer_result_members (writer, g_ptr_array_index (answer->sources, i));
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  const LecternTimings *timings = &answer->timings;
  json_writer_key (writer, "timings");
  json_writer_begin_object (writer);
  json_writer_member_double (writer, "search_ms", timings->search_ms);
  json_writer_member_int (writer, "prompt_tokens", timings->prompt_tokens);
  json_writer_member_int (writer, "cached_tokens", timings->cached_tokens);
  json_writer_member_double (writer, "prefill_ms", timings->prefill_ms);
  json_writer_member_double (writer, "first_token_ms", timings->first_token_ms);
  json_writer_member_int (writer, "generated_tokens", timings->generated_tokens);
  json_writer_member_int (writer, "drafted_tokens", timings->drafted_tokens);
  json_writer_member_int (writer, "accepted_tokens", timings->accepted_tokens);
  json_writer_member_double (writer, "decode_ms", timings->decode_ms);
  json_writer_end_object (writer);
  json_writer_end_object (writer);
  output_json (writer);
}

/* ---- for people ------------------------------------------------------------------------------------------ */

typedef struct {
  GString *streamed;
} Stream;

static void show_delta (const char *delta, gpointer user_data)
{
  Stream *stream = user_data;
  g_string_append (stream->streamed, delta);
  output_text (delta);
  output_flush ();
}

static gboolean is_cited (const LecternAnswer *answer, guint n)
{
  for (guint i = 0; i < answer->sentences->len; i++) {
    const LecternSentence *sentence = g_ptr_array_index (answer->sentences, i);
    for (guint c = 0; sentence->citations && c < sentence->citations->len; c++)
      if (g_array_index (sentence->citations, guint, c) == n)
        return TRUE;
  }
  return FALSE;
}

static void print_source (const LecternAnswer *answer, guint n)
{
  const LecternResult *source = g_ptr_array_index (answer->sources, n - 1);
  g_autofree char *title = passage_dup_title (source);
  g_autofree char *pages = passage_dup_pages (source);
  g_autofree char *heading = g_strjoinv (" › ", source->heading);
  g_autofree char *path = g_filename_display_name (source->path);
  output_printf ("[%u] ", n);
  output_bold (title);
  output_printf ("%s%s%s%s\n", *pages ? ", " : "", pages, *heading ? " — " : "", heading);
  if (!answer->answered) {
    g_autofree char *snippet = passage_dup_snippet (source->text, answer->question, 200);
    passage_print_marked (snippet, answer->question, 4);
  }
  output_text ("    ");
  output_dim (path);
  output_text ("\n");
}

static void print_unsupported (const LecternAnswer *answer)
{
  gboolean any = FALSE;
  for (guint i = 0; answer->answered && i < answer->sentences->len; i++) {
    const LecternSentence *sentence = g_ptr_array_index (answer->sentences, i);
    if (sentence->supported)
      continue;
    output_text (any ? "" : "\nNot confirmed by the sources:\n");
    any = TRUE;
    output_printf ("(!) %s\n", sentence->text);
  }
}

static void print_sources (const LecternAnswer *answer)
{
  gboolean any = FALSE;
  for (guint n = 1; n <= answer->sources->len; n++)
    if (!answer->answered || is_cited (answer, n)) {
      if (!any)
        output_text (answer->answered ? "\nSources:\n" : "\nThe nearest passages:\n");
      any = TRUE;
      print_source (answer, n);
    }
}

static void print_answer (const LecternAnswer *answer, const Stream *stream)
{
  /* The whole answer again if checking the citations changed what had been streamed. */
  g_autofree char *shown = g_strstrip (g_strdup (stream->streamed->str));
  g_autofree char *final = g_strstrip (g_strdup (answer->answer ? answer->answer : ""));
  if (strcmp (shown, final) != 0) {
    if (*shown)
      output_text ("\n\nAfter checking the citations:\n\n");
    output_text (final);
    output_text ("\n");
  } else if (!g_str_has_suffix (stream->streamed->str, "\n"))
    output_text ("\n");
  print_unsupported (answer);
  print_sources (answer);
}

/* ---- running --------------------------------------------------------------------------------------------- */

/* NULL without an error: answer by quoting. */
static LecternGenerator *open_generator (const Invocation *invocation, GError **error)
{
  const char *name = options_get_text (invocation->options, "model");
  if (name && strcmp (name, "none") == 0)
    return NULL;
  if (name)
    return lectern_generator_open (name, 0, error);

  g_autoptr (GError) open_error = NULL;
  LecternGenerator *generator = lectern_generator_open_default (invocation->library_dir, 0, &open_error);
  if (open_error)
    output_message ("%s Answering by quoting.", open_error->message);
  return generator;
}

static gboolean run_ask (const Invocation *invocation, GError **error)
{
  g_autofree char *question = invocation_dup_query (invocation, invocation->words[0], error);
  if (!question)
    return FALSE;
  if (!*question) {
    g_set_error (error, USAGE_ERROR, 0, "The QUESTION is empty.");
    return FALSE;
  }
  const char *in = options_get_text (invocation->options, "in");
  g_autofree char *in_path = in ? invocation_dup_stored_path (in) : NULL;
  LecternAskOptions ask = {
    .in_path = in_path,
    .max_tokens = (guint)options_get_count (invocation->options, "max-tokens", 0),
    .seed = options_get_count (invocation->options, "seed", 0),
    .no_speculation = options_has (invocation->options, "no-speculation"),
  };

  g_autoptr (LecternLibrary) library = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_READ, error);
  if (!library)
    return FALSE;
  g_autoptr (GError) open_error = NULL;
  g_autoptr (LecternGenerator) generator = open_generator (invocation, &open_error);
  if (open_error) {
    g_propagate_error (error, g_steal_pointer (&open_error));
    return FALSE;
  }

  g_autoptr (LecternCache) cache = options_has (invocation->options, "no-cache") ? NULL : lectern_cache_new_default ();
  if (generator)
    lectern_generator_set_cache (generator, cache);

  g_autoptr (GString) streamed = g_string_new (NULL);
  Stream stream = { streamed };
  g_autoptr (LecternAnswer) answer
      = lectern_ask (library, generator, question, &ask, invocation->json ? NULL : show_delta, &stream,
                     invocation->cancellable, error);
  if (!answer) {
    if (streamed->len && !g_str_has_suffix (streamed->str, "\n"))
      output_text ("\n");
    return FALSE;
  }
  if (invocation->json)
    print_json (answer);
  else
    print_answer (answer, &stream);
  output_flush ();
  if (generator && answer->generated)
    lectern_generator_save (generator, invocation->cancellable);
  return TRUE;
}

const Command command_ask = {
  .name = "ask",
  .arguments = "QUESTION",
  .summary = "Answer a question from the documents, with citations",
  .details = "With a generator the answer is written and each sentence is checked against the passages that it cites;\n"
             "without one it quotes the sentences that answer best. A QUESTION of - is read from standard input.\n",
  .options = options,
  .min_words = 1,
  .max_words = 1,
  .run = run_ask,
};
