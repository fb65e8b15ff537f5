/* row_vectors.h: the row kernels in vectors, for any instruction set.
 *
 * Each path includes this once, compiled with its own flags, after it has said how many LANES its vectors have (4, 8 or 16)
 * and the name of its table, ROW_KERNELS. No product is fused with a sum (-ffp-contract=off) and sums run in 16 lanes
 * whatever the vectors' width: every path gives the same bits. */
#include "engine/kernels/row_kernels.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

#define SUM_LANES 16
#define N_SUMS (SUM_LANES / LANES)

typedef float vec __attribute__ ((vector_size (4 * LANES)));
typedef uint32_t vec_bits __attribute__ ((vector_size (4 * LANES)));

static inline vec load (const float *from)
{
  vec v;
  memcpy (&v, from, sizeof v);
  return v;
}

static inline void store (float *to, vec v)
{
  memcpy (to, &v, sizeof v);
}

static inline vec all (float x)
{
  return x - (vec){ 0 };
}

static inline vec choose (vec_bits mask, vec if_set, vec if_clear)
{
  return (vec)((mask & (vec_bits)if_set) | (~mask & (vec_bits)if_clear));
}

/* ---- functions of one number ----------------------------------------------------------------------------- */

/* e^x to about 1e-7 relative; below -87 it is e^-87, above 88 e^88; NaN stays. Splits x into n ln 2 + r with
 * |r| <= ln 2 / 2 and takes the Taylor polynomial of r. */
static inline vec exp_of (vec x)
{
  const vec low = all (-87), high = all (88), magic = all (12582912.0f);
  x = choose ((vec_bits)(x < low), low, x);
  x = choose ((vec_bits)(x > high), high, x);
  const vec shifted = x * 1.44269504089f + magic;
  const vec n = shifted - magic;
  const vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  vec p = all (1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const vec_bits power = ((vec_bits)shifted - (vec_bits)magic + 127u) << 23;
  return p * (vec)power;
}

static inline vec silu_of (vec x)
{
  return x / (1.0f + exp_of (-x));
}

/* Abramowitz and Stegun 7.1.26 for erf. */
static inline vec gelu_erf_of (vec x)
{
  const vec_bits negative = (vec_bits)(x < all (0));
  const vec z = choose (negative, -x, x) * 0.70710678118f;
  const vec t = 1.0f / (1.0f + 0.3275911f * z);
  vec p = all (1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const vec complement = p * t * exp_of (-z * z); /* 1 - erf (z) */
  return 0.5f * x * choose (negative, complement, 2.0f - complement);
}

/* x (1 + tanh (z)) / 2 = x / (1 + e^(-2 z)) with z = sqrt (2 / pi) (x + 0.044715 x^3). */
static inline vec gelu_tanh_of (vec x)
{
  return x / (1.0f + exp_of (-1.5957691216f * x * (1.0f + 0.044715f * x * x)));
}

#define EACH(name)                                                                                                     \
  static void name (float *x, size_t n)                                                                                \
  {                                                                                                                    \
    float last[LANES] = { 0 };                                                                                         \
    for (; n >= LANES; n -= LANES, x += LANES)                                                                         \
      store (x, name##_of (load (x)));                                                                                 \
    memcpy (last, x, n * sizeof *x);                                                                                   \
    store (last, name##_of (load (last)));                                                                             \
    memcpy (x, last, n * sizeof *x);                                                                                   \
  }
EACH (silu)
EACH (gelu_erf)
EACH (gelu_tanh)

/* ---- sums ------------------------------------------------------------------------------------------------ */

struct sum {
  vec lanes[N_SUMS];
};

/* Halves are added until one number is left. */
static inline float fold (const struct sum *sum)
{
  float lanes[SUM_LANES];
  memcpy (lanes, sum->lanes, sizeof lanes);
  for (size_t half = SUM_LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++)
      lanes[i] += lanes[i + half];
  return lanes[0];
}

/* Copies what is left of a row and fills it up. */
static inline const float *pad (const float *x, size_t n, float with, float last[SUM_LANES])
{
  for (size_t i = 0; i < SUM_LANES; i++)
    last[i] = i < n ? x[i] : with;
  return last;
}

static inline void add_to (struct sum *sum, const float *x)
{
  for (size_t i = 0; i < N_SUMS; i++)
    sum->lanes[i] += load (x + i * LANES);
}

static float mean_of (const float *x, size_t n)
{
  float last[SUM_LANES];
  struct sum sum = { 0 };
  size_t i = 0;
  for (; i + SUM_LANES <= n; i += SUM_LANES)
    add_to (&sum, x + i);
  if (i < n)
    add_to (&sum, pad (x + i, n - i, 0, last));
  return fold (&sum) / (float)n;
}

static inline void add_moments (struct sum *first, struct sum *second, const float *x, float minus)
{
  for (size_t i = 0; i < N_SUMS; i++) {
    const vec v = load (x + i * LANES) - minus;
    first->lanes[i] += v;
    second->lanes[i] += v * v;
  }
}

/* The mean squared distance from the mean, and the mean: a first one that has rounded, and what it is off. */
static float variance_of (const float *x, size_t n, float *mean)
{
  float last[SUM_LANES];
  struct sum first = { 0 }, second = { 0 };
  const float about = mean_of (x, n);
  size_t i = 0;
  for (; i + SUM_LANES <= n; i += SUM_LANES)
    add_moments (&first, &second, x + i, about);
  if (i < n)
    add_moments (&first, &second, pad (x + i, n - i, about, last), about);
  const float off = fold (&first) / (float)n, variance = fold (&second) / (float)n - off * off;
  *mean = about + off;
  return variance > 0 ? variance : variance != variance ? variance : 0;
}

static float mean_square_of (const float *x, size_t n)
{
  float last[SUM_LANES];
  struct sum first = { 0 }, second = { 0 };
  size_t i = 0;
  for (; i + SUM_LANES <= n; i += SUM_LANES)
    add_moments (&first, &second, x + i, 0);
  if (i < n)
    add_moments (&first, &second, pad (x + i, n - i, 0, last), 0);
  return fold (&second) / (float)n;
}

/* ---- norms ----------------------------------------------------------------------------------------------- */

static void rms_norm (const float *x, const float *weight, size_t n, float epsilon, float *out)
{
  const float by = 1 / sqrtf (mean_square_of (x, n) + epsilon);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (out + i, load (x + i) * by * (weight ? load (weight + i) : all (1)));
  for (; i < n; i++)
    out[i] = x[i] * by * (weight ? weight[i] : 1);
}

static void layer_norm (const float *x, const float *weight, const float *bias, size_t n, float epsilon, float *out)
{
  float mean;
  const float by = 1 / sqrtf (variance_of (x, n, &mean) + epsilon);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (out + i, (load (x + i) - mean) * by * load (weight + i) + (bias ? load (bias + i) : all (0)));
  for (; i < n; i++)
    out[i] = (x[i] - mean) * by * weight[i] + (bias ? bias[i] : 0);
}

/* ---- one row and another ----------------------------------------------------------------------------------- */

static void add (float *y, const float *x, size_t n)
{
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (y + i, load (y + i) + load (x + i));
  for (; i < n; i++)
    y[i] += x[i];
}

static void add_scaled (float *y, float factor, const float *x, size_t n)
{
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (y + i, load (y + i) + factor * load (x + i));
  for (; i < n; i++)
    y[i] += factor * x[i];
}

static void multiply (float *y, const float *x, size_t n)
{
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (y + i, load (y + i) * load (x + i));
  for (; i < n; i++)
    y[i] *= x[i];
}

static void scale (float *x, float factor, size_t n)
{
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (x + i, load (x + i) * factor);
  for (; i < n; i++)
    x[i] *= factor;
}

const struct row_kernels ROW_KERNELS = {
  .silu = silu,
  .gelu_erf = gelu_erf,
  .gelu_tanh = gelu_tanh,
  .rms_norm = rms_norm,
  .layer_norm = layer_norm,
  .add = add,
  .add_scaled = add_scaled,
  .multiply = multiply,
  .scale = scale,
};
