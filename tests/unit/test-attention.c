/* Attention against the formula in double precision, on every kernel: cache formats, windows, head sizes, groups and
 * depths; and that a row's bits depend neither on the other rows of the call nor on the number of threads. */
#include "engine/model/attention.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shape {
  enum kv_format format;
  uint32_t head_dim, n_kv_heads, group, n_tokens, depth; /* depth: positions before the first query */
  uint32_t later;                                        /* positions behind the last query */
  uint32_t before, after;
  float softcap, size; /* of queries and keys: how sharp the weights are */
};

struct problem {
  struct shape shape;
  struct kv_cache cache;
  struct sequence sequence;
  struct attention attention;
  float *q, *out;
  size_t n_items; /* of q and out */
};

static uint64_t seed = 1;

static uint32_t random_below (uint32_t n)
{
  return (uint32_t)((double)(builder_random (&seed) + 1) / 2 * n) % n;
}

static void problem_init (struct problem *problem, const struct shape *shape, const struct attention_kernel *kernel)
{
  const uint32_t n_positions = shape->depth + shape->n_tokens + shape->later,
                 n_heads = shape->n_kv_heads * shape->group;
  const uint32_t n_kv = shape->n_kv_heads * shape->head_dim;
  const size_t n_bytes = kv_cache_bytes (shape->format, shape->head_dim, shape->n_kv_heads, n_positions);
  float *row = malloc (n_kv * sizeof *row);
  *problem = (struct problem){ .shape = *shape, .n_items = (size_t)shape->n_tokens * n_heads * shape->head_dim };
  problem->cache = (struct kv_cache){ malloc (n_bytes), shape->head_dim, n_positions, shape->format };
  problem->q = malloc (problem->n_items * sizeof (float));
  problem->out = malloc (problem->n_items * sizeof (float));
  assert (row && problem->cache.data && problem->q && problem->out);
  const struct kv_layer kv = kv_cache_get_layer (&problem->cache, 0, shape->n_kv_heads);
  for (uint32_t position = 0; position < n_positions; position++)
    for (int part = 0; part < 2; part++) {
      for (uint32_t i = 0; i < n_kv; i++)
        row[i] = builder_random (&seed) * (part ? 1 : shape->size);
      kv_layer_put (&kv, part ? kv.values : kv.keys, position, row);
    }
  for (size_t i = 0; i < problem->n_items; i++)
    problem->q[i] = builder_random (&seed) * shape->size;
  problem->sequence = (struct sequence){ .n_rows = shape->n_tokens + shape->later, .position = shape->depth };
  problem->attention = (struct attention){
    .kernel = kernel,
    .kv = kv,
    .n_heads = n_heads,
    .sequences = &problem->sequence,
    .n_sequences = 1,
    .n_rows = shape->n_tokens,
    .position = shape->depth,
    .before = shape->before,
    .after = shape->after,
    .scale = 1 / sqrtf ((float)shape->head_dim),
    .softcap = shape->softcap,
    .q = problem->q,
    .out = problem->out,
  };
  problem->attention.kv.cache = &problem->cache;
  free (row);
}

static void problem_clear (struct problem *problem)
{
  free (problem->cache.data);
  free (problem->q);
  free (problem->out);
}

/* ---- the formula ------------------------------------------------------------------------------------------- */

static void load (const struct problem *problem, const char *from, uint32_t head, uint32_t position, float *row)
{
  const struct attention_rows rows = kv_layer_get_rows (&problem->attention.kv, from, head, position, 1);
  attention_load_row (&rows, 0, row);
}

/* One query head of one token: into out[head_dim]. */
static void attend (const struct problem *problem, uint32_t token, uint32_t head, double *out)
{
  const struct attention *a = &problem->attention;
  const struct shape *shape = &problem->shape;
  const uint32_t position = shape->depth + token, kv_head = head / shape->group, n = shape->head_dim;
  const uint32_t n_positions = shape->depth + shape->n_tokens + shape->later;
  const uint32_t begin = a->before < position ? position - a->before : 0;
  const uint32_t end = a->after < n_positions - position ? position + a->after + 1 : n_positions;
  const float *q = problem->q + ((size_t)token * a->n_heads + head) * n;
  double *weights = malloc (n_positions * sizeof *weights), best = -INFINITY, total = 0;
  float row[ATTENTION_MAX_WIDTH];
  assert (weights);
  memset (out, 0, n * sizeof *out);
  for (uint32_t p = begin; p < end; p++) {
    double score = 0;
    load (problem, a->kv.keys, kv_head, p, row);
    for (uint32_t i = 0; i < n; i++)
      score += (double)q[i] * row[i];
    score *= a->scale;
    weights[p] = a->softcap > 0 ? a->softcap * tanh (score / a->softcap) : score;
    best = fmax (best, weights[p]);
  }
  for (uint32_t p = begin; p < end; p++)
    total += weights[p] = exp (weights[p] - best);
  for (uint32_t p = begin; p < end; p++) {
    load (problem, a->kv.values, kv_head, p, row);
    for (uint32_t i = 0; i < n; i++)
      out[i] += weights[p] / total * row[i];
  }
  free (weights);
}

/* F32 operands differ by F32 rounding; bf16 ones keep 8 bits of q, keys, weights and values. */
static double bound_of (const struct problem *problem)
{
  const double size = problem->shape.size, n = problem->shape.head_dim;
  const double error = size * size * sqrt (n); /* how far scores reach, about */
  return problem->attention.kernel->word_items == 1 ? 3e-6 * (1 + error) : 0x1p-8 * (1 + error / 2);
}

/* Compares a few heads of every token. Returns the largest error. */
static double compare (const struct problem *problem)
{
  const struct attention *a = &problem->attention;
  const uint32_t n = problem->shape.head_dim;
  double expected[ATTENTION_MAX_WIDTH], worst = 0;
  const uint32_t step = problem->shape.n_tokens > 40 ? 7 : 1;
  for (uint32_t token = 0; token < a->n_rows; token += step) {
    const uint32_t head = random_below (a->n_heads);
    const float *got = problem->out + ((size_t)token * a->n_heads + head) * n;
    attend (problem, token, head, expected);
    for (uint32_t i = 0; i < n; i++) {
      const double error = fabs (got[i] - expected[i]);
      worst = error > worst || isnan (error) ? error : worst;
    }
  }
  return worst;
}

static void check (const struct attention_kernel *kernel, const struct shape *shape, struct pool *pool)
{
  struct problem problem;
  problem_init (&problem, shape, kernel);
  attention_run (pool, &problem.attention);
  const double worst = compare (&problem), bound = bound_of (&problem);
  if (!(worst <= bound)) {
    fprintf (stderr,
             "%s, format %d, %u dimensions, %u x %u heads, %u tokens at %u + %u, window %u and %u, cap %g, size %g: "
             "%g off, more than %g\n",
             kernel->name, (int)shape->format, shape->head_dim, shape->n_kv_heads, shape->group, shape->n_tokens,
             shape->depth, shape->later, shape->before, shape->after, shape->softcap, shape->size, worst, bound);
    abort ();
  }
  problem_clear (&problem);
}

static const struct shape base = { KV_F16, 64, 2, 2, 5, 0, 0, ATTENTION_ALL, 0, 0, 1 };

/* ---- one thing after the other ----------------------------------------------------------------------------- */

static void test_each (const struct attention_kernel *kernel, struct pool *pool)
{
  static const enum kv_format formats[] = { KV_F16, KV_F32, KV_Q8_0 };
  static const uint32_t head_dims[] = { 8, 16, 32, 40, 64, 80, 96, 100, 112, 128, 192, 250, 256 };
  static const uint32_t groups[] = { 1, 2, 3, 5, 8, 24, 130 };
  static const uint32_t depths[] = { 0, 1, 15, 16, 17, 62, 63, 64, 65, 127, 128, 300 };
  static const uint32_t windows[][2] = { { 0, 0 },
                                         { 1, 0 },
                                         { 20, 0 },
                                         { 63, 0 },
                                         { 64, 0 },
                                         { 200, 0 },
                                         { 10, 10 },
                                         { 64, 64 },
                                         { ATTENTION_ALL, ATTENTION_ALL },
                                         { 3, ATTENTION_ALL } };
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    struct shape shape = base;
    shape.format = formats[f];
    for (size_t i = 0; i < sizeof head_dims / sizeof *head_dims; i++) {
      shape.head_dim = head_dims[i];
      shape.n_tokens = 3 + 20 * (uint32_t)i;
      check (kernel, &shape, pool);
    }
    shape = base;
    shape.format = formats[f];
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
      for (shape.n_tokens = 1; shape.n_tokens <= 9; shape.n_tokens += 4) {
        shape.depth = depths[i];
        check (kernel, &shape, pool);
      }
  }
  struct shape shape = base;
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    for (shape.n_tokens = 1; shape.n_tokens <= 101; shape.n_tokens += 50) {
      shape.group = groups[i];
      check (kernel, &shape, pool);
    }
  shape = base;
  for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
    for (shape.n_tokens = 1; shape.n_tokens <= 301; shape.n_tokens += 150) {
      shape.before = windows[i][0];
      shape.after = windows[i][1];
      shape.depth = 70;
      shape.later = shape.after ? 90 : 0;
      check (kernel, &shape, pool);
    }
  shape = base;
  shape.n_tokens = 100;
  for (int i = 0; i < 12; i++) { /* from flat to a single weight, with and without a cap */
    shape.size = ldexpf (0.25f, i / 2);
    shape.softcap = i % 2 ? 5 : 0;
    check (kernel, &shape, pool);
  }
}

static struct shape random_shape (void)
{
  static const uint32_t sizes[] = { 16, 32, 64, 80, 96, 128, 256 };
  struct shape shape = {
    .format = (enum kv_format)random_below (3),
    .head_dim = random_below (4) ? sizes[random_below (7)] : 1 + random_below (256),
    .n_kv_heads = 1 + random_below (4),
    .group = 1 + random_below (random_below (2) ? 4 : 9),
    .n_tokens = 1 + random_below (random_below (2) ? 8 : 200),
    .depth = random_below (2) ? random_below (400) : 0,
    .before = random_below (2) ? ATTENTION_ALL : random_below (150),
    .size = 1 + random_below (2),
    .softcap = random_below (4) ? 0 : 30,
  };
  if (random_below (3) == 0) {
    shape.after = random_below (2) ? ATTENTION_ALL : random_below (150);
    shape.later = random_below (100);
  }
  return shape;
}

/* ---- company ----------------------------------------------------------------------------------------------- */

/* The queries in one call are the queries in calls of a few, on any number of threads. */
static void test_company (const struct attention_kernel *kernel, struct pool *const *pools, size_t n_pools,
                          int n_rounds)
{
  for (int round = 0; round < n_rounds; round++) {
    struct problem problem;
    const struct shape shape = random_shape ();
    problem_init (&problem, &shape, kernel);
    float *whole = malloc (problem.n_items * sizeof *whole);
    assert (whole);
    attention_run (pools[0], &problem.attention);
    assert (compare (&problem) <= bound_of (&problem));
    memcpy (whole, problem.out, problem.n_items * sizeof *whole);
    for (size_t i = 0; i < n_pools; i++) {
      memset (problem.out, 0xff, problem.n_items * sizeof *problem.out);
      const uint32_t most = i == 0 ? 1 : i == 1 ? 8 : shape.n_tokens;
      for (uint32_t token = 0; token < shape.n_tokens;) {
        struct attention few = problem.attention;
        struct sequence known = problem.sequence;
        const uint32_t wanted = 1 + random_below (most), left = shape.n_tokens - token;
        few.first_row = token;
        few.n_rows = token + (wanted < left ? wanted : left);
        few.sequences = &known;
        if (shape.after == 0) /* as when decoding: later positions are not there yet */
          known.n_rows = few.n_rows;
        attention_run (pools[i], &few);
        token = few.n_rows;
      }
      assert (memcmp (whole, problem.out, problem.n_items * sizeof *whole) == 0);
    }
    free (whole);
    problem_clear (&problem);
  }
}

/* What a query does not see has no influence: neither later tokens nor those before its window. */
static void test_unseen (const struct attention_kernel *kernel, struct pool *pool)
{
  struct shape shape = base;
  shape.n_tokens = 70;
  shape.depth = 200;
  shape.before = 100;
  struct problem problem;
  problem_init (&problem, &shape, kernel);
  attention_run (pool, &problem.attention);
  const size_t row_items = problem.n_items / shape.n_tokens;
  float *before = malloc (problem.n_items * sizeof *before), loud[128];
  assert (before);
  memcpy (before, problem.out, problem.n_items * sizeof *before);
  for (int i = 0; i < 128; i++)
    loud[i] = i % 2 ? 60000 : -60000;
  for (uint32_t position = 0; position < 270; position++)
    if (position < 130 || position >= 240) { /* the token at 230 sees [130, 230] */
      kv_layer_put (&problem.attention.kv, problem.attention.kv.keys, position, loud);
      kv_layer_put (&problem.attention.kv, problem.attention.kv.values, position, loud);
    }
  attention_run (pool, &problem.attention);
  for (uint32_t token = 0; token < shape.n_tokens; token++) {
    const bool same
        = memcmp (before + token * row_items, problem.out + token * row_items, row_items * sizeof *before) == 0;
    assert (same == (token >= 30 && token < 40));
  }
  free (before);
  problem_clear (&problem);
}

/* Equal values come out as they are, however many: the weights' sum is that of the rounded weights. */
static void test_weights_sum_to_one (const struct attention_kernel *kernel, struct pool *pool)
{
  struct shape shape = base;
  shape.depth = 3000;
  struct problem problem;
  float ones[128];
  problem_init (&problem, &shape, kernel);
  for (int i = 0; i < 128; i++)
    ones[i] = 1;
  for (uint32_t position = 0; position < problem.cache.n_positions; position++)
    kv_layer_put (&problem.attention.kv, problem.attention.kv.values, position, ones);
  attention_run (pool, &problem.attention);
  for (size_t i = 0; i < problem.n_items; i++)
    assert (fabsf (problem.out[i] - 1) < 1e-5f);
  problem_clear (&problem);
}

static void test_cancelled (const struct attention_kernel *kernel, struct pool *pool)
{
  const atomic_bool cancel = true;
  struct shape shape = base;
  shape.depth = 200;
  struct problem problem;
  problem_init (&problem, &shape, kernel);
  memset (problem.out, 0, problem.n_items * sizeof *problem.out);
  problem.attention.cancel = &cancel;
  attention_run (pool, &problem.attention);
  for (size_t i = 0; i < problem.n_items; i++)
    assert (problem.out[i] == 0);
  problem_clear (&problem);
}

/* test-attention [ROUNDS [SEED]] */
int main (int argc, char **argv)
{
  const int n_rounds = argc > 1 ? atoi (argv[1]) : 60;
  const struct attention_kernel *kernels[8];
  const size_t n_kernels = attention_kernel_list (kernels, 8);
  struct pool *pools[] = { pool_new (1), pool_new (2), pool_new (3), pool_new (7) };
  enum { N_POOLS = sizeof pools / sizeof *pools };
  for (size_t i = 0; i < N_POOLS; i++)
    assert (pools[i]);
  for (size_t i = 0; i < n_kernels; i++) {
    seed = argc > 2 ? strtoull (argv[2], NULL, 10) : 1;
    printf ("%s\n", kernels[i]->name);
    test_each (kernels[i], pools[1]);
    test_company (kernels[i], pools, N_POOLS, n_rounds);
    test_unseen (kernels[i], pools[1]);
    test_weights_sum_to_one (kernels[i], pools[0]);
    test_cancelled (kernels[i], pools[1]);
  }
  for (size_t i = 0; i < N_POOLS; i++)
    pool_free (pools[i]);
  return 0;
}
