/* Methods of strings. */
#include <string.h>

#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_text.h"

#define METHOD(name) static struct jinja_value string_##name (struct jinja_run *run, const struct jinja_call *call)

static struct jinja_value strip_ends (struct jinja_run *run, const struct jinja_call *call, bool left, bool right)
{
  const struct jinja_value *set = call->slots[0];
  struct jinja_string characters;
  if (!set || set->type == JINJA_NONE)
    return jinja_string (jinja_string_strip (run, call->self.string, NULL, left, right));
  characters = jinja_need_string (run, set);
  return jinja_string (jinja_string_strip (run, call->self.string, &characters, left, right));
}

METHOD (strip)
{
  return strip_ends (run, call, true, true);
}

METHOD (lstrip)
{
  return strip_ends (run, call, true, false);
}

METHOD (rstrip)
{
  return strip_ends (run, call, false, true);
}

static struct jinja_value split_at (struct jinja_run *run, const struct jinja_call *call, bool from_right)
{
  const struct jinja_value *separator = call->slots[0];
  int64_t most = jinja_integer_or (run, call->slots[1], -1);
  if (!separator || separator->type == JINJA_NONE)
    return jinja_split (run, call->self.string, NULL, most, from_right);
  struct jinja_string text = jinja_need_string (run, separator);
  return jinja_split (run, call->self.string, &text, most, from_right);
}

METHOD (split)
{
  return split_at (run, call, false);
}

METHOD (rsplit)
{
  return split_at (run, call, true);
}

METHOD (splitlines)
{
  return jinja_split_lines (run, call->self.string, jinja_true_or (call->slots[0], false));
}

/* Before, separator and after; all in one piece at `place` if there is no separator. */
static struct jinja_value cut (struct jinja_run *run, const struct jinja_call *call, size_t at, size_t place)
{
  struct jinja_string string = call->self.string, separator = jinja_need_string (run, call->slots[0]);
  struct jinja_value pieces = jinja_list_new (run, JINJA_LIST_TUPLE);
  if (separator.length == 0)
    jinja_fail (run, "partition() cannot cut at an empty string.");
  size_t after = at + separator.length;
  for (size_t i = 0; i < 3; i++) {
    struct jinja_string piece = jinja_string_of ("");
    if (at == JINJA_NOWHERE && i == place)
      piece = string;
    else if (at != JINJA_NOWHERE)
      piece = jinja_string_slice (string,
                                  i == 0   ? 0
                                  : i == 1 ? at
                                           : after,
                                  i == 0   ? at
                                  : i == 1 ? after
                                           : string.length);
    jinja_list_append (run, pieces.list, jinja_string (piece));
  }
  return pieces;
}

METHOD (partition)
{
  return cut (run, call, jinja_string_find (run, call->self.string, jinja_need_string (run, call->slots[0]), 0), 0);
}

METHOD (rpartition)
{
  return cut (run, call, jinja_string_find_last (run, call->self.string, jinja_need_string (run, call->slots[0])), 2);
}

static bool has_any (struct jinja_run *run, const struct jinja_call *call,
                     bool (*has) (struct jinja_string string, struct jinja_string part))
{
  const struct jinja_value *wanted = call->slots[0];
  if (wanted->type != JINJA_LIST || wanted->list->kind != JINJA_LIST_TUPLE)
    return has (call->self.string, jinja_need_string (run, wanted));
  for (size_t i = 0; i < wanted->list->n; i++)
    if (has (call->self.string, jinja_need_string (run, &wanted->list->items[i])))
      return true;
  return false;
}

METHOD (startswith)
{
  return jinja_boolean (has_any (run, call, jinja_string_starts));
}

METHOD (endswith)
{
  return jinja_boolean (has_any (run, call, jinja_string_ends));
}

METHOD (removeprefix)
{
  struct jinja_string string = call->self.string, part = jinja_need_string (run, call->slots[0]);
  return jinja_string (jinja_string_starts (string, part) ? jinja_string_slice (string, part.length, string.length)
                                                          : string);
}

METHOD (removesuffix)
{
  struct jinja_string string = call->self.string, part = jinja_need_string (run, call->slots[0]);
  return jinja_string (jinja_string_ends (string, part) ? jinja_string_slice (string, 0, string.length - part.length)
                                                        : string);
}

METHOD (replace)
{
  return jinja_string (jinja_replace (run, call->self.string, jinja_need_string (run, call->slots[0]),
                                      jinja_need_string (run, call->slots[1]),
                                      jinja_integer_or (run, call->slots[2], -1)));
}

METHOD (upper)
{
  return jinja_string (jinja_change_case (run, call->self.string, JINJA_UPPER));
}

METHOD (lower)
{
  return jinja_string (jinja_change_case (run, call->self.string, JINJA_LOWER));
}

METHOD (title)
{
  return jinja_string (jinja_change_case (run, call->self.string, JINJA_TITLE));
}

METHOD (capitalize)
{
  return jinja_string (jinja_change_case (run, call->self.string, JINJA_CAPITALIZE));
}

METHOD (join)
{
  return jinja_string (jinja_join (run, jinja_need_items (run, call->slots[0]), call->self.string, NULL, false));
}

/* A place in bytes as one in characters; -1 for nowhere. */
static struct jinja_value position (struct jinja_run *run, struct jinja_string string, size_t at)
{
  return jinja_integer (
      at == JINJA_NOWHERE ? -1 : (int64_t)jinja_string_n_characters (run, jinja_string_slice (string, 0, at)));
}

METHOD (find)
{
  return position (run, call->self.string,
                   jinja_string_find (run, call->self.string, jinja_need_string (run, call->slots[0]), 0));
}

METHOD (rfind)
{
  return position (run, call->self.string,
                   jinja_string_find_last (run, call->self.string, jinja_need_string (run, call->slots[0])));
}

METHOD (index)
{
  struct jinja_value found = string_find (run, call);
  if (found.integer < 0)
    jinja_fail (run, "index() does not find what it looks for.");
  return found;
}

METHOD (count)
{
  struct jinja_string wanted = jinja_need_string (run, call->slots[0]);
  int64_t n = 0;
  if (wanted.length == 0)
    return jinja_integer ((int64_t)jinja_string_n_characters (run, call->self.string) + 1);
  for (size_t at = 0; (at = jinja_string_find (run, call->self.string, wanted, at)) != JINJA_NOWHERE;
       at += wanted.length, n++)
    jinja_count (run, 1);
  return jinja_integer (n);
}

static bool all_are (struct jinja_string string, bool (*is) (uint32_t c))
{
  uint32_t c;
  for (size_t at = 0; at < string.length;) {
    at += jinja_string_decode (string, at, &c);
    if (!is (c))
      return false;
  }
  return string.length > 0;
}

static bool is_digit (uint32_t c)
{
  return c >= '0' && c <= '9';
}

METHOD (isdigit)
{
  return jinja_boolean (all_are (call->self.string, is_digit));
}

METHOD (isspace)
{
  return jinja_boolean (all_are (call->self.string, jinja_is_space));
}

static bool is_cased (struct jinja_run *run, const struct jinja_call *call, enum jinja_case change)
{
  struct jinja_string string = call->self.string;
  return jinja_string_equal (string, jinja_change_case (run, string, change))
         && !jinja_string_equal (jinja_change_case (run, string, JINJA_LOWER),
                                 jinja_change_case (run, string, JINJA_UPPER));
}

METHOD (isupper)
{
  return jinja_boolean (is_cased (run, call, JINJA_UPPER));
}

METHOD (islower)
{
  return jinja_boolean (is_cased (run, call, JINJA_LOWER));
}

/* "{}", "{0}" and "{name}", without format specifications. */
METHOD (format)
{
  struct jinja_string text = call->self.string;
  struct jinja_builder builder = { .run = run };
  size_t n_taken = 0;
  jinja_count (run, text.length / 4);
  for (size_t at = 0; at < text.length; at++) {
    char c = text.bytes[at];
    if (c != '{' && c != '}') {
      jinja_builder_add (&builder, jinja_string_slice (text, at, at + 1));
      continue;
    }
    if (at + 1 < text.length && text.bytes[at + 1] == c) {
      jinja_builder_add (&builder, jinja_string_slice (text, at, at + 1));
      at++;
      continue;
    }
    size_t end = c == '{' ? jinja_string_find (run, text, jinja_string_of ("}"), at) : JINJA_NOWHERE;
    if (end == JINJA_NOWHERE)
      jinja_fail (run, "format() finds a single brace.");
    struct jinja_string field = jinja_string_slice (text, at + 1, end);
    const struct jinja_value *value = NULL;
    if (field.length == 0 && n_taken < call->n_rest)
      value = &call->rest[n_taken++];
    else if (field.length == 1 && is_digit ((uint8_t)field.bytes[0]) && (size_t)(field.bytes[0] - '0') < call->n_rest)
      value = &call->rest[field.bytes[0] - '0'];
    for (size_t i = 0; i < call->n_named; i++)
      if (jinja_string_equal (call->names[i], field))
        value = &call->named[i];
    if (!value)
      jinja_fail (run, "format() has no value for a place, or the place asks for what is not known here.");
    jinja_builder_add (&builder, jinja_to_string (run, value));
    at = end;
  }
  return jinja_string (jinja_builder_get (&builder));
}

const struct jinja_function jinja_string_methods[] = {
  { "strip", string_strip, .parameters = { "chars" } },
  { "lstrip", string_lstrip, .parameters = { "chars" } },
  { "rstrip", string_rstrip, .parameters = { "chars" } },
  { "split", string_split, .parameters = { "sep", "maxsplit" } },
  { "rsplit", string_rsplit, .parameters = { "sep", "maxsplit" } },
  { "splitlines", string_splitlines, .parameters = { "keepends" } },
  { "partition", string_partition, 1, .parameters = { "sep" } },
  { "rpartition", string_rpartition, 1, .parameters = { "sep" } },
  { "startswith", string_startswith, 1, .parameters = { "prefix" } },
  { "endswith", string_endswith, 1, .parameters = { "suffix" } },
  { "removeprefix", string_removeprefix, 1, .parameters = { "prefix" } },
  { "removesuffix", string_removesuffix, 1, .parameters = { "suffix" } },
  { "replace", string_replace, 2, .parameters = { "old", "new", "count" } },
  { "upper", string_upper },
  { "lower", string_lower },
  { "title", string_title },
  { "capitalize", string_capitalize },
  { "join", string_join, 1, .parameters = { "iterable" } },
  { "find", string_find, 1, .parameters = { "sub" } },
  { "rfind", string_rfind, 1, .parameters = { "sub" } },
  { "index", string_index, 1, .parameters = { "sub" } },
  { "count", string_count, 1, .parameters = { "sub" } },
  { "isdigit", string_isdigit },
  { "isspace", string_isspace },
  { "isupper", string_isupper },
  { "islower", string_islower },
  { "format", string_format, .takes_rest = true, .takes_named = true },
  { NULL },
};
