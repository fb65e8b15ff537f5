#include "ui/ask-task.h"

struct ask {
  LecternConversation *conversation;
  char *question;
  guint stamp;
  LecternAskDelta on_delta;
  GObject *source_object;
};

static void ask_free (struct ask *ask)
{
  lectern_conversation_unref (ask->conversation);
  g_free (ask->question);
  g_free (ask);
}

struct delta {
  LecternAskDelta on_delta;
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
  GError *error = NULL;
  LecternAnswer *answer
      = lectern_conversation_ask (ask->conversation, ask->question, NULL, send_delta, ask, cancellable, &error);
  if (answer)
    g_task_return_pointer (task, answer, (GDestroyNotify)lectern_answer_free);
  else
    g_task_return_error (task, error);
}

void lectern_ask_async (LecternConversation *conversation, GObject *source_object, const char *question, guint stamp,
                        LecternAskDelta on_delta, GCancellable *cancellable, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) task = g_task_new (source_object, cancellable, callback, NULL);
  struct ask *ask = g_new0 (struct ask, 1);
  ask->conversation = lectern_conversation_ref (conversation);
  ask->question = g_strdup (question);
  ask->stamp = stamp;
  ask->on_delta = on_delta;
  ask->source_object = source_object;
  g_task_set_task_data (task, ask, (GDestroyNotify)ask_free);
  g_task_run_in_thread (task, run_ask);
}

LecternAnswer *lectern_ask_finish (GAsyncResult *result, guint *stamp, GError **error)
{
  struct ask *ask = g_task_get_task_data (G_TASK (result));
  *stamp = ask->stamp;
  return g_task_propagate_pointer (G_TASK (result), error);
}
