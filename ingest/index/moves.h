/* moves.h: documents whose file was moved or renamed. Internal to ingest/. */
#ifndef LECTERN_INGEST_MOVES_H
#define LECTERN_INGEST_MOVES_H

#include "retrieval/retrieval.h"

G_BEGIN_DECLS

/* Gives documents whose file has gone (`gone`, of LecternDocument) the path of a file among `files` (of char *) that the
 * library does not know yet and that is the same: size, time and SHA-256. Such a document keeps its id, and nothing is
 * extracted. Only files that agree in size and time are read. *n_moved counts them. FALSE with *error: cancelled, or
 * the library cannot be written. */
gboolean moves_apply (LecternLibrary *library, const GPtrArray *gone, const GPtrArray *files, guint *n_moved,
                      GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
