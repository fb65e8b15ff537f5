/* database.h: a connection to library.db with our settings, and SQLite's results as GError. */
#ifndef LECTERN_LIBRARY_DATABASE_H
#define LECTERN_LIBRARY_DATABASE_H

#include <gio/gio.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef sqlite3_stmt LecternStatement;
static inline void lectern_statement_finalize (LecternStatement *statement)
{
  sqlite3_finalize (statement);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternStatement, lectern_statement_finalize)

/* `path` NULL: a private database in memory. Existing files only unless `create`. */
sqlite3 *lectern_database_open (const char *path, gboolean writable, gboolean create, GError **error);

/* Sets `error` to one sentence for the connection's last failure while `doing` ("reading", "storing \"/a.pdf\""). Returns FALSE. */
gboolean lectern_database_fail (sqlite3 *db, const char *doing, GError **error);

gboolean lectern_database_exec (sqlite3 *db, const char *sql, const char *doing, GError **error);
LecternStatement *lectern_database_prepare (sqlite3 *db, const char *sql, GError **error);
/* For statements that give no row. */
gboolean lectern_database_run (LecternStatement *statement, const char *doing, GError **error);
/* The integer of a query's first row; FALSE with an error, or without one when there is no row. */
gboolean lectern_database_get_int (sqlite3 *db, const char *sql, gint64 *value, GError **error);
/* SQLite's quick_check (or integrity_check when `thorough`): "ok" or its first complaint; NULL on error. */
char *lectern_database_dup_health (sqlite3 *db, gboolean thorough, GError **error);

/* Text parameters; NULL binds NULL. The text must live until the statement is reset. */
void lectern_bind_text (LecternStatement *statement, int index, const char *text);
/* An owned copy of a text column, NULL for NULL. */
char *lectern_column_dup (LecternStatement *statement, int column);

G_END_DECLS

#endif
