/* automaton_store.c: the states and nodes of an automaton, each kept once, and dropping those no longer needed. */
#include "engine/sampling/automaton_private.h"

#include <stdlib.h>
#include <string.h>

static int by_place (const void *a, const void *b)
{
  const struct automaton_place *x = a, *y = b;
  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->node < y->node ? -1 : x->node > y->node;
}

uint32_t automaton_sort_places (struct automaton_place *places, uint32_t n)
{
  uint32_t kept = 0;
  if (n > 16)
    qsort (places, n, sizeof *places, by_place);
  else
    for (uint32_t i = 1; i < n; i++) {
      struct automaton_place place = places[i];
      uint32_t to = i;
      for (; to > 0 && by_place (&place, &places[to - 1]) < 0; to--)
        places[to] = places[to - 1];
      places[to] = place;
    }
  for (uint32_t i = 0; i < n; i++)
    if (kept == 0 || by_place (&places[i], &places[kept - 1]) != 0)
      places[kept++] = places[i];
  return kept;
}

uint32_t automaton_hash (const struct automaton_place *places, uint32_t n)
{
  uint64_t hash = n;
  for (uint32_t i = 0; i < n; i++) {
    hash = (hash ^ ((uint64_t)places[i].at << 32 | places[i].node)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return (uint32_t)(hash ^ hash >> 32);
}

static bool are_equal (const struct automaton_place *a, const struct automaton_place *b, uint32_t n)
{
  return n == 0 || memcmp (a, b, n * sizeof *a) == 0;
}

int32_t automaton_keep_state (struct automaton *automaton, const struct automaton_place *places, uint32_t n,
                              bool accepts)
{
  uint32_t slot = automaton_hash (places, n) + accepts;
  for (;; slot++) {
    uint32_t found = automaton->state_table[slot & automaton->state_mask];
    if (found == 0)
      break;
    const struct automaton_state *state = &automaton->states[found - 1];
    if (state->n_places == n && state->accepts == accepts
        && are_equal (automaton->places + state->first_place, places, n))
      return (int32_t)found - 1;
  }
  if (automaton->n_states == automaton->limits.n_states || n > automaton->limits.n_places - automaton->n_places)
    return -1;
  uint32_t made = automaton->n_states++;
  automaton->states[made] = (struct automaton_state){ automaton->n_places, n, accepts };
  if (n > 0)
    memcpy (automaton->places + automaton->n_places, places, n * sizeof *places);
  automaton->n_places += n;
  for (uint32_t i = 0; i < automaton->n_classes; i++)
    automaton->steps[(size_t)made * automaton->n_classes + i] = AUTOMATON_UNKNOWN;
  automaton->state_table[slot & automaton->state_mask] = made + 1;
  return (int32_t)made;
}

int32_t automaton_keep_node (struct automaton *automaton, const struct automaton_place *edges, uint32_t n)
{
  uint32_t slot = automaton_hash (edges, n);
  for (;; slot++) {
    uint32_t found = automaton->node_table[slot & automaton->node_mask];
    if (found == 0)
      break;
    const struct automaton_node *node = &automaton->nodes[found - 1];
    if (node->n_edges == n && are_equal (automaton->edges + node->first_edge, edges, n))
      return (int32_t)found - 1;
  }
  if (automaton->n_nodes == automaton->limits.n_nodes || n > automaton->limits.n_edges - automaton->n_edges)
    return -1;
  uint32_t made = automaton->n_nodes++;
  automaton->nodes[made] = (struct automaton_node){ automaton->n_edges, n };
  if (n > 0)
    memcpy (automaton->edges + automaton->n_edges, edges, n * sizeof *edges);
  automaton->n_edges += n;
  automaton->node_table[slot & automaton->node_mask] = made + 1;
  return (int32_t)made;
}

static void enter (uint32_t *table, uint32_t mask, uint32_t slot, uint32_t i)
{
  while (table[slot & mask])
    slot++;
  table[slot & mask] = i + 1;
}

/* Keeps the states that are held, in their order, and renumbers `held`. */
static void drop_states (struct automaton *automaton, int32_t *held, size_t n_held)
{
  uint32_t *kept = automaton->kept, n = 0, n_places = 0;
  memset (kept, 0, automaton->n_states * sizeof *kept);
  kept[AUTOMATON_START] = 1;
  for (size_t i = 0; i < n_held; i++)
    kept[held[i]] = 1;
  for (uint32_t i = 0; i < automaton->n_states; i++) {
    struct automaton_state state = automaton->states[i];
    if (!kept[i])
      continue;
    memmove (automaton->places + n_places, automaton->places + state.first_place,
             state.n_places * sizeof *automaton->places);
    state.first_place = n_places;
    n_places += state.n_places;
    automaton->states[n] = state;
    kept[i] = n++;
  }
  for (size_t i = 0; i < n_held; i++)
    held[i] = (int32_t)kept[held[i]];
  for (size_t i = 0; i < (size_t)n * automaton->n_classes; i++)
    automaton->steps[i] = AUTOMATON_UNKNOWN;
  automaton->n_states = n;
  automaton->n_places = n_places;
}

/* Keeps the nodes that states need. They only refer to older ones: one pass down marks, one up moves. */
static void drop_nodes (struct automaton *automaton)
{
  uint32_t *kept = automaton->kept, n = 0, n_edges = 0;
  memset (kept, 0, automaton->n_nodes * sizeof *kept);
  kept[0] = 1;
  for (uint32_t i = 0; i < automaton->n_places; i++)
    kept[automaton->places[i].node] = 1;
  for (uint32_t i = automaton->n_nodes; i-- > 0;) {
    struct automaton_node node = automaton->nodes[i];
    for (uint32_t e = 0; kept[i] && e < node.n_edges; e++)
      kept[automaton->edges[node.first_edge + e].node] = 1;
  }
  for (uint32_t i = 0; i < automaton->n_nodes; i++) {
    struct automaton_node node = automaton->nodes[i];
    if (!kept[i])
      continue;
    automaton->nodes[n] = (struct automaton_node){ n_edges, node.n_edges };
    for (uint32_t e = 0; e < node.n_edges; e++) {
      struct automaton_place edge = automaton->edges[node.first_edge + e];
      automaton->edges[n_edges++] = (struct automaton_place){ edge.at, kept[edge.node] };
    }
    kept[i] = n++;
  }
  for (uint32_t i = 0; i < automaton->n_places; i++)
    automaton->places[i].node = kept[automaton->places[i].node];
  automaton->n_nodes = n;
  automaton->n_edges = n_edges;
}

void automaton_drop (struct automaton *automaton, int32_t *held, size_t n_held)
{
  drop_states (automaton, held, n_held);
  drop_nodes (automaton);
  memset (automaton->state_table, 0, (automaton->state_mask + (size_t)1) * sizeof *automaton->state_table);
  memset (automaton->node_table, 0, (automaton->node_mask + (size_t)1) * sizeof *automaton->node_table);
  for (uint32_t i = 0; i < automaton->n_states; i++) {
    const struct automaton_state *state = &automaton->states[i];
    enter (automaton->state_table, automaton->state_mask,
           automaton_hash (automaton->places + state->first_place, state->n_places) + state->accepts, i);
  }
  for (uint32_t i = 0; i < automaton->n_nodes; i++) {
    const struct automaton_node *node = &automaton->nodes[i];
    enter (automaton->node_table, automaton->node_mask,
           automaton_hash (automaton->edges + node->first_edge, node->n_edges), i);
  }
  automaton->generation++;
}
