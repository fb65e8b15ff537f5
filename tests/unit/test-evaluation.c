#include <glib/gstdio.h>
#include <string.h>

#include "app/evaluation.h"

static char *write_file (const char *dir, const char *name, const char *text)
{
  char *path = g_build_filename (dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static JudgedCollection *load (const char *documents, const char *queries, const char *grades, GError **error)
{
  g_autofree char *dir = g_dir_make_tmp ("lectern-eval-XXXXXX", NULL);
  g_autofree char *d = write_file (dir, "docs.jsonl", documents);
  g_autofree char *q = write_file (dir, "queries.jsonl", queries);
  g_autofree char *r = write_file (dir, "qrels.tsv", grades);
  JudgedCollection *collection = judged_collection_load (d, q, r, error);
  g_remove (d);
  g_remove (q);
  g_remove (r);
  g_rmdir (dir);
  return collection;
}

static const char documents[] = "{\"id\":\"a\",\"title\":\"Cats\",\"text\":\"A cat sleeps.\\n\\nIt purrs.\"}\n"
                                "{\"id\":\"b\",\"title\":\"Dogs\",\"text\":\"A dog barks.\"}\n\n"
                                "{\"id\":\"c\",\"title\":\"Only a title about newts\",\"text\":\"\"}";
static const char queries[] = "{\"id\":\"q1\",\"text\":\"cat\"}\n{\"id\":\"q2\",\"text\":\"dog\"}\n";

static void test_scores (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JudgedCollection) collection
      = load (documents, queries, "q1\ta\t2\nq1\tb\t1\nq1\tc\t0\nq2\tb\t0\n", &error);
  g_assert_no_error (error);
  JudgedScores scores = { 0 };
  g_autoptr (GPtrArray) ranked = g_ptr_array_new ();
  g_ptr_array_add (ranked, (gpointer) "c");
  g_ptr_array_add (ranked, (gpointer) "a");
  /* Nothing is relevant for q2, q3 was never judged. */
  g_assert_false (judged_scores_add (&scores, collection, "q2", ranked));
  g_assert_false (judged_scores_add (&scores, collection, "q3", ranked));
  g_assert_true (judged_scores_add (&scores, collection, "q1", ranked));
  g_assert_cmpuint (scores.n_queries, ==, 1);
  /* (2 / log2 3) / (2 / log2 2 + 1 / log2 3) */
  g_assert_cmpfloat_with_epsilon (scores.ndcg_10, 1.261859507 / 2.630929754, 1e-8);
  g_assert_cmpfloat (scores.mrr_10, ==, 0.5);
  g_assert_cmpfloat (scores.recall_100, ==, 0.5);
  g_ptr_array_set_size (ranked, 0);
  g_assert_true (judged_scores_add (&scores, collection, "q1", ranked));
  g_assert_cmpfloat (scores.mrr_10, ==, 0.5);
  for (int i = 0; i < 10; i++)
    g_ptr_array_add (ranked, (gpointer) "x");
  g_ptr_array_add (ranked, (gpointer) "a");
  g_assert_true (judged_scores_add (&scores, collection, "q1", ranked));
  g_assert_cmpfloat (scores.mrr_10, ==, 0.5);
  g_assert_cmpfloat (scores.recall_100, ==, 1.0);
}

static void test_index (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JudgedCollection) collection = load (documents, queries, "", &error);
  LecternLibrary *library = lectern_library_open_memory (&error);
  g_assert_true (judged_collection_index (collection, library, NULL, &error));
  g_assert_no_error (error);
  static const char *const rows[][2] = { { "purr", "a" }, { "dogs", "b" }, { "newt", "c" } };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) results = lectern_search (library, rows[i][0], NULL, NULL, &error);
    g_assert_cmpuint (results->len, ==, 1);
    const JudgedText *found
        = judged_collection_find (collection, ((LecternResult *)g_ptr_array_index (results, 0))->path);
    g_assert_cmpstr (found->id, ==, rows[i][1]);
  }
  g_assert_null (judged_collection_find (collection, "/3"));
  g_assert_null (judged_collection_find (collection, "0"));
  lectern_library_close (library);
}

static void test_bad_files (void)
{
  static const char *const rows[][3] = {
    { "{\"id\":1}", queries, "" },        { "[]", queries, "" },
    { documents, "{\"id\":\"q\"", "" },   { documents, queries, "q1 a 1" },
    { documents, queries, "q1\ta\tone" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (load (rows[i][0], rows[i][1], rows[i][2], &error));
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, "ine 1"));
  }
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/evaluation/scores", test_scores);
  g_test_add_func ("/evaluation/index", test_index);
  g_test_add_func ("/evaluation/bad-files", test_bad_files);
  return g_test_run ();
}
