/* Arithmetic, with Python's meaning, and what + * % do to strings and lists. */
#include <math.h>

#include "engine/chat/jinja_eval.h"

static _Noreturn void refuse (struct jinja_run *run, enum jinja_operator op, const struct jinja_value *left,
                              const struct jinja_value *right)
{
  static const char *const signs[] = { "+", "-", "~", "*", "/", "//", "%", "**" };
  if (left->type == JINJA_UNDEFINED)
    jinja_need_string (run, left);
  if (right->type == JINJA_UNDEFINED)
    jinja_need_string (run, right);
  jinja_fail (run, "“%s” cannot be done with a %s and a %s.", signs[op], jinja_type_name (left),
              jinja_type_name (right));
}

static _Noreturn void refuse_size (struct jinja_run *run)
{
  jinja_fail (run, "a number becomes too large.");
}

static int64_t floor_divide (int64_t a, int64_t b)
{
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t power (struct jinja_run *run, int64_t base, int64_t exponent)
{
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow (result, base, &result))
      refuse_size (run);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow (base, base, &base))
      refuse_size (run);
  }
  return result;
}

static struct jinja_value operate_integers (struct jinja_run *run, enum jinja_operator op, int64_t a, int64_t b)
{
  int64_t result = 0;
  bool overflow = false;
  if (b == 0 && (op == JINJA_DIVIDE || op == JINJA_FLOOR_DIVIDE || op == JINJA_MODULO))
    jinja_fail (run, "a number is divided by 0.");
  switch (op) {
  case JINJA_ADD: overflow = __builtin_add_overflow (a, b, &result); break;
  case JINJA_SUBTRACT: overflow = __builtin_sub_overflow (a, b, &result); break;
  case JINJA_MULTIPLY: overflow = __builtin_mul_overflow (a, b, &result); break;
  case JINJA_DIVIDE: return jinja_float ((double)a / (double)b);
  case JINJA_FLOOR_DIVIDE:
    overflow = b == -1 && a == INT64_MIN;
    result = overflow ? 0 : floor_divide (a, b);
    break;
  case JINJA_MODULO: result = b == -1 ? 0 : a - b * floor_divide (a, b); break;
  default:
    if (b < 0)
      return jinja_float (pow ((double)a, (double)b));
    result = power (run, a, b);
  }
  if (overflow)
    refuse_size (run);
  return jinja_integer (result);
}

static struct jinja_value operate_floats (struct jinja_run *run, enum jinja_operator op, double a, double b)
{
  if (b == 0 && (op == JINJA_DIVIDE || op == JINJA_FLOOR_DIVIDE || op == JINJA_MODULO))
    jinja_fail (run, "a number is divided by 0.");
  switch (op) {
  case JINJA_ADD: return jinja_float (a + b);
  case JINJA_SUBTRACT: return jinja_float (a - b);
  case JINJA_MULTIPLY: return jinja_float (a * b);
  case JINJA_DIVIDE: return jinja_float (a / b);
  case JINJA_FLOOR_DIVIDE: return jinja_float (floor (a / b));
  case JINJA_MODULO: {
    double rest = fmod (a, b);
    return jinja_float (rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
  }
  default: return jinja_float (pow (a, b));
  }
}

static struct jinja_value add_lists (struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b)
{
  struct jinja_value sum = jinja_list_new (run, a->kind);
  sum.list->content = a->content || b->content;
  for (size_t i = 0; i < a->n; i++)
    jinja_list_append (run, sum.list, a->items[i]);
  for (size_t i = 0; i < b->n; i++)
    jinja_list_append (run, sum.list, b->items[i]);
  return sum;
}

static struct jinja_value repeat (struct jinja_run *run, const struct jinja_value *value, int64_t times)
{
  if (value->type == JINJA_STRING) {
    struct jinja_builder builder = { .run = run };
    for (int64_t i = 0; i < times && value->string.length > 0; i++) {
      jinja_count (run, 1);
      jinja_builder_add (&builder, value->string);
    }
    return jinja_string (jinja_builder_get (&builder));
  }
  struct jinja_value list = jinja_list_new (run, value->list->kind);
  list.list->content = value->list->content;
  for (int64_t i = 0; i < times && value->list->n > 0; i++)
    for (size_t j = 0; j < value->list->n; j++)
      jinja_list_append (run, list.list, value->list->items[j]);
  return list;
}

static bool is_repeatable (const struct jinja_value *value)
{
  return value->type == JINJA_STRING || (value->type == JINJA_LIST && value->list->kind <= JINJA_LIST_TUPLE);
}

struct jinja_value jinja_operate (struct jinja_run *run, enum jinja_operator op, const struct jinja_value *left,
                                  const struct jinja_value *right)
{
  int64_t i, j;
  double x, y;
  jinja_count (run, 1);
  if (op == JINJA_JOIN || (op == JINJA_ADD && left->type == JINJA_STRING && right->type == JINJA_STRING))
    return jinja_string (jinja_string_concat (run, jinja_to_string (run, left), jinja_to_string (run, right)));
  if (op == JINJA_MODULO && left->type == JINJA_STRING)
    return jinja_string (jinja_format_percent (run, left->string, right));
  if (jinja_get_integer (left, &i) && jinja_get_integer (right, &j))
    return operate_integers (run, op, i, j);
  if (jinja_get_number (left, &x) && jinja_get_number (right, &y))
    return operate_floats (run, op, x, y);
  if (op == JINJA_MULTIPLY && is_repeatable (left) && jinja_get_integer (right, &j))
    return repeat (run, left, j);
  if (op == JINJA_MULTIPLY && is_repeatable (right) && jinja_get_integer (left, &i))
    return repeat (run, right, i);
  if (op == JINJA_ADD && left->type == JINJA_LIST && right->type == JINJA_LIST && left->list->kind == right->list->kind
      && left->list->kind <= JINJA_LIST_TUPLE)
    return add_lists (run, left->list, right->list);
  refuse (run, op, left, right);
}
