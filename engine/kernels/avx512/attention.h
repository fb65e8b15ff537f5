/* attention.h: what both attention kernels of the AVX-512 path share: sixteen F32 lanes, and the turning of keys. */
#ifndef LECTERN_AVX512_ATTENTION_H
#define LECTERN_AVX512_ATTENTION_H

#include "engine/kernels/attention_tile.h"
#include "engine/kernels/avx512/avx512.h"

#define LANES 16
#define BLOCK_ROWS 6
#define BLOCK_VECTORS 4

typedef __m512 vec;
typedef uint32_t vec_bits __attribute__ ((vector_size (64)));

INLINE vec vec_load (const float *from)
{
  return _mm512_loadu_ps (from);
}

INLINE void vec_store (float *to, vec v)
{
  _mm512_storeu_ps (to, v);
}

INLINE vec vec_all (float x)
{
  return _mm512_set1_ps (x);
}

INLINE vec vec_fma (vec a, vec b, vec c)
{
  return _mm512_fmadd_ps (a, b, c);
}

INLINE vec vec_max (vec a, vec b)
{
  return _mm512_max_ps (a, b);
}

INLINE float vec_largest (vec v)
{
  const __m256 half = _mm256_max_ps (_mm512_castps512_ps256 (v), _mm512_extractf32x8_ps (v, 1));
  __m128 most = _mm_max_ps (_mm256_castps256_ps128 (half), _mm256_extractf128_ps (half, 1));
  most = _mm_max_ps (most, _mm_movehl_ps (most, most));
  return _mm_cvtss_f32 (_mm_max_ss (most, _mm_movehdup_ps (most)));
}

/* A bit for each lane below `at`. */
INLINE uint32_t lanes_below (uint32_t index, uint32_t at)
{
  return at <= index ? 0 : at - index >= LANES ? 0xffff : (1u << (at - index)) - 1;
}

INLINE vec vec_keep (vec v, uint32_t index, uint32_t begin, uint32_t end, vec other)
{
  return _mm512_mask_mov_ps (other, (__mmask16)(lanes_below (index, end) & ~lanes_below (index, begin)), v);
}

INLINE vec vec_keep_sign (vec v, vec x)
{
  return _mm512_or_ps (v, _mm512_and_ps (x, _mm512_set1_ps (-0.0f)));
}

/* Four words of sixteen rows: to[i * ATTENTION_TILE + r] = rows[r * stride + i]. Rows 0, 4, 8 and 12 meet in one vector,
 * and so on, so that only words within 128 bits are left to be turned. */
INLINE void transpose_4_words (const uint32_t *rows, size_t stride, uint32_t *to)
{
  __m512i quads[4];
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; i++) {
    const uint32_t *row = rows + i * stride;
    quads[i] = _mm512_castsi128_si512 (load_128 (row));
    quads[i] = _mm512_mask_broadcast_i32x4 (quads[i], 0x00f0, load_128 (row + 4 * stride));
    quads[i] = _mm512_mask_broadcast_i32x4 (quads[i], 0x0f00, load_128 (row + 8 * stride));
    quads[i] = _mm512_mask_broadcast_i32x4 (quads[i], 0xf000, load_128 (row + 12 * stride));
  }
  const __m512i a = _mm512_unpacklo_epi32 (quads[0], quads[1]), b = _mm512_unpackhi_epi32 (quads[0], quads[1]);
  const __m512i c = _mm512_unpacklo_epi32 (quads[2], quads[3]), d = _mm512_unpackhi_epi32 (quads[2], quads[3]);
  _mm512_storeu_si512 (to, _mm512_unpacklo_epi64 (a, c));
  _mm512_storeu_si512 (to + ATTENTION_TILE, _mm512_unpackhi_epi64 (a, c));
  _mm512_storeu_si512 (to + 2 * ATTENTION_TILE, _mm512_unpacklo_epi64 (b, d));
  _mm512_storeu_si512 (to + 3 * ATTENTION_TILE, _mm512_unpackhi_epi64 (b, d));
}

#endif
