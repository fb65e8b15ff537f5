/* ask-task.h: one question answered in a thread, for the window.
 *
 * The answerer keeps the generator loaded between questions; one question is under way at a time (later ones wait for
 * the earlier to stop). Callbacks run on the main thread. */
#ifndef LECTERN_ASK_TASK_H
#define LECTERN_ASK_TASK_H

#include "retrieval/retrieval.h"

G_BEGIN_DECLS

typedef struct _LecternAnswerer LecternAnswerer;

LecternAnswerer *lectern_answerer_new (const char *library_dir);
LecternAnswerer *lectern_answerer_ref (LecternAnswerer *self);
void lectern_answerer_unref (LecternAnswerer *self);

/* A piece of the answer to the question with that stamp. */
typedef void (*LecternAnswererDelta) (guint stamp, const char *delta, gpointer user_data);

/* Answers in a thread; `callback` gets the GTask of lectern_answerer_ask_finish(). `source_object` is kept alive. */
void lectern_answerer_ask_async (LecternAnswerer *self, GObject *source_object, const char *question, guint stamp,
                                 LecternAnswererDelta on_delta, GCancellable *cancellable,
                                 GAsyncReadyCallback callback);
LecternAnswer *lectern_answerer_ask_finish (GAsyncResult *result, guint *stamp, GError **error);

G_END_DECLS

#endif
