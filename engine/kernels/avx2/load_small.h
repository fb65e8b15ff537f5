/* load_small.h: blocks of 32 quantised weights to vectors, for every path that has AVX2. Weights are unpacked without
 * their offset, to 0..15 or 0..31; those of Q8_0 and of codebooks stay signed. */
#ifndef LECTERN_KERNELS_LOAD_SMALL_H
#define LECTERN_KERNELS_LOAD_SMALL_H

#include "engine/gguf/unpack_small.h"
#include "engine/kernels/avx2/avx2.h"

#define SMALL_BYTES(type, name, block_bytes, has_minimum) [TENSOR_##type] = block_bytes,
#define SMALL_HAS_MINIMUM(type, name, block_bytes, has_minimum) [TENSOR_##type] = has_minimum,
static const size_t small_block_bytes[TENSOR_N_TYPES] = { SMALL_BLOCK_TYPES (SMALL_BYTES) };
static const bool small_has_minimum[TENSOR_N_TYPES] = { SMALL_BLOCK_TYPES (SMALL_HAS_MINIMUM) };

/* Bit i of the four bytes becomes 16 in byte i. */
INLINE __m256i unpack_fifth_bits (const uint8_t *bytes)
{
  return _mm256_and_si256 (spread_bits (broadcast_4_bytes (bytes)), _mm256_set1_epi8 (16));
}

INLINE __m256i unpack_small (enum tensor_type type, const uint8_t *block)
{
  switch (type) {
  case TENSOR_Q4_0: return unpack_nibbles (block + 2);
  case TENSOR_Q4_1: return unpack_nibbles (block + 4);
  case TENSOR_Q5_0: return _mm256_or_si256 (unpack_nibbles (block + 6), unpack_fifth_bits (block + 2));
  case TENSOR_Q5_1: return _mm256_or_si256 (unpack_nibbles (block + 8), unpack_fifth_bits (block + 4));
  case TENSOR_IQ4_NL: return look_up (codebook_iq4, unpack_nibbles (block + 2));
  case TENSOR_MXFP4: return look_up (codebook_fp4, unpack_nibbles (block + 1));
  default: return load_256 (block + 2); /* Q8_0 */
  }
}

INLINE float load_scale (enum tensor_type type, const uint8_t *block)
{
  return type == TENSOR_MXFP4 ? load_mxfp4_scale (block) : load_f16_fast (block);
}

INLINE __m128 load_4_scales (enum tensor_type type, const uint8_t *block)
{
  const size_t bytes = small_block_bytes[type];
  if (type == TENSOR_MXFP4)
    return _mm_setr_ps (load_mxfp4_scale (block), load_mxfp4_scale (block + bytes),
                        load_mxfp4_scale (block + 2 * bytes), load_mxfp4_scale (block + 3 * bytes));
  return _mm_cvtph_ps (_mm_setr_epi16 ((short)load_u16 (block), (short)load_u16 (block + bytes),
                                       (short)load_u16 (block + 2 * bytes), (short)load_u16 (block + 3 * bytes), 0, 0,
                                       0, 0));
}

#endif
