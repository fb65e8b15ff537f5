/* Expressions. */
#include <string.h>

#include "engine/chat/jinja_eval.h"

/* ---- calls ----------------------------------------------------------------------------------------------- */

static void add_named (struct jinja_run *run, struct jinja_arguments *arguments, size_t capacity,
                       struct jinja_string name, struct jinja_value value)
{
  if (arguments->n_named == capacity)
    jinja_fail (run, "a call has too many arguments.");
  arguments->names[arguments->n_named] = name;
  arguments->named[arguments->n_named++] = value;
}

struct jinja_arguments jinja_evaluate_arguments (struct jinja_eval *eval, const struct jinja_node *nodes,
                                                 const struct jinja_value *caller)
{
  struct jinja_run *run = eval->run;
  struct jinja_arguments arguments = { 0 };
  struct jinja_list *positional = NULL;
  size_t n_named = caller ? 1 : 0;
  if (!nodes && !caller)
    return arguments;
  for (const struct jinja_node *node = nodes; node; node = node->next)
    n_named += node->type == JINJA_NODE_NAMED ? 1 : node->type == JINJA_NODE_SPREAD && node->twice ? 64 : 0;
  arguments.names = jinja_alloc (run, n_named + 1, sizeof *arguments.names);
  arguments.named = jinja_alloc (run, n_named + 1, sizeof *arguments.named);
  positional = jinja_list_new (run, JINJA_LIST_LIST).list;
  for (const struct jinja_node *node = nodes; node; node = node->next) {
    if (node->type == JINJA_NODE_NAMED) {
      add_named (run, &arguments, n_named, node->text, jinja_evaluate (eval, node->left));
    } else if (node->type == JINJA_NODE_SPREAD) {
      struct jinja_value spread = jinja_evaluate (eval, node->left);
      if (node->twice && spread.type != JINJA_DICT)
        jinja_fail (run, "a dict is needed after **, not a %s.", jinja_type_name (&spread));
      const struct jinja_list *items = jinja_need_items (run, &spread);
      for (size_t i = 0; i < items->n; i++)
        if (node->twice)
          add_named (run, &arguments, n_named, jinja_need_string (run, &items->items[i]), spread.dict->values[i]);
        else
          jinja_list_append (run, positional, items->items[i]);
    } else {
      jinja_list_append (run, positional, jinja_evaluate (eval, node));
    }
  }
  if (caller)
    add_named (run, &arguments, n_named, jinja_string_of ("caller"), *caller);
  arguments.positional = positional->items;
  arguments.n = positional->n;
  return arguments;
}

/* Binds the parameters; what is left goes to varargs and kwargs where the body reads these. */
static void bind_macro (struct jinja_eval *eval, const struct jinja_node *node, const struct jinja_arguments *arguments)
{
  struct jinja_run *run = eval->run;
  size_t i = 0, n_used = 0;
  struct jinja_value caller = jinja_undefined (jinja_string_of ("caller"));
  struct jinja_value varargs = jinja_list_new (run, JINJA_LIST_TUPLE), kwargs = jinja_dict_new (run, JINJA_DICT);
  bool *used = jinja_alloc (run, arguments->n_named + 1, sizeof *used);
  for (const struct jinja_node *parameter = node->first; parameter; parameter = parameter->next, i++) {
    struct jinja_value value = jinja_undefined (parameter->text);
    bool given = i < arguments->n;
    if (given)
      value = arguments->positional[i];
    for (size_t j = 0; j < arguments->n_named; j++)
      if (jinja_string_equal (arguments->names[j], parameter->text)) {
        if (given)
          jinja_fail (run, "the macro “%.*s” is given the argument “%.*s” twice.", (int)node->text.length,
                      node->text.bytes, (int)parameter->text.length, parameter->text.bytes);
        value = arguments->named[j];
        given = used[j] = true;
        n_used++;
      }
    if (!given && parameter->left)
      value = jinja_evaluate (eval, parameter->left);
    jinja_scope_set (run, eval->scope, parameter->text, value);
  }
  for (; i < arguments->n; i++)
    jinja_list_append (run, varargs.list, arguments->positional[i]);
  for (size_t j = 0; j < arguments->n_named; j++)
    if (!used[j] && jinja_string_is (arguments->names[j], "caller"))
      caller = arguments->named[j];
    else if (!used[j])
      jinja_dict_set (run, kwargs.dict, jinja_string (arguments->names[j]), arguments->named[j]);
  if ((varargs.list->n > 0 && !node->reads_varargs) || (kwargs.dict->n > 0 && !node->reads_kwargs))
    jinja_fail (run, "the macro “%.*s” is given more arguments than it takes.", (int)node->text.length,
                node->text.bytes);
  jinja_scope_set (run, eval->scope, jinja_string_of ("caller"), caller);
  if (node->reads_varargs)
    jinja_scope_set (run, eval->scope, jinja_string_of ("varargs"), varargs);
  if (node->reads_kwargs)
    jinja_scope_set (run, eval->scope, jinja_string_of ("kwargs"), kwargs);
}

static struct jinja_value call_macro (struct jinja_eval *eval, const struct jinja_macro *macro,
                                      const struct jinja_arguments *arguments)
{
  struct jinja_builder builder = { .run = eval->run };
  struct jinja_eval inner = { .run = eval->run, .output = &builder };
  uint32_t line = eval->run->line;
  inner.scope = jinja_scope_new (eval->run, macro->scope);
  bind_macro (&inner, macro->node, arguments);
  jinja_execute (&inner, macro->node->body);
  eval->run->line = line;
  return jinja_string (jinja_builder_get (&builder));
}

struct jinja_value jinja_call_value (struct jinja_eval *eval, const struct jinja_value *callee,
                                     const struct jinja_arguments *arguments)
{
  if (callee->type == JINJA_MACRO)
    return call_macro (eval, callee->macro, arguments);
  if (callee->type == JINJA_FUNCTION)
    return jinja_call_function (eval->run, callee->method->function, callee->method->self, arguments);
  if (callee->type == JINJA_UNDEFINED)
    jinja_need_string (eval->run, callee);
  jinja_fail (eval->run, "a %s cannot be called.", jinja_type_name (callee));
}

static struct jinja_value evaluate_call (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value callee = jinja_evaluate (eval, node->left);
  struct jinja_arguments arguments = jinja_evaluate_arguments (eval, node->first, NULL);
  return jinja_call_value (eval, &callee, &arguments);
}

static struct jinja_value evaluate_filter (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value value = jinja_evaluate (eval, node->left);
  struct jinja_arguments arguments = jinja_evaluate_arguments (eval, node->first, NULL);
  return jinja_call_filter (eval->run, node->text, value, &arguments);
}

static struct jinja_value evaluate_test (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value value = jinja_evaluate (eval, node->left);
  struct jinja_arguments arguments = jinja_evaluate_arguments (eval, node->first, NULL);
  return jinja_boolean (jinja_call_test (eval->run, node->text, value, &arguments) != node->negated);
}

/* ---- the rest -------------------------------------------------------------------------------------------- */

/* A chain a + b + c … leans to the left as deep as it is long; it is walked, not descended. */
static struct jinja_value evaluate_binary (struct jinja_eval *eval, const struct jinja_node *node)
{
  size_t n = 0;
  const struct jinja_node *at;
  for (at = node; at->type == JINJA_NODE_BINARY; at = at->left)
    n++;
  const struct jinja_node **chain = jinja_alloc (eval->run, n, sizeof *chain);
  struct jinja_value value = jinja_evaluate (eval, at);
  for (at = node; at->type == JINJA_NODE_BINARY; at = at->left)
    chain[--n] = at;
  for (;; n++) {
    struct jinja_value right = jinja_evaluate (eval, chain[n]->right);
    value = jinja_operate (eval->run, chain[n]->op, &value, &right);
    if (chain[n] == node)
      return value;
  }
}

static struct jinja_value evaluate_unary (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value value = jinja_evaluate (eval, node->left), zero = jinja_integer (0);
  if (node->op == JINJA_NOT)
    return jinja_boolean (!jinja_is_true (&value));
  if (value.type == JINJA_FLOAT)
    return jinja_float (node->op == JINJA_NEGATE ? -value.real : value.real);
  return jinja_operate (eval->run, node->op == JINJA_NEGATE ? JINJA_SUBTRACT : JINJA_ADD, &zero, &value);
}

static bool compare (struct jinja_run *run, enum jinja_operator op, const struct jinja_value *left,
                     const struct jinja_value *right)
{
  switch (op) {
  case JINJA_EQUAL: return jinja_equal (run, left, right);
  case JINJA_NOT_EQUAL: return !jinja_equal (run, left, right);
  case JINJA_LESS: return jinja_compare (run, left, right) < 0;
  case JINJA_LESS_EQUAL: return jinja_compare (run, left, right) <= 0;
  case JINJA_GREATER: return jinja_compare (run, left, right) > 0;
  case JINJA_GREATER_EQUAL: return jinja_compare (run, left, right) >= 0;
  case JINJA_IN: return jinja_contains (run, right, left);
  default: return !jinja_contains (run, right, left);
  }
}

static struct jinja_value evaluate_comparison (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value left = jinja_evaluate (eval, node->left);
  for (const struct jinja_node *operand = node->first; operand; operand = operand->next) {
    struct jinja_value right = jinja_evaluate (eval, operand->left);
    if (!compare (eval->run, operand->op, &left, &right))
      return jinja_boolean (false);
    left = right;
  }
  return jinja_boolean (true);
}

static struct jinja_value evaluate_logic (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value left = jinja_evaluate (eval, node->left);
  if (jinja_is_true (&left) == (node->type == JINJA_NODE_OR))
    return left;
  return jinja_evaluate (eval, node->right);
}

static struct jinja_value evaluate_condition (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value condition = jinja_evaluate (eval, node->left);
  if (jinja_is_true (&condition))
    return jinja_evaluate (eval, node->first);
  if (node->second)
    return jinja_evaluate (eval, node->second);
  return jinja_undefined (jinja_string_of ("an inline if without else"));
}

static struct jinja_value evaluate_list (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value list
      = jinja_list_new (eval->run, node->type == JINJA_NODE_TUPLE ? JINJA_LIST_TUPLE : JINJA_LIST_LIST);
  for (const struct jinja_node *item = node->first; item; item = item->next)
    jinja_list_append (eval->run, list.list, jinja_evaluate (eval, item));
  return list;
}

static struct jinja_value evaluate_dict (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value dict = jinja_dict_new (eval->run, JINJA_DICT);
  for (const struct jinja_node *key = node->first; key; key = key->next->next) {
    struct jinja_value name = jinja_evaluate (eval, key);
    jinja_dict_set (eval->run, dict.dict, name, jinja_evaluate (eval, key->next));
  }
  return dict;
}

static struct jinja_value evaluate_item (struct jinja_eval *eval, const struct jinja_node *node)
{
  struct jinja_value value = jinja_evaluate (eval, node->left);
  if (node->type == JINJA_NODE_ATTRIBUTE)
    return jinja_get_attribute (eval->run, &value, node->text);
  struct jinja_value key = jinja_evaluate (eval, node->right);
  return jinja_get_item (eval->run, &value, &key);
}

static struct jinja_value evaluate_slice (struct jinja_eval *eval, const struct jinja_node *node)
{
  const struct jinja_node *bounds[] = { node->first, node->second, node->third };
  struct jinja_value value = jinja_evaluate (eval, node->left), values[3];
  for (size_t i = 0; i < 3; i++)
    values[i] = bounds[i] ? jinja_evaluate (eval, bounds[i]) : jinja_none ();
  return jinja_get_slice (eval->run, &value, &values[0], &values[1], &values[2]);
}

static struct jinja_value evaluate_one (struct jinja_eval *eval, const struct jinja_node *node)
{
  switch (node->type) {
  case JINJA_NODE_CONSTANT: return node->value;
  case JINJA_NODE_NAME: return jinja_scope_get (eval->run, eval->scope, node->text);
  case JINJA_NODE_LIST:
  case JINJA_NODE_TUPLE: return evaluate_list (eval, node);
  case JINJA_NODE_DICT: return evaluate_dict (eval, node);
  case JINJA_NODE_ATTRIBUTE:
  case JINJA_NODE_ITEM: return evaluate_item (eval, node);
  case JINJA_NODE_SLICE: return evaluate_slice (eval, node);
  case JINJA_NODE_CALL: return evaluate_call (eval, node);
  case JINJA_NODE_FILTER: return evaluate_filter (eval, node);
  case JINJA_NODE_TEST: return evaluate_test (eval, node);
  case JINJA_NODE_UNARY: return evaluate_unary (eval, node);
  case JINJA_NODE_BINARY: return evaluate_binary (eval, node);
  case JINJA_NODE_AND:
  case JINJA_NODE_OR: return evaluate_logic (eval, node);
  case JINJA_NODE_COMPARE: return evaluate_comparison (eval, node);
  case JINJA_NODE_CONDITION: return evaluate_condition (eval, node);
  default: jinja_fail (eval->run, "a statement stands where a value should be.");
  }
}

struct jinja_value jinja_evaluate (struct jinja_eval *eval, const struct jinja_node *node)
{
  jinja_count (eval->run, 1);
  jinja_enter (eval->run);
  struct jinja_value value = evaluate_one (eval, node);
  jinja_leave (eval->run);
  return value;
}
