/* schema.h: the tables of library.db, their versions and how one becomes the next. SCHEMA.md explains each table.
 *
 * PRAGMA user_version is the number of steps that have been applied; PRAGMA application_id marks the file as ours. */
#ifndef LECTERN_LIBRARY_SCHEMA_H
#define LECTERN_LIBRARY_SCHEMA_H

#include <sqlite3.h>

enum { LECTERN_APPLICATION_ID = 0x4C656374 }; /* "Lect" */

/* SQL that takes a database from version i to i + 1 for element i. Never edit a step that was released: append one. */
extern const char *const lectern_schema_steps[];
extern const int lectern_schema_version; /* number of steps */

/* Applies steps[user_version .. n_steps) in one transaction. Returns an SQLite result code; after an error nothing changed. */
int lectern_schema_migrate (sqlite3 *db, const char *const *steps, int n_steps);

#endif
