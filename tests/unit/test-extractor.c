/* The client of lectern-extract against readers that crash, hang, lie and flood: each document gets a status in time,
 * and the one after it is read as if nothing had been. argv[1]: hostile-extract. */
#include "ingest/ingest.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *hostile;
static char *folder;

static char *make_file (const char *name, const char *content)
{
  char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return path;
}

static LecternExtraction *extract (LecternExtractor *extractor, const char *name, guint timeout_ms)
{
  g_autofree char *path = make_file (name, "content");
  g_autoptr (GError) error = NULL;
  LecternExtractLimits limits = { timeout_ms, 0 };
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, &limits, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (extraction);
  g_unlink (path);
  return extraction;
}

static LecternExtractor *new_extractor (void)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("LECTERN_EXTRACT", hostile, TRUE);
  LecternExtractor *extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  return extractor;
}

static void test_hostile (void)
{
  static const struct {
    const char *name;
    guint timeout_ms;
    LecternStatus status;
    const char *part; /* of the sentence */
  } cases[] = {
    { "crash", 20000, LECTERN_STATUS_DAMAGED, "crashed on it (signal 11" },
    { "half", 20000, LECTERN_STATUS_DAMAGED, "" }, /* exit status 3, or an abort under a sanitizer */
    { "silent", 20000, LECTERN_STATUS_DAMAGED, "gave up on it (exit status 0)" },
    { "memory", 20000, LECTERN_STATUS_TOO_LARGE, "more than 1024 MiB of memory" },
    { "hang", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
    { "drip", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
    { "closed", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
    { "lie", 20000, LECTERN_STATUS_DAMAGED, "made no sense (a frame too long)" },
    { "flood", 60000, LECTERN_STATUS_TOO_LARGE, "far more text" },
    { "parent", 20000, LECTERN_STATUS_DAMAGED, "broke down on it" },
    { "write", 20000, LECTERN_STATUS_DAMAGED, "" }, /* the file size limit ends it */
  };
  LecternExtractor *extractor = new_extractor ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 start = g_get_monotonic_time ();
    LecternExtraction *extraction = extract (extractor, cases[i].name, cases[i].timeout_ms);
    g_test_message ("%s: %s", cases[i].name, extraction->error);
    g_assert_cmpint (extraction->status, ==, cases[i].status);
    g_assert_nonnull (strstr (extraction->error, cases[i].part));
    g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * G_USEC_PER_SEC);
    lectern_extraction_free (extraction);
    extraction = extract (extractor, "good", 20000);
    g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
    g_assert_cmpuint (extraction->blocks->len, ==, 1);
    lectern_extraction_free (extraction);
  }
  lectern_extractor_free (extractor);
}

static void expect_status (LecternExtractor *extractor, const char *path, LecternStatus status)
{
  g_autoptr (GError) error = NULL;
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (extraction->status, ==, status);
  g_assert_nonnull (extraction->error);
  lectern_extraction_free (extraction);
}

static void test_files (void)
{
  LecternExtractor *extractor = new_extractor ();
  g_autofree char *missing = g_build_filename (folder, "missing.pdf", NULL);
  expect_status (extractor, missing, LECTERN_STATUS_UNREADABLE);
  expect_status (extractor, folder, LECTERN_STATUS_UNREADABLE);
  g_autofree char *fifo = g_build_filename (folder, "fifo.pdf", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  expect_status (extractor, fifo, LECTERN_STATUS_UNREADABLE);
  g_unlink (fifo);
  g_autofree char *empty = make_file ("empty.pdf", "");
  expect_status (extractor, empty, LECTERN_STATUS_EMPTY);
  g_assert_cmpint (truncate (empty, (off_t)3 << 30), ==, 0);
  expect_status (extractor, empty, LECTERN_STATUS_TOO_LARGE);
  g_unlink (empty);
  lectern_extractor_free (extractor);
}

static gpointer cancel_soon (gpointer cancellable)
{
  g_usleep (100000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void test_cancel (void)
{
  LecternExtractor *extractor = new_extractor ();
  g_autofree char *path = make_file ("hang", "content");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (lectern_extractor_extract (extractor, path, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_unlink (path);
  LecternExtraction *extraction = extract (extractor, "good", 20000);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  lectern_extraction_free (extraction);
  lectern_extractor_free (extractor);
}

static void test_no_program (void)
{
  static const char *const programs[] = { "/nonexistent/lectern-extract", "/bin/true" };
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    g_autoptr (GError) error = NULL;
    g_setenv ("LECTERN_EXTRACT", programs[i], TRUE);
    g_assert_null (lectern_extractor_new (&error));
    g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED);
    g_assert_nonnull (strstr (error->message, programs[i]));
  }
}

static void test_names (void)
{
  g_assert_true (lectern_format_is_known ("/a/b.PDF"));
  g_assert_true (lectern_format_is_known ("page.htm"));
  g_assert_true (lectern_format_is_known ("README.md"));
  g_assert_true (lectern_format_is_known ("x.y/notes.txt"));
  g_assert_false (lectern_format_is_known ("x.pdf/notes"));
  g_assert_false (lectern_format_is_known (".pdf"));
  g_assert_false (lectern_format_is_known ("image.png"));
  for (int kind = 0; kind < LECTERN_N_BLOCK_KINDS; kind++)
    g_assert_nonnull (lectern_block_kind_to_string ((LecternBlockKind)kind));
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, >=, 2);
  hostile = argv[1];
  folder = g_dir_make_tmp ("lectern-extractor-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_func ("/extractor/hostile", test_hostile);
  g_test_add_func ("/extractor/files", test_files);
  g_test_add_func ("/extractor/cancel", test_cancel);
  g_test_add_func ("/extractor/no-program", test_no_program);
  g_test_add_func ("/extractor/names", test_names);
  int status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}
