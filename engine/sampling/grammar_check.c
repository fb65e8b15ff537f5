/* grammar_check.c: what must hold of a grammar before it runs: no rule begins with itself (the automaton would descend
 * for ever) and every rule can end (or generation would). */
#include "engine/sampling/grammar_program.h"

#include "engine/error.h"
#include <stdlib.h>
#include <string.h>

enum { UNSEEN, OPEN, DONE };

struct checker {
  struct grammar_program *program;
  uint32_t *stack, *seen, stamp; /* [n_code] each */
  bool *can_end;                 /* [n_rules] */
  uint64_t *begins;              /* [n_rules][n_words] bits: rules that a rule can begin with */
  size_t n_words;
  uint8_t *marks; /* [n_rules] */
  uint32_t n_ordered;
};

static void visit (struct checker *checker, uint32_t at, uint32_t *n)
{
  if (checker->seen[at] == checker->stamp)
    return;
  checker->seen[at] = checker->stamp;
  checker->stack[(*n)++] = at;
}

/* Whether the end of `rule` can be reached, reading only what is empty or (with `over_bytes`) anything that can end.
 * `begins`, where given, collects the rules that are called before anything is read. */
static bool reaches_end (struct checker *checker, uint32_t rule, bool over_bytes, uint64_t *begins)
{
  const struct grammar_program *program = checker->program;
  uint32_t n = 0;
  bool reached = false;
  checker->stamp++;
  visit (checker, program->rules[rule].start, &n);
  while (n > 0) {
    uint32_t at = checker->stack[--n];
    const struct grammar_instruction *code = &program->code[at];
    switch (code->op) {
    case GRAMMAR_BYTE:
      if (over_bytes)
        visit (checker, at + 1, &n);
      break;
    case GRAMMAR_SPLIT:
      visit (checker, at + (uint32_t)code->target[1], &n);
      visit (checker, at + (uint32_t)code->target[0], &n);
      break;
    case GRAMMAR_JUMP: visit (checker, at + (uint32_t)code->target[0], &n); break;
    case GRAMMAR_CALL:
      if (begins)
        begins[code->rule / 64] |= UINT64_C (1) << (code->rule % 64);
      if (over_bytes ? checker->can_end[code->rule] : program->rules[code->rule].is_nullable)
        visit (checker, at + 1, &n);
      break;
    default: reached = true;
    }
  }
  return reached;
}

/* What is true of a rule may make it true of its callers: until nothing changes. Definitions mostly come after their
 * use, so backwards is quick. */
static void find_ends (struct checker *checker)
{
  struct grammar_program *program = checker->program;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = program->n_rules; i-- > 0;) {
      struct grammar_rule *rule = &program->rules[i];
      if (!rule->is_nullable && reaches_end (checker, i, false, NULL))
        changed = rule->is_nullable = true;
      if (!checker->can_end[i] && reaches_end (checker, i, true, NULL))
        changed = checker->can_end[i] = true;
    }
  }
}

static int order_rule (struct checker *checker, uint32_t rule, struct engine_error *error)
{
  struct grammar_program *program = checker->program;
  const struct grammar_rule *named = &program->rules[rule];
  if (checker->marks[rule] == DONE)
    return ENGINE_OK;
  if (checker->marks[rule] == OPEN)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "The rule %.*s of the grammar can begin with itself (left recursion): put what repeats "
                             "behind something else, or use * or +.",
                             (int)(named->length < 80 ? named->length : 80), named->name);
  checker->marks[rule] = OPEN;
  for (uint32_t next = 0; next < program->n_rules; next++) {
    if (!(checker->begins[rule * checker->n_words + next / 64] >> (next % 64) & 1))
      continue;
    int status = order_rule (checker, next, error);
    if (status != ENGINE_OK)
      return status;
  }
  checker->marks[rule] = DONE;
  program->order[program->n_rules - ++checker->n_ordered] = rule;
  return ENGINE_OK;
}

static int check_rules (struct checker *checker, struct engine_error *error)
{
  struct grammar_program *program = checker->program;
  int status = ENGINE_OK;
  find_ends (checker);
  for (uint32_t i = 0; i < program->n_rules; i++)
    reaches_end (checker, i, false, checker->begins + i * checker->n_words);
  for (uint32_t i = 0; i < program->n_rules && status == ENGINE_OK; i++)
    status = order_rule (checker, i, error);
  for (uint32_t i = 0; i < program->n_rules && status == ENGINE_OK; i++) {
    const struct grammar_rule *rule = &program->rules[i];
    if (!checker->can_end[i])
      status = engine_error_set (error, ENGINE_ERROR_RANGE,
                                 "The rule %.*s of the grammar never ends: give it an alternative without itself.",
                                 (int)(rule->length < 80 ? rule->length : 80), rule->name);
  }
  return status;
}

int grammar_program_check (struct grammar_program *program, struct engine_error *error)
{
  size_t n = program->n_rules;
  struct checker checker = { .program = program, .n_words = (n + 63) / 64 };
  checker.stack = malloc (program->n_code * sizeof *checker.stack);
  checker.seen = calloc (program->n_code, sizeof *checker.seen);
  checker.can_end = calloc (n, sizeof *checker.can_end);
  checker.begins = calloc (n * checker.n_words, sizeof *checker.begins);
  checker.marks = calloc (n, sizeof *checker.marks);
  program->order = malloc (n * sizeof *program->order);
  int status;
  if (checker.stack && checker.seen && checker.can_end && checker.begins && checker.marks && program->order)
    status = check_rules (&checker, error);
  else
    status = engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
  free (checker.stack);
  free (checker.seen);
  free (checker.can_end);
  free (checker.begins);
  free (checker.marks);
  return status;
}
