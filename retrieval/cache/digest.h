/* digest.h: SHA-256, of bytes and keyed (HMAC, RFC 2104), as plain bytes. */
#ifndef LECTERN_CACHE_DIGEST_H
#define LECTERN_CACHE_DIGEST_H

#include <glib.h>

G_BEGIN_DECLS

enum { LECTERN_DIGEST_BYTES = 32 };

typedef struct {
  guint8 bytes[LECTERN_DIGEST_BYTES];
} LecternDigest;

LecternDigest lectern_digest_of (gconstpointer bytes, gsize n_bytes);

/* Keyed by key->bytes; a part may be NULL if its length is 0. */
typedef struct {
  gconstpointer bytes;
  gsize n_bytes;
} LecternDigestPart;
LecternDigest lectern_digest_of_parts (const LecternDigest *key, const LecternDigestPart *parts, gsize n_parts);

/* In a time that does not tell where they differ. */
gboolean lectern_digest_equal (const LecternDigest *a, const LecternDigest *b);

G_END_DECLS

#endif
