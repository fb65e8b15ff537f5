#include "retrieval/library/database.h"

#include "retrieval/retrieval.h"
#include "retrieval/search/fts_tokenizer.h"

enum { BUSY_TIMEOUT_MS = 3000 };

gboolean lectern_database_fail (sqlite3 *db, const char *doing, GError **error)
{
  const char *path = db ? sqlite3_db_filename (db, "main") : NULL;
  const char *reason = db ? sqlite3_errmsg (db) : "out of memory";
  int code = LECTERN_ERROR_FAILED;
  const char *advice;
  if (!path || !*path)
    path = "the library in memory";
  switch (db ? sqlite3_errcode (db) & 0xFF : SQLITE_NOMEM) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    code = LECTERN_ERROR_BUSY;
    advice = "another program is writing to it: wait until it is done and try again";
    break;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    code = LECTERN_ERROR_DAMAGED;
    advice = "the file is damaged: move it away and add your documents again";
    break;
  case SQLITE_FULL: advice = "the disk is full: free some space and try again"; break;
  case SQLITE_READONLY: advice = "the file cannot be written: check the permissions of it and of its folder"; break;
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
  case SQLITE_AUTH: advice = "the file cannot be opened: check the permissions of it and of its folder"; break;
  case SQLITE_IOERR: advice = "the disk reported an error: check it and try again"; break;
  case SQLITE_NOMEM: advice = "there is not enough memory: close other programs and try again"; break;
  default: advice = "this is unexpected: please report it"; break;
  }
  g_set_error (error, LECTERN_ERROR, code, "%s failed at “%s” (%s); %s.", doing, path, reason, advice);
  return FALSE;
}

static int configure (sqlite3 *db, gboolean writable, gboolean memory)
{
  int rc = sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_db_config (db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_db_config (db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_busy_timeout (db, BUSY_TIMEOUT_MS);
  if (rc == SQLITE_OK)
    rc = lectern_fts_tokenizer_register (db);
  if (rc == SQLITE_OK)
    rc = sqlite3_exec (db,
                       "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;"
                       "PRAGMA foreign_keys = ON;",
                       NULL, NULL, NULL);
  if (rc == SQLITE_OK && writable && !memory)
    rc = sqlite3_exec (db,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
                       "PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 4000;",
                       NULL, NULL, NULL);
  return rc;
}

sqlite3 *lectern_database_open (const char *path, gboolean writable, gboolean create, GError **error)
{
  sqlite3 *db = NULL;
  int flags = writable ? SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) : SQLITE_OPEN_READONLY;
  int rc = sqlite3_open_v2 (path ? path : ":memory:", &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK)
    rc = configure (db, writable, !path);
  /* A library on a read-only medium has no place for the WAL's index; without a WAL there is nothing to miss either. */
  if ((rc == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_READONLY) && !writable && path) {
    g_autofree char *wal = g_strconcat (path, "-wal", NULL);
    if (g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (wal, G_FILE_TEST_EXISTS)) {
      g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE);
      g_autofree char *uri = g_strconcat ("file:", escaped, "?immutable=1", NULL);
      sqlite3_close (g_steal_pointer (&db));
      rc = sqlite3_open_v2 (uri, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
      if (rc == SQLITE_OK)
        rc = configure (db, FALSE, FALSE);
    }
  }
  if (rc == SQLITE_OK)
    return db;
  lectern_database_fail (db, "Opening the library", error);
  sqlite3_close (db);
  return NULL;
}

gboolean lectern_database_exec (sqlite3 *db, const char *sql, const char *doing, GError **error)
{
  if (sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  return lectern_database_fail (db, doing, error);
}

LecternStatement *lectern_database_prepare (sqlite3 *db, const char *sql, GError **error)
{
  LecternStatement *statement = NULL;
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK)
    lectern_database_fail (db, "Reading the library", error);
  return statement;
}

gboolean lectern_database_run (LecternStatement *statement, const char *doing, GError **error)
{
  sqlite3 *db = sqlite3_db_handle (statement);
  int rc = sqlite3_step (statement);
  gboolean done = rc == SQLITE_DONE || rc == SQLITE_ROW;
  if (!done)
    lectern_database_fail (db, doing, error);
  sqlite3_reset (statement);
  return done;
}

gboolean lectern_database_get_int (sqlite3 *db, const char *sql, gint64 *value, GError **error)
{
  g_autoptr (LecternStatement) statement = lectern_database_prepare (db, sql, error);
  if (!statement)
    return FALSE;
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW) {
    *value = sqlite3_column_int64 (statement, 0);
    return TRUE;
  }
  if (rc != SQLITE_DONE)
    lectern_database_fail (db, "Reading the library", error);
  return FALSE;
}

char *lectern_database_dup_health (sqlite3 *db, gboolean thorough, GError **error)
{
  g_autoptr (LecternStatement) statement
      = lectern_database_prepare (db, thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", error);
  if (!statement)
    return NULL;
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    return lectern_column_dup (statement, 0);
  if (rc == SQLITE_CORRUPT)
    return g_strdup (sqlite3_errmsg (db));
  lectern_database_fail (db, "Checking the library", error);
  return NULL;
}

void lectern_bind_text (LecternStatement *statement, int index, const char *text)
{
  sqlite3_bind_text (statement, index, text, -1, SQLITE_STATIC);
}

char *lectern_column_dup (LecternStatement *statement, int column)
{
  return g_strdup ((const char *)sqlite3_column_text (statement, column));
}
