#include "engine/sampling/penalties.h"

#include "engine/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WINDOW 64
#define MAX_WINDOW (1u << 20)

int penalties_init (struct penalties *penalties, const struct engine_sampler_options *options, uint32_t n_vocab,
                    struct engine_error *error)
{
  *penalties = (struct penalties){ .repeat = options->repeat_penalty > 0 ? options->repeat_penalty : 1,
                                   .frequency = options->frequency_penalty,
                                   .presence = options->presence_penalty };
  if (!(options->repeat_penalty >= 0 && options->repeat_penalty <= 100))
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The repetition penalty, %g, is not between 0 and 100.",
                             (double)options->repeat_penalty);
  if (!(fabsf (penalties->frequency) <= 100))
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The frequency penalty, %g, is not between -100 and 100.",
                             (double)penalties->frequency);
  if (!(fabsf (penalties->presence) <= 100))
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The presence penalty, %g, is not between -100 and 100.",
                             (double)penalties->presence);
  if (options->penalty_window > MAX_WINDOW)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A window of %u tokens for penalties is above %u.",
                             options->penalty_window, MAX_WINDOW);
  if (penalties->repeat == 1 && penalties->frequency == 0 && penalties->presence == 0)
    return ENGINE_OK;
  penalties->capacity = options->penalty_window ? options->penalty_window : DEFAULT_WINDOW;
  penalties->window = calloc (penalties->capacity, sizeof *penalties->window);
  penalties->counts = calloc (n_vocab, sizeof *penalties->counts);
  if (penalties->window && penalties->counts)
    return ENGINE_OK;
  penalties_release (penalties);
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a sampler.");
}

void penalties_release (struct penalties *penalties)
{
  free (penalties->window);
  free (penalties->counts);
  penalties->window = penalties->counts = NULL;
}

void penalties_accept (struct penalties *penalties, int32_t id)
{
  if (!penalties->window)
    return;
  if (penalties->n == penalties->capacity)
    penalties->counts[penalties->window[penalties->next]]--;
  else
    penalties->n++;
  penalties->window[penalties->next] = id;
  penalties->counts[id]++;
  penalties->next = (penalties->next + 1) % penalties->capacity;
}

void penalties_restart (struct penalties *penalties)
{
  for (uint32_t i = 0; i < penalties->n; i++)
    penalties->counts[penalties->window[i]] = 0;
  penalties->n = penalties->next = 0;
}

void penalties_apply (struct penalties *penalties, struct candidate *all)
{
  for (uint32_t i = 0; i < penalties->n; i++) {
    int32_t id = penalties->window[i], count = penalties->counts[id];
    if (count < 0)
      continue; /* done: its count is negative until the end */
    float *logit = &all[id].logit;
    *logit = *logit <= 0 ? *logit * penalties->repeat : *logit / penalties->repeat;
    *logit -= (float)count * penalties->frequency + penalties->presence;
    penalties->counts[id] = -count;
  }
  for (uint32_t i = 0; i < penalties->n; i++)
    penalties->counts[penalties->window[i]] = abs (penalties->counts[penalties->window[i]]);
}
