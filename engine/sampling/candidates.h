/* candidates.h: the tokens that may come next, and the samplers that cut them down.
 *
 * Each cut looks at the logits and probabilities of what the one before has left, keeps at least one candidate, and
 * prefers the lower id where two are equal. Cuts leave the candidates in any order. Nothing here allocates. */
#ifndef LECTERN_CANDIDATES_H
#define LECTERN_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

struct candidate {
  int32_t id;
  float logit;       /* finite */
  float key;         /* of the selection under way */
  float probability; /* as the last step left it */
};

/* A stretch of a larger array: cuts narrow it from either side. */
struct candidates {
  struct candidate *items;
  size_t n;
};

/* The k with the highest logits; k >= 1. */
void candidates_keep_top_k (struct candidates *candidates, size_t k);
/* Locally typical sampling (arXiv 2202.00666): those whose surprise is nearest to the entropy, until their
 * probabilities sum to more than p. */
void candidates_keep_typical (struct candidates *candidates, float p);
/* Nucleus sampling (arXiv 1904.09751): the likeliest, until their probabilities sum to at least p. */
void candidates_keep_top_p (struct candidates *candidates, float p);
/* Those with at least p times the probability of the likeliest (arXiv 2407.01082). */
void candidates_keep_min_p (struct candidates *candidates, float p);

/* Sets the probabilities at a temperature > 0; they sum to 1. */
void candidates_weigh (struct candidates *candidates, float temperature);
/* The candidate with the highest logit; NULL if there is none. */
const struct candidate *candidates_find_best (const struct candidates *candidates);

#endif
