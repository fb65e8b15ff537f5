/* unpack_small.h: the types in blocks of 32. */
#ifndef LECTERN_UNPACK_SMALL_H
#define LECTERN_UNPACK_SMALL_H

#include "engine/gguf/block.h"
#include "engine/gguf/codebook.h"

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

static inline void unpack_codebook_4_bits (const uint8_t *nibbles, const int8_t codebook[16], int8_t *q)
{
  for (int i = 0; i < 16; i++) {
    q[i] = codebook[nibbles[i] & 15];
    q[i + 16] = codebook[nibbles[i] >> 4];
  }
}

/* IQ4_NL: d:f16, nibbles as in Q4_0, which name one of sixteen values. */
static inline void unpack_iq4_nl (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_f16 (bytes);
  block->m = 0;
  unpack_codebook_4_bits (bytes + 2, codebook_iq4, block->q);
}

/* MXFP4: exponent:1, nibbles as in Q4_0. The scale is 2^(exponent - 127), halved here as the codebook is doubled; the
 * two smallest are subnormal. (The OCP specification makes 255 a NaN; ggml goes on counting.) */
static inline float load_mxfp4_scale (const uint8_t *bytes)
{
  return f32_of_bits (bytes[0] < 2 ? 0x200000u << bytes[0] : (uint32_t)(bytes[0] - 1) << 23);
}

static inline void unpack_mxfp4 (const uint8_t *bytes, struct small_block *block)
{
  block->d = load_mxfp4_scale (bytes);
  block->m = 0;
  unpack_codebook_4_bits (bytes + 1, codebook_fp4, block->q);
}

#endif
