#include "engine/model/checkpoints.h"
#include <string.h>

#define FLOATS_MAX (1u << 23) /* of all copies together, if two are less */

struct checkpoints checkpoints_take (uint64_t n_floats, struct arena *arena)
{
  struct checkpoints checkpoints = { .n_floats = n_floats };
  if (n_floats == 0)
    return checkpoints;
  const uint64_t n = FLOATS_MAX / n_floats;
  checkpoints.n = n < 2 ? 2 : n > CHECKPOINTS_MAX ? CHECKPOINTS_MAX : (uint32_t)n;
  checkpoints.copies = arena_take (arena, n_floats * checkpoints.n, sizeof (float));
  return checkpoints;
}

static float *get_copy (const struct checkpoints *checkpoints, uint32_t index)
{
  return checkpoints->copies + index * checkpoints->n_floats;
}

/* The tokens between the neighbours of a copy, of which the last is yet to come. */
static uint32_t count_span (const struct checkpoints *checkpoints, uint32_t index, uint32_t next_tokens)
{
  const uint32_t own = checkpoints->n_tokens[index];
  uint32_t before = 0, after = next_tokens;
  for (uint32_t i = 0; i < checkpoints->n; i++) {
    const uint32_t other = checkpoints->n_tokens[i];
    if (other < own && other > before)
      before = other;
    if (other > own && other < after)
      after = other;
  }
  return after - before;
}

/* An empty copy, or the one that is missed least; of equals the longest. */
static uint32_t choose_victim (const struct checkpoints *checkpoints, uint32_t next_tokens)
{
  uint32_t best = 0, best_span = UINT32_MAX;
  for (uint32_t i = 0; i < checkpoints->n; i++) {
    if (checkpoints->n_tokens[i] == 0)
      return i;
    const uint32_t span = count_span (checkpoints, i, next_tokens);
    if (span < best_span || (span == best_span && checkpoints->n_tokens[i] > checkpoints->n_tokens[best])) {
      best = i;
      best_span = span;
    }
  }
  return best;
}

void checkpoints_save (struct checkpoints *checkpoints, const float *state, uint32_t n_tokens)
{
  if (checkpoints->n_floats == 0 || n_tokens == 0)
    return;
  const uint32_t at = choose_victim (checkpoints, n_tokens);
  memcpy (get_copy (checkpoints, at), state, checkpoints->n_floats * sizeof *state);
  checkpoints->n_tokens[at] = n_tokens;
}

/* The copy that checkpoints_find() means; checkpoints->n: none. */
static uint32_t find_copy (const struct checkpoints *checkpoints, uint32_t n_tokens)
{
  uint32_t best = checkpoints->n, best_tokens = 0;
  for (uint32_t i = 0; i < checkpoints->n; i++)
    if (checkpoints->n_tokens[i] > best_tokens && checkpoints->n_tokens[i] <= n_tokens) {
      best = i;
      best_tokens = checkpoints->n_tokens[i];
    }
  return best;
}

float *checkpoints_get (const struct checkpoints *checkpoints, uint32_t n_tokens)
{
  const uint32_t at = n_tokens > 0 ? find_copy (checkpoints, n_tokens) : checkpoints->n;
  return at < checkpoints->n && checkpoints->n_tokens[at] == n_tokens ? get_copy (checkpoints, at) : NULL;
}

uint32_t checkpoints_find (const struct checkpoints *checkpoints, uint32_t n_tokens)
{
  if (checkpoints->n_floats == 0)
    return n_tokens;
  const uint32_t at = find_copy (checkpoints, n_tokens);
  return at < checkpoints->n ? checkpoints->n_tokens[at] : 0;
}

uint32_t checkpoints_restore (struct checkpoints *checkpoints, float *state, uint32_t n_tokens)
{
  if (checkpoints->n_floats == 0)
    return n_tokens;
  const uint32_t at = find_copy (checkpoints, n_tokens);
  if (at < checkpoints->n)
    memcpy (state, get_copy (checkpoints, at), checkpoints->n_floats * sizeof *state);
  else
    memset (state, 0, checkpoints->n_floats * sizeof *state);
  for (uint32_t i = 0; i < checkpoints->n; i++)
    if (checkpoints->n_tokens[i] > n_tokens)
      checkpoints->n_tokens[i] = 0;
  return at < checkpoints->n ? checkpoints->n_tokens[at] : 0;
}
