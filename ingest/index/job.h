/* job.h: one document on its way into the library, and the threads that read it. Internal to ingest/.
 *
 * The indexing thread owns the library and decides; workers do what needs neither: they hash a file, or read it and cut
 * it into chunks. A job goes back and forth between them; only one side holds it at any time. */
#ifndef LECTERN_INGEST_INDEX_JOB_H
#define LECTERN_INGEST_INDEX_JOB_H

#include "ingest/ingest.h"

#include <sys/stat.h>

typedef enum { INDEX_HASH, INDEX_EXTRACT } IndexStep;

typedef struct {
  IndexStep step;         /* what a worker does next */
  char *path;             /* of the file, in the file system's bytes; NULL for an attachment */
  char *shown;            /* as the library stores it */
  GBytes *bytes;          /* of an attachment, else NULL */
  char *name;             /* of an attachment, for its format */
  gint64 container;       /* id of the document that an attachment stands in, else 0 */
  guint depth;            /* of containers around it */
  struct stat info;       /* of the file before it was read */
  LecternDocument *known; /* what the library holds under the path, or NULL */
  LecternDraft *draft;    /* what came of it */
  GPtrArray *attachments; /* of LecternAttachment that were found in it, or NULL */
  gboolean changed;       /* the file was not the same after it was read */
  guint tries;            /* how often it was read before */
  GError *error;          /* why the whole run must end */
} IndexJob;

/* Of a file or, if `bytes` is given (a reference is taken), of an attachment. Takes `known`. */
IndexJob *index_job_new (const char *path, const char *shown, GBytes *bytes, LecternDocument *known);
void index_job_free (IndexJob *job);
void index_job_fail (IndexJob *job, LecternStatus status, const char *reason);

typedef struct _IndexWorkers IndexWorkers;

/* As many threads, and readers in processes of their own, as this process may use cores (at most `n_max`). Which files are in
 * work is kept in `folder` (black-box.h); one that Lectern died on before is not read unless it is among `named`. Borrows
 * named and limits. */
IndexWorkers *index_workers_new (const char *folder, const char *const *named, guint n_max,
                                 const LecternExtractLimits *limits, GCancellable *cancellable);
/* Waits for the jobs that were begun; all others are freed. */
void index_workers_free (IndexWorkers *workers);
/* Whether the file was given up after Lectern died on it, as it is now, and the user names it: it is read whatever is known. */
gboolean index_workers_tries_again (const IndexWorkers *workers, const IndexJob *job);
guint index_workers_get_n (const IndexWorkers *workers);
/* Takes the job. FALSE with *error if no reader can be started; the job is freed then. */
gboolean index_workers_push (IndexWorkers *workers, IndexJob *job, GError **error);
/* Waits for the next job whose step is done. There must be one under way. */
IndexJob *index_workers_pop (IndexWorkers *workers);

#endif
