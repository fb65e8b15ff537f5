/* command-engine-encode.c: an encoder by itself: each line of standard input to a vector (engine embed) or to a score
 * against a query (engine rerank). */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  struct engine_encoder *encoder;
  struct engine_text query; /* engine rerank */
  float *vector;            /* [n]; engine embed */
  guint32 n;
} Encoding;

/* Writes what comes out for one line. */
typedef int (*LineFunc) (Encoding *encoding, const char *line, gsize length, JsonWriter *writer,
                         struct engine_error *error);

static void cancel_encoder (GCancellable *cancellable, gpointer encoder)
{
  engine_encoder_cancel (encoder);
}

/* A line is answered as soon as it is there: a pipe may wait for it. */
static gboolean encode_lines (Encoding *encoding, LineFunc func, GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) stdin_stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stdin_stream);
  g_autoptr (JsonWriter) writer = json_writer_new ();
  for (;;) {
    gsize length;
    struct engine_error engine_error = { 0 };
    g_autoptr (GError) read_error = NULL;
    g_autofree char *line = g_data_input_stream_read_line (lines, &length, cancellable, &read_error);
    if (read_error) {
      g_propagate_error (error, g_steal_pointer (&read_error));
      return FALSE;
    }
    if (!line)
      return TRUE;
    json_writer_reset (writer);
    if (!engine_check (func (encoding, line, length, writer, &engine_error), &engine_error, error))
      return FALSE;
    output_json (writer);
    output_flush ();
  }
}

static gboolean run (const Invocation *invocation, Encoding *encoding, LineFunc func, GError **error)
{
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  struct engine_error engine_error = { 0 };
  const struct engine_encoder_options options = {
    .n_threads = (int)options_get_count (invocation->options, "t", 0),
    .dimensions = (guint32)options_get_count (invocation->options, "dimensions", 0),
  };
  if (!engine_check (engine_encoder_new (model, &options, &encoding->encoder, &engine_error), &engine_error, error))
    return FALSE;
  encoding->n = engine_encoder_get_dimensions (encoding->encoder);
  encoding->vector = g_new (float, encoding->n);
  gulong handler
      = g_cancellable_connect (invocation->cancellable, G_CALLBACK (cancel_encoder), encoding->encoder, NULL);
  gboolean done = encode_lines (encoding, func, invocation->cancellable, error);
  g_cancellable_disconnect (invocation->cancellable, handler);
  engine_encoder_free (encoding->encoder);
  g_free (encoding->vector);
  return done;
}

#define MODEL_OPTION                                                                                                   \
  {                                                                                                                    \
    0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE                                                       \
  }
#define THREADS_OPTION                                                                                                 \
  {                                                                                                                    \
    't', NULL, OPTION_COUNT, "THREADS", 1, 1024, "threads (default: one per physical core)", FALSE                     \
  }

/* ---- embed ----------------------------------------------------------------------------------------------- */

static int embed_line (Encoding *encoding, const char *line, gsize length, JsonWriter *writer,
                       struct engine_error *error)
{
  int status = engine_encoder_embed (encoding->encoder, line, length, encoding->vector, error);
  json_writer_begin_array (writer);
  for (guint32 i = 0; status == ENGINE_OK && i < encoding->n; i++)
    json_writer_float (writer, encoding->vector[i]);
  json_writer_end_array (writer);
  return status;
}

static gboolean run_embed (const Invocation *invocation, GError **error)
{
  Encoding encoding = { 0 };
  return run (invocation, &encoding, embed_line, error);
}

static const OptionSpec embed_options[] = {
  MODEL_OPTION,
  { 0, "dimensions", OPTION_COUNT, "N", 1, 1 << 20, "cut vectors to their first N numbers (default: all)", FALSE },
  THREADS_OPTION,
  OPTIONS_END,
};

const Command command_engine_embed = {
  .name = "engine embed",
  .arguments = "",
  .summary = "Turn each line of standard input into a vector",
  .details = "Prints one JSON array of numbers per line, of length 1 (L2).\n",
  .options = embed_options,
  .run = run_embed,
};

/* ---- rerank ---------------------------------------------------------------------------------------------- */

static int score_line (Encoding *encoding, const char *line, gsize length, JsonWriter *writer,
                       struct engine_error *error)
{
  const struct engine_text passage = { line, length };
  float score = 0;
  int status = engine_encoder_rerank (encoding->encoder, &encoding->query, &passage, 1, &score, error);
  json_writer_float (writer, score);
  return status;
}

static gboolean run_rerank (const Invocation *invocation, GError **error)
{
  const char *query = options_get_text (invocation->options, "query");
  Encoding encoding = { .query = { query, strlen (query) } };
  return run (invocation, &encoding, score_line, error);
}

static const OptionSpec rerank_options[] = {
  MODEL_OPTION,
  { 0, "query", OPTION_TEXT, "QUERY", 0, 0, "what the passages are scored against", TRUE },
  THREADS_OPTION,
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
