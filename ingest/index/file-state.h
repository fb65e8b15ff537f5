/* file-state.h: what tells one state of a file from another. Internal to ingest/index/. */
#ifndef LECTERN_INGEST_FILE_STATE_H
#define LECTERN_INGEST_FILE_STATE_H

#include <gio/gio.h>
#include <sys/stat.h>

/* Whether nothing is at that path any more. */
gboolean file_is_gone (const char *path);

gint64 file_mtime_ns (const struct stat *info);

/* The SHA-256 of the file in lower-case hex; the caller frees it. NULL: it cannot be read (*reason says why in a sentence,
 * unless `reason` is NULL), or cancelled (*error). */
char *file_dup_hash (const char *path, char **reason, GCancellable *cancellable, GError **error);

#endif
