/* unpack_iq.h: the I-quants in blocks of 256: grid points or single values out of a codebook, under small scales.
 * Scales that ggml writes as (1/2 + s) / 4 or 1 + 2 s are odd numbers here, with the factor in d. */
#ifndef LECTERN_UNPACK_IQ_H
#define LECTERN_UNPACK_IQ_H

#include "engine/gguf/block.h"
#include "engine/gguf/codebook.h"
#include "engine/gguf/unpack_small.h"

static inline uint32_t load_u32 (const uint8_t *bytes)
{
  return (uint32_t)load_u16 (bytes) | (uint32_t)load_u16 (bytes + 2) << 16;
}

static inline void set_no_minimum (struct super_block *block)
{
  block->dmin = 0;
  memset (block->minimum, 0, sizeof block->minimum);
}

/* Scale 2 s + 1 of group i, s being nibble i of `bytes`. */
static inline int8_t get_odd_scale (const uint8_t *bytes, int i)
{
  return (int8_t)(2 * (bytes[i / 2] >> (i % 2 * 4) & 15) + 1);
}

/* Weights of a grid point; those whose bit in `signs` is set are negative. */
static inline void put_signed_point (const int8_t *point, uint32_t signs, int n, int8_t *q)
{
  for (int i = 0; i < n; i++)
    q[i] = (int8_t)(signs >> i & 1 ? -point[i] : point[i]);
}

/* IQ4_XS: d:f16, high scale bits:2, low scale bits:4, nibbles:128. Eight 6-bit scales, minus 32, for 32 weights each:
 * four bits in a nibble, two more as a pair of the high bits. Nibbles as in IQ4_NL. */
static inline void unpack_iq4_xs (const uint8_t *bytes, struct super_block *block)
{
  const uint32_t high = load_u16 (bytes + 2);
  block->d = load_f16 (bytes);
  set_no_minimum (block);
  for (int i = 0; i < 8; i++) {
    const uint32_t scale = (bytes[4 + i / 2] >> (i % 2 * 4) & 15u) | (high >> (2 * i) & 3) << 4;
    block->scale[2 * i] = block->scale[2 * i + 1] = (int8_t)((int)scale - 32);
    unpack_codebook_4_bits (bytes + 8 + 16 * i, codebook_iq4, block->q + 32 * i);
  }
}

/* IQ2_XXS: d:f16, then 8 bytes for each 32 weights: four grid indexes, four times seven signs, a scale in the last four
 * bits. */
static inline void unpack_iq2_xxs (const uint8_t *bytes, struct super_block *block)
{
  block->d = 0.125f * load_f16 (bytes);
  set_no_minimum (block);
  bytes += 2;
  for (int i = 0; i < 8; i++, bytes += 8) {
    const uint32_t rest = load_u32 (bytes + 4);
    block->scale[2 * i] = block->scale[2 * i + 1] = (int8_t)(2 * (rest >> 28) + 1);
    for (int j = 0; j < 4; j++)
      put_signed_point (codebook_iq2_xxs[bytes[j]], complete_signs (rest >> (7 * j) & 127), 8,
                        block->q + 32 * i + 8 * j);
  }
}

/* IQ2_XS: d:f16, then 2 bytes for each 8 weights: nine bits of grid index, seven signs; a nibble of scale for each 16.
 * */
static inline void unpack_iq2_xs (const uint8_t *bytes, struct super_block *block)
{
  block->d = 0.125f * load_f16 (bytes);
  set_no_minimum (block);
  for (int i = 0; i < 16; i++)
    block->scale[i] = get_odd_scale (bytes + 66, i);
  for (int i = 0; i < 32; i++) {
    const uint32_t point = load_u16 (bytes + 2 + 2 * i);
    put_signed_point (codebook_iq2_xs[point & 511], complete_signs (point >> 9), 8, block->q + 8 * i);
  }
}

/* IQ2_S: d:f16, low bits of the grid indexes:32, signs:32, high bits:8, scales:8. Pair j of byte i of the high bits
 * belongs to the point 4 i + j. */
static inline void unpack_iq2_s (const uint8_t *bytes, struct super_block *block)
{
  block->d = 0.125f * load_f16 (bytes);
  set_no_minimum (block);
  for (int i = 0; i < 16; i++)
    block->scale[i] = get_odd_scale (bytes + 74, i);
  for (int i = 0; i < 32; i++) {
    const int high = bytes[66 + i / 4] >> (i % 4 * 2) & 3;
    put_signed_point (codebook_iq2_s[bytes[2 + i] | high << 8], bytes[34 + i], 8, block->q + 8 * i);
  }
}

/* IQ3_XXS: d:f16, grid indexes:64 (of four weights each), then four times seven signs and a scale for each 32 weights,
 * as in IQ2_XXS. */
static inline void unpack_iq3_xxs (const uint8_t *bytes, struct super_block *block)
{
  block->d = 0.25f * load_f16 (bytes);
  set_no_minimum (block);
  for (int i = 0; i < 8; i++) {
    const uint32_t rest = load_u32 (bytes + 66 + 4 * i);
    block->scale[2 * i] = block->scale[2 * i + 1] = (int8_t)(2 * (rest >> 28) + 1);
    for (int j = 0; j < 8; j++)
      put_signed_point (codebook_iq3_xxs[bytes[2 + 8 * i + j]],
                        (uint32_t)complete_signs (rest >> (j / 2 * 7) & 127) >> (j % 2 * 4), 4,
                        block->q + 32 * i + 4 * j);
  }
}

/* IQ3_S: d:f16, low bits of the grid indexes:64, high bits:8 (bit i of all is that of point i), signs:32, scales:4. */
static inline void unpack_iq3_s (const uint8_t *bytes, struct super_block *block)
{
  block->d = load_f16 (bytes);
  set_no_minimum (block);
  for (int i = 0; i < 16; i++)
    block->scale[i] = get_odd_scale (bytes + 106, i / 2);
  for (int i = 0; i < 64; i++) {
    const int high = bytes[66 + i / 8] >> (i % 8) & 1;
    put_signed_point (codebook_iq3_s[bytes[2 + i] | high << 8], (uint32_t)bytes[74 + i / 2] >> (i % 2 * 4), 4,
                      block->q + 4 * i);
  }
}

/* The weights of IQ1 are those of the grid plus or minus an eighth: here, eight times that. */
static inline void put_shifted_point (const int8_t *point, bool is_minus, int8_t *q)
{
  for (int i = 0; i < 8; i++)
    q[i] = (int8_t)(8 * point[i] + (is_minus ? -1 : 1));
}

/* IQ1_S: d:f16, low bits of the grid indexes:32, then 2 bytes for each 32 weights: three high bits for each of the four
 * points, three bits of scale, the sign of the shift. */
static inline void unpack_iq1_s (const uint8_t *bytes, struct super_block *block)
{
  block->d = 0.125f * load_f16 (bytes);
  set_no_minimum (block);
  for (int i = 0; i < 8; i++) {
    const int rest = load_u16 (bytes + 34 + 2 * i);
    block->scale[2 * i] = block->scale[2 * i + 1] = (int8_t)(2 * (rest >> 12 & 7) + 1);
    for (int j = 0; j < 4; j++)
      put_shifted_point (codebook_iq1[bytes[2 + 4 * i + j] | (rest >> (3 * j) & 7) << 8], rest >> 15,
                         block->q + 32 * i + 8 * j);
  }
}

/* IQ1_M: low bits of the grid indexes:32, a nibble for each point:16 (three high bits, the sign of the shift),
 * scales:8. Each 16-bit part of the scales holds four of three bits and, above them, four bits of d:f16, the lowest
 * first. */
static inline void unpack_iq1_m (const uint8_t *bytes, struct super_block *block)
{
  uint32_t d = 0;
  for (int i = 0; i < 4; i++) {
    const uint32_t part = load_u16 (bytes + 48 + 2 * i);
    d |= part >> 12 << (4 * i);
    for (int j = 0; j < 4; j++)
      block->scale[4 * i + j] = (int8_t)(2 * (part >> (3 * j) & 7) + 1);
  }
  block->d = 0.125f * f32_of_f16 ((uint16_t)d);
  set_no_minimum (block);
  for (int i = 0; i < 32; i++) {
    const int rest = bytes[32 + i / 2] >> (i % 2 * 4) & 15;
    put_shifted_point (codebook_iq1[bytes[i] | (rest & 7) << 8], rest >> 3, block->q + 8 * i);
  }
}

#endif
