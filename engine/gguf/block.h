/* block.h: what the bytes of one quantised block mean. Shared by the dequantisers and the reference kernels, so that
 * each layout is written down once. Layouts are ggml's (ggml-common.h); numbers are little-endian.
 *
 * A quantised weight is an integer q, a scale and sometimes a minimum per group of weights:
 *   weight = d * scale * q - dmin * minimum */
#ifndef LECTERN_BLOCK_H
#define LECTERN_BLOCK_H

#include "engine/gguf/half.h"

enum {
  BLOCK_ITEMS = 32,        /* Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 */
  SUPER_BLOCK_ITEMS = 256, /* the K-quants */
};

/* Blocks of 32 with one scale (and one minimum): weight = d * q + m. */
struct small_block {
  float d, m;
  int8_t q[BLOCK_ITEMS];
};

/* K-quants as groups of 16: weight = d * scale[i/16] * q[i] - dmin * minimum[i/16]. */
struct super_block {
  float d, dmin;
  int8_t scale[16]; /* Q4_K and Q5_K: 6 bits, the same for two neighbours */
  uint8_t minimum[16];
  int8_t q[SUPER_BLOCK_ITEMS];
};

/* Q4_0: d:f16, 16 bytes of nibbles; the low nibbles are weights 0..15, the high ones 16..31, both minus 8. */
static inline void unpack_q4_0 (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_f16 (bytes);
  block->m = 0;
  for (int i = 0; i < 16; i++) {
    block->q[i] = (int8_t)((bytes[2 + i] & 15) - 8);
    block->q[i + 16] = (int8_t)((bytes[2 + i] >> 4) - 8);
  }
}

/* Q4_1: d:f16, m:f16, nibbles as in Q4_0 but from 0. */
static inline void unpack_q4_1 (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_f16 (bytes);
  block->m = load_f16 (bytes + 2);
  for (int i = 0; i < 16; i++) {
    block->q[i] = (int8_t)(bytes[4 + i] & 15);
    block->q[i + 16] = (int8_t)(bytes[4 + i] >> 4);
  }
}

/* Bit i of the four bytes at `high` is bit 4 of weight i; the nibbles are the rest, as in Q4_0. */
static inline void unpack_5_bits (const uint8_t *high, const uint8_t *low, int offset, int8_t *q)
{
  for (int i = 0; i < 16; i++) {
    q[i] = (int8_t)(((low[i] & 15) | (high[i / 8] >> (i % 8) & 1) << 4) - offset);
    q[i + 16] = (int8_t)((low[i] >> 4 | (high[i / 8 + 2] >> (i % 8) & 1) << 4) - offset);
  }
}

/* Q5_0: d:f16, high bits:4, nibbles:16; minus 16. */
static inline void unpack_q5_0 (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_f16 (bytes);
  block->m = 0;
  unpack_5_bits (bytes + 2, bytes + 6, 16, block->q);
}

/* Q5_1: d:f16, m:f16, high bits:4, nibbles:16. */
static inline void unpack_q5_1 (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_f16 (bytes);
  block->m = load_f16 (bytes + 2);
  unpack_5_bits (bytes + 4, bytes + 8, 0, block->q);
}

/* Q8_0: d:f16, 32 signed bytes. */
static inline void unpack_q8_0 (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_f16 (bytes);
  block->m = 0;
  memcpy (block->q, bytes + 2, BLOCK_ITEMS);
}

/* The 12 bytes in which Q4_K and Q5_K keep eight 6-bit scales and eight 6-bit minimums: bytes 0..3 and 4..7 hold the
 * first four of each, with the top two bits of the last four above them; bytes 8..11 hold the low four bits of the last
 * four scales (low nibble) and minimums (high nibble). */
static inline void unpack_scales_6_bit (const uint8_t *bytes, uint8_t scale[8], uint8_t minimum[8])
{
  for (int i = 0; i < 4; i++) {
    scale[i] = bytes[i] & 63;
    minimum[i] = bytes[4 + i] & 63;
    scale[4 + i] = (uint8_t)((bytes[8 + i] & 15) | bytes[i] >> 6 << 4);
    minimum[4 + i] = (uint8_t)(bytes[8 + i] >> 4 | bytes[4 + i] >> 6 << 4);
  }
}

static inline void unpack_head_k (const uint8_t *bytes, struct super_block *block)
{
  uint8_t scale[8], minimum[8];
  block->d = load_f16 (bytes);
  block->dmin = load_f16 (bytes + 2);
  unpack_scales_6_bit (bytes + 4, scale, minimum);
  for (int i = 0; i < 16; i++) {
    block->scale[i] = (int8_t)scale[i / 2];
    block->minimum[i] = minimum[i / 2];
  }
}

/* Q4_K: d:f16, dmin:f16, scales:12, nibbles:128; each 32 bytes of nibbles are 32 weights low, then 32 high. */
static inline void unpack_q4_k (const uint8_t *bytes, struct super_block *block)
{
  unpack_head_k (bytes, block);
  for (int i = 0; i < 128; i++) {
    int8_t *q = block->q + i / 32 * 64 + i % 32;
    q[0] = (int8_t)(bytes[16 + i] & 15);
    q[32] = (int8_t)(bytes[16 + i] >> 4);
  }
}

/* Q5_K: as Q4_K with 32 bytes of high bits before the nibbles: bit j of byte i belongs to weight 32 j + i. */
static inline void unpack_q5_k (const uint8_t *bytes, struct super_block *block)
{
  unpack_head_k (bytes, block);
  for (int i = 0; i < 128; i++) {
    int8_t *q = block->q + i / 32 * 64 + i % 32;
    const int high = bytes[16 + i % 32] >> (i / 32 * 2);
    q[0] = (int8_t)((bytes[48 + i] & 15) | (high & 1) << 4);
    q[32] = (int8_t)(bytes[48 + i] >> 4 | (high >> 1 & 1) << 4);
  }
}

/* Q6_K: low 4 bits:128, high 2 bits:64, scales:16 signed, d:f16; minus 32. Each half of 128 weights has 64 bytes of
 * nibbles and 32 bytes of bit pairs; pair j of byte i belongs to weight 32 j + i. */
static inline void unpack_q6_k (const uint8_t *bytes, struct super_block *block)
{
  const uint8_t *low = bytes, *high = bytes + 128;
  memcpy (block->scale, bytes + 192, 16);
  memset (block->minimum, 0, sizeof block->minimum);
  block->d = load_f16 (bytes + 208);
  block->dmin = 0;
  for (int half = 0; half < 2; half++, low += 64, high += 32)
    for (int i = 0; i < 32; i++) {
      int8_t *q = block->q + 128 * half + i;
      q[0] = (int8_t)(((low[i] & 15) | (high[i] & 3) << 4) - 32);
      q[32] = (int8_t)(((low[i + 32] & 15) | (high[i] >> 2 & 3) << 4) - 32);
      q[64] = (int8_t)((low[i] >> 4 | (high[i] >> 4 & 3) << 4) - 32);
      q[96] = (int8_t)((low[i + 32] >> 4 | (high[i] >> 6 & 3) << 4) - 32);
    }
}

#endif
