#include "ingest/watch/job.h"

#include "ingest/folder/ignore.h"
#include "ingest/index/file-state.h"
#include "ingest/index/moves.h"
#include "ingest/folder/scan.h"
#include "ingest/watch/queue.h"

#include <string.h>

/* So many changes are soon done. */
#define FEW_CHANGES 50

static GPtrArray *documents_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_document_free);
}

static void show_progress (guint done, guint total, const char *path, gpointer user_data)
{
  WatchJob *job = user_data;
  g_mutex_lock (&job->lock);
  job->done = done;
  job->total = total;
  g_free (job->current);
  job->current = g_strdup (path);
  if (!job->progress_posted)
    job->progress_posted = g_idle_add (job->progressed, job->user_data);
  g_mutex_unlock (&job->lock);
}

/* ---- what has gone --------------------------------------------------------------------------------------- */

static gboolean is_empty_folder (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  gboolean empty = !dir || !g_dir_read_name (dir);
  if (dir)
    g_dir_close (dir);
  return empty;
}

/* The innermost watched folder that holds the path; NULL: none. */
static const char *find_root (const WatchJob *job, const char *path)
{
  const char *found = NULL;
  for (guint i = 0; i < job->roots->len; i++) {
    const char *root = g_ptr_array_index (job->roots, i);
    if (lectern_path_is_below (path, root) && (!found || strlen (root) > strlen (found)))
      found = root;
  }
  return found;
}

/* A watched folder that is not there, or empty, may be a drive that is not: its documents are kept. */
static gboolean is_kept (const WatchJob *job, const char *path)
{
  const char *root = find_root (job, path);
  return !root || is_empty_folder (root);
}

/* Appends the documents at or below `path` whose files have gone; those that stand in one go with it. */
static gboolean collect_gone (WatchJob *job, LecternLibrary *library, const char *path, GPtrArray *gone, GError **error)
{
  g_autofree char *shown = lectern_path_to_utf8 (path);
  GPtrArray *documents = lectern_library_list (library, shown, error);
  if (!documents)
    return FALSE;
  for (guint i = 0; i < documents->len; i++) {
    LecternDocument *document = g_ptr_array_index (documents, i);
    /* A stored path with "\x" may be of a file whose name is no UTF-8: it is left to lectern_index(). */
    if (!document->container_id && file_is_gone (document->path) && !is_kept (job, document->path)
        && !strstr (document->path, "\\x")) {
      g_ptr_array_add (gone, document);
      documents->pdata[i] = NULL;
    }
  }
  g_ptr_array_unref (documents);
  return TRUE;
}

/* Forgets those that have not got another path meanwhile. */
static gboolean forget_gone (WatchJob *job, LecternLibrary *library, const GPtrArray *gone, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < gone->len; i++) {
    const LecternDocument *document = g_ptr_array_index (gone, i);
    LecternDocument *now = lectern_library_find_id (library, document->id, NULL);
    if (now && strcmp (now->path, document->path) == 0 && file_is_gone (now->path))
      g_array_append_val (ids, document->id);
    lectern_document_free (now);
  }
  if (ids->len > 0 && !lectern_library_remove (library, (const gint64 *)(const void *)ids->data, ids->len, error))
    return FALSE;
  job->batch.removed += ids->len;
  return TRUE;
}

/* Forgets documents that an ignore file has come to name. */
static gboolean forget_ignored (WatchJob *job, LecternLibrary *library, GError **error)
{
  g_autoptr (GPtrArray) documents = lectern_library_list (library, job->root, error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (!documents)
    return FALSE;
  for (guint i = 0; i < documents->len; i++) {
    const LecternDocument *document = g_ptr_array_index (documents, i);
    const char *root = find_root (job, document->path);
    if (!document->container_id && g_strcmp0 (root, job->root) == 0
        && ignore_check_below (root, document->path) == IGNORE_BY_FILE)
      g_array_append_val (ids, document->id);
  }
  if (ids->len > 0 && !lectern_library_remove (library, (const gint64 *)(const void *)ids->data, ids->len, error))
    return FALSE;
  job->batch.removed += ids->len;
  return TRUE;
}

/* ---- the two kinds of work ------------------------------------------------------------------------------- */

static gboolean index_paths (WatchJob *job, LecternLibrary *library, GPtrArray *paths, GError **error)
{
  GError *problem = NULL;
  g_ptr_array_add (paths, NULL);
  g_autoptr (LecternIndexReport) report = lectern_index (library, (const char *const *)paths->pdata, NULL,
                                                         show_progress, job, job->cancellable, &problem);
  if (report) {
    job->batch.added += report->added;
    job->batch.updated += report->updated;
    job->batch.removed += report->removed;
    job->batch.failed += report->failed;
  }
  if (problem)
    g_propagate_error (error, problem);
  return report && !problem;
}

static gboolean do_changes (WatchJob *job, LecternLibrary *library, GError **error)
{
  g_autoptr (GPtrArray) gone = documents_new (), files = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer path, change;
  g_hash_table_iter_init (&iter, job->changes);
  while (g_hash_table_iter_next (&iter, &path, &change)) {
    if (!file_is_gone (path)) {
      if (GPOINTER_TO_INT (change) == CHANGE_FILE)
        g_ptr_array_add (files, path);
    } else if (!collect_gone (job, library, path, gone, error)) {
      return FALSE;
    }
  }
  if (!moves_apply (library, gone, files, &job->batch.moved, job->cancellable, error))
    return FALSE;
  /* What has gone is forgotten last, so that content that is elsewhere now is found. */
  return (files->len == 0 || index_paths (job, library, files, error)) && forget_gone (job, library, gone, error);
}

static gboolean do_rescan (WatchJob *job, LecternLibrary *library, GError **error)
{
  if (!g_file_test (job->root, G_FILE_TEST_IS_DIR))
    return TRUE;
  const char *const paths[] = { job->root, NULL };
  g_autoptr (GPtrArray) gone = documents_new (), index = g_ptr_array_new ();
  LecternScan *scan = NULL;
  gboolean ok = lectern_scan_paths (paths, &scan, job->cancellable, error);
  /* From one watched folder to another is a move, too. */
  for (guint i = 0; i < job->roots->len && ok; i++)
    ok = collect_gone (job, library, g_ptr_array_index (job->roots, i), gone, error);
  ok = ok && moves_apply (library, gone, scan->files, &job->batch.moved, job->cancellable, error);
  lectern_scan_free (scan);
  g_ptr_array_add (index, job->root);
  return ok && forget_ignored (job, library, error) && index_paths (job, library, index, error);
}

static gboolean count_documents (WatchJob *job, LecternLibrary *library, GError **error)
{
  LecternLibraryStatus *status = lectern_library_get_status (library, FALSE, error);
  if (!status)
    return FALSE;
  job->n_documents = (guint64)status->n_documents;
  lectern_library_status_free (status);
  return TRUE;
}

static gpointer run (gpointer data)
{
  WatchJob *job = data;
  gint64 begin = g_get_monotonic_time ();
  lower_priority (!job->changes || g_hash_table_size (job->changes) > FEW_CHANGES);
  LecternLibrary *library = lectern_library_open (
      job->library_dir, job->count_only ? LECTERN_LIBRARY_READ : LECTERN_LIBRARY_WRITE, &job->error);
  if (library) {
    gboolean ok = job->count_only
                  || (job->changes ? do_changes (job, library, &job->error) : do_rescan (job, library, &job->error));
    count_documents (job, library, ok ? &job->error : NULL);
    lectern_library_close (library);
  }
  job->batch.seconds = (double)(g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  g_idle_add (job->ended, job->user_data);
  return NULL;
}

WatchJob *watch_job_new (const char *library_dir, const GPtrArray *roots)
{
  WatchJob *job = g_new0 (WatchJob, 1);
  job->library_dir = g_strdup (library_dir);
  job->roots = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < roots->len; i++)
    g_ptr_array_add (job->roots, g_strdup (g_ptr_array_index (roots, i)));
  job->cancellable = g_cancellable_new ();
  g_mutex_init (&job->lock);
  return job;
}

void watch_job_start (WatchJob *job)
{
  job->thread = g_thread_new ("lectern-index", run, job);
}

void watch_job_free (WatchJob *job)
{
  if (!job)
    return;
  if (job->thread)
    g_thread_join (job->thread);
  if (job->progress_posted)
    g_source_remove (job->progress_posted);
  g_free (job->library_dir);
  g_ptr_array_unref (job->roots);
  g_clear_pointer (&job->changes, g_hash_table_unref);
  g_free (job->root);
  g_object_unref (job->cancellable);
  g_clear_error (&job->error);
  g_mutex_clear (&job->lock);
  g_free (job->current);
  g_free (job);
}
