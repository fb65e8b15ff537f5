#include "ingest/index/moves.h"
#include "ingest/index/file-state.h"

#include "ingest/ingest.h"

#include <sys/stat.h>

typedef struct {
  gint64 size_bytes, mtime_ns;
} State;

static guint state_hash (gconstpointer key)
{
  const State *state = key;
  return g_int64_hash (&state->size_bytes) ^ g_int64_hash (&state->mtime_ns);
}

static gboolean state_equal (gconstpointer a, gconstpointer b)
{
  const State *one = a, *other = b;
  return one->size_bytes == other->size_bytes && one->mtime_ns == other->mtime_ns;
}

/* Moves the one of `candidates` that the file is, and takes it from the list. */
static gboolean move_one (LecternLibrary *library, GPtrArray *candidates, const char *path, const char *shown,
                          guint *n_moved, GCancellable *cancellable, GError **error)
{
  g_autofree char *hash = file_dup_hash (path, NULL, cancellable, NULL);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  for (guint i = 0; hash && i < candidates->len; i++) {
    const LecternDocument *document = g_ptr_array_index (candidates, i);
    if (g_strcmp0 (document->hash, hash) != 0)
      continue;
    if (!lectern_library_move (library, document->id, shown, error))
      return FALSE;
    g_ptr_array_remove_index (candidates, i);
    (*n_moved)++;
    return TRUE;
  }
  return TRUE;
}

gboolean moves_apply (LecternLibrary *library, const GPtrArray *gone, const GPtrArray *files, guint *n_moved,
                      GCancellable *cancellable, GError **error)
{
  g_autoptr (GHashTable) by_state
      = g_hash_table_new_full (state_hash, state_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  for (guint i = 0; i < gone->len; i++) {
    LecternDocument *document = g_ptr_array_index (gone, i);
    State state = { document->size_bytes, document->mtime_ns };
    GPtrArray *candidates = g_hash_table_lookup (by_state, &state);
    if (!document->hash)
      continue;
    if (!candidates) {
      candidates = g_ptr_array_new ();
      g_hash_table_insert (by_state, g_memdup2 (&state, sizeof state), candidates);
    }
    g_ptr_array_add (candidates, document);
  }
  for (guint i = 0; i < files->len && g_hash_table_size (by_state) > 0; i++) {
    const char *path = g_ptr_array_index (files, i);
    struct stat info;
    if (stat (path, &info) != 0 || !S_ISREG (info.st_mode))
      continue;
    State state = { info.st_size, file_mtime_ns (&info) };
    GPtrArray *candidates = g_hash_table_lookup (by_state, &state);
    if (!candidates || candidates->len == 0)
      continue;
    g_autofree char *shown = lectern_path_to_utf8 (path);
    GError *find_error = NULL;
    LecternDocument *known = lectern_library_find_path (library, shown, &find_error);
    gboolean is_known = known != NULL;
    lectern_document_free (known);
    if (find_error) {
      g_propagate_error (error, find_error);
      return FALSE;
    }
    if (!is_known && !move_one (library, candidates, path, shown, n_moved, cancellable, error))
      return FALSE;
  }
  return TRUE;
}
