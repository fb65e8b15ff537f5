/* Whole documents through lectern-extract (argv[1]): each file of the folder argv[2], NAME.docx and the like, must give
 * what is written in NAME.docx.expected: title, author, date, pages, findings, warnings and status, then the blocks, one a
 * line ("kind level page: text"), with line breaks as "\n". With REGENERATE set in the environment the .expected files are
 * written instead, to be read by a person before they are committed. */
#include "ingest/ingest.h"

#include <string.h>

static LecternExtractor *extractor;

static char *describe (const LecternExtraction *extraction)
{
  GString *out = g_string_new (NULL);
  const char *fields[] = { "type", extraction->type, "title",  extraction->title, "author", extraction->author,
                           "date", extraction->date, "status", extraction->error };
  for (guint i = 0; i < G_N_ELEMENTS (fields); i += 2)
    if (fields[i + 1])
      g_string_append_printf (out, "%s: %s\n", fields[i], fields[i + 1]);
  if (extraction->status != LECTERN_STATUS_INDEXED)
    g_string_append_printf (out, "not read: %s\n", lectern_status_to_string (extraction->status));
  if (extraction->n_pages)
    g_string_append_printf (out, "pages: %d\n", extraction->n_pages);
  for (guint i = 0; i < extraction->findings->len; i++) {
    const LecternFinding *finding = extraction->findings->pdata[i];
    g_string_append_printf (out, "finding: %s %" G_GUINT64_FORMAT ": %s\n",
                            lectern_finding_kind_to_string (finding->kind), finding->amount,
                            finding->detail ? finding->detail : "");
  }
  for (guint i = 0; i < extraction->warnings->len; i++)
    g_string_append_printf (out, "warning: %s\n", (const char *)extraction->warnings->pdata[i]);
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    g_auto (GStrv) lines = g_strsplit (block->text, "\n", -1);
    g_autofree char *joined = g_strjoinv ("\\n", lines);
    g_string_append_printf (out, "%s %d %d: %s\n", lectern_block_kind_to_string (block->kind), block->level,
                            block->page, joined);
  }
  return g_string_free (out, FALSE);
}

static void read_one (gconstpointer path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LecternExtraction) extraction = lectern_extractor_extract (extractor, path, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *found = describe (extraction);
  g_autofree char *expected_path = g_strconcat (path, ".expected", NULL);
  g_autofree char *expected = NULL;
  if (g_getenv ("REGENERATE"))
    g_assert_true (g_file_set_contents (expected_path, found, -1, NULL));
  g_assert_true (g_file_get_contents (expected_path, &expected, NULL, NULL));
  g_assert_cmpstr (found, ==, expected);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  g_setenv ("LECTERN_EXTRACT", argv[1], TRUE);
  g_autoptr (GError) error = NULL;
  extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  GDir *dir = g_dir_open (argv[2], 0, NULL);
  g_assert_nonnull (dir);
  guint n = 0;
  for (const char *name; (name = g_dir_read_name (dir));) {
    if (g_str_has_suffix (name, ".expected") || g_str_has_suffix (name, ".py"))
      continue;
    g_autofree char *test = g_strconcat ("/document/", name, NULL);
    g_test_add_data_func_full (test, g_build_filename (argv[2], name, NULL), read_one, g_free);
    n++;
  }
  g_dir_close (dir);
  g_assert_cmpuint (n, >, 0);
  int result = g_test_run ();
  lectern_extractor_free (extractor);
  return result;
}
