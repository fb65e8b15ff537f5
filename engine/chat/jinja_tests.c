/* What can stand after "is". */
#include "engine/chat/jinja_call.h"

#define TEST(name) static struct jinja_value is_##name (struct jinja_run *run, const struct jinja_call *call)

TEST (defined)
{
  return jinja_boolean (call->self.type != JINJA_UNDEFINED);
}

TEST (undefined)
{
  return jinja_boolean (call->self.type == JINJA_UNDEFINED);
}

TEST (none)
{
  return jinja_boolean (call->self.type == JINJA_NONE);
}

TEST (boolean)
{
  return jinja_boolean (call->self.type == JINJA_BOOLEAN);
}

TEST (true)
{
  return jinja_boolean (call->self.type == JINJA_BOOLEAN && call->self.boolean);
}

TEST (false)
{
  return jinja_boolean (call->self.type == JINJA_BOOLEAN && !call->self.boolean);
}

TEST (integer)
{
  return jinja_boolean (call->self.type == JINJA_INTEGER);
}

TEST (float)
{
  return jinja_boolean (call->self.type == JINJA_FLOAT);
}

TEST (number)
{
  double real;
  return jinja_boolean (jinja_get_number (&call->self, &real));
}

TEST (string)
{
  return jinja_boolean (call->self.type == JINJA_STRING);
}

TEST (mapping)
{
  return jinja_boolean (call->self.type == JINJA_DICT);
}

TEST (iterable)
{
  enum jinja_type type = call->self.type;
  return jinja_boolean (type == JINJA_UNDEFINED || type == JINJA_STRING || type == JINJA_LIST || type == JINJA_DICT
                        || type == JINJA_LOOP);
}

TEST (sequence)
{
  enum jinja_type type = call->self.type;
  return jinja_boolean (type == JINJA_UNDEFINED || type == JINJA_STRING || type == JINJA_DICT
                        || (type == JINJA_LIST && call->self.list->kind <= JINJA_LIST_RANGE));
}

TEST (callable)
{
  enum jinja_type type = call->self.type;
  return jinja_boolean (type == JINJA_UNDEFINED || type == JINJA_MACRO || type == JINJA_FUNCTION || type == JINJA_LOOP);
}

static int64_t rest_of (struct jinja_run *run, const struct jinja_value *value, int64_t by)
{
  int64_t number = jinja_need_integer (run, value);
  if (by == 0)
    jinja_fail (run, "a number is divided by 0.");
  return by == -1 ? 0 : number % by;
}

TEST (odd)
{
  return jinja_boolean (rest_of (run, &call->self, 2) != 0);
}

TEST (even)
{
  return jinja_boolean (rest_of (run, &call->self, 2) == 0);
}

TEST (divisibleby)
{
  return jinja_boolean (rest_of (run, &call->self, jinja_need_integer (run, call->slots[0])) == 0);
}

TEST (eq)
{
  return jinja_boolean (jinja_equal (run, &call->self, call->slots[0]));
}

TEST (ne)
{
  return jinja_boolean (!jinja_equal (run, &call->self, call->slots[0]));
}

TEST (lt)
{
  return jinja_boolean (jinja_compare (run, &call->self, call->slots[0]) < 0);
}

TEST (le)
{
  return jinja_boolean (jinja_compare (run, &call->self, call->slots[0]) <= 0);
}

TEST (gt)
{
  return jinja_boolean (jinja_compare (run, &call->self, call->slots[0]) > 0);
}

TEST (ge)
{
  return jinja_boolean (jinja_compare (run, &call->self, call->slots[0]) >= 0);
}

TEST (in)
{
  return jinja_boolean (jinja_contains (run, call->slots[0], &call->self));
}

/* "is": the same thing, or for plain values an equal one of the same type. */
TEST (sameas)
{
  const struct jinja_value *a = &call->self, *b = call->slots[0];
  if (a->type != b->type)
    return jinja_boolean (false);
  if (a->type == JINJA_LIST || a->type == JINJA_DICT)
    return jinja_boolean (a->list == b->list);
  return jinja_boolean (jinja_equal (run, a, b));
}

static bool has_case (struct jinja_run *run, const struct jinja_call *call, bool upper)
{
  struct jinja_string text = jinja_to_string (run, &call->self);
  struct jinja_value string = jinja_string (text);
  struct jinja_arguments none = { 0 };
  struct jinja_value lowered = jinja_call_filter (run, jinja_string_of ("lower"), string, &none);
  struct jinja_value raised = jinja_call_filter (run, jinja_string_of ("upper"), string, &none);
  return !jinja_equal (run, &lowered, &raised) && jinja_equal (run, &string, upper ? &raised : &lowered);
}

TEST (lower)
{
  return jinja_boolean (has_case (run, call, false));
}

TEST (upper)
{
  return jinja_boolean (has_case (run, call, true));
}

TEST (filter)
{
  return jinja_boolean (jinja_find_filter (jinja_need_string (run, &call->self)) != NULL);
}

TEST (test)
{
  return jinja_boolean (jinja_find_function (jinja_tests, jinja_need_string (run, &call->self)) != NULL);
}

const struct jinja_function jinja_tests[] = {
  { "defined", is_defined },
  { "undefined", is_undefined },
  { "none", is_none },
  { "boolean", is_boolean },
  { "true", is_true },
  { "false", is_false },
  { "integer", is_integer },
  { "float", is_float },
  { "number", is_number },
  { "string", is_string },
  { "mapping", is_mapping },
  { "iterable", is_iterable },
  { "sequence", is_sequence },
  { "callable", is_callable },
  { "odd", is_odd },
  { "even", is_even },
  { "divisibleby", is_divisibleby, 1, .parameters = { "num" } },
  { "eq", is_eq, 1, .parameters = { "other" } },
  { "equalto", is_eq, 1, .parameters = { "other" } },
  { "==", is_eq, 1, .parameters = { "other" } },
  { "ne", is_ne, 1, .parameters = { "other" } },
  { "!=", is_ne, 1, .parameters = { "other" } },
  { "lt", is_lt, 1, .parameters = { "other" } },
  { "lessthan", is_lt, 1, .parameters = { "other" } },
  { "<", is_lt, 1, .parameters = { "other" } },
  { "le", is_le, 1, .parameters = { "other" } },
  { "<=", is_le, 1, .parameters = { "other" } },
  { "gt", is_gt, 1, .parameters = { "other" } },
  { "greaterthan", is_gt, 1, .parameters = { "other" } },
  { ">", is_gt, 1, .parameters = { "other" } },
  { "ge", is_ge, 1, .parameters = { "other" } },
  { ">=", is_ge, 1, .parameters = { "other" } },
  { "in", is_in, 1, .parameters = { "seq" } },
  { "sameas", is_sameas, 1, .parameters = { "other" } },
  { "lower", is_lower },
  { "upper", is_upper },
  { "filter", is_filter },
  { "test", is_test },
  { NULL },
};
