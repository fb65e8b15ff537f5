/* Sampling and log-probabilities against plain arithmetic over the sorted vocabulary. */
#include "engine/sampling/sampler.h"
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

/* ---- the chain against a plain reading of it, in double ------------------------------------------------------ */

struct reference {
  int32_t ids[N]; /* the survivors, likeliest first */
  double p[N];    /* by id; 0: cut */
  size_t n;
};

static void weigh (struct reference *reference, const float *logits, double temperature)
{
  double sum = 0;
  memset (reference->p, 0, sizeof reference->p);
  for (size_t i = 0; i < reference->n; i++)
    sum += reference->p[reference->ids[i]]
        = exp ((logits[reference->ids[i]] - logits[reference->ids[0]]) / temperature);
  for (size_t i = 0; i < reference->n; i++)
    reference->p[reference->ids[i]] /= sum;
}

static double entropy, *surprise_p;

static int by_typicality (const void *a, const void *b)
{
  int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  double x = fabs (-log (surprise_p[i]) - entropy), y = fabs (-log (surprise_p[j]) - entropy);
  if (fabs (x - y) > 1e-6)
    return x < y ? -1 : 1;
  return i < j ? -1 : i > j;
}

static void cut_at (struct reference *reference, double limit, bool beyond)
{
  double sum = 0;
  size_t n = 0;
  while (n < reference->n && (n == 0 || (beyond ? sum <= limit : sum < limit)))
    sum += reference->p[reference->ids[n++]];
  reference->n = n;
}

static void make_reference (struct reference *reference, const struct engine_sampler_options *options,
                            const float *logits)
{
  sort_ids (logits, reference->ids);
  reference->n = options->top_k && options->top_k < N ? options->top_k : N;
  if (options->typical_p > 0 && options->typical_p < 1) {
    weigh (reference, logits, 1);
    entropy = 0;
    for (size_t i = 0; i < reference->n; i++)
      entropy -= reference->p[reference->ids[i]] * log (reference->p[reference->ids[i]]);
    surprise_p = reference->p;
    qsort (reference->ids, reference->n, sizeof *reference->ids, by_typicality);
    cut_at (reference, options->typical_p, true);
    sorted_logits = logits;
    qsort (reference->ids, reference->n, sizeof *reference->ids, by_logit);
  }
  if (options->top_p > 0 && options->top_p < 1) {
    weigh (reference, logits, 1);
    cut_at (reference, options->top_p, false);
  }
  if (options->min_p > 0) {
    size_t n = 0;
    weigh (reference, logits, 1);
    while (n < reference->n && reference->p[reference->ids[n]] >= options->min_p * reference->p[reference->ids[0]])
      n++;
    reference->n = n;
  }
  weigh (reference, logits, options->temperature);
}

static const struct engine_sampler_options chains[] = {
  { .temperature = 1, .seed = 1 },
  { .temperature = 0.5f, .top_p = 1, .typical_p = 1, .repeat_penalty = 1, .seed = 2 },
  { .temperature = 1, .top_k = 1, .seed = 3 },
  { .temperature = 2, .top_k = 10, .seed = 4 },
  { .temperature = 1, .top_p = 0.9f, .seed = 5 },
  { .temperature = 1.5f, .top_k = 30, .top_p = 0.7f, .seed = 6 },
  { .temperature = 1, .top_k = N + 7, .top_p = 1e-6f, .seed = 7 },
  { .temperature = 1, .min_p = 0.1f, .seed = 8 },
  { .temperature = 3, .min_p = 1, .seed = 9 },
  { .temperature = 0.7f, .typical_p = 0.5f, .seed = 10 },
  { .temperature = 1, .typical_p = 0.95f, .seed = 11 },
  { .temperature = 1, .typical_p = 1e-6f, .seed = 12 },
  { .temperature = 1.2f, .top_k = 40, .typical_p = 0.9f, .top_p = 0.8f, .min_p = 0.05f, .seed = 13 },
};

static void test_survivors (void)
{
  size_t n_cut = 0;
  for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
    struct engine_sampler *sampler;
    assert (engine_sampler_new (&chains[c], N, &sampler, NULL) == ENGINE_OK);
    for (uint64_t seed = 0; seed < 100; seed++) {
      static struct reference reference;
      float logits[N];
      bool seen[N] = { false };
      fill (logits, seed);
      make_reference (&reference, &chains[c], logits);
      const struct candidates *left = sampler_select (sampler, logits);
      assert (left->n == reference.n);
      for (size_t i = 0; i < left->n; i++) {
        int32_t id = left->items[i].id;
        assert (id >= 0 && id < N && !seen[id] && reference.p[id] > 0);
        assert (fabs (left->items[i].probability - reference.p[id]) < 1e-5);
        seen[id] = true;
      }
      n_cut += left->n < N;
    }
    engine_sampler_free (sampler);
  }
  assert (n_cut > 1000);
}

/* Chi-square of many draws. */
static void test_frequencies (void)
{
  for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
    static struct reference reference;
    static size_t counts[N];
    float logits[N];
    struct engine_sampler *sampler;
    double chi_square = 0, rare = 0, n_rare = 0;
    int n_cells = 0;
    memset (counts, 0, sizeof counts);
    fill (logits, 9);
    make_reference (&reference, &chains[c], logits);
    assert (engine_sampler_new (&chains[c], N, &sampler, NULL) == ENGINE_OK);
    for (size_t i = 0; i < N_DRAWS; i++)
      counts[engine_sampler_pick (sampler, logits)]++;
    engine_sampler_free (sampler);
    for (size_t i = 0; i < N; i++) {
      double mean = reference.p[i] * N_DRAWS, d = (double)counts[i] - mean;
      assert (reference.p[i] > 0 || counts[i] == 0);
      if (mean < 8) {
        rare += mean;
        n_rare += (double)counts[i];
        continue;
      }
      chi_square += d * d / mean;
      n_cells++;
    }
    assert (fabs (n_rare - rare) <= 5 * sqrt (rare) + 3);
    /* Its mean is about n_cells and its variance twice that: five deviations. */
    assert (chi_square <= n_cells + 5 * sqrt (2.0 * n_cells) + 1);
  }
}

/* ---- ties, biases, penalties, broken logits ------------------------------------------------------------------ */

static void check_survivors (const struct engine_sampler_options *options, const float *logits, const int32_t *ids,
                             size_t n_ids)
{
  struct engine_sampler *sampler;
  bool seen[N] = { false };
  assert (engine_sampler_new (options, N, &sampler, NULL) == ENGINE_OK);
  const struct candidates *left = sampler_select (sampler, logits);
  assert (left->n == n_ids);
  for (size_t i = 0; i < n_ids; i++)
    seen[left->items[i].id] = true;
  for (size_t i = 0; i < n_ids; i++)
    assert (seen[ids[i]]);
  engine_sampler_free (sampler);
}

static void test_ties (void)
{
  float logits[N];
  for (size_t i = 0; i < N; i++)
    logits[i] = 1;
  const int32_t first[] = { 0, 1, 2, 3, 4, 5 };
  check_survivors (&(struct engine_sampler_options){ .temperature = 1, .top_k = 6 }, logits, first, 6);
  check_survivors (&(struct engine_sampler_options){ .temperature = 1, .top_p = 5.5f / N }, logits, first, 6);
  check_survivors (&(struct engine_sampler_options){ .temperature = 1, .typical_p = 5.5f / N }, logits, first, 6);
  logits[70] = 2;
  check_survivors (&(struct engine_sampler_options){ .temperature = 1, .top_k = 3 }, logits,
                   (const int32_t[]){ 70, 0, 1 }, 3);
}

static void test_biases (void)
{
  float logits[N];
  int32_t ids[N];
  struct engine_sampler *sampler;
  fill (logits, 5);
  sort_ids (logits, ids);
  struct engine_logit_bias biases[]
      = { { ids[0], -INFINITY }, { ids[1], -INFINITY }, { ids[50], 40 }, { ids[0], -INFINITY }, { ids[2], -1 } };
  struct engine_sampler_options options = { .biases = biases, .n_biases = 5 };
  assert (engine_sampler_new (&options, N, &sampler, NULL) == ENGINE_OK);
  assert (engine_sampler_pick (sampler, logits) == ids[50]);
  engine_sampler_free (sampler);
  options.n_biases = 2;
  assert (engine_sampler_new (&options, N, &sampler, NULL) == ENGINE_OK);
  memset (biases, 0, sizeof biases); /* they were copied */
  assert (engine_sampler_pick (sampler, logits) == ids[2]);
  for (size_t i = 2; i < N; i++)
    logits[ids[i]] = i % 2 ? NAN : -INFINITY; /* what is banned stays so even when all else is broken */
  int32_t id = engine_sampler_pick (sampler, logits);
  assert (id >= 0 && id < N && id != ids[0] && id != ids[1] && !engine_sampler_is_stuck (sampler));
  engine_sampler_free (sampler);
}

static float get_logit (struct engine_sampler *sampler, const float *logits, int32_t id)
{
  const struct candidates *left = sampler_select (sampler, logits);
  for (size_t i = 0; i < left->n; i++)
    if (left->items[i].id == id)
      return left->items[i].logit;
  return NAN;
}

static void test_penalties (void)
{
  float logits[N];
  struct engine_sampler *sampler;
  fill (logits, 6);
  logits[3] = 2;
  logits[4] = -2;
  logits[5] = 0;
  struct engine_sampler_options options = { .temperature = 1,
                                            .repeat_penalty = 1.25f,
                                            .frequency_penalty = 0.5f,
                                            .presence_penalty = 0.125f,
                                            .penalty_window = 4 };
  assert (engine_sampler_new (&options, N, &sampler, NULL) == ENGINE_OK);
  assert (get_logit (sampler, logits, 3) == 2 && get_logit (sampler, logits, 4) == -2);
  engine_sampler_restart (sampler, (const int32_t[]){ 9, 4, -1, N }, 4); /* ids that do not exist do not count */
  engine_sampler_accept (sampler, 3);
  engine_sampler_accept (sampler, 3);
  assert (get_logit (sampler, logits, 3) == 2 / 1.25f - 2 * 0.5f - 0.125f);
  assert (get_logit (sampler, logits, 4) == -2 * 1.25f - 0.5f - 0.125f);
  assert (get_logit (sampler, logits, 5) == 0 && get_logit (sampler, logits, 10) == logits[10]);
  engine_sampler_accept (sampler, 5); /* the 9 leaves the window */
  assert (get_logit (sampler, logits, 9) == logits[9]);
  assert (get_logit (sampler, logits, 5) == -0.625f);
  engine_sampler_accept (sampler, 5);
  engine_sampler_accept (sampler, 5);
  assert (get_logit (sampler, logits, 4) == -2); /* as do the 4 and one 3 */
  assert (get_logit (sampler, logits, 3) == 2 / 1.25f - 0.5f - 0.125f);
  assert (get_logit (sampler, logits, 5) == -3 * 0.5f - 0.125f);
  engine_sampler_restart (sampler, NULL, 0);
  assert (get_logit (sampler, logits, 5) == 0);
  engine_sampler_free (sampler);
}

/* Any window, random tokens: as counting says. */
static void test_penalty_window (void)
{
  uint64_t noise = 8;
  float logits[N];
  fill (logits, 7);
  for (uint32_t window = 0; window < 40; window++) {
    struct engine_sampler_options options
        = { .temperature = 1, .repeat_penalty = 1.1f, .frequency_penalty = 0.25f, .penalty_window = window };
    struct engine_sampler *sampler;
    int32_t said[200];
    size_t width = window ? window : 64;
    assert (engine_sampler_new (&options, N, &sampler, NULL) == ENGINE_OK);
    for (size_t n = 0; n < 200; n++) {
      said[n] = (int32_t)((builder_random (&noise) + 1) * 10);
      engine_sampler_accept (sampler, said[n]);
      int32_t id = (int32_t)((builder_random (&noise) + 1) * 10), count = 0;
      for (size_t i = n + 1 > width ? n + 1 - width : 0; i <= n; i++)
        count += said[i] == id;
      float expected = logits[id];
      if (count > 0)
        expected = (expected <= 0 ? expected * 1.1f : expected / 1.1f) - (float)count * 0.25f;
      assert (get_logit (sampler, logits, id) == expected);
    }
    engine_sampler_free (sampler);
  }
}

static void test_broken_logits (void)
{
  float logits[N];
  fill (logits, 3);
  logits[7] = NAN;
  logits[8] = -INFINITY;
  logits[9] = INFINITY;
  for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
    struct engine_sampler *sampler;
    assert (engine_sampler_new (&chains[c], N, &sampler, NULL) == ENGINE_OK);
    for (int i = 0; i < 20; i++)
      assert (engine_sampler_pick (sampler, logits) == 9);
    engine_sampler_free (sampler);
  }
  for (size_t i = 0; i < N; i++)
    logits[i] = i == 60 || i == 61 ? -3e38f : NAN;
  for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
    struct engine_sampler *sampler;
    assert (engine_sampler_new (&chains[c], N, &sampler, NULL) == ENGINE_OK);
    int32_t id = engine_sampler_pick (sampler, logits);
    assert (id == 60 || id == 61);
    for (size_t i = 0; i < N; i++)
      logits[i] = NAN;
    id = engine_sampler_pick (sampler, logits); /* a broken model gives some token, not a crash */
    assert (id >= 0 && id < N && !engine_sampler_is_stuck (sampler));
    logits[60] = logits[61] = -3e38f;
    engine_sampler_free (sampler);
  }
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
  static const struct engine_logit_bias outside = { N, 1 }, below = { -1, 1 }, odd = { 1, NAN }, sure = { 1, INFINITY };
  static const struct engine_sampler_options options[] = {
    { .temperature = -1 },
    { .temperature = NAN },
    { .temperature = INFINITY },
    { .top_p = -0.1f },
    { .top_p = 1.1f },
    { .min_p = 2 },
    { .typical_p = NAN },
    { .repeat_penalty = -1 },
    { .repeat_penalty = INFINITY },
    { .frequency_penalty = NAN },
    { .presence_penalty = 1000 },
    { .penalty_window = 1u << 30 },
    { .biases = &outside, .n_biases = 1 },
    { .biases = &below, .n_biases = 1 },
    { .biases = &odd, .n_biases = 1 },
    { .biases = &sure, .n_biases = 1 },
  };
  struct engine_sampler *sampler = NULL;
  struct engine_error error;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    error.message[0] = '\0';
    assert (engine_sampler_new (&options[i], N, &sampler, &error) == ENGINE_ERROR_RANGE && !sampler);
    assert (error.message[0] && error.message[strlen (error.message) - 1] == '.');
  }
  assert (engine_sampler_new (&(struct engine_sampler_options){ 0 }, 0, &sampler, NULL) == ENGINE_ERROR_RANGE);
  struct engine_logit_bias all[N];
  for (int32_t i = 0; i < N; i++)
    all[i] = (struct engine_logit_bias){ i, -INFINITY };
  assert (engine_sampler_new (&(struct engine_sampler_options){ .biases = all, .n_biases = N }, N, &sampler, NULL)
          == ENGINE_ERROR_RANGE);
}

int main (void)
{
  test_logprobs ();
  test_greedy ();
  test_survivors ();
  test_frequencies ();
  test_ties ();
  test_biases ();
  test_penalties ();
  test_penalty_window ();
  test_broken_logits ();
  test_seeds ();
  test_bad_options ();
  return 0;
}
