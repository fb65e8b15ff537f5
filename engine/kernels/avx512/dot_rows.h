/* dot_rows.h: what the AVX-512 kernels for few tokens share.
 *
 * Sixteen rows are taken together, a block of each at a time. The integer products of a row and a token are left in the
 * 16 lanes of a vector; four such vectors, then four of the results, are added across lanes by shuffles that also
 * transpose, so that a vector with one sum for each row comes out and the float step of the block is done once.
 *
 * Sixteen rows are as many streams as the CPU's own prefetching follows badly: while a group is worked on the next one,
 * which lies behind it in memory, is fetched to the L2 cache from its beginning to its end (measured: 10 without, 25
 * GB/s with it on one Zen 4 core). */
#ifndef LECTERN_KERNELS_AVX512_DOT_ROWS_H
#define LECTERN_KERNELS_AVX512_DOT_ROWS_H

#include "engine/kernels/avx512/avx512.h"

enum { DOT_ROWS = 16 }; /* at once */

/* Sixteen rows; those beyond the last are the last again. */
struct row_group {
  const uint8_t *rows[DOT_ROWS];
  const uint8_t *next; /* the group after it, or where there is none this one */
  __mmask16 valid;
};

INLINE struct row_group get_row_group (const uint8_t *w, size_t row_bytes, size_t n_rows)
{
  struct row_group group = { .next = n_rows > DOT_ROWS ? w + DOT_ROWS * row_bytes : w,
                             .valid = (__mmask16)(n_rows < DOT_ROWS ? (1u << n_rows) - 1 : 0xffff) };
  for (size_t r = 0; r < DOT_ROWS; r++)
    group.rows[r] = w + (r < n_rows ? r : n_rows - 1) * row_bytes;
  return group;
}

INLINE void fetch (const uint8_t *bytes, size_t n)
{
  for (size_t line = 0; line < n; line += 64)
    _mm_prefetch ((const char *)bytes + line, _MM_HINT_T1);
}

INLINE __m512i loadu_512 (const void *bytes)
{
  return _mm512_loadu_si512 (bytes);
}

/* Dword i of each 128-bit lane is the sum of that lane of rows[i]. */
INLINE __m512i add_within_lanes (const __m512i rows[4])
{
  const __m512i even
      = _mm512_add_epi32 (_mm512_unpacklo_epi32 (rows[0], rows[1]), _mm512_unpackhi_epi32 (rows[0], rows[1]));
  const __m512i odd
      = _mm512_add_epi32 (_mm512_unpacklo_epi32 (rows[2], rows[3]), _mm512_unpackhi_epi32 (rows[2], rows[3]));
  return _mm512_add_epi32 (_mm512_unpacklo_epi64 (even, odd), _mm512_unpackhi_epi64 (even, odd));
}

/* Lanes 0 and 1 of a, then of b: each with its neighbour added. */
INLINE __m512i add_lane_pairs (__m512i a, __m512i b)
{
  return _mm512_add_epi32 (_mm512_shuffle_i64x2 (a, b, 0x88), _mm512_shuffle_i64x2 (a, b, 0xdd));
}

/* dot_rows() from the kernel of sixteen rows: one token, the most frequent, has code of its own. */
#define DOT_ROWS_AVX512(name, kernel, which)                                                                           \
  void dot_rows_##name##_avx512 (const uint8_t *w, size_t row_bytes, size_t n_rows, const void *x, size_t x_bytes,     \
                                 unsigned n_tokens, size_t n_items, float *out, size_t out_stride)                     \
  {                                                                                                                    \
    for (size_t r = 0; r < n_rows; r += DOT_ROWS) {                                                                    \
      const struct row_group group = get_row_group (w + r * row_bytes, row_bytes, n_rows - r);                         \
      if (n_tokens == 1)                                                                                               \
        kernel (which, &group, x, x_bytes, 1, n_items, out + r, out_stride);                                           \
      else                                                                                                             \
        kernel (which, &group, x, x_bytes, n_tokens, n_items, out + r, out_stride);                                    \
    }                                                                                                                  \
  }

#endif
