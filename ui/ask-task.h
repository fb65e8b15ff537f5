/* ask-task.h: one question of a conversation answered in a thread, for the window. Callbacks run on the main thread. */
#ifndef LECTERN_ASK_TASK_H
#define LECTERN_ASK_TASK_H

#include "retrieval/retrieval.h"

G_BEGIN_DECLS

/* A piece of the answer to the question with that stamp. */
typedef void (*LecternAskDelta) (guint stamp, const char *delta, gpointer user_data);

/* Answers in a thread; `callback` gets the GTask of lectern_ask_finish(). `source_object` is kept alive. */
void lectern_ask_async (LecternConversation *conversation, GObject *source_object, const char *question, guint stamp,
                        LecternAskDelta on_delta, GCancellable *cancellable, GAsyncReadyCallback callback);
LecternAnswer *lectern_ask_finish (GAsyncResult *result, guint *stamp, GError **error);

G_END_DECLS

#endif
