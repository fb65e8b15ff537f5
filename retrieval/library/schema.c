#include "retrieval/library/schema.h"

#include <glib.h>

const char *const lectern_schema_steps[] = {
  /* 1 */
  "CREATE TABLE contents ("
  "  id INTEGER PRIMARY KEY,"
  "  hash TEXT NOT NULL UNIQUE,"
  "  status INTEGER NOT NULL,"
  "  error TEXT,"
  "  type TEXT,"
  "  title TEXT,"
  "  language TEXT,"
  "  n_pages INTEGER NOT NULL,"
  "  first_chunk INTEGER NOT NULL,"
  "  n_chunks INTEGER NOT NULL,"
  "  text_bytes INTEGER NOT NULL,"
  "  lengths BLOB NOT NULL,"
  "  warnings TEXT"
  ");"
  "CREATE TABLE documents ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  path TEXT NOT NULL UNIQUE,"
  "  size_bytes INTEGER NOT NULL,"
  "  mtime_ns INTEGER NOT NULL,"
  "  content_id INTEGER REFERENCES contents (id),"
  "  status INTEGER,"
  "  error TEXT,"
  "  type TEXT"
  ");"
  "CREATE INDEX documents_by_content ON documents (content_id);"
  "CREATE TABLE sections ("
  "  content_id INTEGER NOT NULL REFERENCES contents (id),"
  "  ordinal INTEGER NOT NULL,"
  "  level INTEGER NOT NULL,"
  "  parent INTEGER NOT NULL,"
  "  page INTEGER NOT NULL,"
  "  title TEXT NOT NULL,"
  "  PRIMARY KEY (content_id, ordinal)"
  ") WITHOUT ROWID;"
  "CREATE TABLE chunks ("
  "  id INTEGER PRIMARY KEY,"
  "  content_id INTEGER NOT NULL REFERENCES contents (id),"
  "  section INTEGER NOT NULL,"
  "  page INTEGER NOT NULL,"
  "  page_last INTEGER NOT NULL,"
  "  n_tokens INTEGER NOT NULL,"
  "  heading TEXT NOT NULL,"
  "  text TEXT NOT NULL,"
  "  spans BLOB NOT NULL"
  ");"
  "CREATE VIEW chunk_texts AS"
  "  SELECT chunks.id AS id,"
  "    char(2) || coalesce(contents.language, '') || char(2) || coalesce(contents.title, '') AS title,"
  "    char(2) || coalesce(contents.language, '') || char(2) || chunks.heading AS heading,"
  "    char(2) || coalesce(contents.language, '') || char(2) || chunks.text AS body"
  "  FROM chunks JOIN contents ON contents.id = chunks.content_id;"
  "CREATE VIRTUAL TABLE chunks_fts USING fts5 ("
  "  title, heading, body, content='chunk_texts', content_rowid='id', tokenize='lectern');",
  /* 2: what indexing noticed; who wrote it and when; documents that stand in others */
  "ALTER TABLE contents ADD COLUMN author TEXT;"
  "ALTER TABLE contents ADD COLUMN date TEXT;"
  "ALTER TABLE contents ADD COLUMN reader INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE documents ADD COLUMN container_id INTEGER REFERENCES documents (id);"
  "CREATE INDEX documents_by_container ON documents (container_id) WHERE container_id IS NOT NULL;"
  "CREATE TABLE findings ("
  "  content_id INTEGER NOT NULL REFERENCES contents (id),"
  "  ordinal INTEGER NOT NULL,"
  "  kind INTEGER NOT NULL,"
  "  page INTEGER NOT NULL,"
  "  amount INTEGER NOT NULL,"
  "  detail TEXT,"
  "  PRIMARY KEY (content_id, ordinal)"
  ") WITHOUT ROWID;"
  /* A transaction of many documents becomes one segment of the index, and segments are merged less often. */
  "INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('hashsize', 16777216);"
  "INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('automerge', 8);",
};
const int lectern_schema_version = (int)G_N_ELEMENTS (lectern_schema_steps);

static int read_version (sqlite3 *db, int *version)
{
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2 (db, "PRAGMA user_version", -1, &statement, NULL);
  if (rc == SQLITE_OK && (rc = sqlite3_step (statement)) == SQLITE_ROW)
    *version = sqlite3_column_int (statement, 0);
  int finish = sqlite3_finalize (statement);
  return rc == SQLITE_ROW ? finish : rc;
}

int lectern_schema_migrate (sqlite3 *db, const char *const *steps, int n_steps)
{
  int version = 0;
  int rc = sqlite3_exec (db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (rc != SQLITE_OK)
    return rc;
  rc = read_version (db, &version);
  if (rc == SQLITE_OK && version < n_steps) {
    for (int i = MAX (version, 0); i < n_steps && rc == SQLITE_OK; i++)
      rc = sqlite3_exec (db, steps[i], NULL, NULL, NULL);
    g_autofree char *mark
        = g_strdup_printf ("PRAGMA user_version = %d; PRAGMA application_id = %d;", n_steps, LECTERN_APPLICATION_ID);
    if (rc == SQLITE_OK)
      rc = sqlite3_exec (db, mark, NULL, NULL, NULL);
  }
  if (rc == SQLITE_OK)
    rc = sqlite3_exec (db, "COMMIT", NULL, NULL, NULL);
  if (rc != SQLITE_OK && !sqlite3_get_autocommit (db))
    sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return rc;
}
