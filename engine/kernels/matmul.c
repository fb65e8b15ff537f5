/* matmul.c: a matrix product as strips of rows times blocks of tokens, shared out over the pool.
 *
 * With few tokens each weight row is streamed once and dotted with every activation row. With more, a strip is unpacked
 * one panel of PANEL_COLS columns after another, and each panel is multiplied with all tokens of the block while it is in
 * the L1 cache. There the rounded activations of a panel's columns lie together, token after token. */
#include "engine/kernels/matmul.h"
#include "engine/kernels/kernels.h"
#include <string.h>

enum {
  TOKEN_BLOCK = 512, /* tokens of one part: bounds the time between looks at `cancel`, and its sums on the stack */
  EXACT_TOKEN_BLOCK = 256,       /* the same in exact mode */
  FEW_TOKENS_ROWS_MAX = 256,     /* of one part: dot_rows() fetches ahead, within a part alone */
  PANEL_TOKENS_MIN = 4,          /* from here on unpacking pays */
  DOT_ROWS_PANEL_TOKENS_MIN = 9, /* the same where there is dot_rows() */
  PART_PRODUCTS_MIN = 1 << 14,   /* less than this is not worth a second thread */
  EXACT_ITEMS = 256,
  FLOAT_PIECE = 1024, /* columns */
  CACHE_LINE = 64,
};

struct product {
  const struct kernels *kernels;
  const struct kernel_type *kernel;
  const struct matrix *w;
  size_t w_bytes; /* of a row */
  const float *x_f32;
  size_t x_f32_stride;
  uint8_t *x; /* in the companion form: [chunk of x_chunk_cols columns][token] */
  uint32_t x_chunk_cols;
  size_t x_chunk_bytes, x_bytes; /* from chunk to chunk, from token to token */
  uint32_t n_tokens;
  float *out;
  size_t out_stride;
  bool by_panels;
  uint32_t strip_rows, n_strips, token_block;
  uint32_t tokens_per_part; /* of rounding */
  const atomic_bool *cancel;
};

static size_t companion_row_bytes (enum companion companion, uint32_t n_cols)
{
  switch (companion) {
  case COMPANION_Q8: return (n_cols + 31) / 32 * sizeof (struct q8_block);
  case COMPANION_Q8_K: return ((size_t)n_cols + 255) / 256 * sizeof (struct q8_k_block);
  case COMPANION_F32: break;
  }
  return (size_t)n_cols * sizeof (float);
}

static size_t round_up (size_t bytes)
{
  return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

size_t matmul_scratch_bytes (uint32_t n_cols, uint32_t n_tokens)
{
  const uint32_t n_whole = (n_cols + PANEL_COLS - 1) / PANEL_COLS * PANEL_COLS;
  const size_t q8 = round_up (companion_row_bytes (COMPANION_Q8, n_whole));
  const size_t q8_k = round_up (companion_row_bytes (COMPANION_Q8_K, n_whole));
  return (q8 > q8_k ? q8 : q8_k) * n_tokens + CACHE_LINE;
}

static bool is_cancelled (const struct product *product)
{
  return product->cancel && atomic_load_explicit (product->cancel, memory_order_relaxed);
}

static void round_part (void *data, size_t part)
{
  const struct product *product = data;
  const uint32_t first = (uint32_t)part * product->tokens_per_part, n_cols = product->w->n_cols;
  for (uint32_t t = first; t < first + product->tokens_per_part && t < product->n_tokens; t++) {
    const float *from = product->x_f32 + t * product->x_f32_stride;
    uint8_t *to = product->x + t * product->x_bytes;
    for (uint32_t c = 0; c < n_cols; c += product->x_chunk_cols, to += product->x_chunk_bytes) {
      const uint32_t n_items = n_cols - c < product->x_chunk_cols ? n_cols - c : product->x_chunk_cols;
      if (product->kernel->companion == COMPANION_Q8)
        product->kernels->quantise_q8 (from + c, (struct q8_block *)to, n_items);
      else
        product->kernels->quantise_q8_k (from + c, (struct q8_k_block *)to, n_items);
    }
  }
}

static const uint8_t *get_row (const struct product *product, uint32_t row)
{
  return (const uint8_t *)product->w->data + row * product->w_bytes;
}

/* The result of each dot of `n_items` columns from c on begins or adds to `out`. */
static inline void put (float *out, uint32_t c, float sum)
{
  *out = c == 0 ? sum : *out + sum;
}

/* Rows of the strip as they lie in the file, times tokens [t0, t1), for n_items columns from c on. */
static void multiply_block (const struct product *product, uint32_t r0, uint32_t r1, uint32_t t0, uint32_t t1,
                            uint32_t c, uint32_t n_items)
{
  const struct kernel_type *kernel = product->kernel;
  const size_t w_offset = tensor_type_row_bytes (product->w->type, c);
  const size_t x_offset = companion_row_bytes (kernel->companion, c);
  uint32_t t = t0;
  for (; kernel->dot_4 && t + 4 <= t1; t += 4)
    for (uint32_t r = r0; r < r1; r++) {
      float sum[4];
      kernel->dot_4 (get_row (product, r) + w_offset, product->x + t * product->x_bytes + x_offset, product->x_bytes,
                     n_items, sum);
      for (uint32_t i = 0; i < 4; i++)
        put (&product->out[(t + i) * product->out_stride + r], c, sum[i]);
    }
  for (; t < t1; t++)
    for (uint32_t r = r0; r < r1; r++)
      put (&product->out[t * product->out_stride + r], c,
           kernel->dot (get_row (product, r) + w_offset, product->x + t * product->x_bytes + x_offset, n_items));
}

/* Quantised rows times few tokens, each block read once. */
static void multiply_few (const struct product *product, uint32_t r0, uint32_t r1, uint32_t t0, uint32_t t1)
{
  dot_rows_function *dot_rows = product->kernels->dot_rows[product->w->type];
  for (uint32_t t = t0; t < t1; t += DOT_TOKENS_MAX)
    dot_rows (get_row (product, r0), product->w_bytes, r1 - r0, product->x + t * product->x_bytes, product->x_bytes,
              t1 - t < DOT_TOKENS_MAX ? t1 - t : DOT_TOKENS_MAX, product->w->n_cols,
              product->out + t * product->out_stride + r0, product->out_stride);
}

/* Float rows are long: they are taken in pieces, so that the activations of four tokens stay in the L1 cache. The pieces
 * are the same for any number of tokens, as their sums round. Quantised rows come here only if there are few tokens. */
static void multiply_rows (const struct product *product, uint32_t r0, uint32_t r1, uint32_t t0, uint32_t t1)
{
  if (product->kernels->dot_rows[product->w->type]) {
    multiply_few (product, r0, r1, t0, t1);
    return;
  }
  const uint32_t n_cols = product->w->n_cols;
  const uint32_t piece = product->kernel->companion != COMPANION_F32 ? n_cols : FLOAT_PIECE;
  const uint32_t rows_at_once = t1 - t0 < PANEL_TOKENS_MIN ? 1 : r1 - r0; /* few tokens: read memory in order */
  for (uint32_t r = r0; r < r1; r += rows_at_once)
    for (uint32_t c = 0; c < n_cols; c += piece)
      multiply_block (product, r, r + rows_at_once, t0, t1, c, n_cols - c < piece ? n_cols - c : piece);
}

/* The same through panels; r1 - r0 is at most PANEL_ROWS. */
static void multiply_panels (const struct product *product, uint32_t r0, uint32_t r1, uint32_t t0, uint32_t t1)
{
  _Alignas(CACHE_LINE) uint8_t panel[PANEL_BYTES_MAX];
  _Alignas(CACHE_LINE) float sums[TOKEN_BLOCK][PANEL_ROWS];
  const struct kernel_type *kernel = product->kernel;
  const uint32_t n_cols = product->w->n_cols;
  const uint8_t *x = product->x + t0 * product->x_bytes;
  memset (sums, 0, (t1 - t0) * sizeof sums[0]);
  for (uint32_t c = 0; c < n_cols; c += PANEL_COLS, x += product->x_chunk_bytes) {
    const uint32_t n_items = n_cols - c < PANEL_COLS ? n_cols - c : PANEL_COLS;
    const uint8_t *w = get_row (product, r0) + tensor_type_row_bytes (product->w->type, c);
    kernel->pack (w, product->w_bytes, r1 - r0, n_items, panel);
    for (uint32_t t = 0; t < t1 - t0; t += kernel->panel_tokens) {
      const uint32_t left = t1 - t0 - t, n_tokens = left < kernel->panel_tokens ? left : kernel->panel_tokens;
      kernel->multiply (panel, x + t * product->x_bytes, product->x_bytes, n_tokens, n_items, sums[t]);
    }
  }
  for (uint32_t t = t0; t < t1; t++)
    memcpy (product->out + t * product->out_stride + r0, sums[t - t0], (r1 - r0) * sizeof (float));
}

static void multiply_part (void *data, size_t part)
{
  const struct product *product = data;
  if (is_cancelled (product))
    return;
  const uint32_t strip = (uint32_t)(part % product->n_strips), block = (uint32_t)(part / product->n_strips);
  const uint32_t r0 = strip * product->strip_rows, t0 = block * product->token_block;
  const uint32_t r1 = product->w->n_rows - r0 < product->strip_rows ? product->w->n_rows : r0 + product->strip_rows;
  const uint32_t t1 = product->n_tokens - t0 < product->token_block ? product->n_tokens : t0 + product->token_block;
  if (!product->by_panels) {
    multiply_rows (product, r0, r1, t0, t1);
    return;
  }
  for (uint32_t r = r0; r < r1 && !is_cancelled (product); r += PANEL_ROWS)
    multiply_panels (product, r, r1 - r < PANEL_ROWS ? r1 : r + PANEL_ROWS, t0, t1);
}

/* Reference arithmetic: weights to F32 a piece at a time, sums in double precision. */
static void multiply_part_exact (void *data, size_t part)
{
  const struct product *product = data;
  if (is_cancelled (product))
    return;
  const uint32_t strip = (uint32_t)(part % product->n_strips), block = (uint32_t)(part / product->n_strips);
  const uint32_t r0 = strip * product->strip_rows, t0 = block * EXACT_TOKEN_BLOCK, n_cols = product->w->n_cols;
  const uint32_t r1 = product->w->n_rows - r0 < product->strip_rows ? product->w->n_rows : r0 + product->strip_rows;
  const uint32_t n_tokens = product->n_tokens - t0 < EXACT_TOKEN_BLOCK ? product->n_tokens - t0 : EXACT_TOKEN_BLOCK;
  float weights[EXACT_ITEMS];
  double sums[EXACT_TOKEN_BLOCK];
  for (uint32_t r = r0; r < r1 && !is_cancelled (product); r++) {
    for (uint32_t t = 0; t < n_tokens; t++)
      sums[t] = 0;
    for (uint32_t c = 0; c < n_cols; c += EXACT_ITEMS) {
      const uint32_t n_items = n_cols - c < EXACT_ITEMS ? n_cols - c : EXACT_ITEMS;
      tensor_type_to_f32 (product->w->type, get_row (product, r) + tensor_type_row_bytes (product->w->type, c), weights,
                          n_items);
      for (uint32_t t = 0; t < n_tokens; t++)
        sums[t] += (double)product->kernels->dot_f32 (weights, product->x_f32 + (t0 + t) * product->x_f32_stride + c,
                                                      n_items);
    }
    for (uint32_t t = 0; t < n_tokens; t++)
      product->out[(t0 + t) * product->out_stride + r] = (float)sums[t];
  }
}

/* Strips short enough that every thread gets several, but long enough to be worth handing out: a small product stays in
 * one piece. */
static uint32_t choose_strip_rows (const struct product *product, int n_threads)
{
  const uint64_t row_products = (uint64_t)product->w->n_cols * product->n_tokens + 1;
  uint64_t rows = product->w->n_rows / (8 * (uint32_t)n_threads);
  const uint32_t rows_max = product->by_panels ? PANEL_ROWS : FEW_TOKENS_ROWS_MAX;
  if (rows > rows_max)
    rows = rows_max;
  if (rows < PART_PRODUCTS_MIN / row_products)
    rows = PART_PRODUCTS_MIN / row_products;
  return rows < PANEL_ROWS ? PANEL_ROWS : (uint32_t)(rows / PANEL_ROWS * PANEL_ROWS);
}

/* Where the activations lie in the form that the kernels read. */
static void lay_out_activations (struct product *product, void *scratch)
{
  const uint32_t n_cols = product->w->n_cols;
  const enum companion companion = product->kernel->companion;
  product->x_chunk_cols = product->by_panels ? PANEL_COLS : n_cols;
  if (companion == COMPANION_F32) {
    product->x = (uint8_t *)product->x_f32;
    product->x_bytes = product->x_f32_stride * sizeof (float);
    product->x_chunk_bytes = PANEL_COLS * sizeof (float);
    return;
  }
  product->x = (uint8_t *)scratch + (CACHE_LINE - (uintptr_t)scratch % CACHE_LINE) % CACHE_LINE;
  product->x_bytes = round_up (companion_row_bytes (companion, product->x_chunk_cols));
  product->x_chunk_bytes = product->n_tokens * product->x_bytes;
}

void matmul (struct pool *pool, const struct matrix *w, const float *x, size_t x_stride, uint32_t n_tokens, float *out,
             size_t out_stride, bool exact, void *scratch, const atomic_bool *cancel)
{
  const struct kernels *kernels = kernels_get ();
  struct product product = {
    .kernels = kernels,
    .kernel = kernels->types[w->type],
    .w = w,
    .w_bytes = tensor_type_row_bytes (w->type, w->n_cols),
    .x_f32 = x,
    .x_f32_stride = x_stride,
    .n_tokens = n_tokens,
    .out = out,
    .out_stride = out_stride,
    .token_block = exact ? EXACT_TOKEN_BLOCK : TOKEN_BLOCK,
    .cancel = cancel,
  };
  if (n_tokens == 0 || w->n_rows == 0)
    return;
  if (!exact) {
    product.by_panels = product.kernel->pack
                        && n_tokens >= (kernels->dot_rows[w->type] ? DOT_ROWS_PANEL_TOKENS_MIN : PANEL_TOKENS_MIN);
    lay_out_activations (&product, scratch);
  }
  if (!exact && product.kernel->companion != COMPANION_F32) {
    product.tokens_per_part = 1 + PART_PRODUCTS_MIN / (w->n_cols + 1);
    pool_run (pool, (n_tokens + product.tokens_per_part - 1) / product.tokens_per_part, round_part, &product);
  }
  product.strip_rows = choose_strip_rows (&product, pool_get_n_threads (pool));
  product.n_strips = (w->n_rows + product.strip_rows - 1) / product.strip_rows;
  const size_t n_blocks = (n_tokens + product.token_block - 1) / product.token_block;
  pool_run (pool, product.n_strips * n_blocks, exact ? multiply_part_exact : multiply_part, &product);
}

void matrix_get_row (const struct matrix *w, uint32_t row, float *out)
{
  const size_t row_bytes = tensor_type_row_bytes (w->type, w->n_cols);
  tensor_type_to_f32 (w->type, (const uint8_t *)w->data + row * row_bytes, out, w->n_cols);
}
