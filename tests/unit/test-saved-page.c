/* Pages saved with a folder: the folder's files are no documents, and the page comes with what can be its frames. */
#include "ingest/folder/saved-page.h"
#include "ingest/folder/scan.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static char *write_file (const char *name, const char *text)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (above, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void test_scan (void)
{
  const char *paths[] = { folder, NULL };
  LecternScan *scan;
  g_assert_true (lectern_scan_paths (paths, &scan, NULL, NULL));
  g_autoptr (GString) found = g_string_new (NULL);
  for (guint i = 0; i < scan->files->len; i++)
    g_string_append_printf (found, "%s ", (const char *)g_ptr_array_index (scan->files, i) + strlen (folder) + 1);
  g_assert_cmpstr (found->str, ==, "alone_files/a.html page.html plain.html ");
  lectern_scan_free (scan);
}

static void test_bundle (void)
{
  g_autofree char *page = g_build_filename (folder, "page.html", NULL),
                  *plain = g_build_filename (folder, "plain.html", NULL);
  struct stat info;
  int fd = open (page, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fstat (fd, &info), ==, 0);
  int bundle = saved_page_open_bundle (page, fd, (guint64)info.st_size);
  g_assert_cmpint (bundle, >=, 0);
  char bytes[256] = "";
  g_assert_cmpint (pread (bundle, bytes, sizeof bytes - 1, 0), >, 0);
  g_assert_cmpstr (bytes, ==, SAVED_PAGE_MAGIC "4\n\npage5\nframe.html\nframe");
  g_assert_cmpint (saved_page_open_bundle (plain, fd, (guint64)info.st_size), ==, -1);
  close (bundle);
  close (fd);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *made = g_dir_make_tmp ("saved-page-XXXXXX", NULL);
  char *real = realpath (made, NULL);
  folder = g_strdup (real);
  free (real);
  static const char *const files[][2] = {
    { "page.html", "page" },   { "page_files/frame.html", "frame" },          { "page_files/style.css", "style" },
    { "plain.html", "plain" }, { "alone_files/a.html", "a page of its own" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    g_free (write_file (files[i][0], files[i][1]));
  g_test_add_func ("/saved-page/scan", test_scan);
  g_test_add_func ("/saved-page/bundle", test_bundle);
  int result = g_test_run ();
  for (guint i = G_N_ELEMENTS (files); i-- > 0;) {
    g_autofree char *path = g_build_filename (folder, files[i][0], NULL), *above = g_path_get_dirname (path);
    g_unlink (path);
    g_rmdir (above);
  }
  g_free (folder);
  return result;
}
