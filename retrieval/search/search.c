#include "retrieval/search/search.h"

#include <string.h>

#include "retrieval/library/spans.h"

enum { DEFAULT_LIMIT = 10, MAX_LIMIT = 100000, MAX_CHUNKS = 10000000 };

struct _LecternSearcher {
  LecternNormaliser *normaliser;
  LecternRankParameters parameters;
  /* What follows is as of these two: changes by other connections, changes by this one. */
  gint64 data_version;
  int n_changes;
  GArray *ranges;       /* of LecternChunkRange */
  GArray *lengths;      /* of LecternLengths */
  GPtrArray *languages; /* distinct, NULL-terminated */
};

void lectern_searcher_free (LecternSearcher *searcher)
{
  if (!searcher)
    return;
  lectern_normaliser_free (searcher->normaliser);
  g_clear_pointer (&searcher->ranges, g_array_unref);
  g_clear_pointer (&searcher->lengths, g_array_unref);
  g_clear_pointer (&searcher->languages, g_ptr_array_unref);
  g_free (searcher);
}

static LecternSearcher *get_searcher (LecternLibrary *library, GError **error)
{
  if (library->searcher)
    return library->searcher;
  if (lectern_rank_register (library->db) != SQLITE_OK) {
    lectern_database_fail (library->db, "Searching the library", error);
    return NULL;
  }
  LecternSearcher *searcher = g_new0 (LecternSearcher, 1);
  searcher->normaliser = lectern_normaliser_new ();
  searcher->parameters = lectern_rank_defaults;
  searcher->data_version = -1;
  library->searcher = searcher;
  return searcher;
}

gboolean lectern_search_set_parameters (LecternLibrary *library, const LecternRankParameters *parameters,
                                        GError **error)
{
  LecternSearcher *searcher = get_searcher (library, error);
  if (!searcher)
    return FALSE;
  searcher->parameters = *parameters;
  return TRUE;
}

static gboolean read_ranges (sqlite3 *db, LecternSearcher *searcher, GError **error)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternChunkRange));
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (LecternLengths));
  g_autoptr (GPtrArray) languages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LecternStatement) contents = lectern_database_prepare (
      db, "SELECT id, first_chunk, n_chunks, lengths FROM contents WHERE n_chunks > 0 ORDER BY first_chunk", error);
  /* The most frequent first: at most 16 are tried (query.h). */
  g_autoptr (LecternStatement) tags = lectern_database_prepare (
      db,
      "SELECT coalesce(language, '') FROM contents WHERE n_chunks > 0 GROUP BY 1 ORDER BY sum(n_chunks) DESC LIMIT 16",
      error);
  int rc;
  if (!contents || !tags)
    return FALSE;
  while ((rc = sqlite3_step (contents)) == SQLITE_ROW) {
    LecternChunkRange range = { .content = sqlite3_column_int64 (contents, 0),
                                .first_chunk = sqlite3_column_int64 (contents, 1),
                                .n_chunks = CLAMP (sqlite3_column_int64 (contents, 2), 0, MAX_CHUNKS),
                                .first_length = lengths->len,
                                .allowed = TRUE };
    lectern_lengths_decode (sqlite3_column_blob (contents, 3), (gsize)sqlite3_column_bytes (contents, 3),
                            (guint)range.n_chunks, lengths);
    g_array_append_val (ranges, range);
  }
  if (rc == SQLITE_DONE)
    while ((rc = sqlite3_step (tags)) == SQLITE_ROW) {
      const char *tag = (const char *)sqlite3_column_text (tags, 0);
      /* The tag becomes part of a query: only what can be one. */
      if (tag && strlen (tag) <= 8 && strspn (tag, "abcdefghijklmnopqrstuvwxyz") == strlen (tag))
        g_ptr_array_add (languages, g_strdup (tag));
    }
  if (rc != SQLITE_DONE)
    return lectern_database_fail (db, "Reading the library", error);
  g_ptr_array_add (languages, NULL);
  g_clear_pointer (&searcher->ranges, g_array_unref);
  g_clear_pointer (&searcher->lengths, g_array_unref);
  g_clear_pointer (&searcher->languages, g_ptr_array_unref);
  searcher->ranges = g_steal_pointer (&ranges);
  searcher->lengths = g_steal_pointer (&lengths);
  searcher->languages = g_steal_pointer (&languages);
  return TRUE;
}

static gboolean refresh (sqlite3 *db, LecternSearcher *searcher, GError **error)
{
  gint64 version = 0;
  int n_changes = sqlite3_total_changes (db);
  if (!lectern_database_get_int (db, "PRAGMA data_version", &version, error))
    return FALSE;
  if (searcher->ranges && version == searcher->data_version && n_changes == searcher->n_changes)
    return TRUE;
  if (!read_ranges (db, searcher, error))
    return FALSE;
  searcher->data_version = version;
  searcher->n_changes = n_changes;
  return TRUE;
}

/* A path as stored: without slashes at the end. */
static char *dup_path (const char *path)
{
  gsize length = strlen (path);
  while (length > 0 && path[length - 1] == '/')
    length--;
  return g_strndup (path, length);
}

/* A copy of the ranges in which only contents at or below `path` are allowed. */
static GArray *restrict_ranges (sqlite3 *db, const GArray *all, const char *path, GError **error)
{
  g_autoptr (GHashTable) allowed = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (LecternStatement) list = lectern_database_prepare (
      db, "SELECT content_id FROM documents WHERE (path = ?1 OR (path >= ?2 AND path < ?3)) AND content_id IS NOT NULL",
      error);
  if (!list)
    return NULL;
  g_autofree char *from = g_strconcat (path, "/", NULL);
  g_autofree char *to = g_strconcat (path, "0", NULL); /* '0' comes after '/' */
  lectern_bind_text (list, 1, path);
  lectern_bind_text (list, 2, from);
  lectern_bind_text (list, 3, to);
  int rc;
  while ((rc = sqlite3_step (list)) == SQLITE_ROW) {
    gint64 id = sqlite3_column_int64 (list, 0);
    g_hash_table_add (allowed, g_memdup2 (&id, sizeof id));
  }
  if (rc != SQLITE_DONE) {
    lectern_database_fail (db, "Reading the library", error);
    return NULL;
  }
  GArray *ranges = g_array_copy ((GArray *)all);
  for (guint i = 0; i < ranges->len; i++) {
    LecternChunkRange *range = &g_array_index (ranges, LecternChunkRange, i);
    range->allowed = g_hash_table_contains (allowed, &range->content);
  }
  return ranges;
}

static LecternResult *read_result (LecternStatement *row, const LecternRanked *ranked, guint rank)
{
  LecternResult *result = g_new0 (LecternResult, 1);
  const char *heading = (const char *)sqlite3_column_text (row, 6);
  result->rank = rank;
  result->score = ranked->score;
  result->chunk = ranked->chunk;
  result->document = sqlite3_column_int64 (row, 0);
  result->path = lectern_column_dup (row, 1);
  result->title = lectern_column_dup (row, 2);
  result->page = sqlite3_column_int (row, 3);
  result->page_last = sqlite3_column_int (row, 4);
  result->text = lectern_column_dup (row, 5);
  result->heading = g_strsplit (heading ? heading : "", "\n", -1);
  result->spans = lectern_spans_decode (sqlite3_column_blob (row, 7), (gsize)sqlite3_column_bytes (row, 7),
                                        result->text ? strlen (result->text) : 0);
  return result;
}

static GPtrArray *read_results (sqlite3 *db, const GArray *best, const char *path, GError **error)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_result_free);
  /* A content that several paths hold is reported once, under the first of them (below `path`). */
  g_autoptr (LecternStatement) find = lectern_database_prepare (
      db,
      "SELECT d.id, d.path, c.title, k.page, k.page_last, k.text, k.heading, k.spans"
      " FROM chunks AS k JOIN contents AS c ON c.id = k.content_id JOIN documents AS d ON d.content_id = c.id"
      " WHERE k.id = ?1 AND (?2 IS NULL OR d.path = ?2 OR (d.path >= ?3 AND d.path < ?4)) ORDER BY d.id LIMIT 1",
      error);
  if (!find)
    return NULL;
  g_autofree char *from = path ? g_strconcat (path, "/", NULL) : NULL;
  g_autofree char *to = path ? g_strconcat (path, "0", NULL) : NULL;
  lectern_bind_text (find, 2, path);
  lectern_bind_text (find, 3, from);
  lectern_bind_text (find, 4, to);
  for (guint i = 0; i < best->len; i++) {
    const LecternRanked *ranked = &g_array_index (best, LecternRanked, i);
    sqlite3_bind_int64 (find, 1, ranked->chunk);
    int rc = sqlite3_step (find);
    if (rc == SQLITE_ROW)
      g_ptr_array_add (results, read_result (find, ranked, results->len + 1));
    else if (rc != SQLITE_DONE) {
      lectern_database_fail (db, "Reading the library", error);
      return NULL;
    }
    sqlite3_reset (find);
  }
  return g_steal_pointer (&results);
}

static GPtrArray *search (LecternLibrary *library, LecternSearcher *searcher, const char *text, const char *path,
                          guint limit, GCancellable *cancellable, GError **error)
{
  if (!refresh (library->db, searcher, error))
    return NULL;
  g_autoptr (GArray) ranges
      = path ? restrict_ranges (library->db, searcher->ranges, path, error) : g_array_ref (searcher->ranges);
  if (!ranges)
    return NULL;
  g_autoptr (LecternQuery) query
      = lectern_query_new (text, strlen (text), (const char *const *)searcher->languages->pdata, searcher->normaliser);
  LecternCorpus corpus = { ranges, searcher->lengths };
  g_autoptr (GArray) best
      = lectern_rank (library->db, query, &searcher->parameters, &corpus, limit, cancellable, error);
  return best ? read_results (library->db, best, path, error) : NULL;
}

GPtrArray *lectern_search (LecternLibrary *library, const char *query, const LecternSearchOptions *options,
                           GCancellable *cancellable, GError **error)
{
  static const LecternSearchOptions defaults = { LECTERN_SEARCH_HYBRID, 0, NULL };
  if (!options)
    options = &defaults;
  if (options->mode == LECTERN_SEARCH_SEMANTIC) {
    g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_MODEL,
                         "Semantic search needs vectors, and this library has none; search with --mode keyword.");
    return NULL;
  }
  LecternSearcher *searcher = get_searcher (library, error);
  if (!searcher || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  g_autofree char *path = options->in_path ? dup_path (options->in_path) : NULL;
  guint limit = CLAMP (options->limit ? options->limit : DEFAULT_LIMIT, 1, MAX_LIMIT);
  /* All statements of one search see one state of the library. A writer may already be within a transaction. */
  gboolean own = sqlite3_get_autocommit (library->db) != 0;
  if (own && !lectern_database_exec (library->db, "BEGIN", "Searching the library", error))
    return NULL;
  GPtrArray *results = search (library, searcher, query, path, limit, cancellable, error);
  if (own)
    sqlite3_exec (library->db, "COMMIT", NULL, NULL, NULL);
  return results;
}
