/* random-shapes.c: matmul() in shapes that nobody chose against the reference kernels. */
#include "tests/kernels/kernel-test.h"
#include "engine/kernels/matmul.h"

enum {
  TOKENS_MAX = 4096,
  PRODUCTS_MAX_LOG2 = 24,    /* of a shape */
  CHECKED_PRODUCTS = 1 << 17 /* by the reference, which is slow: random results of large shapes, all of small ones */
};

struct shape {
  enum tensor_type type;
  uint32_t n_rows, n_cols, n_tokens;
  int n_threads;
};

/* 1 to max, each power of two as likely as the next. */
static uint32_t random_size (uint32_t max)
{
  const double size = exp2 ((double)random_u32 () * 0x1p-32 * log2 ((double)max + 1));
  return size < max ? (uint32_t)size : max;
}

static struct shape random_shape (void)
{
  struct shape shape;
  const struct tensor_type_info *info;
  do {
    shape.type = random_u32 () % TENSOR_N_TYPES;
    info = tensor_type_get_info (shape.type);
  } while (!info || !info->runs);
  const uint32_t n_products = 1u << (12 + random_u32 () % (PRODUCTS_MAX_LOG2 - 11));
  shape.n_tokens = random_size (TOKENS_MAX);
  const uint32_t n_weights = n_products / shape.n_tokens + 1;
  shape.n_rows = random_size (n_weights < 200 ? n_weights : 200);
  const uint32_t n_blocks = n_weights / shape.n_rows / info->block_items + 1;
  shape.n_cols
      = info->block_items * random_size (n_blocks < 10000 / info->block_items ? n_blocks : 10000 / info->block_items);
  shape.n_threads = 1 + (int)(random_u32 () % 3);
  return shape;
}

/* The reference's result, and the sum of the products' magnitudes. */
static float multiply_reference (const struct shape *shape, const uint8_t *w, const float *x, float *weights,
                                 void *rounded, double *magnitude)
{
  const struct kernel_type *kernel = kernels_c.types[shape->type];
  *magnitude = 0;
  if (kernel->companion == COMPANION_F32) {
    tensor_type_to_f32 (shape->type, w, weights, shape->n_cols);
    for (uint32_t i = 0; i < shape->n_cols; i++)
      *magnitude += fabs ((double)weights[i] * (double)x[i]);
  }
  quantise (&kernels_c, kernel->companion, x, rounded, shape->n_cols);
  return kernel->dot (w, rounded, shape->n_cols);
}

static void check_shape (const struct shape *shape)
{
  const size_t w_bytes = tensor_type_row_bytes (shape->type, shape->n_cols);
  const size_t x_stride = shape->n_cols + random_u32 () % 5, out_stride = shape->n_rows + random_u32 () % 5;
  const size_t out_items = (shape->n_tokens - 1) * out_stride + shape->n_rows;
  const size_t x_items = (shape->n_tokens - 1) * x_stride + shape->n_cols;
  struct guarded w = guarded_new (w_bytes * shape->n_rows, 2), x = guarded_new (x_items * sizeof (float), 4);
  struct guarded scratch = guarded_new (matmul_scratch_bytes (shape->n_cols, shape->n_tokens), 3);
  struct guarded out = guarded_new (out_items * sizeof (float), 4);
  float *activations = (float *)x.bytes, *results = (float *)out.bytes;
  float *weights = malloc (shape->n_cols * sizeof *weights),
        *rounded = malloc ((shape->n_cols + 32) * 2 * sizeof *rounded);
  struct pool *pool = pool_new (shape->n_threads);
  const struct matrix matrix = { w.bytes, shape->type, shape->n_rows, shape->n_cols };
  if (!weights || !rounded || !pool)
    exit (1);
  for (uint32_t r = 0; r < shape->n_rows; r++)
    fill_weights (shape->type, w.bytes + r * w_bytes, shape->n_cols, FILL_RANDOM);
  for (uint32_t t = 0; t < shape->n_tokens; t++)
    fill_activations (activations + t * x_stride, shape->n_cols, FILL_RANDOM);
  for (size_t i = 0; i < out_items; i++)
    results[i] = 12345;
  matmul (pool, &matrix, activations, x_stride, shape->n_tokens, results, out_stride, false, scratch.bytes, NULL);

  const uint64_t n_results = (uint64_t)shape->n_rows * shape->n_tokens;
  const uint64_t n_checks = CHECKED_PRODUCTS / shape->n_cols + 8;
  for (uint64_t i = 0; i < n_checks && i < n_results; i++) {
    const uint64_t which = n_results <= n_checks ? i : i == 0 ? n_results - 1 : random_u32 () % n_results;
    const uint64_t t = which / shape->n_rows, r = which % shape->n_rows;
    double magnitude;
    const float expected
        = multiply_reference (shape, w.bytes + r * w_bytes, activations + t * x_stride, weights, rounded, &magnitude);
    CHECK (agree (kernels_c.types[shape->type]->companion, results[t * out_stride + r], expected, magnitude));
  }
  for (size_t i = 0; i < out_items; i++)
    CHECK ((i % out_stride < shape->n_rows) || results[i] == 12345);
  pool_free (pool);
  free (weights);
  free (rounded);
  guarded_free (&w);
  guarded_free (&x);
  guarded_free (&scratch);
  guarded_free (&out);
}

void check_random_shapes (unsigned n_shapes)
{
  for (unsigned i = 0; i < n_shapes; i++) {
    const struct shape shape = random_shape ();
    snprintf (context, sizeof context, "path %s, shape %u: matmul %s %u x %u, %u tokens, %d threads",
              kernels_get_path (), i, tensor_type_get_info (shape.type)->name, shape.n_rows, shape.n_cols,
              shape.n_tokens, shape.n_threads);
    check_shape (&shape);
  }
}
