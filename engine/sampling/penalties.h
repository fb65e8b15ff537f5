/* penalties.h: making tokens less likely that were said lately. */
#ifndef LECTERN_PENALTIES_H
#define LECTERN_PENALTIES_H

#include "engine/engine.h"
#include "engine/sampling/candidates.h"

struct penalties {
  float repeat, frequency, presence;
  int32_t *window; /* the last tokens, a ring; NULL: no penalties */
  uint32_t capacity, n, next;
  int32_t *counts; /* [n_vocab] how often each is in the window */
};

/* RANGE for options that make no sense; leaves penalties->window NULL when the options ask for none. */
int penalties_init (struct penalties *penalties, const struct engine_sampler_options *options, uint32_t n_vocab,
                    struct engine_error *error);
void penalties_release (struct penalties *penalties);

void penalties_accept (struct penalties *penalties, int32_t id);
void penalties_restart (struct penalties *penalties);

/* all[id] is the candidate of each id of the vocabulary. A logit above 0 is divided by the repetition penalty, another
 * is multiplied by it (CTRL, arXiv 1909.05858); then count * frequency + presence is taken away. */
void penalties_apply (struct penalties *penalties, struct candidate *all);

#endif
