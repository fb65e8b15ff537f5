#include "ingest/folder/scan.h"

#include "ingest/folder/ignore.h"
#include "ingest/ingest.h"
#include "ingest/folder/saved-page.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The nesting of folders in one walk; a path is shorter than that many. */
#define MAX_DEPTH 2048

typedef struct {
  LecternScan *scan;
  GHashTable *seen_files;   /* paths, borrowed from scan->files */
  GHashTable *seen_folders; /* "device:inode" */
  GCancellable *cancellable;
} Walk;

gboolean lectern_path_is_below (const char *path, const char *folder)
{
  gsize length = strlen (folder);
  while (length > 0 && folder[length - 1] == '/')
    length--;
  return strncmp (path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

char *lectern_path_to_utf8 (const char *path)
{
  const char *end;
  gsize left = strlen (path);
  if (g_utf8_validate (path, (gssize)left, NULL))
    return g_strdup (path);
  GString *text = g_string_new (NULL);
  while (left > 0) {
    g_utf8_validate (path, (gssize)left, &end);
    gsize valid = (gsize)(end - path);
    g_string_append_len (text, path, (gssize)valid);
    path = end;
    left -= valid;
    if (left > 0) {
      g_string_append_printf (text, "\\x%02X", (guchar)*path);
      path++;
      left--;
    }
  }
  return g_string_free (text, FALSE);
}

static void add_file (Walk *walk, const char *path)
{
  if (g_hash_table_contains (walk->seen_files, path))
    return;
  char *copy = g_strdup (path);
  g_ptr_array_add (walk->scan->files, copy);
  g_hash_table_add (walk->seen_files, copy);
}

static int compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Whether a link leads to a place that this run walks anyway. */
static gboolean leads_inside (const Walk *walk, const char *path)
{
  char *target = realpath (path, NULL);
  gboolean inside = FALSE;
  for (guint i = 0; target && i < walk->scan->folders->len && !inside; i++)
    inside = lectern_path_is_below (target, g_ptr_array_index (walk->scan->folders, i));
  free (target);
  return inside;
}

static void walk_folder (Walk *walk, const char *folder, IgnoreRules *rules, guint depth)
{
  struct stat info;
  if (depth > MAX_DEPTH || g_cancellable_is_cancelled (walk->cancellable))
    return;
  GDir *dir = stat (folder, &info) == 0 ? g_dir_open (folder, 0, NULL) : NULL;
  if (!dir) {
    g_ptr_array_add (walk->scan->closed, g_strdup (folder));
    return;
  }
  if (!g_hash_table_add (walk->seen_folders,
                         g_strdup_printf ("%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino))) {
    g_dir_close (dir);
    return;
  }
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gboolean any = FALSE;
  for (const char *name; (name = g_dir_read_name (dir));) {
    any = TRUE;
    g_ptr_array_add (names, g_strdup (name));
  }
  g_dir_close (dir);
  if (!any)
    g_ptr_array_add (walk->scan->empty, g_strdup (folder));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (lstat (path, &info) != 0)
      continue;
    if (S_ISLNK (info.st_mode) && (leads_inside (walk, path) || stat (path, &info) != 0))
      continue;
    gboolean is_folder = S_ISDIR (info.st_mode);
    if (!is_folder && (!S_ISREG (info.st_mode) || !lectern_format_is_known (path)))
      continue;
    if (ignore_rules_check (rules, name, is_folder) != IGNORE_NOT || (is_folder && saved_page_is_folder (path)))
      continue;
    if (is_folder) {
      g_autoptr (IgnoreRules) below = ignore_rules_new_below (rules, name);
      walk_folder (walk, path, below, depth + 1);
    } else {
      add_file (walk, path);
    }
  }
}

/* The path without links, or, of what does not exist, at least absolute and without "..". */
static char *resolve (const char *path)
{
  char *real = realpath (path, NULL);
  char *resolved = real ? g_strdup (real) : g_canonicalize_filename (path, NULL);
  free (real);
  return resolved;
}

gboolean lectern_scan_paths (const char *const *paths, LecternScan **scan, GCancellable *cancellable, GError **error)
{
  LecternScan *out = g_new0 (LecternScan, 1);
  out->files = g_ptr_array_new_with_free_func (g_free);
  out->folders = g_ptr_array_new_with_free_func (g_free);
  out->closed = g_ptr_array_new_with_free_func (g_free);
  out->empty = g_ptr_array_new_with_free_func (g_free);
  *scan = out;
  g_autoptr (GHashTable) seen_files = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) seen_folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Walk walk = { out, seen_files, seen_folders, cancellable };

  g_autoptr (GPtrArray) resolved = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; paths[i]; i++) {
    char *path = resolve (paths[i]);
    g_ptr_array_add (resolved, path);
    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      g_ptr_array_add (out->folders, g_strdup (path));
  }
  for (guint i = 0; i < resolved->len; i++) {
    const char *path = g_ptr_array_index (resolved, i);
    if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
      g_autoptr (IgnoreRules) rules = ignore_rules_new (path);
      walk_folder (&walk, path, rules, 0);
    } else {
      add_file (&walk, path);
    }
  }
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

void lectern_scan_free (LecternScan *scan)
{
  if (!scan)
    return;
  g_ptr_array_unref (scan->files);
  g_ptr_array_unref (scan->folders);
  g_ptr_array_unref (scan->closed);
  g_ptr_array_unref (scan->empty);
  g_free (scan);
}
