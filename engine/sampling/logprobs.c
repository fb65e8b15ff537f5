/* logprobs.c: log-probabilities over the whole vocabulary. */
#include "engine/engine.h"
#include <math.h>

static double log_sum_exp (const float *logits, uint32_t n_vocab)
{
  float best = -INFINITY;
  for (uint32_t i = 0; i < n_vocab; i++)
    best = logits[i] > best ? logits[i] : best;
  double sum = 0;
  for (uint32_t i = 0; i < n_vocab; i++)
    if (!isnan (logits[i]))
      sum += expf (logits[i] - best);
  return best + log (sum);
}

/* Whether a belongs before b. NaN ranks last. */
static bool is_better (struct engine_logprob a, struct engine_logprob b)
{
  return a.logprob > b.logprob || (a.logprob == b.logprob && a.id < b.id);
}

/* top[0, n) is a heap whose root is the worst: puts `item` in the hole at `hole`, whose subtrees are heaps. */
static void sift_down (struct engine_logprob *top, size_t n, size_t hole, struct engine_logprob item)
{
  for (;;) {
    size_t child = 2 * hole + 1;
    if (child >= n)
      break;
    if (child + 1 < n && is_better (top[child], top[child + 1]))
      child++;
    if (!is_better (item, top[child]))
      break;
    top[hole] = top[child];
    hole = child;
  }
  top[hole] = item;
}

void engine_top_logprobs (const float *logits, uint32_t n_vocab, struct engine_logprob *top, size_t n_top)
{
  size_t n = n_top < n_vocab ? n_top : n_vocab;
  for (uint32_t i = 0; i < n_vocab && n > 0; i++) {
    struct engine_logprob item = { (int32_t)i, isnan (logits[i]) ? -INFINITY : logits[i] };
    if (i < n)
      top[i] = item;
    if (i + 1 == n)
      for (size_t hole = n / 2; hole-- > 0;)
        sift_down (top, n, hole, top[hole]);
    if (i >= n && is_better (item, top[0]))
      sift_down (top, n, 0, item);
  }
  double total = log_sum_exp (logits, n_vocab);
  for (size_t end = n; end > 1; end--) { /* the worst goes to the end: best first remains */
    struct engine_logprob worst = top[0];
    sift_down (top, end - 1, 0, top[end - 1]);
    top[end - 1] = worst;
  }
  for (size_t i = 0; i < n; i++)
    top[i].logprob = (float)(top[i].logprob - total);
  for (size_t i = n; i < n_top; i++)
    top[i] = (struct engine_logprob){ -1, -INFINITY };
}

float engine_logprob_of (const float *logits, uint32_t n_vocab, int32_t id)
{
  if (id < 0 || (uint32_t)id >= n_vocab)
    return -INFINITY;
  return (float)(logits[id] - log_sum_exp (logits, n_vocab));
}
