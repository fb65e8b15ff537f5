/* load_super.h: blocks of 256 quantised weights to vectors, for every path that has AVX2. */
#ifndef LECTERN_KERNELS_LOAD_SUPER_H
#define LECTERN_KERNELS_LOAD_SUPER_H

#include "engine/kernels/avx2/iq.h"

#define SUPER_BYTES(type, name, block_bytes, has_minimum) [TENSOR_##type] = block_bytes,
static const size_t super_block_bytes[TENSOR_N_TYPES] = { SUPER_BLOCK_TYPES (SUPER_BYTES) };

/* The eight 6-bit scales of Q4_K and Q5_K in bytes 0..7, the minimums in bytes 8..15. See unpack_scales_6_bit(). */
INLINE __m128i unpack_scales (const uint8_t *bytes)
{
  uint32_t a, b, c;
  memcpy (&a, bytes, 4);
  memcpy (&b, bytes + 4, 4);
  memcpy (&c, bytes + 8, 4);
  return _mm_setr_epi32 ((int)(a & 0x3f3f3f3f), (int)((c & 0x0f0f0f0f) | (a >> 2 & 0x30303030)), (int)(b & 0x3f3f3f3f),
                         (int)((c >> 4 & 0x0f0f0f0f) | (b >> 2 & 0x30303030)));
}

INLINE void unpack_q4_or_q5 (enum tensor_type type, const uint8_t *block, __m256i q[8])
{
  const __m256i nibble = _mm256_set1_epi8 (15), fifth = _mm256_set1_epi8 (16);
  const uint8_t *low = block + (type == TENSOR_Q4_K ? 16 : 48);
  for (int i = 0; i < 4; i++) {
    const __m256i nibbles = load_256 (low + 32 * i);
    q[2 * i] = _mm256_and_si256 (nibbles, nibble);
    q[2 * i + 1] = _mm256_and_si256 (_mm256_srli_epi16 (nibbles, 4), nibble);
  }
  if (type == TENSOR_Q5_K) {
    const __m256i high = load_256 (block + 16);
    for (int i = 0; i < 8; i++)
      q[i] = _mm256_or_si256 (
          q[i], _mm256_and_si256 (i < 4 ? _mm256_slli_epi16 (high, 4 - i) : _mm256_srli_epi16 (high, i - 4), fifth));
  }
}

INLINE void load_q4_or_q5 (enum tensor_type type, const uint8_t *block, struct vectors *out)
{
  const __m128i scales = unpack_scales (block + 4);
  unpack_q4_or_q5 (type, block, out->q);
  out->scale = _mm_unpacklo_epi8 (scales, scales);
  out->minimum = _mm_unpackhi_epi8 (scales, scales);
  out->d = load_f16_fast (block);
  out->dmin = load_f16_fast (block + 2);
}

INLINE void load_q6_k (const uint8_t *block, struct vectors *out)
{
  const __m256i nibble = _mm256_set1_epi8 (15), pair = _mm256_set1_epi8 (0x30);
  for (int half = 0; half < 2; half++) {
    const __m256i low = load_256 (block + 64 * half), low_2 = load_256 (block + 64 * half + 32);
    const __m256i high = load_256 (block + 128 + 32 * half);
    __m256i *q = out->q + 4 * half;
    q[0] = _mm256_or_si256 (_mm256_and_si256 (low, nibble), _mm256_and_si256 (_mm256_slli_epi16 (high, 4), pair));
    q[1] = _mm256_or_si256 (_mm256_and_si256 (low_2, nibble), _mm256_and_si256 (_mm256_slli_epi16 (high, 2), pair));
    q[2] = _mm256_or_si256 (_mm256_and_si256 (_mm256_srli_epi16 (low, 4), nibble), _mm256_and_si256 (high, pair));
    q[3] = _mm256_or_si256 (_mm256_and_si256 (_mm256_srli_epi16 (low_2, 4), nibble),
                            _mm256_and_si256 (_mm256_srli_epi16 (high, 2), pair));
  }
  out->scale = load_128 (block + 192);
  out->d = load_f16_fast (block + 208);
}

/* The bit pairs of Q2_K, Q3_K and TQ2_0. */
INLINE void unpack_pairs (const uint8_t *pairs, __m256i q[8])
{
  const __m256i pair = _mm256_set1_epi8 (3);
  for (int half = 0; half < 2; half++) {
    const __m256i packed = load_256 (pairs + 32 * half);
    for (int i = 0; i < 4; i++)
      q[4 * half + i] = _mm256_and_si256 (_mm256_srli_epi16 (packed, 2 * i), pair);
  }
}

INLINE void load_q2_k (const uint8_t *block, struct vectors *out)
{
  const __m128i scales = load_128 (block), nibble = _mm_set1_epi8 (15);
  unpack_pairs (block + 16, out->q);
  out->scale = _mm_and_si128 (scales, nibble);
  out->minimum = _mm_and_si128 (_mm_srli_epi16 (scales, 4), nibble);
  out->d = load_f16_fast (block + 80);
  out->dmin = load_f16_fast (block + 82);
}

/* See unpack_scales_q3_k(). */
INLINE __m128i load_scales_q3_k (const uint8_t *bytes)
{
  const __m128i packed = _mm_loadl_epi64 ((const __m128i *)bytes);
  const __m128i low = _mm_and_si128 (_mm_unpacklo_epi64 (packed, _mm_srli_epi16 (packed, 4)), _mm_set1_epi8 (15));
  const int pairs = (int)load_u32 (bytes + 8);
  const __m128i high = _mm_and_si128 (_mm_setr_epi32 (pairs << 4, pairs << 2, pairs, pairs >> 2), _mm_set1_epi8 (0x30));
  return _mm_sub_epi8 (_mm_or_si128 (low, high), _mm_set1_epi8 (32));
}

INLINE void load_q3_k (const uint8_t *block, struct vectors *out)
{
  const __m256i high = load_256 (block), third = _mm256_set1_epi8 (4);
  unpack_pairs (block + 32, out->q);
  for (int i = 0; i < 8; i++)
    out->q[i] = _mm256_or_si256 (
        out->q[i], _mm256_and_si256 (i < 2 ? _mm256_slli_epi16 (high, 2 - i) : _mm256_srli_epi16 (high, i - 2), third));
  out->scale = load_scales_q3_k (block + 96);
  out->d = load_f16_fast (block + 108);
}

INLINE void load_iq4_xs (const uint8_t *block, struct vectors *out)
{
  const __m256i pairs
      = _mm256_srlv_epi32 (_mm256_set1_epi32 (load_u16 (block + 2)), _mm256_setr_epi32 (0, 2, 4, 6, 8, 10, 12, 14));
  const __m256i nibbles = _mm256_srlv_epi32 (_mm256_set1_epi32 ((int)load_u32 (block + 4)),
                                             _mm256_setr_epi32 (0, 4, 8, 12, 16, 20, 24, 28));
  const __m256i scales
      = _mm256_sub_epi32 (_mm256_or_si256 (_mm256_and_si256 (nibbles, _mm256_set1_epi32 (15)),
                                           _mm256_slli_epi32 (_mm256_and_si256 (pairs, _mm256_set1_epi32 (3)), 4)),
                          _mm256_set1_epi32 (32));
  const __m128i words = _mm_packs_epi32 (_mm256_castsi256_si128 (scales), _mm256_extracti128_si256 (scales, 1));
  const __m128i bytes = _mm_packs_epi16 (words, words);
  for (int i = 0; i < 8; i++)
    out->q[i] = look_up (codebook_iq4, unpack_nibbles (block + 8 + 16 * i));
  out->scale = _mm_unpacklo_epi8 (bytes, bytes);
  out->d = load_f16_fast (block);
}

INLINE void load_tq2_0 (const uint8_t *block, struct vectors *out)
{
  unpack_pairs (block, out->q);
  for (int i = 0; i < 8; i++)
    out->q[i] = _mm256_sub_epi8 (out->q[i], _mm256_set1_epi8 (1));
  out->scale = _mm_set1_epi8 (1);
  out->d = load_f16_fast (block + 64);
}

INLINE void load_super (enum tensor_type type, const uint8_t *block, struct vectors *out)
{
  out->minimum = _mm_setzero_si128 ();
  out->dmin = 0;
  switch (type) {
  case TENSOR_Q2_K: load_q2_k (block, out); break;
  case TENSOR_Q3_K: load_q3_k (block, out); break;
  case TENSOR_Q4_K:
  case TENSOR_Q5_K: load_q4_or_q5 (type, block, out); break;
  case TENSOR_Q6_K: load_q6_k (block, out); break;
  case TENSOR_IQ4_XS: load_iq4_xs (block, out); break;
  case TENSOR_IQ3_S: load_iq3_s (block, out); break;
  case TENSOR_IQ3_XXS: load_iq3_xxs (block, out); break;
  case TENSOR_IQ2_S: load_iq2_s (block, out); break;
  case TENSOR_IQ2_XS: load_iq2_xs (block, out); break;
  case TENSOR_IQ2_XXS: load_iq2_xxs (block, out); break;
  case TENSOR_IQ1_M: load_iq1_m (block, out); break;
  case TENSOR_IQ1_S: load_iq1_s (block, out); break;
  case TENSOR_TQ1_0: load_tq1_0 (block, out); break;
  default: load_tq2_0 (block, out); break;
  }
}

#endif
