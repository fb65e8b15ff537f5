#include "engine/sampling/grammar_program.h"

#include "engine/error.h"
#include <stdlib.h>
#include <string.h>

/* Bounds the time that repetitions of repetitions take. */
#define MAX_COPIED (64ull * GRAMMAR_MAX_INSTRUCTIONS)

static int no_memory (struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
}

static int make_room (struct grammar_program *program, uint64_t n, struct engine_error *error)
{
  uint64_t wanted = program->n_code + n;
  if (wanted > GRAMMAR_MAX_INSTRUCTIONS)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "The grammar is too large: it needs more than %u steps; lower its {m,n} repetitions.",
                             GRAMMAR_MAX_INSTRUCTIONS);
  if (wanted <= program->code_capacity)
    return ENGINE_OK;
  uint64_t capacity = program->code_capacity ? program->code_capacity : 256;
  while (capacity < wanted)
    capacity *= 2;
  void *code = realloc (program->code, capacity * sizeof *program->code);
  if (!code)
    return no_memory (error);
  program->code = code;
  program->code_capacity = (uint32_t)capacity;
  return ENGINE_OK;
}

int grammar_program_emit (struct grammar_program *program, struct grammar_instruction instruction,
                          struct engine_error *error)
{
  int status = make_room (program, 1, error);
  if (status == ENGINE_OK)
    program->code[program->n_code++] = instruction;
  return status;
}

void grammar_program_release (struct grammar_program *program)
{
  free (program->code);
  free (program->rules);
  free (program->order);
  *program = (struct grammar_program){ 0 };
}

static struct grammar_instruction make_split (int64_t a, int64_t b)
{
  return (struct grammar_instruction){ .op = GRAMMAR_SPLIT, .target = { (int32_t)a, (int32_t)b } };
}

static struct grammar_instruction make_jump (int64_t by)
{
  return (struct grammar_instruction){ .op = GRAMMAR_JUMP, .target = { (int32_t)by, 0 } };
}

int grammar_program_wrap (struct grammar_program *program, uint32_t start, struct engine_error *error)
{
  int status = make_room (program, 1, error);
  if (status != ENGINE_OK)
    return status;
  uint32_t n = program->n_code - start;
  memmove (program->code + start + 1, program->code + start, n * sizeof *program->code);
  program->code[start] = make_split (1, (int64_t)n + 1);
  program->n_code++;
  return ENGINE_OK;
}

int grammar_program_repeat (struct grammar_program *program, uint32_t start, uint64_t least, uint64_t most,
                            bool endless, struct engine_error *error)
{
  uint32_t n = program->n_code - start;
  if (n == 0)
    return ENGINE_OK; /* the empty text, however often */
  uint64_t optional = endless ? 0 : most - least, total = least * n + optional * (n + 1ull) + (endless ? n + 2ull : 0);
  int status = make_room (program, total, error);
  program->n_copied += total;
  if (status == ENGINE_OK && program->n_copied > MAX_COPIED)
    status = engine_error_set (error, ENGINE_ERROR_RANGE,
                               "The grammar has too many repetitions of repetitions; write fewer.");
  struct grammar_instruction *item = status == ENGINE_OK ? malloc (n * sizeof *item) : NULL;
  if (status != ENGINE_OK || !item)
    return status != ENGINE_OK ? status : no_memory (error);
  memcpy (item, program->code + start, n * sizeof *item);
  struct grammar_instruction *to = program->code + start, *end = to + total;
  for (uint64_t i = 0; i < least; i++, to += n)
    memcpy (to, item, n * sizeof *item);
  for (uint64_t i = 0; i < optional; i++, to += n) { /* each may be the last: x{0,2} is (x (x)?)? */
    *to = make_split (1, end - to);
    to++;
    memcpy (to, item, n * sizeof *item);
  }
  if (endless) {
    *to++ = make_split (1, n + 2ll);
    memcpy (to, item, n * sizeof *item);
    to[n] = make_jump (-(n + 1ll));
  }
  program->n_code = start + (uint32_t)total;
  free (item);
  return ENGINE_OK;
}
