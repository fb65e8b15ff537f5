/* no_memory.h: the one way in which most of this folder can fail. */
#ifndef LECTERN_TOKENIZER_NO_MEMORY_H
#define LECTERN_TOKENIZER_NO_MEMORY_H

#include "engine/error.h"

/* Fills *error (which may be NULL) and returns NO_MEMORY. */
static inline int tokenizer_no_memory (struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                           "There is not enough memory for the tokens; close other programs.");
}

#endif
