/* token_trie.h: the texts of a vocabulary as a tree of bytes, so that a grammar walks what many tokens begin with once.
 *
 * Nodes lie in the order of a depth-first walk: going on is the next node, giving up a branch is a jump to `skip`. */
#ifndef LECTERN_TOKEN_TRIE_H
#define LECTERN_TOKEN_TRIE_H

#include "engine/engine.h"
#include "engine/tokenizer/tokenizer.h"

#define TOKEN_TRIE_MAX_DEPTH 1024 /* bytes of a token; longer ones are left out */

struct token_trie_node {
  uint32_t skip;        /* the node after this branch */
  uint32_t first_token; /* in `ids`: the tokens that end here, up to those of the next node */
  uint16_t depth;       /* from 1 */
  uint8_t byte;
};

struct engine_token_trie {
  const struct tokenizer *tokenizer;
  uint32_t n_vocab;
  bool drops_first_space;
  struct token_trie_node *nodes; /* [n_nodes + 1]; the last is a sentinel */
  uint32_t n_nodes, max_depth;
  int32_t *ids;
  int32_t *ends; /* tokens that end the text */
  uint32_t n_ends;
};

/* NO_MEMORY is the only error. The tokenizer must outlive the trie. Tokens without text (control tokens) are not in
 * it. */
int token_trie_new (const struct tokenizer *tokenizer, struct engine_token_trie **trie, struct engine_error *error);

/* The bytes that a token adds to the text; length 0 for those that are not in the trie. */
const char *token_trie_get_bytes (const struct engine_token_trie *trie, int32_t id, size_t *length);

#endif
