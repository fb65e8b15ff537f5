/* tokens.h: growing struct engine_tokens. */
#ifndef LECTERN_TOKENIZER_TOKENS_H
#define LECTERN_TOKENIZER_TOKENS_H

#include "engine/engine.h"

/* False, and the list unchanged, when out of memory. */
bool engine_tokens_append (struct engine_tokens *tokens, int32_t id);

#endif
