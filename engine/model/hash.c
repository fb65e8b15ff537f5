#include "engine/model/hash.h"
#include "engine/gguf/cursor.h"

enum { ROUND_BYTES = 32 };

/* Odd numbers with random bits: the fractions of the square roots of 2, 3, 5 and 7 (SHA-512's), made odd. */
static const uint64_t factors[4] = { 0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1 };

static uint64_t rotate (uint64_t x, int by)
{
  return x << by | x >> (64 - by);
}

static void run_round (uint64_t lanes[4], const uint8_t *bytes)
{
  for (int i = 0; i < 4; i++)
    lanes[i] = rotate ((lanes[i] ^ load_le (bytes + 8 * i, 8)) * factors[i], 29);
}

void hash_init (struct hash *hash)
{
  *hash = (struct hash){ .lanes = { factors[3], factors[2], factors[1], factors[0] } };
}

void hash_add (struct hash *hash, const void *data, size_t n_bytes)
{
  const uint8_t *bytes = data;
  size_t n_rest = hash->n_bytes % ROUND_BYTES;
  if (n_bytes == 0)
    return;
  hash->n_bytes += n_bytes;
  if (n_rest > 0) {
    const size_t n = n_bytes < ROUND_BYTES - n_rest ? n_bytes : ROUND_BYTES - n_rest;
    memcpy (hash->rest + n_rest, bytes, n);
    bytes += n;
    n_bytes -= n;
    if (n_rest + n < ROUND_BYTES)
      return;
    run_round (hash->lanes, hash->rest);
  }
  for (; n_bytes >= ROUND_BYTES; n_bytes -= ROUND_BYTES, bytes += ROUND_BYTES)
    run_round (hash->lanes, bytes);
  memcpy (hash->rest, bytes, n_bytes);
}

/* A permutation in which every bit of x moves about half of all bits (the finish of MurmurHash3). */
static uint64_t mix (uint64_t x)
{
  x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}

void hash_finish (const struct hash *hash, uint8_t digest[HASH_BYTES])
{
  struct hash last = *hash;
  const size_t n_rest = hash->n_bytes % ROUND_BYTES;
  uint64_t halves[2] = { hash->n_bytes, ~hash->n_bytes };
  if (n_rest > 0) {
    memset (last.rest + n_rest, 0, ROUND_BYTES - n_rest);
    run_round (last.lanes, last.rest);
  }
  for (int i = 0; i < 4; i++) {
    halves[0] = mix (halves[0] ^ last.lanes[i]);
    halves[1] = mix (halves[1] + rotate (last.lanes[i], 32) * factors[i]);
  }
  for (int i = 0; i < HASH_BYTES; i++)
    digest[i] = (uint8_t)(halves[i / 8] >> (8 * (i % 8)));
}
