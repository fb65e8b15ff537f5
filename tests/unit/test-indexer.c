/* Indexing runs over temporary folders with an extractor that is made here: it counts its calls, and a file that begins
 * with "!" ends with the status named after it. */
#include "ingest/index/black-box.h"
#include "ingest/ingest.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <utime.h>
#include <unistd.h>

struct _LecternExtractor {
  int unused;
};
static gint n_extracted;
static const char *change_while_reading; /* a path whose file changes in each extraction */

LecternExtractor *lectern_extractor_new (GError **error)
{
  return g_new0 (LecternExtractor, 1);
}

void lectern_extractor_free (LecternExtractor *extractor)
{
  g_free (extractor);
}

/* "@name=text" in a line of its own is an attachment, "!status" at the beginning a failure. */
static LecternExtraction *extract_text (const char *text)
{
  g_atomic_int_inc (&n_extracted);
  LecternExtraction *extraction = g_new0 (LecternExtraction, 1);
  extraction->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free);
  extraction->warnings = g_ptr_array_new_with_free_func (g_free);
  extraction->type = g_strdup ("text");
  if (text[0] == '!') {
    g_assert_true (lectern_status_from_string (text + 1, &extraction->status));
    extraction->error = g_strdup ("It is so.");
  } else {
    LecternBlock *block = g_new0 (LecternBlock, 1);
    block->kind = LECTERN_BLOCK_PARAGRAPH;
    block->text = g_strdup (text);
    g_ptr_array_add (extraction->blocks, block);
  }
  extraction->attachments = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_attachment_free);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    const char *content = lines[i][0] == '@' ? strchr (lines[i], '=') : NULL;
    if (!content)
      continue;
    LecternAttachment *attachment = g_new0 (LecternAttachment, 1);
    attachment->name = g_strndup (lines[i] + 1, (gsize)(content - lines[i] - 1));
    attachment->bytes = g_bytes_new (content + 1, strlen (content + 1));
    g_ptr_array_add (extraction->attachments, attachment);
  }
  return extraction;
}

LecternExtraction *lectern_extractor_extract_bytes (LecternExtractor *extractor, GBytes *bytes, const char *name,
                                                    const LecternExtractLimits *limits, GCancellable *cancellable,
                                                    GError **error)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return extract_text (text);
}

LecternExtraction *lectern_extractor_extract (LecternExtractor *extractor, const char *path,
                                              const LecternExtractLimits *limits, GCancellable *cancellable,
                                              GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  LecternExtraction *extraction = extract_text (text);
  if (change_while_reading && strcmp (path, change_while_reading) == 0) {
    g_autofree char *more = g_strconcat (text, " more", NULL);
    g_assert_true (g_file_set_contents (path, more, -1, NULL));
  }
  return extraction;
}

typedef struct {
  char *dir;
  LecternLibrary *library;
} Fixture;

static void set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = g_dir_make_tmp ("lectern-indexer-XXXXXX", NULL);
  g_assert_nonnull (dir);
  f->dir = realpath (dir, NULL);
  GError *error = NULL;
  f->library = lectern_library_open_memory (&error);
  g_assert_no_error (error);
  n_extracted = 0;
  change_while_reading = NULL;
}

static void remove_tree (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK)) {
    g_chmod (path, 0700);
    GDir *dir = g_dir_open (path, 0, NULL);
    for (const char *name; (name = g_dir_read_name (dir));) {
      g_autofree char *child = g_build_filename (path, name, NULL);
      remove_tree (child);
    }
    g_dir_close (dir);
  }
  g_remove (path);
}

static void tear_down (Fixture *f, gconstpointer data)
{
  lectern_library_close (f->library);
  remove_tree (f->dir);
  free (f->dir);
}

static void put (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* A time that no run has seen yet, so that a change of the same size is noticed. */
static void set_time (Fixture *f, const char *name, time_t seconds)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  struct utimbuf times = { seconds, seconds };
  g_assert_cmpint (utime (path, &times), ==, 0);
}

/* Runs over `name` below the folder ("": all of it) and asserts the counts. */
static LecternIndexReport *run (Fixture *f, const char *name, guint added, guint updated, guint unchanged, guint failed,
                                guint removed)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  const char *paths[] = { path, NULL };
  GError *error = NULL;
  LecternIndexReport *report = lectern_index (f->library, paths, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (report);
  g_assert_cmpuint (report->added, ==, added);
  g_assert_cmpuint (report->updated, ==, updated);
  g_assert_cmpuint (report->unchanged, ==, unchanged);
  g_assert_cmpuint (report->failed, ==, failed);
  g_assert_cmpuint (report->removed, ==, removed);
  return report;
}

#define RUN(...) lectern_index_report_free (run (__VA_ARGS__))

static guint n_documents (Fixture *f)
{
  g_autoptr (GPtrArray) documents = lectern_library_list (f->library, NULL, NULL);
  g_assert_nonnull (documents);
  return documents->len;
}

static void test_walk (Fixture *f, gconstpointer data)
{
  put (f, "b.txt", "The second.");
  put (f, "a/one.html", "The first.");
  put (f, ".hidden/secret.txt", "Not this.");
  put (f, ".dot.txt", "Nor this.");
  put (f, "picture.png", "Nor that.");
  g_autofree char *loop = g_build_filename (f->dir, "a", "loop", NULL);
  g_assert_cmpint (symlink (f->dir, loop), ==, 0);
  g_autofree char *again = g_build_filename (f->dir, "again.txt", NULL);
  g_assert_cmpint (symlink ("b.txt", again), ==, 0);
  g_autofree char *fifo = g_build_filename (f->dir, "pipe.txt", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  LecternIndexReport *report = run (f, "", 2, 0, 0, 0, 0);
  const LecternIndexedDocument *first = g_ptr_array_index (report->documents, 0);
  g_assert_true (g_str_has_suffix (first->path, "/a/one.html"));
  g_assert_cmpuint (report->chunks, ==, 2);
  lectern_index_report_free (report);
  /* What is named explicitly is read although it is hidden; a pipe is not waited for. */
  RUN (f, ".dot.txt", 1, 0, 0, 0, 0);
  report = run (f, "pipe.txt", 0, 0, 0, 1, 0);
  first = g_ptr_array_index (report->documents, 0);
  g_assert_cmpint (first->status, ==, LECTERN_STATUS_UNSUPPORTED);
  lectern_index_report_free (report);
  report = run (f, "absent.txt", 0, 0, 0, 1, 0);
  first = g_ptr_array_index (report->documents, 0);
  g_assert_cmpint (first->status, ==, LECTERN_STATUS_UNREADABLE);
  lectern_index_report_free (report);
}

static void test_incremental (Fixture *f, gconstpointer data)
{
  put (f, "a.txt", "One pump.");
  put (f, "b.txt", "Two pumps.");
  set_time (f, "a.txt", 1000);
  set_time (f, "b.txt", 1000);
  RUN (f, "", 2, 0, 0, 0, 0);
  RUN (f, "", 0, 0, 2, 0, 0);
  g_assert_cmpuint (n_extracted, ==, 2);
  set_time (f, "a.txt", 2000); /* touched, the same bytes */
  RUN (f, "", 0, 0, 2, 0, 0);
  g_assert_cmpuint (n_extracted, ==, 2);
  put (f, "a.txt", "Six pump.");
  set_time (f, "a.txt", 3000);
  RUN (f, "", 0, 1, 1, 0, 0);
  g_assert_cmpuint (n_extracted, ==, 3);
  put (f, "copy.txt", "Two pumps."); /* known content under a new name */
  RUN (f, "", 1, 0, 2, 0, 0);
  g_assert_cmpuint (n_extracted, ==, 3);
}

static void test_move_and_vanish (Fixture *f, gconstpointer data)
{
  put (f, "a.txt", "One pump.");
  put (f, "sub/b.txt", "Two pumps.");
  put (f, "sub/c.txt", "Three pumps.");
  RUN (f, "", 3, 0, 0, 0, 0);
  g_autofree char *from = g_build_filename (f->dir, "a.txt", NULL);
  g_autofree char *to = g_build_filename (f->dir, "moved.txt", NULL);
  g_assert_cmpint (g_rename (from, to), ==, 0);
  RUN (f, "", 1, 0, 2, 0, 1);
  g_assert_cmpuint (n_extracted, ==, 3);
  g_autofree char *b = g_build_filename (f->dir, "sub", "b.txt", NULL);
  g_remove (b);
  RUN (f, "", 0, 0, 2, 0, 1);
  g_assert_cmpuint (n_documents (f), ==, 2);
  /* A named file that is gone is forgotten too. */
  g_remove (to);
  RUN (f, "a.txt", 0, 0, 0, 1, 0);
  RUN (f, "moved.txt", 0, 0, 0, 0, 1);
}

static void test_unmounted (Fixture *f, gconstpointer data)
{
  put (f, "drive/a.txt", "One pump.");
  put (f, "drive/b.txt", "Two pumps.");
  put (f, "c.txt", "Three pumps.");
  RUN (f, "", 3, 0, 0, 0, 0);
  g_autofree char *drive = g_build_filename (f->dir, "drive", NULL);
  g_autofree char *away = g_build_filename (f->dir, ".away", NULL);
  g_assert_cmpint (g_rename (drive, away), ==, 0);
  g_assert_cmpint (g_mkdir (drive, 0700), ==, 0);
  LecternIndexReport *report = run (f, "", 0, 0, 1, 1, 0);
  const LecternIndexedDocument *warning = g_ptr_array_index (report->documents, 1);
  g_assert_cmpstr (warning->path, ==, drive);
  g_assert_nonnull (strstr (warning->error, "2 documents are kept"));
  lectern_index_report_free (report);
  g_assert_cmpuint (n_documents (f), ==, 3);
  g_assert_cmpint (g_rmdir (drive), ==, 0);
  g_assert_cmpint (g_rename (away, drive), ==, 0);
  RUN (f, "", 0, 0, 3, 0, 0);
  /* A folder that is really gone takes its documents with it. */
  remove_tree (drive);
  RUN (f, "", 0, 0, 1, 0, 2);
}

static void test_failures (Fixture *f, gconstpointer data)
{
  put (f, "bad.txt", "!damaged");
  put (f, "empty.txt", "");
  set_time (f, "bad.txt", 1000);
  RUN (f, "", 0, 0, 0, 2, 0);
  g_assert_cmpuint (n_documents (f), ==, 2);
  g_autofree char *path = g_build_filename (f->dir, "bad.txt", NULL);
  LecternDocument *document = lectern_library_find_path (f->library, path, NULL);
  g_assert_nonnull (document);
  g_assert_cmpint (document->status, ==, LECTERN_STATUS_DAMAGED);
  g_assert_cmpstr (document->error, ==, "It is so.");
  lectern_document_free (document);
  LecternIndexReport *report = run (f, "", 0, 0, 0, 2, 0);
  g_assert_cmpuint (n_extracted, ==, 1); /* not tried again, but told again */
  const LecternIndexedDocument *told = g_ptr_array_index (report->documents, 0);
  g_assert_cmpint (told->status, ==, LECTERN_STATUS_DAMAGED);
  g_assert_cmpstr (told->error, ==, "It is so.");
  lectern_index_report_free (report);
  set_time (f, "bad.txt", 2000); /* nor when only its time has changed */
  RUN (f, "", 0, 0, 0, 2, 0);
  g_assert_cmpuint (n_extracted, ==, 1);
  put (f, "bad.txt", "Good now.");
  RUN (f, "", 0, 1, 0, 1, 0);
}

static void test_changes_while_read (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "a.txt", NULL);
  put (f, "a.txt", "One pump.");
  change_while_reading = path;
  LecternIndexReport *report = run (f, "", 0, 0, 0, 1, 0);
  const LecternIndexedDocument *document = g_ptr_array_index (report->documents, 0);
  g_assert_cmpint (document->status, ==, LECTERN_STATUS_UNREADABLE);
  lectern_index_report_free (report);
  change_while_reading = NULL;
  RUN (f, "", 0, 1, 0, 0, 0);
  RUN (f, "", 0, 0, 1, 0, 0);
}

static void test_odd_names (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "caf\xE9.txt", NULL);
  g_assert_true (g_file_set_contents (path, "One pump.", -1, NULL));
  LecternIndexReport *report = run (f, "", 1, 0, 0, 0, 0);
  const LecternIndexedDocument *document = g_ptr_array_index (report->documents, 0);
  g_assert_true (g_str_has_suffix (document->path, "/caf\\xE9.txt"));
  lectern_index_report_free (report);
  RUN (f, "", 0, 0, 1, 0, 0);
}

static void cancel_after_two (guint done, guint total, const char *path, gpointer cancellable)
{
  g_assert_cmpuint (total, ==, 5);
  if (done == 2)
    g_cancellable_cancel (cancellable);
}

static void test_cancel_and_resume (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 5; i++) {
    g_autofree char *name = g_strdup_printf ("%d.txt", i);
    g_autofree char *text = g_strdup_printf ("Pump number %d.", i);
    put (f, name, text);
  }
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const char *paths[] = { f->dir, NULL };
  GError *error = NULL;
  LecternIndexReport *report
      = lectern_index (f->library, paths, NULL, cancel_after_two, cancellable, cancellable, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_nonnull (report);
  g_assert_cmpuint (report->added, ==, 2);
  lectern_index_report_free (report);
  RUN (f, "", 3, 0, 2, 0, 0);
}

static gint64 id_of (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autoptr (LecternDocument) document = lectern_library_find_path (f->library, path, NULL);
  return document ? document->id : 0;
}

/* What stands in a document is a document of its own that comes, changes and goes with it. */
static void test_attachments (Fixture *f, gconstpointer data)
{
  put (f, "mail.txt", "Two files for you.\n@report.txt=The report.\n@../notes.txt=The notes.\n@report.txt=Another one.");
  RUN (f, "", 4, 0, 0, 0, 0);
  gint64 report = id_of (f, "mail.txt/report.txt");
  g_assert_cmpint (report, >, 0);
  g_assert_cmpint (id_of (f, "mail.txt/.._notes.txt"), >, 0);
  g_assert_cmpint (id_of (f, "mail.txt/(2) report.txt"), >, 0);
  g_autoptr (LecternDocument) document = lectern_library_find_id (f->library, report, NULL);
  g_assert_cmpint (document->container_id, ==, id_of (f, "mail.txt"));
  /* Nothing has changed, and no attachment counts as vanished. */
  RUN (f, "", 0, 0, 1, 0, 0);
  g_assert_cmpuint (n_documents (f), ==, 4);
  /* A new version: one is as it was, one is gone, one is new. */
  put (f, "mail.txt", "Two files for you, again.\n@report.txt=The report.\n@new.txt=New.");
  RUN (f, "", 1, 1, 1, 0, 2);
  g_assert_cmpint (id_of (f, "mail.txt/report.txt"), ==, report);
  g_assert_cmpint (id_of (f, "mail.txt/.._notes.txt"), ==, 0);
  /* A copy brings its own attachments, though the content is known. */
  put (f, "copy.txt", "Two files for you, again.\n@report.txt=The report.\n@new.txt=New.");
  RUN (f, "", 3, 0, 1, 0, 0);
  /* They go with their container. */
  g_autofree char *mail = g_build_filename (f->dir, "mail.txt", NULL);
  g_assert_cmpint (g_unlink (mail), ==, 0);
  RUN (f, "", 0, 0, 1, 0, 1);
  g_assert_cmpuint (n_documents (f), ==, 3);
}

/* What earlier readers have read is read anew, though the file is the same; what today's cannot read any more is kept. */
static void test_earlier_readers (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = { "What today's readers find.", "!damaged" };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    put (f, "a.txt", texts[i]);
    lectern_index_report_free (run (f, "", i == 0, 0, 0, i == 1, 0));
    g_autofree char *path = g_build_filename (f->dir, "a.txt", NULL);
    g_autoptr (LecternDocument) now = lectern_library_find_path (f->library, path, NULL);
    g_assert_true (lectern_library_remove (f->library, &now->id, 1, NULL));
    LecternDraft *draft = lectern_draft_new ();
    draft->path = g_strdup (path);
    draft->hash = g_strdup (now->hash);
    draft->size_bytes = now->size_bytes;
    draft->mtime_ns = now->mtime_ns;
    LecternChunk *chunk = lectern_chunk_new ();
    chunk->text = g_strdup ("What they found.");
    g_ptr_array_add (draft->chunks, chunk);
    g_assert_true (lectern_library_store (f->library, draft, NULL, NULL));
    lectern_draft_free (draft);
    int before = n_extracted;
    lectern_index_report_free (run (f, "", 0, i == 0, 0, i == 1, 0));
    g_assert_cmpint (n_extracted, ==, before + 1);
    g_autoptr (LecternDocument) after = lectern_library_find_path (f->library, path, NULL);
    g_assert_cmpint (after->status, ==, LECTERN_STATUS_INDEXED);
    g_assert_cmpint (after->n_chunks, ==, 1);
    RUN (f, "", 0, 0, 1, 0, 0);
    g_assert_cmpint (n_extracted, ==, before + 1);
    g_assert_true (lectern_library_remove (f->library, &after->id, 1, NULL));
  }
}

/* What is of no known format is left out in documents as it is in folders; a known one that cannot be read is told. */
static void test_attached_pictures (Fixture *f, gconstpointer data)
{
  put (f, "mail.txt", "Two files.\n@logo.png=!unsupported\n@report.txt=!unsupported\n@scan.png=A text, after all.");
  RUN (f, "", 2, 0, 0, 1, 0);
  g_assert_cmpint (id_of (f, "mail.txt/logo.png"), ==, 0);
  g_assert_cmpint (id_of (f, "mail.txt/report.txt"), >, 0);
  g_assert_cmpint (id_of (f, "mail.txt/scan.png"), >, 0);
}

/* Files of one content that are read side by side are read once. */
static void test_twins (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 40; i++) {
    g_autofree char *name = g_strdup_printf ("copy-%d.txt", i);
    put (f, name, i % 2 ? "One text." : "Another text.");
  }
  RUN (f, "", 40, 0, 0, 0, 0);
  g_assert_cmpint (n_extracted, ==, 2);
}

/* Another program, which dies while it reads the file. */
static void die_while_reading (const char *library, const char *path)
{
  struct stat info;
  g_assert_cmpint (stat (path, &info), ==, 0);
  pid_t pid = fork ();
  if (pid == 0) {
    black_box_begin (black_box_open (library, 1), path, info.st_size,
                     (gint64)info.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + info.st_mtim.tv_nsec);
    kill (getpid (), SIGKILL);
  }
  int wait_status;
  g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (wait_status));
}

/* A file that Lectern died on is tried once more, and then only if it is named or has changed. */
static void test_deadly (Fixture *f, gconstpointer data)
{
  g_autofree char *library = g_build_filename (f->dir, ".library", NULL);
  GError *error = NULL;
  lectern_library_close (f->library);
  f->library = lectern_library_open (library, LECTERN_LIBRARY_WRITE, &error);
  g_assert_no_error (error);
  put (f, "files/deadly.txt", "Deadly text.");
  put (f, "files/good.txt", "Good text.");
  g_autofree char *path = g_build_filename (f->dir, "files/deadly.txt", NULL);

  die_while_reading (library, path);
  die_while_reading (library, path);
  LecternIndexReport *report = run (f, "files", 1, 0, 0, 1, 0);
  g_assert_cmpuint (n_extracted, ==, 1);
  const LecternIndexedDocument *told = g_ptr_array_index (report->documents, 0);
  g_assert_cmpstr (told->path, ==, path);
  g_assert_cmpint (told->status, ==, LECTERN_STATUS_DAMAGED);
  g_assert_nonnull (strstr (told->error, "ended twice while reading it"));
  lectern_index_report_free (report);
  RUN (f, "files", 0, 0, 1, 1, 0);
  g_assert_cmpuint (n_extracted, ==, 1);
  RUN (f, "files/deadly.txt", 0, 1, 0, 0, 0); /* named: read, and no suspect any more */
  g_assert_cmpuint (n_extracted, ==, 2);
  RUN (f, "files", 0, 0, 2, 0, 0);

  put (f, "files/deadly.txt", "Another deadly text.");
  die_while_reading (library, path);
  RUN (f, "files", 0, 1, 1, 0, 0); /* once is no reason yet */
  put (f, "files/deadly.txt", "A third deadly text.");
  die_while_reading (library, path);
  die_while_reading (library, path);
  RUN (f, "files", 0, 0, 1, 1, 0);
  put (f, "files/deadly.txt", "It was changed to something harmless.");
  RUN (f, "files", 0, 1, 1, 0, 0);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/indexer/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("walk", test_walk);
  ADD ("incremental", test_incremental);
  ADD ("move-and-vanish", test_move_and_vanish);
  ADD ("unmounted", test_unmounted);
  ADD ("failures", test_failures);
  ADD ("changes-while-read", test_changes_while_read);
  ADD ("odd-names", test_odd_names);
  ADD ("cancel-and-resume", test_cancel_and_resume);
  ADD ("attachments", test_attachments);
  ADD ("attached-pictures", test_attached_pictures);
  ADD ("twins", test_twins);
  ADD ("earlier-readers", test_earlier_readers);
  ADD ("deadly", test_deadly);
  return g_test_run ();
}
