/* sampler.c: choosing the next token. The chain is that of engine.h. */
#include "engine/sampling/sampler.h"

#include "engine/error.h"
#include "engine/sampling/grammar.h"
#include "engine/sampling/penalties.h"
#include "engine/sampling/random.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct engine_sampler {
  struct engine_sampler_options options; /* biases: owned */
  uint32_t n_vocab;
  struct random random;
  struct penalties penalties;
  struct engine_logit_bias *biases;
  uint64_t *banned; /* a bit per token; NULL: none */
  bool is_plain;    /* nothing but the likeliest token is wanted */
  bool is_stuck;
  struct candidate *all; /* [n_vocab] */
  struct candidates left;
};

static bool get_bit (const uint64_t *bits, size_t i)
{
  return bits[i / 64] >> (i % 64) & 1;
}

static int check_share (float value, const char *name, struct engine_error *error)
{
  if (value >= 0 && value <= 1)
    return ENGINE_OK;
  return engine_error_set (error, ENGINE_ERROR_RANGE, "%s, %g, is not between 0 and 1.", name, (double)value);
}

static int check_options (const struct engine_sampler_options *options, uint32_t n_vocab, struct engine_error *error)
{
  if (!(options->temperature >= 0 && options->temperature <= 100))
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The temperature, %g, is not between 0 and 100.",
                             (double)options->temperature);
  if (n_vocab == 0 || n_vocab > INT32_MAX)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A vocabulary of %u tokens cannot be sampled from.", n_vocab);
  int status = check_share (options->top_p, "top-p", error);
  if (status == ENGINE_OK)
    status = check_share (options->min_p, "min-p", error);
  if (status == ENGINE_OK)
    status = check_share (options->typical_p, "typical-p", error);
  if (status != ENGINE_OK)
    return status;
  for (size_t i = 0; i < options->n_biases; i++) {
    struct engine_logit_bias bias = options->biases[i];
    if (bias.id < 0 || (uint32_t)bias.id >= n_vocab)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "Token %d has a bias, but there are only %u tokens.", bias.id,
                               n_vocab);
    if (isnan (bias.bias) || bias.bias == INFINITY)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "The bias of token %d is no number.", bias.id);
  }
  return ENGINE_OK;
}

/* Copies the biases: bans become bits. RANGE if no token is left. */
static int take_biases (struct engine_sampler *sampler, struct engine_error *error)
{
  size_t n = sampler->options.n_biases, n_words = (sampler->n_vocab + 63u) / 64u, n_banned = 0;
  const struct engine_logit_bias *given = sampler->options.biases;
  if (n == 0)
    return ENGINE_OK;
  sampler->biases = calloc (n, sizeof *sampler->biases);
  sampler->banned = calloc (n_words, sizeof *sampler->banned);
  if (!sampler->biases || !sampler->banned)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a sampler.");
  sampler->options.n_biases = 0;
  for (size_t i = 0; i < n; i++) {
    size_t id = (size_t)given[i].id;
    if (given[i].bias > -INFINITY)
      sampler->biases[sampler->options.n_biases++] = given[i];
    else if (!get_bit (sampler->banned, id)) {
      sampler->banned[id / 64] |= UINT64_C (1) << (id % 64);
      n_banned++;
    }
  }
  if (n_banned == sampler->n_vocab)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "Every token is banned: leave at least one to pick.");
  return ENGINE_OK;
}

int engine_sampler_new (const struct engine_sampler_options *options, uint32_t n_vocab, struct engine_sampler **sampler,
                        struct engine_error *error)
{
  int status = check_options (options, n_vocab, error);
  if (status != ENGINE_OK)
    return status;
  struct engine_sampler *made = calloc (1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a sampler.");
  made->options = *options;
  made->n_vocab = n_vocab;
  random_init (&made->random, options->seed);
  status = penalties_init (&made->penalties, options, n_vocab, error);
  if (status == ENGINE_OK)
    status = take_biases (made, error);
  made->is_plain = options->temperature == 0 && !made->penalties.window && !made->biases && !options->grammar
                   && !(options->typical_p > 0 && options->typical_p < 1);
  if (status == ENGINE_OK && !made->is_plain) {
    made->all = calloc (n_vocab, sizeof *made->all);
    if (!made->all)
      status = engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a sampler.");
  }
  if (status != ENGINE_OK) {
    engine_sampler_free (made);
    return status;
  }
  if (options->grammar)
    grammar_restart (options->grammar);
  *sampler = made;
  return ENGINE_OK;
}

void engine_sampler_free (struct engine_sampler *sampler)
{
  if (!sampler)
    return;
  penalties_release (&sampler->penalties);
  free (sampler->biases);
  free (sampler->banned);
  free (sampler->all);
  free (sampler);
}

void engine_sampler_restart (struct engine_sampler *sampler, const int32_t *prompt, size_t n_prompt)
{
  penalties_restart (&sampler->penalties);
  for (size_t i = 0; i < n_prompt; i++)
    if (prompt[i] >= 0 && (uint32_t)prompt[i] < sampler->n_vocab)
      penalties_accept (&sampler->penalties, prompt[i]);
  if (sampler->options.grammar)
    grammar_restart (sampler->options.grammar);
  sampler->is_stuck = false;
}

void engine_sampler_accept (struct engine_sampler *sampler, int32_t id)
{
  if (id < 0 || (uint32_t)id >= sampler->n_vocab)
    return;
  penalties_accept (&sampler->penalties, id);
  if (sampler->options.grammar)
    grammar_accept (sampler->options.grammar, id);
}

bool engine_sampler_is_stuck (const struct engine_sampler *sampler)
{
  return sampler->is_stuck;
}

static int32_t find_best (const float *logits, uint32_t n_vocab)
{
  uint32_t best = 0;
  float value = -INFINITY;
  for (uint32_t i = 0; i < n_vocab; i++)
    if (logits[i] > value) {
      value = logits[i];
      best = i;
    }
  return (int32_t)best;
}

static bool is_allowed (const struct engine_sampler *sampler, const uint64_t *mask, size_t id)
{
  if (mask && (id >= grammar_get_n_vocab (sampler->options.grammar) || !get_bit (mask, id)))
    return false;
  return !sampler->banned || !get_bit (sampler->banned, id);
}

/* The candidates of this step: neither banned, nor against the grammar, nor impossible. */
static void gather (struct engine_sampler *sampler, const float *logits, const uint64_t *mask)
{
  struct candidate *all = sampler->all;
  size_t n = 0;
  for (uint32_t i = 0; i < sampler->n_vocab; i++)
    all[i] = (struct candidate){ .id = (int32_t)i, .logit = logits[i] };
  for (size_t i = 0; i < sampler->options.n_biases; i++)
    all[sampler->biases[i].id].logit += sampler->biases[i].bias;
  penalties_apply (&sampler->penalties, all);
  for (uint32_t i = 0; i < sampler->n_vocab; i++)
    if (all[i].logit > -INFINITY && is_allowed (sampler, mask, i)) { /* NaN compares false */
      all[n] = all[i];
      all[n].logit = fminf (all[n].logit, FLT_MAX);
      n++;
    }
  sampler->left = (struct candidates){ all, n };
}

static const struct candidates *run_chain (struct engine_sampler *sampler, const float *logits, const uint64_t *mask)
{
  const struct engine_sampler_options *options = &sampler->options;
  struct candidates *left = &sampler->left;
  gather (sampler, logits, mask);
  if (options->top_k > 0)
    candidates_keep_top_k (left, options->top_k);
  if (options->typical_p > 0 && options->typical_p < 1)
    candidates_keep_typical (left, options->typical_p);
  if (options->top_p > 0 && options->top_p < 1)
    candidates_keep_top_p (left, options->top_p);
  if (options->min_p > 0)
    candidates_keep_min_p (left, options->min_p);
  if (options->temperature > 0)
    candidates_weigh (left, options->temperature);
  return left;
}

static const uint64_t *get_mask (struct engine_sampler *sampler)
{
  return sampler->options.grammar ? grammar_get_mask (sampler->options.grammar) : NULL;
}

const struct candidates *sampler_select (struct engine_sampler *sampler, const float *logits)
{
  return run_chain (sampler, logits, get_mask (sampler));
}

/* No allowed token has a usable logit: a broken model, or a text that the vocabulary cannot continue. */
static int32_t pick_without_logits (struct engine_sampler *sampler, const uint64_t *mask)
{
  for (uint32_t id = 0; id < sampler->n_vocab; id++)
    if (is_allowed (sampler, mask, id))
      return (int32_t)id;
  sampler->is_stuck = true;
  return grammar_get_end (sampler->options.grammar);
}

int32_t engine_sampler_pick (struct engine_sampler *sampler, const float *logits)
{
  if (sampler->is_plain)
    return find_best (logits, sampler->n_vocab);
  const uint64_t *mask = get_mask (sampler);
  const struct candidates *left = run_chain (sampler, logits, mask);
  const struct candidate *best = candidates_find_best (left);
  if (!best)
    return pick_without_logits (sampler, mask);
  if (sampler->options.temperature == 0)
    return best->id;
  double sum = 0; /* of rounded numbers: not quite 1 */
  for (size_t i = 0; i < left->n; i++)
    sum += left->items[i].probability;
  double rest = random_next (&sampler->random) * sum;
  for (size_t i = left->n; i-- > 0;) {
    rest -= left->items[i].probability;
    if (rest < 0)
      return left->items[i].id;
  }
  return best->id; /* rounding ate the rest */
}
