/* merger.h: the greedy pair merging that SentencePiece BPE and byte-level BPE share.
 *
 * A word is a list of symbols; the adjacent pair of lowest priority number is merged first, the leftmost of equals.
 * A heap of candidate pairs makes it n log n (Sennrich et al. 2016, as in SentencePiece's bpe_model.cc). */
#ifndef LECTERN_TOKENIZER_MERGER_H
#define LECTERN_TOKENIZER_MERGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merger_symbol {
  const char *bytes;
  uint32_t length;        /* 0: merged into its left neighbour */
  int32_t id;             /* -1: no token has this text */
  int32_t previous, next; /* -1: none */
};

struct merger_candidate;

/* Looks up the pair: true and the merged token with its priority (lower first) if the two may be merged. */
typedef bool (*merger_find_func) (const void *context, const struct merger_symbol *left,
                                  const struct merger_symbol *right, uint32_t *priority, int32_t *id);

/* Start from {0}; buffers are kept from word to word. */
struct merger {
  struct merger_symbol *symbols;
  size_t n_symbols, symbols_capacity;
  struct merger_candidate *heap;
  size_t n_heap, heap_capacity;
};

void merger_release (struct merger *merger);
void merger_start (struct merger *merger);
bool merger_append (struct merger *merger, const char *bytes, uint32_t length, int32_t id); /* false: out of memory */
/* Afterwards the symbols with length > 0 are the result, in order. False: out of memory. */
bool merger_run (struct merger *merger, merger_find_func find, const void *context);

#endif
