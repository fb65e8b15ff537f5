#include "ui/ask-task.h"

struct _LecternAnswerer {
  gatomicrefcount references;
  char *library_dir;
  GMutex busy; /* held while a question is answered; guards the fields below */
  gboolean looked_for_model;
  LecternGenerator *generator; /* NULL: extractive */
};

LecternAnswerer *lectern_answerer_new (const char *library_dir)
{
  LecternAnswerer *self = g_new0 (LecternAnswerer, 1);
  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->busy);
  self->library_dir = g_strdup (library_dir);
  return self;
}

LecternAnswerer *lectern_answerer_ref (LecternAnswerer *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void lectern_answerer_unref (LecternAnswerer *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->generator, lectern_generator_close);
  g_mutex_clear (&self->busy);
  g_free (self->library_dir);
  g_free (self);
}

/* The first model in the library's models folder that can generate. */
static void load_generator (LecternAnswerer *self)
{
  g_autoptr (GPtrArray) models = lectern_models_list (self->library_dir);
  self->looked_for_model = TRUE;
  for (guint i = 0; i < models->len && !self->generator; i++) {
    LecternModel *model = models->pdata[i];
    if (model->runs && g_str_equal (model->role, "generator"))
      self->generator = lectern_generator_open (model->path, 0, NULL);
  }
}

struct ask {
  LecternAnswerer *answerer;
  char *question;
  guint stamp;
  LecternAnswererDelta on_delta;
  GObject *source_object;
};

static void ask_free (struct ask *ask)
{
  lectern_answerer_unref (ask->answerer);
  g_free (ask->question);
  g_free (ask);
}

struct delta {
  LecternAnswererDelta on_delta;
  GObject *source_object;
  guint stamp;
  char *text;
};

static gboolean deliver_delta (gpointer data)
{
  struct delta *delta = data;
  delta->on_delta (delta->stamp, delta->text, delta->source_object);
  return G_SOURCE_REMOVE;
}

static void delta_free (gpointer data)
{
  struct delta *delta = data;
  g_object_unref (delta->source_object);
  g_free (delta->text);
  g_free (delta);
}

static void send_delta (const char *text, gpointer data)
{
  struct ask *ask = data;
  struct delta *delta = g_new0 (struct delta, 1);
  delta->on_delta = ask->on_delta;
  delta->source_object = g_object_ref (ask->source_object);
  delta->stamp = ask->stamp;
  delta->text = g_strdup (text);
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver_delta, delta, delta_free);
}

static void run_ask (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  struct ask *ask = task_data;
  LecternAnswerer *self = ask->answerer;
  const LecternAskOptions options = { 0 };
  GError *error = NULL;
  LecternAnswer *answer = NULL;
  g_mutex_lock (&self->busy);
  LecternLibrary *library = lectern_library_open (self->library_dir, LECTERN_LIBRARY_READ, &error);
  if (library) {
    if (!self->looked_for_model)
      load_generator (self);
    answer = lectern_ask (library, self->generator, ask->question, &options, send_delta, ask, cancellable, &error);
    lectern_library_close (library);
  }
  g_mutex_unlock (&self->busy);
  if (answer)
    g_task_return_pointer (task, answer, (GDestroyNotify)lectern_answer_free);
  else
    g_task_return_error (task, error);
}

void lectern_answerer_ask_async (LecternAnswerer *self, GObject *source_object, const char *question, guint stamp,
                                 LecternAnswererDelta on_delta, GCancellable *cancellable, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) task = g_task_new (source_object, cancellable, callback, NULL);
  struct ask *ask = g_new0 (struct ask, 1);
  ask->answerer = lectern_answerer_ref (self);
  ask->question = g_strdup (question);
  ask->stamp = stamp;
  ask->on_delta = on_delta;
  ask->source_object = source_object;
  g_task_set_task_data (task, ask, (GDestroyNotify)ask_free);
  g_task_run_in_thread (task, run_ask);
}

LecternAnswer *lectern_answerer_ask_finish (GAsyncResult *result, guint *stamp, GError **error)
{
  struct ask *ask = g_task_get_task_data (G_TASK (result));
  *stamp = ask->stamp;
  return g_task_propagate_pointer (G_TASK (result), error);
}
