/* jinja_json.h: values as JSON, with the layout of Python's json.dumps (RFC 8259). */
#ifndef LECTERN_JINJA_JSON_H
#define LECTERN_JINJA_JSON_H

#include "engine/chat/jinja_value.h"

struct jinja_json_options {
  bool ascii; /* other characters as \uXXXX */
  bool sort_keys;
  const struct jinja_string *indent; /* of one level; NULL: all in one line */
  struct jinja_string item_separator, key_separator;
};

void jinja_add_json (struct jinja_builder *builder, const struct jinja_json_options *options,
                     const struct jinja_value *value);

#endif
