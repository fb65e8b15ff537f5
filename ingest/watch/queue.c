#include "ingest/watch/queue.h"

#include "ingest/folder/scan.h"

struct _ChangeQueue {
  GHashTable *changes; /* path -> Change */
  gint64 due_us;       /* of the batch as it stands; -1 if there is none */
  gint64 latest_us;    /* it is due by then */
};

ChangeQueue *change_queue_new (void)
{
  ChangeQueue *queue = g_new0 (ChangeQueue, 1);
  queue->changes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  queue->due_us = -1;
  return queue;
}

void change_queue_free (ChangeQueue *queue)
{
  if (!queue)
    return;
  g_hash_table_unref (queue->changes);
  g_free (queue);
}

void change_queue_add (ChangeQueue *queue, const char *path, Change change, gint64 now_us)
{
  if (queue->due_us < 0)
    queue->latest_us = now_us + CHANGE_WAIT_US;
  queue->due_us = MIN (now_us + CHANGE_QUIET_US, queue->latest_us);
  g_hash_table_insert (queue->changes, g_strdup (path), GINT_TO_POINTER (change));
}

void change_queue_put_back (ChangeQueue *queue, GHashTable *batch, gint64 due_us)
{
  GHashTableIter iter;
  gpointer path, change;
  g_hash_table_iter_init (&iter, batch);
  while (g_hash_table_iter_next (&iter, &path, &change))
    if (!g_hash_table_contains (queue->changes, path))
      g_hash_table_insert (queue->changes, g_strdup (path), change);
  if (g_hash_table_size (batch) == 0)
    return;
  queue->due_us = queue->due_us < 0 ? due_us : MAX (queue->due_us, due_us);
  queue->latest_us = queue->due_us;
}

guint change_queue_get_length (const ChangeQueue *queue)
{
  return g_hash_table_size (queue->changes);
}

gint64 change_queue_get_due (const ChangeQueue *queue)
{
  return queue->due_us;
}

GHashTable *change_queue_take (ChangeQueue *queue, gint64 now_us)
{
  if (queue->due_us < 0 || now_us < queue->due_us)
    return NULL;
  GHashTable *batch = queue->changes;
  queue->changes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  queue->due_us = -1;
  return batch;
}

static gboolean is_below (gpointer path, gpointer change, gpointer folder)
{
  return lectern_path_is_below (path, folder);
}

void change_queue_drop_below (ChangeQueue *queue, const char *folder)
{
  g_hash_table_foreach_remove (queue->changes, is_below, (gpointer)folder);
  if (g_hash_table_size (queue->changes) == 0)
    queue->due_us = -1;
}
