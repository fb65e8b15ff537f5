/* command-engine-rerank.c: a reranker by itself: passages scored against a query. */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

static void cancel_encoder (GCancellable *cancellable, gpointer encoder)
{
  engine_encoder_cancel (encoder);
}

/* A passage is scored as soon as its line is there: a pipe may wait for the score. */
static gboolean score_lines (struct engine_encoder *encoder, const struct engine_text *query, GCancellable *cancellable,
                             GError **error)
{
  g_autoptr (GInputStream) stdin_stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stdin_stream);
  g_autoptr (JsonWriter) writer = json_writer_new ();
  for (;;) {
    gsize length;
    float score;
    struct engine_error engine_error = { 0 };
    g_autoptr (GError) read_error = NULL;
    g_autofree char *line = g_data_input_stream_read_line (lines, &length, cancellable, &read_error);
    if (read_error) {
      g_propagate_error (error, g_steal_pointer (&read_error));
      return FALSE;
    }
    if (!line)
      return TRUE;
    const struct engine_text passage = { line, length };
    if (!engine_check (engine_encoder_rerank (encoder, query, &passage, 1, &score, &engine_error), &engine_error,
                       error))
      return FALSE;
    json_writer_reset (writer);
    json_writer_float (writer, score);
    output_json (writer);
    output_flush ();
  }
}

static gboolean run_rerank (const Invocation *invocation, GError **error)
{
  const char *text = options_get_text (invocation->options, "query");
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  struct engine_encoder *encoder = NULL;
  struct engine_error engine_error = { 0 };
  const struct engine_encoder_options options = { .n_threads = (int)options_get_count (invocation->options, "t", 0) };
  if (!engine_check (engine_encoder_new (model, &options, &encoder, &engine_error), &engine_error, error))
    return FALSE;
  const struct engine_text query = { text, strlen (text) };
  gulong handler = g_cancellable_connect (invocation->cancellable, G_CALLBACK (cancel_encoder), encoder, NULL);
  gboolean done = score_lines (encoder, &query, invocation->cancellable, error);
  g_cancellable_disconnect (invocation->cancellable, handler);
  engine_encoder_free (encoder);
  return done;
}

static const OptionSpec rerank_options[] = {
  { 0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE },
  { 0, "query", OPTION_TEXT, "QUERY", 0, 0, "what the passages are scored against", TRUE },
  { 't', NULL, OPTION_COUNT, "THREADS", 1, 1024, "threads (default: one per physical core)", FALSE },
  OPTIONS_END,
};

const Command command_engine_rerank = {
  .name = "engine rerank",
  .arguments = "",
  .summary = "Score each line of standard input as an answer to a query",
  .details = "Prints one number per line, as JSON too: higher is better.\n",
  .options = rerank_options,
  .run = run_rerank,
};
