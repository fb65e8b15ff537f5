/* special.h: finding tokens that are written in the text as they stand ("<|im_end|>"), by a trie.
 *
 * The leftmost match wins, the longest of those that start at one place. User-defined tokens match in any text;
 * control tokens only where the caller reads special tokens. */
#ifndef LECTERN_TOKENIZER_SPECIAL_H
#define LECTERN_TOKENIZER_SPECIAL_H

#include "engine/tokenizer/vocabulary.h"

/* Longer tokens are never read from text: the cost of a search stays bounded whatever the vocabulary holds. */
#define SPECIAL_MAX_BYTES 256

struct special_matcher {
  struct merge_table children; /* (node, byte) to node */
  int32_t *control, *user;     /* per node: the token that ends here, or -1 */
  int32_t n_nodes;             /* node 0 is the root; 0: nothing was added */
  uint32_t starts[8];          /* bit per byte that a token starts with */
};

/* Room for tokens of n_bytes in all; false when out of memory. */
bool special_matcher_init (struct special_matcher *matcher, size_t n_bytes);
void special_matcher_release (struct special_matcher *matcher);
void special_matcher_add (struct special_matcher *matcher, const char *bytes, size_t length, int32_t id, bool control);

/* The id of the longest token at text[0, length), -1 if none; *matched is its length. Control tokens must end within
 * text[0, control_length). */
int32_t special_matcher_find (const struct special_matcher *matcher, const char *text, size_t length,
                              size_t control_length, size_t *matched);

#endif
