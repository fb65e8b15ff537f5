/* detokenize.h: tokens to text. */
#ifndef LECTERN_TOKENIZER_DETOKENIZE_H
#define LECTERN_TOKENIZER_DETOKENIZE_H

#include "engine/tokenizer/tokenizer.h"

/* Which spaces of pieces are the encoder's: those at the start of the text and after special tokens. */
struct detokenizer {
  const struct tokenizer *tokenizer;
  bool with_special;
  bool drop_space; /* before the next ordinary piece */
};

void detokenizer_init (struct detokenizer *detokenizer, const struct tokenizer *tokenizer, bool with_special);
/* The bytes that `id` adds to the text: borrowed from the tokenizer. */
const char *detokenizer_next (struct detokenizer *detokenizer, int32_t id, size_t *length);

/* engine_detokenize() over a tokenizer: malloc'ed text, *length may be NULL. */
int tokenizer_decode (const struct tokenizer *tokenizer, const int32_t *ids, size_t n_ids, bool with_special,
                      char **text, size_t *length, struct engine_error *error);

#endif
