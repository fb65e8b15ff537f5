/* string % arguments, as Python's printf-style formatting. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/chat/jinja_call.h"

#define MAX_WIDTH 1000
#define MAX_PRECISION 40

struct format {
  struct jinja_run *run;
  struct jinja_string text;
  size_t at;
  const struct jinja_value *argument; /* a tuple's items are taken one by one, a dict's by name */
  size_t n_taken;
};

struct directive {
  bool left, plus, space, zero, alternate;
  size_t width;
  int precision; /* -1: none */
};

static struct jinja_value take (struct format *format)
{
  const struct jinja_value *argument = format->argument;
  bool tuple = argument->type == JINJA_LIST && argument->list->kind == JINJA_LIST_TUPLE;
  if (format->n_taken >= (tuple ? argument->list->n : 1))
    jinja_fail (format->run, "the format has more places than there are values.");
  format->n_taken++;
  return tuple ? argument->list->items[format->n_taken - 1] : *argument;
}

static struct jinja_value take_named (struct format *format)
{
  struct jinja_string text = format->text;
  size_t from = ++format->at;
  while (format->at < text.length && text.bytes[format->at] != ')')
    format->at++;
  struct jinja_value key = jinja_string (jinja_string_slice (text, from, format->at++));
  const struct jinja_value *value = NULL;
  if (format->argument->type == JINJA_DICT)
    value = jinja_dict_find (format->run, format->argument->dict, key);
  if (!value)
    jinja_fail (format->run, "the format names a value that is not given.");
  format->n_taken = 1;
  return *value;
}

static char next_of (const struct format *format)
{
  return format->at < format->text.length ? format->text.bytes[format->at] : '\0';
}

static size_t read_number (struct format *format, size_t most)
{
  size_t number = 0;
  for (; next_of (format) >= '0' && next_of (format) <= '9'; format->at++)
    number = number > most ? number : 10 * number + (size_t)(next_of (format) - '0');
  if (number > most)
    jinja_fail (format->run, "a width in the format is larger than %zu.", most);
  return number;
}

static struct directive read_directive (struct format *format)
{
  struct directive directive = { .precision = -1 };
  for (; next_of (format) && strchr ("-+ 0#", next_of (format)); format->at++) {
    directive.left = directive.left || next_of (format) == '-';
    directive.plus = directive.plus || next_of (format) == '+';
    directive.space = directive.space || next_of (format) == ' ';
    directive.zero = directive.zero || next_of (format) == '0';
    directive.alternate = directive.alternate || next_of (format) == '#';
  }
  directive.width = read_number (format, MAX_WIDTH);
  if (next_of (format) == '.') {
    format->at++;
    directive.precision = (int)read_number (format, MAX_PRECISION);
  }
  return directive;
}

/* Digits of a number without its sign, which are padded after the sign when zeros are asked for. */
static void add_number (struct jinja_builder *builder, const struct directive *directive, bool negative,
                        const char *digits)
{
  const char *sign = negative ? "-" : directive->plus ? "+" : directive->space ? " " : "";
  size_t length = strlen (sign) + strlen (digits);
  size_t padding = directive->width > length ? directive->width - length : 0;
  bool zeros = directive->zero && !directive->left;
  for (size_t i = 0; !zeros && !directive->left && i < padding; i++)
    jinja_builder_add_text (builder, " ");
  jinja_builder_add_text (builder, sign);
  for (size_t i = 0; zeros && i < padding; i++)
    jinja_builder_add_text (builder, "0");
  jinja_builder_add_text (builder, digits);
  for (size_t i = 0; directive->left && i < padding; i++)
    jinja_builder_add_text (builder, " ");
}

static void add_integer (struct jinja_builder *builder, const struct directive *directive, char kind,
                         const struct jinja_value *value)
{
  struct jinja_run *run = builder->run;
  char digits[96], padded[160];
  int64_t integer;
  double real;
  if (!jinja_get_integer (value, &integer)) {
    if (kind != 'd' || !jinja_get_number (value, &real) || !(fabs (real) < 9e18))
      jinja_fail (run, "%%%c needs a number, not a %s.", kind, jinja_type_name (value));
    integer = (int64_t)real;
  }
  unsigned long long size = integer < 0 ? 0 - (unsigned long long)integer : (unsigned long long)integer;
  const char *prefix = !directive->alternate || kind == 'd' ? "" : kind == 'x' ? "0x" : kind == 'X' ? "0X" : "0o";
  snprintf (digits, sizeof digits, kind == 'd' ? "%llu" : kind == 'x' ? "%llx" : kind == 'X' ? "%llX" : "%llo", size);
  int missing = directive->precision - (int)strlen (digits);
  snprintf (padded, sizeof padded, "%s%.*s%s", prefix, missing > 0 ? missing : 0,
            "0000000000000000000000000000000000000000", digits);
  add_number (builder, directive, integer < 0, padded);
}

static void add_real (struct jinja_builder *builder, const struct directive *directive, char kind,
                      const struct jinja_value *value)
{
  char digits[512];
  const char pattern[] = { '%', '.', '*', kind, '\0' }, alternate[] = { '%', '#', '.', '*', kind, '\0' };
  double real;
  if (!jinja_get_number (value, &real))
    jinja_fail (builder->run, "%%%c needs a number, not a %s.", kind, jinja_type_name (value));
  int precision = directive->precision < 0 ? 6 : directive->precision;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf (digits, sizeof digits, directive->alternate ? alternate : pattern, precision, fabs (real));
#pragma GCC diagnostic pop
  /* The locale may write the point as something else. */
  char *point = digits + strspn (digits, "0123456789");
  if (*point && !strchr ("eE.infaINFA", *point)) {
    size_t length = strcspn (point, "0123456789eE");
    memmove (point + 1, point + length, strlen (point + length) + 1);
    *point = '.';
  }
  add_number (builder, directive, signbit (real) && !isnan (real), digits);
}

static void add_padded (struct jinja_builder *builder, const struct directive *directive, struct jinja_string string)
{
  size_t n = jinja_string_n_characters (builder->run, string);
  if (directive->precision >= 0 && n > (size_t)directive->precision) {
    struct jinja_value whole = jinja_string (string), last = jinja_integer (directive->precision);
    string = jinja_get_slice (builder->run, &whole, NULL, &last, NULL).string;
    n = (size_t)directive->precision;
  }
  for (size_t i = n; !directive->left && i < directive->width; i++)
    jinja_builder_add_text (builder, " ");
  jinja_builder_add (builder, string);
  for (size_t i = n; directive->left && i < directive->width; i++)
    jinja_builder_add_text (builder, " ");
}

/* A number names a character that the template did not write, so it counts as content. */
static struct jinja_string character_of (struct jinja_run *run, const struct jinja_value *value)
{
  struct jinja_builder builder = { .run = run };
  int64_t code;
  if (value->type == JINJA_STRING && jinja_string_n_characters (run, value->string) == 1)
    return value->string;
  if (!jinja_get_integer (value, &code) || code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    jinja_fail (run, "%%c needs a character.");
  jinja_builder_add_character (&builder, (uint32_t)code, true);
  return jinja_builder_get (&builder);
}

static void add_directive (struct jinja_builder *builder, struct format *format)
{
  struct jinja_run *run = format->run;
  if (next_of (format) == '%') {
    jinja_builder_add (builder, jinja_string_slice (format->text, format->at, format->at + 1));
    format->at++;
    return;
  }
  bool named = next_of (format) == '(';
  struct jinja_value value = jinja_none ();
  if (named)
    value = take_named (format);
  struct directive directive = read_directive (format);
  char kind = next_of (format);
  format->at++;
  if (!kind || !strchr ("srdiuxXofFeEgGc", kind))
    jinja_fail (run, "the format asks for what is not known here.");
  if (!named)
    value = take (format);
  struct jinja_builder repr = { .run = run };
  switch (kind) {
  case 's': add_padded (builder, &directive, jinja_to_string (run, &value)); break;
  case 'r':
    jinja_add_repr (&repr, &value);
    add_padded (builder, &directive, jinja_builder_get (&repr));
    break;
  case 'c': add_padded (builder, &directive, character_of (run, &value)); break;
  case 'd':
  case 'i':
  case 'u': add_integer (builder, &directive, 'd', &value); break;
  case 'x':
  case 'X':
  case 'o': add_integer (builder, &directive, kind, &value); break;
  default: add_real (builder, &directive, kind, &value);
  }
}

struct jinja_string jinja_format_percent (struct jinja_run *run, struct jinja_string text,
                                          const struct jinja_value *argument)
{
  struct format format = { .run = run, .text = text, .argument = argument };
  struct jinja_builder builder = { .run = run };
  bool tuple = argument->type == JINJA_LIST && argument->list->kind == JINJA_LIST_TUPLE;
  while (format.at < text.length) {
    size_t percent = jinja_string_find (run, text, jinja_string_of ("%"), format.at);
    if (percent == JINJA_NOWHERE)
      percent = text.length;
    jinja_builder_add (&builder, jinja_string_slice (text, format.at, percent));
    format.at = percent + 1;
    if (percent < text.length)
      add_directive (&builder, &format);
  }
  if (argument->type != JINJA_DICT && format.n_taken < (tuple ? argument->list->n : 1))
    jinja_fail (run, "the format has fewer places than there are values.");
  return jinja_builder_get (&builder);
}
