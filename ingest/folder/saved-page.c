#include "ingest/folder/saved-page.h"

#include "ingest/reader/format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PAGE_BYTES (64u << 20)
#define MAX_FRAME_BYTES (4u << 20)
#define MAX_FRAMES_BYTES (16u << 20)
#define MAX_FRAMES 64
/* Entries of the folder that are looked at. */
#define MAX_ENTRIES 5000

/* What browsers put behind the page's name, by language. */
static const char *const suffixes[]
    = { "_files", "-Dateien", "_fichiers", "_archivos", "_ficheiros", "_bestanden", ".files" };
static const char *const extensions[] = { ".html", ".htm", ".xhtml" };

gboolean saved_page_is_folder (const char *folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    if (!g_str_has_suffix (folder, suffixes[i]))
      continue;
    g_autofree char *stem = g_strndup (folder, strlen (folder) - strlen (suffixes[i]));
    for (guint j = 0; j < G_N_ELEMENTS (extensions); j++) {
      g_autofree char *page = g_strconcat (stem, extensions[j], NULL);
      struct stat info;
      if (lstat (page, &info) == 0 && S_ISREG (info.st_mode))
        return TRUE;
    }
  }
  return FALSE;
}

static char *find_folder (const char *path)
{
  const char *dot = strrchr (path, '.');
  for (guint i = 0; dot && i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *folder = g_strdup_printf ("%.*s%s", (int)(dot - path), path, suffixes[i]);
    if (g_file_test (folder, G_FILE_TEST_IS_DIR))
      return g_steal_pointer (&folder);
  }
  return NULL;
}

static gboolean append (int out, const void *bytes, gsize size)
{
  for (const char *at = bytes; size > 0;) {
    ssize_t n = write (out, at, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    at += n;
    size -= (gsize)n;
  }
  return TRUE;
}

static gboolean append_part (int out, int fd, guint64 size, const char *name)
{
  g_autofree char *bytes = g_try_malloc (size + 1);
  g_autofree char *head = g_strdup_printf ("%" G_GUINT64_FORMAT "\n%s\n", size, name);
  gsize have = 0;
  while (bytes && have < size) {
    ssize_t n = pread (fd, bytes + have, size - have, (off_t)have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    have += (gsize)n;
  }
  return bytes && append (out, head, strlen (head)) && append (out, bytes, size);
}

/* FALSE if the bundle is broken off. *n_frames counts what was added. */
static gboolean append_frames (int out, const char *folder, guint *n_frames)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  guint64 total = 0;
  gboolean ok = TRUE;
  const char *name;
  for (guint n = 0; dir && ok && n < MAX_ENTRIES && *n_frames < MAX_FRAMES && (name = g_dir_read_name (dir)); n++) {
    if (format_from_path (name) != FORMAT_HTML || strchr (name, '\n'))
      continue;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    struct stat info;
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat (fd, &info) == 0 && S_ISREG (info.st_mode) && info.st_size > 0
        && info.st_size <= MAX_FRAME_BYTES && total + (guint64)info.st_size <= MAX_FRAMES_BYTES) {
      total += (guint64)info.st_size;
      ok = append_part (out, fd, (guint64)info.st_size, name);
      *n_frames += ok;
    }
    if (fd >= 0)
      close (fd);
  }
  if (dir)
    g_dir_close (dir);
  return ok;
}

int saved_page_open_bundle (const char *path, int page_fd, guint64 page_bytes)
{
  if (page_bytes > MAX_PAGE_BYTES || format_from_path (path) != FORMAT_HTML)
    return -1;
  g_autofree char *folder = find_folder (path);
  int out = folder ? memfd_create ("saved-page", MFD_CLOEXEC) : -1;
  if (out < 0)
    return -1;
  guint n_frames = 0;
  if (append (out, SAVED_PAGE_MAGIC, strlen (SAVED_PAGE_MAGIC)) && append_part (out, page_fd, page_bytes, "")
      && append_frames (out, folder, &n_frames) && n_frames > 0)
    return out;
  close (out);
  return -1;
}
