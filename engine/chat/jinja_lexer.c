#include "engine/chat/jinja_lexer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS 200000

struct lexer {
  struct jinja_run *run;
  struct jinja_string source;
  size_t at;
  uint32_t line;    /* of `at` */
  size_t counted;   /* up to where lines were counted */
  bool line_starts; /* what was read last ended with a line end, or nothing was read yet */
  bool trims_left;  /* the tag before ended with "-": white space after it goes */
  struct jinja_tokens tokens;
};

static void push (struct lexer *lexer, enum jinja_token_type type, struct jinja_string text, struct jinja_value value)
{
  struct jinja_tokens *tokens = &lexer->tokens;
  if (tokens->n == MAX_TOKENS)
    jinja_fail (lexer->run, "it has more than %d words and signs.", MAX_TOKENS);
  if (tokens->n == tokens->capacity) {
    size_t capacity = tokens->capacity ? 2 * tokens->capacity : 256;
    struct jinja_token *grown = jinja_alloc (lexer->run, capacity, sizeof *grown);
    if (tokens->n)
      memcpy (grown, tokens->items, tokens->n * sizeof *grown);
    tokens->items = grown;
    tokens->capacity = capacity;
  }
  tokens->items[tokens->n++] = (struct jinja_token){ type, lexer->run->line, text, value };
}

static void push_text (struct lexer *lexer, enum jinja_token_type type, size_t from, size_t to)
{
  push (lexer, type, jinja_string_slice (lexer->source, from, to), jinja_none ());
}

/* Moves on; the run's line follows. */
static void go_to (struct lexer *lexer, size_t at)
{
  for (; lexer->counted < at; lexer->counted++)
    lexer->line += lexer->source.bytes[lexer->counted] == '\n';
  if (at > lexer->at)
    lexer->line_starts = lexer->source.bytes[at - 1] == '\n';
  lexer->at = at;
  lexer->run->line = lexer->line;
}

static bool has (const struct lexer *lexer, size_t at, const char *text)
{
  size_t n = strlen (text);
  return at <= lexer->source.length && n <= lexer->source.length - at
         && memcmp (lexer->source.bytes + at, text, n) == 0;
}

static size_t skip_space (const struct lexer *lexer, size_t at)
{
  uint32_t c;
  while (at < lexer->source.length) {
    size_t n = jinja_string_decode (lexer->source, at, &c);
    if (!jinja_is_space (c))
      break;
    at += n;
  }
  return at;
}

/* Text up to a tag. "-" at the tag takes away all white space before it; otherwise, for tags that make no text, what
 * stands between the start of the line and the tag goes if it is white space only. */
static void push_data (struct lexer *lexer, size_t from, size_t to, char sign, bool makes_text, bool line_starts)
{
  struct jinja_string data = jinja_string_slice (lexer->source, from, to);
  if (sign == '-') {
    data = jinja_string_strip (lexer->run, data, NULL, false, true);
  } else if (sign != '+' && !makes_text && data.length > 0) {
    const char *last = memrchr (data.bytes, '\n', data.length);
    size_t start = last ? (size_t)(last - data.bytes) + 1 : 0;
    struct jinja_string tail = jinja_string_slice (data, start, data.length);
    if ((start > 0 || line_starts) && jinja_string_strip (lexer->run, tail, NULL, true, false).length == 0)
      data = jinja_string_slice (data, 0, start);
  }
  if (data.length > 0)
    push (lexer, JINJA_TOKEN_DATA, data, jinja_none ());
}

/* After the end of a tag: "-" takes white space away, "+" keeps it, else one line end goes. */
static size_t after_tag (const struct lexer *lexer, size_t at, char sign)
{
  if (sign == '-')
    return skip_space (lexer, at);
  return sign != '+' && has (lexer, at, "\n") ? at + 1 : at;
}

static char sign_at (const struct lexer *lexer, size_t at)
{
  return at < lexer->source.length && (lexer->source.bytes[at] == '-' || lexer->source.bytes[at] == '+')
             ? lexer->source.bytes[at]
             : '\0';
}

/* The next `wanted` at or after `at` with an optional sign before it; where it begins, sign included. */
static size_t find_end (const struct lexer *lexer, size_t at, const char *wanted, char *sign, const char *what)
{
  size_t found = jinja_string_find (lexer->run, lexer->source, jinja_string_of (wanted), at);
  if (found == JINJA_NOWHERE)
    jinja_fail (lexer->run, "%s is not closed.", what);
  *sign = found > at ? sign_at (lexer, found - 1) : '\0';
  return found;
}

static void lex_comment (struct lexer *lexer, size_t start)
{
  char sign;
  go_to (lexer, start);
  size_t end = find_end (lexer, start, "#}", &sign, "a comment");
  go_to (lexer, after_tag (lexer, end + 2, sign));
}

/* {% raw %}: text up to {% endraw %} stands for itself. True if this was one. */
static bool lex_raw (struct lexer *lexer, size_t start, size_t inside)
{
  size_t at = skip_space (lexer, inside);
  if (!has (lexer, at, "raw"))
    return false;
  at = skip_space (lexer, at + 3);
  char sign = sign_at (lexer, at);
  if (sign == '+' || !has (lexer, at + (sign ? 1 : 0), "%}"))
    return false;
  go_to (lexer, start);
  go_to (lexer, sign ? skip_space (lexer, at + 3) : at + 2);
  for (size_t from = lexer->at, tag = from;; tag += 2) {
    bool line_starts = lexer->line_starts;
    tag = jinja_string_find (lexer->run, lexer->source, jinja_string_of ("{%"), tag);
    if (tag == JINJA_NOWHERE)
      jinja_fail (lexer->run, "{%% raw %%} is not closed.");
    char before = sign_at (lexer, tag + 2);
    at = skip_space (lexer, tag + 2 + (before ? 1 : 0));
    if (!has (lexer, at, "endraw"))
      continue;
    at = skip_space (lexer, at + 6);
    sign = sign_at (lexer, at);
    if (!has (lexer, at + (sign ? 1 : 0), "%}"))
      continue;
    push_data (lexer, from, tag, before, false, line_starts);
    go_to (lexer, after_tag (lexer, at + (sign ? 3 : 2), sign));
    return true;
  }
}

static bool is_digit (char c)
{
  return c >= '0' && c <= '9';
}

static bool is_name_start (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static size_t skip_digits (const struct lexer *lexer, size_t at)
{
  while (at < lexer->source.length
         && (is_digit (lexer->source.bytes[at])
             || (lexer->source.bytes[at] == '_' && at + 1 < lexer->source.length
                 && is_digit (lexer->source.bytes[at + 1]))))
    at++;
  return at;
}

static void lex_number (struct lexer *lexer)
{
  const char *bytes = lexer->source.bytes;
  size_t length = lexer->source.length, from = lexer->at, to = skip_digits (lexer, from);
  bool real = false;
  /* After a dot it is the number of an item: "a.0.1" */
  if (from == 0 || bytes[from - 1] != '.') {
    if (to + 1 < length && bytes[to] == '.' && is_digit (bytes[to + 1])) {
      real = true;
      to = skip_digits (lexer, to + 1);
    }
    size_t exponent = to + 1 < length && (bytes[to] == 'e' || bytes[to] == 'E') ? to + 1 : 0;
    if (exponent && (bytes[exponent] == '+' || bytes[exponent] == '-'))
      exponent++;
    if (exponent && exponent < length && is_digit (bytes[exponent])) {
      real = true;
      to = skip_digits (lexer, exponent);
    }
  }
  /* Without the underscores and the dot, which depends on the locale: "12.5e3" is read as 125e2. */
  char digits[64];
  size_t n = 0;
  long exponent = 0;
  bool fraction = false;
  for (size_t at = from; at < to; at++) {
    if (bytes[at] == '.') {
      fraction = true;
    } else if (bytes[at] == 'e' || bytes[at] == 'E') {
      long written = 0;
      for (size_t i = at + 1; i < to; i++)
        written = is_digit (bytes[i]) && written < 10000 ? 10 * written + (bytes[i] - '0') : written;
      exponent += bytes[at + 1] == '-' ? -written : written;
      break;
    } else if (is_digit (bytes[at])) {
      if (n + 16 > sizeof digits)
        jinja_fail (lexer->run, "the number is too long.");
      digits[n++] = bytes[at];
      exponent -= fraction;
    }
  }
  digits[n] = '\0';
  struct jinja_value value;
  if (real) {
    snprintf (digits + n, sizeof digits - n, "e%ld", exponent);
    value = jinja_float (strtod (digits, NULL));
  } else {
    errno = 0;
    value = jinja_integer (strtoll (digits, NULL, 10));
    if (errno)
      jinja_fail (lexer->run, "the number is too large.");
  }
  push (lexer, JINJA_TOKEN_CONSTANT, jinja_string_slice (lexer->source, from, to), value);
  go_to (lexer, to);
}

static void lex_string (struct lexer *lexer)
{
  const char *bytes = lexer->source.bytes;
  size_t from = lexer->at, to = from + 1;
  while (to < lexer->source.length && bytes[to] != bytes[from])
    to += bytes[to] == '\\' ? 2 : 1;
  if (to >= lexer->source.length)
    jinja_fail (lexer->run, "a string is not closed.");
  struct jinja_string text = jinja_string_slice (lexer->source, from, to + 1);
  push (lexer, JINJA_TOKEN_CONSTANT, text,
        jinja_string (jinja_unescape (lexer->run, jinja_string_slice (lexer->source, from + 1, to))));
  go_to (lexer, to + 1);
}

/* What stands in a tag, up to its end, which brackets hide. */
static void lex_inside (struct lexer *lexer, const char *end, enum jinja_token_type end_type)
{
  static const char *const operators[] = { "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                           "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";" };
  char closing[JINJA_MAX_DEPTH];
  size_t n_closing = 0;
  for (;;) {
    go_to (lexer, skip_space (lexer, lexer->at));
    if (lexer->at == lexer->source.length)
      jinja_fail (lexer->run, "a tag is not closed: “%s” is missing.", end);
    char sign = sign_at (lexer, lexer->at);
    size_t end_at = lexer->at + (sign ? 1 : 0);
    if (n_closing == 0 && has (lexer, end_at, end) && (sign != '+' || end_type == JINJA_TOKEN_BLOCK_END)) {
      push_text (lexer, end_type, lexer->at, end_at + 2);
      if (end_type == JINJA_TOKEN_BLOCK_END)
        go_to (lexer, after_tag (lexer, end_at + 2, sign));
      else
        go_to (lexer, sign == '-' ? skip_space (lexer, end_at + 2) : end_at + 2);
      return;
    }
    char c = lexer->source.bytes[lexer->at];
    if (is_digit (c)) {
      lex_number (lexer);
      continue;
    }
    if (c == '"' || c == '\'') {
      lex_string (lexer);
      continue;
    }
    if (is_name_start (c)) {
      size_t to = lexer->at;
      while (to < lexer->source.length
             && (is_name_start (lexer->source.bytes[to]) || is_digit (lexer->source.bytes[to])))
        to++;
      push_text (lexer, JINJA_TOKEN_NAME, lexer->at, to);
      go_to (lexer, to);
      continue;
    }
    size_t i = 0, n = sizeof operators / sizeof *operators;
    while (i < n && !has (lexer, lexer->at, operators[i]))
      i++;
    if (i == n)
      jinja_fail (lexer->run, "the sign “%.1s” means nothing here.", lexer->source.bytes + lexer->at);
    if (strchr ("([{", c)) {
      if (n_closing == sizeof closing)
        jinja_fail (lexer->run, "brackets are nested more than %d deep.", JINJA_MAX_DEPTH);
      closing[n_closing++] = c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (strchr (")]}", c) && (n_closing == 0 || closing[--n_closing] != c)) {
      jinja_fail (lexer->run, "“%c” closes nothing.", c);
    }
    push_text (lexer, JINJA_TOKEN_OPERATOR, lexer->at, lexer->at + strlen (operators[i]));
    go_to (lexer, lexer->at + strlen (operators[i]));
  }
}

/* The next "{{", "{%" or "{#". */
static size_t find_tag (const struct lexer *lexer)
{
  for (size_t at = lexer->at; at + 1 < lexer->source.length; at++) {
    const char *brace = memchr (lexer->source.bytes + at, '{', lexer->source.length - 1 - at);
    if (!brace)
      break;
    at = (size_t)(brace - lexer->source.bytes);
    if (strchr ("{%#", brace[1]) && brace[1])
      return at;
  }
  return lexer->source.length;
}

struct jinja_tokens jinja_lex (struct jinja_run *run, struct jinja_string source)
{
  struct lexer lexer = { .run = run, .source = source, .line = 1, .line_starts = true };
  run->line = 1;
  while (lexer.at < source.length) {
    size_t from = lexer.at, tag = find_tag (&lexer);
    bool line_starts = lexer.line_starts;
    if (tag == source.length) {
      push_text (&lexer, JINJA_TOKEN_DATA, from, tag);
      break;
    }
    char kind = source.bytes[tag + 1], sign = sign_at (&lexer, tag + 2);
    size_t inside = tag + (sign ? 3 : 2);
    push_data (&lexer, from, tag, sign, kind == '{', line_starts);
    if (kind == '#') {
      lex_comment (&lexer, inside);
    } else if (kind == '{') {
      go_to (&lexer, inside);
      push_text (&lexer, JINJA_TOKEN_VARIABLE_BEGIN, tag, inside);
      lex_inside (&lexer, "}}", JINJA_TOKEN_VARIABLE_END);
    } else if (!lex_raw (&lexer, tag, inside)) {
      go_to (&lexer, inside);
      push_text (&lexer, JINJA_TOKEN_BLOCK_BEGIN, tag, inside);
      lex_inside (&lexer, "%}", JINJA_TOKEN_BLOCK_END);
    }
  }
  push (&lexer, JINJA_TOKEN_END, jinja_string_of (""), jinja_none ());
  return lexer.tokens;
}
