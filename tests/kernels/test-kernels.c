/* test-kernels.c: every path that this machine runs, every kernel of its table and every type against the reference,
 * and the reference against dequantised weights in double precision. What a kernel may not touch is checked too: pages
 * around its buffers, and the registers of its caller.
 *
 *   test-kernels [--shapes N] [--expect PATH,...] [--quick] [--no-guard-pages]
 *     N random shapes for matmul(); which paths there must be; fewer sizes and no guard pages, for emulated machines
 *   test-kernels --bench [TYPE]                     each kernel of each path, side by side
 *   test-kernels --bench-matmul                     matmul() on the path of LECTERN_CPU
 *
 * Each path is checked in a process of its own, as LECTERN_CPU chooses one for the whole process. Given from outside, it
 * leaves only that path. A new entry of struct kernels is a function and a line of `checks`, and a line in bench.c. */
#include "tests/kernels/kernel-test.h"
#include "engine/engine.h"
#include "engine/gguf/half.h"
#include "engine/kernels/matmul.h"
#include <getopt.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static bool same_bits (const void *a, const void *b, size_t n)
{
  return memcmp (a, b, n) == 0;
}

enum { N_TOKENS = 9 };

static bool is_quick;

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
  CHECK (kernel->panel_tokens >= 1 && kernel->panel_tokens <= PANEL_TOKENS_MAX);
  for (unsigned n_tokens = 1; n_tokens <= kernel->panel_tokens; n_tokens++) {
    const uint32_t n_rows = n_tokens == 1 ? 5 : PANEL_ROWS;
    const size_t n_sums = n_tokens * (size_t)PANEL_ROWS;
    struct guarded panel = guarded_new (PANEL_BYTES_MAX, 0), sums = guarded_new (n_sums * sizeof (float), 0);
    float *results = (float *)sums.bytes;
    CALL (kernel->pack) (w, w_bytes, n_rows, n, w, panel.bytes);
    for (unsigned first = 0; first + n_tokens <= N_TOKENS; first += n_tokens) {
      memset (results, 0, n_sums * sizeof *results);
      CALL (kernel->multiply) (panel.bytes, x + first * x_bytes, x_bytes, n_tokens, n, results);
      for (size_t i = 0; i < n_sums; i++)
        CHECK (i % PANEL_ROWS >= n_rows || results[i] == expected[first + i / PANEL_ROWS][i % PANEL_ROWS]);
    }
    guarded_free (&panel);
    guarded_free (&sums);
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
      CALL (dot_rows)
      (w + first_row * w_bytes, w_bytes, n_rows, x + first_token * x_bytes, x_bytes, n_tokens, n, out, STRIDE);
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
      const float one = CALL (kernel->dot) (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n);
      CHECK (agree (reference->companion, one, expected[t][r], magnitude[t][r]));
    }
  if (kernel->dot_4)
    for (size_t r = 0; r < n_rows; r++) {
      float four[4];
      CALL (kernel->dot_4) (w.bytes + r * w_bytes, x.bytes, x_bytes, n, four);
      for (size_t t = 0; t < 4; t++)
        CHECK (four[t] == CALL (kernel->dot) (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n));
    }
  if (kernels->dot_rows[type])
    check_dot_rows (kernels->dot_rows[type], w.bytes, w_bytes, x.bytes, x_bytes, n, expected);
  for (size_t t = 0; t < N_TOKENS; t++) /* of floats, each path has sums of its own */
    for (size_t r = 0; r < n_rows; r++)
      expected[t][r] = CALL (kernel->dot) (w.bytes + r * w_bytes, x.bytes + t * x_bytes, n);
  if (kernel->pack && n <= PANEL_COLS)
    check_panel (kernel, w.bytes, w_bytes, x.bytes, x_bytes, n, expected);
  guarded_free (&w);
  guarded_free (&x);
  guarded_free (&x_again);
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
      for (int filling = 0; filling < N_FILLINGS && n <= (is_quick ? 600 : 4608); filling++)
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
    CALL (kernels->quantise_q8) (x, q8, N);
    CALL (kernels->quantise_q8_k) (x, &q8_k, N);
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
  float a[MOST], b[MOST];
  uint16_t half[MOST], half_c[MOST];
  snprintf (context, sizeof context, "helpers of path %s", kernels->name);
  for (size_t n = 0; n <= MOST; n++) {
    double magnitude = 0;
    for (size_t i = 0; i < n; i++) {
      a[i] = random_f32 () * 3;
      b[i] = random_f32 ();
      magnitude += fabs ((double)a[i] * (double)b[i]);
    }
    CHECK (agree (COMPANION_F32, CALL (kernels->dot_f32) (a, b, n), kernels_c.dot_f32 (a, b, n), magnitude));
    CALL (kernels->f32_to_f16) (a, half, n);
    kernels_c.f32_to_f16 (a, half_c, n);
    CHECK (same_bits (half, half_c, n * sizeof half[0]));
  }
}

/* Rounding to Q8_0 and back is the same on every path. */
static void check_q8_0 (const struct kernels *kernels)
{
  enum { N = 96 };
  float row[N], back[N], back_c[N];
  uint8_t blocks[N / 32 * 34];
  snprintf (context, sizeof context, "Q8_0 on path %s", kernels->name);
  for (int i = 0; i < N; i++)
    row[i] = random_f32 () * 5;
  f32_to_q8_0 (row, blocks, N);
  CALL (kernels->q8_0_to_f32) (blocks, back, N);
  kernels_c.q8_0_to_f32 (blocks, back_c, N);
  CHECK (same_bits (back, back_c, sizeof back));
  for (int i = 0; i < N; i++)
    CHECK (fabsf (back[i] - row[i]) <= 5.0f / 127);
}

/* All halves there are, and F32 values around each rounding boundary, on every path and against the definition. */
static void check_halves (const struct kernels *kernels)
{
  snprintf (context, sizeof context, "halves on path %s", kernels->name);
  for (uint32_t h = 0; h < 0x10000; h++) {
    const uint16_t half = (uint16_t)h;
    float wide, wide_c;
    uint16_t back;
    CALL (kernels->f16_to_f32) (&half, &wide, 1);
    kernels_c.f16_to_f32 (&half, &wide_c, 1);
    CHECK (same_bits (&wide, &wide_c, 4));
    const int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 0x3ff);
    if (exponent < 31) {
      const double value = exponent ? ldexp (1024 + fraction, exponent - 25) : ldexp (fraction, -24);
      CHECK ((double)wide == (h & 0x8000 ? -value : value));
      CALL (kernels->f32_to_f16) (&wide, &back, 1);
      CHECK (back == half);
    } else {
      CHECK (fraction ? isnan (wide) : isinf (wide));
    }
    for (uint32_t low = 0; low < 5 && exponent < 31; low++) {
      static const uint32_t offsets[] = { 1, 0xfff, 0x1000, 0x1001, 0x1fff };
      const float between = f32_of_bits (bits_of_f32 (wide) + offsets[low]);
      uint16_t rounded, rounded_c;
      CALL (kernels->f32_to_f16) (&between, &rounded, 1);
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
  guarded_free (&w);
  guarded_free (&scratch);
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
      for (size_t i = 0; i < (is_quick ? 4 : sizeof shapes / sizeof shapes[0]); i++)
        check_matmul ((enum tensor_type)type, shapes[i][0], shapes[i][1], shapes[i][2], i % 2 ? 3 : 1);
  check_matmul (TENSOR_Q8_0, 19, 32, 6, 2);
  check_matmul (TENSOR_Q4_0, 19, 96, 6, 2);
  check_matmul (TENSOR_F16, 19, 31, 6, 2);
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  void (*run) (const struct kernels *kernels);
} checks[] = {
  { "types", check_path },    { "rounding", check_rounding }, { "helpers", check_helpers },
  { "halves", check_halves }, { "Q8_0", check_q8_0 },
};

/* A guard page, or an instruction that the CPU does not have. */
static void say_where (int signal_number)
{
  fprintf (stderr, "signal %d (%s)\n", signal_number, context);
  _exit (1);
}

/* Everything about one path; matmul() and its helpers take a path only if the engine can choose it. */
static int check_all (const struct kernels *kernels, unsigned n_shapes)
{
  setenv ("LECTERN_CPU", kernels->name, 1);
  signal (SIGILL, say_where);
  signal (SIGSEGV, say_where);
  for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
    snprintf (context, sizeof context, "%s on path %s", checks[i].name, kernels->name);
    checks[i].run (kernels);
  }
  if (kernels_get () == kernels) {
    CHECK (strcmp (engine_get_cpu_path (), kernels->name) == 0);
    check_matmuls ();
    check_random_shapes (n_shapes);
  }
  printf ("path %s: as the reference\n", kernels->name);
  return 0;
}

static bool passes_in_child (const struct kernels *kernels, unsigned n_shapes)
{
  int status = 0;
  fflush (stdout);
  const pid_t child = fork ();
  if (child == 0)
    exit (check_all (kernels, n_shapes));
  if (child < 0 || waitpid (child, &status, 0) != child)
    return false;
  return status == 0;
}

/* Whether the paths are those that `names` lists, in order. */
static bool are_named (const struct kernels **paths, size_t n_paths, const char *names)
{
  char list[256] = "";
  for (size_t i = 0; i < n_paths; i++) {
    strncat (list, i ? "," : "", sizeof list - strlen (list) - 1);
    strncat (list, paths[i]->name, sizeof list - strlen (list) - 1);
  }
  if (strcmp (list, names) == 0)
    return true;
  fprintf (stderr, "The paths of this machine are %s, not %s.\n", list, names);
  return false;
}

size_t list_paths (const struct kernels **paths, size_t max)
{
  size_t n = kernels_list (paths, max);
#ifdef HAVE_KERNELS_AVXVNNI_EVEX
  if (n > 1 && n < max && __builtin_cpu_supports ("avx512vnni") && __builtin_cpu_supports ("avx512vl"))
    paths[n++] = &kernels_avxvnni_evex;
#endif
  return n;
}

int main (int argc, char **argv)
{
  static const struct option options[] = {
    { "bench", optional_argument, NULL, 'b' },
    { "bench-matmul", no_argument, NULL, 'm' },
    { "expect", required_argument, NULL, 'e' },
    { "no-guard-pages", no_argument, NULL, 'n' },
    { "quick", no_argument, NULL, 'q' },
    { "shapes", required_argument, NULL, 's' },
    { NULL },
  };
  const char *expected = NULL, *wanted = getenv ("LECTERN_CPU");
  unsigned n_shapes = 100;
  for (int option; (option = getopt_long (argc, argv, "", options, NULL)) != -1;)
    switch (option) {
    case 'b': bench_kernels (optarg); return 0;
    case 'm': bench_matmul (); return 0;
    case 'e': expected = optarg; break;
    case 'n': without_guard_pages = true; break;
    case 'q': is_quick = true; break;
    case 's': n_shapes = (unsigned)strtoul (optarg, NULL, 10); break;
    default: return 2;
    }
  const struct kernels *paths[8];
  const size_t n_paths = list_paths (paths, sizeof paths / sizeof paths[0]);
  bool passes = !expected || are_named (paths, n_paths, expected);
  for (size_t i = 0; i < n_paths; i++)
    if (!wanted || strcmp (wanted, paths[i]->name) == 0)
      passes = passes_in_child (paths[i], n_shapes) && passes;
  CHECK (engine_get_physical_cores () >= 1);
  return passes ? 0 : 1;
}
