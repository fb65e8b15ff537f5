/* str() and repr() of values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/chat/jinja_value.h"
#include "engine/tokenizer/unicode.h"

/* The shortest digits that read back as the same number, set as Python sets them. Only digits pass between printf and
 * strtod, so the locale's decimal point does not matter. */
void jinja_add_float (struct jinja_builder *builder, double real)
{
  char printed[64], digits[32], read_back[64];
  int n_digits = 0, exponent = 0;
  if (!isfinite (real)) {
    jinja_builder_add_text (builder, isnan (real) ? "nan" : real < 0 ? "-inf" : "inf");
    return;
  }
  for (int precision = 0; precision <= 16; precision++) {
    snprintf (printed, sizeof printed, "%.*e", precision, fabs (real));
    const char *at = printed;
    for (n_digits = 0; *at && *at != 'e'; at++)
      if (*at >= '0' && *at <= '9')
        digits[n_digits++] = *at;
    exponent = atoi (at + 1);
    snprintf (read_back, sizeof read_back, "%.*se%d", n_digits, digits, exponent - (n_digits - 1));
    if (strtod (read_back, NULL) == fabs (real))
      break;
  }
  while (n_digits > 1 && digits[n_digits - 1] == '0')
    n_digits--;
  if (signbit (real))
    jinja_builder_add_text (builder, "-");
  if (exponent < -4 || exponent >= 16) {
    jinja_builder_add_format (builder, n_digits > 1 ? "%c.%.*se%c%02d" : "%c%.*se%c%02d", digits[0], n_digits - 1,
                              digits + 1, exponent < 0 ? '-' : '+', abs (exponent));
  } else if (exponent < 0) {
    jinja_builder_add_format (builder, "0.%.*s%.*s", -exponent - 1, "0000", n_digits, digits);
  } else if (n_digits <= exponent + 1) {
    jinja_builder_add_format (builder, "%.*s%.*s.0", n_digits, digits, exponent + 1 - n_digits, "0000000000000000");
  } else {
    jinja_builder_add_format (builder, "%.*s.%.*s", exponent + 1, digits, n_digits - exponent - 1,
                              digits + exponent + 1);
  }
}

static void add_string_repr (struct jinja_builder *builder, struct jinja_string string)
{
  struct jinja_run *run = builder->run;
  const struct jinja_string quote = jinja_string_of ("'"), quotes = jinja_string_of ("\"");
  bool doubled = jinja_string_find (run, string, quote, 0) != JINJA_NOWHERE
                 && jinja_string_find (run, string, quotes, 0) == JINJA_NOWHERE;
  jinja_count (run, string.length);
  jinja_builder_add (builder, doubled ? quotes : quote);
  for (size_t at = 0; at < string.length;) {
    uint32_t c;
    size_t n = jinja_string_decode (string, at, &c);
    struct jinja_string character = jinja_string_slice (string, at, at + n);
    at += n;
    if (c == '\\' || (c == '\'' && !doubled)) {
      jinja_builder_add_text (builder, "\\");
      jinja_builder_add (builder, character);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      jinja_builder_add_text (builder, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (unicode_is_control (c) || (unicode_is_space (c) && c != ' ')) {
      jinja_builder_add_format (builder, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    } else {
      jinja_builder_add (builder, character);
    }
  }
  jinja_builder_add (builder, doubled ? quotes : quote);
}

static void add_list_repr (struct jinja_builder *builder, const struct jinja_list *list)
{
  if (list->kind == JINJA_LIST_RANGE) {
    jinja_builder_add_format (builder, "range(%lld, %lld", (long long)list->range[0], (long long)list->range[1]);
    if (list->range[2] != 1)
      jinja_builder_add_format (builder, ", %lld", (long long)list->range[2]);
    jinja_builder_add_text (builder, ")");
    return;
  }
  if (list->kind == JINJA_LIST_GENERATOR)
    jinja_fail (builder->run, "a generator has no text; |list or |join gives it one.");
  bool tuple = list->kind == JINJA_LIST_TUPLE, view = list->kind == JINJA_LIST_VIEW;
  if (view)
    jinja_builder_add_format (builder, "%s(", list->name);
  jinja_builder_add_text (builder, tuple ? "(" : "[");
  for (size_t i = 0; i < list->n; i++) {
    if (i > 0)
      jinja_builder_add_text (builder, ", ");
    jinja_add_repr (builder, &list->items[i]);
  }
  jinja_builder_add_text (builder, tuple ? list->n == 1 ? ",)" : ")" : view ? "])" : "]");
}

static void add_dict_repr (struct jinja_builder *builder, const struct jinja_dict *dict)
{
  jinja_builder_add_text (builder, "{");
  for (size_t i = 0; i < dict->n; i++) {
    if (i > 0)
      jinja_builder_add_text (builder, ", ");
    jinja_add_repr (builder, &dict->keys[i]);
    jinja_builder_add_text (builder, ": ");
    jinja_add_repr (builder, &dict->values[i]);
  }
  jinja_builder_add_text (builder, "}");
}

void jinja_add_repr (struct jinja_builder *builder, const struct jinja_value *value)
{
  struct jinja_run *run = builder->run;
  jinja_count (run, 1);
  jinja_enter (run);
  switch (value->type) {
  case JINJA_UNDEFINED: jinja_builder_add_text (builder, "Undefined"); break;
  case JINJA_NONE: jinja_builder_add_text (builder, "None"); break;
  case JINJA_BOOLEAN: jinja_builder_add_text (builder, value->boolean ? "True" : "False"); break;
  case JINJA_INTEGER: jinja_builder_add_format (builder, "%lld", (long long)value->integer); break;
  case JINJA_FLOAT: jinja_add_float (builder, value->real); break;
  case JINJA_STRING: add_string_repr (builder, value->string); break;
  case JINJA_LIST: add_list_repr (builder, value->list); break;
  case JINJA_DICT: add_dict_repr (builder, value->dict); break;
  case JINJA_NAMESPACE:
    jinja_builder_add_text (builder, "<Namespace ");
    add_dict_repr (builder, value->dict);
    jinja_builder_add_text (builder, ">");
    break;
  case JINJA_MACRO:
  case JINJA_FUNCTION:
  case JINJA_LOOP: jinja_fail (run, "a %s has no text.", jinja_type_name (value));
  }
  jinja_leave (run);
}

struct jinja_string jinja_to_string (struct jinja_run *run, const struct jinja_value *value)
{
  struct jinja_builder builder = { .run = run };
  if (value->type == JINJA_STRING)
    return value->string;
  if (value->type != JINJA_UNDEFINED)
    jinja_add_repr (&builder, value);
  return jinja_builder_get (&builder);
}
