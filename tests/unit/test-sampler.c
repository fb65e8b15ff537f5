/* Sampling and log-probabilities against plain arithmetic over the sorted vocabulary. */
#include "engine/engine.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 120
#define N_DRAWS 30000

static void fill (float *logits, uint64_t seed)
{
  for (size_t i = 0; i < N; i++)
    logits[i] = 6 * builder_random (&seed);
}

static const float *sorted_logits;

static int by_logit (const void *a, const void *b)
{
  int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  if (sorted_logits[i] != sorted_logits[j])
    return sorted_logits[i] > sorted_logits[j] ? -1 : 1;
  return i < j ? -1 : i > j;
}

static void sort_ids (const float *logits, int32_t *ids)
{
  for (int32_t i = 0; i < N; i++)
    ids[i] = i;
  sorted_logits = logits;
  qsort (ids, N, sizeof *ids, by_logit);
}

static void test_logprobs (void)
{
  float logits[N];
  int32_t ids[N];
  struct engine_logprob top[N + 3];
  fill (logits, 1);
  logits[90] = logits[17] = logits[30] = 5.9f; /* ties */
  sort_ids (logits, ids);
  double sum = 0;
  for (size_t i = 0; i < N; i++)
    sum += exp (logits[i]);
  static const size_t tops[] = { 0, 1, 2, 20, N - 1, N, N + 3 };
  for (size_t t = 0; t < sizeof tops / sizeof *tops; t++) {
    engine_top_logprobs (logits, N, top, tops[t]);
    for (size_t i = 0; i < tops[t] && i < N; i++) {
      assert (top[i].id == ids[i]);
      assert (fabs (top[i].logprob - (logits[ids[i]] - log (sum))) < 1e-5);
    }
    for (size_t i = N; i < tops[t]; i++)
      assert (top[i].id == -1 && isinf (top[i].logprob));
  }
  assert (fabs (engine_logprob_of (logits, N, 83) - (logits[83] - log (sum))) < 1e-5);
  assert (isinf (engine_logprob_of (logits, N, N)) && isinf (engine_logprob_of (logits, N, -1)));
  logits[3] = NAN; /* ranks last, spoils nothing */
  engine_top_logprobs (logits, N, top, N);
  assert (top[0].id == ids[0] && top[N - 1].id == 3 && isfinite (top[0].logprob));
  for (size_t i = 0; i < N; i++)
    logits[i] = 1000; /* no overflow */
  engine_top_logprobs (logits, N, top, 3);
  assert (top[0].id == 0 && top[2].id == 2 && fabs (top[1].logprob + log (N)) < 1e-5);
}

static void test_greedy (void)
{
  float logits[N];
  struct engine_sampler *sampler;
  const struct engine_sampler_options greedy = { 0 };
  assert (engine_sampler_new (&greedy, N, &sampler, NULL) == ENGINE_OK);
  for (uint64_t seed = 0; seed < 20; seed++) {
    int32_t ids[N];
    fill (logits, seed);
    sort_ids (logits, ids);
    assert (engine_sampler_pick (sampler, logits) == ids[0]);
  }
  logits[110] = logits[100] = 99;
  assert (engine_sampler_pick (sampler, logits) == 100);
  engine_sampler_free (sampler);
}

/* Draws many tokens and compares their frequencies with what the options define. */
static void check_distribution (const struct engine_sampler_options *options)
{
  float logits[N];
  int32_t ids[N];
  static double expected[N];
  static size_t counts[N];
  fill (logits, 9);
  sort_ids (logits, ids);
  memset (expected, 0, sizeof expected);
  memset (counts, 0, sizeof counts);
  size_t kept = options->top_k && options->top_k < N ? options->top_k : N, within = 0;
  double total = 0, sum = 0;
  for (size_t i = 0; i < kept; i++)
    total += expected[ids[i]] = exp (logits[ids[i]] / options->temperature);
  double top_p = options->top_p > 0 ? options->top_p : 1;
  while (within < kept && (top_p == 1 || sum < top_p * total))
    sum += expected[ids[within++]];
  for (size_t i = within; i < N; i++)
    expected[ids[i]] = 0;

  struct engine_sampler *sampler;
  assert (engine_sampler_new (options, N, &sampler, NULL) == ENGINE_OK);
  for (size_t i = 0; i < N_DRAWS; i++)
    counts[engine_sampler_pick (sampler, logits)]++;
  for (size_t i = 0; i < N; i++) {
    double p = expected[i] / sum, mean = p * N_DRAWS;
    assert (p > 0 || counts[i] == 0);
    assert (fabs ((double)counts[i] - mean) <= 5 * sqrt (mean) + 3);
  }
  engine_sampler_free (sampler);
}

static void test_distributions (void)
{
  static const struct engine_sampler_options options[] = {
    { .temperature = 1, .seed = 1 },
    { .temperature = 0.5f, .top_p = 1, .seed = 2 },
    { .temperature = 1, .top_k = 1, .seed = 3 },
    { .temperature = 2, .top_k = 10, .seed = 4 },
    { .temperature = 1, .top_p = 0.9f, .seed = 5 },
    { .temperature = 1.5f, .top_k = 30, .top_p = 0.7f, .seed = 6 },
    { .temperature = 1, .top_k = N + 7, .top_p = 1e-6f, .seed = 7 },
  };
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    check_distribution (&options[i]);
}

static void draw (uint64_t seed, const float *logits, int32_t *ids, size_t n)
{
  const struct engine_sampler_options options = { .temperature = 1, .top_p = 0.95f, .seed = seed };
  struct engine_sampler *sampler;
  assert (engine_sampler_new (&options, N, &sampler, NULL) == ENGINE_OK);
  for (size_t i = 0; i < n; i++)
    ids[i] = engine_sampler_pick (sampler, logits);
  engine_sampler_free (sampler);
}

static void test_seeds (void)
{
  float logits[N];
  int32_t a[64], b[64], c[64];
  fill (logits, 4);
  draw (42, logits, a, 64);
  draw (42, logits, b, 64);
  draw (43, logits, c, 64);
  assert (memcmp (a, b, sizeof a) == 0 && memcmp (a, c, sizeof a) != 0);
}

static void test_bad_options (void)
{
  static const struct engine_sampler_options options[] = {
    { .temperature = -1 }, { .temperature = NAN }, { .temperature = INFINITY }, { .top_p = -0.1f }, { .top_p = 1.1f },
  };
  struct engine_sampler *sampler = NULL;
  struct engine_error error;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    assert (engine_sampler_new (&options[i], N, &sampler, &error) == ENGINE_ERROR_RANGE && !sampler);
  assert (engine_sampler_new (&(struct engine_sampler_options){ 0 }, 0, &sampler, NULL) == ENGINE_ERROR_RANGE);
  float logits[N];
  for (size_t i = 0; i < N; i++)
    logits[i] = NAN;
  assert (engine_sampler_new (&(struct engine_sampler_options){ .temperature = 1 }, N, &sampler, NULL) == ENGINE_OK);
  int32_t id = engine_sampler_pick (sampler, logits); /* a broken model gives some token, not a crash */
  assert (id >= 0 && id < N);
  engine_sampler_free (sampler);
}

int main (void)
{
  test_logprobs ();
  test_greedy ();
  test_distributions ();
  test_seeds ();
  test_bad_options ();
  return 0;
}
