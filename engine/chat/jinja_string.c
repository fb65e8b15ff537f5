#include "engine/chat/jinja_string.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/tokenizer/unicode.h"
#include "engine/tokenizer/utf8.h"

struct jinja_string jinja_string_of (const char *text)
{
  return (struct jinja_string){ text, NULL, strlen (text) };
}

struct jinja_string jinja_string_content (struct jinja_run *run, const char *bytes, size_t length)
{
  uint8_t *marks = jinja_alloc (run, length + 1, 1);
  memset (marks, 1, length);
  return (struct jinja_string){ bytes, marks, length };
}

bool jinja_string_equal (struct jinja_string a, struct jinja_string b)
{
  return a.length == b.length && (a.length == 0 || memcmp (a.bytes, b.bytes, a.length) == 0);
}

bool jinja_string_is (struct jinja_string a, const char *text)
{
  return jinja_string_equal (a, jinja_string_of (text));
}

int jinja_string_compare (struct jinja_string a, struct jinja_string b)
{
  size_t n = a.length < b.length ? a.length : b.length;
  int order = n ? memcmp (a.bytes, b.bytes, n) : 0;
  return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

bool jinja_string_has_content (struct jinja_string string)
{
  return string.marks && memchr (string.marks, 1, string.length);
}

bool jinja_string_starts (struct jinja_string string, struct jinja_string start)
{
  return start.length <= string.length && jinja_string_equal (jinja_string_slice (string, 0, start.length), start);
}

bool jinja_string_ends (struct jinja_string string, struct jinja_string end)
{
  return end.length <= string.length
         && jinja_string_equal (jinja_string_slice (string, string.length - end.length, string.length), end);
}

struct jinja_string jinja_string_slice (struct jinja_string string, size_t from, size_t to)
{
  if (from >= to)
    return (struct jinja_string){ "", NULL, 0 };
  return (struct jinja_string){ string.bytes + from, string.marks ? string.marks + from : NULL, to - from };
}

struct jinja_string jinja_string_concat (struct jinja_run *run, struct jinja_string a, struct jinja_string b)
{
  if (a.length == 0 || b.length == 0)
    return a.length == 0 ? b : a;
  char *bytes = jinja_alloc (run, a.length + b.length, 1);
  uint8_t *marks = a.marks || b.marks ? jinja_alloc (run, a.length + b.length, 1) : NULL;
  jinja_count (run, (a.length + b.length) / 64);
  memcpy (bytes, a.bytes, a.length);
  memcpy (bytes + a.length, b.bytes, b.length);
  if (a.marks)
    memcpy (marks, a.marks, a.length);
  if (b.marks)
    memcpy (marks + a.length, b.marks, b.length);
  return (struct jinja_string){ bytes, marks, a.length + b.length };
}

size_t jinja_string_find (struct jinja_run *run, struct jinja_string string, struct jinja_string wanted, size_t from)
{
  if (from > string.length || wanted.length > string.length - from)
    return JINJA_NOWHERE;
  if (wanted.length == 0)
    return from;
  const char *found = memmem (string.bytes + from, string.length - from, wanted.bytes, wanted.length);
  jinja_count (run, ((found ? (size_t)(found - string.bytes) : string.length) - from) / 64);
  return found ? (size_t)(found - string.bytes) : JINJA_NOWHERE;
}

size_t jinja_string_find_last (struct jinja_run *run, struct jinja_string string, struct jinja_string wanted)
{
  size_t last = JINJA_NOWHERE;
  if (wanted.length == 0)
    return string.length;
  for (size_t at = 0; (at = jinja_string_find (run, string, wanted, at)) != JINJA_NOWHERE; at++) {
    jinja_count (run, 1);
    last = at;
  }
  return last;
}

size_t jinja_string_decode (struct jinja_string string, size_t at, uint32_t *code_point)
{
  size_t n = utf8_decode (string.bytes + at, string.length - at, code_point);
  if (n > 0)
    return n;
  if (code_point)
    *code_point = 0xDC00 + (uint8_t)string.bytes[at];
  return 1;
}

size_t jinja_string_before (struct jinja_string string, size_t at)
{
  for (size_t n = 2; n <= 4 && n <= at; n++)
    if (utf8_decode (string.bytes + at - n, n, NULL) == n)
      return at - n;
  return at - 1;
}

size_t jinja_string_n_characters (struct jinja_run *run, struct jinja_string string)
{
  size_t n = 0;
  jinja_count (run, string.length / 64);
  for (size_t at = 0; at < string.length; n++)
    at += jinja_string_decode (string, at, NULL);
  return n;
}

bool jinja_is_space (uint32_t c)
{
  return unicode_is_space (c) || (c >= 0x1C && c <= 0x1F);
}

static bool is_stripped (struct jinja_string string, size_t at, size_t n, const struct jinja_string *set)
{
  uint32_t c;
  if (!set) {
    jinja_string_decode (string, at, &c);
    return jinja_is_space (c);
  }
  for (size_t i = 0; i < set->length;) {
    size_t length = jinja_string_decode (*set, i, NULL);
    if (length == n && memcmp (set->bytes + i, string.bytes + at, n) == 0)
      return true;
    i += length;
  }
  return false;
}

struct jinja_string jinja_string_strip (struct jinja_run *run, struct jinja_string string,
                                        const struct jinja_string *set, bool left, bool right)
{
  size_t from = 0, to = string.length;
  while (left && from < to) {
    size_t n = jinja_string_decode (string, from, NULL);
    jinja_count (run, set ? 1 + set->length / 8 : 0);
    if (!is_stripped (string, from, n, set))
      break;
    from += n;
  }
  while (right && from < to) {
    size_t before = jinja_string_before (string, to);
    jinja_count (run, set ? 1 + set->length / 8 : 0);
    if (!is_stripped (string, before, to - before, set))
      break;
    to = before;
  }
  return jinja_string_slice (string, from, to);
}

/* ---- building -------------------------------------------------------------------------------------------- */

static void reserve (struct jinja_builder *builder, size_t n)
{
  if (n < builder->capacity - builder->length)
    return;
  size_t capacity = n > SIZE_MAX / 8 ? SIZE_MAX / 2 : 2 * (builder->length + n) + 32;
  char *bytes = jinja_alloc (builder->run, capacity, 1);
  if (builder->length)
    memcpy (bytes, builder->bytes, builder->length);
  if (builder->marks) {
    uint8_t *marks = jinja_alloc (builder->run, capacity, 1);
    memcpy (marks, builder->marks, builder->length);
    builder->marks = marks;
  }
  builder->bytes = bytes;
  builder->capacity = capacity;
}

void jinja_builder_add_as (struct jinja_builder *builder, struct jinja_string string, bool content)
{
  if (string.length == 0)
    return;
  jinja_count (builder->run, string.length / 64);
  reserve (builder, string.length);
  if (!builder->marks && (content || string.marks))
    builder->marks = jinja_alloc (builder->run, builder->capacity, 1);
  memcpy (builder->bytes + builder->length, string.bytes, string.length);
  if (content)
    memset (builder->marks + builder->length, 1, string.length);
  else if (string.marks)
    memcpy (builder->marks + builder->length, string.marks, string.length);
  builder->length += string.length;
}

void jinja_builder_add (struct jinja_builder *builder, struct jinja_string string)
{
  jinja_builder_add_as (builder, string, false);
}

void jinja_builder_add_text (struct jinja_builder *builder, const char *text)
{
  jinja_builder_add (builder, jinja_string_of (text));
}

void jinja_builder_add_character (struct jinja_builder *builder, uint32_t code_point, bool content)
{
  char bytes[4];
  size_t n = 1;
  if (code_point >= 0xDC80 && code_point <= 0xDCFF)
    bytes[0] = (char)(code_point - 0xDC00);
  else
    n = utf8_encode (code_point, bytes);
  jinja_builder_add_as (builder, (struct jinja_string){ bytes, NULL, n }, content);
}

void jinja_builder_add_format (struct jinja_builder *builder, const char *format, ...)
{
  char text[512];
  va_list arguments;
  va_start (arguments, format);
  int n = vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  if (n < 0 || (size_t)n >= sizeof text)
    jinja_fail (builder->run, "a number is too long to write.");
  jinja_builder_add_text (builder, text);
}

struct jinja_string jinja_builder_get (const struct jinja_builder *builder)
{
  if (builder->length == 0)
    return (struct jinja_string){ "", NULL, 0 };
  return (struct jinja_string){ builder->bytes, builder->marks, builder->length };
}
