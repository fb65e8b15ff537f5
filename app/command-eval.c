#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/evaluation.h"
#include "app/output.h"

/* Deep enough for recall@100 where documents have many passages; what is timed is a search as people make it. */
enum { DEEP_PASSAGES = 1000, DEEP_DOCUMENTS = 100 };

typedef struct {
  const JudgedCollection *collection;
  LecternLibrary *library;
  LecternSearchMode mode;
  FILE *run;       /* NULL: none asked for */
  GArray *took_ms; /* of double */
  JudgedScores scores;
} Evaluation;

static int compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The smallest value that `share` of them do not exceed. */
static double percentile (GArray *values, double share)
{
  if (values->len == 0)
    return 0;
  g_array_sort (values, compare_doubles);
  double rank = share * values->len;
  guint index = (guint)rank;
  if (index == rank && index > 0)
    index--;
  return g_array_index (values, double, MIN (index, values->len - 1));
}

static gboolean evaluate_query (Evaluation *evaluation, const JudgedText *query, GCancellable *cancellable,
                                GError **error)
{
  LecternSearchOptions options = { evaluation->mode, 0, NULL };
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GPtrArray) timed = lectern_search (evaluation->library, query->text, &options, cancellable, error);
  double took_ms = (double)(g_get_monotonic_time () - start) / 1000.0;
  if (!timed)
    return FALSE;
  g_array_append_val (evaluation->took_ms, took_ms);

  options.limit = DEEP_PASSAGES;
  g_autoptr (GPtrArray) results = lectern_search (evaluation->library, query->text, &options, cancellable, error);
  g_autoptr (GPtrArray) ranked = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  if (!results)
    return FALSE;
  for (guint i = 0; i < results->len && ranked->len < DEEP_DOCUMENTS; i++) {
    const LecternResult *result = g_ptr_array_index (results, i);
    const JudgedText *document = judged_collection_find (evaluation->collection, result->path);
    if (!document || !g_hash_table_add (seen, document->id))
      continue;
    g_ptr_array_add (ranked, document->id);
    if (evaluation->run)
      fprintf (evaluation->run, "%s\t%s\t%.9g\n", query->id, document->id, result->score);
  }
  judged_scores_add (&evaluation->scores, evaluation->collection, query->id, ranked);
  return TRUE;
}

static void print_scores (const Invocation *invocation, Evaluation *evaluation, double index_seconds)
{
  const JudgedScores *scores = &evaluation->scores;
  double n = MAX (scores->n_queries, 1);
  const struct {
    const char *name;
    double value;
  } rows[] = {
    { "ndcg@10", scores->ndcg_10 / n },
    { "mrr@10", scores->mrr_10 / n },
    { "recall@100", scores->recall_100 / n },
    { "p50_ms", percentile (evaluation->took_ms, 0.50) },
    { "p95_ms", percentile (evaluation->took_ms, 0.95) },
    { "queries", scores->n_queries },
    { "index_seconds", index_seconds },
  };
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    gboolean whole = !strcmp (rows[i].name, "queries");
    if (whole)
      json_writer_member_int (writer, rows[i].name, scores->n_queries);
    else
      json_writer_member_double (writer, rows[i].name, rows[i].value);
    if (!invocation->json)
      output_printf ("%-14s %.*f\n", rows[i].name, whole ? 0 : 4, rows[i].value);
  }
  json_writer_end_object (writer);
  if (invocation->json)
    output_json (writer);
}

static gboolean parse_mode (const char *word, LecternSearchMode *mode, GError **error)
{
  static const char *const words[] = {
    [LECTERN_SEARCH_HYBRID] = "hybrid", [LECTERN_SEARCH_KEYWORD] = "keyword", [LECTERN_SEARCH_SEMANTIC] = "semantic"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (!word || !strcmp (word, words[i])) {
      *mode = word ? (LecternSearchMode)i : LECTERN_SEARCH_HYBRID;
      return TRUE;
    }
  g_set_error (error, USAGE_ERROR, 0, "The mode is hybrid, keyword or semantic, not “%s”.", word);
  return FALSE;
}

static gboolean evaluate (const Invocation *invocation, Evaluation *evaluation, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  if (!judged_collection_index (evaluation->collection, evaluation->library, invocation->cancellable, error))
    return FALSE;
  double index_seconds = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  for (guint i = 0; i < evaluation->collection->queries->len; i++)
    if (!evaluate_query (evaluation, g_ptr_array_index (evaluation->collection->queries, i), invocation->cancellable,
                         error))
      return FALSE;
  print_scores (invocation, evaluation, index_seconds);
  return TRUE;
}

static gboolean run_eval (const Invocation *invocation, GError **error)
{
  Evaluation evaluation = { 0 };
  const char *run = options_get_text (invocation->options, "run");
  if (!parse_mode (options_get_text (invocation->options, "mode"), &evaluation.mode, error))
    return FALSE;
  g_autoptr (JudgedCollection) collection = judged_collection_load (
      options_get_text (invocation->options, "docs"), options_get_text (invocation->options, "queries"),
      options_get_text (invocation->options, "qrels"), error);
  if (!collection)
    return FALSE;
  if (run && !(evaluation.run = g_fopen (run, "we"))) {
    g_set_error (error, G_FILE_ERROR, (int)g_file_error_from_errno (errno), "“%s” cannot be written (%s).", run,
                 g_strerror (errno));
    return FALSE;
  }
  evaluation.collection = collection;
  evaluation.took_ms = g_array_new (FALSE, FALSE, sizeof (double));
  evaluation.library = lectern_library_open_memory (error);
  gboolean ok = evaluation.library && evaluate (invocation, &evaluation, error);
  lectern_library_close (evaluation.library);
  g_array_unref (evaluation.took_ms);
  if (evaluation.run && (ferror (evaluation.run) | fclose (evaluation.run)) != 0 && ok) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, "“%s” could not be written completely.", run);
    ok = FALSE;
  }
  return ok;
}

static const OptionSpec eval_options[] = {
  { 0, "docs", OPTION_TEXT, "FILE", 0, 0, "documents, one {\"id\", \"title\", \"text\"} per line", TRUE },
  { 0, "queries", OPTION_TEXT, "FILE", 0, 0, "queries, one {\"id\", \"text\"} per line", TRUE },
  { 0, "qrels", OPTION_TEXT, "FILE", 0, 0, "judgements: query, document, grade, separated by tabs", TRUE },
  { 0, "mode", OPTION_TEXT, "MODE", 0, 0, "hybrid (default), keyword or semantic", FALSE },
  { 0, "run", OPTION_TEXT, "FILE", 0, 0, "also write query, document, score, separated by tabs", FALSE },
  OPTIONS_END,
};

const Command command_eval = {
  .name = "eval",
  .arguments = "",
  .summary = "Measure search on a judged collection",
  .details = "The documents are cut into passages and indexed in memory as files are, then every query is searched. A\n"
             "document scores as its best passage; queries without a relevant document do not count. Times are of a\n"
             "search for ten passages.\n",
  .options = eval_options,
  .min_words = 0,
  .max_words = 0,
  .run = run_eval,
};
