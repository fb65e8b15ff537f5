/* jinja_eval.h: a rendering under way: variables, output, and the two halves of the evaluator. */
#ifndef LECTERN_JINJA_EVAL_H
#define LECTERN_JINJA_EVAL_H

#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_loop.h"
#include "engine/chat/jinja_node.h"

/* The variables of a template, a loop's turn, a macro's call or a with block; what is not here is asked of the parent. */
struct jinja_scope {
  struct jinja_scope *parent;
  struct jinja_string *names;
  struct jinja_value *values;
  size_t n, capacity;
};

struct jinja_macro {
  const struct jinja_node *node;
  struct jinja_scope *scope; /* where it was written */
};

enum jinja_jump { JINJA_GOES_ON, JINJA_BREAKS, JINJA_CONTINUES };

struct jinja_eval {
  struct jinja_run *run;
  struct jinja_scope *scope;
  struct jinja_builder *output;
};

struct jinja_scope *jinja_scope_new (struct jinja_run *run, struct jinja_scope *parent);
void jinja_scope_set (struct jinja_run *run, struct jinja_scope *scope, struct jinja_string name,
                      struct jinja_value value);
/* A variable, a built-in function, or undefined. */
struct jinja_value jinja_scope_get (struct jinja_run *run, const struct jinja_scope *scope, struct jinja_string name);

enum jinja_jump jinja_execute (struct jinja_eval *eval, const struct jinja_node *body);
struct jinja_value jinja_evaluate (struct jinja_eval *eval, const struct jinja_node *node);
struct jinja_value jinja_operate (struct jinja_run *run, enum jinja_operator op, const struct jinja_value *left,
                                  const struct jinja_value *right);

/* The arguments of a call; `caller` (may be NULL) is added by that name. */
struct jinja_arguments jinja_evaluate_arguments (struct jinja_eval *eval, const struct jinja_node *arguments,
                                                 const struct jinja_value *caller);
struct jinja_value jinja_call_value (struct jinja_eval *eval, const struct jinja_value *callee,
                                     const struct jinja_arguments *arguments);

#endif
