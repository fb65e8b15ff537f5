#include "engine/speculation/drafter.h"

/* One token that was there before says little of the next. While drafts are mostly wrong, longer ends are asked for. */
enum { MATCH_MIN = 2, MATCH_MIN_DISTRUST = 5 };
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

uint32_t drafter_draft (const struct drafter *drafter, int32_t *ids, uint32_t most)
{
  const struct suffix_automaton *text = &drafter->text;
  uint32_t end = 0;
  const uint32_t match = suffix_automaton_match (text, &end);
  if (match < (drafter->trust < distrust_below ? MATCH_MIN_DISTRUST : MATCH_MIN))
    return 0;
  const uint32_t trusted = 1 + (uint32_t)(drafter->trust * (float)(DRAFT_TOKENS_MAX + 1));
  uint32_t n = match < trusted ? match : trusted;
  n = n < most ? n : most;
  for (uint32_t i = 0; i < n; i++) /* a guess that reaches the text's end goes round with itself */
    ids[i] = end + i < text->n_ids ? text->ids[end + i] : ids[end + i - text->n_ids];
  return n;
}

void drafter_learn (struct drafter *drafter, uint32_t n_drafted, uint32_t n_right)
{
  drafter->trust += learning_rate * ((float)n_right / (float)n_drafted - drafter->trust);
}
