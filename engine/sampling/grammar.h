/* grammar.h: a grammar at work: which tokens may come next. */
#ifndef LECTERN_GRAMMAR_H
#define LECTERN_GRAMMAR_H

#include "engine/engine.h"

/* The text is empty again. */
void grammar_restart (struct engine_grammar *grammar);
/* Appends a token. One that the grammar does not allow leaves nothing allowed. */
void grammar_accept (struct engine_grammar *grammar, int32_t id);
/* A bit per token of the tokenizer, set where it may come next; borrowed until the next call. */
const uint64_t *grammar_get_mask (struct engine_grammar *grammar);
uint32_t grammar_get_n_vocab (const struct engine_grammar *grammar);
/* The first token that ends a text; -1 if the vocabulary has none. */
int32_t grammar_get_end (const struct engine_grammar *grammar);

#endif
