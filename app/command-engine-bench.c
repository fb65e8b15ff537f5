/* command-engine-bench.c: how fast a model runs here: prefill and decode of a generator, apart; texts through an encoder. */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LENGTHS = 32, MAX_LENGTH = 1 << 24, WARM_UP_TOKENS = 512, TEXTS_AT_ONCE = 8 };
enum { DEFAULT_PREFILL = 512, DEFAULT_DECODE = 128, DEFAULT_TEXT = 256, DEFAULT_REPETITIONS = 5 };

static const OptionSpec options[] = {
  { 0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE },
  { 'p', NULL, OPTION_TEXT, "N,…", 0, 0, "lengths of prompts (default: 512) or, for encoders, texts (default: 256)",
    FALSE },
  { 'n', NULL, OPTION_COUNT, "N", 0, MAX_LENGTH, "tokens to generate, 0 for none (default: 128)", FALSE },
  { 't', NULL, OPTION_COUNT, "THREADS", 1, 1024, "threads (default: one per physical core)", FALSE },
  { 'r', NULL, OPTION_COUNT, "REPS", 1, 1000, "times that each test is repeated (default: 5)", FALSE },
  { 0, "depth", OPTION_COUNT, "N", 0, MAX_LENGTH, "tokens that the session holds before each test (default: 0)",
    FALSE },
  OPTIONS_END,
};

typedef struct {
  const Invocation *invocation;
  EngineModel *model;
  guint lengths[MAX_LENGTHS];
  guint n_lengths, n_decode, n_repetitions, depth;
  GArray *rates; /* of double: tokens per second of the test under way */
  JsonWriter *writer;
} Bench;

static double seconds_since (gint64 start)
{
  return MAX (1e-6, (double)(g_get_monotonic_time () - start) / 1e6);
}

/* ---- what comes out -------------------------------------------------------------------------------------- */

static int compare_rates (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report_test (Bench *bench, const char *kind, guint n)
{
  GString *name = g_string_new (NULL);
  g_string_append_printf (name, "%s%u", kind, n);
  if (bench->depth)
    g_string_append_printf (name, " @ d%u", bench->depth);
  json_writer_begin_object (bench->writer);
  json_writer_member_string (bench->writer, "test", name->str);
  json_writer_key (bench->writer, "tokens_per_second");
  json_writer_begin_array (bench->writer);
  for (guint i = 0; i < bench->rates->len; i++)
    json_writer_double (bench->writer, g_array_index (bench->rates, double, i));
  json_writer_end_array (bench->writer);

  g_array_sort (bench->rates, compare_rates);
  const double *sorted = (const double *)(void *)bench->rates->data;
  const guint last = bench->rates->len - 1;
  const double median = (sorted[last / 2] + sorted[(last + 1) / 2]) / 2;
  json_writer_member_double (bench->writer, "median", median);
  json_writer_end_object (bench->writer);
  if (!bench->invocation->json) {
    output_printf ("%-20s %10.2f %10.2f %10.2f\n", name->str, median, sorted[0], sorted[last]);
    output_flush ();
  }
  g_string_free (name, TRUE);
  g_array_set_size (bench->rates, 0);
}

/* ---- generators ------------------------------------------------------------------------------------------ */

typedef struct {
  struct engine_session *session;
  gint32 *ids; /* [n]: any tokens; speed does not depend on which */
  guint n;
} Decoder;

/* Lets the session hold `depth` tokens. */
static int go_to_depth (const Bench *bench, const Decoder *decoder, struct engine_error *error)
{
  if (bench->depth == 0)
    return engine_session_truncate (decoder->session, 0, error);
  return engine_session_set_tokens (decoder->session, decoder->ids, bench->depth, NULL, error);
}

static int prefill (Bench *bench, const Decoder *decoder, guint n, struct engine_error *error)
{
  size_t n_cached = 0;
  int status = go_to_depth (bench, decoder, error);
  const gint64 start = g_get_monotonic_time ();
  if (status == ENGINE_OK)
    status = engine_session_set_tokens (decoder->session, decoder->ids, bench->depth + n, &n_cached, error);
  const double rate = (double)(bench->depth + n - n_cached) / seconds_since (start);
  if (status == ENGINE_OK)
    g_array_append_val (bench->rates, rate);
  return status;
}

static int decode (Bench *bench, const Decoder *decoder, guint n, struct engine_error *error)
{
  int status = go_to_depth (bench, decoder, error);
  const gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < n && status == ENGINE_OK; i++)
    status = engine_session_append (decoder->session, decoder->ids[bench->depth + i], error);
  const double rate = n / seconds_since (start);
  if (status == ENGINE_OK)
    g_array_append_val (bench->rates, rate);
  return status;
}

typedef int (*TestFunc) (Bench *bench, const Decoder *decoder, guint n, struct engine_error *error);

static gboolean run_test (Bench *bench, const Decoder *decoder, TestFunc func, const char *kind, guint n,
                          GError **error)
{
  struct engine_error engine_error = { 0 };
  int status = ENGINE_OK;
  if (n == 0)
    return TRUE;
  for (guint i = 0; i < bench->n_repetitions && status == ENGINE_OK; i++)
    status = func (bench, decoder, n, &engine_error);
  if (!engine_check (status, &engine_error, error))
    return FALSE;
  report_test (bench, kind, n);
  return TRUE;
}

/* Brings the weights into memory and wakes the threads. */
static gboolean warm_up (Bench *bench, const Decoder *decoder, GError **error)
{
  struct engine_error engine_error = { 0 };
  int status = engine_session_set_tokens (decoder->session, decoder->ids, MIN (decoder->n - 1, WARM_UP_TOKENS), NULL,
                                          &engine_error);
  if (status == ENGINE_OK)
    status = engine_session_append (decoder->session, decoder->ids[0], &engine_error);
  return engine_check (status, &engine_error, error);
}

static gboolean run_decoder (Bench *bench, const Decoder *decoder, GError **error)
{
  if (!warm_up (bench, decoder, error))
    return FALSE;
  for (guint i = 0; i < bench->n_lengths; i++)
    if (!run_test (bench, decoder, prefill, "pp", bench->lengths[i], error))
      return FALSE;
  return run_test (bench, decoder, decode, "tg", bench->n_decode, error);
}

static void cancel_session (GCancellable *cancellable, gpointer session)
{
  engine_session_cancel (session);
}

static gboolean bench_generator (Bench *bench, GError **error)
{
  const struct engine_model_info *info = engine_model_get_info (bench->model);
  guint longest = MAX (bench->n_decode, 2); /* 2: the warm-up */
  for (guint i = 0; i < bench->n_lengths; i++)
    longest = MAX (longest, bench->lengths[i]);
  Decoder decoder = { .n = bench->depth + longest };
  struct engine_session_options session = {
    .context_tokens = decoder.n,
    .n_threads = (int)options_get_count (bench->invocation->options, "t", 0),
  };
  struct engine_error engine_error = { 0 };
  if (!engine_check (engine_session_new (bench->model, &session, &decoder.session, &engine_error), &engine_error,
                     error))
    return FALSE;
  decoder.ids = g_new (gint32, decoder.n);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  for (guint i = 0; i < decoder.n; i++)
    decoder.ids[i] = g_rand_int_range (random, 0, (gint32)info->n_vocab);
  gulong handler
      = g_cancellable_connect (bench->invocation->cancellable, G_CALLBACK (cancel_session), decoder.session, NULL);
  gboolean done = run_decoder (bench, &decoder, error);
  g_cancellable_disconnect (bench->invocation->cancellable, handler);
  engine_session_free (decoder.session);
  g_free (decoder.ids);
  return done;
}

/* ---- encoders -------------------------------------------------------------------------------------------- */

typedef struct {
  struct engine_encoder *encoder;
  float *vectors; /* [TEXTS_AT_ONCE][dimensions] */
  GString *texts[TEXTS_AT_ONCE];
  gsize n_tokens; /* of all texts */
} Encoder;

static int count_tokens (const Bench *bench, const GString *text, gsize *n, struct engine_error *error)
{
  struct engine_tokens tokens = { 0 };
  int status = engine_tokenize (bench->model, text->str, text->len, ENGINE_TOKENIZE_ADD_SPECIAL, &tokens, error);
  *n = tokens.n;
  engine_tokens_clear (&tokens);
  return status;
}

/* Words until there are `n` tokens, or as many below as whole words give. */
static int write_text (const Bench *bench, guint which, guint n, GString *text, gsize *n_tokens,
                       struct engine_error *error)
{
  static const char *const words[] = { "the", "river", "was", "high", "in",   "spring", "and",  "we",   "had",
                                       "to",  "wait",  "for", "a",    "boat", "that",   "came", "from", "town" };
  gsize n_now = 0, length = 0;
  int status = ENGINE_OK;
  g_string_truncate (text, 0);
  *n_tokens = 0;
  for (guint i = which; status == ENGINE_OK && n_now < n; i++) {
    g_string_append_printf (text, "%s%s", text->len ? " " : "", words[i * 7 % G_N_ELEMENTS (words)]);
    status = count_tokens (bench, text, &n_now, error);
    if (n_now > n && length > 0)
      break;
    length = text->len;
    *n_tokens = n_now;
  }
  g_string_truncate (text, length);
  return status;
}

static int embed_texts (const Encoder *encoder, struct engine_error *error)
{
  struct engine_text texts[TEXTS_AT_ONCE];
  for (guint i = 0; i < TEXTS_AT_ONCE; i++)
    texts[i] = (struct engine_text){ encoder->texts[i]->str, encoder->texts[i]->len };
  return engine_encoder_embed_batch (encoder->encoder, texts, TEXTS_AT_ONCE, encoder->vectors, error);
}

static gboolean run_encoder_test (Bench *bench, Encoder *encoder, guint n, GError **error)
{
  struct engine_error engine_error = { 0 };
  int status = ENGINE_OK;
  encoder->n_tokens = 0;
  for (guint i = 0; i < TEXTS_AT_ONCE && status == ENGINE_OK; i++) {
    gsize n_tokens;
    status = write_text (bench, i, n, encoder->texts[i], &n_tokens, &engine_error);
    encoder->n_tokens += n_tokens;
  }
  if (status == ENGINE_OK)
    status = embed_texts (encoder, &engine_error); /* the warm-up */
  for (guint i = 0; i < bench->n_repetitions && status == ENGINE_OK; i++) {
    const gint64 start = g_get_monotonic_time ();
    status = embed_texts (encoder, &engine_error);
    const double rate = (double)encoder->n_tokens / seconds_since (start);
    g_array_append_val (bench->rates, rate);
  }
  if (!engine_check (status, &engine_error, error))
    return FALSE;
  report_test (bench, "embd", n);
  return TRUE;
}

static void cancel_encoder (GCancellable *cancellable, gpointer encoder)
{
  engine_encoder_cancel (encoder);
}

static gboolean bench_encoder (Bench *bench, GError **error)
{
  const struct engine_encoder_options given
      = { .n_threads = (int)options_get_count (bench->invocation->options, "t", 0) };
  Encoder encoder = { 0 };
  struct engine_error engine_error = { 0 };
  gboolean done = TRUE;
  if (!engine_check (engine_encoder_new (bench->model, &given, &encoder.encoder, &engine_error), &engine_error, error))
    return FALSE;
  encoder.vectors = g_new (float, TEXTS_AT_ONCE *engine_encoder_get_dimensions (encoder.encoder));
  for (guint i = 0; i < TEXTS_AT_ONCE; i++)
    encoder.texts[i] = g_string_new (NULL);
  gulong handler
      = g_cancellable_connect (bench->invocation->cancellable, G_CALLBACK (cancel_encoder), encoder.encoder, NULL);
  for (guint i = 0; i < bench->n_lengths && done; i++)
    done = bench->lengths[i] == 0 || run_encoder_test (bench, &encoder, bench->lengths[i], error);
  g_cancellable_disconnect (bench->invocation->cancellable, handler);
  for (guint i = 0; i < TEXTS_AT_ONCE; i++)
    g_string_free (encoder.texts[i], TRUE);
  g_free (encoder.vectors);
  engine_encoder_free (encoder.encoder);
  return done;
}

/* ---- running --------------------------------------------------------------------------------------------- */

static gboolean read_lengths (Bench *bench, const char *list, GError **error)
{
  bool wrong = false;
  for (const char *p = list; !wrong;) {
    char *end;
    errno = 0;
    const guint64 n = g_ascii_isdigit (*p) ? g_ascii_strtoull (p, &end, 10) : MAX_LENGTH + 1;
    wrong = n > MAX_LENGTH || errno || (*end && *end != ',') || bench->n_lengths == MAX_LENGTHS;
    if (wrong)
      break;
    bench->lengths[bench->n_lengths++] = (guint)n;
    if (!*end)
      return TRUE;
    p = end + 1;
  }
  g_autofree char *shown = g_utf8_make_valid (list, -1);
  g_set_error (error, USAGE_ERROR, 0, "“%s” is no list of at most %d lengths from 0 to %d; write them as 512,2048.",
               shown, MAX_LENGTHS, MAX_LENGTH);
  return FALSE;
}

static gboolean read_options (Bench *bench, gboolean encodes, GError **error)
{
  const Options *given = bench->invocation->options;
  if (encodes && (options_has (given, "n") || options_has (given, "depth"))) {
    g_set_error (error, USAGE_ERROR, 0,
                 "-n and --depth are for generators, and this model turns texts into vectors; leave them out.");
    return FALSE;
  }
  const char *lengths = options_get_text (given, "p");
  bench->lengths[0] = encodes ? DEFAULT_TEXT : DEFAULT_PREFILL;
  bench->n_lengths = lengths ? 0 : 1;
  bench->n_decode = (guint)options_get_count (given, "n", DEFAULT_DECODE);
  bench->n_repetitions = (guint)options_get_count (given, "r", DEFAULT_REPETITIONS);
  bench->depth = (guint)options_get_count (given, "depth", 0);
  return !lengths || read_lengths (bench, lengths, error);
}

static gboolean run_bench (const Invocation *invocation, GError **error)
{
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  const struct engine_model_info *info = engine_model_get_info (model);
  const gboolean encodes = info->runs && info->role == ENGINE_ROLE_ENCODER;
  Bench bench = { .invocation = invocation, .model = model };
  if (!read_options (&bench, encodes, error))
    return FALSE;
  g_autoptr (GArray) rates = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (JsonWriter) writer = json_writer_new ();
  bench.rates = rates;
  bench.writer = writer;
  json_writer_begin_array (writer);
  if (!invocation->json)
    output_printf ("%-20s %10s %10s %10s   tokens per second (%s)\n", "test", "median", "least", "most",
                   engine_get_cpu_path ());
  if (!(encodes ? bench_encoder : bench_generator) (&bench, error))
    return FALSE;
  json_writer_end_array (writer);
  if (invocation->json)
    output_json (writer);
  return TRUE;
}

const Command command_engine_bench = {
  .name = "engine bench",
  .arguments = "",
  .summary = "Measure how fast a model runs",
  .details
  = "Generators: prefill (ppN: a prompt of N tokens) and decode (tgN: N tokens, one by one), apart. Encoders:\n"
    "embdN, texts of N tokens. A first run that is not counted warms the file and the threads up.\n",
  .options = options,
  .run = run_bench,
};
