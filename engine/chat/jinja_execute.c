/* Statements. */
#include <string.h>

#include "engine/chat/jinja_eval.h"

static void unpack (struct jinja_eval *eval, const struct jinja_node *target, struct jinja_value value);

static void assign (struct jinja_eval *eval, const struct jinja_node *target, struct jinja_value value)
{
  struct jinja_run *run = eval->run;
  if (target->type == JINJA_NODE_NAME) {
    jinja_scope_set (run, eval->scope, target->text, value);
  } else if (target->type == JINJA_NODE_ATTRIBUTE) {
    struct jinja_value object = jinja_scope_get (run, eval->scope, target->left->text);
    if (object.type != JINJA_NAMESPACE)
      jinja_fail (run, "“%.*s” is no namespace, so its attributes cannot be set.",
                  (int)(target->left->text.length < 40 ? target->left->text.length : 40), target->left->text.bytes);
    jinja_dict_set (run, object.dict, jinja_string (target->text), value);
  } else {
    unpack (eval, target, value);
  }
}

static void unpack (struct jinja_eval *eval, const struct jinja_node *target, struct jinja_value value)
{
  const struct jinja_list *items = jinja_need_items (eval->run, &value);
  size_t i = 0;
  jinja_enter (eval->run);
  for (const struct jinja_node *at = target->first; at; at = at->next, i++) {
    if (i >= items->n)
      jinja_fail (eval->run, "there are only %zu values to unpack.", items->n);
    assign (eval, at, items->items[i]);
  }
  if (i != items->n)
    jinja_fail (eval->run, "there are %zu values to unpack, not %zu.", items->n, i);
  jinja_leave (eval->run);
}

/* The body's output as a string, in a scope of its own. */
static struct jinja_value capture (struct jinja_eval *eval, const struct jinja_node *body, enum jinja_jump *jump)
{
  struct jinja_builder builder = { .run = eval->run };
  struct jinja_eval inner = *eval;
  inner.scope = jinja_scope_new (eval->run, eval->scope);
  inner.output = &builder;
  *jump = jinja_execute (&inner, body);
  return jinja_string (jinja_builder_get (&builder));
}

/* Filters written without what they filter. */
static struct jinja_value apply_filters (struct jinja_eval *eval, const struct jinja_node *filter,
                                         struct jinja_value value)
{
  if (!filter)
    return value;
  jinja_enter (eval->run);
  value = apply_filters (eval, filter->left, value);
  struct jinja_arguments arguments = jinja_evaluate_arguments (eval, filter->first, NULL);
  value = jinja_call_filter (eval->run, filter->text, value, &arguments);
  jinja_leave (eval->run);
  return value;
}

static enum jinja_jump execute_for (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_run *run = eval->run;
  struct jinja_value iterated = jinja_evaluate (eval, node->left);
  const struct jinja_list *items = jinja_need_items (run, &iterated);
  struct jinja_eval inner = *eval;
  if (node->right) {
    struct jinja_list *kept = jinja_list_new (run, JINJA_LIST_LIST).list;
    for (size_t i = 0; i < items->n; i++) {
      inner.scope = jinja_scope_new (run, eval->scope);
      assign (&inner, node->first, items->items[i]);
      struct jinja_value wanted = jinja_evaluate (&inner, node->right);
      if (jinja_is_true (&wanted))
        jinja_list_append (run, kept, items->items[i]);
    }
    items = kept;
  }
  if (items->n == 0) {
    inner.scope = jinja_scope_new (run, eval->scope);
    return jinja_execute (&inner, node->second);
  }
  struct jinja_loop *loop = jinja_alloc (run, 1, sizeof *loop);
  loop->items = items;
  for (; loop->index0 < items->n; loop->index0++) {
    inner.scope = jinja_scope_new (run, eval->scope);
    assign (&inner, node->first, items->items[loop->index0]);
    jinja_scope_set (run, inner.scope, jinja_string_of ("loop"),
                     (struct jinja_value){ .type = JINJA_LOOP, .loop = loop });
    if (jinja_execute (&inner, node->body) == JINJA_BREAKS)
      break;
  }
  return JINJA_GOES_ON;
}

static enum jinja_jump execute_if (struct jinja_eval *eval, const struct jinja_node *node)
{
  for (;;) {
    eval->run->line = node->line;
    struct jinja_value condition = jinja_evaluate (eval, node->left);
    if (jinja_is_true (&condition))
      return jinja_execute (eval, node->body);
    const struct jinja_node *otherwise = node->second;
    if (!otherwise || otherwise->type != JINJA_NODE_IF || otherwise->next)
      return jinja_execute (eval, otherwise);
    node = otherwise;
    jinja_count (eval->run, 1);
  }
}

static enum jinja_jump execute_with (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_eval inner = *eval;
  inner.scope = jinja_scope_new (eval->run, eval->scope);
  /* The values do not see each other. */
  for (const struct jinja_node *set = node->first; set; set = set->next)
    assign (&inner, set->first, jinja_evaluate (eval, set->left));
  return jinja_execute (&inner, node->body);
}

static struct jinja_value macro_of (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_macro *macro = jinja_alloc (eval->run, 1, sizeof *macro);
  *macro = (struct jinja_macro){ node, eval->scope };
  return (struct jinja_value){ .type = JINJA_MACRO, .macro = macro };
}

static void output (struct jinja_eval *eval, struct jinja_value value)
{
  jinja_builder_add (eval->output, jinja_to_string (eval->run, &value));
}

static void execute_call_block (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value caller = macro_of (eval, node->first);
  struct jinja_value callee = jinja_evaluate (eval, node->left->left);
  struct jinja_arguments arguments = jinja_evaluate_arguments (eval, node->left->first, &caller);
  output (eval, jinja_call_value (eval, &callee, &arguments));
}

static enum jinja_jump execute_one (struct jinja_eval *eval, const struct jinja_node *node)
{
  enum jinja_jump jump = JINJA_GOES_ON;
  struct jinja_value value;
  switch (node->type) {
  case JINJA_NODE_TEXT: jinja_builder_add (eval->output, node->text); break;
  case JINJA_NODE_OUTPUT: output (eval, jinja_evaluate (eval, node->left)); break;
  case JINJA_NODE_IF: return execute_if (eval, node);
  case JINJA_NODE_FOR: return execute_for (eval, node);
  case JINJA_NODE_SET: assign (eval, node->first, jinja_evaluate (eval, node->left)); break;
  case JINJA_NODE_SET_BLOCK:
    value = capture (eval, node->body, &jump);
    if (jump == JINJA_GOES_ON)
      assign (eval, node->first, apply_filters (eval, node->left, value));
    break;
  case JINJA_NODE_FILTERED:
    value = capture (eval, node->body, &jump);
    output (eval, apply_filters (eval, node->left, value));
    break;
  case JINJA_NODE_WITH: return execute_with (eval, node);
  case JINJA_NODE_MACRO: jinja_scope_set (eval->run, eval->scope, node->text, macro_of (eval, node)); break;
  case JINJA_NODE_CALL_BLOCK: execute_call_block (eval, node); break;
  case JINJA_NODE_GENERATION: return jinja_execute (eval, node->body);
  case JINJA_NODE_BREAK: return JINJA_BREAKS;
  case JINJA_NODE_CONTINUE: return JINJA_CONTINUES;
  default: break; /* the parser makes no statements of expressions */
  }
  return jump;
}

enum jinja_jump jinja_execute (struct jinja_eval *eval, const struct jinja_node *body)
{
  enum jinja_jump jump = JINJA_GOES_ON;
  jinja_enter (eval->run);
  for (; body && jump == JINJA_GOES_ON; body = body->next) {
    jinja_count (eval->run, 1);
    eval->run->line = body->line;
    jump = execute_one (eval, body);
  }
  jinja_leave (eval->run);
  return jump;
}
