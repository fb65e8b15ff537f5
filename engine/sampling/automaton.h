/* automaton.h: runs a grammar's program over bytes.
 *
 * A state is the set of places where the text may stand in the grammar. A place is an instruction and the stack node to
 * go back to at the end of its rule. A node stands for a call and holds all the places that wait for it, so that readings
 * share what they have in common (a graph-structured stack, as in generalised parsing: Tomita 1987; Scott and Johnstone
 * 2010). States and nodes are kept once each, and the step from a state by a byte is worked out once and then looked up,
 * as in a lazily built DFA. All memory is allocated when the automaton is made; where it is full, what the caller does not
 * hold on to is dropped. A step that needs more than the limits counts as dead: that forbids a text, it never allows
 * one. */
#ifndef LECTERN_AUTOMATON_H
#define LECTERN_AUTOMATON_H

#include "engine/sampling/grammar_program.h"

#define AUTOMATON_START 0 /* the state before any text */
#define AUTOMATON_DEAD (-1)
#define AUTOMATON_UNKNOWN (-2)

struct automaton_limits {
  uint32_t n_states, n_places, n_nodes, n_edges; /* kept, in all */
  uint32_t n_parallel;                           /* places looked at in one step, a power of two */
  uint32_t n_work;                               /* places looked at between two calls of automaton_relax() */
};
extern const struct automaton_limits automaton_default_limits;

/* Instruction and node: where the text stands, or where a call goes back to. */
struct automaton_place {
  uint32_t at, node;
};

struct automaton_state {
  uint32_t first_place, n_places;
  bool accepts; /* the text may end here */
};

/* Its edges are the places to go back to. */
struct automaton_node {
  uint32_t first_edge, n_edges;
};

/* What waits for a call that the step under way makes. */
struct automaton_wait {
  struct automaton_place edge;
  uint32_t next; /* index + 1 */
};

struct automaton_mark {
  struct automaton_place place;
  uint32_t stamp;
};

struct automaton {
  const struct grammar_program *program;
  struct automaton_limits limits;
  uint8_t classes[256]; /* bytes that no instruction tells apart are one class */
  uint32_t n_classes;
  struct automaton_state *states;
  struct automaton_place *places;
  int32_t *steps; /* [n_states][n_classes] the next state, DEAD or UNKNOWN */
  struct automaton_node *nodes;
  struct automaton_place *edges;
  uint32_t n_states, n_places, n_nodes, n_edges;
  uint32_t *state_table, *node_table, state_mask, node_mask; /* hash tables of index + 1 */
  uint32_t generation;                                       /* changes when states are renumbered */
  bool is_saturated; /* dropping made too little room: not tried again until automaton_relax() */
  bool is_full;      /* the step under way found no room to keep what it made */
  bool is_beyond;    /* it went beyond n_parallel or n_work */
  uint32_t work_left;
  /* Of the step under way. */
  struct automaton_place *visited; /* [n_parallel] */
  uint32_t n_visited;
  struct automaton_mark *marks;    /* [2 * n_parallel] hash table of the visited */
  uint32_t stamp;                  /* of the marks that count */
  struct automaton_wait *waits;    /* [4 * n_parallel] edges of the nodes to be made */
  uint32_t n_waits, *first_waits;  /* [n_rules] index + 1 */
  struct automaton_place *scratch; /* [4 * n_parallel] */
  bool accepts;
  uint32_t *kept; /* marks and new numbers while dropping */
};

/* RANGE if even the beginning of the grammar is beyond the limits. The program must outlive the automaton. */
int automaton_init (struct automaton *automaton, const struct grammar_program *program,
                    const struct automaton_limits *limits, struct engine_error *error);
void automaton_release (struct automaton *automaton);

/* The state after `byte`, or DEAD. held[0, n_held), n_held >= 1, are the states that the caller will use again; the step
 * is made from the last of them. They may be renumbered. */
int32_t automaton_step_slowly (struct automaton *automaton, int32_t *held, size_t n_held, uint8_t byte);

static inline int32_t automaton_step (struct automaton *automaton, int32_t *held, size_t n_held, uint8_t byte)
{
  int32_t next = automaton->steps[(size_t)held[n_held - 1] * automaton->n_classes + automaton->classes[byte]];
  return next == AUTOMATON_UNKNOWN ? automaton_step_slowly (automaton, held, n_held, byte) : next;
}

static inline bool automaton_accepts (const struct automaton *automaton, int32_t state)
{
  return automaton->states[state].accepts;
}

/* Before a batch of steps, whose work in all is bounded by limits.n_work: steps beyond it are dead. */
static inline void automaton_relax (struct automaton *automaton)
{
  automaton->is_saturated = false;
  automaton->work_left = automaton->limits.n_work;
}

#endif
