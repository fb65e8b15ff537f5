/* tokenizer_error.h: failing in one statement. */
#ifndef LECTERN_TOKENIZER_ERROR_H
#define LECTERN_TOKENIZER_ERROR_H

#include <stdarg.h>
#include <stdio.h>

#include "engine/engine.h"

/* Fills *error (which may be NULL) and returns `status`. */
__attribute__ ((format (printf, 3, 4))) static inline int tokenizer_error (struct engine_error *error, int status,
                                                                           const char *format, ...) {
  if (error) {
    va_list arguments;
    va_start (arguments, format);
    error->status = status;
    vsnprintf (error->message, sizeof error->message, format, arguments);
    va_end (arguments);
  }
  return status;
}

static inline int tokenizer_error_no_memory (struct engine_error *error) {
  return tokenizer_error (error, ENGINE_ERROR_NO_MEMORY, "There is not enough memory for the tokens; close other programs.");
}

#endif
