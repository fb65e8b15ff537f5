/* suffix_automaton.h: the longest end of a text that was there before, at every moment of its growth.
 *
 * The smallest automaton that recognises all substrings of a text (Blumer et al., "The smallest automaton recognizing the
 * subwords of a text", Theoretical Computer Science 40, 1985), built token by token: n tokens cost O(n) in all. Each
 * state stands for the substrings that end at the same places; `link` leads from it to that of the longest of their ends
 * which also ends elsewhere. So the link of the state of the whole text is the longest repeated end. */
#ifndef LECTERN_SUFFIX_AUTOMATON_H
#define LECTERN_SUFFIX_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suffix_state {
  uint32_t length; /* of its longest substring */
  uint32_t link;   /* UINT32_MAX: none (the empty text) */
  uint32_t end;    /* where its first occurrence ends: the index of the token after it */
  uint32_t edges;  /* the first of its edges; UINT32_MAX: none */
};

struct suffix_edge {
  int32_t id;
  uint32_t from, to; /* states */
  uint32_t next;     /* of the same state's edges; UINT32_MAX: none */
};

struct suffix_automaton {
  int32_t *ids; /* [capacity], of which n_ids are the text */
  uint32_t n_ids, capacity;
  struct suffix_state *states; /* [2 capacity + 1] */
  struct suffix_edge *edges;   /* [3 capacity] */
  uint32_t *table;             /* [table_mask + 1]: edges by state and token, 1 more than their index; 0: free */
  uint32_t n_states, n_edges, table_mask;
  uint32_t last; /* the state of the whole text */
};

#define SUFFIX_AUTOMATON_CAPACITY_MAX (1u << 28)

/* Room for a text of `capacity` tokens, 1 to SUFFIX_AUTOMATON_CAPACITY_MAX: about 110 bytes each, taken here. False when
 * there is no memory. */
bool suffix_automaton_init (struct suffix_automaton *automaton, uint32_t capacity);
void suffix_automaton_release (struct suffix_automaton *automaton);

/* The text grows by one token, any number. False, and nothing changes, when it is full. */
bool suffix_automaton_append (struct suffix_automaton *automaton, int32_t id);

/* How many tokens at the end of the text were there before as they are, and where their first occurrence ended: *end <
 * n_ids is the index of the token that came next then. 0: none. */
uint32_t suffix_automaton_match (const struct suffix_automaton *automaton, uint32_t *end);

#endif
