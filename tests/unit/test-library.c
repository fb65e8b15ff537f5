#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retrieval/library/schema.h"
#include "retrieval/library/spans.h"
#include "retrieval/retrieval.h"

/* ---- help ------------------------------------------------------------------------------------------------ */

static char *make_dir (void)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("lectern-library-XXXXXX", &error);
  g_assert_no_error (error);
  return dir;
}

static void remove_dir (const char *dir)
{
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const char *name;
  while (entries && (name = g_dir_read_name (entries))) {
    g_autofree char *path = g_build_filename (dir, name, NULL);
    g_remove (path);
  }
  g_rmdir (dir);
}

static LecternDraft *make_draft (const char *path, const char *hash, const char *text)
{
  LecternDraft *draft = lectern_draft_new ();
  LecternSection *section = g_new0 (LecternSection, 1);
  LecternChunk *chunk = lectern_chunk_new ();
  LecternSpan span = { 0, 4, { 3, 72.5f, 100.25f, 30.0f, 11.5f } };
  draft->path = g_strdup (path);
  draft->hash = g_strdup (hash);
  draft->size_bytes = 1000;
  draft->mtime_ns = 123456789;
  draft->title = g_strdup ("The title");
  draft->type = g_strdup ("pdf");
  draft->language = g_strdup ("en");
  draft->n_pages = 7;
  section->level = 1;
  section->parent = -1;
  section->page = 3;
  section->title = g_strdup ("Chapter\none");
  g_ptr_array_add (draft->sections, section);
  chunk->section = 0;
  chunk->page = 3;
  chunk->page_last = 4;
  chunk->n_tokens = 9;
  chunk->text = g_strdup (text);
  g_array_append_val (chunk->spans, span);
  g_ptr_array_add (draft->chunks, chunk);
  g_ptr_array_add (draft->warnings, g_strdup ("a warning"));
  return draft;
}

static gint64 store (LecternLibrary *library, LecternDraft *draft)
{
  g_autoptr (GError) error = NULL;
  gint64 id = 0;
  lectern_library_store (library, draft, &id, &error);
  g_assert_no_error (error);
  lectern_draft_free (draft);
  return id;
}

static LecternLibrary *open_library (const char *dir, LecternLibraryFlags flags)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open (dir, flags, &error);
  g_assert_no_error (error);
  return library;
}

static void assert_open_fails (const char *dir, LecternLibraryFlags flags, LecternError code)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open (dir, flags, &error);
  g_assert_null (library);
  g_assert_error (error, LECTERN_ERROR, (int)code);
  g_assert_cmpuint (strlen (error->message), >, 20);
  g_assert_null (strchr (error->message, '\n'));
}

static guint count_results (LecternLibrary *library, const char *query)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) results = lectern_search (library, query, NULL, NULL, &error);
  g_assert_no_error (error);
  return results->len;
}

static LecternLibraryStatus *get_status (LecternLibrary *library)
{
  g_autoptr (GError) error = NULL;
  LecternLibraryStatus *status = lectern_library_get_status (library, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (status->health, ==, "ok");
  return status;
}

/* ---- tests ----------------------------------------------------------------------------------------------- */

static void test_store (void)
{
  g_autofree char *dir = make_dir ();
  LecternLibrary *library = open_library (dir, LECTERN_LIBRARY_WRITE);
  gint64 id = store (library, make_draft ("/docs/a.pdf", "aa", "The quick brown fox."));
  lectern_library_close (library);

  library = open_library (dir, LECTERN_LIBRARY_READ);
  g_autoptr (GError) error = NULL;
  LecternDocument *document = lectern_library_find_path (library, "/docs/a.pdf", &error);
  g_assert_no_error (error);
  g_assert_cmpint (document->id, ==, id);
  g_assert_cmpstr (document->title, ==, "The title");
  g_assert_cmpstr (document->type, ==, "pdf");
  g_assert_cmpstr (document->language, ==, "en");
  g_assert_cmpstr (document->hash, ==, "aa");
  g_assert_null (document->error);
  g_assert_cmpint (document->n_pages, ==, 7);
  g_assert_cmpint (document->n_chunks, ==, 1);
  g_assert_cmpint (document->status, ==, LECTERN_STATUS_INDEXED);
  g_assert_cmpint (document->size_bytes, ==, 1000);
  g_assert_cmpint (document->mtime_ns, ==, 123456789);
  lectern_document_free (document);
  g_assert_null (lectern_library_find_path (library, "/docs", &error));
  g_assert_null (lectern_library_find_id (library, id + 1, &error));
  g_assert_no_error (error);

  g_autoptr (GPtrArray) results = lectern_search (library, "foxes", NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (results->len, ==, 1);
  LecternResult *result = g_ptr_array_index (results, 0);
  g_assert_cmpuint (result->rank, ==, 1);
  g_assert_cmpint (result->document, ==, id);
  g_assert_cmpint (result->page, ==, 3);
  g_assert_cmpint (result->page_last, ==, 4);
  g_assert_cmpstr (result->heading[0], ==, "Chapter one");
  g_assert_null (result->heading[1]);
  g_assert_cmpstr (result->text, ==, "The quick brown fox.");
  g_assert_cmpuint (result->spans->len, ==, 1);
  LecternSpan *span = &g_array_index (result->spans, LecternSpan, 0);
  g_assert_cmpuint (span->length, ==, 4);
  g_assert_cmpint (span->rect.page, ==, 3);
  g_assert_cmpfloat_with_epsilon (span->rect.x, 72.5f, 0.05);
  g_assert_cmpfloat_with_epsilon (span->rect.height, 11.5f, 0.05);

  g_assert_false (lectern_library_touch (library, id, 1, 1, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED);
  lectern_library_close (library);
  remove_dir (dir);
}

static void test_replace_and_share (void)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  gint64 a = store (library, make_draft ("/a", "h1", "zebra stripes"));
  g_assert_true (lectern_library_has_content (library, "h1", 0));
  g_assert_false (lectern_library_has_content (library, "h2", 0));
  g_assert_false (lectern_library_has_content (library, NULL, 0));

  /* The same bytes elsewhere: one content, found once, under its first path. */
  gint64 b = store (library, make_draft ("/b", "h1", "this text is not looked at"));
  g_assert_cmpint (a, !=, b);
  g_assert_cmpuint (count_results (library, "zebra"), ==, 1);
  g_assert_cmpuint (count_results (library, "looked"), ==, 0);
  LecternLibraryStatus *status = get_status (library);
  g_assert_cmpint (status->n_documents, ==, 2);
  g_assert_cmpint (status->n_contents, ==, 1);
  g_assert_cmpint (status->n_chunks, ==, 1);
  g_assert_cmpint (status->n_pages, ==, 7);
  g_assert_cmpint (status->text_bytes, ==, 13);
  g_assert_cmpint (status->schema_version, ==, lectern_schema_version);
  lectern_library_status_free (status);

  /* New bytes at one of the paths: the old content stays for the other. */
  g_assert_cmpint (store (library, make_draft ("/a", "h2", "giraffe neck")), ==, a);
  g_assert_cmpuint (count_results (library, "zebra"), ==, 1);
  g_assert_cmpuint (count_results (library, "giraffe"), ==, 1);
  g_assert_cmpint (store (library, make_draft ("/b", "h2", "")), ==, b);
  g_assert_cmpuint (count_results (library, "zebra"), ==, 0);
  g_assert_false (lectern_library_has_content (library, "h1", 0));

  g_assert_true (lectern_library_touch (library, a, 5, 6, &error));
  LecternDocument *document = lectern_library_find_id (library, a, &error);
  g_assert_cmpint (document->size_bytes, ==, 5);
  g_assert_cmpint (document->mtime_ns, ==, 6);
  lectern_document_free (document);

  g_assert_true (lectern_library_remove (library, (gint64[]){ a, 999 }, 2, &error));
  g_assert_cmpuint (count_results (library, "giraffe"), ==, 1);
  g_assert_true (lectern_library_remove (library, &b, 1, &error));
  g_assert_cmpuint (count_results (library, "giraffe"), ==, 0);
  status = get_status (library);
  g_assert_cmpint (status->n_documents + status->n_contents + status->n_chunks, ==, 0);
  lectern_library_status_free (status);
  lectern_library_close (library);
}

static void test_statuses (void)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  LecternStatus status;
  for (int i = 0; i < LECTERN_N_STATUSES; i++) {
    g_assert_true (lectern_status_from_string (lectern_status_to_string ((LecternStatus)i), &status));
    g_assert_cmpint (status, ==, i);
    if (i == LECTERN_STATUS_INDEXED || i == LECTERN_STATUS_UNCHANGED)
      continue;
    for (int with_hash = 0; with_hash < 2; with_hash++) {
      g_autofree char *path = g_strdup_printf ("/%d/%d", i, with_hash);
      g_autofree char *hash = g_strdup_printf ("hash %d", i);
      LecternDraft *draft = lectern_draft_new ();
      draft->path = g_strdup (path);
      draft->hash = with_hash ? g_strdup (hash) : NULL;
      draft->status = (LecternStatus)i;
      draft->error = g_strdup ("It cannot be read.");
      draft->type = g_strdup ("pdf");
      store (library, draft);
      LecternDocument *document = lectern_library_find_path (library, path, &error);
      g_assert_cmpint (document->status, ==, i);
      g_assert_cmpstr (document->error, ==, "It cannot be read.");
      g_assert_cmpstr (document->type, ==, "pdf");
      g_assert_cmpstr (document->hash, ==, with_hash ? hash : NULL);
      lectern_document_free (document);
      g_assert_false (lectern_library_has_content (library, hash, 0));
    }
  }
  g_assert_false (lectern_status_from_string ("nonsense", &status));
  g_assert_false (lectern_status_from_string (NULL, &status));

  /* A second attempt that succeeds replaces what failed. */
  g_autofree char *hash = g_strdup_printf ("hash %d", LECTERN_STATUS_TIMED_OUT);
  store (library, make_draft ("/again", hash, "now it works"));
  g_assert_cmpuint (count_results (library, "works"), ==, 1);
  g_autofree char *path = g_strdup_printf ("/%d/1", LECTERN_STATUS_TIMED_OUT);
  LecternDocument *document = lectern_library_find_path (library, path, &error);
  g_assert_cmpint (document->status, ==, LECTERN_STATUS_INDEXED);
  g_assert_null (document->error);
  lectern_document_free (document);
  LecternLibraryStatus *counts = get_status (library);
  g_assert_cmpint (counts->n_indexed, ==, 2);
  g_assert_cmpint (counts->n_failed, ==, counts->n_documents - 2);
  lectern_library_status_free (counts);
  lectern_library_close (library);
}

static void test_list (void)
{
  static const char *const paths[] = { "/a/b.txt", "/a/b/c.txt", "/a/b/d.txt", "/a/b0", "/a/bc/x.txt" };
  static const struct {
    const char *below;
    guint n;
  } rows[] = { { NULL, 5 },    { "/a", 5 },       { "/a/", 5 },      { "/", 5 },     { "/a/b", 2 },
               { "/a/b/", 2 }, { "/a/b.txt", 1 }, { "/nothing", 0 }, { "/a/bc", 1 }, { "/A", 0 } };
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *text = g_strdup_printf ("word number%d", (int)i);
    store (library, make_draft (paths[i], text, text));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) documents = lectern_library_list (library, rows[i].below, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (documents->len, ==, rows[i].n);
    for (guint j = 1; j < documents->len; j++)
      g_assert_cmpstr (((LecternDocument *)documents->pdata[j - 1])->path, <,
                       ((LecternDocument *)documents->pdata[j])->path);
    /* --in means the same set. */
    LecternSearchOptions options = { LECTERN_SEARCH_KEYWORD, 100, rows[i].below };
    g_autoptr (GPtrArray) results = lectern_search (library, "word", &options, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (results->len, ==, rows[i].n);
  }
  lectern_library_close (library);
}

static void test_one_writer (void)
{
  g_autofree char *dir = make_dir ();
  g_autoptr (GError) error = NULL;
  assert_open_fails (dir, LECTERN_LIBRARY_READ, LECTERN_ERROR_NOT_FOUND);
  LecternLibrary *writer = open_library (dir, LECTERN_LIBRARY_WRITE);
  gint64 start = g_get_monotonic_time ();
  assert_open_fails (dir, LECTERN_LIBRARY_WRITE, LECTERN_ERROR_BUSY);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_USEC_PER_SEC);
  /* A reader follows what the writer does. */
  LecternLibrary *reader = open_library (dir, LECTERN_LIBRARY_READ);
  g_assert_cmpuint (count_results (reader, "mongoose"), ==, 0);
  gint64 id = store (writer, make_draft ("/m", "m", "a mongoose"));
  g_assert_cmpuint (count_results (reader, "mongoose"), ==, 1);
  lectern_library_remove (writer, &id, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_results (reader, "mongoose"), ==, 0);
  lectern_library_close (writer);
  writer = open_library (dir, LECTERN_LIBRARY_WRITE);
  lectern_library_close (writer);
  lectern_library_close (reader);
  remove_dir (dir);
}

/* A writer that is killed in the middle: what it finished is there, its lock is not. */
static void test_killed_writer (void)
{
  g_autofree char *dir = make_dir ();
  int ready[2];
  g_assert_cmpint (pipe (ready), ==, 0);
  pid_t child = fork ();
  if (child == 0) {
    LecternLibrary *library = lectern_library_open (dir, LECTERN_LIBRARY_WRITE, NULL);
    for (int i = 0; library; i++) {
      g_autofree char *name = g_strdup_printf ("/%d", i);
      LecternDraft *draft = make_draft (name, name, "one more elephant");
      if (!lectern_library_store (library, draft, NULL, NULL))
        break;
      lectern_draft_free (draft);
      if (i == 20 && write (ready[1], "x", 1) != 1)
        break;
    }
    _exit (1);
  }
  char byte;
  close (ready[1]);
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  close (ready[0]);
  LecternLibrary *library = open_library (dir, LECTERN_LIBRARY_WRITE);
  LecternLibraryStatus *status = get_status (library);
  g_assert_cmpint (status->n_documents, >=, 21);
  g_assert_cmpint (status->n_documents, ==, status->n_contents);
  g_assert_cmpint (status->n_documents, ==, status->n_chunks);
  lectern_library_status_free (status);
  store (library, make_draft ("/after", "after", "the last elephant"));
  lectern_library_close (library);
  remove_dir (dir);
}

static gboolean bytes_hold (const char *path, const char *word)
{
  g_autofree char *bytes = NULL;
  gsize length = 0;
  return g_file_get_contents (path, &bytes, &length, NULL) && memmem (bytes, length, word, strlen (word));
}

static gboolean any_file_holds (const char *dir, const char *word)
{
  static const char *const names[] = { "library.db", "library.db-wal", "library.db-shm" };
  gboolean found = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (dir, names[i], NULL);
    found |= bytes_hold (path, word);
  }
  return found;
}

static void test_secure_removal (void)
{
  g_autofree char *dir = make_dir ();
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = open_library (dir, LECTERN_LIBRARY_WRITE);
  store (library, make_draft ("/stays", "stays", "harmless remarks"));
  GString *text = g_string_new (NULL);
  for (int i = 0; i < 3000; i++)
    g_string_append_printf (text, "xylophonist%d quagmirezz ", i);
  gint64 id = store (library, make_draft ("/secretpathq", "secrethashq", text->str));
  g_string_free (text, TRUE);
  store (library, make_draft ("/later", "later", "more remarks"));
  g_assert_true (any_file_holds (dir, "quagmirezz"));
  g_assert_true (any_file_holds (dir, "ylophonist"));
  g_assert_true (lectern_library_remove (library, &id, 1, &error));
  g_assert_false (any_file_holds (dir, "quagmirezz"));
  g_assert_false (any_file_holds (dir, "ylophonist"));
  g_assert_false (any_file_holds (dir, "secretpathq"));
  g_assert_false (any_file_holds (dir, "secrethashq"));
  g_assert_cmpuint (count_results (library, "remarks"), ==, 2);
  lectern_library_close (library);
  remove_dir (dir);
}

static void test_not_ours (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "library.db", NULL);
  g_autofree char *file = g_build_filename (dir, "library.lock", NULL);
  sqlite3 *db = NULL;
  /* Not a database. */
  g_assert_true (
      g_file_set_contents (path, "This is a letter, not a database, and it is long enough to be one.\n", -1, NULL));
  assert_open_fails (dir, LECTERN_LIBRARY_READ, LECTERN_ERROR_DAMAGED);
  assert_open_fails (dir, LECTERN_LIBRARY_WRITE, LECTERN_ERROR_DAMAGED);
  /* Another program's. */
  g_remove (path);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_exec (db, "CREATE TABLE recipes (x)", NULL, NULL, NULL);
  sqlite3_close (db);
  assert_open_fails (dir, LECTERN_LIBRARY_WRITE, LECTERN_ERROR_DAMAGED);
  assert_open_fails (dir, LECTERN_LIBRARY_READ, LECTERN_ERROR_DAMAGED);
  /* From the future. */
  g_remove (path);
  lectern_library_close (open_library (dir, LECTERN_LIBRARY_WRITE));
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_exec (db, "PRAGMA user_version = 1000", NULL, NULL, NULL);
  sqlite3_close (db);
  assert_open_fails (dir, LECTERN_LIBRARY_READ, LECTERN_ERROR_TOO_NEW);
  assert_open_fails (dir, LECTERN_LIBRARY_WRITE, LECTERN_ERROR_TOO_NEW);
  /* No folder can be made below a file. */
  assert_open_fails (file, LECTERN_LIBRARY_WRITE, LECTERN_ERROR_FAILED);
  remove_dir (dir);
}

/* Pages overwritten after a crash: the check at the next start notices, and no damage makes it crash. */
static void test_damaged (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "library.db", NULL);
  g_autofree char *lock = g_build_filename (dir, "library.lock", NULL);
  g_autofree char *good = NULL;
  gsize length = 0;
  LecternLibrary *library = open_library (dir, LECTERN_LIBRARY_WRITE);
  for (int i = 0; i < 60; i++) {
    g_autofree char *name = g_strdup_printf ("/%d", i);
    g_autofree char *text = g_strdup_printf ("okapi %d %s", i, "the quick brown fox jumps over the lazy dog");
    store (library, make_draft (name, name, text));
  }
  lectern_library_close (library);
  g_assert_true (g_file_get_contents (path, &good, &length, NULL));
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  for (int round = 0; round < 40; round++) {
    g_autofree char *bad = g_memdup2 (good, length);
    g_autoptr (GError) error = NULL;
    gsize bad_length = length;
    if (round == 0)
      memset (bad + 4096, 0xAB, length - 4096);
    else if (round == 1)
      bad_length = length / 2;
    else
      for (int i = 0; i < 200; i++)
        bad[g_rand_int_range (random, 100, (gint32)length)] = (char)g_rand_int (random);
    g_assert_true (g_file_set_contents (path, bad, (gssize)bad_length, NULL));
    g_assert_true (g_file_set_contents (lock, "unclean", -1, NULL));
    library = lectern_library_open (dir, LECTERN_LIBRARY_WRITE, &error);
    if (round < 2) {
      g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_DAMAGED);
      g_assert_null (library);
    }
    if (!library) {
      g_assert_nonnull (error);
      continue;
    }
    g_autoptr (GError) search_error = NULL;
    g_autoptr (GPtrArray) results = lectern_search (library, "okapi fox", NULL, NULL, &search_error);
    g_assert_true ((results != NULL) != (search_error != NULL));
    LecternLibraryStatus *status = lectern_library_get_status (library, TRUE, NULL);
    lectern_library_status_free (status);
    lectern_library_close (library);
  }
  remove_dir (dir);
}

static void test_migration (void)
{
  static const char *const steps[] = { "CREATE TABLE t (a); INSERT INTO t VALUES (1);",
                                       "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1;", "DROP TABLE missing;" };
  sqlite3 *db = NULL;
  sqlite3_stmt *row = NULL;
  g_assert_cmpint (sqlite3_open (":memory:", &db), ==, SQLITE_OK);
  g_assert_cmpint (lectern_schema_migrate (db, steps, 1), ==, SQLITE_OK);
  g_assert_cmpint (lectern_schema_migrate (db, steps, 1), ==, SQLITE_OK);
  /* A step that fails leaves everything as it was. */
  g_assert_cmpint (lectern_schema_migrate (db, steps, 3), !=, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "SELECT b FROM t", -1, &row, NULL), !=, SQLITE_OK);
  g_assert_cmpint (lectern_schema_migrate (db, steps, 2), ==, SQLITE_OK);
  g_assert_cmpint (
      sqlite3_prepare_v2 (db, "SELECT b, (SELECT user_version FROM pragma_user_version) FROM t", -1, &row, NULL), ==,
      SQLITE_OK);
  g_assert_cmpint (sqlite3_step (row), ==, SQLITE_ROW);
  g_assert_cmpint (sqlite3_column_int (row, 0), ==, 2);
  g_assert_cmpint (sqlite3_column_int (row, 1), ==, 2);
  sqlite3_finalize (row);
  sqlite3_close (db);
}

/* A library that each released version wrote opens, is brought up to date and answers. */
static void test_old_libraries (void)
{
  const char *folder = g_getenv ("LIBRARIES");
  for (int version = 1; version < lectern_schema_version; version++) {
    g_autofree char *name = g_strdup_printf ("version-%d.db", version);
    g_autofree char *from = g_build_filename (folder, name, NULL);
    g_autofree char *dir = make_dir ();
    g_autofree char *to = g_build_filename (dir, "library.db", NULL);
    g_autofree char *bytes = NULL;
    gsize length;
    g_autoptr (GError) error = NULL;
    g_assert_true (g_file_get_contents (from, &bytes, &length, NULL));
    g_assert_true (g_file_set_contents (to, bytes, (gssize)length, NULL));
    LecternLibrary *library = lectern_library_open (dir, LECTERN_LIBRARY_WRITE, &error);
    g_assert_no_error (error);
    LecternLibraryStatus *status = lectern_library_get_status (library, TRUE, &error);
    g_assert_no_error (error);
    g_assert_cmpint (status->schema_version, ==, lectern_schema_version);
    g_assert_cmpstr (status->health, ==, "ok");
    g_assert_cmpint (status->n_indexed, ==, 2);
    lectern_library_status_free (status);
    g_autoptr (GPtrArray) documents = lectern_library_list (library, NULL, &error);
    g_assert_no_error (error);
    const LecternDocument *first = g_ptr_array_index (documents, 0);
    g_assert_null (first->author);
    g_autoptr (GPtrArray) findings = lectern_library_list_findings (library, first->id, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (findings->len, ==, 0);
    /* Forgetting works on rows of old. */
    g_assert_true (lectern_library_remove (library, &first->id, 1, &error));
    lectern_library_close (library);
    remove_dir (dir);
  }
}

static void test_findings (void)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  LecternDraft *draft = lectern_draft_new ();
  draft->path = g_strdup ("/a.pdf");
  draft->hash = g_strdup ("00");
  draft->author = g_strdup ("A. Writer");
  draft->date = g_strdup ("2024-05-01");
  draft->n_pages = 9;
  const int pages[] = { 2, 3, 4, 7 };
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    g_ptr_array_add (draft->findings, lectern_finding_new (LECTERN_FINDING_PAGE_WITHOUT_TEXT, pages[i], 1, NULL));
  g_ptr_array_add (draft->findings, lectern_finding_new (LECTERN_FINDING_HIDDEN_TEXT, 5, 40, "white"));
  g_ptr_array_add (draft->findings, lectern_finding_new (LECTERN_FINDING_BOILERPLATE, 0, 9, "of 90"));
  gint64 id;
  g_assert_true (lectern_library_store (library, draft, &id, &error));
  lectern_draft_free (draft);
  g_autoptr (LecternDocument) document = lectern_library_find_id (library, id, &error);
  g_assert_cmpstr (document->author, ==, "A. Writer");
  g_assert_cmpstr (document->date, ==, "2024-05-01");
  GPtrArray *findings = lectern_library_list_findings (library, id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (findings->len, ==, 6);
  static const char *const sentences[] = { "Pages 2–4 and 7 hold no text that could be read.",
                                           "Text that nobody sees on page 5 was left out (40 characters, white).",
                                           "Navigation or repeated matter was left out (9 characters, of 90)." };
  guint at = 0, n;
  for (guint i = 0; i < G_N_ELEMENTS (sentences); i++, at += n) {
    g_autofree char *sentence = lectern_findings_describe (findings, at, &n);
    g_assert_cmpstr (sentence, ==, sentences[i]);
  }
  g_assert_cmpuint (at, ==, findings->len);
  g_assert_true (lectern_finding_is_problem (findings->pdata[0]));
  g_assert_false (lectern_finding_is_problem (findings->pdata[5]));
  /* Text hidden in print is one; in a web page only where it is hidden in no usual way. */
  g_assert_true (lectern_finding_is_problem (findings->pdata[4]));
  g_assert_false (lectern_finding_is_problem (&(LecternFinding){ LECTERN_FINDING_HIDDEN_TEXT, 0, 9, (char *)"display: none" }));
  g_assert_true (lectern_finding_is_problem (&(LecternFinding){ LECTERN_FINDING_HIDDEN_TEXT, 0, 9, (char *)"too small" }));
  g_ptr_array_unref (findings);
  g_assert_true (lectern_library_remove (library, &id, 1, &error));
  g_assert_no_error (error);
  lectern_library_close (library);
}

static void test_spans (void)
{
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint32 at = 0;
  for (int i = 0; i < 500; i++) {
    guint32 length = (guint32)g_rand_int_range (random, 0, 12);
    LecternSpan span = { at,
                         length,
                         { g_rand_int_range (random, 1, 2000), (float)g_rand_double_range (random, -50, 700),
                           (float)g_rand_double_range (random, -50, 900), (float)g_rand_double_range (random, 0, 90),
                           (float)g_rand_double_range (random, 0, 30) } };
    g_array_append_val (spans, span);
    at += length + 1;
  }
  g_autoptr (GByteArray) bytes = lectern_spans_encode (spans);
  g_autoptr (GArray) back = lectern_spans_decode (bytes->data, bytes->len, at);
  g_assert_cmpuint (back->len, ==, spans->len);
  for (guint i = 0; i < spans->len; i++) {
    LecternSpan *a = &g_array_index (spans, LecternSpan, i), *b = &g_array_index (back, LecternSpan, i);
    g_assert_cmpuint (a->start, ==, b->start);
    g_assert_cmpuint (a->length, ==, b->length);
    g_assert_cmpint (a->rect.page, ==, b->rect.page);
    g_assert_cmpfloat_with_epsilon (a->rect.x, b->rect.x, 0.04);
    g_assert_cmpfloat_with_epsilon (a->rect.y, b->rect.y, 0.04);
    g_assert_cmpfloat_with_epsilon (a->rect.width, b->rect.width, 0.04);
    g_assert_cmpfloat_with_epsilon (a->rect.height, b->rect.height, 0.04);
  }
  /* What does not lie in the text is left out; damage ends the list. */
  g_autoptr (GArray) fewer = lectern_spans_decode (bytes->data, bytes->len, at / 2);
  g_assert_cmpuint (fewer->len, <, spans->len);
  for (guint n = 0; n < bytes->len; n += 7) {
    g_autoptr (GArray) cut = lectern_spans_decode (bytes->data, n, at);
    g_assert_cmpuint (cut->len, <, spans->len);
  }
  for (int round = 0; round < 300; round++) {
    g_autofree guint8 *bad = g_memdup2 (bytes->data, bytes->len);
    for (int i = 0; i < 10; i++)
      bad[g_rand_int_range (random, 1, (gint32)bytes->len)] = (guint8)g_rand_int (random);
    g_autoptr (GArray) any = lectern_spans_decode (bad, bytes->len, at);
    for (guint i = 0; i < any->len; i++) {
      LecternSpan *span = &g_array_index (any, LecternSpan, i);
      g_assert_cmpuint ((guint64)span->start + span->length, <=, at);
    }
  }
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  g_autoptr (GByteArray) empty = lectern_spans_encode (none);
  g_assert_cmpuint (empty->len, ==, 0);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/library/store", test_store);
  g_test_add_func ("/library/replace-and-share", test_replace_and_share);
  g_test_add_func ("/library/statuses", test_statuses);
  g_test_add_func ("/library/list", test_list);
  g_test_add_func ("/library/one-writer", test_one_writer);
  g_test_add_func ("/library/killed-writer", test_killed_writer);
  g_test_add_func ("/library/secure-removal", test_secure_removal);
  g_test_add_func ("/library/not-ours", test_not_ours);
  g_test_add_func ("/library/damaged", test_damaged);
  g_test_add_func ("/library/migration", test_migration);
  g_test_add_func ("/library/old-libraries", test_old_libraries);
  g_test_add_func ("/library/findings", test_findings);
  g_test_add_func ("/library/spans", test_spans);
  return g_test_run ();
}
