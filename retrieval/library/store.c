/* What changes the library: storing, touching, forgetting, optimizing. */
#include <string.h>

#include "retrieval/library/findings.h"
#include "retrieval/library/lengths.h"
#include "retrieval/library/library-private.h"
#include "retrieval/library/spans.h"

/* Titles are one line: the heading column joins them with line breaks. */
static char *dup_line (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text ? text : "", -1);
  for (char *p = valid; *p; p++)
    if ((guchar)*p < ' ')
      *p = ' ';
  return g_strdup (g_strstrip (valid));
}

/* The titles from the topmost section down to `index`, joined with line breaks. */
static char *dup_heading (const LecternDraft *draft, int index)
{
  g_autoptr (GPtrArray) titles = g_ptr_array_new_with_free_func (g_free);
  GString *heading = g_string_new (NULL);
  for (guint depth = 0; index >= 0 && (guint)index < draft->sections->len && depth < 32; depth++) {
    const LecternSection *section = g_ptr_array_index (draft->sections, (guint)index);
    g_ptr_array_add (titles, dup_line (section->title));
    if (section->parent >= index)
      break;
    index = section->parent;
  }
  for (guint i = titles->len; i-- > 0;) {
    const char *title = g_ptr_array_index (titles, i);
    if (!*title)
      continue;
    if (heading->len)
      g_string_append_c (heading, '\n');
    g_string_append (heading, title);
  }
  return g_string_free (heading, FALSE);
}

static gboolean insert_sections (sqlite3 *db, const LecternDraft *draft, gint64 content, GError **error)
{
  g_autoptr (LecternStatement) insert = lectern_database_prepare (
      db, "INSERT INTO sections (content_id, ordinal, level, parent, page, title) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      error);
  if (!insert)
    return FALSE;
  for (guint i = 0; i < draft->sections->len; i++) {
    const LecternSection *section = g_ptr_array_index (draft->sections, i);
    g_autofree char *title = dup_line (section->title);
    sqlite3_bind_int64 (insert, 1, content);
    sqlite3_bind_int64 (insert, 2, i);
    sqlite3_bind_int (insert, 3, section->level);
    sqlite3_bind_int (insert, 4, section->parent);
    sqlite3_bind_int (insert, 5, section->page);
    lectern_bind_text (insert, 6, title);
    if (!lectern_database_run (insert, "Storing a document", error))
      return FALSE;
  }
  return TRUE;
}

/* A text as the view chunk_texts shows it to the index. */
static char *dup_indexed (const char *language, const char *text)
{
  return g_strconcat ("\2", language ? language : "", "\2", text ? text : "", NULL);
}

/* Each row is a statement of its own that SQLite need not be able to undo by itself: for one that writes several rows it
 * sets a savepoint, and at each savepoint FTS5 writes out what it has gathered, as a small segment of its own. */
static gboolean insert_chunks (sqlite3 *db, const LecternDraft *draft, const char *title, gint64 content, gint64 first,
                               GError **error)
{
  g_autoptr (LecternStatement) insert = lectern_database_prepare (
      db,
      "INSERT INTO chunks (id, content_id, section, page, page_last, n_tokens, heading, text, spans)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      error);
  g_autoptr (LecternStatement) index = lectern_database_prepare (
      db, "INSERT INTO chunks_fts (rowid, title, heading, body) VALUES (?1, ?2, ?3, ?4)", error);
  if (!insert || !index)
    return FALSE;
  g_autofree char *indexed_title = dup_indexed (draft->language, title);
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *chunk = g_ptr_array_index (draft->chunks, i);
    g_autofree char *heading = dup_heading (draft, chunk->section);
    g_autoptr (GByteArray) spans = lectern_spans_encode (chunk->spans);
    sqlite3_bind_int64 (insert, 1, first + i);
    sqlite3_bind_int64 (insert, 2, content);
    sqlite3_bind_int (insert, 3, chunk->section);
    sqlite3_bind_int (insert, 4, chunk->page);
    sqlite3_bind_int (insert, 5, chunk->page_last);
    sqlite3_bind_int64 (insert, 6, chunk->n_tokens);
    lectern_bind_text (insert, 7, heading);
    lectern_bind_text (insert, 8, chunk->text ? chunk->text : "");
    sqlite3_bind_blob (insert, 9, spans->len ? spans->data : (const guint8 *)"", (int)spans->len, SQLITE_STATIC);
    sqlite3_bind_int64 (index, 1, first + i);
    g_autofree char *indexed_heading = dup_indexed (draft->language, heading);
    g_autofree char *indexed_text = dup_indexed (draft->language, chunk->text);
    lectern_bind_text (index, 2, indexed_title);
    lectern_bind_text (index, 3, indexed_heading);
    lectern_bind_text (index, 4, indexed_text);
    if (!lectern_database_run (insert, "Storing a document", error)
        || !lectern_database_run (index, "Storing a document", error))
      return FALSE;
  }
  return TRUE;
}

static GByteArray *make_lengths (const LecternDraft *draft, const char *title)
{
  GByteArray *lengths = lectern_lengths_begin (title);
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *chunk = g_ptr_array_index (draft->chunks, i);
    g_autofree char *heading = dup_heading (draft, chunk->section);
    lectern_lengths_add (lengths, heading, chunk->text ? chunk->text : "");
  }
  return lengths;
}

static char *dup_warnings (const LecternDraft *draft)
{
  GString *lines = g_string_new (NULL);
  for (guint i = 0; i < draft->warnings->len; i++) {
    g_autofree char *line = dup_line (g_ptr_array_index (draft->warnings, i));
    g_string_append_printf (lines, "%s%s", lines->len ? "\n" : "", line);
  }
  return g_string_free (lines, FALSE);
}

static gboolean run_with_id (sqlite3 *db, const char *sql, gint64 id, GError **error)
{
  g_autoptr (LecternStatement) statement = lectern_database_prepare (db, sql, error);
  if (!statement)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, id);
  return lectern_database_run (statement, "Writing to the library", error);
}

/* Sections, chunks and their index entries; the content's row stays. */
static gboolean delete_text (sqlite3 *db, gint64 content, GError **error)
{
  return run_with_id (db,
                      "INSERT INTO chunks_fts (chunks_fts, rowid, title, heading, body)"
                      " SELECT 'delete', t.id, t.title, t.heading, t.body FROM contents AS c, chunk_texts AS t"
                      " WHERE c.id = ?1 AND t.id >= c.first_chunk AND t.id < c.first_chunk + c.n_chunks",
                      content, error)
         && run_with_id (db,
                         "DELETE FROM chunks WHERE id >= (SELECT first_chunk FROM contents WHERE id = ?1)"
                         " AND id < (SELECT first_chunk + n_chunks FROM contents WHERE id = ?1)",
                         content, error)
         && run_with_id (db, "DELETE FROM sections WHERE content_id = ?1", content, error)
         && run_with_id (db, "DELETE FROM findings WHERE content_id = ?1", content, error);
}

static gboolean delete_if_unused (sqlite3 *db, gint64 content, GError **error)
{
  g_autoptr (LecternStatement) used
      = lectern_database_prepare (db, "SELECT 1 FROM documents WHERE content_id = ?1", error);
  if (!used)
    return FALSE;
  sqlite3_bind_int64 (used, 1, content);
  int rc = sqlite3_step (used);
  if (rc == SQLITE_ROW)
    return TRUE;
  if (rc != SQLITE_DONE)
    return lectern_database_fail (db, "Reading the library", error);
  return delete_text (db, content, error) && run_with_id (db, "DELETE FROM contents WHERE id = ?1", content, error);
}

typedef struct {
  gint64 id; /* 0: there is none */
  LecternStatus status;
  guint reader;
} Content;

static gboolean find_content (sqlite3 *db, const char *hash, Content *content, GError **error)
{
  g_autoptr (LecternStatement) find
      = lectern_database_prepare (db, "SELECT id, status, reader FROM contents WHERE hash = ?1", error);
  *content = (Content){ 0 };
  if (!find)
    return FALSE;
  lectern_bind_text (find, 1, hash);
  int rc = sqlite3_step (find);
  if (rc == SQLITE_ROW)
    *content = (Content){ sqlite3_column_int64 (find, 0), (LecternStatus)sqlite3_column_int (find, 1),
                          (guint)sqlite3_column_int64 (find, 2) };
  return rc == SQLITE_ROW || rc == SQLITE_DONE || lectern_database_fail (db, "Reading the library", error);
}

/* What was read well once is not given up when later readers fail on it; they are just not asked again. */
static gboolean keep_content (sqlite3 *db, gint64 id, guint reader, GError **error)
{
  g_autoptr (LecternStatement) update
      = lectern_database_prepare (db, "UPDATE contents SET reader = ?2 WHERE id = ?1", error);
  if (!update)
    return FALSE;
  sqlite3_bind_int64 (update, 1, id);
  sqlite3_bind_int64 (update, 2, reader);
  return lectern_database_run (update, "Storing a document", error);
}

static gboolean put_content (sqlite3 *db, const LecternDraft *draft, gint64 *id, GError **error)
{
  Content known;
  gint64 first = 0, text_bytes = 0;
  if (!find_content (db, draft->hash, &known, error))
    return FALSE;
  *id = known.id;
  /* A content that could not be read last time, or was read by earlier readers, is replaced by what came of this time. */
  if (known.id && (draft->status == LECTERN_STATUS_UNCHANGED
                   || (known.status == LECTERN_STATUS_INDEXED && draft->reader <= known.reader)))
    return TRUE;
  if (known.id && known.status == LECTERN_STATUS_INDEXED && draft->status != LECTERN_STATUS_INDEXED)
    return keep_content (db, known.id, draft->reader, error);
  if (*id && !delete_text (db, *id, error))
    return FALSE;
  /* The chunks of a content have consecutive ids. */
  if (!lectern_database_get_int (db, "SELECT coalesce(max(id), 0) + 1 FROM chunks", &first, error))
    return FALSE;
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *chunk = g_ptr_array_index (draft->chunks, i);
    text_bytes += chunk->text ? (gint64)strlen (chunk->text) : 0;
  }
  g_autofree char *warnings = dup_warnings (draft);
  g_autofree char *title = dup_line (draft->title);
  g_autoptr (GByteArray) lengths = make_lengths (draft, title);
  g_autoptr (LecternStatement) insert = lectern_database_prepare (
      db,
      *id ? "UPDATE contents SET status = ?2, error = ?3, type = ?4, title = ?5, language = ?6, n_pages = ?7,"
            " first_chunk = ?8, n_chunks = ?9, text_bytes = ?10, warnings = ?11, lengths = ?12, author = ?13,"
            " date = ?14, reader = ?15 WHERE hash = ?1"
          : "INSERT INTO contents (hash, status, error, type, title, language, n_pages, first_chunk, n_chunks, "
            "text_bytes,"
            " warnings, lengths, author, date, reader)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
      error);
  if (!insert)
    return FALSE;
  lectern_bind_text (insert, 1, draft->hash);
  sqlite3_bind_int (insert, 2, (int)draft->status);
  lectern_bind_text (insert, 3, draft->error);
  lectern_bind_text (insert, 4, draft->type);
  lectern_bind_text (insert, 5, title);
  lectern_bind_text (insert, 6, draft->language);
  sqlite3_bind_int (insert, 7, draft->n_pages);
  sqlite3_bind_int64 (insert, 8, first);
  sqlite3_bind_int64 (insert, 9, draft->chunks->len);
  sqlite3_bind_int64 (insert, 10, text_bytes);
  lectern_bind_text (insert, 11, warnings);
  sqlite3_bind_blob (insert, 12, lengths->data, (int)lengths->len, SQLITE_STATIC);
  lectern_bind_text (insert, 13, draft->author);
  lectern_bind_text (insert, 14, draft->date);
  sqlite3_bind_int64 (insert, 15, draft->reader);
  if (!lectern_database_run (insert, "Storing a document", error))
    return FALSE;
  if (!*id)
    *id = sqlite3_last_insert_rowid (db);
  return insert_sections (db, draft, *id, error) && insert_chunks (db, draft, title, *id, first, error)
         && lectern_findings_store (db, draft->findings, *id, error);
}

/* *id is 0 if the path is new. */
static gboolean put_document (sqlite3 *db, const LecternDraft *draft, gint64 content, gint64 *id, GError **error)
{
  g_autoptr (LecternStatement) put = lectern_database_prepare (
      db,
      *id ? "UPDATE documents SET size_bytes = ?2, mtime_ns = ?3, content_id = ?4, status = ?5, error = ?6, type = ?7,"
            " container_id = ?8 WHERE path = ?1"
          : "INSERT INTO documents (path, size_bytes, mtime_ns, content_id, status, error, type, container_id)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      error);
  if (!put)
    return FALSE;
  lectern_bind_text (put, 1, draft->path);
  sqlite3_bind_int64 (put, 2, draft->size_bytes);
  sqlite3_bind_int64 (put, 3, draft->mtime_ns);
  if (content) {
    sqlite3_bind_int64 (put, 4, content);
  } else {
    sqlite3_bind_int (put, 5, (int)draft->status);
    lectern_bind_text (put, 6, draft->error);
    lectern_bind_text (put, 7, draft->type);
  }
  if (draft->container_id)
    sqlite3_bind_int64 (put, 8, draft->container_id);
  if (!lectern_database_run (put, "Storing a document", error))
    return FALSE;
  if (!*id)
    *id = sqlite3_last_insert_rowid (db);
  return TRUE;
}

/* Zeros without an error if there is none. */
static gboolean find_document (sqlite3 *db, const char *path, gint64 *id, gint64 *content, GError **error)
{
  g_autoptr (LecternStatement) find
      = lectern_database_prepare (db, "SELECT id, coalesce(content_id, 0) FROM documents WHERE path = ?1", error);
  *id = *content = 0;
  if (!find)
    return FALSE;
  lectern_bind_text (find, 1, path);
  int rc = sqlite3_step (find);
  if (rc == SQLITE_ROW) {
    *id = sqlite3_column_int64 (find, 0);
    *content = sqlite3_column_int64 (find, 1);
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE || lectern_database_fail (db, "Reading the library", error);
}

gboolean lectern_library_store (LecternLibrary *library, const LecternDraft *draft, gint64 *id, GError **error)
{
  sqlite3 *db = library->db;
  gint64 old = 0, content = 0, document = 0;
  g_return_val_if_fail (draft->path, FALSE);
  if (!lectern_library_begin (library, error))
    return FALSE;
  gboolean ok = find_document (db, draft->path, &document, &old, error)
                && (!draft->hash || put_content (db, draft, &content, error))
                && put_document (db, draft, content, &document, error)
                && (!old || old == content || delete_if_unused (db, old, error));
  if (!lectern_library_end (library, ok, error))
    return FALSE;
  if (id)
    *id = document;
  return TRUE;
}

gboolean lectern_library_has_content (LecternLibrary *library, const char *hash, guint reader)
{
  Content known;
  if (!hash || !find_content (library->db, hash, &known, NULL) || !known.id || known.status != LECTERN_STATUS_INDEXED
      || known.reader < reader)
    return FALSE;
  g_autoptr (LecternStatement) contained
      = lectern_database_prepare (library->db,
                                  "SELECT 1 FROM documents AS d JOIN documents AS inner ON inner.container_id = d.id "
                                  "WHERE d.content_id = ?1 LIMIT 1",
                                  NULL);
  if (!contained)
    return FALSE;
  sqlite3_bind_int64 (contained, 1, known.id);
  return sqlite3_step (contained) == SQLITE_DONE;
}

gboolean lectern_library_touch (LecternLibrary *library, gint64 id, gint64 size_bytes, gint64 mtime_ns, GError **error)
{
  if (!lectern_library_require_writer (library, error))
    return FALSE;
  g_autoptr (LecternStatement) update = lectern_database_prepare (
      library->db, "UPDATE documents SET size_bytes = ?2, mtime_ns = ?3 WHERE id = ?1", error);
  if (!update)
    return FALSE;
  sqlite3_bind_int64 (update, 1, id);
  sqlite3_bind_int64 (update, 2, size_bytes);
  sqlite3_bind_int64 (update, 3, mtime_ns);
  return lectern_database_run (update, "Writing to the library", error);
}

static gboolean remove_document (sqlite3 *db, gint64 id, GError **error);

static gboolean remove_contained (sqlite3 *db, gint64 id, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (LecternStatement) list
      = lectern_database_prepare (db, "SELECT id FROM documents WHERE container_id = ?1", error);
  if (!list)
    return FALSE;
  sqlite3_bind_int64 (list, 1, id);
  int rc;
  while ((rc = sqlite3_step (list)) == SQLITE_ROW) {
    gint64 inner = sqlite3_column_int64 (list, 0);
    /* Containers are stored before what stands in them, so that ids ascend and no damage leads in circles. */
    if (inner > id)
      g_array_append_val (ids, inner);
  }
  if (rc != SQLITE_DONE)
    return lectern_database_fail (db, "Forgetting a document", error);
  for (guint i = 0; i < ids->len; i++)
    if (!remove_document (db, g_array_index (ids, gint64, i), error))
      return FALSE;
  return TRUE;
}

static gboolean remove_document (sqlite3 *db, gint64 id, GError **error)
{
  if (!remove_contained (db, id, error))
    return FALSE;
  g_autoptr (LecternStatement) remove
      = lectern_database_prepare (db, "DELETE FROM documents WHERE id = ?1 RETURNING content_id", error);
  if (!remove)
    return FALSE;
  sqlite3_bind_int64 (remove, 1, id);
  int rc = sqlite3_step (remove);
  gint64 content = rc == SQLITE_ROW ? sqlite3_column_int64 (remove, 0) : 0;
  if (rc == SQLITE_ROW)
    rc = sqlite3_step (remove);
  if (rc != SQLITE_DONE)
    return lectern_database_fail (db, "Forgetting a document", error);
  return !content || delete_if_unused (db, content, error);
}

gboolean lectern_library_remove (LecternLibrary *library, const gint64 *ids, gsize n_ids, GError **error)
{
  gboolean ok = TRUE;
  if (n_ids == 0)
    return TRUE;
  if (!lectern_library_begin (library, error))
    return FALSE;
  for (gsize i = 0; i < n_ids && ok; i++)
    ok = remove_document (library->db, ids[i], error);
  /* The index keeps deleted words in its older segments until they are merged. */
  ok = ok
       && lectern_database_exec (library->db, "INSERT INTO chunks_fts (chunks_fts) VALUES ('optimize')",
                                 "Forgetting a document", error);
  if (!lectern_library_end (library, ok, error))
    return FALSE;
  /* The log still has the pages as they were. While another program reads, it is emptied at a later checkpoint. */
  if (library->dir)
    sqlite3_wal_checkpoint_v2 (library->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  return TRUE;
}

gboolean lectern_library_optimize (LecternLibrary *library, GError **error)
{
  if (!lectern_library_require_writer (library, error)
      || !lectern_database_exec (library->db, "PRAGMA analysis_limit = 1000; PRAGMA optimize;",
                                 "Optimizing the library", error))
    return FALSE;
  if (library->dir)
    sqlite3_wal_checkpoint_v2 (library->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  return TRUE;
}
