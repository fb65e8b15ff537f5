#include "engine/speculation/drafter.h"

/* While drafts are mostly wrong, only longer ends are believed. */
enum { MATCH_MIN_DISTRUST = 3 };
static const float trust_at_first = 0.5f, distrust_below = 0.25f, learning_rate = 0.25f;

bool drafter_init (struct drafter *drafter, uint32_t capacity)
{
  drafter->trust = trust_at_first;
  return suffix_automaton_init (&drafter->text, capacity);
}

void drafter_release (struct drafter *drafter)
{
  suffix_automaton_release (&drafter->text);
}

void drafter_append (struct drafter *drafter, int32_t id)
{
  if (!suffix_automaton_append (&drafter->text, id))
    drafter->text.last = 0; /* the end of the text is unknown: it matches nothing */
}

/* How many tokens to guess after an end of `match` tokens that was there before. One token says little of the next, more say
 * more: each guess that is right doubles what is guessed then. */
static uint32_t choose_length (const struct drafter *drafter, uint32_t match)
{
  if (drafter->trust < distrust_below)
    return match < MATCH_MIN_DISTRUST ? 0 : match;
  return match < 2 ? match : 2 * match;
}

uint32_t drafter_draft (const struct drafter *drafter, int32_t *ids, uint32_t most)
{
  const struct suffix_automaton *text = &drafter->text;
  uint32_t end = 0;
  uint32_t n = choose_length (drafter, suffix_automaton_match (text, &end));
  n = n < most ? n : most;
  for (uint32_t i = 0; i < n; i++) /* a guess that reaches the text's end goes round with itself */
    ids[i] = end + i < text->n_ids ? text->ids[end + i] : ids[end + i - text->n_ids];
  return n;
}

void drafter_learn (struct drafter *drafter, uint32_t n_drafted, uint32_t n_right)
{
  drafter->trust += learning_rate * ((float)n_right / (float)n_drafted - drafter->trust);
}
