/* iq.h: the I-quants and TQ1_0 to vectors. What the bytes mean is written down in unpack_iq.h and unpack_k.h;
 * this does the same, 32 weights at a time. */
#ifndef LECTERN_KERNELS_AVX2_IQ_H
#define LECTERN_KERNELS_AVX2_IQ_H

#include "engine/gguf/unpack_iq.h"
#include "engine/gguf/unpack_k.h"
#include "engine/kernels/avx2/avx2.h"

INLINE long long load_point_8 (const int8_t *point)
{
  long long bytes;
  memcpy (&bytes, point, sizeof bytes);
  return bytes;
}

INLINE int load_point_4 (const int8_t *point)
{
  int bytes;
  memcpy (&bytes, point, sizeof bytes);
  return bytes;
}

/* Weights become negative where their bit in `signs` is set. */
INLINE __m256i apply_signs (__m256i weights, uint32_t signs)
{
  const __m256i minus = spread_bits (_mm256_set1_epi32 ((int)signs));
  return _mm256_sub_epi8 (_mm256_xor_si256 (weights, minus), minus);
}

/* Four bytes of seven signs and a zero; the eighth makes the number of minus signs even, as complete_signs() does. */
INLINE uint32_t complete_4_signs (uint32_t sevens)
{
  uint32_t parity = sevens ^ sevens >> 4; /* of each byte, in its lowest bit */
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return sevens | (parity & 0x01010101) << 7;
}

/* Four times seven bits, one after another, to bytes. */
INLINE uint32_t spread_sevens (uint32_t bits)
{
  return (bits & 0x7f) | (bits << 1 & 0x7f00) | (bits << 2 & 0x7f0000) | (bits << 3 & 0x7f000000);
}

/* The nibbles s of eight bytes, in order, to 2 s + 1. */
INLINE __m128i unpack_odd_scales (__m128i packed)
{
  const __m128i nibbles = _mm_and_si128 (_mm_unpacklo_epi8 (packed, _mm_srli_epi16 (packed, 4)), _mm_set1_epi8 (15));
  return _mm_add_epi8 (_mm_add_epi8 (nibbles, nibbles), _mm_set1_epi8 (1));
}

/* Eight scales s, each in the top four bits of a dword, to 2 s + 1, twice each. */
INLINE __m128i double_top_scales (__m256i dwords)
{
  const __m256i top = _mm256_srli_epi32 (dwords, 28);
  const __m256i odd = _mm256_add_epi32 (_mm256_add_epi32 (top, top), _mm256_set1_epi32 (1));
  const __m128i words = _mm_packs_epi32 (_mm256_castsi256_si128 (odd), _mm256_extracti128_si256 (odd, 1));
  const __m128i bytes = _mm_packs_epi16 (words, words);
  return _mm_unpacklo_epi8 (bytes, bytes);
}

INLINE void load_iq2_xxs (const uint8_t *block, struct vectors *out)
{
  uint32_t rest[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const uint8_t *points = block + 2 + 8 * i;
    rest[i] = load_u32 (points + 4);
    out->q[i] = apply_signs (
        _mm256_setr_epi64x (load_point_8 (codebook_iq2_xxs[points[0]]), load_point_8 (codebook_iq2_xxs[points[1]]),
                            load_point_8 (codebook_iq2_xxs[points[2]]), load_point_8 (codebook_iq2_xxs[points[3]])),
        complete_4_signs (spread_sevens (rest[i])));
  }
  out->scale = double_top_scales (load_256 (rest));
  out->d = 0.125f * load_f16_fast (block);
}

INLINE void load_iq2_xs (const uint8_t *block, struct vectors *out)
{
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    uint32_t points[4], sevens = 0;
    for (int j = 0; j < 4; j++) {
      points[j] = load_u16 (block + 2 + 8 * i + 2 * j);
      sevens |= points[j] >> 9 << (8 * j);
    }
    out->q[i] = apply_signs (_mm256_setr_epi64x (load_point_8 (codebook_iq2_xs[points[0] & 511]),
                                                 load_point_8 (codebook_iq2_xs[points[1] & 511]),
                                                 load_point_8 (codebook_iq2_xs[points[2] & 511]),
                                                 load_point_8 (codebook_iq2_xs[points[3] & 511])),
                             complete_4_signs (sevens));
  }
  out->scale = unpack_odd_scales (_mm_loadl_epi64 ((const __m128i *)(block + 66)));
  out->d = 0.125f * load_f16_fast (block);
}

INLINE void load_iq2_s (const uint8_t *block, struct vectors *out)
{
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const uint8_t *low = block + 2 + 4 * i;
    const int high = block[66 + i] << 8;
    out->q[i] = apply_signs (_mm256_setr_epi64x (load_point_8 (codebook_iq2_s[low[0] | (high & 0x300)]),
                                                 load_point_8 (codebook_iq2_s[low[1] | (high >> 2 & 0x300)]),
                                                 load_point_8 (codebook_iq2_s[low[2] | (high >> 4 & 0x300)]),
                                                 load_point_8 (codebook_iq2_s[low[3] | (high >> 6 & 0x300)])),
                             load_u32 (block + 34 + 4 * i));
  }
  out->scale = unpack_odd_scales (_mm_loadl_epi64 ((const __m128i *)(block + 74)));
  out->d = 0.125f * load_f16_fast (block);
}

INLINE void load_iq3_xxs (const uint8_t *block, struct vectors *out)
{
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    int points[8];
    for (int j = 0; j < 8; j++)
      points[j] = load_point_4 (codebook_iq3_xxs[block[2 + 8 * i + j]]);
    out->q[i] = apply_signs (load_256 (points), complete_4_signs (spread_sevens (load_u32 (block + 66 + 4 * i))));
  }
  out->scale = double_top_scales (load_256 (block + 66));
  out->d = 0.25f * load_f16_fast (block);
}

INLINE void load_iq3_s (const uint8_t *block, struct vectors *out)
{
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const int high = block[66 + i] << 8;
    int points[8];
    for (int j = 0; j < 8; j++)
      points[j] = load_point_4 (codebook_iq3_s[block[2 + 8 * i + j] | (high >> j & 0x100)]);
    out->q[i] = apply_signs (load_256 (points), load_u32 (block + 74 + 4 * i));
  }
  const __m128i scales = unpack_odd_scales (_mm_cvtsi32_si128 ((int)load_u32 (block + 106)));
  out->scale = _mm_unpacklo_epi8 (scales, scales);
  out->d = load_f16_fast (block);
}

/* Four points of IQ1, times eight; `shift` holds 1 or -1 for each. */
INLINE __m256i load_points_iq1 (const int index[4], __m256i shift)
{
  const __m256i points
      = _mm256_setr_epi64x (load_point_8 (codebook_iq1[index[0]]), load_point_8 (codebook_iq1[index[1]]),
                            load_point_8 (codebook_iq1[index[2]]), load_point_8 (codebook_iq1[index[3]]));
  const __m256i twice = _mm256_add_epi8 (points, points), four = _mm256_add_epi8 (twice, twice);
  return _mm256_add_epi8 (_mm256_add_epi8 (four, four), shift);
}

INLINE void load_iq1_s (const uint8_t *block, struct vectors *out)
{
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const uint8_t *low = block + 2 + 4 * i;
    const int rest = load_u16 (block + 34 + 2 * i);
    const int index[4] = { low[0] | (rest << 8 & 0x700), low[1] | (rest << 5 & 0x700), low[2] | (rest << 2 & 0x700),
                           low[3] | (rest >> 1 & 0x700) };
    out->q[i] = load_points_iq1 (index, _mm256_set1_epi8 (rest & 0x8000 ? -1 : 1));
  }
  /* the three bits below the top one, twice each */
  const __m128i rest = _mm_and_si128 (_mm_srli_epi16 (load_128 (block + 34), 12), _mm_set1_epi16 (7));
  const __m128i odd = _mm_add_epi16 (_mm_add_epi16 (rest, rest), _mm_set1_epi16 (1));
  out->scale = _mm_or_si128 (odd, _mm_slli_epi16 (odd, 8));
  out->d = 0.125f * load_f16_fast (block);
}

INLINE void load_iq1_m (const uint8_t *block, struct vectors *out)
{
  int8_t scale[16];
  uint32_t d = 0;
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const uint8_t *low = block + 4 * i;
    const int rest = load_u16 (block + 32 + 2 * i);
    const int index[4] = { low[0] | (rest << 8 & 0x700), low[1] | (rest << 4 & 0x700), low[2] | (rest & 0x700),
                           low[3] | (rest >> 4 & 0x700) };
    const __m256i minus = _mm256_setr_epi64x (-(rest >> 3 & 1), -(rest >> 7 & 1), -(rest >> 11 & 1), -(rest >> 15));
    out->q[i] = load_points_iq1 (index, _mm256_or_si256 (minus, _mm256_set1_epi8 (1)));
  }
  for (int i = 0; i < 4; i++) {
    const uint32_t part = load_u16 (block + 48 + 2 * i);
    d |= part >> 12 << (4 * i);
    for (int j = 0; j < 4; j++)
      scale[4 * i + j] = (int8_t)(2 * (part >> (3 * j) & 7) + 1);
  }
  out->scale = load_128 (scale);
  out->d = 0.125f * _cvtsh_ss ((uint16_t)d);
}

/* Digit `place` of each byte: see get_ternary_digit(). */
INLINE __m256i get_ternary_digits (__m256i bytes, int place)
{
  static const short power[5] = { 1, 3, 9, 27, 81 };
  const __m256i low = _mm256_set1_epi16 (255), factor = _mm256_set1_epi16 (power[place]);
  const __m256i even = _mm256_and_si256 (_mm256_mullo_epi16 (bytes, factor), low);
  const __m256i odd = _mm256_and_si256 (_mm256_mullo_epi16 (_mm256_srli_epi16 (bytes, 8), factor), low);
  const __m256i three = _mm256_set1_epi16 (3), high = _mm256_set1_epi16 ((short)0xff00);
  return _mm256_sub_epi8 (_mm256_or_si256 (_mm256_srli_epi16 (_mm256_mullo_epi16 (even, three), 8),
                                           _mm256_and_si256 (_mm256_mullo_epi16 (odd, three), high)),
                          _mm256_set1_epi8 (1));
}

INLINE void load_tq1_0 (const uint8_t *block, struct vectors *out)
{
  const __m256i first = load_256 (block), second = _mm256_broadcastsi128_si256 (load_128 (block + 32));
  const __m256i last = broadcast_4_bytes (block + 48);
#pragma GCC unroll 5
  for (int place = 0; place < 5; place++)
    out->q[place] = get_ternary_digits (first, place);
  /* sixteen weights a digit: two digits to a vector; then four times four */
  out->q[5] = _mm256_blend_epi32 (get_ternary_digits (second, 0), get_ternary_digits (second, 1), 0xf0);
  out->q[6] = _mm256_blend_epi32 (get_ternary_digits (second, 2), get_ternary_digits (second, 3), 0xf0);
  const __m256i pair = _mm256_blend_epi32 (get_ternary_digits (last, 0), get_ternary_digits (last, 1), 0xaa);
  const __m256i pair_2 = _mm256_blend_epi32 (get_ternary_digits (last, 2), get_ternary_digits (last, 3), 0xaa);
  out->q[7] = _mm256_blend_epi32 (get_ternary_digits (second, 4), _mm256_blend_epi32 (pair, pair_2, 0xcc), 0xf0);
  out->scale = _mm_set1_epi8 (1);
  out->d = load_f16_fast (block + 52);
}

#endif
