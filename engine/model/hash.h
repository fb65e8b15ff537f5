/* hash.h: 128 bits that tell whether bytes have changed by accident. Not cryptographic: who wants to can make two texts
 * of one hash.
 *
 * Each of four lanes takes every fourth 64-bit word by steps that can be undone, so that a change within one word always
 * shows before the lanes are mixed. */
#ifndef LECTERN_HASH_H
#define LECTERN_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES 16

struct hash {
  uint64_t lanes[4];
  uint8_t rest[32]; /* bytes that wait for a whole round */
  uint64_t n_bytes;
};

void hash_init (struct hash *hash);

/* In pieces of any size: only the bytes count. */
void hash_add (struct hash *hash, const void *bytes, size_t n_bytes);

/* Of what has been added so far. */
void hash_finish (const struct hash *hash, uint8_t digest[HASH_BYTES]);

#endif
