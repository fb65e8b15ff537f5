/* A document whose file has another name now. */
#include "retrieval/library/library-private.h"

gboolean lectern_library_move (LecternLibrary *library, gint64 id, const char *path, GError **error)
{
  if (!lectern_library_require_writer (library, error))
    return FALSE;
  g_autoptr (LecternStatement) update
      = lectern_database_prepare (library->db, "UPDATE documents SET path = ?2 WHERE id = ?1", error);
  if (!update)
    return FALSE;
  sqlite3_bind_int64 (update, 1, id);
  lectern_bind_text (update, 2, path);
  return lectern_database_run (update, "Writing to the library", error);
}
