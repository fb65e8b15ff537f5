/* index-task.h: files and folders indexed in a thread, for the window. Callbacks run on the main thread. */
#ifndef LECTERN_INDEX_TASK_H
#define LECTERN_INDEX_TASK_H

#include "ingest/ingest.h"

G_BEGIN_DECLS

typedef void (*LecternIndexTaskProgress) (guint done, guint total, const char *path, gpointer user_data);

/* `paths` is copied; `source_object` is passed to `progress` and kept alive. */
void lectern_index_async (const char *library_dir, const char *const *paths, GObject *source_object,
                          LecternIndexTaskProgress progress, GCancellable *cancellable, GAsyncReadyCallback callback);

/* The report; on cancellation NULL with G_IO_ERROR_CANCELLED: what was done is kept in the library. */
LecternIndexReport *lectern_index_finish (GAsyncResult *result, GError **error);

G_END_DECLS

#endif
