/* A document whose file has another name now. */
#include "retrieval/library/library-private.h"

/* The document and those that stand in it, whose paths begin with its own. */
static gboolean move_paths (sqlite3 *db, gint64 id, const char *from, const char *to, GError **error)
{
  g_autoptr (LecternStatement) update
      = lectern_database_prepare (db,
                                  "WITH RECURSIVE moved (id) AS (SELECT ?1 UNION"
                                  "  SELECT d.id FROM documents AS d JOIN moved AS m ON d.container_id = m.id)"
                                  " UPDATE documents SET path = ?3 || substr (path, length (?2) + 1)"
                                  " WHERE id IN (SELECT id FROM moved) AND substr (path, 1, length (?2)) = ?2",
                                  error);
  if (!update)
    return FALSE;
  sqlite3_bind_int64 (update, 1, id);
  lectern_bind_text (update, 2, from);
  lectern_bind_text (update, 3, to);
  return lectern_database_run (update, "Writing to the library", error);
}

gboolean lectern_library_move (LecternLibrary *library, gint64 id, const char *path, GError **error)
{
  GError *problem = NULL;
  if (!lectern_library_begin (library, error))
    return FALSE;
  LecternDocument *document = lectern_library_find_id (library, id, &problem);
  gboolean ok = document && move_paths (library->db, id, document->path, path, &problem);
  lectern_document_free (document);
  if (!ok && !problem)
    g_set_error (&problem, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND, "There is no document %" G_GINT64_FORMAT ".", id);
  if (problem)
    g_propagate_error (error, problem);
  return lectern_library_end (library, ok, ok ? error : NULL);
}
