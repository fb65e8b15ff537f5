#include "engine/speculation/suffix_automaton.h"
#include <stdlib.h>

#define NONE UINT32_MAX

/* ---- edges ----------------------------------------------------------------------------------------------- */

static uint32_t hash (uint32_t state, int32_t id)
{
  uint64_t x = ((uint64_t)state << 32 | (uint32_t)id) * UINT64_C (0x9e3779b97f4a7c15);
  return (uint32_t)(x >> 32);
}

/* The place of an edge in the table, or the free one where it would be. */
static uint32_t *find_place (const struct suffix_automaton *automaton, uint32_t state, int32_t id)
{
  for (uint32_t i = hash (state, id);; i++) {
    uint32_t *place = &automaton->table[i & automaton->table_mask];
    if (*place == 0)
      return place;
    const struct suffix_edge *edge = &automaton->edges[*place - 1];
    if (edge->from == state && edge->id == id)
      return place;
  }
}

static struct suffix_edge *find_edge (const struct suffix_automaton *automaton, uint32_t state, int32_t id)
{
  const uint32_t place = *find_place (automaton, state, id);
  return place ? &automaton->edges[place - 1] : NULL;
}

static void add_edge (struct suffix_automaton *automaton, uint32_t from, int32_t id, uint32_t to)
{
  struct suffix_state *state = &automaton->states[from];
  *find_place (automaton, from, id) = automaton->n_edges + 1;
  automaton->edges[automaton->n_edges] = (struct suffix_edge){ id, from, to, state->edges };
  state->edges = automaton->n_edges++;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

bool suffix_automaton_init (struct suffix_automaton *automaton, uint32_t capacity)
{
  size_t n_table = 8;
  while (n_table < (size_t)capacity * 4)
    n_table *= 2;
  *automaton = (struct suffix_automaton){
    .ids = calloc (capacity, sizeof *automaton->ids),
    .capacity = capacity,
    .states = calloc ((size_t)capacity * 2 + 1, sizeof *automaton->states),
    .edges = calloc ((size_t)capacity * 3, sizeof *automaton->edges),
    .table = calloc (n_table, sizeof *automaton->table),
    .n_states = 1,
    .table_mask = (uint32_t)(n_table - 1),
  };
  if (!automaton->ids || !automaton->states || !automaton->edges || !automaton->table) {
    suffix_automaton_release (automaton);
    return false;
  }
  automaton->states[0] = (struct suffix_state){ .link = NONE, .edges = NONE };
  return true;
}

void suffix_automaton_release (struct suffix_automaton *automaton)
{
  free (automaton->ids);
  free (automaton->states);
  free (automaton->edges);
  free (automaton->table);
  *automaton = (struct suffix_automaton){ 0 };
}

/* ---- growth ---------------------------------------------------------------------------------------------- */

static uint32_t add_state (struct suffix_automaton *automaton, uint32_t length, uint32_t link, uint32_t end)
{
  automaton->states[automaton->n_states] = (struct suffix_state){ length, link, end, NONE };
  return automaton->n_states++;
}

/* Splits from state `whole` its substrings of at most `length` tokens, which from now on also end elsewhere, and lets
 * `state` and its ends lead to them. */
static uint32_t split (struct suffix_automaton *automaton, uint32_t whole, uint32_t length, uint32_t state, int32_t id)
{
  struct suffix_state *states = automaton->states;
  const uint32_t part = add_state (automaton, length, states[whole].link, states[whole].end);
  for (uint32_t i = states[whole].edges; i != NONE; i = automaton->edges[i].next)
    add_edge (automaton, part, automaton->edges[i].id, automaton->edges[i].to);
  states[whole].link = part;
  for (; state != NONE; state = states[state].link) {
    struct suffix_edge *edge = find_edge (automaton, state, id);
    if (!edge || edge->to != whole)
      break;
    edge->to = part;
  }
  return part;
}

bool suffix_automaton_append (struct suffix_automaton *automaton, int32_t id)
{
  if (automaton->n_ids == automaton->capacity)
    return false;
  struct suffix_state *states = automaton->states;
  automaton->ids[automaton->n_ids++] = id;
  const uint32_t next = add_state (automaton, automaton->n_ids, 0, automaton->n_ids);
  uint32_t state = automaton->last;
  const struct suffix_edge *edge = NULL;
  for (; state != NONE && !(edge = find_edge (automaton, state, id)); state = states[state].link)
    add_edge (automaton, state, id, next);
  if (edge) {
    const uint32_t to = edge->to, length = states[state].length + 1;
    states[next].link = states[to].length == length ? to : split (automaton, to, length, state, id);
  }
  automaton->last = next;
  return true;
}

uint32_t suffix_automaton_match (const struct suffix_automaton *automaton, uint32_t *end)
{
  const uint32_t link = automaton->states[automaton->last].link;
  if (link == NONE || link == 0)
    return 0;
  *end = automaton->states[link].end;
  return automaton->states[link].length;
}
