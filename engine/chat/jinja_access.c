/* Attributes, items and slices. */
#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_loop.h"

static const struct jinja_function *methods_of (enum jinja_type type)
{
  return type == JINJA_STRING ? jinja_string_methods
         : type == JINJA_LIST ? jinja_list_methods
         : type == JINJA_DICT ? jinja_dict_methods
                              : NULL;
}

static void refuse_undefined (struct jinja_run *run, const struct jinja_value *value)
{
  if (value->type == JINJA_UNDEFINED)
    jinja_need_string (run, value);
}

struct jinja_value jinja_get_attribute (struct jinja_run *run, const struct jinja_value *value,
                                        struct jinja_string name)
{
  const struct jinja_function *methods = methods_of (value->type), *found;
  jinja_count (run, 1);
  refuse_undefined (run, value);
  if (value->type == JINJA_LOOP)
    return jinja_loop_get (run, value->loop, name);
  if (methods && (found = jinja_find_function (methods, name))) {
    struct jinja_method *method = jinja_alloc (run, 1, sizeof *method);
    *method = (struct jinja_method){ found, *value };
    return (struct jinja_value){ .type = JINJA_FUNCTION, .method = method };
  }
  if (value->type == JINJA_DICT || value->type == JINJA_NAMESPACE) {
    const struct jinja_value *item = jinja_dict_find (run, value->dict, jinja_string (name));
    if (item)
      return *item;
  }
  return jinja_undefined (name);
}

/* Where position `at` (from the end if negative) is in n items; JINJA_NOWHERE if it is not. */
static size_t position_of (int64_t at, size_t n)
{
  if (at < 0)
    at += (int64_t)n;
  return at >= 0 && at < (int64_t)n ? (size_t)at : JINJA_NOWHERE;
}

static struct jinja_value character_at (struct jinja_run *run, struct jinja_string string, int64_t wanted)
{
  size_t n = jinja_string_n_characters (run, string), position = position_of (wanted, n), at = 0;
  if (position == JINJA_NOWHERE)
    return jinja_undefined (jinja_string_of ("that character"));
  for (size_t i = 0; i < position; i++)
    at += jinja_string_decode (string, at, NULL);
  return jinja_string (jinja_string_slice (string, at, at + jinja_string_decode (string, at, NULL)));
}

struct jinja_value jinja_get_item (struct jinja_run *run, const struct jinja_value *value,
                                   const struct jinja_value *key)
{
  int64_t at;
  jinja_count (run, 1);
  refuse_undefined (run, value);
  if (value->type == JINJA_DICT) {
    const struct jinja_value *item = jinja_dict_find (run, value->dict, *key);
    if (item)
      return *item;
  } else if (jinja_get_integer (key, &at) && value->type == JINJA_LIST && value->list->kind <= JINJA_LIST_RANGE) {
    size_t position = position_of (at, value->list->n);
    if (position != JINJA_NOWHERE)
      return value->list->items[position];
  } else if (jinja_get_integer (key, &at) && value->type == JINJA_STRING) {
    return character_at (run, value->string, at);
  }
  if (key->type == JINJA_STRING)
    return jinja_get_attribute (run, value, key->string);
  return jinja_undefined (jinja_string_of ("the item asked for"));
}

struct jinja_value jinja_get_path (struct jinja_run *run, struct jinja_value value, const struct jinja_value *path)
{
  if (path->type != JINJA_STRING)
    return jinja_get_item (run, &value, path);
  struct jinja_string text = path->string, dot = jinja_string_of (".");
  for (size_t from = 0; from <= text.length;) {
    size_t to = jinja_string_find (run, text, dot, from);
    if (to == JINJA_NOWHERE)
      to = text.length;
    struct jinja_value part = jinja_string (jinja_string_slice (text, from, to));
    int64_t number = 0;
    bool digits = part.string.length > 0 && part.string.length < 10;
    for (size_t i = 0; digits && i < part.string.length; i++) {
      digits = part.string.bytes[i] >= '0' && part.string.bytes[i] <= '9';
      number = 10 * number + (part.string.bytes[i] - '0');
    }
    if (digits)
      part = jinja_integer (number);
    value = jinja_get_item (run, &value, &part);
    from = to + 1;
  }
  return value;
}

/* A bound of a slice of n items, as Python reads it. */
static int64_t bound (struct jinja_run *run, const struct jinja_value *value, int64_t n, int64_t missing,
                      int64_t lowest, int64_t highest)
{
  if (!value || value->type == JINJA_NONE)
    return missing;
  int64_t at = jinja_need_integer (run, value);
  if (at < 0)
    at = at < -n ? lowest : at + n;
  return at < lowest ? lowest : at > highest ? highest : at;
}

static struct jinja_value slice_string (struct jinja_run *run, struct jinja_string string, int64_t n, int64_t first,
                                        int64_t last, int64_t step)
{
  if (step == 1) {
    size_t from = 0;
    for (int64_t i = 0; i < first; i++)
      from += jinja_string_decode (string, from, NULL);
    size_t to = last >= n ? string.length : from;
    for (int64_t i = first; last < n && i < last; i++)
      to += jinja_string_decode (string, to, NULL);
    return jinja_string (jinja_string_slice (string, from, to));
  }
  struct jinja_value value = jinja_string (string);
  const struct jinja_list *characters = jinja_need_items (run, &value);
  struct jinja_builder builder = { .run = run };
  for (int64_t i = first; step > 0 ? i < last : i > last; i += step) {
    jinja_count (run, 1);
    jinja_builder_add (&builder, characters->items[i].string);
  }
  return jinja_string (jinja_builder_get (&builder));
}

struct jinja_value jinja_get_slice (struct jinja_run *run, const struct jinja_value *value,
                                    const struct jinja_value *first, const struct jinja_value *last,
                                    const struct jinja_value *step)
{
  refuse_undefined (run, value);
  if (value->type != JINJA_STRING && (value->type != JINJA_LIST || value->list->kind > JINJA_LIST_RANGE))
    jinja_fail (run, "a %s has no slices.", jinja_type_name (value));
  int64_t n = (int64_t)jinja_length (run, value), by = 1;
  if (step && step->type != JINJA_NONE)
    by = jinja_need_integer (run, step);
  if (by == 0)
    jinja_fail (run, "the step of a slice cannot be 0.");
  /* No step is longer than the whole. */
  by = by > n + 1 ? n + 1 : by < -n - 1 ? -n - 1 : by;
  int64_t from = by > 0 ? bound (run, first, n, 0, 0, n) : bound (run, first, n, n - 1, -1, n - 1);
  int64_t to = by > 0 ? bound (run, last, n, n, 0, n) : bound (run, last, n, -1, -1, n - 1);
  if (value->type == JINJA_STRING)
    return slice_string (run, value->string, n, from, to, by);
  struct jinja_value slice
      = jinja_list_new (run, value->list->kind == JINJA_LIST_TUPLE ? JINJA_LIST_TUPLE : JINJA_LIST_LIST);
  slice.list->content = value->list->content;
  for (int64_t i = from; by > 0 ? i < to : i > to; i += by)
    jinja_list_append (run, slice.list, value->list->items[i]);
  return slice;
}
