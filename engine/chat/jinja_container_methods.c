/* Methods of lists and dicts. Those that change them change only what this rendering made. */
#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_text.h"

#define METHOD(name) static struct jinja_value name (struct jinja_run *run, const struct jinja_call *call)

static void refuse_fixed (struct jinja_run *run, const struct jinja_list *list)
{
  if (list->kind != JINJA_LIST_LIST)
    jinja_fail (run, "only a list can be changed.");
}

METHOD (list_append)
{
  refuse_fixed (run, call->self.list);
  jinja_list_append (run, call->self.list, *call->slots[0]);
  return jinja_none ();
}

METHOD (list_extend)
{
  const struct jinja_list *items = jinja_need_items (run, call->slots[0]);
  refuse_fixed (run, call->self.list);
  call->self.list->content = call->self.list->content || items->content;
  for (size_t i = 0, n = items->n; i < n; i++)
    jinja_list_append (run, call->self.list, items->items[i]);
  return jinja_none ();
}

METHOD (list_insert)
{
  struct jinja_list *list = call->self.list;
  int64_t n = (int64_t)list->n, at = jinja_need_integer (run, call->slots[0]);
  refuse_fixed (run, list);
  at = at < -n ? 0 : at < 0 ? at + n : at > n ? n : at;
  jinja_list_append (run, list, *call->slots[1]);
  jinja_count (run, list->n);
  for (int64_t i = n; i > at; i--)
    list->items[i] = list->items[i - 1];
  list->items[at] = *call->slots[1];
  return jinja_none ();
}

METHOD (list_pop)
{
  struct jinja_list *list = call->self.list;
  int64_t at = jinja_integer_or (run, call->slots[0], -1);
  refuse_fixed (run, list);
  if (at < 0)
    at += (int64_t)list->n;
  if (at < 0 || at >= (int64_t)list->n)
    jinja_fail (run, "pop() finds no item there.");
  struct jinja_value item = list->items[at];
  jinja_count (run, list->n);
  list->n--;
  for (size_t i = (size_t)at; i < list->n; i++)
    list->items[i] = list->items[i + 1];
  return item;
}

METHOD (list_index)
{
  for (size_t i = 0; i < call->self.list->n; i++)
    if (jinja_equal (run, &call->self.list->items[i], call->slots[0]))
      return jinja_integer ((int64_t)i);
  jinja_fail (run, "index() does not find what it looks for.");
}

METHOD (list_count)
{
  int64_t n = 0;
  for (size_t i = 0; i < call->self.list->n; i++)
    n += jinja_equal (run, &call->self.list->items[i], call->slots[0]);
  return jinja_integer (n);
}

METHOD (list_reverse)
{
  struct jinja_list *list = call->self.list;
  refuse_fixed (run, list);
  jinja_count (run, list->n);
  for (size_t i = 0, j = list->n; i + 1 < j; i++) {
    struct jinja_value item = list->items[i];
    list->items[i] = list->items[--j];
    list->items[j] = item;
  }
  return jinja_none ();
}

METHOD (list_copy)
{
  return jinja_get_slice (run, &call->self, NULL, NULL, NULL);
}

METHOD (dict_get)
{
  const struct jinja_value *found = jinja_dict_find (run, call->self.dict, *call->slots[0]);
  return found ? *found : call->slots[1] ? *call->slots[1] : jinja_none ();
}

static struct jinja_value view (struct jinja_run *run, const char *name)
{
  struct jinja_value list = jinja_list_new (run, JINJA_LIST_VIEW);
  list.list->name = name;
  return list;
}

METHOD (dict_keys)
{
  struct jinja_value keys = view (run, "dict_keys");
  for (size_t i = 0; i < call->self.dict->n; i++)
    jinja_list_append (run, keys.list, call->self.dict->keys[i]);
  return keys;
}

METHOD (dict_values)
{
  struct jinja_value values = view (run, "dict_values");
  for (size_t i = 0; i < call->self.dict->n; i++)
    jinja_list_append (run, values.list, call->self.dict->values[i]);
  return values;
}

METHOD (dict_items)
{
  struct jinja_value items = view (run, "dict_items");
  for (size_t i = 0; i < call->self.dict->n; i++) {
    struct jinja_value pair = jinja_list_new (run, JINJA_LIST_TUPLE);
    jinja_list_append (run, pair.list, call->self.dict->keys[i]);
    jinja_list_append (run, pair.list, call->self.dict->values[i]);
    jinja_list_append (run, items.list, pair);
  }
  return items;
}

METHOD (dict_pop)
{
  struct jinja_dict *dict = call->self.dict;
  const struct jinja_value *found = jinja_dict_find (run, dict, *call->slots[0]);
  if (!found && !call->slots[1])
    jinja_fail (run, "pop() finds no such key.");
  if (!found)
    return *call->slots[1];
  struct jinja_value value = *found;
  jinja_count (run, dict->n);
  dict->n--;
  for (size_t i = (size_t)(found - dict->values); i < dict->n; i++) {
    dict->keys[i] = dict->keys[i + 1];
    dict->values[i] = dict->values[i + 1];
  }
  return value;
}

METHOD (dict_update)
{
  const struct jinja_value *other = call->slots[0];
  if (other && other->type != JINJA_DICT)
    jinja_fail (run, "update() needs a dict.");
  for (size_t i = 0; other && i < other->dict->n; i++)
    jinja_dict_set (run, call->self.dict, other->dict->keys[i], other->dict->values[i]);
  for (size_t i = 0; i < call->n_named; i++)
    jinja_dict_set (run, call->self.dict, jinja_string (call->names[i]), call->named[i]);
  return jinja_none ();
}

METHOD (dict_setdefault)
{
  const struct jinja_value *found = jinja_dict_find (run, call->self.dict, *call->slots[0]);
  struct jinja_value value = found ? *found : call->slots[1] ? *call->slots[1] : jinja_none ();
  if (!found)
    jinja_dict_set (run, call->self.dict, *call->slots[0], value);
  return value;
}

METHOD (dict_copy)
{
  struct jinja_value copy = jinja_dict_new (run, JINJA_DICT);
  for (size_t i = 0; i < call->self.dict->n; i++)
    jinja_dict_set (run, copy.dict, call->self.dict->keys[i], call->self.dict->values[i]);
  return copy;
}

const struct jinja_function jinja_list_methods[] = {
  { "append", list_append, 1, .parameters = { "object" } },
  { "extend", list_extend, 1, .parameters = { "iterable" } },
  { "insert", list_insert, 2, .parameters = { "index", "object" } },
  { "pop", list_pop, .parameters = { "index" } },
  { "index", list_index, 1, .parameters = { "value" } },
  { "count", list_count, 1, .parameters = { "value" } },
  { "reverse", list_reverse },
  { "copy", list_copy },
  { NULL },
};

const struct jinja_function jinja_dict_methods[] = {
  { "get", dict_get, 1, .parameters = { "key", "default" } },
  { "keys", dict_keys },
  { "values", dict_values },
  { "items", dict_items },
  { "pop", dict_pop, 1, .parameters = { "key", "default" } },
  { "update", dict_update, .takes_named = true, .parameters = { "other" } },
  { "setdefault", dict_setdefault, 1, .parameters = { "key", "default" } },
  { "copy", dict_copy },
  { NULL },
};
