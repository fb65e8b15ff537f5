/* avx2.h: what the AVX2 files share. Only files compiled with -mavx2 -mfma -mf16c may include it.
 *
 * Panels hold rows in the lanes, eight to a part: each vector is four columns of eight rows, so that `vpmaddubsw` with four
 * broadcast activation bytes gives two 16-bit sums per row. Small weights let several of these be added in 16 bits
 * before one `vpmaddwd` applies the scale and widens: eight for 4 bits (8 * 2 * 15 * 127 = 30480), four for 5 bits
 * (4 * 2 * 31 * 127 = 31496), two for 6 bits (2 * 2 * 63 * 127 = 32004). Products stay exact integers until the end of
 * a block, where the float arithmetic is the reference's, operation by operation. */
#ifndef LECTERN_KERNELS_AVX2_H
#define LECTERN_KERNELS_AVX2_H

#include "engine/gguf/block.h"
#include "engine/kernels/kernels.h"
#include <immintrin.h>

#define INLINE static inline __attribute__ ((always_inline))

INLINE __m256i load_256 (const void *bytes)
{
  return _mm256_loadu_si256 ((const __m256i *)bytes);
}

INLINE __m128i load_128 (const void *bytes)
{
  return _mm_loadu_si128 ((const __m128i *)bytes);
}

/* Into the L2 cache. */
INLINE void fetch (const uint8_t *bytes, size_t n)
{
  for (size_t line = 0; line < n; line += 64)
    _mm_prefetch ((const char *)bytes + line, _MM_HINT_T1);
}

INLINE __m256i broadcast_4_bytes (const void *bytes)
{
  int32_t value;
  memcpy (&value, bytes, sizeof value);
  return _mm256_set1_epi32 (value);
}

INLINE __m128i add_halves (__m256i v)
{
  return _mm_add_epi32 (_mm256_castsi256_si128 (v), _mm256_extracti128_si256 (v, 1));
}

INLINE int sum_i32_128 (__m128i v)
{
  v = _mm_add_epi32 (v, _mm_shuffle_epi32 (v, 0x4e));
  return _mm_cvtsi128_si32 (_mm_add_epi32 (v, _mm_shuffle_epi32 (v, 0xb1)));
}

INLINE int sum_i32 (__m256i v)
{
  return sum_i32_128 (add_halves (v));
}

INLINE float sum_f32 (__m256 v)
{
  __m128 half = _mm_add_ps (_mm256_castps256_ps128 (v), _mm256_extractf128_ps (v, 1));
  half = _mm_add_ps (half, _mm_movehl_ps (half, half));
  return _mm_cvtss_f32 (_mm_add_ss (half, _mm_movehdup_ps (half)));
}

INLINE float load_f16_fast (const uint8_t *bytes)
{
  return _cvtsh_ss (load_u16 (bytes));
}

INLINE __m256i unpack_nibbles (const uint8_t *bytes)
{
  const __m128i packed = load_128 (bytes);
  return _mm256_and_si256 (_mm256_set_m128i (_mm_srli_epi16 (packed, 4), packed), _mm256_set1_epi8 (15));
}

/* Byte i of the result is 255 if bit i of the dword, which all lanes hold, is set, else 0. */
INLINE __m256i spread_bits (__m256i dword)
{
  const __m256i spread = _mm256_setr_epi8 (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                                           3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x ((long long)0x8040201008040201u);
  return _mm256_cmpeq_epi8 (_mm256_and_si256 (_mm256_shuffle_epi8 (dword, spread), bit), bit);
}

/* The value that each nibble names. */
INLINE __m256i look_up (const int8_t codebook[16], __m256i nibbles)
{
  return _mm256_shuffle_epi8 (_mm256_broadcastsi128_si256 (load_128 (codebook)), nibbles);
}

/* Products of 32 bytes in 16-bit pairs. |w| <= 128 and |x| <= 127, so a pair fits. */
INLINE __m256i multiply_bytes (bool is_signed, __m256i w, __m256i x)
{
  if (is_signed)
    return _mm256_maddubs_epi16 (_mm256_abs_epi8 (w), _mm256_sign_epi8 (x, w));
  return _mm256_maddubs_epi16 (w, x);
}

/* rows[r] holds eight dwords of row r; afterwards rows[i] holds dword i of the eight rows. */
INLINE void transpose_dwords (__m256i rows[8])
{
  __m256i pairs[8], quads[8];
  for (int i = 0; i < 4; i++) {
    pairs[2 * i] = _mm256_unpacklo_epi32 (rows[2 * i], rows[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_epi32 (rows[2 * i], rows[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    quads[4 * i] = _mm256_unpacklo_epi64 (pairs[4 * i], pairs[4 * i + 2]);
    quads[4 * i + 1] = _mm256_unpackhi_epi64 (pairs[4 * i], pairs[4 * i + 2]);
    quads[4 * i + 2] = _mm256_unpacklo_epi64 (pairs[4 * i + 1], pairs[4 * i + 3]);
    quads[4 * i + 3] = _mm256_unpackhi_epi64 (pairs[4 * i + 1], pairs[4 * i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm256_permute2x128_si256 (quads[i], quads[4 + i], 0x20);
    rows[4 + i] = _mm256_permute2x128_si256 (quads[i], quads[4 + i], 0x31);
  }
}

/* rows[r] holds eight dwords of row r: dword i goes to lane `first` + r of the panel's dwords i. */
INLINE void scatter_dwords (__m256i rows[8], void *out, size_t first)
{
  transpose_dwords (rows);
  for (size_t i = 0; i < 8; i++)
    _mm256_store_si256 ((__m256i *)((uint8_t *)out + (i * PANEL_ROWS + first) * 4), rows[i]);
}

INLINE void store_transposed (__m256i rows[8], void *out)
{
  transpose_dwords (rows);
  for (int i = 0; i < 8; i++)
    _mm256_store_si256 ((__m256i *)out + i, rows[i]);
}

/* A block of 256 weights, 32 to a vector, in order; the scales and minimums of groups of 16. */
struct vectors {
  __m256i q[8];
  __m128i scale, minimum;
  float d, dmin;
};

/* Panels are made of four parts of eight rows. */
enum { PART_ROWS = 8, PANEL_PARTS = PANEL_ROWS / PART_ROWS, PANEL_TOKENS_AVX2 = 4 };

/* multiply() for each number of tokens, so that the sums stay in registers. */
#define MULTIPLY_AVX2(name, kind, which)                                                                               \
  static void multiply_##name##_avx2 (const uint8_t *panel, const void *x, size_t x_bytes, unsigned n_tokens,          \
                                      size_t n_items, float *sums)                                                     \
  {                                                                                                                    \
    const struct kind##_part *parts = (const struct kind##_part *)panel;                                               \
    for (size_t i = 0; i < PANEL_PARTS; i++, parts += kind##_part_length, sums += PART_ROWS)                           \
      switch (n_tokens) {                                                                                              \
      case 4: multiply_##kind (which, parts, x, x_bytes, 4, n_items, sums); break;                                     \
      case 3: multiply_##kind (which, parts, x, x_bytes, 3, n_items, sums); break;                                     \
      case 2: multiply_##kind (which, parts, x, x_bytes, 2, n_items, sums); break;                                     \
      default: multiply_##kind (which, parts, x, x_bytes, 1, n_items, sums); break;                                    \
      }                                                                                                                \
  }

/* Each quantised type's row of the table: in small_blocks.c and super_blocks.c. */
#define DECLARE_AVX2(type, name, block_bytes, has_minimum)                                                             \
  extern const struct kernel_type name##_avx2;                                                                         \
  float dot_##name##_avx2 (const uint8_t *w, const void *x, size_t n_items);
SMALL_BLOCK_TYPES (DECLARE_AVX2)
SUPER_BLOCK_TYPES (DECLARE_AVX2)

/* In avx2.c. Wider paths take what they have no better kernel for. */
extern const struct kernel_type f32_avx2, f16_avx2, bf16_avx2;
void quantise_q8_avx2 (const float *x, struct q8_block *out, size_t n_items);
void quantise_q8_k_avx2 (const float *x, struct q8_k_block *out, size_t n_items);
float dot_f32_avx2 (const float *a, const float *b, size_t n);
void f32_to_f16_avx2 (const float *x, uint16_t *y, size_t n);
void f16_to_f32_avx2 (const uint16_t *x, float *y, size_t n);
void q8_0_to_f32_avx2 (const uint8_t *x, float *y, size_t n_items);

/* The same for the paths' tables. */
#define HELPERS_AVX2                                                                                                   \
  .quantise_q8 = quantise_q8_avx2, .quantise_q8_k = quantise_q8_k_avx2, .dot_f32 = dot_f32_avx2,                       \
  .f32_to_f16 = f32_to_f16_avx2, .f16_to_f32 = f16_to_f32_avx2, .q8_0_to_f32 = q8_0_to_f32_avx2

#endif
