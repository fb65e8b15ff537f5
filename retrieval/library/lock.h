/* lock.h: the advisory lock that makes a library have one writer.
 *
 * The lock is flock() on "library.lock"; the kernel drops it when the holder dies. While held the file says so, and a clean
 * release empties it: text in it at the next lock means that the last writer did not come to its end. */
#ifndef LECTERN_LIBRARY_LOCK_H
#define LECTERN_LIBRARY_LOCK_H

#include <gio/gio.h>

/* A file descriptor, or -1 with LECTERN_ERROR_BUSY (after a quarter of a second) or FAILED. */
int lectern_lock_take (const char *dir, gboolean *was_unclean, GError **error);
void lectern_lock_release (int fd);

#endif
