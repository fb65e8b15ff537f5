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

void checkpoints_save (struct checkpoints *checkpoints, const float *state, uint32_t n_tokens)
{
  if (checkpoints->n_floats == 0 || n_tokens == 0)
    return;
  for (uint32_t i = 0; i < checkpoints->n; i++)
    if (checkpoints->n_tokens[i] == n_tokens)
      return;
  const uint32_t at = checkpoints->next;
  memcpy (checkpoints->copies + at * checkpoints->n_floats, state, checkpoints->n_floats * sizeof *state);
  checkpoints->n_tokens[at] = n_tokens;
  checkpoints->next = (at + 1) % checkpoints->n;
}

uint32_t checkpoints_restore (struct checkpoints *checkpoints, float *state, uint32_t n_tokens)
{
  if (checkpoints->n_floats == 0)
    return n_tokens;
  uint32_t best = 0, best_tokens = 0;
  for (uint32_t i = 0; i < checkpoints->n; i++) {
    if (checkpoints->n_tokens[i] > n_tokens)
      checkpoints->n_tokens[i] = 0;
    if (checkpoints->n_tokens[i] > best_tokens) {
      best = i;
      best_tokens = checkpoints->n_tokens[i];
    }
  }
  if (best_tokens > 0)
    memcpy (state, checkpoints->copies + best * checkpoints->n_floats, checkpoints->n_floats * sizeof *state);
  else
    memset (state, 0, checkpoints->n_floats * sizeof *state);
  return best_tokens;
}
