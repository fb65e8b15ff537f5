/* user_key.h: random bytes that only this user has, kept in a file. */
#ifndef LECTERN_CACHE_USER_KEY_H
#define LECTERN_CACHE_USER_KEY_H

#include "retrieval/cache/digest.h"

G_BEGIN_DECLS

/* Reads the key at `path`. A file that is not a plain one of this user's, which nobody else may read, or not of the right
 * length is no key. With `make`, a new key takes its place, or that of none; of several programs that make one at the same
 * time all get the same. FALSE if there is no key. */
gboolean lectern_user_key_read (const char *path, gboolean make, LecternDigest *key);

G_END_DECLS

#endif
