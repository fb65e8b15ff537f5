#include "ingest/reader/recognition.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MAX_BYTES (G_GUINT64_CONSTANT (256) << 20)
#define SUFFIX ".pages"

struct _RecognitionCache {
  char *path;
  int read_fd, write_fd; /* -1: none */
  gboolean broken;       /* it cannot be written */
};

static char *cache_folder (void)
{
  return g_build_filename (g_get_user_cache_dir (), "lectern", "ocr", NULL);
}

/* Names are hashes, so that the folder does not tell what is read. */
static char *cache_path (const char *document)
{
  g_autofree char *absolute = g_canonicalize_filename (document, NULL);
  g_autofree char *stored = lectern_path_to_utf8 (absolute);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, stored, -1);
  g_autofree char *name = g_strconcat (hash, SUFFIX, NULL);
  g_autofree char *folder = cache_folder ();
  return g_build_filename (folder, name, NULL);
}

RecognitionCache *recognition_cache_new (const char *path)
{
  RecognitionCache *cache = g_new0 (RecognitionCache, 1);
  cache->read_fd = cache->write_fd = -1;
  cache->broken = !path;
  if (!path)
    return cache;
  cache->path = cache_path (path);
  cache->read_fd = open (cache->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat information;
  if (cache->read_fd >= 0 && (fstat (cache->read_fd, &information) != 0 || !S_ISREG (information.st_mode))) {
    close (cache->read_fd);
    cache->read_fd = -1;
    cache->broken = TRUE;
  }
  return cache;
}

int recognition_cache_get_fd (const RecognitionCache *cache)
{
  return cache->read_fd;
}

/* ---- the folder's share ---------------------------------------------------------------------------------- */

typedef struct {
  char *path;
  gint64 mtime;
  guint64 bytes;
} CachedFile;

static void cached_file_clear (gpointer data)
{
  g_free (((CachedFile *)data)->path);
}

static int compare_age (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const CachedFile *)a)->mtime, y = ((const CachedFile *)b)->mtime;
  return (x > y) - (x < y);
}

static GArray *list_files (const char *folder)
{
  GArray *files = g_array_new (FALSE, FALSE, sizeof (CachedFile));
  g_array_set_clear_func (files, cached_file_clear);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf information;
    if (!g_str_has_suffix (name, SUFFIX) || g_lstat (path, &information) != 0 || !S_ISREG (information.st_mode))
      continue;
    CachedFile file = { g_steal_pointer (&path), information.st_mtime, (guint64)information.st_size };
    g_array_append_val (files, file);
  }
  if (dir)
    g_dir_close (dir);
  g_array_sort (files, compare_age);
  return files;
}

static void evict (void)
{
  g_autofree char *folder = cache_folder ();
  g_autoptr (GArray) files = list_files (folder);
  guint64 bytes = 0;
  for (guint i = 0; i < files->len; i++)
    bytes += g_array_index (files, CachedFile, i).bytes;
  for (guint i = 0; i < files->len && bytes > FOLDER_MAX_BYTES; i++) {
    const CachedFile *file = &g_array_index (files, CachedFile, i);
    if (g_unlink (file->path) == 0)
      bytes -= file->bytes;
  }
}

void recognition_cache_free (RecognitionCache *cache)
{
  if (!cache)
    return;
  if (cache->read_fd >= 0)
    close (cache->read_fd);
  if (cache->write_fd >= 0) {
    close (cache->write_fd);
    evict ();
  }
  g_free (cache->path);
  g_free (cache);
}

/* ---- adding ---------------------------------------------------------------------------------------------- */

static gboolean write_all (int fd, const void *bytes, gsize n)
{
  for (gsize at = 0; at < n;) {
    ssize_t written = write (fd, (const guint8 *)bytes + at, n - at);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return FALSE;
    at += (gsize)written;
  }
  return TRUE;
}

/* Where the last whole record ends; 0: it is no file of this kind. */
static off_t find_end (int fd, off_t size)
{
  guint8 magic[RECOGNITION_MAGIC_BYTES];
  if (pread (fd, magic, sizeof magic, 0) != sizeof magic || memcmp (magic, RECOGNITION_MAGIC, sizeof magic) != 0)
    return 0;
  off_t at = sizeof magic;
  RecognitionRecord record;
  while (pread (fd, &record, sizeof record, at) == sizeof record && record.mark == RECOGNITION_RECORD_MARK
         && record.payload_bytes <= RECOGNITION_MAX_PAYLOAD
         && (off_t)record.payload_bytes <= size - at - (off_t)sizeof record)
    at += (off_t)sizeof record + record.payload_bytes;
  return at;
}

/* Opens the file for appending; what a run that was killed has left half written is cut off. */
static gboolean open_for_writing (RecognitionCache *cache)
{
  g_autofree char *folder = cache_folder ();
  struct stat information;
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return FALSE;
  cache->write_fd = open (cache->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (cache->write_fd < 0 || fstat (cache->write_fd, &information) != 0)
    return FALSE;
  off_t end = find_end (cache->write_fd, information.st_size);
  if (end > (off_t)RECOGNITION_MAX_FILE_BYTES)
    end = 0; /* pages that the document no longer has; those that it has come again */
  if (end < information.st_size && ftruncate (cache->write_fd, end) != 0)
    return FALSE;
  return end > 0 || write_all (cache->write_fd, RECOGNITION_MAGIC, RECOGNITION_MAGIC_BYTES);
}

void recognition_cache_add (RecognitionCache *cache, const guint8 key[RECOGNITION_KEY_BYTES], const guint8 *payload,
                            gsize payload_bytes)
{
  if (cache->broken || payload_bytes > RECOGNITION_MAX_PAYLOAD)
    return;
  if (cache->write_fd < 0 && !open_for_writing (cache)) {
    cache->broken = TRUE;
    return;
  }
  struct stat information;
  gsize record_bytes = sizeof (RecognitionRecord) + payload_bytes;
  if (fstat (cache->write_fd, &information) != 0
      || (guint64)information.st_size + record_bytes > RECOGNITION_MAX_FILE_BYTES)
    return;
  RecognitionRecord record = { RECOGNITION_RECORD_MARK, (guint32)payload_bytes, { 0 } };
  memcpy (record.key, key, sizeof record.key);
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new ((guint)record_bytes);
  g_byte_array_append (bytes, (const guint8 *)&record, sizeof record);
  g_byte_array_append (bytes, payload, (guint)payload_bytes);
  if (!write_all (cache->write_fd, bytes->data, bytes->len))
    cache->broken = TRUE; /* a full disk: the half record is cut off next time */
}

void lectern_recognition_forget (const char *path)
{
  g_autofree char *file = cache_path (path);
  g_unlink (file);
}
