/* queue.h: changes that wait to be indexed. Coalesces bursts: a batch is due when nothing has changed for
 * CHANGE_QUIET_US, or CHANGE_WAIT_US after its first change. The caller brings the clock. Internal to ingest/. */
#ifndef LECTERN_WATCH_QUEUE_H
#define LECTERN_WATCH_QUEUE_H

#include <glib.h>

G_BEGIN_DECLS

#define CHANGE_QUIET_US (500 * G_TIME_SPAN_MILLISECOND)
#define CHANGE_WAIT_US (1500 * G_TIME_SPAN_MILLISECOND)

typedef enum {
  CHANGE_FILE, /* it is new or was written */
  CHANGE_GONE, /* file or folder */
} Change;

typedef struct _ChangeQueue ChangeQueue;

ChangeQueue *change_queue_new (void);
void change_queue_free (ChangeQueue *queue);

/* Of several changes of one path the last counts. */
void change_queue_add (ChangeQueue *queue, const char *path, Change change, gint64 now_us);
/* Puts back what a batch could not do; newer changes of the same paths stay. Due at `due_us`. */
void change_queue_put_back (ChangeQueue *queue, GHashTable *batch, gint64 due_us);
guint change_queue_get_length (const ChangeQueue *queue);
/* When the batch is due; -1: there is none. */
gint64 change_queue_get_due (const ChangeQueue *queue);
/* All changes, path -> Change (GINT_TO_POINTER), if they are due; otherwise NULL. The caller owns it. */
GHashTable *change_queue_take (ChangeQueue *queue, gint64 now_us);
/* Drops everything at or below a folder. */
void change_queue_drop_below (ChangeQueue *queue, const char *folder);

G_END_DECLS

#endif
