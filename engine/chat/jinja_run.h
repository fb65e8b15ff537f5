/* jinja_run.h: the bounds of one compilation or one rendering of a template: its memory, steps, depth and way out.
 *
 * Everything that a run makes lies in one arena that is freed whole. So there is nothing to unwind, and jinja_fail()
 * leaves the run from any depth by longjmp: no function below jinja_run_protect() may own memory of another kind.
 * Templates are hostile: each limit ends the run with a sentence instead of a crash. */
#ifndef LECTERN_JINJA_RUN_H
#define LECTERN_JINJA_RUN_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

#define JINJA_MAX_DEPTH 200 /* of nested syntax, calls and values, each */

struct jinja_chunk;
struct jinja_input;

struct jinja_run {
  struct jinja_chunk *chunks;
  size_t used_bytes, limit_bytes;
  uint64_t steps_left;
  uint32_t depth;
  uint32_t line;                   /* of the template, where the run is */
  const struct jinja_input *input; /* NULL while compiling */
  jmp_buf *escape;
  int status;
  char message[400];
};

void jinja_run_init (struct jinja_run *run, size_t limit_bytes, uint64_t limit_steps);
void jinja_run_release (struct jinja_run *run);

/* Calls body (data); the status with which it ended, and *error filled unless that is ENGINE_OK. */
int jinja_run_protect (struct jinja_run *run, void (*body) (void *data), void *data, struct engine_error *error);

/* Zeroed memory for n things of `size` bytes, never NULL; freed with the run. */
void *jinja_alloc (struct jinja_run *run, size_t n, size_t size);

/* Ends the run with FORMAT and "The chat template, line N: " before the sentence. */
_Noreturn __attribute__ ((format (printf, 2, 3))) void jinja_fail (struct jinja_run *run, const char *format, ...);

/* Counts work; ends the run when there was too much. Copies and searches count one
 * step for 64 bytes, work on each character up to one
 * for each. */
void jinja_count (struct jinja_run *run, size_t steps);

/* Around each recursion. */
void jinja_enter (struct jinja_run *run);
static inline void jinja_leave (struct jinja_run *run)
{
  run->depth--;
}

#endif
