#include "engine/sampling/candidates.h"

#include <math.h>
#include <stdbool.h>

static bool is_better (struct candidate a, struct candidate b)
{
  return a.key > b.key || (a.key == b.key && a.id < b.id);
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

/* Keeps the best by key, at most `most`, until their probabilities reach `limit` (or exceed it, `beyond`). A heap that
 * is popped only as far as needed costs less than sorting the vocabulary. */
static void keep_best (struct candidates *candidates, size_t most, double limit, bool beyond)
{
  struct candidate *heap = candidates->items;
  size_t n = candidates->n, kept = 0;
  double sum = 0;
  for (size_t hole = n / 2; hole-- > 0;)
    sift_down (heap, n, hole);
  while (kept < n && kept < most && (kept == 0 || sum < limit || (beyond && sum == limit))) {
    size_t end = n - 1 - kept;
    struct candidate best = heap[0];
    heap[0] = heap[end];
    heap[end] = best;
    sift_down (heap, end, 0);
    sum += best.probability;
    kept++;
  }
  candidates->items = heap + n - kept;
  candidates->n = kept;
}

static void use_logits (struct candidates *candidates)
{
  for (size_t i = 0; i < candidates->n; i++)
    candidates->items[i].key = candidates->items[i].logit;
}

const struct candidate *candidates_find_best (const struct candidates *candidates)
{
  const struct candidate *best = NULL;
  for (size_t i = 0; i < candidates->n; i++) {
    const struct candidate *item = &candidates->items[i];
    if (!best || item->logit > best->logit || (item->logit == best->logit && item->id < best->id))
      best = item;
  }
  return best;
}

void candidates_weigh (struct candidates *candidates, float temperature)
{
  if (candidates->n == 0)
    return;
  float best = candidates_find_best (candidates)->logit;
  double sum = 0;
  for (size_t i = 0; i < candidates->n; i++)
    sum += candidates->items[i].probability = expf ((candidates->items[i].logit - best) / temperature);
  for (size_t i = 0; i < candidates->n; i++)
    candidates->items[i].probability = (float)(candidates->items[i].probability / sum);
}

void candidates_keep_top_k (struct candidates *candidates, size_t k)
{
  if (k >= candidates->n)
    return;
  use_logits (candidates);
  keep_best (candidates, k, INFINITY, false);
}

void candidates_keep_typical (struct candidates *candidates, float p)
{
  candidates_weigh (candidates, 1);
  double entropy = 0;
  for (size_t i = 0; i < candidates->n; i++) {
    float probability = candidates->items[i].probability;
    entropy -= probability > 0 ? probability * log (probability) : 0;
  }
  for (size_t i = 0; i < candidates->n; i++)
    candidates->items[i].key = -fabsf ((float)(-log (candidates->items[i].probability) - entropy));
  keep_best (candidates, candidates->n, p, true);
}

void candidates_keep_top_p (struct candidates *candidates, float p)
{
  candidates_weigh (candidates, 1);
  use_logits (candidates);
  keep_best (candidates, candidates->n, p, false);
}

void candidates_keep_min_p (struct candidates *candidates, float p)
{
  if (candidates->n == 0)
    return;
  float least = candidates_find_best (candidates)->logit + logf (p);
  size_t kept = 0;
  for (size_t i = 0; i < candidates->n; i++)
    if (candidates->items[i].logit >= least)
      candidates->items[kept++] = candidates->items[i];
  candidates->n = kept;
}
