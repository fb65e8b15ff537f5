/* sampler.h: what tests look at between a sampler's chain and its draw. */
#ifndef LECTERN_SAMPLER_H
#define LECTERN_SAMPLER_H

#include "engine/engine.h"
#include "engine/sampling/candidates.h"

/* Runs the chain on the logits: the candidates that are left, with the probabilities that the draw uses (at
 * temperature 0 they are not set). Borrowed until the next call. */
const struct candidates *sampler_select (struct engine_sampler *sampler, const float *logits);

#endif
