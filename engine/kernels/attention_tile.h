/* attention_tile.h: the arithmetic of attention on one tile of positions, as each instruction-set path has it.
 *
 * A tile is ATTENTION_TILE positions of one key/value head, packed once for all query rows that share it. Operands are
 * 32-bit words: an F32 item, or a pair of bf16 items that are multiplied and added together. Keys are packed with
 * positions in the lanes, [items of a key][position], so that a score needs no horizontal sum; values as [positions /
 * items in a word][dimension]. Both products are then the same loop over words.
 *
 * Every item of a product adds its words in order, whatever the number of rows and columns: a row's result is the same in
 * any company. Paths and kernels differ in their rounding. */
#ifndef LECTERN_ATTENTION_TILE_H
#define LECTERN_ATTENTION_TILE_H

#include "engine/gguf/tensor_type.h"

#define ATTENTION_TILE 64       /* positions */
#define ATTENTION_LANES 16      /* rows are padded to multiples of so many items; no path has more lanes */
#define ATTENTION_MAX_WIDTH 256 /* of a padded row */

/* Keys or values of consecutive positions: n rows of head_dim items of `type` (F32, F16 or Q8_0, whose last block may be
 * filled up), row_bytes apart, 1 <= n <= ATTENTION_TILE. width is head_dim rounded up to ATTENTION_LANES. */
struct attention_rows {
  enum tensor_type type;
  const void *data;
  size_t row_bytes;
  uint32_t n, head_dim, width;
};

/* c[r][i] = c[r][i] * shrink[r] + sum over s < n_steps of a[r][s] * b[s][i]; without shrink c begins as 0. Strides are in
 * words. n_cols is a multiple of ATTENTION_LANES; n_rows > 0. */
struct attention_product {
  const uint32_t *a, *b;
  float *c;
  const float *shrink;
  size_t a_stride, b_stride, c_stride;
  uint32_t n_rows, n_cols, n_steps;
};

/* One row's scores of a tile, in units of log 2, of which [begin, end) count, begin < end. cap > 0: they become
 * cap * tanh (score / cap) first. best is the running maximum, total the sums of the weights so far, by lane. */
struct attention_row {
  float *scores; /* [ATTENTION_TILE]; afterwards the weights as operands, 0 where a position does not count */
  uint32_t begin, end;
  float cap;
  float *best;
  float *total; /* [ATTENTION_LANES] */
};

struct attention_kernel {
  const char *name;
  uint32_t word_items;                                               /* in an operand's word: 1 (F32) or 2 (bf16) */
  void (*round) (const float *x, uint32_t n_items, uint32_t *words); /* n_items: a multiple of ATTENTION_LANES */
  /* Fills tile[width / word_items][ATTENTION_TILE]: whole groups of ATTENTION_LANES positions, those from n on with 0. */
  void (*pack_keys) (const struct attention_rows *keys, uint32_t *tile);
  /* Fills tile[n / word_items, rounded up][width]; a missing half of the last pair is 0. */
  void (*pack_values) (const struct attention_rows *values, uint32_t *tile);
  void (*multiply) (const struct attention_product *product);
  /* For products of at most few_rows rows a tile is hardly worth packing: the same products, to the bit, straight from
   * the keys or values in place of b. False: not for these. NULL where few_rows is 0. */
  uint32_t few_rows;
  bool (*multiply_keys) (const struct attention_rows *keys, const struct attention_product *product);
  bool (*multiply_values) (const struct attention_rows *values, const struct attention_product *product);
  /* Returns what the sums so far must be multiplied with: total already was. Weights are summed as they were rounded. */
  float (*soften) (const struct attention_row *row);
};

extern const struct attention_kernel attention_c;
/* Only where the build has them. */
extern const struct attention_kernel attention_avx2, attention_avx512, attention_bf16;

/* The kernel of the path in use: with F32 operands if `exact`, else the fastest. LECTERN_CPU=avx512 means that path
 * without bf16, which not all of its CPUs have. */
const struct attention_kernel *attention_kernel_get (bool exact);

/* Every kernel that this machine can run, the reference first. Returns their number, at most `max`. */
size_t attention_kernel_list (const struct attention_kernel **kernels, size_t max);

/* Row `index` as width floats, those from head_dim on 0. The same bits on all paths. */
void attention_load_row (const struct attention_rows *rows, uint32_t index, float *to);

#endif
