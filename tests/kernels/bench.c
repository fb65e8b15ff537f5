/* bench.c: what each kernel of each path does, side by side, and matmul() as a whole. */
#include "tests/kernels/kernel-test.h"
#include "engine/engine.h"
#include "engine/kernels/matmul.h"
#include <time.h>

/* ---- single kernels -------------------------------------------------------------------------------------- */

enum { BENCH_ROUNDS = 25, PATHS_MAX = 8, N_COLS = 4096, N_FLOATS = 4096 };

/* What the kernels work on. All of it fits in the L2 cache. */
struct inputs {
  enum tensor_type type;
  size_t w_bytes, x_bytes, panel_x_bytes;
  uint8_t *w;     /* PANEL_ROWS rows of N_COLS */
  uint8_t *x;     /* PANEL_TOKENS_MAX activation rows of N_COLS */
  uint8_t *panel; /* packed by the path under test */
  float *a, *b, *c;
  uint16_t *halves;
};

/* Each does its work once and returns the number of products, or of items; 0 if the path has no such kernel. */
typedef size_t run_function (const struct kernels *kernels, struct inputs *inputs);

static const struct kernel_type *get_type (const struct kernels *kernels, const struct inputs *inputs)
{
  return kernels->types[inputs->type];
}

static size_t run_dot (const struct kernels *kernels, struct inputs *inputs)
{
  inputs->c[0] = get_type (kernels, inputs)->dot (inputs->w, inputs->x, N_COLS);
  return N_COLS;
}

static size_t run_dot_4 (const struct kernels *kernels, struct inputs *inputs)
{
  if (!get_type (kernels, inputs)->dot_4)
    return 0;
  get_type (kernels, inputs)->dot_4 (inputs->w, inputs->x, inputs->x_bytes, N_COLS, inputs->c);
  return 4 * N_COLS;
}

static size_t run_rows (const struct kernels *kernels, struct inputs *inputs, unsigned n_tokens)
{
  if (!kernels->dot_rows[inputs->type])
    return 0;
  kernels->dot_rows[inputs->type](inputs->w, inputs->w_bytes, PANEL_ROWS, inputs->x, inputs->x_bytes, n_tokens, N_COLS,
                                  inputs->c, PANEL_ROWS);
  return (size_t)PANEL_ROWS * N_COLS * n_tokens;
}

static size_t run_dot_rows (const struct kernels *kernels, struct inputs *inputs)
{
  return run_rows (kernels, inputs, 1);
}

static size_t run_dot_rows_8 (const struct kernels *kernels, struct inputs *inputs)
{
  return run_rows (kernels, inputs, DOT_TOKENS_MAX);
}

static size_t run_pack (const struct kernels *kernels, struct inputs *inputs)
{
  if (!get_type (kernels, inputs)->pack)
    return 0;
  get_type (kernels, inputs)->pack (inputs->w, inputs->w_bytes, PANEL_ROWS, PANEL_COLS, inputs->w, inputs->panel);
  return PANEL_ROWS * PANEL_COLS;
}

/* The panel is that of the path's last pack, which runs before. */
static size_t run_multiply (const struct kernels *kernels, struct inputs *inputs)
{
  const struct kernel_type *kernel = get_type (kernels, inputs);
  if (!kernel->multiply)
    return 0;
  kernel->multiply (inputs->panel, inputs->x, inputs->panel_x_bytes, kernel->panel_tokens, PANEL_COLS, inputs->c);
  return PANEL_ROWS * PANEL_COLS * (size_t)kernel->panel_tokens;
}

static size_t run_quantise_q8 (const struct kernels *kernels, struct inputs *inputs)
{
  kernels->quantise_q8 (inputs->a, (struct q8_block *)inputs->panel, 256);
  return 256;
}

static size_t run_quantise_q8_k (const struct kernels *kernels, struct inputs *inputs)
{
  kernels->quantise_q8_k (inputs->a, (struct q8_k_block *)inputs->panel, 256);
  return 256;
}

static size_t run_dot_f32 (const struct kernels *kernels, struct inputs *inputs)
{
  inputs->c[0] = kernels->dot_f32 (inputs->a, inputs->b, N_FLOATS);
  return N_FLOATS;
}

static size_t run_f32_to_f16 (const struct kernels *kernels, struct inputs *inputs)
{
  kernels->f32_to_f16 (inputs->a, inputs->halves, N_FLOATS);
  return N_FLOATS;
}

static size_t run_f16_to_f32 (const struct kernels *kernels, struct inputs *inputs)
{
  kernels->f16_to_f32 (inputs->halves, inputs->c, N_FLOATS);
  return N_FLOATS;
}

static size_t run_q8_0_to_f32 (const struct kernels *kernels, struct inputs *inputs)
{
  kernels->q8_0_to_f32 (inputs->w, inputs->c, 2048);
  return 2048;
}

/* A kernel of a type is measured with each type. */
static const struct {
  const char *name;
  bool is_of_type;
  run_function *run;
} benches[] = {
  { "dot", true, run_dot },
  { "dot_4", true, run_dot_4 },
  { "dot_rows", true, run_dot_rows },
  { "dot_rows of 8", true, run_dot_rows_8 },
  { "pack", true, run_pack },
  { "multiply", true, run_multiply },
  { "quantise_q8", false, run_quantise_q8 },
  { "quantise_q8_k", false, run_quantise_q8_k },
  { "dot_f32", false, run_dot_f32 },
  { "f32_to_f16", false, run_f32_to_f16 },
  { "f16_to_f32", false, run_f16_to_f32 },
  { "q8_0_to_f32", false, run_q8_0_to_f32 },
};

static void *allocate (size_t bytes)
{
  void *memory = aligned_alloc (64, (bytes + 63) / 64 * 64);
  if (!memory)
    exit (1);
  return memset (memory, 0, (bytes + 63) / 64 * 64);
}

static void inputs_init (struct inputs *inputs)
{
  inputs->w = allocate ((size_t)PANEL_ROWS * N_COLS * sizeof (float));
  inputs->x = allocate ((size_t)PANEL_TOKENS_MAX * N_COLS * sizeof (float));
  inputs->panel = allocate (PANEL_BYTES_MAX);
  inputs->a = allocate (N_FLOATS * sizeof (float));
  inputs->b = allocate (N_FLOATS * sizeof (float));
  inputs->c = allocate (N_FLOATS * sizeof (float));
  inputs->halves = allocate (N_FLOATS * sizeof (uint16_t));
  fill_activations (inputs->a, N_FLOATS, FILL_RANDOM);
  fill_activations (inputs->b, N_FLOATS, FILL_RANDOM);
  kernels_c.f32_to_f16 (inputs->b, inputs->halves, N_FLOATS);
}

static void inputs_release (struct inputs *inputs)
{
  free (inputs->w);
  free (inputs->x);
  free (inputs->panel);
  free (inputs->a);
  free (inputs->b);
  free (inputs->c);
  free (inputs->halves);
}

static void set_type (struct inputs *inputs, enum tensor_type type)
{
  const enum companion companion = kernels_c.types[type]->companion;
  inputs->type = type;
  inputs->w_bytes = tensor_type_row_bytes (type, N_COLS);
  inputs->x_bytes = companion_bytes (companion, N_COLS);
  inputs->panel_x_bytes = companion_bytes (companion, PANEL_COLS);
  for (size_t r = 0; r < PANEL_ROWS; r++)
    fill_weights (type, inputs->w + r * inputs->w_bytes, N_COLS, FILL_RANDOM);
  for (size_t t = 0; t < PANEL_TOKENS_MAX; t++)
    quantise (&kernels_c, companion, inputs->a, inputs->x + t * inputs->x_bytes, N_COLS);
}

/* CPU time with one thread, so that other programs on the machine count less; else the wall clock. */
static double now_seconds (int n_threads)
{
  struct timespec now;
  clock_gettime (n_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Nanoseconds of one run in a batch of about 50 microseconds. */
static double time_batch (run_function *run, const struct kernels *kernels, struct inputs *inputs, size_t n_runs)
{
  const double start = now_seconds (1);
  for (size_t i = 0; i < n_runs; i++)
    run (kernels, inputs);
  return (now_seconds (1) - start) * 1e9 / (double)n_runs;
}

/* The paths take turns, and the best of each counts. A line: for each path, ns for 256 products or items, and thousand
 * millions of them a second. */
static void bench_line (const char *type_name, size_t which, struct inputs *inputs)
{
  const struct kernels *paths[PATHS_MAX];
  const size_t n_paths = list_paths (paths, PATHS_MAX);
  double best[PATHS_MAX];
  size_t n_items[PATHS_MAX], n_runs[PATHS_MAX];
  for (size_t p = 0; p < n_paths; p++) {
    n_items[p] = benches[which].run (paths[p], inputs);
    if (n_items[p] > 0)
      best[p] = time_batch (benches[which].run, paths[p], inputs, 3);
    n_runs[p] = n_items[p] > 0 ? 1 + (size_t)(50000 / best[p]) : 0;
  }
  for (int round = 0; round < BENCH_ROUNDS; round++)
    for (size_t p = 0; p < n_paths; p++)
      if (n_items[p] > 0) {
        if (benches[which].run == run_multiply)
          run_pack (paths[p], inputs);
        const double time = time_batch (benches[which].run, paths[p], inputs, n_runs[p]);
        best[p] = time < best[p] ? time : best[p];
      }
  printf ("%-14s %-8s", benches[which].name, type_name);
  for (size_t p = 0; p < n_paths; p++)
    if (n_items[p] > 0)
      printf (" %9.2f %7.2f", best[p] / (double)n_items[p] * 256, (double)n_items[p] / best[p]);
    else
      printf (" %9s %7s", "-", "-");
  printf ("\n");
  fflush (stdout);
}

void bench_kernels (const char *type_name)
{
  const struct kernels *paths[PATHS_MAX];
  const size_t n_paths = list_paths (paths, PATHS_MAX);
  struct inputs inputs;
  inputs_init (&inputs);
  printf ("For each path: ns for 256 products (pack, rounding, conversion: items), and G of them a second\n%-23s", "");
  for (size_t p = 0; p < n_paths; p++)
    printf (" %17s", paths[p]->name);
  printf ("\n");
  for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
    for (uint32_t type = 0; type < TENSOR_N_TYPES && benches[i].is_of_type; type++) {
      const struct tensor_type_info *info = tensor_type_get_info (type);
      if (!info || !info->runs || (type_name && strcmp (info->name, type_name) != 0))
        continue;
      set_type (&inputs, (enum tensor_type)type);
      bench_line (info->name, i, &inputs);
    }
  for (size_t i = 0; i < sizeof benches / sizeof benches[0] && !type_name; i++)
    if (!benches[i].is_of_type) {
      set_type (&inputs, TENSOR_Q8_0);
      bench_line ("", i, &inputs);
    }
  inputs_release (&inputs);
}

/* ---- matmul() -------------------------------------------------------------------------------------------- */

/* Best of some runs over a matrix larger than the caches. The path is LECTERN_CPU's. */
static void bench_product (enum tensor_type type, uint32_t n_tokens, int n_threads)
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

void bench_matmul (void)
{
  static const uint32_t n_tokens[] = { 1, 4, 64 };
  printf ("path\ttype\ttokens\tthreads\tGMAC/s\tGB/s of weights\n");
  for (int n_threads = 1; n_threads <= engine_get_physical_cores (); n_threads++)
    for (size_t i = 0; i < sizeof n_tokens / sizeof n_tokens[0]; i++)
      for (uint32_t type = 0; type < TENSOR_N_TYPES; type++)
        if (tensor_type_get_info (type) && tensor_type_get_info (type)->runs)
          bench_product ((enum tensor_type)type, n_tokens[i], n_threads);
}
