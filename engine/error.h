/* error.h: how the files of engine/ fill the caller's struct engine_error. */
#ifndef LECTERN_ERROR_H
#define LECTERN_ERROR_H

#include "engine/engine.h"

/* Fills `error` (may be NULL) with the status and one formatted sentence, and returns the status. */
__attribute__ ((format (printf, 3, 4))) int engine_error_set (struct engine_error *error, enum engine_status status,
                                                              const char *format, ...);

#endif
