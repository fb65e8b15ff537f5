#include "engine/chat/jinja_text.h"

#include <string.h>

#include "engine/chat/jinja_call.h"
#include "engine/tokenizer/unicode.h"

int64_t jinja_integer_or (struct jinja_run *run, const struct jinja_value *value, int64_t otherwise)
{
  return value && value->type != JINJA_NONE ? jinja_need_integer (run, value) : otherwise;
}

bool jinja_true_or (const struct jinja_value *value, bool otherwise)
{
  return value ? jinja_is_true (value) : otherwise;
}

/* ---- case ------------------------------------------------------------------------------------------------ */

static uint32_t to_upper (struct jinja_run *run, uint32_t c)
{
  if (c < 0x80)
    return c >= 'a' && c <= 'z' ? c - 32 : c;
  jinja_count (run, unicode_n_lowers / 64);
  for (size_t i = 0; i < unicode_n_lowers; i++)
    if (unicode_lowers[i].to == c)
      return unicode_lowers[i].from;
  return c;
}

static bool starts_word (enum jinja_case change, uint32_t before)
{
  switch (change) {
  case JINJA_TITLE: {
    bool letter = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') || before >= 0xAA;
    return !letter || unicode_is_space (before) || unicode_is_punctuation (before);
  }
  case JINJA_TITLE_WORDS: return jinja_is_space (before) || (before < 0x80 && before && strchr ("-({[<", (int)before));
  case JINJA_LOWER:
  case JINJA_UPPER:
  case JINJA_CAPITALIZE: break;
  }
  return false;
}

struct jinja_string jinja_change_case (struct jinja_run *run, struct jinja_string string, enum jinja_case change)
{
  struct jinja_builder builder = { .run = run };
  uint32_t c, before = 0;
  jinja_count (run, string.length / 4);
  for (size_t at = 0; at < string.length;) {
    size_t n = jinja_string_decode (string, at, &c);
    bool up = change == JINJA_UPPER || (change != JINJA_LOWER && (at == 0 || starts_word (change, before)));
    bool content = string.marks && string.marks[at];
    before = c;
    if (c == 0xDF && up) {
      jinja_builder_add_as (&builder, jinja_string_of (change == JINJA_UPPER ? "SS" : "Ss"), content);
    } else {
      uint32_t changed = up ? to_upper (run, c) : unicode_to_lower (c);
      if (changed == c)
        jinja_builder_add (&builder, jinja_string_slice (string, at, at + n));
      else
        jinja_builder_add_character (&builder, changed, content);
    }
    at += n;
  }
  return jinja_builder_get (&builder);
}

/* ---- pieces ---------------------------------------------------------------------------------------------- */

struct jinja_string jinja_replace (struct jinja_run *run, struct jinja_string string, struct jinja_string old,
                                   struct jinja_string new, int64_t most)
{
  struct jinja_builder builder = { .run = run };
  bool content = jinja_string_has_content (string);
  size_t from = 0;
  for (int64_t i = 0; (most < 0 || i < most) && from <= string.length; i++) {
    size_t at = old.length == 0 ? from : jinja_string_find (run, string, old, from);
    if (at == JINJA_NOWHERE)
      break;
    jinja_count (run, 1);
    jinja_builder_add (&builder, jinja_string_slice (string, from, at));
    jinja_builder_add_as (
        &builder, new,
        old.length == 0 ? content : jinja_string_has_content (jinja_string_slice (string, at, at + old.length)));
    from = at + old.length;
    if (old.length == 0) {
      size_t n = at < string.length ? jinja_string_decode (string, at, NULL) : 1;
      if (at < string.length && (most < 0 || i + 1 < most))
        jinja_builder_add (&builder, jinja_string_slice (string, at, at + n));
      else if (at < string.length)
        n = 0;
      from = at + n;
    }
  }
  if (from < string.length)
    jinja_builder_add (&builder, jinja_string_slice (string, from, string.length));
  return jinja_builder_get (&builder);
}

static void reverse (struct jinja_list *list)
{
  for (size_t i = 0, j = list->n; i + 1 < j; i++) {
    struct jinja_value item = list->items[i];
    list->items[i] = list->items[--j];
    list->items[j] = item;
  }
}

/* str.split() without a separator: words, and white space at the ends does not count. */
static void split_words (struct jinja_run *run, struct jinja_string string, int64_t most, struct jinja_list *pieces)
{
  uint32_t c;
  string = jinja_string_strip (run, string, NULL, true, false);
  while (string.length > 0) {
    size_t at = 0;
    while (at < string.length && (most < 0 || (int64_t)pieces->n < most)) {
      size_t n = jinja_string_decode (string, at, &c);
      if (jinja_is_space (c))
        break;
      at += n;
    }
    if (most >= 0 && (int64_t)pieces->n >= most)
      at = string.length;
    jinja_count (run, at / 64);
    jinja_list_append (run, pieces, jinja_string (jinja_string_slice (string, 0, at)));
    string = jinja_string_strip (run, jinja_string_slice (string, at, string.length), NULL, true, false);
  }
}

static void split_words_from_right (struct jinja_run *run, struct jinja_string string, int64_t most,
                                    struct jinja_list *pieces)
{
  uint32_t c;
  string = jinja_string_strip (run, string, NULL, false, true);
  while (string.length > 0) {
    size_t at = string.length;
    bool last = most >= 0 && (int64_t)pieces->n >= most;
    while (at > 0 && !last) {
      size_t before = jinja_string_before (string, at);
      jinja_string_decode (string, before, &c);
      if (jinja_is_space (c))
        break;
      at = before;
    }
    if (last)
      at = 0;
    jinja_count (run, (string.length - at) / 64);
    jinja_list_append (run, pieces, jinja_string (jinja_string_slice (string, at, string.length)));
    string = jinja_string_strip (run, jinja_string_slice (string, 0, at), NULL, false, true);
  }
  reverse (pieces);
}

/* The last place of `wanted` that ends at or before byte `end`. */
static size_t find_before (struct jinja_run *run, struct jinja_string string, struct jinja_string wanted, size_t end)
{
  for (size_t at = end; at >= wanted.length; at--) {
    jinja_count (run, 1);
    if (memcmp (string.bytes + at - wanted.length, wanted.bytes, wanted.length) == 0)
      return at - wanted.length;
  }
  return JINJA_NOWHERE;
}

struct jinja_value jinja_split (struct jinja_run *run, struct jinja_string string, const struct jinja_string *separator,
                                int64_t most, bool from_right)
{
  struct jinja_value value = jinja_list_new (run, JINJA_LIST_LIST);
  struct jinja_list *pieces = value.list;
  pieces->content = jinja_string_has_content (string);
  if (!separator) {
    (from_right ? split_words_from_right : split_words) (run, string, most, pieces);
    return value;
  }
  if (separator->length == 0)
    jinja_fail (run, "split() cannot cut at an empty string.");
  size_t from = 0, to = string.length, at;
  for (; most < 0 || (int64_t)pieces->n < most;) {
    if (from_right && most >= 0)
      at = find_before (run, string, *separator, to);
    else
      at = jinja_string_find (run, string, *separator, from);
    if (at == JINJA_NOWHERE)
      break;
    if (from_right && most >= 0) {
      jinja_list_append (run, pieces, jinja_string (jinja_string_slice (string, at + separator->length, to)));
      to = at;
    } else {
      jinja_list_append (run, pieces, jinja_string (jinja_string_slice (string, from, at)));
      from = at + separator->length;
    }
  }
  jinja_list_append (run, pieces, jinja_string (jinja_string_slice (string, from, to)));
  if (from_right && most >= 0)
    reverse (pieces);
  return value;
}

static bool ends_line (uint32_t c)
{
  return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

struct jinja_value jinja_split_lines (struct jinja_run *run, struct jinja_string string, bool keep_ends)
{
  struct jinja_value lines = jinja_list_new (run, JINJA_LIST_LIST);
  lines.list->content = jinja_string_has_content (string);
  size_t from = 0;
  jinja_count (run, string.length / 64);
  for (size_t at = 0; at < string.length;) {
    uint32_t c;
    size_t end = at, n = jinja_string_decode (string, at, &c);
    at += n;
    if (!ends_line (c))
      continue;
    if (c == '\r' && at < string.length && string.bytes[at] == '\n')
      at++;
    jinja_list_append (run, lines.list, jinja_string (jinja_string_slice (string, from, keep_ends ? at : end)));
    from = at;
  }
  if (from < string.length)
    jinja_list_append (run, lines.list, jinja_string (jinja_string_slice (string, from, string.length)));
  return lines;
}

struct jinja_string jinja_join (struct jinja_run *run, const struct jinja_list *list, struct jinja_string separator,
                                const struct jinja_value *attribute, bool any)
{
  struct jinja_builder builder = { .run = run };
  for (size_t i = 0; i < list->n; i++) {
    struct jinja_value item = attribute ? jinja_get_path (run, list->items[i], attribute) : list->items[i];
    if (i > 0)
      jinja_builder_add_as (&builder, separator, list->content);
    jinja_builder_add (&builder, any ? jinja_to_string (run, &item) : jinja_need_string (run, &item));
  }
  return jinja_builder_get (&builder);
}
