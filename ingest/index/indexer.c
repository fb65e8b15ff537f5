/* indexer.c: lectern_index(): what is new or changed goes through extraction and chunking into the library.
 *
 * A file is unchanged if its size and time are those of the library, or else if its SHA-256 is. A failure is stored like
 * a document, told again in every run, and tried again when the file changes; only what could not be read is tried in
 * every run, since rights and drives change without a trace on the file.
 *
 * Files are read side by side (workers.c); this thread decides and stores. Documents that end close together share
 * a transaction, so that the index is written in larger pieces: at most BATCH_MS of work is lost with the power. */
#include "ingest/reader/format.h"
#include "ingest/index/file-state.h"
#include "ingest/index/job.h"
#include "ingest/index/run.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A file of no known format, named explicitly, is looked into up to this size. */
#define MAX_UNKNOWN_BYTES (G_GUINT64_CONSTANT (256) << 20)
/* From this many stored documents on a run ends with lectern_library_optimize(). */
#define LARGE_RUN_DOCUMENTS 50
#define MAX_WORKERS 16
/* A transaction ends after this time, or this much text. The first one is of one document, the next ones end sooner: what
 * there is can be searched. */
#define FIRST_BATCH_MS 125
#define BATCH_MS 2000
#define BATCH_TEXT_BYTES (8u << 20)
/* Documents in documents. */
#define MAX_DEPTH 4

typedef struct {
  IndexRun base;
  IndexWorkers *workers;
  const LecternScan *scan;
  guint next;             /* in scan->files */
  guint n_done, n_total;  /* for the progress */
  guint n_under_way;      /* jobs that are with the workers */
  GQueue waiting;         /* of IndexJob: attachments to read */
  GHashTable *extracting; /* hash → GPtrArray of IndexJob with the same content, to be decided after it */
  LecternIndexProgress progress;
  gpointer user_data;
  gboolean in_batch;
  gint64 batch_begin_us;
  guint n_batches, batch_ms; /* begun so far; the most time that this one takes */
  gsize batch_text_bytes;
  LecternIndexReport before_batch; /* its numbers; documents is not used */
  guint documents_before_batch, gone_before_batch;
} Run;

static void indexed_document_free (LecternIndexedDocument *document)
{
  g_free (document->path);
  g_free (document->error);
  g_free (document);
}

void lectern_index_report_free (LecternIndexReport *report)
{
  if (!report)
    return;
  g_ptr_array_unref (report->documents);
  g_free (report);
}

void index_run_report (IndexRun *run, const char *path, LecternStatus status, const char *error)
{
  LecternIndexedDocument *document = g_new0 (LecternIndexedDocument, 1);
  document->path = g_strdup (path);
  document->status = status;
  document->error = g_strdup (error);
  g_ptr_array_add (run->report->documents, document);
  if (status == LECTERN_STATUS_UNCHANGED)
    run->report->unchanged++;
  else if (status != LECTERN_STATUS_INDEXED)
    run->report->failed++;
}

/* A document that is as the library has it. One that could not be indexed then is told again with its reason. */
static void report_known (Run *run, const LecternDocument *known)
{
  gboolean indexed = known->status == LECTERN_STATUS_INDEXED;
  index_run_report (&run->base, known->path, indexed ? LECTERN_STATUS_UNCHANGED : known->status, known->error);
}

/* ---- transactions ---------------------------------------------------------------------------------------- */

static gboolean begin_batch (Run *run, GError **error)
{
  if (run->in_batch)
    return TRUE;
  if (!lectern_library_begin_batch (run->base.library, error))
    return FALSE;
  run->in_batch = TRUE;
  run->batch_ms = run->n_batches == 0 ? 0 : run->n_batches == 1 ? FIRST_BATCH_MS : MIN (2 * run->batch_ms, BATCH_MS);
  run->n_batches++;
  run->batch_begin_us = g_get_monotonic_time ();
  run->batch_text_bytes = 0;
  run->before_batch = *run->base.report;
  run->documents_before_batch = run->base.report->documents->len;
  run->gone_before_batch = run->base.gone->len;
  return TRUE;
}

/* What could not be committed is not in the report either. */
static gboolean end_batch (Run *run, gboolean ok, GError **error)
{
  if (!run->in_batch)
    return TRUE;
  run->in_batch = FALSE;
  if (lectern_library_end_batch (run->base.library, ok, error))
    return TRUE;
  LecternIndexReport *report = run->base.report;
  GPtrArray *documents = report->documents;
  *report = run->before_batch;
  report->documents = documents;
  g_ptr_array_set_size (documents, (gint)run->documents_before_batch);
  g_array_set_size (run->base.gone, run->gone_before_batch);
  return FALSE;
}

static gboolean batch_is_due (const Run *run)
{
  return run->in_batch
         && (run->batch_text_bytes >= BATCH_TEXT_BYTES
             || g_get_monotonic_time () - run->batch_begin_us >= run->batch_ms * G_GINT64_CONSTANT (1000));
}

/* ---- storing --------------------------------------------------------------------------------------------- */

/* "report.pdf" in "/mail/a.eml" is "/mail/a.eml/report.pdf"; names are made one safe component, each its own. */
static char *dup_attachment_path (const IndexJob *job, const LecternAttachment *attachment, guint index,
                                  GHashTable *taken)
{
  g_autofree char *name = g_strdup (attachment->name);
  for (char *p = name; *p; p++)
    if (*p == '/' || *p == '\\')
      *p = '_';
  g_strstrip (name);
  if (!*name || !strcmp (name, ".") || !strcmp (name, "..")) {
    g_free (name);
    name = g_strdup_printf ("attachment %u", index + 1);
  }
  char *path = g_strconcat (job->shown, "/", name, NULL);
  for (guint n = 2; !g_hash_table_add (taken, g_strdup (path)); n++) {
    g_free (path);
    path = g_strdup_printf ("%s/(%u) %s", job->shown, n, name);
  }
  return path;
}

/* Attachments become jobs; those of before that are not there any more are forgotten at the end. */
static gboolean queue_attachments (Run *run, const IndexJob *job, gint64 id, GError **error)
{
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = job->attachments && job->depth < MAX_DEPTH ? job->attachments->len : 0;
  for (guint i = 0; i < n; i++) {
    const LecternAttachment *attachment = g_ptr_array_index (job->attachments, i);
    g_autofree char *shown = dup_attachment_path (job, attachment, i, taken);
    g_autoptr (GError) find_error = NULL;
    LecternDocument *known = lectern_library_find_path (run->base.library, shown, &find_error);
    if (find_error) {
      g_propagate_error (error, g_steal_pointer (&find_error));
      return FALSE;
    }
    IndexJob *inner = index_job_new (NULL, shown, attachment->bytes, known);
    inner->name = g_path_get_basename (shown);
    inner->container = id;
    inner->depth = job->depth + 1;
    inner->draft->container_id = id;
    inner->draft->size_bytes = (gint64)g_bytes_get_size (attachment->bytes);
    inner->draft->mtime_ns = job->draft->mtime_ns;
    g_queue_push_tail (&run->waiting, inner);
    run->n_total++;
  }
  if (!job->known)
    return TRUE;
  g_autoptr (GPtrArray) before = lectern_library_list_contained (run->base.library, id, error);
  for (guint i = 0; before && i < before->len; i++) {
    const LecternDocument *document = g_ptr_array_index (before, i);
    if (!g_hash_table_contains (taken, document->path))
      g_array_append_val (run->base.gone, document->id);
  }
  return before != NULL;
}

static gboolean store (Run *run, IndexJob *job, GError **error)
{
  const LecternDraft *draft = job->draft;
  LecternIndexReport *report = run->base.report;
  gint64 id;
  /* A picture in a mail is no more missed than one in a folder. */
  if (job->container && draft->status == LECTERN_STATUS_UNSUPPORTED && !lectern_format_is_known (draft->path)) {
    if (job->known)
      g_array_append_val (run->base.gone, job->known->id);
    return TRUE;
  }
  /* What was read once is worth more than the news that it cannot be read now. */
  if (draft->status == LECTERN_STATUS_UNREADABLE && job->known && job->known->status == LECTERN_STATUS_INDEXED) {
    index_run_report (&run->base, draft->path, draft->status, draft->error);
    return TRUE;
  }
  if (!begin_batch (run, error) || !lectern_library_store (run->base.library, draft, &id, error))
    return FALSE;
  index_run_report (&run->base, draft->path, draft->status, draft->error);
  for (guint i = 0; i < draft->chunks->len; i++)
    run->batch_text_bytes += strlen (((const LecternChunk *)g_ptr_array_index (draft->chunks, i))->text);
  if (!queue_attachments (run, job, id, error))
    return FALSE;
  if (draft->status != LECTERN_STATUS_INDEXED)
    return TRUE;
  if (job->known)
    report->updated++;
  else
    report->added++;
  report->chunks += draft->chunks->len;
  report->pages += (guint64)draft->n_pages;
  return TRUE;
}

/* ---- one document ---------------------------------------------------------------------------------------- */

/* A status that needs no look into the file; NULL: look into it. */
static const char *reject_by_stat (const char *path, const struct stat *info, LecternStatus *status)
{
  int format = format_from_path (path);
  guint64 max_bytes = format >= 0 ? format_names[format].max_bytes : MAX_UNKNOWN_BYTES;
  if (!S_ISREG (info->st_mode)) {
    *status = LECTERN_STATUS_UNSUPPORTED;
    return "This is not a regular file.";
  }
  if ((guint64)info->st_size > max_bytes) {
    *status = LECTERN_STATUS_TOO_LARGE;
    return "The file is larger than this format is read.";
  }
  if (info->st_size == 0) {
    *status = LECTERN_STATUS_EMPTY;
    return "The file is empty.";
  }
  return NULL;
}

static void tell_progress (Run *run, const char *shown)
{
  run->n_done++;
  if (run->progress)
    run->progress (run->n_done, run->n_total, shown, run->user_data);
}

static gboolean give_to_workers (Run *run, IndexJob *job, GError **error)
{
  if (!index_workers_push (run->workers, job, error))
    return FALSE;
  run->n_under_way++;
  return TRUE;
}

/* Takes the job: stores what came of it and is done with it. */
static gboolean finish (Run *run, IndexJob *job, GError **error)
{
  gboolean ok = store (run, job, error) && (!batch_is_due (run) || end_batch (run, TRUE, error));
  if (ok)
    tell_progress (run, job->shown);
  index_job_free (job);
  return ok;
}

/* Whether reading the same bytes again would give nothing else than what the library knows. */
static gboolean is_current (Run *run, const IndexJob *job)
{
  const LecternDocument *known = job->known;
  return known->status != LECTERN_STATUS_UNREADABLE && (!known->hash || known->reader >= READER_REVISION)
         && !index_workers_tries_again (run->workers, job);
}

/* Takes a job of a file and lets the file be looked at, if its size and time do not say that nothing has changed. */
static gboolean start_file (Run *run, IndexJob *job, GError **error)
{
  LecternDraft *draft = job->draft;
  const LecternDocument *known = job->known;
  if (stat (job->path, &job->info) != 0) {
    if (errno == ENOENT && known)
      g_array_append_val (run->base.gone, known->id);
    else {
      g_autofree char *reason = g_strdup_printf ("The file cannot be opened: %s.", g_strerror (errno));
      index_run_report (&run->base, job->shown, LECTERN_STATUS_UNREADABLE, reason);
    }
  } else if (known && known->size_bytes == job->info.st_size && known->mtime_ns == file_mtime_ns (&job->info)
             && is_current (run, job)) {
    report_known (run, known);
  } else {
    int format = format_from_path (job->path);
    LecternStatus status;
    const char *rejected = reject_by_stat (job->path, &job->info, &status);
    draft->size_bytes = job->info.st_size;
    draft->mtime_ns = file_mtime_ns (&job->info);
    g_free (draft->type);
    draft->type = format >= 0 ? g_strdup (format_names[format].type) : NULL;
    job->step = INDEX_HASH;
    if (!rejected)
      return give_to_workers (run, job, error);
    index_job_fail (job, status, rejected);
    return finish (run, job, error);
  }
  tell_progress (run, job->shown);
  index_job_free (job);
  return TRUE;
}

static gboolean start_next_file (Run *run, GError **error)
{
  const char *path = g_ptr_array_index (run->scan->files, run->next++);
  g_autofree char *shown = lectern_path_to_utf8 (path);
  GError *find_error = NULL;
  LecternDocument *known = lectern_library_find_path (run->base.library, shown, &find_error);
  if (find_error) {
    g_propagate_error (error, find_error);
    return FALSE;
  }
  return start_file (run, index_job_new (path, shown, NULL, known), error);
}

/* Takes a job whose hash is known. */
static gboolean decide (Run *run, IndexJob *job, GError **error)
{
  LecternDraft *draft = job->draft;
  const LecternDocument *known = job->known;
  if (!draft->hash)
    return finish (run, job, error);
  if (known && g_strcmp0 (known->hash, draft->hash) == 0 && known->container_id == job->container
      && is_current (run, job)) {
    gboolean ok = begin_batch (run, error)
                  && lectern_library_touch (run->base.library, known->id, draft->size_bytes, draft->mtime_ns, error);
    if (ok) {
      report_known (run, known);
      tell_progress (run, job->shown);
    }
    index_job_free (job);
    return ok;
  }
  if (lectern_library_has_content (run->base.library, draft->hash, READER_REVISION)) {
    draft->status = LECTERN_STATUS_INDEXED;
    return finish (run, job, error);
  }
  GPtrArray *twins = g_hash_table_lookup (run->extracting, draft->hash);
  if (twins) {
    g_ptr_array_add (twins, job);
    return TRUE;
  }
  g_hash_table_insert (run->extracting, g_strdup (draft->hash),
                       g_ptr_array_new_with_free_func ((GDestroyNotify)index_job_free));
  job->step = INDEX_EXTRACT;
  return give_to_workers (run, job, error);
}

/* Takes a job that was read. */
static gboolean conclude (Run *run, IndexJob *job, GError **error)
{
  g_autofree char *hash = g_strdup (job->draft->hash);
  gpointer key = NULL, value = NULL;
  g_hash_table_steal_extended (run->extracting, hash, &key, &value);
  g_free (key);
  g_autoptr (GPtrArray) twins = value;
  gboolean ok;
  if (job->changed && job->tries == 0) {
    /* What was hashed need not be what was read: once more from the beginning. */
    IndexJob *again = index_job_new (job->path, job->shown, NULL, g_steal_pointer (&job->known));
    again->tries = 1;
    index_job_free (job);
    ok = start_file (run, again, error);
  } else {
    if (job->changed) {
      g_clear_pointer (&job->draft->hash, g_free);
      g_clear_pointer (&job->attachments, g_ptr_array_unref);
      index_job_fail (job, LECTERN_STATUS_UNREADABLE,
                      "The file changes while it is read; the next run reads it again.");
    }
    ok = finish (run, job, error);
  }
  while (ok && twins && twins->len > 0)
    ok = decide (run, g_ptr_array_steal_index (twins, 0), error);
  return ok;
}

/* ---- the run --------------------------------------------------------------------------------------------- */

static gboolean keep_workers_busy (Run *run, GError **error)
{
  guint enough = 2 * index_workers_get_n (run->workers);
  while (run->n_under_way < enough) {
    if (g_cancellable_set_error_if_cancelled (run->base.cancellable, error))
      return FALSE;
    IndexJob *attachment = g_queue_pop_head (&run->waiting);
    if (!attachment && run->next == run->scan->files->len)
      return TRUE;
    if (attachment ? !give_to_workers (run, attachment, error) : !start_next_file (run, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean take_one (Run *run, GError **error)
{
  IndexJob *job = index_workers_pop (run->workers);
  run->n_under_way--;
  if (job->error) {
    g_propagate_error (error, g_steal_pointer (&job->error));
    index_job_free (job);
    return FALSE;
  }
  return job->step == INDEX_HASH ? decide (run, job, error) : conclude (run, job, error);
}

static gint compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const LecternIndexedDocument *const *)a)->path, (*(const LecternIndexedDocument *const *)b)->path);
}

static gboolean index_files (Run *run, GError **error)
{
  for (;;) {
    if (!keep_workers_busy (run, error))
      return FALSE;
    if (run->n_under_way == 0)
      break;
    if (!take_one (run, error) || (batch_is_due (run) && !end_batch (run, TRUE, error)))
      return FALSE;
  }
  return TRUE;
}

static gboolean index_scan (Run *run, GError **error)
{
  run->n_total = run->scan->files->len;
  gboolean ok = index_files (run, error);
  /* Cancelled or not: what is complete is kept, unless the database itself has failed. */
  gboolean stopped = !ok && error && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_autoptr (GError) end_error = NULL;
  if (!end_batch (run, ok || stopped, &end_error) && (ok || stopped)) {
    g_clear_error (error);
    g_propagate_error (error, g_steal_pointer (&end_error));
    ok = FALSE;
  }
  /* Last, so that a file that was only moved finds its content still there. */
  if (!ok || !index_forget_vanished (&run->base, run->scan, error))
    return FALSE;
  guint changed = run->base.report->added + run->base.report->updated;
  return changed < LARGE_RUN_DOCUMENTS || lectern_library_optimize (run->base.library, error);
}

LecternIndexReport *lectern_index (LecternLibrary *library, const char *const *paths,
                                   const LecternExtractLimits *limits, LecternIndexProgress progress,
                                   gpointer user_data, GCancellable *cancellable, GError **error)
{
  gint64 begin = g_get_monotonic_time ();
  LecternScan *scan = NULL;
  GError *problem = NULL;
  Run run
      = { .base = { .library = library, .cancellable = cancellable }, .progress = progress, .user_data = user_data };
  run.base.report = g_new0 (LecternIndexReport, 1);
  run.base.report->documents = g_ptr_array_new_with_free_func ((GDestroyNotify)indexed_document_free);
  run.base.gone = g_array_new (FALSE, FALSE, sizeof (gint64));
  run.extracting = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  g_queue_init (&run.waiting);
  if (lectern_scan_paths (paths, &scan, cancellable, &problem)) {
    run.scan = scan;
    run.workers = index_workers_new (lectern_library_get_dir (library), paths,
                                     MIN (MAX_WORKERS, MAX (scan->files->len, 1)), limits, cancellable);
    index_scan (&run, &problem);
    index_workers_free (run.workers);
  }
  lectern_scan_free (scan);
  g_queue_clear_full (&run.waiting, (GDestroyNotify)index_job_free);
  g_hash_table_unref (run.extracting);
  g_array_unref (run.base.gone);
  g_ptr_array_sort (run.base.report->documents, compare_paths);
  run.base.report->seconds = (double)(g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  if (problem && !g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_clear_pointer (&run.base.report, lectern_index_report_free);
  if (problem)
    g_propagate_error (error, problem);
  return run.base.report;
}
