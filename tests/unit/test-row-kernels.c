/* The kernels on rows of activations: the same bits on every path for any length and alignment, nothing written beyond the
 * row, and close to arithmetic in double precision. */
#include "engine/kernels/kernels.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1100, GUARD = 24, ROUNDS = 1500 };

enum kernel {
  SILU,
  GELU_ERF,
  GELU_TANH,
  RMS_NORM,
  RMS_NORM_PLAIN,
  LAYER_NORM,
  LAYER_NORM_PLAIN,
  ADD,
  ADD_SCALED,
  MULTIPLY,
  SCALE,
  N_KERNELS
};

struct operands {
  float x[MOST], weight[MOST], bias[MOST];
  size_t n;
  float factor;
};

/* Into row[n], which begins as x. */
static void run (const struct row_kernels *rows, enum kernel kernel, const struct operands *in, float *row)
{
  const size_t n = in->n;
  switch (kernel) {
  case SILU: rows->silu (row, n); break;
  case GELU_ERF: rows->gelu_erf (row, n); break;
  case GELU_TANH: rows->gelu_tanh (row, n); break;
  case RMS_NORM: rows->rms_norm (row, in->weight, n, 1e-5f, row); break;
  case RMS_NORM_PLAIN: rows->rms_norm (row, NULL, n, 1e-5f, row); break;
  case LAYER_NORM: rows->layer_norm (row, in->weight, in->bias, n, 1e-12f, row); break;
  case LAYER_NORM_PLAIN: rows->layer_norm (row, in->weight, NULL, n, 1e-12f, row); break;
  case ADD: rows->add (row, in->bias, n); break;
  case ADD_SCALED: rows->add_scaled (row, in->factor, in->bias, n); break;
  case MULTIPLY: rows->multiply (row, in->bias, n); break;
  case SCALE: rows->scale (row, in->factor, n); break;
  case N_KERNELS: abort ();
  }
}

static double sum_of (const float *x, size_t n, double minus, bool squared)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += squared ? (x[i] - minus) * (x[i] - minus) : x[i];
  return sum;
}

/* Item i in double precision. */
static double expect (enum kernel kernel, const struct operands *in, size_t i)
{
  const double x = in->x[i], n = (double)in->n;
  const double mean = kernel == LAYER_NORM || kernel == LAYER_NORM_PLAIN ? sum_of (in->x, in->n, 0, false) / n : 0;
  switch (kernel) {
  case SILU: return x / (1 + exp (-x));
  case GELU_ERF: return x * (1 + erf (x / sqrt (2))) / 2;
  case GELU_TANH: return x * (1 + tanh (sqrt (2 / M_PI) * (x + .044715 * x * x * x))) / 2;
  case RMS_NORM: return x / sqrt (sum_of (in->x, in->n, 0, true) / n + 1e-5) * in->weight[i];
  case RMS_NORM_PLAIN: return x / sqrt (sum_of (in->x, in->n, 0, true) / n + 1e-5);
  case LAYER_NORM:
    return (x - mean) / sqrt (sum_of (in->x, in->n, mean, true) / n + 1e-12) * in->weight[i] + in->bias[i];
  case LAYER_NORM_PLAIN: return (x - mean) / sqrt (sum_of (in->x, in->n, mean, true) / n + 1e-12) * in->weight[i];
  case ADD: return x + in->bias[i];
  case ADD_SCALED: return x + (double)in->factor * in->bias[i];
  case MULTIPLY: return x * in->bias[i];
  case SCALE: return x * in->factor;
  case N_KERNELS: break;
  }
  abort ();
}

static void fill (struct operands *in, uint64_t *random)
{
  const float spread = powf (10, 2 * builder_random (random)), middle = 100 * builder_random (random) * spread;
  in->n = 2 + (size_t)((builder_random (random) + 1) / 2 * (MOST - 3));
  if (builder_random (random) > 0) /* often few */
    in->n = in->n % 70 + 2;
  in->factor = 3 * builder_random (random);
  for (size_t i = 0; i < in->n; i++) {
    in->x[i] = spread * builder_random (random) + (builder_random (random) > .5f ? middle : 0);
    in->weight[i] = builder_random (random);
    in->bias[i] = builder_random (random);
  }
}

static void check (const struct kernels *path, enum kernel kernel, const struct operands *in, uint32_t offset,
                   bool exact)
{
  float reference[MOST], room[MOST + 2 * GUARD];
  float *row = room + GUARD / 2 + offset;
  for (size_t i = 0; i < MOST + 2 * GUARD; i++)
    room[i] = 7;
  memcpy (row, in->x, in->n * sizeof *row);
  memcpy (reference, in->x, in->n * sizeof *row);
  run (&row_kernels_c, kernel, in, reference);
  run (path->rows, kernel, in, row);
  for (const float *item = room; item < room + MOST + 2 * GUARD; item++)
    assert ((item >= row && item < row + in->n) || *item == 7);
  for (size_t i = 0; i < in->n; i++) {
    /* Which NaN comes out of several is the machine's choice. */
    if (memcmp (&row[i], &reference[i], sizeof *row) != 0 && !(isnan (row[i]) && isnan (reference[i]))) {
      fprintf (stderr, "%s, kernel %d, item %zu of %zu: %a for %a\n", path->name, (int)kernel, i, in->n, (double)row[i],
               (double)reference[i]);
      abort ();
    }
    if (!exact)
      continue;
    const double expected = expect (kernel, in, i);
    if (fabs (row[i] - expected)
        > 1e-6 + 2e-5 * fabs (expected) + (kernel <= GELU_TANH ? 4e-7 * fabs ((double)in->x[i]) : 1e-5)) {
      fprintf (stderr, "%s, kernel %d, item %zu of %zu: %.9g for %.9g\n", path->name, (int)kernel, i, in->n,
               (double)row[i], expected);
      abort ();
    }
  }
}

/* Numbers at the ends of what there is. */
static void check_extremes (const struct kernels *path)
{
  static const float extremes[]
      = { 0, -0.f, 1e-45f, -1e-38f, 88, -88, 89, -104, 1e30f, -1e30f, INFINITY, -INFINITY, NAN };
  struct operands in = { .factor = -2 };
  in.n = 2 * sizeof extremes / sizeof *extremes;
  for (size_t i = 0; i < in.n; i++) {
    in.x[i] = extremes[i / 2];
    in.weight[i] = 1;
    in.bias[i] = extremes[i % (in.n / 2)];
  }
  for (int kernel = 0; kernel < N_KERNELS; kernel++)
    check (path, (enum kernel)kernel, &in, 0, false);
}

int main (void)
{
  const struct kernels *paths[8];
  const size_t n_paths = kernels_list (paths, 8);
  static struct operands in;
  uint64_t random = 5;
  for (size_t p = 0; p < n_paths; p++) {
    check_extremes (paths[p]);
    for (uint32_t i = 0; i < ROUNDS; i++) {
      fill (&in, &random);
      check (paths[p], (enum kernel) (i % N_KERNELS), &in, i % 5, true);
    }
    printf ("%s: %d rows\n", paths[p]->name, ROUNDS);
  }
  return 0;
}
