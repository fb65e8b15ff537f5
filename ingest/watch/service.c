/* The service: changes and rescans go one at a time to the indexing thread, when the gate lets them. */
#include "ingest/ingest.h"
#include "ingest/folder/scan.h"
#include "ingest/watch/address.h"
#include "ingest/watch/bus.h"
#include "ingest/watch/conditions.h"
#include "ingest/watch/folder-watch.h"
#include "ingest/watch/folders.h"
#include "ingest/watch/gate.h"
#include "ingest/watch/job.h"
#include "indexer-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixmounts.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_RESCAN_S 600
#define CHECK_ROOTS_S 10
#define RETRY_US (500 * G_TIME_SPAN_MILLISECOND)
#define RETRY_AFTER_FAILURE_US (30 * G_TIME_SPAN_SECOND)
/* A rescan gives way to changes once it has had this long. */
#define RESCAN_TURN_US (5 * G_TIME_SPAN_SECOND)

typedef struct {
  char *library_dir;
  guint rescan_s;
  LecternWatchFunc func;
  gpointer func_data;
  GMainLoop *loop;
  int lock_fd;

  GPtrArray *roots; /* of char * */
  FolderWatch *watch;
  ChangeQueue *queue;
  GHashTable *rescans; /* roots that are to be looked through */
  Conditions *conditions;
  Gate gate;
  GFileMonitor *folders_monitor;
  GUnixMountMonitor *mount_monitor;
  GHashTable *mounts; /* root -> its mount points, joined */

  WatchJob *job;
  gint64 job_begin_us, retry_us;
  guint pump_source, check_source, rescan_source;
  char *last_error;
  gboolean load_failed;

  BusIndexer1 *interface;
  ServiceBus *bus;
} Service;

static void pump (Service *service);

static gboolean pump_later (gpointer data)
{
  Service *service = data;
  service->pump_source = 0;
  pump (service);
  return G_SOURCE_REMOVE;
}

static void pump_at (Service *service, gint64 at_us)
{
  gint64 wait_us = MAX (at_us - g_get_monotonic_time (), 0);
  g_clear_handle_id (&service->pump_source, g_source_remove);
  service->pump_source = g_timeout_add ((guint)MIN (wait_us / 1000 + 1, G_MAXINT), pump_later, service);
}

/* ---- what it says of itself ------------------------------------------------------------------------------ */

static char *describe_folder (Service *service, const char *root)
{
  switch (folder_watch_get_state (service->watch, root)) {
  case FOLDER_WATCHED: return g_strdup ("watched");
  case FOLDER_MISSING: return g_strdup ("missing");
  case FOLDER_REMOTE:
  case FOLDER_NO_WATCHES:
  default: return g_strdup_printf ("looked through every %u s", service->rescan_s);
  }
}

static void add_problem (Service *service, GStrvBuilder *problems, const char *root, const char *shown)
{
  g_autofree char *text = NULL;
  switch (folder_watch_get_state (service->watch, root)) {
  case FOLDER_MISSING:
    text = g_strdup_printf ("The folder “%s” is not there; its documents are kept until it is back.", shown);
    break;
  case FOLDER_NO_WATCHES:
    text = g_strdup_printf ("Some folders in “%s” cannot be watched, as the system's watches have run out "
                            "(fs.inotify.max_user_watches); it is looked through every %u s.",
                            shown, service->rescan_s);
    break;
  case FOLDER_REMOTE:
    text = g_strdup_printf ("The folder “%s” is on a network drive, where changes from elsewhere are not told; it is "
                            "looked through every %u s.",
                            shown, service->rescan_s);
    break;
  case FOLDER_WATCHED:
  default: return;
  }
  g_strv_builder_add (problems, text);
}

static void tell_folders (Service *service)
{
  GVariantBuilder folders;
  g_autoptr (GStrvBuilder) problems = g_strv_builder_new ();
  g_variant_builder_init (&folders, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < service->roots->len; i++) {
    const char *root = g_ptr_array_index (service->roots, i);
    g_autofree char *shown = lectern_path_to_utf8 (root);
    g_autofree char *state = describe_folder (service, root);
    g_variant_builder_add (&folders, "(ss)", shown, state);
    if (folder_watch_is_settled (service->watch))
      add_problem (service, problems, root, shown);
  }
  if (service->last_error)
    g_strv_builder_add (problems, service->last_error);
  g_auto (GStrv) list = g_strv_builder_end (problems);
  bus_indexer1_set_folders (service->interface, g_variant_builder_end (&folders));
  bus_indexer1_set_problems (service->interface, (const char *const *)list);
}

static void tell (Service *service)
{
  guint64 pending = change_queue_get_length (service->queue);
  g_autofree char *current = NULL;
  if (service->job) {
    g_mutex_lock (&service->job->lock);
    if (service->job->total > 0)
      pending += service->job->total - service->job->done;
    else if (service->job->changes)
      pending += g_hash_table_size (service->job->changes);
    current = g_strdup (service->job->current);
    g_mutex_unlock (&service->job->lock);
  }
  service->gate.starting = !folder_watch_is_settled (service->watch);
  service->gate.working = service->job && !service->job->count_only;
  bus_indexer1_set_state (service->interface, gate_get_state (&service->gate));
  bus_indexer1_set_paused_because (service->interface, gate_get_reason (&service->gate));
  bus_indexer1_set_pending (service->interface, pending);
  bus_indexer1_set_current (service->interface, current ? current : "");
}

static void set_error (Service *service, const char *message)
{
  if (g_strcmp0 (service->last_error, message) == 0)
    return;
  g_free (service->last_error);
  service->last_error = g_strdup (message);
  tell_folders (service);
}

/* ---- jobs ------------------------------------------------------------------------------------------------ */

static gboolean job_progressed (gpointer data)
{
  Service *service = data;
  WatchJob *job = service->job;
  g_mutex_lock (&job->lock);
  guint done = job->done, total = job->total;
  g_autofree char *path = g_strdup (job->current);
  job->progress_posted = 0;
  g_mutex_unlock (&job->lock);
  bus_indexer1_emit_progress (service->interface, done, total, path);
  tell (service);
  return G_SOURCE_REMOVE;
}

/* Puts back what the job could not do. */
static void put_back (Service *service, WatchJob *job, gint64 due_us)
{
  if (job->changes)
    change_queue_put_back (service->queue, job->changes, due_us);
  else if (job->root)
    g_hash_table_add (service->rescans, g_strdup (job->root));
}

static void report_batch (Service *service, const LecternWatchBatch *batch)
{
  if (service->func && (batch->added || batch->updated || batch->moved || batch->removed || batch->failed))
    service->func (batch, service->func_data);
}

static gboolean job_ended (gpointer data)
{
  Service *service = data;
  g_autoptr (GError) error = NULL;
  WatchJob *job = service->job;
  gint64 now = g_get_monotonic_time ();
  g_thread_join (g_steal_pointer (&job->thread));
  error = g_steal_pointer (&job->error);
  service->job = NULL;
  service->gate.waiting = g_error_matches (error, LECTERN_ERROR, LECTERN_ERROR_BUSY);
  service->retry_us = now;
  if (job->count_only)
    g_clear_error (&error); /* there is no library yet */
  else if (service->gate.waiting)
    service->retry_us = now + RETRY_US;
  else if (error && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    service->retry_us = now + RETRY_AFTER_FAILURE_US;
  if (error)
    put_back (service, job, service->retry_us);
  if (!error || service->retry_us == now + RETRY_AFTER_FAILURE_US)
    set_error (service, error ? error->message : NULL);
  if (!service->gate.waiting)
    bus_indexer1_set_documents (service->interface, job->n_documents);
  report_batch (service, &job->batch);
  watch_job_free (job);
  pump (service);
  return G_SOURCE_REMOVE;
}

static void start_job (Service *service, WatchJob *job)
{
  job->progressed = job_progressed;
  job->ended = job_ended;
  job->user_data = service;
  service->job = job;
  service->job_begin_us = g_get_monotonic_time ();
  watch_job_start (job);
}

/* Takes the first folder that is to be looked through; those that are not watched any more are dropped. NULL: none. */
static char *take_rescan (Service *service)
{
  char *taken = NULL;
  for (guint i = 0; i < service->roots->len && !taken; i++) {
    const char *root = g_ptr_array_index (service->roots, i);
    if (g_hash_table_remove (service->rescans, root))
      taken = g_strdup (root);
  }
  if (!taken)
    g_hash_table_remove_all (service->rescans);
  return taken;
}

/* While a job runs: whether it must end early. */
static void watch_over_job (Service *service, gint64 now)
{
  gint64 due = change_queue_get_due (service->queue);
  if (!gate_may_work (&service->gate)) {
    g_cancellable_cancel (service->job->cancellable);
  } else if (service->job->root && due >= 0) {
    gint64 turn_ends = MAX (due, service->job_begin_us + RESCAN_TURN_US);
    if (now >= turn_ends)
      g_cancellable_cancel (service->job->cancellable);
    else
      pump_at (service, turn_ends);
  }
}

/* The one place that decides what happens next. */
static void pump (Service *service)
{
  gint64 now = g_get_monotonic_time ();
  gint64 memory_ends = gate_tick (&service->gate, now);
  if (service->job) {
    watch_over_job (service, now);
  } else if (service->gate.stopping) {
    g_main_loop_quit (service->loop);
  } else if (!gate_may_work (&service->gate)) {
    if (memory_ends >= 0)
      pump_at (service, memory_ends);
  } else if (now < service->retry_us) {
    pump_at (service, service->retry_us);
  } else {
    GHashTable *changes = change_queue_take (service->queue, now);
    char *root = changes || !folder_watch_is_settled (service->watch) ? NULL : take_rescan (service);
    if (changes || root) {
      WatchJob *job = watch_job_new (service->library_dir, service->roots);
      job->changes = changes;
      job->root = root;
      start_job (service, job);
    } else if (change_queue_get_due (service->queue) >= 0) {
      pump_at (service, change_queue_get_due (service->queue));
    }
  }
  tell (service);
}

/* ---- what happens to it ---------------------------------------------------------------------------------- */

static void file_changed (const char *path, Change change, gpointer data)
{
  Service *service = data;
  change_queue_add (service->queue, path, change, g_get_monotonic_time ());
  if (!service->pump_source)
    pump_at (service, change_queue_get_due (service->queue));
}

static void ask_rescan (const char *root, gpointer data)
{
  Service *service = data;
  g_hash_table_add (service->rescans, g_strdup (root));
  pump_at (service, g_get_monotonic_time () + CHANGE_QUIET_US);
  tell_folders (service);
}

static void settled (gpointer data)
{
  Service *service = data;
  tell_folders (service);
  pump (service);
}

static void power_saver (gboolean on, gpointer data)
{
  Service *service = data;
  gate_set (&service->gate, PAUSE_POWER_SAVER, on);
  pump_at (service, 0);
}

static void low_memory (gpointer data)
{
  Service *service = data;
  gate_warn_memory (&service->gate, g_get_monotonic_time ());
  pump_at (service, 0);
}

/* Folders that were missing are not announced by anyone. */
static gboolean check_roots (gpointer data)
{
  Service *service = data;
  folder_watch_check_roots (service->watch);
  tell_folders (service);
  return G_SOURCE_CONTINUE;
}

static gboolean rescan_unwatched (gpointer data)
{
  Service *service = data;
  for (guint i = 0; i < service->roots->len; i++) {
    const char *root = g_ptr_array_index (service->roots, i);
    FolderState state = folder_watch_get_state (service->watch, root);
    if (state == FOLDER_NO_WATCHES)
      folder_watch_walk_again (service->watch, root); /* others may have let go of watches */
    if (state == FOLDER_NO_WATCHES || state == FOLDER_REMOTE)
      g_hash_table_add (service->rescans, g_strdup (root));
  }
  pump (service);
  return G_SOURCE_CONTINUE;
}

/* The mount points at, below and above a folder: if they change, it may hold something else. */
static char *dup_mounts (const char *root)
{
  GList *mounts = g_unix_mounts_get (NULL);
  GString *text = g_string_new (NULL);
  for (GList *link = mounts; link; link = link->next) {
    const char *path = g_unix_mount_get_mount_path (link->data);
    if (lectern_path_is_below (path, root) || lectern_path_is_below (root, path))
      g_string_append_printf (text, "%s\n", path);
  }
  g_list_free_full (mounts, (GDestroyNotify)g_unix_mount_free);
  return g_string_free (text, FALSE);
}

static void mounts_changed (GUnixMountMonitor *monitor, gpointer data)
{
  Service *service = data;
  folder_watch_check_roots (service->watch);
  for (guint i = 0; i < service->roots->len; i++) {
    const char *root = g_ptr_array_index (service->roots, i);
    char *mounts = dup_mounts (root);
    if (g_strcmp0 (g_hash_table_lookup (service->mounts, root), mounts) == 0) {
      g_free (mounts);
      continue;
    }
    g_hash_table_insert (service->mounts, g_strdup (root), mounts);
    folder_watch_walk_again (service->watch, root);
    ask_rescan (root, service);
  }
}

static gboolean contains (GPtrArray *folders, const char *path)
{
  return g_ptr_array_find_with_equal_func (folders, path, g_str_equal, NULL);
}

static gboolean load_folders (Service *service, GError **error)
{
  GPtrArray *folders = watch_folders_load (service->library_dir, error);
  if (!folders)
    return FALSE;
  GPtrArray *before = service->roots;
  service->roots = folders;
  for (guint i = 0; i < before->len; i++) {
    const char *root = g_ptr_array_index (before, i);
    if (contains (folders, root))
      continue;
    folder_watch_remove_root (service->watch, root);
    change_queue_drop_below (service->queue, root);
    g_hash_table_remove (service->mounts, root);
  }
  for (guint i = 0; i < folders->len; i++) {
    const char *root = g_ptr_array_index (folders, i);
    if (contains (before, root))
      continue;
    folder_watch_add_root (service->watch, root);
    g_hash_table_insert (service->mounts, g_strdup (root), dup_mounts (root));
    g_hash_table_add (service->rescans, g_strdup (root));
  }
  g_ptr_array_unref (before);
  tell_folders (service);
  pump_at (service, 0);
  return TRUE;
}

static void folders_file_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
                                  gpointer data)
{
  Service *service = data;
  g_autoptr (GError) error = NULL;
  if (!load_folders (service, &error)) {
    service->load_failed = TRUE;
    set_error (service, error->message);
  } else if (service->load_failed) {
    service->load_failed = FALSE;
    set_error (service, NULL);
  }
}

/* ---- D-Bus ----------------------------------------------------------------------------------------------- */

static gboolean handle_pause (BusIndexer1 *interface, GDBusMethodInvocation *invocation, gpointer data)
{
  Service *service = data;
  gate_set (&service->gate, PAUSE_BY_USER, TRUE);
  pump (service);
  bus_indexer1_complete_pause (interface, invocation);
  return TRUE;
}

static gboolean handle_resume (BusIndexer1 *interface, GDBusMethodInvocation *invocation, gpointer data)
{
  Service *service = data;
  gate_set (&service->gate, PAUSE_BY_USER, FALSE);
  pump (service);
  bus_indexer1_complete_resume (interface, invocation);
  return TRUE;
}

static gboolean handle_rescan (BusIndexer1 *interface, GDBusMethodInvocation *invocation, gpointer data)
{
  Service *service = data;
  folder_watch_check_roots (service->watch);
  for (guint i = 0; i < service->roots->len; i++)
    g_hash_table_add (service->rescans, g_strdup (g_ptr_array_index (service->roots, i)));
  pump (service);
  bus_indexer1_complete_rescan (interface, invocation);
  return TRUE;
}

static void stop (Service *service)
{
  service->gate.stopping = TRUE;
  pump (service);
}

static gboolean handle_stop (BusIndexer1 *interface, GDBusMethodInvocation *invocation, gpointer data)
{
  bus_indexer1_complete_stop (interface, invocation);
  stop (data);
  return TRUE;
}

static gboolean interrupted (GCancellable *cancellable, gpointer data)
{
  stop (data);
  return G_SOURCE_REMOVE;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static gboolean take_service_lock (Service *service, GError **error)
{
  g_autofree char *path = g_build_filename (service->library_dir, "watch.lock", NULL);
  g_autofree char *shown = g_filename_display_name (service->library_dir);
  if (g_mkdir_with_parents (service->library_dir, 0700) != 0
      || (service->lock_fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The library folder “%s” cannot be written (%s).", shown,
                 g_strerror (errno));
    return FALSE;
  }
  if (flock (service->lock_fd, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_BUSY,
               "Another service watches folders for the library in “%s” already; lecternctl watch status asks it.",
               shown);
  return FALSE;
}

static void connect_methods (Service *service)
{
  service->interface = bus_indexer1_skeleton_new ();
  bus_indexer1_set_library (service->interface, service->library_dir);
  bus_indexer1_set_state (service->interface, "starting");
  g_signal_connect (service->interface, "handle-pause", G_CALLBACK (handle_pause), service);
  g_signal_connect (service->interface, "handle-resume", G_CALLBACK (handle_resume), service);
  g_signal_connect (service->interface, "handle-rescan", G_CALLBACK (handle_rescan), service);
  g_signal_connect (service->interface, "handle-stop", G_CALLBACK (handle_stop), service);
}

static void start_monitors (Service *service)
{
  static const ConditionFuncs condition_funcs = { power_saver, low_memory };
  g_autofree char *path = watch_folders_dup_file (service->library_dir);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  service->folders_monitor = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, NULL);
  if (service->folders_monitor)
    g_signal_connect (service->folders_monitor, "changed", G_CALLBACK (folders_file_changed), service);
  service->mount_monitor = g_unix_mount_monitor_get ();
  g_signal_connect (service->mount_monitor, "mounts-changed", G_CALLBACK (mounts_changed), service);
  service->conditions = conditions_new (NULL, NULL, &condition_funcs, service);
  service->check_source = g_timeout_add_seconds (CHECK_ROOTS_S, check_roots, service);
  service->rescan_source = g_timeout_add_seconds (service->rescan_s, rescan_unwatched, service);
}

static gboolean run (Service *service, guint max_watches, GCancellable *cancellable, GError **error)
{
  static const FolderWatchFuncs funcs = { file_changed, ask_rescan, settled };
  if (!take_service_lock (service, error))
    return FALSE;
  connect_methods (service);
  service->watch = folder_watch_new (max_watches, &funcs, service);
  start_monitors (service);
  if (!load_folders (service, error)
      || !(service->bus
           = service_bus_new (service->library_dir, G_DBUS_INTERFACE_SKELETON (service->interface), error)))
    return FALSE;
  g_autoptr (GSource) cancelled = cancellable ? g_cancellable_source_new (cancellable) : NULL;
  if (cancelled) {
    g_source_set_callback (cancelled, G_SOURCE_FUNC (interrupted), service, NULL);
    g_source_attach (cancelled, NULL);
  }
  WatchJob *count = watch_job_new (service->library_dir, service->roots);
  count->count_only = TRUE;
  start_job (service, count);
  g_main_loop_run (service->loop);
  if (cancelled)
    g_source_destroy (cancelled);
  return TRUE;
}

static void release (Service *service)
{
  watch_job_free (service->job);
  service_bus_free (service->bus);
  conditions_free (service->conditions);
  g_clear_object (&service->folders_monitor);
  if (service->mount_monitor)
    g_signal_handlers_disconnect_by_data (service->mount_monitor, service);
  g_clear_object (&service->mount_monitor);
  g_clear_handle_id (&service->pump_source, g_source_remove);
  g_clear_handle_id (&service->check_source, g_source_remove);
  g_clear_handle_id (&service->rescan_source, g_source_remove);
  folder_watch_free (service->watch);
  change_queue_free (service->queue);
  g_hash_table_unref (service->rescans);
  g_hash_table_unref (service->mounts);
  g_ptr_array_unref (service->roots);
  g_clear_object (&service->interface);
  g_free (service->last_error);
  g_free (service->library_dir);
  g_main_loop_unref (service->loop);
  if (service->lock_fd >= 0)
    close (service->lock_fd);
}

gboolean lectern_watch_run (const char *library_dir, const LecternWatchOptions *options, LecternWatchFunc func,
                            gpointer user_data, GCancellable *cancellable, GError **error)
{
  Service service = {
    .library_dir = g_strdup (library_dir),
    .rescan_s = options && options->rescan_s ? options->rescan_s : DEFAULT_RESCAN_S,
    .func = func,
    .func_data = user_data,
    .loop = g_main_loop_new (NULL, FALSE),
    .lock_fd = -1,
    .roots = g_ptr_array_new_with_free_func (g_free),
    .queue = change_queue_new (),
    .rescans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    .mounts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };
  gboolean ok = run (&service, options ? options->max_watches : 0, cancellable, error);
  release (&service);
  return ok;
}
