#include "retrieval/library/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retrieval/retrieval.h"

enum { ATTEMPTS = 6, PAUSE_US = 50000 };

int lectern_lock_take (const char *dir, gboolean *was_unclean, GError **error)
{
  static const char mark[] = "A writer is at work; this file is emptied when it ends cleanly.\n";
  g_autofree char *path = g_build_filename (dir, "library.lock", NULL);
  struct stat info;
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "The library folder “%s” cannot be written (%s); check its permissions.", dir, g_strerror (errno));
    return -1;
  }
  for (int i = 0; flock (fd, LOCK_EX | LOCK_NB) != 0; i++) {
    int reason = errno;
    if (reason == EWOULDBLOCK && i + 1 < ATTEMPTS) {
      g_usleep (PAUSE_US);
      continue;
    }
    if (reason == EINTR)
      continue;
    close (fd);
    if (reason == EWOULDBLOCK)
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_BUSY,
                   "Another program is writing to the library in “%s”; wait until it is done and try again.", dir);
    else
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The library in “%s” cannot be locked (%s).", dir,
                   g_strerror (reason));
    return -1;
  }
  *was_unclean = fstat (fd, &info) == 0 && info.st_size > 0;
  if (pwrite (fd, mark, sizeof mark - 1, 0) < 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The library folder “%s” cannot be written (%s).", dir,
                 g_strerror (errno));
    close (fd);
    return -1;
  }
  return fd;
}

void lectern_lock_release (int fd)
{
  if (fd < 0)
    return;
  /* A lock file that stays marked only costs a check at the next start. */
  if (ftruncate (fd, 0) != 0)
    g_debug ("library.lock: %s", g_strerror (errno));
  close (fd);
}
