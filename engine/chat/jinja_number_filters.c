/* Filters that give numbers, or stand in for what is missing. */
#include <errno.h>
#include <math.h>
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
  memcpy (text, string.bytes, string.length);
  text[string.length] = '\0';
  errno = 0;
  *integer = strtoll (text, &end, base);
  return errno == 0 && *end == '\0' && end == text + string.length;
}

FILTER (int)
{
  struct jinja_value otherwise = call->slots[0] ? *call->slots[0] : jinja_integer (0);
  int64_t integer;
  double real;
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

FILTER (round)
{
  struct jinja_string method = call->slots[1] ? jinja_need_string (run, call->slots[1]) : jinja_string_of ("common");
  int64_t precision = jinja_integer_or (run, call->slots[0], 0);
  double real;
  if (!jinja_get_number (&call->self, &real))
    jinja_fail (run, "round needs a number, not a %s.", jinja_type_name (&call->self));
  if (precision < -300 || precision > 300)
    jinja_fail (run, "round cannot be that exact.");
  double scale = pow (10, (double)precision), scaled = real * scale;
  if (jinja_string_is (method, "ceil"))
    scaled = ceil (scaled);
  else if (jinja_string_is (method, "floor"))
    scaled = floor (scaled);
  else if (jinja_string_is (method, "common"))
    scaled = nearbyint (scaled);
  else
    jinja_fail (run, "round knows common, ceil and floor.");
  int64_t integer;
  if (jinja_get_integer (&call->self, &integer) && jinja_string_is (method, "common") && precision >= 0)
    return jinja_integer (integer);
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
