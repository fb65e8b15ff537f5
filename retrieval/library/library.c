#include "retrieval/library/library-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "retrieval/library/lock.h"
#include "retrieval/library/schema.h"

char *lectern_library_dup_default_dir (void)
{
  return g_build_filename (g_get_user_data_dir (), "lectern", NULL);
}

/* What stands in the file before anything of it is used. */
static gboolean check_identity (sqlite3 *db, const char *path, gboolean *is_new, gint64 *version, GError **error)
{
  gint64 application = 0, tables = 0;
  if (!lectern_database_get_int (db, "PRAGMA user_version", version, error)
      || !lectern_database_get_int (db, "PRAGMA application_id", &application, error)
      || !lectern_database_get_int (db, "SELECT count(*) FROM sqlite_schema", &tables, error))
    return FALSE;
  *is_new = *version == 0 && application == 0 && tables == 0;
  if (!*is_new && application != LECTERN_APPLICATION_ID) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_DAMAGED,
                 "“%s” is a database of another program; choose another library folder.", path);
    return FALSE;
  }
  if (*version > lectern_schema_version) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_TOO_NEW,
                 "“%s” was written by a later version of Lectern (format %d, this one knows %d); update Lectern.", path,
                 (int)*version, lectern_schema_version);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_after_crash (sqlite3 *db, const char *path, GError **error)
{
  g_autofree char *health = lectern_database_dup_health (db, FALSE, error);
  if (!health)
    return FALSE;
  if (!strcmp (health, "ok"))
    return TRUE;
  g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_DAMAGED,
               "“%s” is damaged (%s); move it away and add your documents again.", path, health);
  return FALSE;
}

static gboolean migrate (sqlite3 *db, GError **error)
{
  if (lectern_schema_migrate (db, lectern_schema_steps, lectern_schema_version) == SQLITE_OK)
    return TRUE;
  return lectern_database_fail (db, "Preparing the library", error);
}

static LecternLibrary *library_new (sqlite3 *db, const char *dir, int lock_fd, gboolean writable)
{
  LecternLibrary *library = g_new0 (LecternLibrary, 1);
  library->db = db;
  library->dir = g_strdup (dir);
  library->lock_fd = lock_fd;
  library->writable = writable;
  return library;
}

static LecternLibrary *open_writer (const char *dir, const char *path, GError **error)
{
  gboolean unclean = FALSE, is_new = FALSE;
  gint64 version = 0;
  if (g_mkdir_with_parents (dir, 0700) != 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The library folder “%s” cannot be created (%s).", dir,
                 g_strerror (errno));
    return NULL;
  }
  int lock_fd = lectern_lock_take (dir, &unclean, error);
  if (lock_fd < 0)
    return NULL;
  sqlite3 *db = lectern_database_open (path, TRUE, TRUE, error);
  if (db && check_identity (db, path, &is_new, &version, error)
      && (!unclean || is_new || check_after_crash (db, path, error))
      && (version == lectern_schema_version || migrate (db, error)))
    return library_new (db, dir, lock_fd, TRUE);
  sqlite3_close (db);
  /* A mark that an earlier writer left stays, so that the check is made again. */
  if (unclean)
    close (lock_fd);
  else
    lectern_lock_release (lock_fd);
  return NULL;
}

static LecternLibrary *open_reader (const char *dir, const char *path, GError **error)
{
  gboolean is_new = FALSE;
  gint64 version = 0;
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND,
                 "There is no library in “%s” yet; add documents first (lecternctl add PATH).", dir);
    return NULL;
  }
  sqlite3 *db = lectern_database_open (path, FALSE, FALSE, error);
  if (!db || !check_identity (db, path, &is_new, &version, error)) {
    sqlite3_close (db);
    return NULL;
  }
  if (is_new) {
    sqlite3_close (db);
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND,
                 "The library in “%s” is still empty; add documents first (lecternctl add PATH).", dir);
    return NULL;
  }
  if (version < lectern_schema_version) {
    sqlite3_close (db);
    LecternLibrary *writer = open_writer (dir, path, error);
    if (!writer)
      return NULL;
    lectern_library_close (writer);
    db = lectern_database_open (path, FALSE, FALSE, error);
    if (!db)
      return NULL;
  }
  return library_new (db, dir, -1, FALSE);
}

LecternLibrary *lectern_library_open (const char *dir, LecternLibraryFlags flags, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "library.db", NULL);
  return flags & LECTERN_LIBRARY_WRITE ? open_writer (dir, path, error) : open_reader (dir, path, error);
}

LecternLibrary *lectern_library_open_memory (GError **error)
{
  sqlite3 *db = lectern_database_open (NULL, TRUE, TRUE, error);
  if (!db)
    return NULL;
  if (!migrate (db, error)) {
    sqlite3_close (db);
    return NULL;
  }
  return library_new (db, NULL, -1, TRUE);
}

void lectern_library_close (LecternLibrary *library)
{
  if (!library)
    return;
  lectern_searcher_free (library->searcher);
  if (library->writable && library->dir)
    sqlite3_wal_checkpoint_v2 (library->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  sqlite3_close (library->db);
  lectern_lock_release (library->lock_fd);
  g_free (library->dir);
  g_free (library);
}

const char *lectern_library_get_dir (LecternLibrary *library)
{
  return library->dir;
}

gboolean lectern_library_require_writer (LecternLibrary *library, GError **error)
{
  if (library->writable)
    return TRUE;
  g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The library was opened for reading only.");
  return FALSE;
}

gboolean lectern_library_begin (LecternLibrary *library, GError **error)
{
  if (library->in_batch)
    return TRUE;
  return lectern_library_require_writer (library, error)
         && lectern_database_exec (library->db, "BEGIN IMMEDIATE", "Writing to the library", error);
}

gboolean lectern_library_end (LecternLibrary *library, gboolean ok, GError **error)
{
  if (library->in_batch) {
    library->batch_failed |= !ok;
    return ok;
  }
  if (ok && lectern_database_exec (library->db, "COMMIT", "Writing to the library", error))
    return TRUE;
  if (!sqlite3_get_autocommit (library->db))
    sqlite3_exec (library->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

gboolean lectern_library_begin_batch (LecternLibrary *library, GError **error)
{
  g_return_val_if_fail (!library->in_batch, FALSE);
  library->in_batch = lectern_library_begin (library, error);
  library->batch_failed = FALSE;
  return library->in_batch;
}

gboolean lectern_library_end_batch (LecternLibrary *library, gboolean ok, GError **error)
{
  g_return_val_if_fail (library->in_batch, FALSE);
  library->in_batch = FALSE;
  return lectern_library_end (library, ok && !library->batch_failed, error);
}
