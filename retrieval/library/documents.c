/* What the library tells about its documents and itself. */
#include <string.h>

#include "retrieval/library/library-private.h"

#define DOCUMENT_COLUMNS                                                                                               \
  "SELECT d.id, d.path, c.title, coalesce(c.type, d.type), c.language, coalesce(c.error, d.error), c.hash, c.n_pages," \
  " c.n_chunks, coalesce(c.status, d.status), d.size_bytes, d.mtime_ns,"                                               \
  " c.author, c.date, d.container_id, c.reader"                                                                        \
  " FROM documents AS d LEFT JOIN contents AS c ON c.id = d.content_id "

static LecternDocument *read_document (LecternStatement *row)
{
  LecternDocument *document = g_new0 (LecternDocument, 1);
  document->id = sqlite3_column_int64 (row, 0);
  document->path = lectern_column_dup (row, 1);
  document->title = lectern_column_dup (row, 2);
  document->type = lectern_column_dup (row, 3);
  document->language = lectern_column_dup (row, 4);
  document->error = lectern_column_dup (row, 5);
  document->hash = lectern_column_dup (row, 6);
  document->n_pages = sqlite3_column_int (row, 7);
  document->n_chunks = sqlite3_column_int (row, 8);
  document->status = (LecternStatus)sqlite3_column_int (row, 9);
  document->size_bytes = sqlite3_column_int64 (row, 10);
  document->mtime_ns = sqlite3_column_int64 (row, 11);
  document->author = lectern_column_dup (row, 12);
  document->date = lectern_column_dup (row, 13);
  document->container_id = sqlite3_column_int64 (row, 14);
  document->reader = (guint)sqlite3_column_int64 (row, 15);
  return document;
}

static LecternDocument *read_one (sqlite3 *db, LecternStatement *statement, GError **error)
{
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    return read_document (statement);
  if (rc != SQLITE_DONE)
    lectern_database_fail (db, "Reading the library", error);
  return NULL;
}

static GPtrArray *read_all (sqlite3 *db, LecternStatement *list, GError **error)
{
  g_autoptr (GPtrArray) documents = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_document_free);
  int rc;
  while ((rc = sqlite3_step (list)) == SQLITE_ROW)
    g_ptr_array_add (documents, read_document (list));
  if (rc != SQLITE_DONE) {
    lectern_database_fail (db, "Reading the library", error);
    return NULL;
  }
  return g_steal_pointer (&documents);
}

LecternDocument *lectern_library_find_path (LecternLibrary *library, const char *path, GError **error)
{
  g_autoptr (LecternStatement) find
      = lectern_database_prepare (library->db, DOCUMENT_COLUMNS "WHERE d.path = ?1", error);
  if (!find)
    return NULL;
  lectern_bind_text (find, 1, path);
  return read_one (library->db, find, error);
}

LecternDocument *lectern_library_find_id (LecternLibrary *library, gint64 id, GError **error)
{
  g_autoptr (LecternStatement) find = lectern_database_prepare (library->db, DOCUMENT_COLUMNS "WHERE d.id = ?1", error);
  if (!find)
    return NULL;
  sqlite3_bind_int64 (find, 1, id);
  return read_one (library->db, find, error);
}

GPtrArray *lectern_library_list (LecternLibrary *library, const char *path, GError **error)
{
  g_autoptr (LecternStatement) list = lectern_database_prepare (
      library->db, DOCUMENT_COLUMNS "WHERE ?1 IS NULL OR d.path = ?1 OR (d.path >= ?2 AND d.path < ?3) ORDER BY d.path",
      error);
  if (!list)
    return NULL;
  gsize length = path ? strlen (path) : 0;
  while (length > 0 && path[length - 1] == '/')
    length--;
  /* "/a" holds every path from "/a/" up to "/a0", the character after the slash. */
  g_autofree char *self = path ? g_strndup (path, length) : NULL;
  g_autofree char *from = path ? g_strconcat (self, "/", NULL) : NULL;
  g_autofree char *to = path ? g_strconcat (self, "0", NULL) : NULL;
  lectern_bind_text (list, 1, self);
  lectern_bind_text (list, 2, from);
  lectern_bind_text (list, 3, to);
  return read_all (library->db, list, error);
}

GPtrArray *lectern_library_list_contained (LecternLibrary *library, gint64 id, GError **error)
{
  g_autoptr (LecternStatement) list
      = lectern_database_prepare (library->db, DOCUMENT_COLUMNS "WHERE d.container_id = ?1 ORDER BY d.path", error);
  if (!list)
    return NULL;
  sqlite3_bind_int64 (list, 1, id);
  return read_all (library->db, list, error);
}

/* "ok", or the first thing that is wrong. */
static char *dup_health (LecternLibrary *library, GError **error)
{
  g_autofree char *health = lectern_database_dup_health (library->db, TRUE, error);
  /* Compares the index with the texts; a command to the index needs a writer. */
  if (health && !strcmp (health, "ok") && library->writable
      && sqlite3_exec (library->db, "INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)", NULL,
                       NULL, NULL)
             != SQLITE_OK) {
    g_free (health);
    health = g_strdup_printf ("the full-text index does not match the texts (%s)", sqlite3_errmsg (library->db));
  }
  return g_steal_pointer (&health);
}

LecternLibraryStatus *lectern_library_get_status (LecternLibrary *library, gboolean check, GError **error)
{
  LecternLibraryStatus *status = g_new0 (LecternLibraryStatus, 1);
  gint64 version = 0;
  struct {
    const char *sql;
    gint64 *value;
  } numbers[] = {
    { "SELECT count(*) FROM documents", &status->n_documents },
    { "SELECT count(*) FROM documents AS d JOIN contents AS c ON c.id = d.content_id WHERE c.status = 0",
      &status->n_indexed },
    { "SELECT count(*) FROM contents", &status->n_contents },
    { "SELECT coalesce(sum(n_chunks), 0) FROM contents", &status->n_chunks },
    { "SELECT coalesce(sum(n_pages), 0) FROM contents", &status->n_pages },
    { "SELECT coalesce(sum(text_bytes), 0) FROM contents", &status->text_bytes },
    { "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &status->database_bytes },
    { "PRAGMA user_version", &version },
  };
  G_STATIC_ASSERT (LECTERN_STATUS_INDEXED == 0);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!lectern_database_get_int (library->db, numbers[i].sql, numbers[i].value, error)) {
      lectern_library_status_free (status);
      return NULL;
    }
  status->n_failed = status->n_documents - status->n_indexed;
  status->schema_version = (int)version;
  status->health = check ? dup_health (library, error) : g_strdup ("ok");
  if (!status->health) {
    lectern_library_status_free (status);
    return NULL;
  }
  return status;
}
