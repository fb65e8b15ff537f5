/* tokenizer-checks.h: what tests ask of every kind of tokenizer. */
#ifndef LECTERN_TOKENIZER_CHECKS_H
#define LECTERN_TOKENIZER_CHECKS_H

#include "vocabularies.h"

/* Fails, and shows what came, unless `text` gives exactly these ids. */
void check_ids (const struct tokenizer *tokenizer, const char *text, unsigned flags, const int32_t *ids, size_t n);
#define CHECK(tokenizer, text, flags, ...)                                                                             \
  check_ids (tokenizer, text, flags, (const int32_t[]){ __VA_ARGS__ },                                                 \
             sizeof ((const int32_t[]){ __VA_ARGS__ }) / sizeof (int32_t))

/* The pair's ids, and its segments: 0 for the first n_first, then 1. */
void check_pair (const struct tokenizer *tokenizer, const char *query, const char *passage, size_t max_tokens,
                 const int32_t *ids, size_t n, size_t n_first);
#define CHECK_PAIR(tokenizer, query, passage, max_tokens, n_first, ...)                                                \
  check_pair (tokenizer, query, passage, max_tokens, (const int32_t[]){ __VA_ARGS__ },                                 \
              sizeof ((const int32_t[]){ __VA_ARGS__ }) / sizeof (int32_t), n_first)

/* Any bytes come back, whole and through a stream that stays valid UTF-8. */
void check_round_trips (const struct tokenizer *tokenizer);
/* Whatever the tokens are, a stream of them is valid UTF-8 after every token. */
void check_streams (const struct tokenizer *tokenizer);
/* A megabyte of one letter takes seconds at most even under sanitizers: nothing is quadratic. */
void check_long (const struct tokenizer *tokenizer, char letter);

#endif
