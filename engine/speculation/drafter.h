/* drafter.h: guesses how a text goes on, from what is in it already: an answer that quotes its passages repeats them word
 * for word. */
#ifndef LECTERN_DRAFTER_H
#define LECTERN_DRAFTER_H

#include "engine/speculation/suffix_automaton.h"

#define DRAFT_TOKENS_MAX 7 /* with the token before them, a batch of eight */

struct drafter {
  struct suffix_automaton text;
  float trust; /* share of the last drafts that was right, the latest counting most */
};

/* Room for a text of `capacity` tokens, as suffix_automaton_init(). */
bool drafter_init (struct drafter *drafter, uint32_t capacity);
void drafter_release (struct drafter *drafter);

/* The text goes on with `id`. Past the capacity nothing is drafted any more. */
void drafter_append (struct drafter *drafter, int32_t id);

/* Fills ids[most] with a guess of the next tokens, most <= DRAFT_TOKENS_MAX, and returns how many: the longer the end of
 * the text that was there before, the more. 0: there is none, or a short one while the last guesses were mostly wrong. */
uint32_t drafter_draft (const struct drafter *drafter, int32_t *ids, uint32_t most);

/* Of the last draft, n_drafted >= 1 tokens, the first n_right came true. */
void drafter_learn (struct drafter *drafter, uint32_t n_drafted, uint32_t n_right);

#endif
