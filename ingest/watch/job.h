/* job.h: one piece of work of the service, on a thread of its own at a low priority. The library is open for
 * writing only while it runs. Internal to ingest/. */
#ifndef LECTERN_WATCH_JOB_H
#define LECTERN_WATCH_JOB_H

#include "ingest/ingest.h"

G_BEGIN_DECLS

typedef struct {
  /* What to do. Either changes or a rescan of `root`. */
  char *library_dir;
  GPtrArray *roots;    /* of char *: all watched folders */
  GHashTable *changes; /* path -> Change; NULL: rescan */
  char *root;
  gboolean count_only; /* neither: only tell how many documents there are */
  GCancellable *cancellable;

  /* What came of it; the thread's until it has ended. */
  LecternWatchBatch batch;
  guint64 n_documents;
  GError *error; /* cancelled, BUSY, or worse; NULL if all was done */

  /* How far it is; under the lock. */
  GMutex lock;
  guint done, total;
  char *current;

  GSourceFunc progressed, ended; /* called on the default main context with `user_data` */
  gpointer user_data;
  guint progress_posted;
  GThread *thread;
} WatchJob;

WatchJob *watch_job_new (const char *library_dir, const GPtrArray *roots);
void watch_job_start (WatchJob *job);
/* Waits for the thread. NULL is allowed. */
void watch_job_free (WatchJob *job);

/* Makes this thread, and what it starts, give way to other programs, CPU and disk: in bulk to everything, otherwise only
 * so far that a change is searchable soon on a busy computer, too. */
void lower_priority (gboolean bulk);

G_END_DECLS

#endif
