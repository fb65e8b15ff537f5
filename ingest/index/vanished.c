#include "ingest/index/file-state.h"
#include "ingest/index/run.h"

/* Whether a document's file cannot be judged because its folder cannot be read or looks like an unmounted drive. */
static gboolean is_kept (const GPtrArray *folders, const char *path)
{
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (folders, i));
    if (lectern_path_is_below (path, shown))
      return TRUE;
  }
  return FALSE;
}

/* Tells about folders that are closed or empty though the library knows documents in them. */
static gboolean report_kept (IndexRun *run, const GPtrArray *folders, const char *what, gboolean always, GError **error)
{
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (folders, i));
    g_autoptr (GPtrArray) below = lectern_library_list (run->library, shown, error);
    if (!below)
      return FALSE;
    if (below->len == 0 && !always)
      continue;
    g_autofree char *reason
        = below->len == 0
              ? g_strdup_printf ("The folder %s.", what)
              : g_strdup_printf ("The folder %s; its %u documents are kept (“remove” forgets them).", what, below->len);
    index_run_report (run, shown, LECTERN_STATUS_UNREADABLE, reason);
  }
  return TRUE;
}

/* Forgets documents below the named folders whose file is gone. A path with bytes that are not UTF-8 is stored escaped,
 * so a document that this run has just seen is never asked for by its stored name. */
gboolean index_forget_vanished (IndexRun *run, const LecternScan *scan, GError **error)
{
  if (!report_kept (run, scan->closed, "cannot be read", TRUE, error)
      || !report_kept (run, scan->empty, "is empty, as if its drive were not there", FALSE, error))
    return FALSE;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < scan->files->len; i++)
    g_hash_table_add (seen, lectern_path_to_utf8 (g_ptr_array_index (scan->files, i)));
  for (guint i = 0; i < scan->folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (scan->folders, i));
    g_autoptr (GPtrArray) documents = lectern_library_list (run->library, shown, error);
    if (!documents)
      return FALSE;
    for (guint d = 0; d < documents->len; d++) {
      const LecternDocument *document = g_ptr_array_index (documents, d);
      /* One that stands in another document goes with that. */
      if (document->container_id || !g_hash_table_add (seen, g_strdup (document->path)))
        continue;
      if (file_is_gone (document->path) && !is_kept (scan->closed, document->path)
          && !is_kept (scan->empty, document->path)) {
        g_array_append_val (run->gone, document->id);
        lectern_recognition_forget (document->path);
      }
    }
  }
  const gint64 *ids = (const gint64 *)(const void *)run->gone->data;
  if (run->gone->len > 0 && !lectern_library_remove (run->library, ids, run->gone->len, error))
    return FALSE;
  run->report->removed += run->gone->len;
  return TRUE;
}
