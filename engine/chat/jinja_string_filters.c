/* Filters that give text. */
#include <string.h>

#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_json.h"
#include "engine/chat/jinja_text.h"

#define MAX_WIDTH 1000

#define FILTER(name) static struct jinja_value filter_##name (struct jinja_run *run, const struct jinja_call *call)

FILTER (string)
{
  return jinja_string (jinja_to_string (run, &call->self));
}

FILTER (trim)
{
  struct jinja_string string = jinja_to_string (run, &call->self);
  if (!call->slots[0] || call->slots[0]->type == JINJA_NONE)
    return jinja_string (jinja_string_strip (run, string, NULL, true, true));
  struct jinja_string set = jinja_need_string (run, call->slots[0]);
  return jinja_string (jinja_string_strip (run, string, &set, true, true));
}

FILTER (upper)
{
  return jinja_string (jinja_change_case (run, jinja_to_string (run, &call->self), JINJA_UPPER));
}

FILTER (lower)
{
  return jinja_string (jinja_change_case (run, jinja_to_string (run, &call->self), JINJA_LOWER));
}

FILTER (capitalize)
{
  return jinja_string (jinja_change_case (run, jinja_to_string (run, &call->self), JINJA_CAPITALIZE));
}

FILTER (title)
{
  return jinja_string (jinja_change_case (run, jinja_to_string (run, &call->self), JINJA_TITLE_WORDS));
}

FILTER (replace)
{
  return jinja_string (jinja_replace (run, jinja_to_string (run, &call->self), jinja_to_string (run, call->slots[0]),
                                      jinja_to_string (run, call->slots[1]),
                                      jinja_integer_or (run, call->slots[2], -1)));
}

FILTER (join)
{
  struct jinja_string separator = call->slots[0] ? jinja_to_string (run, call->slots[0]) : jinja_string_of ("");
  return jinja_string (jinja_join (run, jinja_need_items (run, &call->self), separator, call->slots[1], true));
}

FILTER (escape)
{
  static const struct {
    char character;
    const char *entity;
  } entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '\'', "&#39;" }, { '"', "&#34;" } };
  struct jinja_string string = jinja_to_string (run, &call->self);
  struct jinja_builder builder = { .run = run };
  size_t plain = 0;
  jinja_count (run, string.length);
  for (size_t at = 0; at < string.length; at++)
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
      if (string.bytes[at] == entities[i].character) {
        jinja_builder_add (&builder, jinja_string_slice (string, plain, at));
        jinja_builder_add_as (&builder, jinja_string_of (entities[i].entity), string.marks && string.marks[at]);
        plain = at + 1;
      }
  jinja_builder_add (&builder, jinja_string_slice (string, plain, string.length));
  return jinja_string (jinja_builder_get (&builder));
}

/* `text` as a number of spaces or the text itself. */
static struct jinja_string indentation (struct jinja_run *run, const struct jinja_value *value, int64_t otherwise)
{
  struct jinja_builder builder = { .run = run };
  if (value && value->type == JINJA_STRING)
    return value->string;
  int64_t width = jinja_integer_or (run, value, otherwise);
  if (width > MAX_WIDTH)
    jinja_fail (run, "an indentation is wider than %d.", MAX_WIDTH);
  for (int64_t i = 0; i < width; i++)
    jinja_builder_add_text (&builder, " ");
  return jinja_builder_get (&builder);
}

FILTER (indent)
{
  struct jinja_string string = jinja_to_string (run, &call->self), margin = indentation (run, call->slots[0], 4);
  bool content = jinja_string_has_content (string), blank = jinja_true_or (call->slots[2], false);
  struct jinja_builder ended = { .run = run }, builder = { .run = run };
  /* An end is added so that an empty last line counts. */
  jinja_builder_add (&ended, string);
  jinja_builder_add_as (&ended, jinja_string_of ("\n"), content);
  struct jinja_value lines = jinja_split_lines (run, jinja_builder_get (&ended), false);
  if (jinja_true_or (call->slots[1], false))
    jinja_builder_add_as (&builder, margin, content);
  for (size_t i = 0; i < lines.list->n; i++) {
    struct jinja_string line = lines.list->items[i].string;
    if (i > 0)
      jinja_builder_add_as (&builder, jinja_string_of ("\n"), content);
    if (i > 0 && (blank || line.length > 0))
      jinja_builder_add_as (&builder, margin, content);
    jinja_builder_add (&builder, line);
  }
  return jinja_string (jinja_builder_get (&builder));
}

FILTER (center)
{
  struct jinja_string string = jinja_to_string (run, &call->self);
  struct jinja_builder builder = { .run = run };
  int64_t width = jinja_integer_or (run, call->slots[0], 80);
  int64_t n = (int64_t)jinja_string_n_characters (run, string), missing = width > n ? width - n : 0;
  if (width > MAX_WIDTH)
    jinja_fail (run, "a width is larger than %d.", MAX_WIDTH);
  int64_t left = missing / 2 + (missing & width & 1);
  for (int64_t i = 0; i < left; i++)
    jinja_builder_add_text (&builder, " ");
  jinja_builder_add (&builder, string);
  for (int64_t i = left; i < missing; i++)
    jinja_builder_add_text (&builder, " ");
  return jinja_string (jinja_builder_get (&builder));
}

FILTER (format)
{
  struct jinja_value argument;
  if (call->n_named > 0) {
    argument = jinja_dict_new (run, JINJA_DICT);
    for (size_t i = 0; i < call->n_named; i++)
      jinja_dict_set (run, argument.dict, jinja_string (call->names[i]), call->named[i]);
  } else {
    argument = jinja_list_new (run, JINJA_LIST_TUPLE);
    for (size_t i = 0; i < call->n_rest; i++)
      jinja_list_append (run, argument.list, call->rest[i]);
  }
  return jinja_string (jinja_format_percent (run, jinja_to_string (run, &call->self), &argument));
}

FILTER (tojson)
{
  struct jinja_builder builder = { .run = run };
  const struct jinja_value *indent = call->slots[1], *separators = call->slots[2];
  bool indented = indent && indent->type != JINJA_NONE;
  struct jinja_string margin = indentation (run, indent, 0);
  struct jinja_json_options options = {
    .ascii = jinja_true_or (call->slots[0], false),
    .indent = indented ? &margin : NULL,
    .item_separator = jinja_string_of (indented ? "," : ", "),
    .key_separator = jinja_string_of (": "),
    .sort_keys = jinja_true_or (call->slots[3], false),
  };
  if (separators && separators->type != JINJA_NONE) {
    const struct jinja_list *pair = jinja_need_items (run, separators);
    if (pair->n != 2)
      jinja_fail (run, "tojson takes two separators.");
    options.item_separator = jinja_need_string (run, &pair->items[0]);
    options.key_separator = jinja_need_string (run, &pair->items[1]);
  }
  jinja_add_json (&builder, &options, &call->self);
  return jinja_string (jinja_builder_get (&builder));
}

const struct jinja_function jinja_string_filters[] = {
  { "string", filter_string },
  { "safe", filter_string },
  { "trim", filter_trim, .parameters = { "chars" } },
  { "upper", filter_upper },
  { "lower", filter_lower },
  { "capitalize", filter_capitalize },
  { "title", filter_title },
  { "replace", filter_replace, 2, .parameters = { "old", "new", "count" } },
  { "join", filter_join, .parameters = { "d", "attribute" } },
  { "escape", filter_escape },
  { "e", filter_escape },
  { "indent", filter_indent, .parameters = { "width", "first", "blank" } },
  { "center", filter_center, .parameters = { "width" } },
  { "format", filter_format, .takes_rest = true, .takes_named = true },
  { "tojson", filter_tojson, .parameters = { "ensure_ascii", "indent", "separators", "sort_keys" } },
  { NULL },
};
