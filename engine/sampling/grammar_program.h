/* grammar_program.h: a grammar as a program over bytes.
 *
 * Characters are compiled to their UTF-8 bytes, so that a token may end inside a character. Each rule is one stretch of
 * instructions that ends with GRAMMAR_END; targets within it are relative. Every live position can reach the end of its
 * rule: rules that cannot are refused. */
#ifndef LECTERN_GRAMMAR_PROGRAM_H
#define LECTERN_GRAMMAR_PROGRAM_H

#include "engine/engine.h"

/* A text beyond these is refused. */
#define GRAMMAR_MAX_BYTES (1u << 18)
#define GRAMMAR_MAX_RULES 1024u
#define GRAMMAR_MAX_INSTRUCTIONS (1u << 16)
#define GRAMMAR_MAX_NESTING 100u

enum grammar_op {
  GRAMMAR_BYTE,   /* one byte in [low, high] */
  GRAMMAR_SPLIT,  /* go on at both targets */
  GRAMMAR_JUMP,   /* go on at target[0] */
  GRAMMAR_CALL,   /* the rule `rule`, then the next instruction */
  GRAMMAR_END,    /* of a rule */
  GRAMMAR_ACCEPT, /* of the text: instruction 0, which stands before all rules */
};

struct grammar_instruction {
  uint8_t op, low, high;
  union {
    int32_t target[2];
    uint32_t rule;
  };
};

struct grammar_rule {
  const char *name; /* borrowed from the text, length bytes: NULL once compiled */
  uint32_t length;
  uint32_t line;    /* where it is first named */
  uint32_t start;   /* 0: not defined yet */
  bool is_nullable; /* matches the empty text */
};

struct grammar_program {
  struct grammar_instruction *code;
  uint32_t n_code, code_capacity;
  struct grammar_rule *rules;
  uint32_t n_rules, rules_capacity;
  uint32_t root;
  uint64_t n_copied; /* instructions that repetitions have written */
  uint32_t *order;   /* [n_rules] callers before those that they can begin with */
};

/* Reads GBNF, as engine_grammar_new() describes it. RANGE with the line for what is wrong in the text. */
int grammar_program_compile (const char *text, size_t length, struct grammar_program *program,
                             struct engine_error *error);
void grammar_program_release (struct grammar_program *program);

/* Fills `order` and is_nullable; refuses rules that begin with themselves and rules that never end. */
int grammar_program_check (struct grammar_program *program, struct engine_error *error);

/* Appends one instruction. */
int grammar_program_emit (struct grammar_program *program, struct grammar_instruction instruction,
                          struct engine_error *error);
/* Puts a SPLIT before the instructions from `start`: they are one way, the end of the program is the other. */
int grammar_program_wrap (struct grammar_program *program, uint32_t start, struct engine_error *error);
/* Repeats the instructions from `start`: `least` times, then up to `most`, or without end. */
int grammar_program_repeat (struct grammar_program *program, uint32_t start, uint64_t least, uint64_t most,
                            bool endless, struct engine_error *error);

#endif
