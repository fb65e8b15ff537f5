#include "engine/chat/jinja_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct writer {
  struct jinja_builder *builder;
  const struct jinja_json_options *options;
  size_t depth;
};

static void add_value (struct writer *writer, const struct jinja_value *value);

/* Escapes count as what they stand for. */
static void add_escape (struct jinja_builder *builder, const char *escape, bool content)
{
  jinja_builder_add_as (builder, jinja_string_of (escape), content);
}

static void add_string (struct writer *writer, struct jinja_string string)
{
  static const char from[] = "\"\\\n\r\t\f\b", *const to[] = { "\\\"", "\\\\", "\\n", "\\r", "\\t", "\\f", "\\b" };
  struct jinja_builder *builder = writer->builder;
  size_t plain = 0;
  jinja_count (builder->run, string.length);
  jinja_builder_add_text (builder, "\"");
  for (size_t at = 0; at < string.length;) {
    uint32_t c;
    size_t n = jinja_string_decode (string, at, &c);
    const char *special = c > 0 && c < 0x80 ? strchr (from, (int)c) : NULL;
    if (!special && c >= 0x20 && (c < 0x7F || !writer->options->ascii)) {
      at += n;
      continue;
    }
    char escape[32];
    bool content = string.marks && string.marks[at];
    jinja_builder_add (builder, jinja_string_slice (string, plain, at));
    if (c > 0xFFFF)
      snprintf (escape, sizeof escape, "\\u%04x\\u%04x", 0xD7C0 + (c >> 10), 0xDC00 + (c & 0x3FF));
    else
      snprintf (escape, sizeof escape, "\\u%04x", c);
    add_escape (builder, special ? to[special - from] : escape, content);
    at += n;
    plain = at;
  }
  jinja_builder_add (builder, jinja_string_slice (string, plain, string.length));
  jinja_builder_add_text (builder, "\"");
}

static void add_line (struct writer *writer)
{
  if (!writer->options->indent)
    return;
  jinja_builder_add_text (writer->builder, "\n");
  for (size_t i = 0; i < writer->depth; i++)
    jinja_builder_add (writer->builder, *writer->options->indent);
}

static void add_list (struct writer *writer, const struct jinja_list *list)
{
  jinja_builder_add_text (writer->builder, "[");
  writer->depth++;
  for (size_t i = 0; i < list->n; i++) {
    if (i > 0)
      jinja_builder_add (writer->builder, writer->options->item_separator);
    add_line (writer);
    add_value (writer, &list->items[i]);
  }
  writer->depth--;
  if (list->n > 0)
    add_line (writer);
  jinja_builder_add_text (writer->builder, "]");
}

/* Keys are strings; others are written as their JSON inside quotes. */
static void add_key (struct writer *writer, const struct jinja_value *key)
{
  if (key->type == JINJA_STRING) {
    add_string (writer, key->string);
    return;
  }
  if (key->type == JINJA_LIST)
    jinja_fail (writer->builder->run, "JSON has no keys that are a %s.", jinja_type_name (key));
  jinja_builder_add_text (writer->builder, "\"");
  add_value (writer, key);
  jinja_builder_add_text (writer->builder, "\"");
}

/* The place in `order` of the next key that sorting takes: insertion into a short list. */
static void sort_keys (struct jinja_run *run, const struct jinja_dict *dict, size_t *order)
{
  for (size_t i = 0; i < dict->n; i++) {
    size_t at = i;
    for (; at > 0 && jinja_compare (run, &dict->keys[i], &dict->keys[order[at - 1]]) < 0; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
}

static void add_dict (struct writer *writer, const struct jinja_dict *dict)
{
  struct jinja_run *run = writer->builder->run;
  size_t *order = NULL;
  if (writer->options->sort_keys) {
    order = jinja_alloc (run, dict->n + 1, sizeof *order);
    sort_keys (run, dict, order);
  }
  jinja_builder_add_text (writer->builder, "{");
  writer->depth++;
  for (size_t i = 0; i < dict->n; i++) {
    size_t at = order ? order[i] : i;
    if (i > 0)
      jinja_builder_add (writer->builder, writer->options->item_separator);
    add_line (writer);
    add_key (writer, &dict->keys[at]);
    jinja_builder_add (writer->builder, writer->options->key_separator);
    add_value (writer, &dict->values[at]);
  }
  writer->depth--;
  if (dict->n > 0)
    add_line (writer);
  jinja_builder_add_text (writer->builder, "}");
}

static void add_value (struct writer *writer, const struct jinja_value *value)
{
  struct jinja_builder *builder = writer->builder;
  struct jinja_run *run = builder->run;
  jinja_count (run, 1);
  jinja_enter (run);
  switch (value->type) {
  case JINJA_NONE: jinja_builder_add_text (builder, "null"); break;
  case JINJA_BOOLEAN: jinja_builder_add_text (builder, value->boolean ? "true" : "false"); break;
  case JINJA_INTEGER: jinja_builder_add_format (builder, "%lld", (long long)value->integer); break;
  case JINJA_FLOAT:
    if (isfinite (value->real))
      jinja_add_float (builder, value->real);
    else
      jinja_builder_add_text (builder, isnan (value->real) ? "NaN" : value->real < 0 ? "-Infinity" : "Infinity");
    break;
  case JINJA_STRING: add_string (writer, value->string); break;
  case JINJA_LIST: add_list (writer, value->list); break;
  case JINJA_DICT: add_dict (writer, value->dict); break;
  default: jinja_fail (run, "a %s cannot be written as JSON.", jinja_type_name (value));
  }
  jinja_leave (run);
}

void jinja_add_json (struct jinja_builder *builder, const struct jinja_json_options *options,
                     const struct jinja_value *value)
{
  struct writer writer = { builder, options, 0 };
  add_value (&writer, value);
}
