#include "engine/chat/jinja_value.h"

#include <math.h>
#include <string.h>

#include "engine/chat/jinja_loop.h"

struct jinja_value jinja_list_new (struct jinja_run *run, enum jinja_list_kind kind)
{
  struct jinja_list *list = jinja_alloc (run, 1, sizeof *list);
  list->kind = kind;
  return (struct jinja_value){ .type = JINJA_LIST, .list = list };
}

void jinja_list_append (struct jinja_run *run, struct jinja_list *list, struct jinja_value item)
{
  jinja_count (run, 1);
  if (list->n == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 8;
    struct jinja_value *grown = jinja_alloc (run, capacity, sizeof *grown);
    if (list->n)
      memcpy (grown, list->items, list->n * sizeof *grown);
    list->items = grown;
    list->capacity = capacity;
  }
  list->items[list->n++] = item;
}

struct jinja_value jinja_dict_new (struct jinja_run *run, enum jinja_type type)
{
  return (struct jinja_value){ .type = type, .dict = jinja_alloc (run, 1, sizeof (struct jinja_dict)) };
}

struct jinja_value *jinja_dict_find (struct jinja_run *run, const struct jinja_dict *dict, struct jinja_value key)
{
  jinja_count (run, 1 + dict->n / 4);
  for (size_t i = 0; i < dict->n; i++)
    if (jinja_equal (run, &dict->keys[i], &key))
      return &dict->values[i];
  return NULL;
}

void jinja_dict_set (struct jinja_run *run, struct jinja_dict *dict, struct jinja_value key, struct jinja_value value)
{
  struct jinja_value *found = jinja_dict_find (run, dict, key);
  if (found) {
    *found = value;
    return;
  }
  if (key.type == JINJA_DICT || (key.type == JINJA_LIST && key.list->kind != JINJA_LIST_TUPLE))
    jinja_fail (run, "a %s cannot be the key of a dict.", jinja_type_name (&key));
  if (dict->n == dict->capacity) {
    size_t capacity = dict->capacity ? 2 * dict->capacity : 4;
    struct jinja_value *keys = jinja_alloc (run, capacity, sizeof *keys);
    struct jinja_value *values = jinja_alloc (run, capacity, sizeof *values);
    for (size_t i = 0; i < dict->n; i++) {
      keys[i] = dict->keys[i];
      values[i] = dict->values[i];
    }
    dict->keys = keys;
    dict->values = values;
    dict->capacity = capacity;
  }
  dict->keys[dict->n] = key;
  dict->values[dict->n++] = value;
}

const char *jinja_type_name (const struct jinja_value *value)
{
  static const char *const lists[] = { "list", "tuple", "range", "dict view", "generator" };
  switch (value->type) {
  case JINJA_UNDEFINED: return "undefined value";
  case JINJA_NONE: return "None";
  case JINJA_BOOLEAN: return "bool";
  case JINJA_INTEGER: return "int";
  case JINJA_FLOAT: return "float";
  case JINJA_STRING: return "string";
  case JINJA_LIST: return lists[value->list->kind];
  case JINJA_DICT: return "dict";
  case JINJA_NAMESPACE: return "namespace";
  case JINJA_MACRO: return "macro";
  case JINJA_FUNCTION: return "function";
  case JINJA_LOOP: return "loop";
  }
  return "value";
}

bool jinja_is_true (const struct jinja_value *value)
{
  switch (value->type) {
  case JINJA_UNDEFINED:
  case JINJA_NONE: return false;
  case JINJA_BOOLEAN: return value->boolean;
  case JINJA_INTEGER: return value->integer != 0;
  case JINJA_FLOAT: return value->real != 0;
  case JINJA_STRING: return value->string.length > 0;
  case JINJA_LIST: return value->list->n > 0 || value->list->kind == JINJA_LIST_GENERATOR;
  case JINJA_DICT: return value->dict->n > 0;
  case JINJA_NAMESPACE:
  case JINJA_MACRO:
  case JINJA_FUNCTION:
  case JINJA_LOOP: break;
  }
  return true;
}

bool jinja_get_integer (const struct jinja_value *value, int64_t *integer)
{
  if (value->type == JINJA_BOOLEAN)
    *integer = value->boolean;
  else if (value->type == JINJA_INTEGER)
    *integer = value->integer;
  else
    return false;
  return true;
}

bool jinja_get_number (const struct jinja_value *value, double *real)
{
  int64_t integer;
  if (jinja_get_integer (value, &integer))
    *real = (double)integer;
  else if (value->type == JINJA_FLOAT)
    *real = value->real;
  else
    return false;
  return true;
}

int64_t jinja_need_integer (struct jinja_run *run, const struct jinja_value *value)
{
  int64_t integer;
  if (!jinja_get_integer (value, &integer))
    jinja_fail (run, "an int is needed, not a %s.", jinja_type_name (value));
  return integer;
}

struct jinja_string jinja_need_string (struct jinja_run *run, const struct jinja_value *value)
{
  if (value->type == JINJA_UNDEFINED)
    jinja_fail (run, "“%.*s” is undefined.", (int)(value->string.length < 80 ? value->string.length : 80),
                value->string.bytes ? value->string.bytes : "");
  if (value->type != JINJA_STRING)
    jinja_fail (run, "a string is needed, not a %s.", jinja_type_name (value));
  return value->string;
}

/* Exactly, also where a float cannot hold the integer. */
static int compare_numbers (const struct jinja_value *a, const struct jinja_value *b)
{
  int64_t i, j;
  double x = 0, y = 0;
  if (jinja_get_integer (a, &i) && jinja_get_integer (b, &j))
    return (i > j) - (i < j);
  jinja_get_number (a, &x);
  jinja_get_number (b, &y);
  return (x > y) - (x < y);
}

static bool equal_lists (struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b)
{
  if (a->n != b->n || a->kind != b->kind)
    return false;
  for (size_t i = 0; i < a->n; i++)
    if (!jinja_equal (run, &a->items[i], &b->items[i]))
      return false;
  return true;
}

static bool equal_dicts (struct jinja_run *run, const struct jinja_dict *a, const struct jinja_dict *b)
{
  if (a->n != b->n)
    return false;
  for (size_t i = 0; i < a->n; i++) {
    const struct jinja_value *other = jinja_dict_find (run, b, a->keys[i]);
    if (!other || !jinja_equal (run, &a->values[i], other))
      return false;
  }
  return true;
}

bool jinja_equal (struct jinja_run *run, const struct jinja_value *a, const struct jinja_value *b)
{
  double x, y;
  jinja_count (run, 1);
  if (jinja_get_number (a, &x) && jinja_get_number (b, &y))
    return !isnan (x) && !isnan (y) && compare_numbers (a, b) == 0;
  if (a->type != b->type)
    return false;
  bool equal = true;
  switch (a->type) {
  case JINJA_UNDEFINED:
  case JINJA_NONE: break;
  case JINJA_STRING:
    jinja_count (run, a->string.length / 64);
    equal = jinja_string_equal (a->string, b->string);
    break;
  case JINJA_LIST:
    jinja_enter (run);
    equal = a->list == b->list || equal_lists (run, a->list, b->list);
    jinja_leave (run);
    break;
  case JINJA_DICT:
    jinja_enter (run);
    equal = a->dict == b->dict || equal_dicts (run, a->dict, b->dict);
    jinja_leave (run);
    break;
  case JINJA_NAMESPACE: return a->dict == b->dict;
  case JINJA_MACRO: return a->macro == b->macro;
  case JINJA_FUNCTION: return a->method == b->method;
  case JINJA_LOOP: return a->loop == b->loop;
  case JINJA_BOOLEAN:
  case JINJA_INTEGER:
  case JINJA_FLOAT: return false;
  }
  return equal;
}

int jinja_compare (struct jinja_run *run, const struct jinja_value *a, const struct jinja_value *b)
{
  double x, y;
  jinja_count (run, 1);
  if (jinja_get_number (a, &x) && jinja_get_number (b, &y))
    return compare_numbers (a, b);
  if (a->type == JINJA_STRING && b->type == JINJA_STRING) {
    jinja_count (run, a->string.length / 64);
    return jinja_string_compare (a->string, b->string);
  }
  if (a->type == JINJA_LIST && b->type == JINJA_LIST && a->list->kind == b->list->kind
      && a->list->kind <= JINJA_LIST_TUPLE) {
    int order = 0;
    size_t i = 0;
    jinja_enter (run);
    for (; order == 0 && i < a->list->n && i < b->list->n; i++)
      if (!jinja_equal (run, &a->list->items[i], &b->list->items[i]))
        order = jinja_compare (run, &a->list->items[i], &b->list->items[i]);
    jinja_leave (run);
    return order != 0 ? order : (a->list->n > b->list->n) - (a->list->n < b->list->n);
  }
  jinja_fail (run, "a %s and a %s have no order.", jinja_type_name (a), jinja_type_name (b));
}

static struct jinja_list *characters_of (struct jinja_run *run, struct jinja_string string)
{
  struct jinja_list *list = jinja_list_new (run, JINJA_LIST_LIST).list;
  list->content = jinja_string_has_content (string);
  for (size_t at = 0; at < string.length;) {
    size_t n = jinja_string_decode (string, at, NULL);
    jinja_list_append (run, list, jinja_string (jinja_string_slice (string, at, at + n)));
    at += n;
  }
  return list;
}

const struct jinja_list *jinja_try_items (struct jinja_run *run, const struct jinja_value *value)
{
  struct jinja_list *list;
  switch (value->type) {
  case JINJA_UNDEFINED: return jinja_list_new (run, JINJA_LIST_LIST).list;
  case JINJA_STRING: return characters_of (run, value->string);
  case JINJA_LIST: return value->list;
  case JINJA_LOOP: return value->loop->items;
  case JINJA_DICT:
    list = jinja_list_new (run, JINJA_LIST_LIST).list;
    list->items = value->dict->keys;
    list->n = list->capacity = value->dict->n;
    return list;
  case JINJA_NONE:
  case JINJA_BOOLEAN:
  case JINJA_INTEGER:
  case JINJA_FLOAT:
  case JINJA_NAMESPACE:
  case JINJA_MACRO:
  case JINJA_FUNCTION: break;
  }
  return NULL;
}

const struct jinja_list *jinja_need_items (struct jinja_run *run, const struct jinja_value *value)
{
  const struct jinja_list *items = jinja_try_items (run, value);
  if (!items)
    jinja_fail (run, "a %s cannot be gone through item by item.", jinja_type_name (value));
  return items;
}

bool jinja_contains (struct jinja_run *run, const struct jinja_value *container, const struct jinja_value *item)
{
  if (container->type == JINJA_STRING)
    return jinja_string_find (run, container->string, jinja_need_string (run, item), 0) != JINJA_NOWHERE;
  if (container->type == JINJA_DICT)
    return jinja_dict_find (run, container->dict, *item) != NULL;
  const struct jinja_list *items = jinja_need_items (run, container);
  for (size_t i = 0; i < items->n; i++)
    if (jinja_equal (run, &items->items[i], item))
      return true;
  return false;
}

size_t jinja_length (struct jinja_run *run, const struct jinja_value *value)
{
  switch (value->type) {
  case JINJA_UNDEFINED: return 0;
  case JINJA_STRING: return jinja_string_n_characters (run, value->string);
  case JINJA_LIST: return value->list->n;
  case JINJA_DICT: return value->dict->n;
  case JINJA_LOOP: return value->loop->items->n;
  case JINJA_NONE:
  case JINJA_BOOLEAN:
  case JINJA_INTEGER:
  case JINJA_FLOAT:
  case JINJA_NAMESPACE:
  case JINJA_MACRO:
  case JINJA_FUNCTION: break;
  }
  jinja_fail (run, "a %s has no length.", jinja_type_name (value));
}
