/* attention_loops.h: the loops of attention_tile.h, for vectors of any width. An instruction-set file defines first:
 *
 *   vec, word_vec         vectors of LANES floats, and of LANES operand words (LANES divides ATTENTION_LANES)
 *   INLINE                static and always inlined
 *   vec_load, vec_store (float *), vec_all (float), vec_fma (a, b, c) = a * b + c, vec_max (a, b): b if one is NaN
 *   vec_largest (v)       of its lanes
 *   vec_power_of_2 (v)    2^v for v <= 0; NaN stays
 *   vec_keep_sign (v, x)  v >= 0 with the sign of x
 *   vec_keep (v, index, begin, end, other)     v in the lanes where begin <= index + lane < end, else other
 *   words_load, words_all (uint32_t *)         LANES words; one word in all lanes
 *   vec_step (sum, a, b)  sum + a * b for the items of words a and b
 *   put_weights (scores, weights, total)       stores a tile of weights as operands in place of the scores; returns
 *                                              total + them as they were rounded, in an order of its own
 *   BLOCK_ROWS, BLOCK_VECTORS                  what registers hold of a product's sums */
#include <math.h>

/* The sums stay in registers while the steps run. */
INLINE void multiply_block (const struct attention_product *p, size_t row, size_t col, const unsigned n_rows,
                            const unsigned n_vectors)
{
  const uint32_t *a = p->a + row * p->a_stride, *b = p->b + col;
  float *c = p->c + row * p->c_stride + col;
  vec sums[BLOCK_ROWS][BLOCK_VECTORS];
#pragma GCC unroll 8
  for (unsigned r = 0; r < n_rows; r++)
#pragma GCC unroll 8
    for (unsigned v = 0; v < n_vectors; v++) {
      sums[r][v] = vec_all (0);
      if (p->shrink)
        sums[r][v] = vec_load (c + r * p->c_stride + v * LANES) * vec_all (p->shrink[row + r]);
    }
  for (size_t step = 0; step < p->n_steps; step++, a++, b += p->b_stride) {
    word_vec right[BLOCK_VECTORS];
#pragma GCC unroll 8
    for (unsigned v = 0; v < n_vectors; v++)
      right[v] = words_load (b + v * LANES);
#pragma GCC unroll 8
    for (unsigned r = 0; r < n_rows; r++) {
      const word_vec left = words_all (a + r * p->a_stride);
#pragma GCC unroll 8
      for (unsigned v = 0; v < n_vectors; v++)
        sums[r][v] = vec_step (sums[r][v], left, right[v]);
    }
  }
#pragma GCC unroll 8
  for (unsigned r = 0; r < n_rows; r++)
#pragma GCC unroll 8
    for (unsigned v = 0; v < n_vectors; v++)
      vec_store (c + r * p->c_stride + v * LANES, sums[r][v]);
}

INLINE void multiply_strip (const struct attention_product *p, size_t col, const unsigned n_vectors)
{
  size_t row = 0;
  for (; row + BLOCK_ROWS <= p->n_rows; row += BLOCK_ROWS)
    multiply_block (p, row, col, BLOCK_ROWS, n_vectors);
  switch (p->n_rows - row) {
#if BLOCK_ROWS > 4
  case 5: multiply_block (p, row, col, 5, n_vectors); break;
  case 4: multiply_block (p, row, col, 4, n_vectors); break;
#endif
#if BLOCK_ROWS > 2
  case 3: multiply_block (p, row, col, 3, n_vectors); break;
  case 2: multiply_block (p, row, col, 2, n_vectors); break;
#endif
  case 1: multiply_block (p, row, col, 1, n_vectors); break;
  default: break;
  }
}

static void multiply (const struct attention_product *p)
{
  size_t col = 0;
  for (; col + BLOCK_VECTORS * LANES <= p->n_cols; col += BLOCK_VECTORS * LANES)
    multiply_strip (p, col, BLOCK_VECTORS);
#if BLOCK_VECTORS * LANES > 2 * ATTENTION_LANES
  if (col + 2 * ATTENTION_LANES <= p->n_cols) {
    multiply_strip (p, col, 2 * ATTENTION_LANES / LANES);
    col += 2 * ATTENTION_LANES;
  }
#endif
#if BLOCK_VECTORS * LANES > ATTENTION_LANES
  if (col < p->n_cols)
    multiply_strip (p, col, ATTENTION_LANES / LANES);
#endif
}

INLINE vec hyperbolic_tangent (vec x)
{
  const vec magnitude = vec_max (x, -x), power = vec_power_of_2 (magnitude * -2.88539008f); /* e^-2|x| */
  const vec tangent = (1.0f - power) / (1.0f + power);
  return vec_keep_sign (tangent, x);
}

/* `whole`: all positions count. Scores stay in registers between the passes. */
INLINE float soften_scores (const struct attention_row *row, const bool whole)
{
  vec scores[ATTENTION_TILE / LANES], best = vec_all (*row->best);
#pragma GCC unroll 16
  for (unsigned v = 0; v < ATTENTION_TILE / LANES; v++) {
    scores[v] = vec_load (row->scores + v * LANES);
    if (row->cap > 0)
      scores[v] = row->cap * hyperbolic_tangent (scores[v] / row->cap);
    if (!whole)
      scores[v] = vec_keep (scores[v], v * LANES, row->begin, row->end, vec_all (-INFINITY));
    best = vec_max (scores[v], best);
  }
  const float most = vec_largest (best);
  const float shrink = most > *row->best ? exp2f (*row->best - most) : 1;
  *row->best = most;
#pragma GCC unroll 16
  for (unsigned v = 0; v < ATTENTION_TILE / LANES; v++) {
    scores[v] = vec_power_of_2 (scores[v] - most);
    if (!whole)
      scores[v] = vec_keep (scores[v], v * LANES, row->begin, row->end, vec_all (0));
  }
  vec_store (row->total, put_weights (row->scores, scores, vec_load (row->total) * shrink));
  return shrink;
}

static float soften (const struct attention_row *row)
{
  return row->begin == 0 && row->end == ATTENTION_TILE ? soften_scores (row, true) : soften_scores (row, false);
}
