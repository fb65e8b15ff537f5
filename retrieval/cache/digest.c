#include "retrieval/cache/digest.h"

LecternDigest lectern_digest_of (gconstpointer bytes, gsize n_bytes)
{
  LecternDigest digest;
  gsize length = sizeof digest.bytes;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, bytes, (gssize)n_bytes);
  g_checksum_get_digest (checksum, digest.bytes, &length);
  return digest;
}

LecternDigest lectern_digest_of_parts (const LecternDigest *key, const LecternDigestPart *parts, gsize n_parts)
{
  LecternDigest digest;
  gsize length = sizeof digest.bytes;
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key->bytes, sizeof key->bytes);
  for (gsize i = 0; i < n_parts; i++)
    if (parts[i].n_bytes > 0)
      g_hmac_update (hmac, parts[i].bytes, (gssize)parts[i].n_bytes);
  g_hmac_get_digest (hmac, digest.bytes, &length);
  return digest;
}

gboolean lectern_digest_equal (const LecternDigest *a, const LecternDigest *b)
{
  guint8 differs = 0;
  for (gsize i = 0; i < sizeof a->bytes; i++)
    differs |= a->bytes[i] ^ b->bytes[i];
  return differs == 0;
}
