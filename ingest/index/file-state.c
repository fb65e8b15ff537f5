#include "ingest/index/file-state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define HASH_BUFFER_BYTES (256 * 1024)

gint64 file_mtime_ns (const struct stat *info)
{
  return (gint64)info->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + info->st_mtim.tv_nsec;
}

gboolean file_is_gone (const char *path)
{
  struct stat info;
  return lstat (path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static void tell_reason (char **reason, const char *verb, int error_number)
{
  if (reason)
    *reason = g_strdup_printf ("The file cannot be %s: %s.", verb, g_strerror (error_number));
}

char *file_dup_hash (const char *path, char **reason, GCancellable *cancellable, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    tell_reason (reason, "opened", errno);
    return NULL;
  }
  posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *buffer = g_malloc (HASH_BUFFER_BYTES);
  ssize_t n;
  while ((n = read (fd, buffer, HASH_BUFFER_BYTES)) > 0 || (n < 0 && errno == EINTR)) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error)) {
      close (fd);
      return NULL;
    }
    if (n > 0)
      g_checksum_update (checksum, buffer, n);
  }
  if (n < 0)
    tell_reason (reason, "read", errno);
  close (fd);
  return n < 0 ? NULL : g_strdup (g_checksum_get_string (checksum));
}
