/* window.h: the one window: a question, its answer with numbered sources, and adding documents.
 *
 * Asking and indexing run in GTask threads with a library connection of their own; the main thread only shows what
 * they send. What is typed is passed on to the conversation, which works ahead. Each question carries a stamp, so that text of one that was stopped is dropped. */
#ifndef LECTERN_WINDOW_H
#define LECTERN_WINDOW_H

#include "retrieval/retrieval.h"
#include <adwaita.h>

G_BEGIN_DECLS

#define LECTERN_TYPE_WINDOW (lectern_window_get_type ())
G_DECLARE_FINAL_TYPE (LecternWindow, lectern_window, LECTERN, WINDOW, AdwApplicationWindow)

/* `cache` NULL: nothing is saved. */
GtkWidget *lectern_window_new (AdwApplication *application, const char *library_dir, LecternCache *cache);

/* Indexes paths (NULL-terminated, copied) in the background; if a run is under way they are done after it. */
void lectern_window_add (LecternWindow *self, const char *const *paths);

G_END_DECLS

#endif
