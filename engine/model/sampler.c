/* sampler.c: choosing the next token.
 *
 * Temperature first, then top-k, then top-p over what top-k left (nucleus sampling, arXiv 1904.09751). The random
 * numbers are our own, so that a seed means the same everywhere: xoshiro256++ (Blackman and Vigna, 2019), its state
 * filled by splitmix64. */
#include "engine/error.h"
#include <math.h>
#include <stdlib.h>

struct candidate {
  int32_t id;
  float weight; /* probability times a constant */
};

struct engine_sampler {
  struct engine_sampler_options options;
  uint32_t n_vocab;
  uint64_t state[4];
  struct candidate *candidates; /* [n_vocab] */
};

static uint64_t split_mix (uint64_t *seed)
{
  uint64_t z = *seed += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t rotate_left (uint64_t x, int by)
{
  return (x << by) | (x >> (64 - by));
}

/* Uniform in [0, 1), 53 bits. */
static double next_random (uint64_t s[4])
{
  uint64_t result = rotate_left (s[0] + s[3], 23) + s[0], t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left (s[3], 45);
  return (double)(result >> 11) * 0x1p-53;
}

int engine_sampler_new (const struct engine_sampler_options *options, uint32_t n_vocab, struct engine_sampler **sampler,
                        struct engine_error *error)
{
  if (!(options->temperature >= 0 && options->temperature <= 100))
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The temperature, %g, is not between 0 and 100.",
                             (double)options->temperature);
  if (!(options->top_p >= 0 && options->top_p <= 1))
    return engine_error_set (error, ENGINE_ERROR_RANGE, "top-p, %g, is not between 0 and 1.", (double)options->top_p);
  if (n_vocab == 0 || n_vocab > INT32_MAX)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A vocabulary of %u tokens cannot be sampled from.", n_vocab);
  struct engine_sampler *made = calloc (1, sizeof *made);
  struct candidate *candidates = calloc (n_vocab, sizeof *candidates);
  if (!made || !candidates) {
    free (made);
    free (candidates);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a sampler.");
  }
  made->options = *options;
  made->n_vocab = n_vocab;
  made->candidates = candidates;
  uint64_t seed = options->seed;
  for (size_t i = 0; i < 4; i++)
    made->state[i] = split_mix (&seed);
  *sampler = made;
  return ENGINE_OK;
}

void engine_sampler_free (struct engine_sampler *sampler)
{
  if (!sampler)
    return;
  free (sampler->candidates);
  free (sampler);
}

static uint32_t find_best (const float *logits, uint32_t n_vocab)
{
  uint32_t best = 0;
  float value = -INFINITY;
  for (uint32_t i = 0; i < n_vocab; i++)
    if (logits[i] > value) {
      value = logits[i];
      best = i;
    }
  return best;
}

static bool is_better (struct candidate a, struct candidate b)
{
  return a.weight > b.weight || (a.weight == b.weight && a.id < b.id);
}

/* Heap with the best at the root. */
static void sift_down (struct candidate *heap, size_t n, size_t hole)
{
  struct candidate item = heap[hole];
  for (;;) {
    size_t child = 2 * hole + 1;
    if (child >= n)
      break;
    if (child + 1 < n && is_better (heap[child + 1], heap[child]))
      child++;
    if (!is_better (heap[child], item))
      break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = item;
}

static double sum_weights (const struct candidate *candidates, size_t n)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += candidates[i].weight;
  return sum;
}

/* Brings the candidates that top-k and top-p keep to the end of the array, worst first; returns how many. A heap that
 * is popped only as far as needed costs less than sorting the vocabulary. */
static uint32_t cut (struct engine_sampler *sampler)
{
  struct candidate *heap = sampler->candidates;
  const struct engine_sampler_options *options = &sampler->options;
  uint32_t n = sampler->n_vocab, most = options->top_k > 0 && options->top_k < n ? options->top_k : n, kept = 0;
  for (size_t hole = n / 2; hole-- > 0;)
    sift_down (heap, n, hole);
  double limit = options->top_p > 0 && options->top_p < 1 ? options->top_p : INFINITY, total = 0, sum = 0;
  if (most == n)
    total = sum_weights (heap, n);
  while (kept < most && (most < n || sum < limit * total)) {
    uint32_t end = n - 1 - kept;
    struct candidate best = heap[0];
    heap[0] = heap[end];
    heap[end] = best;
    sift_down (heap, end, 0);
    kept++;
    sum += best.weight;
  }
  if (most == n || limit == INFINITY)
    return kept;
  total = sum; /* of the top k */
  sum = 0;
  uint32_t within = 0;
  while (within < kept && sum < limit * total)
    sum += heap[n - 1 - within++].weight;
  return within;
}

int32_t engine_sampler_pick (struct engine_sampler *sampler, const float *logits)
{
  const struct engine_sampler_options *options = &sampler->options;
  uint32_t n = sampler->n_vocab, best = find_best (logits, n);
  if (options->temperature == 0 || !(logits[best] > -INFINITY) || isinf (logits[best]))
    return (int32_t)best;
  struct candidate *candidates = sampler->candidates;
  for (uint32_t i = 0; i < n; i++) {
    float weight = expf ((logits[i] - logits[best]) / options->temperature);
    candidates[i] = (struct candidate){ (int32_t)i, isnan (weight) ? 0 : weight };
  }
  uint32_t first = 0;
  bool is_cut = (options->top_k > 0 && options->top_k < n) || (options->top_p > 0 && options->top_p < 1);
  if (is_cut) {
    first = n - cut (sampler);
  }
  double left = next_random (sampler->state) * sum_weights (candidates + first, n - first);
  for (uint32_t i = n; i-- > first;) {
    left -= candidates[i].weight;
    if (left < 0)
      return candidates[i].id;
  }
  return (int32_t)best; /* rounding ate the rest */
}
