/* random-blocks.h: the random blocks behind the digests of vectors.txt. The program that asks llama.cpp and the test
 * that asks Lectern share it, so that both mean the same bytes. */
#ifndef RANDOM_BLOCKS_H
#define RANDOM_BLOCKS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
  N_RANDOM_BLOCKS = 4096, /* every point of the largest grid (2048) comes some sixty times */
  BLOCK_ITEMS_MAX = 256,
  BLOCK_BYTES_MAX = 256,
};

static inline uint8_t random_byte (uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint8_t)(*state >> 56);
}

/* All bytes may be anything, factors included: infinities and NaNs too. */
static inline void fill_random_block (uint64_t *state, uint8_t *block, size_t block_bytes)
{
  for (size_t i = 0; i < block_bytes; i++)
    block[i] = random_byte (state);
}

/* FNV-1a over the weights' bits. Minus zero counts as zero, and all NaNs are one. */
#define DIGEST_START 0xcbf29ce484222325u

static inline uint64_t add_to_digest (uint64_t digest, const float *weights, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = 0;
    if (isnan (weights[i]))
      bits = 0x7fc00000;
    else if (weights[i] != 0)
      memcpy (&bits, &weights[i], sizeof bits);
    for (int byte = 0; byte < 4; byte++)
      digest = (digest ^ (bits >> (8 * byte) & 255)) * 0x100000001b3u;
  }
  return digest;
}

#endif
