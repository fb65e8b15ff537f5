/* checkpoints.h: recurrent state at some earlier lengths of a sequence.
 *
 * A KV cache can be cut anywhere; the state of a convolution or state-space layer only goes forward. So copies of it are
 * kept, a few, and going back to n tokens means going to the longest copy of at most n and evaluating from there. When
 * there is no room, the copy goes whose neighbours are closest to each other: what stays is spread over the sequence, so
 * that a prompt's beginning can be gone back to as well as its end. */
#ifndef LECTERN_CHECKPOINTS_H
#define LECTERN_CHECKPOINTS_H

#include "engine/model/arena.h"
#include <stdbool.h>

#define CHECKPOINTS_MAX 8

struct checkpoints {
  uint64_t n_floats;                  /* of one state; 0: the model has none and every length can be gone back to */
  uint32_t n;                         /* copies that there is room for */
  float *copies;                      /* [n][n_floats] */
  uint32_t n_tokens[CHECKPOINTS_MAX]; /* of each copy; 0: empty */
};

/* Takes room from the arena; with a counting arena only its size comes out. */
struct checkpoints checkpoints_take (uint64_t n_floats, struct arena *arena);

/* Remembers the state after n_tokens, of which there are more than any copy has. */
void checkpoints_save (struct checkpoints *checkpoints, const float *state, uint32_t n_tokens);

/* The longest length of at most n_tokens that can be gone back to. */
uint32_t checkpoints_find (const struct checkpoints *checkpoints, uint32_t n_tokens);

/* The copy of exactly n_tokens; NULL: there is none. */
float *checkpoints_get (const struct checkpoints *checkpoints, uint32_t n_tokens);

/* Lets `state` be that of checkpoints_find(), which is returned; copies of more than n_tokens are forgotten, as the tokens
 * may change. */
uint32_t checkpoints_restore (struct checkpoints *checkpoints, float *state, uint32_t n_tokens);

#endif
