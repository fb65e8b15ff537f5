/* jinja_string.h: text that knows which of its bytes come from messages.
 *
 * Each byte is the template's or content. Only the template's bytes may become control tokens, so whatever is made from
 * content stays content: slices and concatenations keep the marks byte by byte, and what an operation puts in place of
 * content (replace) or between pieces of it (join) counts as content too. What a template writes itself because of what
 * a message says ({% if %}, {% for %} over its lines) is the template's. Positions are in characters, as in Python; a
 * byte that is no valid UTF-8 counts as one. Strings are immutable and live in the run's arena. */
#ifndef LECTERN_JINJA_STRING_H
#define LECTERN_JINJA_STRING_H

#include "engine/chat/jinja_run.h"

struct jinja_string {
  const char *bytes;
  const uint8_t *marks; /* [length], nonzero where content is; NULL: all of it is the template's */
  size_t length;        /* in bytes */
};

#define JINJA_NOWHERE SIZE_MAX

/* Borrows a NUL-terminated text. */
struct jinja_string jinja_string_of (const char *text);
/* Content: borrows the bytes, which must outlive the run. */
struct jinja_string jinja_string_content (struct jinja_run *run, const char *bytes, size_t length);

bool jinja_string_equal (struct jinja_string a, struct jinja_string b);
bool jinja_string_is (struct jinja_string a, const char *text);
int jinja_string_compare (struct jinja_string a, struct jinja_string b); /* by code point */
bool jinja_string_has_content (struct jinja_string string);
bool jinja_string_starts (struct jinja_string string, struct jinja_string start);
bool jinja_string_ends (struct jinja_string string, struct jinja_string end);

struct jinja_string jinja_string_concat (struct jinja_run *run, struct jinja_string a, struct jinja_string b);
struct jinja_string jinja_string_slice (struct jinja_string string, size_t from, size_t to); /* in bytes */
/* The first place at or after byte `from`, or JINJA_NOWHERE. */
size_t jinja_string_find (struct jinja_run *run, struct jinja_string string, struct jinja_string wanted, size_t from);
size_t jinja_string_find_last (struct jinja_run *run, struct jinja_string string, struct jinja_string wanted);

/* The character at byte `at` < length: its bytes, and its code point (0xDC00 + byte for an invalid one). */
size_t jinja_string_decode (struct jinja_string string, size_t at, uint32_t *code_point);
/* The byte where the character before byte `at` > 0 starts. */
size_t jinja_string_before (struct jinja_string string, size_t at);
size_t jinja_string_n_characters (struct jinja_run *run, struct jinja_string string);
bool jinja_is_space (uint32_t c); /* str.isspace() */

/* Without the characters of `set` at either end; without white space when set is NULL. */
struct jinja_string jinja_string_strip (struct jinja_run *run, struct jinja_string string,
                                        const struct jinja_string *set, bool left, bool right);

/* A string being made. Start from {.run = run}. */
struct jinja_builder {
  struct jinja_run *run;
  char *bytes;
  uint8_t *marks; /* NULL while all is the template's */
  size_t length, capacity;
};

void jinja_builder_add (struct jinja_builder *builder, struct jinja_string string);
/* As content if `content`, else with the string's own marks. */
void jinja_builder_add_as (struct jinja_builder *builder, struct jinja_string string, bool content);
void jinja_builder_add_text (struct jinja_builder *builder, const char *text);
void jinja_builder_add_character (struct jinja_builder *builder, uint32_t code_point, bool content);
__attribute__ ((format (printf, 2, 3))) void jinja_builder_add_format (struct jinja_builder *builder,
                                                                       const char *format, ...);
struct jinja_string jinja_builder_get (const struct jinja_builder *builder);

#endif
