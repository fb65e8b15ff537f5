/* memory.h: asks whether memory is there before taking it, so that the kernel does not have to kill anyone.
 *
 * The weights stay in the mapped file. They are page cache, which the kernel may drop, but every token reads all of
 * them: a model whose weights do not stay in memory runs at the disk's speed. So weights and session are counted
 * together against what can be resident, and the session alone against the address space that is left. */
#ifndef LECTERN_MEMORY_H
#define LECTERN_MEMORY_H

#include "engine/engine.h"

struct memory_limits {
  uint64_t resident_bytes; /* free, or taken by page cache that can be dropped; the least of machine and control groups */
  uint64_t address_bytes;  /* RLIMIT_AS less what is mapped; UINT64_MAX: no limit */
};

/* As things are now. `root` is put before /proc and /sys: "", or a test's folder. */
struct memory_limits memory_read_limits (const char *root);

/* NO_MEMORY, with the numbers and what to choose instead, unless `session_bytes` fit beside the model's weights. `what`
 * starts the sentence ("A session of 4096 tokens"). With context_tokens, the size of a context that would fit is
 * suggested, for sessions `scale` times as large as engine_model_get_session_bytes() says; 0: none. */
int memory_check (const struct memory_limits *limits, const struct engine_model *model, const char *what,
                  uint64_t session_bytes, uint32_t context_tokens, uint32_t scale, struct engine_error *error);

#endif
