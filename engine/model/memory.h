/* memory.h: asks whether memory is there before taking it, so that the kernel does not have to kill anyone. */
#ifndef LECTERN_MEMORY_H
#define LECTERN_MEMORY_H

#include "engine/engine.h"

/* Bytes that can be taken now: the least of MemAvailable, the control group's limit and RLIMIT_AS. */
uint64_t memory_get_available_bytes (void);

/* NO_MEMORY, with both numbers, unless `bytes` fit; `what` starts the sentence ("A session of 4096 tokens"). */
int memory_check (const char *what, uint64_t bytes, struct engine_error *error);

#endif
