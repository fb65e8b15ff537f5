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
  EXACT_TOKEN_BLOCK = 256,     /* the same in exact mode */
  FEW_TOKENS = 32,             /* up to here memory is what takes time: it is fetched ahead, within a part */
  FEW_TOKENS_ROWS_MAX = 256,   /* of one part with so few */
  PART_PRODUCTS_MIN = 1 << 14, /* less than this is not worth a second thread */
  EXACT_ITEMS = 256,
  CACHE_LINE = 64,
};

/* The activations as the kernels read them: [chunk of chunk_cols columns][token] in the companion form. */
struct activations {
  enum companion companion;
  bool by_panels;
  uint8_t *data;
  uint32_t chunk_cols;
  size_t chunk_bytes, token_bytes; /* from chunk to chunk, from token to token */
};

struct product {
  const struct kernel_type *kernel;
  dot_rows_function *dot_rows;
  const struct matrix *w;
  size_t w_bytes; /* of a row */
  float *out;
  size_t out_stride;
  uint32_t strip_rows, n_strips;
};

/* Products that read the same activations. */
struct job {
  const struct kernels *kernels;
  const struct matmul *call;
  void (*prepare) (void *data, uint32_t token);
  bool combines;
  struct activations x;
  struct product products[MATMUL_OUTPUTS_MAX];
  uint32_t n_products, token_block;
  size_t n_strips; /* of all products; of one where they are combined */
  uint32_t tokens_per_part;
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

static bool is_cancelled (const struct job *job)
{
  return job->call->cancel && atomic_load_explicit (job->call->cancel, memory_order_relaxed);
}

static void round_token (const struct job *job, uint32_t token)
{
  const struct activations *x = &job->x;
  const float *from = job->call->x + token * job->call->x_stride;
  const uint32_t n_cols = job->products[0].w->n_cols;
  uint8_t *to = x->data + token * x->token_bytes;
  for (uint32_t c = 0; c < n_cols; c += x->chunk_cols, to += x->chunk_bytes) {
    const uint32_t n_items = n_cols - c < x->chunk_cols ? n_cols - c : x->chunk_cols;
    if (x->companion == COMPANION_Q8)
      job->kernels->quantise_q8 (from + c, (struct q8_block *)to, n_items);
    else
      job->kernels->quantise_q8_k (from + c, (struct q8_k_block *)to, n_items);
  }
}

static void prepare_part (void *data, size_t part)
{
  const struct job *job = data;
  const uint32_t first = (uint32_t)part * job->tokens_per_part, end = first + job->tokens_per_part;
  for (uint32_t t = first; t < end && t < job->call->n_tokens; t++) {
    if (job->prepare)
      job->prepare (job->call->data, t);
    if (!job->call->exact && job->x.companion != COMPANION_F32)
      round_token (job, t);
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
static void multiply_block (const struct product *product, const struct activations *x, uint32_t r0, uint32_t r1,
                            uint32_t t0, uint32_t t1, uint32_t c, uint32_t n_items)
{
  const struct kernel_type *kernel = product->kernel;
  const size_t w_offset = tensor_type_row_bytes (product->w->type, c);
  const uint8_t *from = x->data + companion_row_bytes (kernel->companion, c);
  uint32_t t = t0;
  for (; kernel->dot_4 && t + 4 <= t1; t += 4)
    for (uint32_t r = r0; r < r1; r++) {
      float sum[4];
      kernel->dot_4 (get_row (product, r) + w_offset, from + t * x->token_bytes, x->token_bytes, n_items, sum);
      for (uint32_t i = 0; i < 4; i++)
        put (&product->out[(t + i) * product->out_stride + r], c, sum[i]);
    }
  for (; t < t1; t++)
    for (uint32_t r = r0; r < r1; r++)
      put (&product->out[t * product->out_stride + r], c,
           kernel->dot (get_row (product, r) + w_offset, from + t * x->token_bytes, n_items));
}

static void multiply_few (const struct product *product, const struct activations *x, uint32_t r0, uint32_t r1,
                          uint32_t t0, uint32_t t1)
{
  for (uint32_t t = t0; t < t1; t += DOT_TOKENS_MAX)
    product->dot_rows (get_row (product, r0), product->w_bytes, r1 - r0, x->data + t * x->token_bytes, x->token_bytes,
                       t1 - t < DOT_TOKENS_MAX ? t1 - t : DOT_TOKENS_MAX, product->w->n_cols,
                       product->out + t * product->out_stride + r0, product->out_stride);
}

/* Float rows are taken in the pieces that panels have, for any number of tokens, as the sums of pieces round. Quantised
 * rows come here only if there are few tokens. */
static void multiply_rows (const struct product *product, const struct activations *x, uint32_t r0, uint32_t r1,
                           uint32_t t0, uint32_t t1)
{
  if (product->dot_rows) {
    multiply_few (product, x, r0, r1, t0, t1);
    return;
  }
  const uint32_t n_cols = product->w->n_cols;
  const uint32_t piece = product->kernel->companion != COMPANION_F32 ? n_cols : PANEL_COLS;
  const uint32_t rows_at_once = t1 - t0 < 4 ? 1 : r1 - r0; /* few tokens: read memory in order */
  for (uint32_t r = r0; r < r1; r += rows_at_once)
    for (uint32_t c = 0; c < n_cols; c += piece)
      multiply_block (product, x, r, r + rows_at_once, t0, t1, c, n_cols - c < piece ? n_cols - c : piece);
}

/* Brings a panel's next columns closer while this one is multiplied: rows lie too far apart for the CPU to guess. */
static void prefetch_rows (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_bytes)
{
  for (uint32_t r = 0; r < n_rows; r++)
    for (size_t at = 0; at < n_bytes; at += CACHE_LINE)
      __builtin_prefetch (w + r * row_bytes + at);
}

/* The same through panels, into a tile; r1 - r0 is at most PANEL_ROWS. `reads_on`: the rows from r1 on come next. */
static void multiply_panels (const struct product *product, const struct activations *x, uint32_t r0, uint32_t r1,
                             bool reads_on, uint32_t t0, uint32_t t1, float sums[TOKEN_BLOCK][PANEL_ROWS])
{
  _Alignas(CACHE_LINE) uint8_t panel[PANEL_BYTES_MAX];
  const struct kernel_type *kernel = product->kernel;
  const uint32_t n_cols = product->w->n_cols;
  const uint8_t *from = x->data + t0 * x->token_bytes;
  const size_t panel_bytes = tensor_type_row_bytes (product->w->type, PANEL_COLS);
  memset (sums, 0, (t1 - t0) * sizeof sums[0]);
  for (uint32_t c = 0; c < n_cols; c += PANEL_COLS, from += x->chunk_bytes) {
    const uint32_t n_items = n_cols - c < PANEL_COLS ? n_cols - c : PANEL_COLS;
    const uint8_t *w = get_row (product, r0) + tensor_type_row_bytes (product->w->type, c);
    const uint8_t *next = get_row (product, r1) + PANEL_ROWS * tensor_type_row_bytes (product->w->type, c);
    kernel->pack (w, product->w_bytes, r1 - r0, n_items, reads_on ? next : w, panel);
    if (!reads_on && n_cols - c >= 2 * PANEL_COLS)
      prefetch_rows (w + panel_bytes, product->w_bytes, r1 - r0, panel_bytes);
    for (uint32_t t = 0; t < t1 - t0; t += kernel->panel_tokens) {
      const uint32_t left = t1 - t0 - t, n_tokens = left < kernel->panel_tokens ? left : kernel->panel_tokens;
      kernel->multiply (panel, from + t * x->token_bytes, x->token_bytes, n_tokens, n_items, sums[t]);
    }
  }
}

/* What part `part` of a job is. */
struct part {
  const struct product *product;
  uint32_t r0, r1, t0, t1;
};

static struct part get_part (const struct job *job, size_t part)
{
  const uint32_t block = (uint32_t)(part / job->n_strips), t0 = block * job->token_block;
  const struct product *product = job->products;
  size_t strip = part % job->n_strips;
  while (strip >= product->n_strips)
    strip -= product++->n_strips;
  const uint32_t r0 = (uint32_t)strip * product->strip_rows, n_tokens = job->call->n_tokens;
  return (struct part){
    .product = product,
    .r0 = r0,
    .r1 = product->w->n_rows - r0 < product->strip_rows ? product->w->n_rows : r0 + product->strip_rows,
    .t0 = t0,
    .t1 = n_tokens - t0 < job->token_block ? n_tokens : t0 + job->token_block,
  };
}

/* Few tokens: the outputs are the tiles. */
static void multiply_part_rows (const struct job *job, const struct part *part)
{
  const struct product *first = &job->products[0], *second = &job->products[1];
  multiply_rows (part->product, &job->x, part->r0, part->r1, part->t0, part->t1);
  if (!job->combines)
    return;
  multiply_rows (second, &job->x, part->r0, part->r1, part->t0, part->t1);
  for (uint32_t t = part->t0; t < part->t1; t++)
    job->call->combine (job->call->data, first->out + t * first->out_stride + part->r0,
                        second->out + t * second->out_stride + part->r0, second->out_stride, 1, part->r0,
                        part->r1 - part->r0);
}

static void multiply_part_panels (const struct job *job, const struct part *part)
{
  _Alignas(CACHE_LINE) float tiles[2][TOKEN_BLOCK][PANEL_ROWS];
  const struct product *out = job->combines ? &job->products[1] : part->product;
  const uint32_t n_tokens = part->t1 - part->t0;
  for (uint32_t r = part->r0; r < part->r1 && !is_cancelled (job); r += PANEL_ROWS) {
    const uint32_t end = part->r1 - r < PANEL_ROWS ? part->r1 : r + PANEL_ROWS;
    const bool reads_on = end < part->r1 && job->call->n_tokens <= FEW_TOKENS;
    float (*tile)[PANEL_ROWS] = tiles[0];
    multiply_panels (part->product, &job->x, r, end, reads_on, part->t0, part->t1, tile);
    if (job->combines) {
      tile = tiles[1];
      multiply_panels (out, &job->x, r, end, reads_on, part->t0, part->t1, tile);
      job->call->combine (job->call->data, tiles[0][0], tile[0], PANEL_ROWS, n_tokens, r, end - r);
    }
    for (uint32_t t = 0; t < n_tokens; t++)
      memcpy (out->out + (part->t0 + t) * out->out_stride + r, tile[t], (end - r) * sizeof (float));
  }
}

static void multiply_part (void *data, size_t index)
{
  const struct job *job = data;
  const struct part part = get_part (job, index);
  if (is_cancelled (job))
    return;
  if (job->x.by_panels)
    multiply_part_panels (job, &part);
  else
    multiply_part_rows (job, &part);
}

/* Reference arithmetic: weights to F32 a piece at a time, sums in double precision. */
static void multiply_part_exact (void *data, size_t index)
{
  const struct job *job = data;
  const struct part part = get_part (job, index);
  const struct product *product = part.product;
  const uint32_t n_cols = product->w->n_cols, n_tokens = part.t1 - part.t0;
  float weights[EXACT_ITEMS];
  double sums[EXACT_TOKEN_BLOCK];
  for (uint32_t r = part.r0; r < part.r1 && !is_cancelled (job); r++) {
    for (uint32_t t = 0; t < n_tokens; t++)
      sums[t] = 0;
    for (uint32_t c = 0; c < n_cols; c += EXACT_ITEMS) {
      const uint32_t n_items = n_cols - c < EXACT_ITEMS ? n_cols - c : EXACT_ITEMS;
      tensor_type_to_f32 (product->w->type, get_row (product, r) + tensor_type_row_bytes (product->w->type, c), weights,
                          n_items);
      for (uint32_t t = 0; t < n_tokens; t++)
        sums[t]
            += (double)job->kernels->dot_f32 (weights, job->call->x + (part.t0 + t) * job->call->x_stride + c, n_items);
    }
    for (uint32_t t = 0; t < n_tokens; t++)
      product->out[(part.t0 + t) * product->out_stride + r] = (float)sums[t];
  }
}

static void combine_part (void *data, size_t part)
{
  const struct matmul *call = data;
  const struct matmul_output *first = &call->outputs[0], *second = &call->outputs[1];
  call->combine (call->data, first->out + part * first->out_stride, second->out + part * second->out_stride,
                 second->out_stride, 1, 0, first->w->n_rows);
}

/* Strips short enough that every thread gets several, but long enough to be worth handing out: a small product stays in
 * one piece. */
static uint32_t choose_strip_rows (const struct job *job, const struct matrix *w, int n_threads)
{
  const uint64_t row_products = (uint64_t)w->n_cols * job->call->n_tokens + 1;
  const uint32_t most = job->call->n_tokens > FEW_TOKENS ? PANEL_ROWS : FEW_TOKENS_ROWS_MAX;
  uint64_t rows = w->n_rows / (8 * (uint32_t)n_threads);
  if (rows > most)
    rows = most;
  if (rows < PART_PRODUCTS_MIN / row_products)
    rows = PART_PRODUCTS_MIN / row_products;
  return rows < PANEL_ROWS ? PANEL_ROWS : (uint32_t)(rows / PANEL_ROWS * PANEL_ROWS);
}

/* From how many tokens on panels are at least as quick as rows: measured with tests/bench/bench-dot. */
static uint32_t get_panel_tokens_min (const struct kernels *kernels, enum tensor_type type)
{
  if (kernels->dot_rows[type])
    return DOT_TOKENS_MAX + 1;
  const uint32_t n_tokens = kernels->panel_tokens_min[kernels->types[type]->companion];
  return n_tokens ? n_tokens : 2;
}

static struct activations lay_out_activations (const struct matmul *call, const struct kernels *kernels,
                                               const struct matrix *w)
{
  const struct kernel_type *kernel = kernels->types[w->type];
  struct activations x = { .companion = kernel->companion };
  x.by_panels = !call->exact && kernel->pack && call->n_tokens >= get_panel_tokens_min (kernels, w->type);
  x.chunk_cols = x.by_panels ? PANEL_COLS : w->n_cols;
  if (call->exact || x.companion == COMPANION_F32) {
    x.data = (uint8_t *)call->x;
    x.token_bytes = call->x_stride * sizeof (float);
    x.chunk_bytes = PANEL_COLS * sizeof (float);
    return x;
  }
  x.data = (uint8_t *)call->scratch + (CACHE_LINE - (uintptr_t)call->scratch % CACHE_LINE) % CACHE_LINE;
  x.token_bytes = round_up (companion_row_bytes (x.companion, x.chunk_cols));
  x.chunk_bytes = call->n_tokens * x.token_bytes;
  return x;
}

/* As many outputs from `first` on as read the same activations. */
static void collect_products (struct job *job, uint32_t first, int n_threads)
{
  const struct matmul *call = job->call;
  job->x = lay_out_activations (call, job->kernels, call->outputs[first].w);
  for (uint32_t i = first; i < call->n_outputs; i++) {
    const struct matmul_output *output = &call->outputs[i];
    const struct activations x = lay_out_activations (call, job->kernels, output->w);
    if (x.companion != job->x.companion || x.by_panels != job->x.by_panels)
      break;
    const uint32_t strip_rows = choose_strip_rows (job, output->w, n_threads);
    job->products[job->n_products++] = (struct product){
      .kernel = job->kernels->types[output->w->type],
      .dot_rows = job->kernels->dot_rows[output->w->type],
      .w = output->w,
      .w_bytes = tensor_type_row_bytes (output->w->type, output->w->n_cols),
      .out = output->out,
      .out_stride = output->out_stride,
      .strip_rows = strip_rows,
      .n_strips = (output->w->n_rows + strip_rows - 1) / strip_rows,
    };
  }
  job->combines = call->combine && !call->exact && job->n_products == 2;
  for (uint32_t i = 0; i < (job->combines ? 1 : job->n_products); i++)
    job->n_strips += job->products[i].n_strips;
}

void matmul_run (struct pool *pool, const struct matmul *call)
{
  const uint32_t n_tokens = call->n_tokens;
  bool combined = false;
  if (n_tokens == 0)
    return;
  for (uint32_t first = 0; first < call->n_outputs;) {
    struct job job = { .kernels = kernels_get (), .call = call, .prepare = first == 0 ? call->prepare : NULL };
    job.token_block = call->exact ? EXACT_TOKEN_BLOCK : TOKEN_BLOCK;
    collect_products (&job, first, pool_get_n_threads (pool));
    if (job.prepare || (!call->exact && job.x.companion != COMPANION_F32)) {
      job.tokens_per_part = 1 + PART_PRODUCTS_MIN / (job.products[0].w->n_cols + 1);
      pool_run (pool, (n_tokens + job.tokens_per_part - 1) / job.tokens_per_part, prepare_part, &job);
    }
    const size_t n_blocks = (n_tokens + job.token_block - 1) / job.token_block;
    pool_run (pool, job.n_strips * n_blocks, call->exact ? multiply_part_exact : multiply_part, &job);
    combined = job.combines;
    first += job.n_products;
  }
  if (call->combine && !combined)
    matmul_combine (pool, call);
}

void matmul_combine (struct pool *pool, const struct matmul *call)
{
  if (!(call->cancel && atomic_load_explicit (call->cancel, memory_order_relaxed)))
    pool_run (pool, call->n_tokens, combine_part, (void *)call);
}

void matmul (struct pool *pool, const struct matrix *w, const float *x, size_t x_stride, uint32_t n_tokens, float *out,
             size_t out_stride, bool exact, void *scratch, const atomic_bool *cancel)
{
  matmul_run (pool, &(struct matmul){ .x = x,
                                      .x_stride = x_stride,
                                      .n_tokens = n_tokens,
                                      .outputs = { { w, out, out_stride } },
                                      .n_outputs = 1,
                                      .exact = exact,
                                      .scratch = scratch,
                                      .cancel = cancel });
}

void matrix_get_row (const struct matrix *w, uint32_t row, float *out)
{
  const size_t row_bytes = tensor_type_row_bytes (w->type, w->n_cols);
  tensor_type_to_f32 (w->type, (const uint8_t *)w->data + row * row_bytes, out, w->n_cols);
}
