/* Filters that give numbers, or stand in for what is missing. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_text.h"

#define MAX_DIGITS 400

#define FILTER(name) static struct jinja_value filter_##name (struct jinja_run *run, const struct jinja_call *call)

FILTER (default)
{
  bool missing
      = call->self.type == JINJA_UNDEFINED || (jinja_true_or (call->slots[1], false) && !jinja_is_true (&call->self));
  if (!missing)
    return call->self;
  return call->slots[0] ? *call->slots[0] : jinja_string (jinja_string_of (""));
}

FILTER (length)
{
  return jinja_integer ((int64_t)jinja_length (run, &call->self));
}

/* The number that a string spells, all of it; the decimal point is one whatever the locale says. */
static bool read_float (struct jinja_run *run, struct jinja_string string, double *real)
{
  char text[MAX_DIGITS + 32];
  size_t n = 0;
  long exponent = 0;
  bool fraction = false, any = false;
  string = jinja_string_strip (run, string, NULL, true, true);
  if (string.length == 0 || string.length > MAX_DIGITS)
    return false;
  size_t at = 0;
  if (string.bytes[0] == '-' || string.bytes[0] == '+')
    text[n++] = string.bytes[at++];
  for (; at < string.length; at++) {
    char c = string.bytes[at];
    if (c >= '0' && c <= '9') {
      text[n++] = c;
      exponent -= fraction;
      any = true;
    } else if (c == '.' && !fraction) {
      fraction = true;
    } else {
      break;
    }
  }
  if (at < string.length && any && (string.bytes[at] == 'e' || string.bytes[at] == 'E')) {
    char *end;
    char written[16] = "";
    size_t length = string.length - at - 1;
    if (length == 0 || length >= sizeof written || strchr (" \t\n", string.bytes[at + 1]))
      return false;
    memcpy (written, string.bytes + at + 1, length);
    exponent += strtol (written, &end, 10);
    if (*end)
      return false;
    at = string.length;
  }
  if (!any || at < string.length)
    return false;
  text[n] = 'e';
  /* Room for any long. */
  char digits[24];
  size_t n_digits = 0;
  unsigned long size = exponent < 0 ? 0 - (unsigned long)exponent : (unsigned long)exponent;
  do
    digits[n_digits++] = (char)('0' + size % 10);
  while (size /= 10);
  text[++n] = exponent < 0 ? '-' : '+';
  while (n_digits > 0)
    text[++n] = digits[--n_digits];
  text[n + 1] = '\0';
  *real = strtod (text, NULL);
  return true;
}

static bool read_integer (struct jinja_run *run, struct jinja_string string, int base, int64_t *integer)
{
  char text[80], *end;
  string = jinja_string_strip (run, string, NULL, true, true);
  if (string.length == 0 || string.length >= sizeof text || base < 0 || base == 1 || base > 36)
    return false;
  size_t n = 0;
  for (size_t at = 0; at < string.length; at++)
    if (string.bytes[at] != '_' || at == 0 || at + 1 == string.length || string.bytes[at - 1] == '_')
      text[n++] = string.bytes[at];
  text[n] = '\0';
  errno = 0;
  *integer = strtoll (text, &end, base);
  return errno == 0 && end == text + n;
}

static void refuse_undefined (struct jinja_run *run, const struct jinja_value *value)
{
  if (value->type == JINJA_UNDEFINED)
    jinja_need_string (run, value);
}

FILTER (int)
{
  struct jinja_value otherwise = call->slots[0] ? *call->slots[0] : jinja_integer (0);
  int64_t integer;
  double real;
  refuse_undefined (run, &call->self);
  if (jinja_get_integer (&call->self, &integer))
    return jinja_integer (integer);
  bool number = jinja_get_number (&call->self, &real);
  if (call->self.type == JINJA_STRING) {
    if (read_integer (run, call->self.string, (int)jinja_integer_or (run, call->slots[1], 10), &integer))
      return jinja_integer (integer);
    number = read_float (run, call->self.string, &real);
  }
  return number && fabs (real) < 9.2e18 ? jinja_integer ((int64_t)real) : otherwise;
}

FILTER (float)
{
  double real;
  refuse_undefined (run, &call->self);
  if (jinja_get_number (&call->self, &real)
      || (call->self.type == JINJA_STRING && read_float (run, call->self.string, &real)))
    return jinja_float (real);
  return call->slots[0] ? *call->slots[0] : jinja_float (0);
}

FILTER (abs)
{
  int64_t integer;
  double real;
  if (jinja_get_integer (&call->self, &integer)) {
    if (integer == INT64_MIN)
      jinja_fail (run, "a number becomes too large.");
    return jinja_integer (integer < 0 ? -integer : integer);
  }
  if (!jinja_get_number (&call->self, &real))
    jinja_fail (run, "abs needs a number, not a %s.", jinja_type_name (&call->self));
  return jinja_float (fabs (real));
}

/* To the nearest of `digits` decimals, halves to even, as the number is and not as it looks. */
static double round_real (double real, int digits)
{
  char printed[800], number[820];
  size_t n = 0;
  if (!isfinite (real) || digits > 300)
    return real;
  if (digits < 0) {
    double scale = pow (10, -digits);
    return nearbyint (real / scale) * scale;
  }
  /* Without the point, which the locale may write otherwise. */
  snprintf (printed, sizeof printed, "%.*f", digits, real);
  for (const char *at = printed; *at; at++)
    if (*at == '-' || (*at >= '0' && *at <= '9'))
      number[n++] = *at;
  snprintf (number + n, sizeof number - n, "e-%d", digits);
  return strtod (number, NULL);
}

static int64_t round_integer (int64_t integer, int64_t digits)
{
  int64_t scale = 1;
  for (; digits < 0; digits++)
    if (__builtin_mul_overflow (scale, 10, &scale))
      return 0;
  int64_t rest = integer % scale, down = integer - rest;
  int64_t twice = rest < 0 ? -rest : rest;
  bool up = twice > scale - twice || (twice == scale - twice && scale > 1 && down / scale % 2 != 0);
  int64_t rounded = down;
  if (up && __builtin_add_overflow (down, integer < 0 ? -scale : scale, &rounded))
    return down;
  return rounded;
}

FILTER (round)
{
  struct jinja_string method = call->slots[1] ? jinja_need_string (run, call->slots[1]) : jinja_string_of ("common");
  int64_t precision = jinja_integer_or (run, call->slots[0], 0), integer;
  double real;
  bool common = jinja_string_is (method, "common"), ceils = jinja_string_is (method, "ceil");
  if (!jinja_get_number (&call->self, &real))
    jinja_fail (run, "round needs a number, not a %s.", jinja_type_name (&call->self));
  if (precision < -300 || precision > 300)
    jinja_fail (run, "round cannot be that exact.");
  if (!common && !ceils && !jinja_string_is (method, "floor"))
    jinja_fail (run, "round knows common, ceil and floor.");
  if (common && jinja_get_integer (&call->self, &integer))
    return jinja_integer (round_integer (integer, precision));
  if (common)
    return jinja_float (round_real (real, (int)precision));
  double scale = pow (10, (double)precision), scaled = ceils ? ceil (real * scale) : floor (real * scale);
  return jinja_float (isfinite (scaled) ? scaled / scale : real);
}

const struct jinja_function jinja_number_filters[] = {
  { "default", filter_default, .parameters = { "default_value", "boolean" } },
  { "d", filter_default, .parameters = { "default_value", "boolean" } },
  { "length", filter_length },
  { "count", filter_length },
  { "int", filter_int, .parameters = { "default", "base" } },
  { "float", filter_float, .parameters = { "default" } },
  { "abs", filter_abs },
  { "round", filter_round, .parameters = { "precision", "method" } },
  { NULL },
};
