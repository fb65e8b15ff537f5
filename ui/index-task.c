#include "ui/index-task.h"

#define PROGRESS_INTERVAL_US (100 * 1000)

struct run {
  char *library_dir;
  GStrv paths;
  LecternIndexTaskProgress progress;
  GObject *source_object;
  gint64 last_sent_us;
};

static void run_free (struct run *run)
{
  g_free (run->library_dir);
  g_strfreev (run->paths);
  g_free (run);
}

struct step {
  struct run run;
  guint done, total;
  char *path;
};

static gboolean deliver_step (gpointer data)
{
  struct step *step = data;
  step->run.progress (step->done, step->total, step->path, step->run.source_object);
  return G_SOURCE_REMOVE;
}

static void step_free (gpointer data)
{
  struct step *step = data;
  g_object_unref (step->run.source_object);
  g_free (step->path);
  g_free (step);
}

/* At most ten times a second: thousands of small files must not flood the main loop. */
static void send_step (guint done, guint total, const char *path, gpointer data)
{
  struct run *run = data;
  gint64 now_us = g_get_monotonic_time ();
  if (done < total && now_us - run->last_sent_us < PROGRESS_INTERVAL_US)
    return;
  run->last_sent_us = now_us;
  struct step *step = g_new0 (struct step, 1);
  step->run = *run;
  g_object_ref (run->source_object);
  step->done = done;
  step->total = total;
  step->path = g_strdup (path);
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver_step, step, step_free);
}

static void run_index (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  struct run *run = task_data;
  g_autoptr (GError) error = NULL;
  LecternIndexReport *report = NULL;
  LecternLibrary *library = lectern_library_open (run->library_dir, LECTERN_LIBRARY_WRITE, &error);
  if (library) {
    report = lectern_index (library, (const char *const *)run->paths, NULL, send_step, run, cancellable, &error);
    lectern_library_close (library);
  }
  if (error) {
    g_clear_pointer (&report, lectern_index_report_free);
    g_task_return_error (task, g_steal_pointer (&error));
  } else {
    g_task_return_pointer (task, report, (GDestroyNotify)lectern_index_report_free);
  }
}

void lectern_index_async (const char *library_dir, const char *const *paths, GObject *source_object,
                          LecternIndexTaskProgress progress, GCancellable *cancellable, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) task = g_task_new (source_object, cancellable, callback, NULL);
  struct run *run = g_new0 (struct run, 1);
  run->library_dir = g_strdup (library_dir);
  run->paths = g_strdupv ((GStrv)paths);
  run->progress = progress;
  run->source_object = source_object;
  g_task_set_task_data (task, run, (GDestroyNotify)run_free);
  g_task_run_in_thread (task, run_index);
}

LecternIndexReport *lectern_index_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
