/* attention_f32.h: what attention_loops.h wants where the operands are floats, and the packing of floats. An
 * instruction-set file defines vec, LANES, INLINE and the vec_ functions first, and
 *
 *   transpose_keys (const float *rows, size_t stride, uint32_t *to)   to[i * ATTENTION_TILE + r] = rows[r * stride + i]
 *                                                                     for i < LANES, r < ATTENTION_LANES
 *   transpose_halves (const uint16_t **rows, size_t at, uint32_t *to) the same for items [at, at + 8) of rows that are
 *                                                                     F16: as floats */
#include <string.h>

typedef vec word_vec;

INLINE vec words_load (const uint32_t *words)
{
  vec v;
  memcpy (&v, words, sizeof v);
  return v;
}

INLINE vec words_all (const uint32_t *word)
{
  float item;
  memcpy (&item, word, sizeof item);
  return vec_all (item);
}

INLINE vec vec_step (vec sum, vec a, vec b)
{
  return vec_fma (a, b, sum);
}

INLINE vec put_weights (float *scores, const vec *weights, vec total)
{
#pragma GCC unroll 16
  for (unsigned v = 0; v < ATTENTION_TILE / LANES; v++) {
    vec_store (scores + v * LANES, weights[v]);
    total += weights[v];
  }
  return total;
}

/* Splits x into n + r with |r| <= 1 / 2: a polynomial for 2^r, 5e-9 off, and n into the exponent. */
INLINE vec vec_power_of_2 (vec x)
{
  const vec magic = vec_all (12582912.0f);
  x = vec_max (vec_all (-126), x);
  const vec shifted = x + magic, r = x - (shifted - magic);
  vec p = vec_all (0.000154531629f);
  p = vec_fma (p, r, vec_all (0.00133908634f));
  p = vec_fma (p, r, vec_all (0.00961808256f));
  p = vec_fma (p, r, vec_all (0.0555035711f));
  p = vec_fma (p, r, vec_all (0.240226508f));
  p = vec_fma (p, r, vec_all (0.693147188f));
  p = vec_fma (p, r, vec_all (1));
  return p * (vec)(((vec_bits)shifted - (vec_bits)magic + 127u) << 23);
}

static void round_f32 (const float *x, uint32_t n_items, uint32_t *words)
{
  memcpy (words, x, n_items * sizeof *words);
}

static void pack_float_keys (const struct attention_rows *keys, uint32_t first, uint32_t *tile)
{
  float rows[ATTENTION_LANES * ATTENTION_MAX_WIDTH];
  for (uint32_t i = 0; i < ATTENTION_LANES; i++)
    if (first + i < keys->n)
      attention_load_row (keys, first + i, rows + i * keys->width);
    else
      memset (rows + i * keys->width, 0, keys->width * sizeof *rows);
  for (uint32_t i = 0; i < keys->width; i += LANES)
    transpose_keys (rows + i, keys->width, tile + i * ATTENTION_TILE + first);
}

/* head_dim is a multiple of 8. Halves are turned before they become floats: half the work. */
static void pack_half_keys (const struct attention_rows *keys, uint32_t first, uint32_t *tile)
{
  static const uint16_t zeros[ATTENTION_MAX_WIDTH];
  const uint16_t *rows[ATTENTION_LANES];
  for (uint32_t i = 0; i < ATTENTION_LANES; i++)
    rows[i] = first + i < keys->n
                  ? (const uint16_t *)(const void *)((const char *)keys->data + (first + i) * keys->row_bytes)
                  : zeros;
  for (uint32_t i = 0; i < keys->head_dim; i += 8)
    transpose_halves (rows, i, tile + i * ATTENTION_TILE + first);
  for (uint32_t i = keys->head_dim; i < keys->width; i++)
    memset (tile + i * ATTENTION_TILE + first, 0, ATTENTION_LANES * sizeof *tile);
}

static void pack_keys_f32 (const struct attention_rows *keys, uint32_t *tile)
{
  const bool are_halves = keys->type == TENSOR_F16 && keys->head_dim % 8 == 0;
  for (uint32_t first = 0; first < keys->n; first += ATTENTION_LANES)
    (are_halves ? pack_half_keys : pack_float_keys) (keys, first, tile);
}

static void pack_values_f32 (const struct attention_rows *values, uint32_t *tile)
{
  for (uint32_t i = 0; i < values->n; i++)
    attention_load_row (values, i, (float *)(void *)(tile + i * values->width));
}

#define ATTENTION_F32(kernel, path)                                                                                    \
  const struct attention_kernel kernel = {                                                                             \
    .name = path,                                                                                                      \
    .word_items = 1,                                                                                                   \
    .round = round_f32,                                                                                                \
    .pack_keys = pack_keys_f32,                                                                                        \
    .pack_values = pack_values_f32,                                                                                    \
    .multiply = multiply,                                                                                              \
    .soften = soften,                                                                                                  \
  };
