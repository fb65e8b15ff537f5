#include "retrieval/cache/user_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 3 };

static gboolean read_key (const char *path, LecternDigest *key)
{
  struct stat info;
  LecternDigest found;
  const int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return FALSE;
  gboolean sound = fstat (fd, &info) == 0 && S_ISREG (info.st_mode) && info.st_uid == geteuid ()
                   && (info.st_mode & 077) == 0 && info.st_size == (off_t)sizeof found.bytes
                   && read (fd, found.bytes, sizeof found.bytes) == (ssize_t)sizeof found.bytes;
  close (fd);
  if (sound)
    *key = found;
  return sound;
}

/* A whole file with a new key under a name of its own, which is returned. */
static char *write_new (const char *path)
{
  LecternDigest key;
  if (getrandom (key.bytes, sizeof key.bytes, 0) != (ssize_t)sizeof key.bytes)
    return NULL;
  g_autofree char *name = g_strconcat (path, ".XXXXXX", NULL);
  const int fd = g_mkstemp_full (name, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return NULL;
  gboolean done = write (fd, key.bytes, sizeof key.bytes) == (ssize_t)sizeof key.bytes && fsync (fd) == 0;
  done = close (fd) == 0 && done;
  if (!done) {
    unlink (name);
    return NULL;
  }
  return g_steal_pointer (&name);
}

gboolean lectern_user_key_read (const char *path, gboolean make, LecternDigest *key)
{
  if (read_key (path, key))
    return TRUE;
  if (!make)
    return FALSE;
  g_autofree char *folder = g_path_get_dirname (path);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return FALSE;
  for (int i = 0; i < ATTEMPTS; i++) {
    g_autofree char *name = write_new (path);
    if (!name)
      return FALSE;
    /* Whoever links first has made the key; the others read it. */
    const gboolean linked = link (name, path) == 0;
    const int reason = errno;
    unlink (name);
    if (read_key (path, key))
      return TRUE;
    if (linked || reason != EEXIST || unlink (path) != 0)
      return FALSE;
  }
  return FALSE;
}
