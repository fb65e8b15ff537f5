/* load.h: blocks of quantised weights to vectors of signed bytes. What the bytes mean is written down in
 * engine/gguf/unpack_*.h, which also unpack the I-quants and TQ1_0 here; this does the common types, 16 at a time. */
#ifndef LECTERN_KERNELS_NEON_LOAD_H
#define LECTERN_KERNELS_NEON_LOAD_H

#include "engine/gguf/unpack_iq.h"
#include "engine/gguf/unpack_k.h"
#include "engine/kernels/neon/neon.h"

#define BLOCK_BYTES(type, name, block_bytes, has_minimum) [TENSOR_##type] = block_bytes,
#define HAS_MINIMUM(type, name, block_bytes, has_minimum) [TENSOR_##type] = has_minimum,
static const size_t quant_block_bytes[TENSOR_N_TYPES]
    = { SMALL_BLOCK_TYPES (BLOCK_BYTES) SUPER_BLOCK_TYPES (BLOCK_BYTES) };
static const bool quant_has_minimum[TENSOR_N_TYPES]
    = { SMALL_BLOCK_TYPES (HAS_MINIMUM) SUPER_BLOCK_TYPES (HAS_MINIMUM) };

/* Types of 256 whose scales and minimums are for 32 weights, so that two equal ones follow each other. */
INLINE bool has_groups_of_32 (enum tensor_type type)
{
  return type == TENSOR_Q4_K || type == TENSOR_Q5_K || type == TENSOR_IQ4_XS;
}

/* ---- blocks of 32 ---------------------------------------------------------------------------------------- */

struct small_vectors {
  int8x16_t q[2];
  float d, m;
};

INLINE void unpack_nibbles (const uint8_t *bytes, uint8x16_t q[2])
{
  const uint8x16_t packed = vld1q_u8 (bytes);
  q[0] = vandq_u8 (packed, vdupq_n_u8 (15));
  q[1] = vshrq_n_u8 (packed, 4);
}

/* Sets bit 4 of the sixteen bytes whose bit in the two bytes at `bits` is set. */
INLINE uint8x16_t set_fifth_bits (uint8x16_t q, const uint8_t *bits)
{
  const uint8x16_t which = vreinterpretq_u8_u64 (vdupq_n_u64 (0x8040201008040201u));
  const uint8x16_t spread = vcombine_u8 (vdup_n_u8 (bits[0]), vdup_n_u8 (bits[1]));
  return vorrq_u8 (q, vandq_u8 (vtstq_u8 (spread, which), vdupq_n_u8 (16)));
}

INLINE void load_nibbles (const uint8_t *bytes, int offset, struct small_vectors *out)
{
  uint8x16_t q[2];
  unpack_nibbles (bytes, q);
  for (int i = 0; i < 2; i++)
    out->q[i] = vsubq_s8 (vreinterpretq_s8_u8 (q[i]), vdupq_n_s8 ((int8_t)offset));
}

INLINE void load_5_bits (const uint8_t *high, const uint8_t *low, int offset, struct small_vectors *out)
{
  uint8x16_t q[2];
  unpack_nibbles (low, q);
  for (int i = 0; i < 2; i++)
    out->q[i] = vsubq_s8 (vreinterpretq_s8_u8 (set_fifth_bits (q[i], high + 2 * i)), vdupq_n_s8 ((int8_t)offset));
}

INLINE void load_codebook (const uint8_t *bytes, const int8_t codebook[16], int8x16_t out[2])
{
  uint8x16_t q[2];
  unpack_nibbles (bytes, q);
  for (int i = 0; i < 2; i++)
    out[i] = vqtbl1q_s8 (vld1q_s8 (codebook), q[i]);
}

INLINE void load_small (enum tensor_type type, const uint8_t *block, struct small_vectors *out)
{
  out->d = type == TENSOR_MXFP4 ? load_mxfp4_scale (block) : load_f16_fast (block);
  out->m = quant_has_minimum[type] ? load_f16_fast (block + 2) : 0;
  switch (type) {
  case TENSOR_Q4_0: load_nibbles (block + 2, 8, out); break;
  case TENSOR_Q4_1: load_nibbles (block + 4, 0, out); break;
  case TENSOR_Q5_0: load_5_bits (block + 2, block + 6, 16, out); break;
  case TENSOR_Q5_1: load_5_bits (block + 4, block + 8, 0, out); break;
  case TENSOR_IQ4_NL: load_codebook (block + 2, codebook_iq4, out->q); break;
  case TENSOR_MXFP4: load_codebook (block + 1, codebook_fp4, out->q); break;
  default: /* Q8_0 */
    for (int i = 0; i < 2; i++)
      out->q[i] = vreinterpretq_s8_u8 (vld1q_u8 (block + 2 + 16 * i));
  }
}

/* ---- blocks of 256 --------------------------------------------------------------------------------------- */

/* 16 weights to a vector, in order; the scales and minimums of groups of 16. */
struct super_vectors {
  int8x16_t q[16];
  int8x16_t scale;
  uint8x16_t minimum;
  float d, dmin;
};

/* Nibbles: each 32 bytes are 32 weights low, then 32 high. Q5_K's fifth bits: bit j of byte i is of weight 32 j + i. */
INLINE void load_q4_or_q5 (enum tensor_type type, const uint8_t *block, struct super_vectors *out)
{
  const uint8_t *low = block + (type == TENSOR_Q4_K ? 16 : 48);
  uint8_t factors[16];
  unpack_scales_6_bit (block + 4, factors, factors + 8);
  const uint8x16_t both = vld1q_u8 (factors);
  out->scale = vreinterpretq_s8_u8 (vzip1q_u8 (both, both));
  out->minimum = vzip2q_u8 (both, both);
  for (int i = 0; i < 4; i++)
    for (int half = 0; half < 2; half++) {
      const uint8x16_t packed = vld1q_u8 (low + 32 * i + 16 * half);
      uint8x16_t first = vandq_u8 (packed, vdupq_n_u8 (15)), second = vshrq_n_u8 (packed, 4);
      if (type == TENSOR_Q5_K) {
        const uint8x16_t high = vshlq_u8 (vld1q_u8 (block + 16 + 16 * half), vdupq_n_s8 ((int8_t)(-2 * i)));
        first = vorrq_u8 (first, vshlq_n_u8 (vandq_u8 (high, vdupq_n_u8 (1)), 4));
        second = vorrq_u8 (second, vshlq_n_u8 (vandq_u8 (high, vdupq_n_u8 (2)), 3));
      }
      out->q[4 * i + half] = vreinterpretq_s8_u8 (first);
      out->q[4 * i + 2 + half] = vreinterpretq_s8_u8 (second);
    }
  out->d = load_f16_fast (block);
  out->dmin = load_f16_fast (block + 2);
}

INLINE int8x16_t join_q6_k (uint8x16_t nibble, uint8x16_t pair)
{
  return vsubq_s8 (vreinterpretq_s8_u8 (vorrq_u8 (nibble, vandq_u8 (pair, vdupq_n_u8 (0x30)))), vdupq_n_s8 (32));
}

INLINE void load_q6_k (const uint8_t *block, struct super_vectors *out)
{
  const uint8x16_t nibble = vdupq_n_u8 (15);
  for (int i = 0; i < 4; i++) { /* 16 bytes of pairs */
    const uint8_t *bytes = block + 64 * (i / 2) + 16 * (i % 2);
    const uint8x16_t low = vld1q_u8 (bytes), low_2 = vld1q_u8 (bytes + 32), high = vld1q_u8 (block + 128 + 16 * i);
    int8x16_t *q = out->q + 8 * (i / 2) + i % 2;
    q[0] = join_q6_k (vandq_u8 (low, nibble), vshlq_n_u8 (high, 4));
    q[2] = join_q6_k (vandq_u8 (low_2, nibble), vshlq_n_u8 (high, 2));
    q[4] = join_q6_k (vshrq_n_u8 (low, 4), high);
    q[6] = join_q6_k (vshrq_n_u8 (low_2, 4), vshrq_n_u8 (high, 2));
  }
  out->scale = vreinterpretq_s8_u8 (vld1q_u8 (block + 192));
  out->d = load_f16_fast (block + 208);
}

/* The bit pairs of Q2_K, Q3_K and TQ2_0, minus `offset`. */
INLINE void load_pairs (const uint8_t *pairs, int offset, int8x16_t q[16])
{
  for (int i = 0; i < 4; i++) {
    const uint8x16_t packed = vld1q_u8 (pairs + 16 * i);
    for (int j = 0; j < 4; j++) {
      const uint8x16_t pair = vandq_u8 (vshlq_u8 (packed, vdupq_n_s8 ((int8_t)(-2 * j))), vdupq_n_u8 (3));
      q[8 * (i / 2) + 2 * j + i % 2] = vsubq_s8 (vreinterpretq_s8_u8 (pair), vdupq_n_s8 ((int8_t)offset));
    }
  }
}

INLINE void load_q2_k (const uint8_t *block, struct super_vectors *out)
{
  const uint8x16_t scales = vld1q_u8 (block);
  load_pairs (block + 16, 0, out->q);
  out->scale = vreinterpretq_s8_u8 (vandq_u8 (scales, vdupq_n_u8 (15)));
  out->minimum = vshrq_n_u8 (scales, 4);
  out->d = load_f16_fast (block + 80);
  out->dmin = load_f16_fast (block + 82);
}

INLINE void load_q3_k (const uint8_t *block, struct super_vectors *out)
{
  int8_t scale[16];
  unpack_scales_q3_k (block + 96, scale);
  load_pairs (block + 32, 4, out->q);
  for (int i = 0; i < 16; i++) { /* bit i / 2 of 16 bytes */
    const uint8x16_t set = vtstq_u8 (vld1q_u8 (block + 16 * (i % 2)), vdupq_n_u8 ((uint8_t)(1 << (i / 2))));
    out->q[i] = vaddq_s8 (out->q[i], vreinterpretq_s8_u8 (vandq_u8 (set, vdupq_n_u8 (4))));
  }
  out->scale = vld1q_s8 (scale);
  out->d = load_f16_fast (block + 108);
}

INLINE void load_iq4_xs (const uint8_t *block, struct super_vectors *out)
{
  const uint32_t high = load_u16 (block + 2);
  int8_t scale[16];
  for (int i = 0; i < 8; i++) {
    const uint32_t bits = (block[4 + i / 2] >> (i % 2 * 4) & 15u) | (high >> (2 * i) & 3) << 4;
    scale[2 * i] = scale[2 * i + 1] = (int8_t)((int)bits - 32);
    load_codebook (block + 8 + 16 * i, codebook_iq4, out->q + 2 * i);
  }
  out->scale = vld1q_s8 (scale);
  out->d = load_f16_fast (block);
}

/* The types without vectors of their own: through the reference's form. */
INLINE void load_unpacked (void (*unpack) (const uint8_t *, struct super_block *), const uint8_t *block,
                           struct super_vectors *out)
{
  struct super_block plain;
  unpack (block, &plain);
  for (int i = 0; i < 16; i++)
    out->q[i] = vld1q_s8 (plain.q + 16 * i);
  out->scale = vld1q_s8 (plain.scale);
  out->d = plain.d;
}

INLINE void load_super (enum tensor_type type, const uint8_t *block, struct super_vectors *out)
{
  out->minimum = vdupq_n_u8 (0);
  out->dmin = 0;
  switch (type) {
  case TENSOR_Q2_K: load_q2_k (block, out); break;
  case TENSOR_Q3_K: load_q3_k (block, out); break;
  case TENSOR_Q4_K:
  case TENSOR_Q5_K: load_q4_or_q5 (type, block, out); break;
  case TENSOR_Q6_K: load_q6_k (block, out); break;
  case TENSOR_IQ4_XS: load_iq4_xs (block, out); break;
  case TENSOR_IQ3_S: load_unpacked (unpack_iq3_s, block, out); break;
  case TENSOR_IQ3_XXS: load_unpacked (unpack_iq3_xxs, block, out); break;
  case TENSOR_IQ2_S: load_unpacked (unpack_iq2_s, block, out); break;
  case TENSOR_IQ2_XS: load_unpacked (unpack_iq2_xs, block, out); break;
  case TENSOR_IQ2_XXS: load_unpacked (unpack_iq2_xxs, block, out); break;
  case TENSOR_IQ1_M: load_unpacked (unpack_iq1_m, block, out); break;
  case TENSOR_IQ1_S: load_unpacked (unpack_iq1_s, block, out); break;
  case TENSOR_TQ1_0: load_unpacked (unpack_tq1_0, block, out); break;
  default: /* TQ2_0 */
    load_pairs (block, 1, out->q);
    out->scale = vdupq_n_s8 (1);
    out->d = load_f16_fast (block + 64);
  }
}

#endif
