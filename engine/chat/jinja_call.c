#include "engine/chat/jinja_call.h"

const struct jinja_function *jinja_find_function (const struct jinja_function *table, struct jinja_string name)
{
  for (; table->name; table++)
    if (jinja_string_is (name, table->name))
      return table;
  return NULL;
}

const struct jinja_function *jinja_find_filter (struct jinja_string name)
{
  const struct jinja_function *found = jinja_find_function (jinja_string_filters, name);
  if (!found)
    found = jinja_find_function (jinja_list_filters, name);
  return found ? found : jinja_find_function (jinja_number_filters, name);
}

static size_t count_parameters (const struct jinja_function *function)
{
  size_t n = 0;
  while (n < JINJA_MAX_PARAMETERS && function->parameters[n])
    n++;
  return n;
}

struct jinja_value jinja_call_function (struct jinja_run *run, const struct jinja_function *function,
                                        struct jinja_value self, const struct jinja_arguments *arguments)
{
  struct jinja_call call = { .self = self };
  size_t n_parameters = count_parameters (function);
  size_t n_bound = arguments->n < n_parameters ? arguments->n : n_parameters;
  for (size_t i = 0; i < n_bound; i++)
    call.slots[i] = &arguments->positional[i];
  if (arguments->n > n_bound) {
    if (!function->takes_rest)
      jinja_fail (run, "%s takes %zu arguments, not %zu.", function->name, n_parameters, arguments->n);
    call.rest = arguments->positional + n_bound;
    call.n_rest = arguments->n - n_bound;
  }
  struct jinja_string *names = NULL;
  struct jinja_value *named = NULL;
  if (function->takes_named && arguments->n_named) {
    names = jinja_alloc (run, arguments->n_named, sizeof *names);
    named = jinja_alloc (run, arguments->n_named, sizeof *named);
  }
  for (size_t i = 0; i < arguments->n_named; i++) {
    size_t slot = 0;
    while (slot < n_parameters && !jinja_string_is (arguments->names[i], function->parameters[slot]))
      slot++;
    if (slot < n_parameters && !call.slots[slot]) {
      call.slots[slot] = &arguments->named[i];
    } else if (slot == n_parameters && names) {
      names[call.n_named] = arguments->names[i];
      named[call.n_named++] = arguments->named[i];
    } else {
      jinja_fail (run, "%s takes no argument “%.*s” here.", function->name,
                  (int)(arguments->names[i].length < 40 ? arguments->names[i].length : 40), arguments->names[i].bytes);
    }
  }
  call.names = names;
  call.named = named;
  for (size_t i = 0; i < function->n_required; i++)
    if (!call.slots[i])
      jinja_fail (run, "%s needs the argument “%s”.", function->name, function->parameters[i]);
  return function->call (run, &call);
}

struct jinja_value jinja_call_filter (struct jinja_run *run, struct jinja_string name, struct jinja_value self,
                                      const struct jinja_arguments *arguments)
{
  const struct jinja_function *filter = jinja_find_filter (name);
  if (!filter)
    jinja_fail (run, "there is no filter “%.*s”.", (int)(name.length < 40 ? name.length : 40), name.bytes);
  return jinja_call_function (run, filter, self, arguments);
}

bool jinja_call_test (struct jinja_run *run, struct jinja_string name, struct jinja_value self,
                      const struct jinja_arguments *arguments)
{
  const struct jinja_function *test = jinja_find_function (jinja_tests, name);
  if (!test)
    jinja_fail (run, "there is no test “%.*s”.", (int)(name.length < 40 ? name.length : 40), name.bytes);
  struct jinja_value result = jinja_call_function (run, test, self, arguments);
  return jinja_is_true (&result);
}
