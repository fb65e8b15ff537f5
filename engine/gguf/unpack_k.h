/* unpack_k.h: the K-quants and the ternary types, in blocks of 256. */
#ifndef LECTERN_UNPACK_K_H
#define LECTERN_UNPACK_K_H

#include "engine/gguf/block.h"

/* Q2_K: scales:16, bit pairs:64, d:f16, dmin:f16. A byte of the scales holds one in its low nibble and a minimum in the
 * high one. Each half of 128 weights has 32 bytes of bit pairs; pair j of byte i belongs to weight 32 j + i. */
static inline void unpack_q2_k (const uint8_t *bytes, struct super_block *block)
{
  block->d = load_f16 (bytes + 80);
  block->dmin = load_f16 (bytes + 82);
  for (int i = 0; i < 16; i++) {
    block->scale[i] = bytes[i] & 15;
    block->minimum[i] = bytes[i] >> 4;
  }
  for (int i = 0; i < 64; i++)
    for (int pair = 0; pair < 4; pair++)
      block->q[i / 32 * 128 + 32 * pair + i % 32] = bytes[16 + i] >> (2 * pair) & 3;
}

/* The 12 bytes in which Q3_K keeps sixteen 6-bit scales: the low four bits of the first eight in the low nibbles of
 * bytes 0..7, of the others in the high ones; the two top bits of scale i are pair i / 4 of byte 8 + i % 4. Minus 32.
 * */
static inline void unpack_scales_q3_k (const uint8_t *bytes, int8_t scale[16])
{
  for (int i = 0; i < 16; i++)
    scale[i] = (int8_t)(((bytes[i % 8] >> (i / 8 * 4) & 15) | (bytes[8 + i % 4] >> (i / 4 * 2) & 3) << 4) - 32);
}

/* Q3_K: high bits:32, bit pairs:64, scales:12, d:f16; minus 4. Pairs as in Q2_K; bit j of byte i of the high bits
 * belongs to weight 32 j + i. */
static inline void unpack_q3_k (const uint8_t *bytes, struct super_block *block)
{
  block->d = load_f16 (bytes + 108);
  block->dmin = 0;
  memset (block->minimum, 0, sizeof block->minimum);
  unpack_scales_q3_k (bytes + 96, block->scale);
  for (int i = 0; i < 64; i++)
    for (int pair = 0; pair < 4; pair++)
      block->q[i / 32 * 128 + 32 * pair + i % 32]
          = (int8_t)(((bytes[32 + i] >> (2 * pair) & 3) | (bytes[i % 32] >> (i / 32 * 4 + pair) & 1) << 2) - 4);
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

/* All weights under one scale. */
static inline void set_one_scale (struct super_block *block, float d)
{
  block->d = d;
  block->dmin = 0;
  memset (block->minimum, 0, sizeof block->minimum);
  memset (block->scale, 1, sizeof block->scale);
}

/* Digit `place` (0 is the first, five at most) of a byte of TQ1_0. The byte is the number 0.abcde in base 3 as a
 * fraction of 256, rounded up: multiplying by 3 moves a digit before the point, and what is above 256 falls off. */
static inline int8_t get_ternary_digit (uint8_t byte, int place)
{
  static const uint8_t power[5] = { 1, 3, 9, 27, 81 };
  return (int8_t)(((uint8_t)(byte * power[place]) * 3 >> 8) - 1);
}

/* TQ1_0: digits:48 and 4 more, d:f16. Digit j of byte i of the first 32 is weight 32 j + i, of the next sixteen weight
 * 160 + 16 j + i, of the last four (which hold four digits each) weight 240 + 4 j + i. */
static inline void unpack_tq1_0 (const uint8_t *bytes, struct super_block *block)
{
  set_one_scale (block, load_f16 (bytes + 52));
  for (int place = 0; place < 5; place++) {
    for (int i = 0; i < 32; i++)
      block->q[32 * place + i] = get_ternary_digit (bytes[i], place);
    for (int i = 0; i < 16; i++)
      block->q[160 + 16 * place + i] = get_ternary_digit (bytes[32 + i], place);
    for (int i = 0; i < 4 && place < 4; i++)
      block->q[240 + 4 * place + i] = get_ternary_digit (bytes[48 + i], place);
  }
}

/* TQ2_0: bit pairs:64 as in Q2_K, minus 1; d:f16. */
static inline void unpack_tq2_0 (const uint8_t *bytes, struct super_block *block)
{
  set_one_scale (block, load_f16 (bytes + 64));
  for (int i = 0; i < 64; i++)
    for (int pair = 0; pair < 4; pair++)
      block->q[i / 32 * 128 + 32 * pair + i % 32] = (int8_t)((bytes[i] >> (2 * pair) & 3) - 1);
}

#endif
