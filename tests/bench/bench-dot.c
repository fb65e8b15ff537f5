/* bench-dot.c: how fast a matrix larger than the caches is multiplied with one token and with few, beside how fast the
 * same bytes are only read.
 *
 *   bench-dot [THREADS [TYPE...]]     LECTERN_CPU names the path
 *
 * One line for each type and number of tokens: GB of weights per second (the best of several rounds, in which all are
 * measured in turn), its share of what reading alone reaches, and the time as a multiple of that of one token. */
#include "engine/engine.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/matmul.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N_COLS = 4096, N_ROUNDS = 7, READ_BYTES = 1 << 20 };

static const size_t bytes_wanted = (size_t)192 << 20;
static const uint32_t token_counts[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16 };
enum { N_COUNTS = sizeof token_counts / sizeof token_counts[0], TOKENS_MAX = 16 };

struct bench {
  struct pool *pool;
  int n_threads;
  struct matrix matrix;
  size_t bytes;
  float *x, *out;
  void *scratch;
  atomic_uint_fast64_t sum;
};

/* CPU time with one thread, so that other programs on the machine count less; else the wall clock. */
static double now_seconds (int n_threads)
{
  struct timespec now;
  clock_gettime (n_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void read_part (void *data, size_t part)
{
  struct bench *bench = data;
  const uint64_t *words = (const uint64_t *)bench->matrix.data + part * (READ_BYTES / 8);
  uint64_t sums[32] = { 0 };
  for (size_t i = 0; i < READ_BYTES / 8; i += 32)
    for (size_t j = 0; j < 32; j++)
      sums[j] += words[i + j];
  for (size_t j = 1; j < 32; j++)
    sums[0] += sums[j];
  atomic_fetch_add (&bench->sum, sums[0]);
}

static double time_read (struct bench *bench)
{
  const double start = now_seconds (bench->n_threads);
  pool_run (bench->pool, bench->bytes / READ_BYTES, read_part, bench);
  return now_seconds (bench->n_threads) - start;
}

static double time_product (struct bench *bench, uint32_t n_tokens)
{
  const double start = now_seconds (bench->n_threads);
  matmul (bench->pool, &bench->matrix, bench->x, N_COLS, n_tokens, bench->out, bench->matrix.n_rows, false,
          bench->scratch, NULL);
  return now_seconds (bench->n_threads) - start;
}

static void run_type (struct bench *bench, enum tensor_type type)
{
  const size_t row_bytes = tensor_type_row_bytes (type, N_COLS);
  double best[N_COUNTS], best_read = 1e9;
  bench->matrix.type = type;
  bench->matrix.n_rows = (uint32_t)(bench->bytes / row_bytes);
  for (size_t i = 0; i < N_COUNTS; i++)
    best[i] = 1e9;
  for (int round = 0; round < N_ROUNDS; round++) {
    const double read = time_read (bench);
    best_read = read < best_read ? read : best_read;
    for (size_t i = 0; i < N_COUNTS; i++) {
      const double seconds = time_product (bench, token_counts[i]);
      best[i] = seconds < best[i] ? seconds : best[i];
    }
  }
  const double weight_bytes = (double)row_bytes * bench->matrix.n_rows;
  const double read_speed = (double)bench->bytes / best_read;
  for (size_t i = 0; i < N_COUNTS; i++)
    printf ("%s\t%s\t%d\t%u\t%.1f\t%.0f %%\t%.2f\n", kernels_get_path (), tensor_type_get_info (type)->name,
            bench->n_threads, token_counts[i], weight_bytes / best[i] * 1e-9, 100 * weight_bytes / best[i] / read_speed,
            best[i] / best[0]);
  fflush (stdout);
}

/* Bytes that look like numbers of no type in particular: none of them makes a scale that is infinite. */
static void fill (uint8_t *bytes, size_t n)
{
  uint64_t state = 1;
  for (size_t i = 0; i < n; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = (uint8_t)((state >> 56) & 0x3b);
  }
}

static bool is_wanted (const char *name, int argc, char **argv)
{
  for (int i = 2; i < argc; i++)
    if (strcmp (argv[i], name) == 0)
      return true;
  return argc <= 2;
}

int main (int argc, char **argv)
{
  struct bench bench = { .n_threads = argc > 1 ? atoi (argv[1]) : 1, .bytes = bytes_wanted };
  const size_t n_rows_max = bytes_wanted / (N_COLS / 8);
  uint8_t *weights = aligned_alloc (64, bytes_wanted);
  bench.pool = pool_new (bench.n_threads);
  bench.x = malloc ((size_t)N_COLS * TOKENS_MAX * sizeof (float));
  bench.out = malloc (n_rows_max * TOKENS_MAX * sizeof (float));
  bench.scratch = malloc (matmul_scratch_bytes (N_COLS, TOKENS_MAX));
  if (!weights || !bench.pool || !bench.x || !bench.out || !bench.scratch)
    return 1;
  fill (weights, bytes_wanted);
  for (size_t i = 0; i < (size_t)N_COLS * TOKENS_MAX; i++)
    bench.x[i] = (float)(i * 2654435761u % 2001) / 1000.0f - 1.0f;
  bench.matrix = (struct matrix){ .data = weights, .n_cols = N_COLS };
  printf ("path\ttype\tthreads\ttokens\tGB/s\tof reading\ttimes one token\n");
  for (uint32_t type = 0; type < TENSOR_N_TYPES; type++) {
    const struct tensor_type_info *info = tensor_type_get_info (type);
    if (info && info->runs && is_wanted (info->name, argc, argv))
      run_type (&bench, (enum tensor_type)type);
  }
  pool_free (bench.pool);
  free (weights);
  free (bench.x);
  free (bench.out);
  free (bench.scratch);
  return 0;
}
