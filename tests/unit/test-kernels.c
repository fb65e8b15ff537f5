/* test-kernels.c: every path and every type against the reference, and the reference against dequantised weights in
 * double precision. `--bench` prints what each path does per second instead. */
#include "engine/engine.h"
#include "engine/gguf/half.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/matmul.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf (stderr, "%s:%d: not true: %s (%s)\n", __FILE__, __LINE__, #condition, context);                         \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

static char context[160]; /* what is being checked, for the message */
static uint64_t random_state = 1;

static uint32_t random_u32 (void)
{
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 33) ^ (uint32_t)(random_state >> 20);
}

static float random_f32 (void)
{
  return (float)(int32_t)random_u32 () * 0x1p-31f;
}

/* ---- inputs ---------------------------------------------------------------------------------------------- */

enum filling { FILL_RANDOM, FILL_MOST, FILL_LEAST, N_FILLINGS };

/* Where a block keeps its factors, which must be sane numbers; all other bytes may be anything. */
static void put_factors (enum tensor_type type, uint8_t *block, uint16_t d, uint16_t m)
{
  static const struct {
    size_t d, m; /* in bytes from the start of the block */
  } places[TENSOR_N_TYPES] = {
    [TENSOR_Q4_1] = { 0, 2 },     [TENSOR_Q5_1] = { 0, 2 },    [TENSOR_Q4_K] = { 0, 2 },
    [TENSOR_Q5_K] = { 0, 2 },     [TENSOR_Q2_K] = { 80, 82 },  [TENSOR_Q3_K] = { 108, 108 },
    [TENSOR_Q6_K] = { 208, 208 }, [TENSOR_TQ1_0] = { 52, 52 }, [TENSOR_TQ2_0] = { 64, 64 },
  };
  if (type == TENSOR_MXFP4) { /* a power of two, so without a sign */
    block[0] = (uint8_t)(115 + d % 8);
  } else if (type == TENSOR_IQ1_M) { /* a nibble in each part of the scales */
    for (int i = 0; i < 4; i++)
      block[49 + 2 * i] = (uint8_t)((block[49 + 2 * i] & 15) | (d >> (4 * i) & 15) << 4);
  } else {
    memcpy (block + places[type].m, &m, 2);
    memcpy (block + places[type].d, &d, 2);
  }
}

static void fill_weights (enum tensor_type type, uint8_t *w, size_t n_items, enum filling filling)
{
  const struct tensor_type_info *info = tensor_type_get_info (type);
  for (size_t i = 0; i < n_items / info->block_items; i++) {
    uint8_t *block = w + i * info->block_bytes;
    const float value = filling == FILL_RANDOM ? random_f32 () : filling == FILL_MOST ? 1.0f : -1.0f;
    const uint16_t half = f16_of_f32 (value);
    if (type == TENSOR_F32) {
      memcpy (block, &value, 4);
    } else if (type == TENSOR_F16) {
      memcpy (block, &half, 2);
    } else if (type == TENSOR_BF16) {
      const uint16_t brain = (uint16_t)(bits_of_f32 (value) >> 16);
      memcpy (block, &brain, 2);
    } else {
      for (size_t j = 0; j < info->block_bytes; j++)
        block[j] = filling == FILL_RANDOM ? (uint8_t)random_u32 () : filling == FILL_MOST ? 0xff : 0x80;
      put_factors (type, block, f16_of_f32 (0.01f * value), f16_of_f32 (0.02f * random_f32 ()));
    }
  }
}

static void fill_activations (float *x, size_t n_items, enum filling filling)
{
  for (size_t i = 0; i < n_items; i++)
    x[i] = filling == FILL_RANDOM ? random_f32 () * (random_u32 () % 64 == 0 ? 30.0f : 1.0f)
           : filling == FILL_MOST ? 1.0f
                                  : -1.0f;
  if (filling == FILL_RANDOM && n_items >= 64) /* a block of zeros, and one too small to matter */
    for (size_t i = 0; i < 32; i++) {
      x[i] = 0;
      x[32 + i] = i % 2 ? 1e-38f : -1e-39f;
    }
}

/* A buffer with `bytes` usable ones, whose end is the end of the allocation: AddressSanitizer guards it. The start is
 * off by `skew`, as tensors in a file are aligned to nothing that a vector unit likes. */
struct guarded {
  uint8_t *allocation, *bytes;
};

static struct guarded guarded_new (size_t bytes, size_t skew)
{
  struct guarded guarded = { malloc (bytes + skew), NULL };
  if (!guarded.allocation)
    exit (1);
  guarded.bytes = guarded.allocation + skew;
  return guarded;
}

/* ---- checks ---------------------------------------------------------------------------------------------- */

static void quantise (const struct kernels *kernels, enum companion companion, const float *x, void *out, size_t n)
{
  if (companion == COMPANION_Q8)
    kernels->quantise_q8 (x, out, n);
  else if (companion == COMPANION_Q8_K)
    kernels->quantise_q8_k (x, out, n);
  else
    memcpy (out, x, n * sizeof *x);
}

static size_t companion_bytes (enum companion companion, size_t n)
{
  return companion == COMPANION_Q8 ? n / 32 * 40 : companion == COMPANION_Q8_K ? n / 256 * 320 : n * sizeof (float);
}

static bool same_bits (const void *a, const void *b, size_t n)
{
  return memcmp (a, b, n) == 0;
}

/* Float types add in an order of their own: near is enough. Quantised types must be equal. */
static bool agree (enum companion companion, float a, float b, double magnitude)
{
  return companion == COMPANION_F32 ? fabs ((double)a - (double)b) <= 1e-5 * magnitude + 1e-6 : a == b;
}

enum { N_TOKENS = 9 };

/* The reference against weights dequantised to F32 times the rounded activations, in double precision. */
static void check_reference (enum tensor_type type, size_t n, const uint8_t *w, const uint8_t *x, float result,
                             double *magnitude)
{
  float *weights = malloc (n * sizeof *weights);
  double sum = 0, most = 0;
  if (!weights)
    exit (1);
  tensor_type_to_f32 (type, w, weights, n);
  for (size_t i = 0; i < n; i++) {
    const struct q8_block *q8 = (const struct q8_block *)x + i / 32;
    const struct q8_k_block *q8_k = (const struct q8_k_block *)x + i / 256;
    double value;
    switch (kernels_c.types[type]->companion) {
    case COMPANION_Q8: value = (double)q8->d * q8->q[i % 32]; break;
    case COMPANION_Q8_K: value = (double)q8_k->d * q8_k->q[i % 256]; break;
    default: value = (double)((const float *)x)[i]; break;
    }
    sum += (double)weights[i] * value;
    most += fabs ((double)weights[i] * value);
  }
  free (weights);
  *magnitude = most;
  CHECK (fabs (sum - (double)result) <= 2e-5 * most + 1e-6);
}

/* A panel of all rows and one of fewer, times 1 to panel_tokens tokens. */
static void check_panel (const struct kernel_type *kernel, const uint8_t *w, size_t w_bytes, const uint8_t *x,
                         size_t x_bytes, size_t n, float expected[N_TOKENS][PANEL_ROWS])
{
  _Alignas(64) uint8_t panel[PANEL_BYTES_MAX + 64];
  _Alignas(64) float sums[(PANEL_TOKENS_MAX + 1) * PANEL_ROWS];
  CHECK (kernel->panel_tokens <= PANEL_TOKENS_MAX);
  for (unsigned n_tokens = 1; n_tokens <= kernel->panel_tokens; n_tokens++) {
    const uint32_t n_rows = n_tokens == 1 ? 5 : PANEL_ROWS;
    memset (panel + PANEL_BYTES_MAX, 77, 64);
    kernel->pack (w, w_bytes, n_rows, n, w, panel);
    for (size_t i = 0; i < 64; i++)
      CHECK (panel[PANEL_BYTES_MAX + i] == 77);
    for (unsigned first = 0; first + n_tokens <= N_TOKENS; first += n_tokens) {
      const size_t n_sums = n_tokens * (size_t)PANEL_ROWS;
      for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        sums[i] = i < n_sums ? 0 : 12345;
      kernel->multiply (panel, x + first * x_bytes, x_bytes, n_tokens, n, sums);
      for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        if (i >= n_sums || i % PANEL_ROWS < n_rows)
          CHECK (sums[i] == (i < n_sums ? expected[first + i / PANEL_ROWS][i % PANEL_ROWS] : 12345));
    }
  }
}

/* The last rows, 1 to PANEL_ROWS of them, as they end where the allocation ends; times 1 to DOT_TOKENS_MAX tokens. */
static void check_dot_rows (dot_rows_function *dot_rows, const uint8_t *w, size_t w_bytes, const uint8_t *x,
                            size_t x_bytes, size_t n, float expected[N_TOKENS][PANEL_ROWS])
{
  enum { STRIDE = PANEL_ROWS + 3 };
  float out[(DOT_TOKENS_MAX + 1) * STRIDE];
  for (size_t n_rows = 1; n_rows <= PANEL_ROWS; n_rows += n_rows < 3 ? 1 : n_rows % 2 ? 5 : 3)
    for (unsigned n_tokens = 1; n_tokens <= DOT_TOKENS_MAX; n_tokens++) {
      const size_t first_row = PANEL_ROWS - n_rows, first_token = N_TOKENS - n_tokens;
      for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        out[i] = 12345;
      dot_rows (w + first_row * w_bytes, w_bytes, n_rows, x + first_token * x_bytes, x_bytes, n_tokens, n, out, STRIDE);
      for (size_t t = 0; t <= DOT_TOKENS_MAX; t++)
        for (size_t r = 0; r < STRIDE; r++) {
          const bool written = t < n_tokens && r < n_rows;
          CHECK (same_bits (&out[t * STRIDE + r],
                            written ? &expected[first_token + t][first_row + r] : &(float){ 12345 }, sizeof (float)));
        }
    }
}

static void check_rows (const struct kernels *kernels, enum tensor_type type, size_t n, enum filling filling)
{
  const struct kernel_type *kernel = kernels->types[type], *reference = kernels_c.types[type];
  const size_t w_bytes = tensor_type_row_bytes (type, n), x_bytes = companion_bytes (reference->companion, n);
  const size_t n_rows = PANEL_ROWS;
  struct guarded w = guarded_new (w_bytes * n_rows, 2), x = guarded_new (x_bytes * N_TOKENS, 0);
  struct guarded x_again = guarded_new (x_bytes * N_TOKENS, 0);
  float *x_f32 = malloc (n * sizeof *x_f32);
  float expected[N_TOKENS][PANEL_ROWS];
  double magnitude[N_TOKENS][PANEL_ROWS];
  if (!x_f32)
    exit (1);
  snprintf (context, sizeof context, "path %s, type %s, %zu columns, filling %d", kernels->name,
            tensor_type_get_info (type)->name, n, filling);
  CHECK (kernel->companion == reference->companion);

  memset (x.bytes, 0, x_bytes * N_TOKENS);
  memset (x_again.bytes, 0, x_bytes * N_TOKENS);
  for (size_t r = 0; r < n_rows; r++)
    fill_weights (type, w.bytes + r * w_bytes, n, filling);
  for (size_t t = 0; t < N_TOKENS; t++) {
    fill_activations (x_f32, n, t == 1 ? FILL_MOST : t == 2 ? FILL_LEAST : FILL_RANDOM);
    quantise (&kernels_c, reference->companion, x_f32, x.bytes + t * x_bytes, n);
    quantise (kernels, reference->companion, x_f32, x_again.bytes + t * x_bytes, n);
    for (size_t r = 0; r < n_rows; r++) {
      expected[t][r] = reference->dot (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n);
      check_reference (type, n, w.bytes + r * w_bytes, x.bytes + t * x_bytes, expected[t][r], &magnitude[t][r]);
    }
  }
  CHECK (same_bits (x.bytes, x_again.bytes, x_bytes * N_TOKENS));

  for (size_t t = 0; t < N_TOKENS; t++)
    for (size_t r = 0; r < n_rows; r++) {
      const float one = kernel->dot (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n);
      CHECK (agree (reference->companion, one, expected[t][r], magnitude[t][r]));
    }
  if (kernel->dot_4)
    for (size_t r = 0; r < n_rows; r++) {
      float four[4];
      kernel->dot_4 (w.bytes + r * w_bytes, x.bytes, x_bytes, n, four);
      for (size_t t = 0; t < 4; t++)
        CHECK (four[t] == kernel->dot (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n));
    }
  if (kernels->dot_rows[type])
    check_dot_rows (kernels->dot_rows[type], w.bytes, w_bytes, x.bytes, x_bytes, n, expected);
  for (size_t t = 0; t < N_TOKENS; t++) /* of floats, each path has sums of its own */
    for (size_t r = 0; r < n_rows; r++)
      expected[t][r] = kernel->dot (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n);
  if (kernel->pack && n <= PANEL_COLS)
    check_panel (kernel, w.bytes, w_bytes, x.bytes, x_bytes, n, expected);
  free (w.allocation);
  free (x.allocation);
  free (x_again.allocation);
  free (x_f32);
}

static void check_path (const struct kernels *kernels)
{
  for (uint32_t type = 0; type < TENSOR_N_TYPES; type++) {
    const struct tensor_type_info *info = tensor_type_get_info (type);
    snprintf (context, sizeof context, "path %s, type %u", kernels->name, type);
    CHECK ((info && info->runs) == (kernels->types[type] != NULL));
    if (!info || !info->runs)
      continue;
    static const size_t small[] = { 1, 2, 3, 7, 8, 15, 16, 17, 33, 100, 288, 2048 };
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
      const size_t n = small[i] * info->block_items;
      for (int filling = 0; filling < N_FILLINGS && n <= 4608; filling++)
        check_rows (kernels, (enum tensor_type)type, n, (enum filling)filling);
    }
  }
}

/* Rounded activations are within half a step, and their sums are sums. Parts of a block differ in size up to 2^20 times. */
static void check_rounding (const struct kernels *kernels)
{
  enum { N = 256 };
  float x[N];
  struct q8_block q8[N / 32];
  struct q8_k_block q8_k;
  snprintf (context, sizeof context, "rounding on path %s", kernels->name);
  for (int round = 0; round < 200; round++) {
    for (int i = 0; i < N; i++)
      x[i] = ldexpf (random_f32 (), round % 20 * (i / 32 % 3) / 2);
    kernels->quantise_q8 (x, q8, N);
    kernels->quantise_q8_k (x, &q8_k, N);
    for (int i = 0; i < N; i++) {
      const double step = (double)q8[i / 32].d, step_k = (double)q8_k.d;
      CHECK (fabs ((double)x[i] - step * q8[i / 32].q[i % 32]) <= 0.5001 * step && abs (q8[i / 32].q[i % 32]) <= 127);
      CHECK (fabs ((double)x[i] - step_k * q8_k.q[i]) <= 0.5001 * step_k && abs (q8_k.q[i]) <= 127);
    }
    for (int group = 0; group < N / 16; group++) {
      int sum = 0;
      for (int i = 16 * group; i < 16 * group + 16; i++)
        sum += q8_k.q[i];
      CHECK (q8_k.sums[group] == sum);
    }
    for (int block = 0; block < N / 32; block++) {
      int sum = 0;
      for (int i = 0; i < 32; i++)
        sum += q8[block].q[i];
      CHECK (q8[block].sum == sum);
    }
  }
}

static void check_helpers (const struct kernels *kernels)
{
  enum { MOST = 67 };
  float a[MOST], b[MOST], y[MOST], y_c[MOST];
  uint16_t half[MOST], half_c[MOST];
  snprintf (context, sizeof context, "helpers of path %s", kernels->name);
  for (size_t n = 0; n <= MOST; n++) {
    double magnitude = 0;
    for (size_t i = 0; i < n; i++) {
      a[i] = random_f32 () * 3;
      b[i] = random_f32 ();
      y[i] = y_c[i] = random_f32 ();
      magnitude += fabs ((double)a[i] * (double)b[i]);
    }
    CHECK (agree (COMPANION_F32, kernels->dot_f32 (a, b, n), kernels_c.dot_f32 (a, b, n), magnitude));
    kernels->f32_to_f16 (a, half, n);
    kernels_c.f32_to_f16 (a, half_c, n);
    CHECK (same_bits (half, half_c, n * sizeof half[0]));
    CHECK (agree (COMPANION_F32, kernels->dot_f16 (half, b, n), kernels_c.dot_f16 (half, b, n), magnitude));
    kernels->axpy_f16 (y, 0.7f, half, n);
    kernels_c.axpy_f16 (y_c, 0.7f, half, n);
    for (size_t i = 0; i < n; i++)
      CHECK (fabsf (y[i] - y_c[i]) <= 1e-6f);
  }
}

/* Rounding to Q8_0 and back is the same on every path; a row of dot products is single ones. */
static void check_q8_0 (const struct kernels *kernels)
{
  enum { N = 96, N_ROWS = 7 };
  float rows[N_ROWS][N], back[N], back_c[N], dots[N_ROWS];
  uint8_t blocks[N / 32 * 34];
  snprintf (context, sizeof context, "Q8_0 on path %s", kernels->name);
  for (int row = 0; row < N_ROWS; row++)
    for (int i = 0; i < N; i++)
      rows[row][i] = random_f32 () * 5;
  f32_to_q8_0 (rows[0], blocks, N);
  kernels->q8_0_to_f32 (blocks, back, N);
  kernels_c.q8_0_to_f32 (blocks, back_c, N);
  CHECK (same_bits (back, back_c, sizeof back));
  for (int i = 0; i < N; i++)
    CHECK (fabsf (back[i] - rows[0][i]) <= 5.0f / 127);
  for (size_t n_rows = 0; n_rows <= N_ROWS; n_rows++) {
    dot_rows_f32 (back, rows[0], N, n_rows, N - 3, dots, 1);
    for (size_t row = 0; row < n_rows; row++) {
      const float one = dot_f32 (back, rows[row], N - 3);
      CHECK (same_bits (&one, &dots[row], sizeof one));
    }
  }
}

static void check_multiply (const struct kernels *kernels)
{
  static const size_t shapes[][3] = { { 4, 8, 1 }, { 4, 24, 7 }, { 8, 32, 64 }, { 32, 40, 32 }, { 12, 16, 0 } };
  enum { MOST = 64 * 64 };
  static float a[MOST], b[MOST], c[MOST], c_c[MOST];
  snprintf (context, sizeof context, "multiply_f32 on path %s", kernels->name);
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const size_t n_rows = shapes[s][0], n_cols = shapes[s][1], n_inner = shapes[s][2];
    for (size_t i = 0; i < MOST; i++) {
      a[i] = sinf ((float)(7 * i + s));
      b[i] = cosf ((float)(3 * i + s));
      c[i] = c_c[i] = (float)(i % 5);
    }
    kernels->multiply_f32 (a, b, c, n_rows, n_cols, n_inner);
    for (size_t row = 0; row < n_rows; row++)
      for (size_t col = 0; col < n_cols; col++) {
        double sum = c_c[row * n_cols + col];
        for (size_t i = 0; i < n_inner; i++)
          sum += (double)a[row * n_inner + i] * b[i * n_cols + col];
        CHECK (fabs (c[row * n_cols + col] - sum) <= 1e-5);
      }
    for (size_t i = n_rows * n_cols; i < MOST; i++)
      CHECK (same_bits (&c[i], &c_c[i], 4));
  }
}

/* All halves there are, and F32 values around each rounding boundary, on every path and against the definition. */
static void check_halves (const struct kernels *kernels)
{
  snprintf (context, sizeof context, "halves on path %s", kernels->name);
  for (uint32_t h = 0; h < 0x10000; h++) {
    const uint16_t half = (uint16_t)h;
    float wide, wide_c;
    uint16_t back;
    kernels->f16_to_f32 (&half, &wide, 1);
    kernels_c.f16_to_f32 (&half, &wide_c, 1);
    CHECK (same_bits (&wide, &wide_c, 4));
    const int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 0x3ff);
    if (exponent < 31) {
      const double value = exponent ? ldexp (1024 + fraction, exponent - 25) : ldexp (fraction, -24);
      CHECK ((double)wide == (h & 0x8000 ? -value : value));
      kernels->f32_to_f16 (&wide, &back, 1);
      CHECK (back == half);
    } else {
      CHECK (fraction ? isnan (wide) : isinf (wide));
    }
    for (uint32_t low = 0; low < 5 && exponent < 31; low++) {
      static const uint32_t offsets[] = { 1, 0xfff, 0x1000, 0x1001, 0x1fff };
      const float between = f32_of_bits (bits_of_f32 (wide) + offsets[low]);
      uint16_t rounded, rounded_c;
      kernels->f32_to_f16 (&between, &rounded, 1);
      kernels_c.f32_to_f16 (&between, &rounded_c, 1);
      CHECK (rounded == rounded_c);
    }
  }
}

/* matmul() whole: shapes, strides, thread counts, scratch that is not aligned, and that tokens do not influence each
 * other: a product of many tokens equals the products of each. */
static void check_matmul (enum tensor_type type, uint32_t n_rows, uint32_t n_cols, uint32_t n_tokens, int n_threads)
{
  const size_t w_bytes = tensor_type_row_bytes (type, n_cols), scratch_bytes = matmul_scratch_bytes (n_cols, n_tokens);
  const size_t x_stride = n_cols + 3, out_stride = n_rows + 5;
  struct guarded w = guarded_new (w_bytes * n_rows, 8), scratch = guarded_new (scratch_bytes, 3);
  float *x = calloc (n_tokens * x_stride, sizeof *x), *out = malloc (n_tokens * out_stride * sizeof *out);
  float *one = malloc (n_rows * sizeof *one), *row = malloc (n_cols * sizeof *row);
  struct pool *pool = pool_new (n_threads), *alone = pool_new (1);
  const struct matrix matrix = { w.bytes, type, n_rows, n_cols };
  if (!x || !out || !one || !row || !pool || !alone)
    exit (1);
  snprintf (context, sizeof context, "matmul %s %u x %u, %u tokens, %d threads", tensor_type_get_info (type)->name,
            n_rows, n_cols, n_tokens, n_threads);
  for (uint32_t r = 0; r < n_rows; r++)
    fill_weights (type, w.bytes + r * w_bytes, n_cols, FILL_RANDOM);
  for (uint32_t t = 0; t < n_tokens; t++)
    fill_activations (x + t * x_stride, n_cols, FILL_RANDOM);
  for (size_t i = 0; i < n_tokens * out_stride; i++)
    out[i] = 12345;
  matmul (pool, &matrix, x, x_stride, n_tokens, out, out_stride, false, scratch.bytes, NULL);
  for (uint32_t t = 0; t < n_tokens; t++) {
    matmul (alone, &matrix, x + t * x_stride, x_stride, 1, one, n_rows, false, scratch.bytes, NULL);
    CHECK (same_bits (one, out + t * out_stride, n_rows * sizeof *one));
    for (size_t i = n_rows; i < out_stride; i++)
      CHECK (out[t * out_stride + i] == 12345);
  }
  matmul (pool, &matrix, x, x_stride, n_tokens, out, out_stride, true, scratch.bytes, NULL);
  for (uint32_t r = 0; r < n_rows; r++) {
    matrix_get_row (&matrix, r, row);
    for (uint32_t t = 0; t < n_tokens; t++) {
      double sum = 0, magnitude = 0;
      for (uint32_t c = 0; c < n_cols; c++) {
        sum += (double)row[c] * (double)x[t * x_stride + c];
        magnitude += fabs ((double)row[c] * (double)x[t * x_stride + c]);
      }
      CHECK (fabs (sum - (double)out[t * out_stride + r]) <= 1e-6 * magnitude + 1e-6);
    }
  }
  atomic_bool cancel = true;
  for (size_t i = 0; i < n_tokens * out_stride; i++)
    out[i] = 12345;
  matmul (pool, &matrix, x, x_stride, n_tokens, out, out_stride, false, scratch.bytes, &cancel);
  for (size_t i = 0; i < n_tokens * out_stride; i++)
    CHECK (out[i] == 12345);
  pool_free (pool);
  pool_free (alone);
  free (w.allocation);
  free (scratch.allocation);
  free (x);
  free (out);
  free (one);
  free (row);
}

static void check_matmuls (void)
{
  static const uint32_t shapes[][3]
      = { { 1, 256, 1 }, { 7, 512, 3 }, { 8, 256, 4 }, { 45, 768, 5 }, { 70, 2560, 11 }, { 33, 256, 261 } };
  for (uint32_t type = 0; type < TENSOR_N_TYPES; type++)
    if (tensor_type_get_info (type) && tensor_type_get_info (type)->runs)
      for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check_matmul ((enum tensor_type)type, shapes[i][0], shapes[i][1], shapes[i][2], i % 2 ? 3 : 1);
  check_matmul (TENSOR_Q8_0, 19, 32, 6, 2);
  check_matmul (TENSOR_Q4_0, 19, 96, 6, 2);
  check_matmul (TENSOR_F16, 19, 31, 6, 2);
}

/* ---- bench ----------------------------------------------------------------------------------------------- */

/* CPU time with one thread, so that other programs on the machine count less; else the wall clock. */
static double now_seconds (int n_threads)
{
  struct timespec now;
  clock_gettime (n_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Best of some runs over a matrix larger than the caches. The path is LECTERN_CPU's. */
static void bench_type (enum tensor_type type, uint32_t n_tokens, int n_threads)
{
  const bool one = n_tokens == 1;
  const uint32_t n_cols = 4096, n_rows = one ? 12288 : 256;
  const size_t w_bytes = tensor_type_row_bytes (type, n_cols);
  uint8_t *w = malloc (w_bytes * n_rows), *scratch = malloc (matmul_scratch_bytes (n_cols, n_tokens));
  float *x = malloc ((size_t)n_cols * n_tokens * sizeof *x), *out = malloc ((size_t)n_rows * n_tokens * sizeof *out);
  struct pool *pool = pool_new (n_threads);
  const struct matrix matrix = { w, type, n_rows, n_cols };
  double best = 1e9;
  if (!w || !scratch || !x || !out || !pool)
    exit (1);
  fill_weights (type, w, n_cols, FILL_RANDOM);
  for (uint32_t r = 1; r < n_rows; r++)
    memcpy (w + r * w_bytes, w, w_bytes);
  fill_activations (x, (size_t)n_cols * n_tokens, FILL_RANDOM);
  const double end = now_seconds (n_threads) + 0.3;
  do {
    const double start = now_seconds (n_threads);
    matmul (pool, &matrix, x, n_cols, n_tokens, out, n_rows, false, scratch, NULL);
    const double seconds = now_seconds (n_threads) - start;
    best = seconds < best ? seconds : best;
  } while (now_seconds (n_threads) < end);
  printf ("%s\t%s\t%u\t%d\t%.2f\t%.2f\n", kernels_get_path (), tensor_type_get_info (type)->name, n_tokens, n_threads,
          (double)n_rows * n_cols * n_tokens / best * 1e-9, (double)w_bytes * n_rows / best * 1e-9);
  fflush (stdout);
  pool_free (pool);
  free (w);
  free (scratch);
  free (x);
  free (out);
}

static void bench (void)
{
  static const uint32_t n_tokens[] = { 1, 4, 64 };
  printf ("path\ttype\ttokens\tthreads\tGMAC/s\tGB/s of weights\n");
  for (int n_threads = 1; n_threads <= engine_get_physical_cores (); n_threads++)
    for (size_t i = 0; i < sizeof n_tokens / sizeof n_tokens[0]; i++)
      for (uint32_t type = 0; type < TENSOR_N_TYPES; type++)
        if (tensor_type_get_info (type) && tensor_type_get_info (type)->runs)
          bench_type ((enum tensor_type)type, n_tokens[i], n_threads);
}

int main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--bench") == 0) {
    bench ();
    return 0;
  }
  const struct kernels *paths[8];
  const size_t n_paths = kernels_list (paths, sizeof paths / sizeof paths[0]);
  for (size_t i = 0; i < n_paths; i++) {
    check_path (paths[i]);
    check_rounding (paths[i]);
    check_helpers (paths[i]);
    check_halves (paths[i]);
    check_multiply (paths[i]);
    check_q8_0 (paths[i]);
    printf ("path %s: as the reference\n", paths[i]->name);
  }
  check_matmuls ();
  CHECK (engine_get_physical_cores () >= 1);
  CHECK (strcmp (engine_get_cpu_path (), kernels_get_path ()) == 0);
  return 0;
}
