#include "ingest/index/black-box.h"
#include "ingest/reader/format.h"
#include "ingest/index/file-state.h"
#include "ingest/index/job.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define LANGUAGE_SAMPLE_BYTES (16 * 1024)

struct _IndexWorkers {
  GThreadPool *pool;
  GAsyncQueue *done;  /* of IndexJob */
  GAsyncQueue *idle;  /* of LecternExtractor */
  GPtrArray *readers; /* of LecternExtractor: all of them */
  guint n, n_extracting;
  BlackBox *box;
  const char *const *named; /* files and folders that the user wants read */
  const LecternExtractLimits *limits;
  GCancellable *cancellable;
};

IndexJob *index_job_new (const char *path, const char *shown, GBytes *bytes, LecternDocument *known)
{
  IndexJob *job = g_new0 (IndexJob, 1);
  job->step = INDEX_HASH;
  job->path = g_strdup (path);
  job->shown = g_strdup (shown);
  job->bytes = bytes ? g_bytes_ref (bytes) : NULL;
  job->known = known;
  job->draft = lectern_draft_new ();
  job->draft->path = g_strdup (shown);
  return job;
}

void index_job_free (IndexJob *job)
{
  if (!job)
    return;
  g_free (job->path);
  g_free (job->shown);
  g_clear_pointer (&job->bytes, g_bytes_unref);
  g_free (job->name);
  lectern_document_free (job->known);
  lectern_draft_free (job->draft);
  g_clear_pointer (&job->attachments, g_ptr_array_unref);
  g_clear_error (&job->error);
  g_free (job);
}

void index_job_fail (IndexJob *job, LecternStatus status, const char *reason)
{
  job->draft->status = status;
  g_free (job->draft->error);
  job->draft->error = g_strdup (reason);
}

/* ---- hashing --------------------------------------------------------------------------------------------- */

/* Leaves draft->hash NULL if the file cannot be read (the draft says why) or the run was cancelled (job->error). */
static void hash_job (IndexJob *job, GCancellable *cancellable)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, &job->error))
    return;
  g_autofree char *reason = NULL;
  job->draft->hash = job->bytes ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, job->bytes)
                                : file_dup_hash (job->path, &reason, cancellable, &job->error);
  if (reason)
    index_job_fail (job, LECTERN_STATUS_UNREADABLE, reason);
}

/* ---- reading --------------------------------------------------------------------------------------------- */

/* The language of the text, which pages and files declare wrongly more often than it is told wrongly. */
static char *dup_language (const LecternExtraction *extraction)
{
  g_autoptr (GString) sample = g_string_new (NULL);
  /* From the second quarter on: title pages and tables of contents say little. */
  guint first = extraction->blocks->len > 40 ? extraction->blocks->len / 4 : 0;
  for (guint i = first; i < extraction->blocks->len && sample->len < LANGUAGE_SAMPLE_BYTES; i++) {
    const LecternBlock *block = g_ptr_array_index (extraction->blocks, i);
    if (block->kind == LECTERN_BLOCK_CODE || !block->text)
      continue;
    g_string_append (sample, block->text);
    g_string_append_c (sample, '\n');
  }
  const char *detected = lectern_language_detect (sample->str, (gssize)sample->len);
  if (detected)
    return g_strdup (detected);
  const char *declared = extraction->language;
  gsize length = declared ? strspn (declared, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
  return length >= 2 && length <= 3 ? g_ascii_strdown (declared, (gssize)length) : NULL;
}

static void fill_draft (IndexJob *job, LecternExtraction *extraction)
{
  LecternDraft *draft = job->draft;
  g_free (draft->type);
  draft->reader = READER_REVISION;
  draft->status = extraction->status;
  draft->error = g_strdup (extraction->error);
  draft->type = g_strdup (extraction->type);
  draft->title = g_strdup (extraction->title);
  draft->author = g_strdup (extraction->author);
  draft->date = g_strdup (extraction->date);
  draft->n_pages = extraction->n_pages;
  for (guint i = 0; extraction->warnings && i < extraction->warnings->len; i++)
    g_ptr_array_add (draft->warnings, g_strdup (g_ptr_array_index (extraction->warnings, i)));
  if (extraction->findings) {
    g_ptr_array_unref (draft->findings);
    draft->findings = g_steal_pointer (&extraction->findings);
  }
  if (extraction->status != LECTERN_STATUS_INDEXED)
    return;
  job->attachments = g_steal_pointer (&extraction->attachments);
  draft->language = dup_language (extraction);
  lectern_chunk_blocks (extraction->blocks, draft->language, draft);
  if (draft->chunks->len == 0 && (!job->attachments || job->attachments->len == 0))
    index_job_fail (job, LECTERN_STATUS_EMPTY, "The document holds no text.");
}

static gboolean same_state (const struct stat *a, const struct stat *b)
{
  return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
         && a->st_ino == b->st_ino;
}

static void read_job (IndexWorkers *workers, IndexJob *job)
{
  LecternExtractor *reader = g_async_queue_pop (workers->idle);
  LecternExtraction *extraction
      = job->bytes ? lectern_extractor_extract_bytes (reader, job->bytes, job->name, workers->limits,
                                                      workers->cancellable, &job->error)
                   : lectern_extractor_extract (reader, job->path, workers->limits, workers->cancellable, &job->error);
  g_async_queue_push (workers->idle, reader);
  if (!extraction)
    return;
  fill_draft (job, extraction);
  lectern_extraction_free (extraction);
  struct stat after;
  job->changed = job->path && (stat (job->path, &after) != 0 || !same_state (&job->info, &after));
}

/* A document as the black box knows it. */
typedef struct {
  const char *path;
  gint64 size_bytes, mtime_ns;
} Evidence;

static Evidence evidence_of (const IndexJob *job)
{
  if (job->bytes)
    return (Evidence){ job->shown, (gint64)g_bytes_get_size (job->bytes), 0 };
  return (Evidence){ job->path, job->info.st_size, file_mtime_ns (&job->info) };
}

static gboolean is_given_up (const IndexWorkers *workers, const IndexJob *job)
{
  Evidence evidence = evidence_of (job);
  return black_box_count_strikes (workers->box, evidence.path, evidence.size_bytes, evidence.mtime_ns)
         >= BLACK_BOX_MAX_STRIKES;
}

static gboolean is_named (const IndexWorkers *workers, const char *path)
{
  for (guint i = 0; path && workers->named[i]; i++) {
    char *real = realpath (workers->named[i], NULL); /* as the scan gives paths */
    gboolean same = real && strcmp (real, path) == 0;
    free (real);
    if (same)
      return TRUE;
  }
  return FALSE;
}

gboolean index_workers_tries_again (const IndexWorkers *workers, const IndexJob *job)
{
  return is_given_up (workers, job) && is_named (workers, job->path);
}

static void extract_job (IndexWorkers *workers, IndexJob *job)
{
  Evidence evidence = evidence_of (job);
  if (is_given_up (workers, job) && !is_named (workers, job->path)) {
    index_job_fail (job, LECTERN_STATUS_DAMAGED,
                    "Lectern ended twice while reading it; to try again, add it by its own path.");
    return;
  }
  guint slot = black_box_begin (workers->box, evidence.path, evidence.size_bytes, evidence.mtime_ns);
  read_job (workers, job);
  black_box_end (workers->box, slot);
}

/* ---- threads --------------------------------------------------------------------------------------------- */

static void work (gpointer data, gpointer user_data)
{
  IndexWorkers *workers = user_data;
  IndexJob *job = data;
  if (job->step == INDEX_HASH)
    hash_job (job, workers->cancellable);
  else
    extract_job (workers, job);
  g_async_queue_push (workers->done, job);
}

static guint count_cores (void)
{
  cpu_set_t set;
  return sched_getaffinity (0, sizeof set, &set) == 0 ? (guint)MAX (CPU_COUNT (&set), 1) : 1;
}

IndexWorkers *index_workers_new (const char *folder, const char *const *named, guint n_max,
                                 const LecternExtractLimits *limits, GCancellable *cancellable)
{
  IndexWorkers *workers = g_new0 (IndexWorkers, 1);
  workers->n = MIN (count_cores (), n_max);
  workers->box = black_box_open (folder, workers->n);
  workers->named = named;
  workers->limits = limits;
  workers->cancellable = cancellable;
  workers->done = g_async_queue_new_full ((GDestroyNotify)index_job_free);
  workers->idle = g_async_queue_new ();
  workers->readers = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_extractor_free);
  workers->pool = g_thread_pool_new (work, workers, (gint)workers->n, FALSE, NULL);
  return workers;
}

void index_workers_free (IndexWorkers *workers)
{
  if (!workers)
    return;
  g_thread_pool_free (workers->pool, FALSE, TRUE);
  g_async_queue_unref (workers->done);
  g_async_queue_unref (workers->idle);
  g_ptr_array_unref (workers->readers);
  black_box_close (workers->box);
  g_free (workers);
}

guint index_workers_get_n (const IndexWorkers *workers)
{
  return workers->n;
}

gboolean index_workers_push (IndexWorkers *workers, IndexJob *job, GError **error)
{
  /* Readers are started one by one as they are needed: a single file needs one. */
  if (job->step == INDEX_EXTRACT && workers->n_extracting >= workers->readers->len
      && workers->readers->len < workers->n) {
    LecternExtractor *reader = lectern_extractor_new (error);
    if (!reader) {
      index_job_free (job);
      return FALSE;
    }
    g_ptr_array_add (workers->readers, reader);
    g_async_queue_push (workers->idle, reader);
  }
  workers->n_extracting += job->step == INDEX_EXTRACT;
  g_thread_pool_push (workers->pool, job, NULL);
  return TRUE;
}

IndexJob *index_workers_pop (IndexWorkers *workers)
{
  IndexJob *job = g_async_queue_pop (workers->done);
  workers->n_extracting -= job->step == INDEX_EXTRACT;
  return job;
}
