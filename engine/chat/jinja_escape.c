/* The escapes of Python's string literals. */
#include "engine/chat/jinja_lexer.h"

#include <string.h>

static int digit_of (char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : 99;
}

/* Up to `most` digits of the base at `at`; how many there were. */
static size_t read_digits (struct jinja_string text, size_t at, size_t most, int base, uint32_t *number)
{
  size_t n = 0;
  *number = 0;
  while (n < most && at + n < text.length && digit_of (text.bytes[at + n]) < base)
    *number = *number * (uint32_t)base + (uint32_t)digit_of (text.bytes[at + n++]);
  return n;
}

static size_t add_code_point (struct jinja_builder *builder, struct jinja_string text, size_t at, char kind)
{
  size_t wanted = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  uint32_t c, low;
  if (read_digits (text, at, wanted, 16, &c) != wanted || c > 0x10FFFF)
    jinja_fail (builder->run, "“\\%c” in a string needs %zu hexadecimal digits of a character.", kind, wanted);
  /* Two halves that together make one character */
  if (c >= 0xD800 && c <= 0xDBFF && at + wanted + 6 <= text.length && memcmp (text.bytes + at + wanted, "\\u", 2) == 0
      && read_digits (text, at + wanted + 2, 4, 16, &low) == 4 && low >= 0xDC00 && low <= 0xDFFF) {
    jinja_builder_add_character (builder, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00), false);
    return wanted + 6;
  }
  jinja_builder_add_character (builder, c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c, false);
  return wanted;
}

struct jinja_string jinja_unescape (struct jinja_run *run, struct jinja_string quoted)
{
  static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
  if (quoted.length == 0 || !memchr (quoted.bytes, '\\', quoted.length))
    return quoted;
  struct jinja_builder builder = { .run = run };
  for (size_t at = 0; at < quoted.length;) {
    const char *backslash = memchr (quoted.bytes + at, '\\', quoted.length - at);
    size_t next = backslash ? (size_t)(backslash - quoted.bytes) : quoted.length;
    jinja_builder_add (&builder, jinja_string_slice (quoted, at, next));
    at = next + 1;
    if (at >= quoted.length)
      break;
    char c = quoted.bytes[at];
    const char *simple = c ? strchr (from, c) : NULL;
    uint32_t code;
    if (simple) {
      jinja_builder_add_character (&builder, (uint32_t)to[simple - from], false);
      at++;
    } else if (c == '\n') {
      at++;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      at += 1 + add_code_point (&builder, quoted, at + 1, c);
    } else if (digit_of (c) < 8) {
      at += read_digits (quoted, at, 3, 8, &code);
      jinja_builder_add_character (&builder, code, false);
    } else {
      jinja_builder_add_text (&builder, "\\");
    }
  }
  return jinja_builder_get (&builder);
}
