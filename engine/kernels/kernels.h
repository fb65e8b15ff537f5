/* kernels.h: the table of arithmetic that each instruction-set path fills in. Private to engine/kernels and its tests.
 *
 * Quantised weights multiply activations that were rounded to 8 bits (the type's companion). All of that arithmetic is
 * integer up to one product per block, and the blocks are added in order: every path, and every number of tokens, gives
 * the same bits. Float weights multiply F32 activations; there the order of addition is the path's own, but again the
 * same for any number of tokens. */
#ifndef LECTERN_KERNELS_H
#define LECTERN_KERNELS_H

#include "engine/kernels/attention_tile.h"
#include "engine/kernels/row_kernels.h"

enum companion {
  COMPANION_F32,
  COMPANION_Q8,   /* struct q8_block each 32 items */
  COMPANION_Q8_K, /* struct q8_k_block each 256 items */
};

/* x is about d * q, |q| <= 127; sum is that of q. */
struct q8_block {
  int8_t q[32];
  float d;
  int32_t sum;
};

/* sums[i] is that of q[16 i, 16 i + 16). Padded so that blocks keep the alignment of the first. */
struct q8_k_block {
  int8_t q[256];
  int16_t sums[16];
  float d;
  uint8_t padding[28];
};

_Static_assert(sizeof (struct q8_block) == 40, "no holes");
_Static_assert(sizeof (struct q8_k_block) == 320, "five cache lines");

enum {
  PANEL_ROWS = 32,
  PANEL_COLS = 256, /* few enough that a panel stays in the L1 cache while all tokens pass by */
  PANEL_TOKENS_MAX = 8,
  PANEL_BYTES_MAX = 32 << 10, /* what any type's panel takes at most */
};

struct kernel_type {
  enum companion companion;

  /* One row of n_items weights times one activation row. */
  float (*dot) (const uint8_t *w, const void *x, size_t n_items);

  /* The same for four activation rows that lie x_bytes apart. NULL: use dot. */
  void (*dot_4) (const uint8_t *w, const void *x, size_t x_bytes, size_t n_items, float sum[4]);

  /* Many tokens: PANEL_ROWS rows (row_bytes apart) of up to PANEL_COLS columns are unpacked once, with rows in the lanes,
   * and then multiplied with any number of tokens. NULL: use dot. Lanes beyond n_rows, 1 to PANEL_ROWS, hold something.
   * The panel is 64-byte aligned. As many bytes from `next` on as w's rows have in these columns are fetched into the
   * caches between its own loads (all at once before it, that measured 0.4 as fast); they need not be there. */
  void (*pack) (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items, const uint8_t *next,
                uint8_t *panel);
  /* sums[t * PANEL_ROWS + r] += row r times token t, 1 <= n_tokens <= panel_tokens; sums is 64-byte aligned. */
  void (*multiply) (const uint8_t *panel, const void *x, size_t x_bytes, unsigned n_tokens, size_t n_items,
                    float *sums);
  unsigned panel_tokens;
};

enum { DOT_TOKENS_MAX = 8 }; /* with more, panels are as fast */

/* Few tokens (1 to DOT_TOKENS_MAX, x_bytes apart): n_rows >= 1 rows (row_bytes apart), read once as they lie in the file.
 * out[t * out_stride + r] = dot (row r, token t), to the bit. */
typedef void dot_rows_function (const uint8_t *w, size_t row_bytes, size_t n_rows, const void *x, size_t x_bytes,
                                unsigned n_tokens, size_t n_items, float *out, size_t out_stride);

struct kernels {
  const char *name;
  const struct row_kernels *rows;
  const struct kernel_type *types[TENSOR_N_TYPES]; /* NULL for types that do not run */
  dot_rows_function *dot_rows[TENSOR_N_TYPES];     /* of quantised types; NULL: use dot */
  uint32_t panel_tokens_min[3];                    /* by companion: of types without dot_rows; 0: 2 */
  void (*quantise_q8) (const float *x, struct q8_block *out, size_t n_items);
  void (*quantise_q8_k) (const float *x, struct q8_k_block *out, size_t n_items);
  float (*dot_f32) (const float *a, const float *b, size_t n);
  void (*f32_to_f16) (const float *x, uint16_t *y, size_t n);
  void (*f16_to_f32) (const uint16_t *x, float *y, size_t n);
  void (*q8_0_to_f32) (const uint8_t *x, float *y, size_t n_items); /* n_items is a multiple of 32 */
  const struct attention_kernel *attention; /* with F32 operands. NULL: the reference's */
};

/* Activations below this are rounded to 0, so that 127 divided by them stays finite. */
#define Q8_TINY 1e-30f

extern const struct kernels kernels_c;
/* Only where the build has them. */
extern const struct kernels kernels_avx2, kernels_avxvnni, kernels_avx512, kernels_dotprod, kernels_i8mm;

/* The path in use. Chosen once: the best that this machine and LECTERN_CPU allow. */
const struct kernels *kernels_get (void);

/* Every path that this machine can run, the reference first. Returns their number, at most `max`. */
size_t kernels_list (const struct kernels **paths, size_t max);

#endif
