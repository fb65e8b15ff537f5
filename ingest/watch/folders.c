#include "ingest/watch/folders.h"

#include "ingest/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1
#define MAX_FOLDERS 1000

char *watch_folders_dup_file (const char *library_dir)
{
  return g_build_filename (library_dir, "folders", NULL);
}

static gboolean refuse (const char *path, const char *why, GError **error)
{
  g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
               "The list of watched folders “%s” cannot be used (%s); remove it and add the folders again.", path, why);
  return FALSE;
}

GPtrArray *watch_folders_load (const char *library_dir, GError **error)
{
  g_autofree char *path = watch_folders_dup_file (library_dir);
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) problem = NULL;
  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &problem)) {
    if (g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      return g_steal_pointer (&folders);
    refuse (path, problem->message, error);
    return NULL;
  }
  int version = g_key_file_get_integer (file, "lectern", "version", NULL);
  if (version > VERSION) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_TOO_NEW,
                 "The list of watched folders “%s” was written by a later version of Lectern; update Lectern.", path);
    return NULL;
  }
  if (version < 1) {
    refuse (path, "it has no version", error);
    return NULL;
  }
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] && folders->len < MAX_FOLDERS; i++) {
    g_autofree char *text = g_key_file_get_value (file, groups[i], "path", NULL);
    g_autofree char *folder = text ? g_strcompress (text) : NULL;
    if (folder && g_path_is_absolute (folder))
      g_ptr_array_add (folders, g_steal_pointer (&folder));
  }
  return g_steal_pointer (&folders);
}

gboolean watch_folders_save (const char *library_dir, const GPtrArray *folders, GError **error)
{
  g_autofree char *path = watch_folders_dup_file (library_dir);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  if (g_mkdir_with_parents (library_dir, 0700) != 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The library folder “%s” cannot be created (%s).",
                 library_dir, g_strerror (errno));
    return FALSE;
  }
  g_key_file_set_integer (file, "lectern", "version", VERSION);
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *group = g_strdup_printf ("folder %u", i + 1);
    g_autofree char *text = g_strescape (g_ptr_array_index (folders, i), NULL);
    g_key_file_set_value (file, group, "path", text);
  }
  gsize length;
  g_autofree char *text = g_key_file_to_data (file, &length, NULL);
  return g_file_set_contents_full (path, text, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

/* ---- the public part ---- */

GPtrArray *lectern_watch_list (const char *library_dir, GError **error)
{
  return watch_folders_load (library_dir, error);
}

static gint find (const GPtrArray *folders, const char *path)
{
  for (guint i = 0; i < folders->len; i++)
    if (strcmp (g_ptr_array_index (folders, i), path) == 0)
      return (gint)i;
  return -1;
}

static char *resolve_folder (const char *path, GError **error)
{
  char *real = realpath (path, NULL);
  g_autofree char *folder = real ? g_strdup (real) : NULL;
  free (real);
  if (folder && g_file_test (folder, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&folder);
  g_autofree char *shown = g_filename_display_name (path);
  if (folder)
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "“%s” is not a folder; only folders are watched (lecternctl add indexes a file).", shown);
  else
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND, "There is no folder “%s”.", shown);
  return NULL;
}

gboolean lectern_watch_add (const char *library_dir, const char *const *paths, guint *n_added, GError **error)
{
  g_autoptr (GPtrArray) folders = watch_folders_load (library_dir, error);
  *n_added = 0;
  if (!folders)
    return FALSE;
  for (guint i = 0; paths[i]; i++) {
    char *folder = resolve_folder (paths[i], error);
    if (!folder)
      return FALSE;
    if (find (folders, folder) >= 0) {
      g_free (folder);
      continue;
    }
    if (folders->len == MAX_FOLDERS) {
      g_free (folder);
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                   "No more than %d folders can be watched; watch a folder above them.", MAX_FOLDERS);
      return FALSE;
    }
    g_ptr_array_add (folders, folder);
    (*n_added)++;
  }
  return *n_added == 0 || watch_folders_save (library_dir, folders, error);
}

gboolean lectern_watch_remove (const char *library_dir, const char *const *paths, guint *n_removed, GError **error)
{
  g_autoptr (GPtrArray) folders = watch_folders_load (library_dir, error);
  *n_removed = 0;
  if (!folders)
    return FALSE;
  for (guint i = 0; paths[i]; i++) {
    /* The folder may have gone meanwhile: then it goes by the name that it had. */
    char *real = realpath (paths[i], NULL);
    g_autofree char *plain = g_canonicalize_filename (paths[i], NULL);
    gint at = real ? find (folders, real) : -1;
    free (real);
    if (at < 0)
      at = find (folders, plain);
    if (at < 0) {
      g_autofree char *shown = g_filename_display_name (paths[i]);
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND,
                   "“%s” is not watched; lecternctl watch list shows the folders that are.", shown);
      return FALSE;
    }
    g_ptr_array_remove_index (folders, (guint)at);
    (*n_removed)++;
  }
  return *n_removed == 0 || watch_folders_save (library_dir, folders, error);
}
