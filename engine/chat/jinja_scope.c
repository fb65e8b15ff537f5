#include <string.h>

#include "engine/chat/jinja_eval.h"

struct jinja_scope *jinja_scope_new (struct jinja_run *run, struct jinja_scope *parent)
{
  struct jinja_scope *scope = jinja_alloc (run, 1, sizeof *scope);
  scope->parent = parent;
  return scope;
}

void jinja_scope_set (struct jinja_run *run, struct jinja_scope *scope, struct jinja_string name,
                      struct jinja_value value)
{
  jinja_count (run, 1 + scope->n / 8);
  for (size_t i = 0; i < scope->n; i++)
    if (jinja_string_equal (scope->names[i], name)) {
      scope->values[i] = value;
      return;
    }
  if (scope->n == scope->capacity) {
    size_t capacity = scope->capacity ? 2 * scope->capacity : 4;
    struct jinja_string *names = jinja_alloc (run, capacity, sizeof *names);
    struct jinja_value *values = jinja_alloc (run, capacity, sizeof *values);
    if (scope->n) {
      memcpy (names, scope->names, scope->n * sizeof *names);
      memcpy (values, scope->values, scope->n * sizeof *values);
    }
    scope->names = names;
    scope->values = values;
    scope->capacity = capacity;
  }
  scope->names[scope->n] = name;
  scope->values[scope->n++] = value;
}

struct jinja_value jinja_scope_get (struct jinja_run *run, const struct jinja_scope *scope, struct jinja_string name)
{
  for (; scope; scope = scope->parent) {
    jinja_count (run, 1 + scope->n / 8);
    for (size_t i = 0; i < scope->n; i++)
      if (jinja_string_equal (scope->names[i], name))
        return scope->values[i];
  }
  const struct jinja_function *function = jinja_find_function (jinja_globals, name);
  if (!function)
    return jinja_undefined (name);
  struct jinja_method *method = jinja_alloc (run, 1, sizeof *method);
  method->function = function;
  return (struct jinja_value){ .type = JINJA_FUNCTION, .method = method };
}
