/* trie.h: the tokens that begin at a place of a text, by a trie.
 *
 * Nodes lie in the order of breadth, so that the children of one lie together, sorted by byte. There is at most one
 * node per byte of the tokens. */
#ifndef LECTERN_TOKENIZER_TRIE_H
#define LECTERN_TOKENIZER_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer strings are left out: the cost of a search stays bounded whatever the vocabulary holds. */
#define TRIE_MAX_BYTES 256

struct trie_entry {
  const char *bytes;
  uint32_t length;
  int32_t id;
};

struct trie_node {
  uint32_t first_child;
  int32_t id; /* -1: nothing ends here */
  uint16_t n_children;
  uint8_t byte; /* that leads here */
};

/* Node 0 is the root. */
struct trie {
  struct trie_node *nodes;
  uint32_t n_nodes;
};

/* Sorts entries[0, n), which are not needed afterwards. Of equal strings the one of the highest id counts. False when
 * out of memory. */
bool trie_init (struct trie *trie, struct trie_entry *entries, size_t n);
void trie_release (struct trie *trie);

/* The child of a node that `byte` leads to; 0: none. */
uint32_t trie_step (const struct trie *trie, uint32_t node, uint8_t byte);

#endif
