/* library-private.h: what the files of library/ and search/ share. */
#ifndef LECTERN_LIBRARY_PRIVATE_H
#define LECTERN_LIBRARY_PRIVATE_H

#include "retrieval/library/database.h"
#include "retrieval/retrieval.h"

typedef struct _LecternSearcher LecternSearcher;

struct _LecternLibrary {
  sqlite3 *db;
  char *dir;   /* NULL in memory */
  int lock_fd; /* -1 unless a writer on disk */
  gboolean writable;
  gboolean in_batch, batch_failed; /* lectern_library_begin_batch() */
  LecternSearcher *searcher; /* search/search.c; NULL until the first search */
};

void lectern_searcher_free (LecternSearcher *searcher); /* NULL is allowed */

/* LECTERN_ERROR_FAILED unless the library was opened for writing. */
gboolean lectern_library_require_writer (LecternLibrary *library, GError **error);

gboolean lectern_library_begin (LecternLibrary *library, GError **error);
/* Commits if `ok`, else (or if that fails) rolls back. Returns whether the transaction is in the database. */
gboolean lectern_library_end (LecternLibrary *library, gboolean ok, GError **error);

#endif
