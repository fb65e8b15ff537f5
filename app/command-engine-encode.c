/* command-engine-encode.c: an encoder by itself: each line of standard input to a vector (engine embed) or to a score
 * against a query (engine rerank). */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include <gio/gunixinputstream.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define BATCH_LINES 64
#define BATCH_BYTES (256 * 1024) /* lines that are read ahead */

typedef struct {
  struct engine_encoder *encoder;
  struct engine_text query; /* engine rerank */
  guint32 width;            /* numbers that come out for a line */
  gboolean is_list;         /* they are written as an array */
} Encoding;

/* Fills results[n_lines][encoding->width]. */
typedef int (*LinesFunc) (Encoding *encoding, const struct engine_text *lines, gsize n_lines, float *results,
                          struct engine_error *error);

static void cancel_encoder (GCancellable *cancellable, gpointer encoder)
{
  engine_encoder_cancel (encoder);
}

/* Whether the next line can be read without waiting for whoever writes it. */
static gboolean has_line (GBufferedInputStream *stream, GCancellable *cancellable)
{
  for (;;) {
    gsize n_bytes;
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    const char *bytes = g_buffered_input_stream_peek_buffer (stream, &n_bytes);
    if (n_bytes > 0 && memchr (bytes, '\n', n_bytes))
      return TRUE;
    if (n_bytes >= BATCH_BYTES || poll (&input, 1, 0) != 1)
      return FALSE;
    const gssize n_read = g_buffered_input_stream_fill (stream, -1, cancellable, NULL);
    if (n_read <= 0)
      return n_read == 0 && n_bytes > 0; /* the last line may lack its end */
  }
}

/* Waits for one line and takes those that are there already. Empty at the end of the input. */
static GPtrArray *read_lines (GDataInputStream *stream, GArray *texts, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_array_set_size (texts, 0);
  do {
    gsize length;
    g_autoptr (GError) read_error = NULL;
    char *line = g_data_input_stream_read_line (stream, &length, cancellable, &read_error);
    if (read_error) {
      g_propagate_error (error, g_steal_pointer (&read_error));
      return NULL;
    }
    if (!line)
      break;
    const struct engine_text text = { line, length };
    g_ptr_array_add (lines, line);
    g_array_append_val (texts, text);
  } while (lines->len < BATCH_LINES && has_line (G_BUFFERED_INPUT_STREAM (stream), cancellable));
  return g_steal_pointer (&lines);
}

static void write_line (const Encoding *encoding, const float *result, JsonWriter *writer)
{
  json_writer_reset (writer);
  if (encoding->is_list)
    json_writer_begin_array (writer);
  for (guint32 i = 0; i < encoding->width; i++)
    json_writer_float (writer, result[i]);
  if (encoding->is_list)
    json_writer_end_array (writer);
  output_json (writer);
}

/* All lines together; or, where they cannot be, one by one up to the one that cannot. */
static gboolean encode_some (Encoding *encoding, LinesFunc func, const struct engine_text *lines, gsize n_lines,
                             float *results, JsonWriter *writer, GError **error)
{
  struct engine_error engine_error = { 0 };
  const int status = func (encoding, lines, n_lines, results, &engine_error);
  for (gsize i = 0; i < n_lines && status != ENGINE_ERROR_CANCELLED; i++) {
    float *result = results + i * encoding->width;
    if (status != ENGINE_OK
        && !engine_check (func (encoding, &lines[i], 1, result, &engine_error), &engine_error, error))
      return FALSE;
    write_line (encoding, result, writer);
  }
  output_flush ();
  return status != ENGINE_ERROR_CANCELLED || engine_check (status, &engine_error, error);
}

/* A line is answered as soon as it is there, with those that came together with it: a pipe may wait for it. */
static gboolean encode_lines (Encoding *encoding, LinesFunc func, GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) stdin_stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) stream = g_data_input_stream_new (stdin_stream);
  g_autoptr (JsonWriter) writer = json_writer_new ();
  g_autoptr (GArray) texts = g_array_new (FALSE, FALSE, sizeof (struct engine_text));
  g_autofree float *results = g_new (float, (gsize)BATCH_LINES * encoding->width);
  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (stream), BATCH_BYTES);
  for (;;) {
    g_autoptr (GPtrArray) lines = read_lines (stream, texts, cancellable, error);
    if (!lines)
      return FALSE;
    if (lines->len == 0)
      return TRUE;
    const struct engine_text *first = (const struct engine_text *)(const void *)texts->data;
    if (!encode_some (encoding, func, first, lines->len, results, writer, error))
      return FALSE;
  }
}

static gboolean run (const Invocation *invocation, Encoding *encoding, LinesFunc func, GError **error)
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
  encoding->width = encoding->is_list ? engine_encoder_get_dimensions (encoding->encoder) : 1;
  gulong handler
      = g_cancellable_connect (invocation->cancellable, G_CALLBACK (cancel_encoder), encoding->encoder, NULL);
  gboolean done = encode_lines (encoding, func, invocation->cancellable, error);
  g_cancellable_disconnect (invocation->cancellable, handler);
  engine_encoder_free (encoding->encoder);
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

static int embed_lines (Encoding *encoding, const struct engine_text *lines, gsize n_lines, float *results,
                        struct engine_error *error)
{
  return engine_encoder_embed_batch (encoding->encoder, lines, n_lines, results, error);
}

static gboolean run_embed (const Invocation *invocation, GError **error)
{
  Encoding encoding = { .is_list = TRUE };
  return run (invocation, &encoding, embed_lines, error);
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

static int score_lines (Encoding *encoding, const struct engine_text *lines, gsize n_lines, float *results,
                        struct engine_error *error)
{
  return engine_encoder_rerank (encoding->encoder, &encoding->query, lines, n_lines, results, error);
}

static gboolean run_rerank (const Invocation *invocation, GError **error)
{
  const char *query = options_get_text (invocation->options, "query");
  Encoding encoding = { .query = { query, strlen (query) } };
  return run (invocation, &encoding, score_lines, error);
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
