/* bench-ranking: nDCG@10 and time per query of ranking parameters on judged collections.
 *
 *   bench-ranking [name=value[,value…]]… -- FOLDER…
 *
 * Every combination of the values is one line: nDCG@10 per folder, then the mean. Folders hold docs.jsonl, queries.jsonl
 * and qrels.tsv. */
#include <stdio.h>
#include <string.h>

#include "app/evaluation.h"
#include "retrieval/search/search.h"

enum { PASSAGES = 60 };

typedef struct {
  const char *name;
  size_t offset;
  gboolean whole;
} Parameter;

#define PARAMETER(field, whole)                                                                                        \
  {                                                                                                                    \
#field, offsetof(LecternRankParameters, field), whole                                                              \
  }
static const Parameter parameters[] = {
  PARAMETER (k1, FALSE),
  PARAMETER (b, FALSE),
  PARAMETER (title, FALSE),
  PARAMETER (heading, FALSE),
  PARAMETER (joined, FALSE),
  PARAMETER (phrase, FALSE),
  PARAMETER (repetition, FALSE),
  PARAMETER (context, FALSE),
  PARAMETER (window, TRUE),
  PARAMETER (context_b, FALSE),
  PARAMETER (coverage, FALSE),
  PARAMETER (tiered, TRUE),
  PARAMETER (tiered_question, TRUE),
};

typedef struct {
  JudgedCollection *collection;
  LecternLibrary *library;
} Bench;

static Bench load (const char *folder)
{
  g_autofree char *documents = g_build_filename (folder, "docs.jsonl", NULL);
  g_autofree char *queries = g_build_filename (folder, "queries.jsonl", NULL);
  g_autofree char *grades = g_build_filename (folder, "qrels.tsv", NULL);
  g_autoptr (GError) error = NULL;
  Bench bench = { judged_collection_load (documents, queries, grades, &error), NULL };
  if (bench.collection)
    bench.library = lectern_library_open_memory (&error);
  if (!bench.library || !judged_collection_index (bench.collection, bench.library, NULL, &error))
    g_error ("%s: %s", folder, error->message);
  return bench;
}

static double measure (const Bench *bench, const LecternRankParameters *values)
{
  JudgedScores scores = { 0 };
  LecternSearchOptions options = { LECTERN_SEARCH_KEYWORD, PASSAGES, NULL };
  lectern_search_set_parameters (bench->library, values, NULL);
  for (guint i = 0; i < bench->collection->queries->len; i++) {
    const JudgedText *query = g_ptr_array_index (bench->collection->queries, i);
    g_autoptr (GPtrArray) results = lectern_search (bench->library, query->text, &options, NULL, NULL);
    g_autoptr (GPtrArray) ranked = g_ptr_array_new ();
    g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
    for (guint r = 0; results && r < results->len; r++) {
      const LecternResult *result = g_ptr_array_index (results, r);
      char *id = judged_collection_find (bench->collection, result->path)->id;
      if (g_hash_table_add (seen, id))
        g_ptr_array_add (ranked, id);
    }
    judged_scores_add (&scores, bench->collection, query->id, ranked);
  }
  return scores.n_queries ? scores.ndcg_10 / scores.n_queries : 0;
}

static void measure_all (const GArray *benches, const LecternRankParameters *values, const char *label)
{
  double sum = 0;
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < benches->len; i++) {
    double ndcg = measure (&g_array_index (benches, Bench, i), values);
    printf ("%.4f ", ndcg);
    sum += ndcg;
  }
  printf (" mean %.4f  %.1f s  %s\n", sum / MAX (benches->len, 1),
          (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC, label);
  fflush (stdout);
}

/* Goes through the values of arguments[0] and, for each, through those of the rest. */
static void combine (const GArray *benches, char **arguments, int n, LecternRankParameters values, const char *label)
{
  if (n == 0) {
    measure_all (benches, &values, label);
    return;
  }
  char *equals = strchr (arguments[0], '=');
  const Parameter *parameter = NULL;
  for (gsize i = 0; equals && i < G_N_ELEMENTS (parameters); i++)
    if (strlen (parameters[i].name) == (size_t)(equals - arguments[0])
        && !strncmp (parameters[i].name, arguments[0], (size_t)(equals - arguments[0])))
      parameter = &parameters[i];
  if (!parameter)
    g_error ("%s is no parameter", arguments[0]);
  g_auto (GStrv) words = g_strsplit (equals + 1, ",", -1);
  for (char **word = words; *word; word++) {
    g_autofree char *longer = g_strdup_printf ("%s %s=%s", label, parameter->name, *word);
    double value = g_ascii_strtod (*word, NULL);
    char *field = (char *)&values + parameter->offset;
    if (parameter->whole)
      *(int *)(void *)field = (int)value;
    else
      *(double *)(void *)field = value;
    combine (benches, arguments + 1, n - 1, values, longer);
  }
}

int main (int argc, char **argv)
{
  int split = 1;
  while (split < argc && strcmp (argv[split], "--"))
    split++;
  if (split + 1 >= argc) {
    fprintf (stderr, "usage: bench-ranking [name=value[,value…]]… -- FOLDER…\n");
    return 2;
  }
  g_autoptr (GArray) benches = g_array_new (FALSE, FALSE, sizeof (Bench));
  for (int i = split + 1; i < argc; i++) {
    Bench bench = load (argv[i]);
    g_array_append_val (benches, bench);
    g_autofree char *name = g_path_get_basename (argv[i]);
    printf ("%s ", name);
  }
  printf ("\n");
  combine (benches, argv + 1, split - 1, lectern_rank_defaults, "");
  for (guint i = 0; i < benches->len; i++) {
    lectern_library_close (g_array_index (benches, Bench, i).library);
    judged_collection_free (g_array_index (benches, Bench, i).collection);
  }
  return 0;
}
