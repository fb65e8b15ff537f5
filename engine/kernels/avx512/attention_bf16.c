/* attention_bf16.c: attention with products of bf16 pairs (VDPBF16PS) and F32 sums. Compiled for AVX512_BF16 as well. */
#include "engine/kernels/avx512/attention.h"

/* ---- operands -------------------------------------------------------------------------------------------- */

typedef __m512i word_vec;

INLINE word_vec words_load (const uint32_t *words)
{
  return _mm512_loadu_si512 (words);
}

INLINE word_vec words_all (const uint32_t *word)
{
  return _mm512_set1_epi32 ((int32_t)*word);
}

INLINE vec vec_step (vec sum, word_vec a, word_vec b)
{
  return _mm512_dpbf16_ps (sum, (__m512bh)a, (__m512bh)b);
}

/* The sums are those of neighbours: products with ones. */
INLINE vec put_weights (float *scores, const vec *weights, vec total)
{
  const word_vec ones = _mm512_set1_epi16 (0x3f80);
#pragma GCC unroll 2
  for (unsigned v = 0; v < ATTENTION_TILE / LANES; v += 2) {
    const word_vec rounded = (word_vec)_mm512_cvtne2ps_pbh (weights[v + 1], weights[v]);
    _mm512_storeu_si512 ((uint16_t *)(void *)scores + v * LANES, rounded);
    total = vec_step (total, rounded, ones);
  }
  return total;
}

/* 7e-6 off, where rounding to bf16 is 2e-3. */
INLINE vec vec_power_of_2 (vec x)
{
  const vec n = _mm512_roundscale_ps (x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), r = x - n;
  vec p = vec_all (0.00965671029f);
  p = vec_fma (p, r, vec_all (0.0558382829f));
  p = vec_fma (p, r, vec_all (0.240225301f));
  p = vec_fma (p, r, vec_all (0.693136734f));
  p = vec_fma (p, r, vec_all (1));
  return _mm512_scalef_ps (p, n);
}

/* ---- packing --------------------------------------------------------------------------------------------- */

/* Items [at, at + 16) of a row as floats, those from head_dim on 0. */
INLINE vec load_16 (enum tensor_type type, const uint8_t *row, uint32_t at, uint32_t head_dim)
{
  const uint32_t left = head_dim - at;
  const __mmask16 mask = left < LANES ? (__mmask16)((1u << left) - 1) : 0xffff;
  if (type == TENSOR_F32)
    return _mm512_maskz_loadu_ps (mask, row + 4 * at);
  if (type == TENSOR_F16)
    return _mm512_cvtph_ps (_mm256_maskz_loadu_epi16 (mask, row + 2 * at));
  const uint8_t *block = row + at / 32 * 34; /* of Q8_0 */
  const __m512i q = _mm512_cvtepi8_epi32 (_mm_maskz_loadu_epi8 (mask, block + 2 + at % 32));
  return _mm512_cvtepi32_ps (q) * vec_all (load_f16_fast (block));
}

INLINE void round_row (enum tensor_type type, const uint8_t *row, uint32_t head_dim, uint32_t *words)
{
  uint32_t at = 0;
  for (; at + LANES < head_dim; at += 2 * LANES)
    _mm512_storeu_si512 (words + at / 2, (word_vec)_mm512_cvtne2ps_pbh (load_16 (type, row, at + LANES, head_dim),
                                                                        load_16 (type, row, at, head_dim)));
  if (at < head_dim)
    _mm256_storeu_si256 ((__m256i *)(words + at / 2), (__m256i)_mm512_cvtneps_pbh (load_16 (type, row, at, head_dim)));
}

static void round_bf16 (const float *x, uint32_t n_items, uint32_t *words)
{
  round_row (TENSOR_F32, (const uint8_t *)x, n_items, words);
}

/* Row `index` of F16 keys; zeros behind the last. */
INLINE const uint32_t *get_half_row (const struct attention_rows *keys, uint32_t index)
{
  static const uint32_t zeros[ATTENTION_MAX_WIDTH / 2];
  return index < keys->n ? (const uint32_t *)(const void *)((const char *)keys->data + index * keys->row_bytes) : zeros;
}

/* Sixteen rows will be read side by side, in which the machine's own prefetching sees no stream: asks for them in order.
 * Measured: this doubles what comes from memory, and asking for later rows does not. */
INLINE void prefetch_keys (const struct attention_rows *keys, uint32_t first)
{
  const char *bytes = (const char *)keys->data + first * keys->row_bytes;
  for (size_t i = 0; i < LANES * keys->row_bytes; i += 64)
    _mm_prefetch (bytes + i, _MM_HINT_T0);
}

/* These are turned first and rounded afterwards. */
static bool are_turned_first (const struct attention_rows *keys)
{
  return keys->type == TENSOR_F16 && keys->head_dim % 8 == 0;
}

/* Four words of eight rows: words[i] holds word i of all, as F16 pairs. Rows r and r + 4 share a vector, so that nothing
 * crosses 128 bits. */
INLINE void turn_words (const uint32_t *const *rows, size_t at, __m256i words[4])
{
  __m256i quads[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    quads[i]
        = _mm256_inserti128_si256 (_mm256_castsi128_si256 (load_128 (rows[i] + at)), load_128 (rows[i + 4] + at), 1);
  const __m256i a = _mm256_unpacklo_epi32 (quads[0], quads[1]), b = _mm256_unpackhi_epi32 (quads[0], quads[1]);
  const __m256i c = _mm256_unpacklo_epi32 (quads[2], quads[3]), d = _mm256_unpackhi_epi32 (quads[2], quads[3]);
  words[0] = _mm256_unpacklo_epi64 (a, c);
  words[1] = _mm256_unpackhi_epi64 (a, c);
  words[2] = _mm256_unpacklo_epi64 (b, d);
  words[3] = _mm256_unpackhi_epi64 (b, d);
}

/* Words [at, at + 4) of sixteen keys. */
INLINE void get_key_words (const uint32_t *const *rows, size_t at, word_vec words[4])
{
  __m256i low[4], high[4];
  turn_words (rows, at, low);
  turn_words (rows + 8, at, high);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    words[i] = (word_vec)_mm512_cvtne2ps_pbh (_mm512_cvtph_ps (high[i]), _mm512_cvtph_ps (low[i]));
}

static void pack_half_keys (const struct attention_rows *keys, uint32_t first, uint32_t *tile)
{
  const uint32_t *rows[ATTENTION_LANES];
  const uint32_t n_words = keys->head_dim / 2;
  prefetch_keys (keys, first);
  for (uint32_t i = 0; i < ATTENTION_LANES; i++)
    rows[i] = get_half_row (keys, first + i);
  for (uint32_t at = 0; at < n_words; at += 4) {
    word_vec words[4];
    get_key_words (rows, at, words);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
      _mm512_storeu_si512 (tile + (at + i) * ATTENTION_TILE + first, words[i]);
  }
  for (uint32_t at = n_words; at < keys->width / 2; at++)
    _mm512_storeu_si512 (tile + at * ATTENTION_TILE + first, _mm512_setzero_si512 ());
}

/* All others are rounded first. */
INLINE void pack_keys_of (enum tensor_type type, const struct attention_rows *keys, uint32_t first, uint32_t *tile)
{
  uint32_t rows[ATTENTION_LANES * ATTENTION_MAX_WIDTH / 2];
  const uint32_t n_words = keys->width / 2;
  const uint8_t *from = (const uint8_t *)keys->data + first * keys->row_bytes;
  for (uint32_t i = 0; i < ATTENTION_LANES; i++, from += keys->row_bytes)
    if (first + i < keys->n)
      round_row (type, from, keys->head_dim, rows + i * n_words);
    else
      memset (rows + i * n_words, 0, n_words * sizeof *rows);
  for (uint32_t i = 0; i < n_words; i += 4)
    transpose_4_words (rows + i, n_words, tile + i * ATTENTION_TILE + first);
}

static void pack_keys_bf16 (const struct attention_rows *keys, uint32_t *tile)
{
  for (uint32_t first = 0; first < keys->n; first += ATTENTION_LANES)
    if (are_turned_first (keys))
      pack_half_keys (keys, first, tile);
    else if (keys->type == TENSOR_F16)
      pack_keys_of (TENSOR_F16, keys, first, tile);
    else if (keys->type == TENSOR_F32)
      pack_keys_of (TENSOR_F32, keys, first, tile);
    else
      pack_keys_of (TENSOR_Q8_0, keys, first, tile);
}

/* Items [at, at + 16) of two positions, the second of which may be missing. */
INLINE word_vec get_value_words (enum tensor_type type, const struct attention_rows *values, const uint8_t *even,
                                 bool has_odd, uint32_t at)
{
  const __m512i order = _mm512_set_epi16 (31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                          21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const vec low = load_16 (type, even, at, values->head_dim);
  const vec high = has_odd ? load_16 (type, even + values->row_bytes, at, values->head_dim) : vec_all (0);
  return _mm512_permutexvar_epi16 (order, (word_vec)_mm512_cvtne2ps_pbh (high, low));
}

INLINE void pack_values_of (enum tensor_type type, const struct attention_rows *values, uint32_t *tile)
{
  const uint8_t *even = values->data;
  for (uint32_t i = 0; i < values->n; i += 2, even += 2 * values->row_bytes, tile += values->width)
    for (uint32_t at = 0; at < values->width; at += LANES)
      _mm512_storeu_si512 (tile + at, get_value_words (type, values, even, i + 1 < values->n, at));
}

static void pack_values_bf16 (const struct attention_rows *values, uint32_t *tile)
{
  switch (values->type) {
  case TENSOR_F32: pack_values_of (TENSOR_F32, values, tile); break;
  case TENSOR_F16: pack_values_of (TENSOR_F16, values, tile); break;
  default: pack_values_of (TENSOR_Q8_0, values, tile); break;
  }
}

/* ---- products of few rows -------------------------------------------------------------------------------- */

enum { FEW_ROWS = 3 };

INLINE void multiply_half_keys (const struct attention_rows *keys, const struct attention_product *p, uint32_t first,
                                const uint32_t n_rows)
{
  const uint32_t *rows[ATTENTION_LANES];
  vec sums[FEW_ROWS] = { vec_all (0), vec_all (0), vec_all (0) };
  prefetch_keys (keys, first);
  for (uint32_t i = 0; i < ATTENTION_LANES; i++)
    rows[i] = get_half_row (keys, first + i);
  for (uint32_t at = 0; at < keys->head_dim / 2; at += 4) {
    word_vec words[4];
    get_key_words (rows, at, words);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
#pragma GCC unroll 3
      for (uint32_t r = 0; r < n_rows; r++)
        sums[r] = vec_step (sums[r], words_all (p->a + r * p->a_stride + at + i), words[i]);
  }
#pragma GCC unroll 3
  for (uint32_t r = 0; r < n_rows; r++)
    vec_store (p->c + r * p->c_stride + first, sums[r]);
}

static bool multiply_keys_bf16 (const struct attention_rows *keys, const struct attention_product *p)
{
  if (!are_turned_first (keys))
    return false;
  for (uint32_t first = 0; first < p->n_cols; first += ATTENTION_LANES)
    switch (p->n_rows) {
    case 1: multiply_half_keys (keys, p, first, 1); break;
    case 2: multiply_half_keys (keys, p, first, 2); break;
    default: multiply_half_keys (keys, p, first, 3); break;
    }
  return true;
}

INLINE void multiply_value_strip (enum tensor_type type, const struct attention_rows *values,
                                  const struct attention_product *p, uint32_t col, const uint32_t n_rows,
                                  const uint32_t n_vectors)
{
  vec sums[FEW_ROWS][BLOCK_VECTORS];
  const uint8_t *even = values->data;
#pragma GCC unroll 3
  for (uint32_t r = 0; r < n_rows; r++)
#pragma GCC unroll 4
    for (uint32_t v = 0; v < n_vectors; v++)
      sums[r][v] = vec_load (p->c + r * p->c_stride + col + v * LANES) * vec_all (p->shrink[r]);
  for (uint32_t step = 0; step < p->n_steps; step++, even += 2 * values->row_bytes)
#pragma GCC unroll 4
    for (uint32_t v = 0; v < n_vectors; v++) {
      const word_vec words = get_value_words (type, values, even, 2 * step + 1 < values->n, col + v * LANES);
#pragma GCC unroll 3
      for (uint32_t r = 0; r < n_rows; r++)
        sums[r][v] = vec_step (sums[r][v], words_all (p->a + r * p->a_stride + step), words);
    }
#pragma GCC unroll 3
  for (uint32_t r = 0; r < n_rows; r++)
#pragma GCC unroll 4
    for (uint32_t v = 0; v < n_vectors; v++)
      vec_store (p->c + r * p->c_stride + col + v * LANES, sums[r][v]);
}

INLINE void multiply_values_of (enum tensor_type type, const struct attention_rows *values,
                                const struct attention_product *p, const uint32_t n_rows)
{
  uint32_t col = 0;
  for (; col + BLOCK_VECTORS * LANES <= p->n_cols; col += BLOCK_VECTORS * LANES)
    multiply_value_strip (type, values, p, col, n_rows, BLOCK_VECTORS);
  if (col + 2 * LANES <= p->n_cols) {
    multiply_value_strip (type, values, p, col, n_rows, 2);
    col += 2 * LANES;
  }
  if (col < p->n_cols)
    multiply_value_strip (type, values, p, col, n_rows, 1);
}

INLINE bool multiply_values_any (enum tensor_type type, const struct attention_rows *values,
                                 const struct attention_product *p)
{
  switch (p->n_rows) {
  case 1: multiply_values_of (type, values, p, 1); break;
  case 2: multiply_values_of (type, values, p, 2); break;
  default: multiply_values_of (type, values, p, 3); break;
  }
  return true;
}

static bool multiply_values_bf16 (const struct attention_rows *values, const struct attention_product *p)
{
  switch (values->type) {
  case TENSOR_F16: return multiply_values_any (TENSOR_F16, values, p);
  case TENSOR_Q8_0: return multiply_values_any (TENSOR_Q8_0, values, p);
  default: return false;
  }
}

#include "engine/kernels/attention_loops.h"

const struct attention_kernel attention_bf16 = {
  .name = "avx512 with bf16",
  .word_items = 2,
  .round = round_bf16,
  .pack_keys = pack_keys_bf16,
  .pack_values = pack_values_bf16,
  .multiply = multiply,
  .few_rows = FEW_ROWS,
  .multiply_keys = multiply_keys_bf16,
  .multiply_values = multiply_values_bf16,
  .soften = soften,
};
