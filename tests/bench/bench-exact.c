/* How far the kernels' arithmetic is from the reference arithmetic (--exact), on one model file.
 *
 *     bench-exact MODEL [TOKENS]
 *
 * Both read the same random tokens. For the distribution after each: the mean and the largest KL divergence, how often the
 * best token differs, and how often it differs although the exact one leads by more than 0.05 in log-probability. */
#include "engine/engine.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_TOKENS = 2000 };

static const double margin = 0.05;

static void check (int status, const struct engine_error *error)
{
  if (status == ENGINE_OK)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static uint32_t random_next (uint32_t *state)
{
  return *state = *state * 1664525u + 1013904223u;
}

/* log (sum of e^x) */
static double log_total (const float *logits, uint32_t n)
{
  double best = -INFINITY, sum = 0;
  for (uint32_t i = 0; i < n; i++)
    best = logits[i] > best ? logits[i] : best;
  for (uint32_t i = 0; i < n; i++)
    sum += exp (logits[i] - best);
  return best + log (sum);
}

static uint32_t find_best (const float *logits, uint32_t n)
{
  uint32_t best = 0;
  for (uint32_t i = 1; i < n; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

struct totals {
  double kl, worst;
  unsigned n, n_flips, n_clear_flips;
};

static void compare (struct totals *totals, const float *exact, const float *fast, uint32_t n)
{
  const double exact_total = log_total (exact, n), fast_total = log_total (fast, n);
  const uint32_t best = find_best (exact, n), chosen = find_best (fast, n);
  double kl = 0;
  for (uint32_t i = 0; i < n; i++) {
    const double p = exact[i] - exact_total, q = fast[i] - fast_total;
    kl += exp (p) * (p - q);
  }
  totals->n++;
  totals->kl += kl;
  totals->worst = kl > totals->worst ? kl : totals->worst;
  totals->n_flips += best != chosen;
  totals->n_clear_flips += (double)(exact[best] - exact[chosen]) > margin;
}

int main (int argc, char **argv)
{
  struct engine_error error = { 0 };
  struct engine_model *model;
  struct engine_session *sessions[2];
  struct totals totals = { 0 };
  if (argc < 2) {
    fprintf (stderr, "usage: bench-exact MODEL [TOKENS]\n");
    return 2;
  }
  const int n_tokens = argc > 2 ? atoi (argv[2]) : DEFAULT_TOKENS;
  check (engine_model_open (argv[1], &model, &error), &error);
  const uint32_t n_vocab = engine_model_get_info (model)->n_vocab;
  for (int i = 0; i < 2; i++) {
    const struct engine_session_options options = { .context_tokens = (uint32_t)n_tokens, .exact = i == 0 };
    check (engine_session_new (model, &options, &sessions[i], &error), &error);
  }
  uint32_t state = 1;
  for (int t = 0; t < n_tokens; t++) {
    const int32_t id = (int32_t)(random_next (&state) >> 8) % (int32_t)n_vocab;
    for (int i = 0; i < 2; i++)
      check (engine_session_append (sessions[i], id, &error), &error);
    compare (&totals, engine_session_get_logits (sessions[0]), engine_session_get_logits (sessions[1]), n_vocab);
  }
  printf ("%u positions: mean KL %.2e, largest %.2e; best token differs %u times, %u of them beyond a margin of %.2f\n",
          totals.n, totals.kl / totals.n, totals.worst, totals.n_flips, totals.n_clear_flips, margin);
  for (int i = 0; i < 2; i++)
    engine_session_free (sessions[i]);
  engine_model_close (model);
  return 0;
}
