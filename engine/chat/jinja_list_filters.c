/* Filters that take or give lists. */
#include <string.h>

#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_text.h"

#define FILTER(name) static struct jinja_value filter_##name (struct jinja_run *run, const struct jinja_call *call)

/* A new list whose length comes from where that of `from` does. */
static struct jinja_value list_like (struct jinja_run *run, const struct jinja_list *from, enum jinja_list_kind kind)
{
  struct jinja_value list = jinja_list_new (run, kind);
  list.list->content = from->content;
  return list;
}

static struct jinja_value copy_items (struct jinja_run *run, const struct jinja_value *value)
{
  const struct jinja_list *items = jinja_need_items (run, value);
  struct jinja_value copy = list_like (run, items, JINJA_LIST_LIST);
  for (size_t i = 0; i < items->n; i++)
    jinja_list_append (run, copy.list, items->items[i]);
  return copy;
}

FILTER (list)
{
  return copy_items (run, &call->self);
}

FILTER (first)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  return items->n ? items->items[0] : jinja_undefined (jinja_string_of ("the first of nothing"));
}

FILTER (last)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  return items->n ? items->items[items->n - 1] : jinja_undefined (jinja_string_of ("the last of nothing"));
}

FILTER (reverse)
{
  struct jinja_value step = jinja_integer (-1);
  if (call->self.type == JINJA_STRING)
    return jinja_get_slice (run, &call->self, NULL, NULL, &step);
  struct jinja_value items = copy_items (run, &call->self);
  struct jinja_value reversed = jinja_get_slice (run, &items, NULL, NULL, &step);
  reversed.list->kind = JINJA_LIST_GENERATOR;
  return reversed;
}

FILTER (items)
{
  struct jinja_arguments none = { 0 };
  if (call->self.type == JINJA_UNDEFINED)
    return jinja_list_new (run, JINJA_LIST_GENERATOR);
  if (call->self.type != JINJA_DICT)
    jinja_fail (run, "items needs a dict, not a %s.", jinja_type_name (&call->self));
  struct jinja_value pairs = jinja_call_function (
      run, jinja_find_function (jinja_dict_methods, jinja_string_of ("items")), call->self, &none);
  pairs.list->kind = JINJA_LIST_GENERATOR;
  return pairs;
}

/* ---- order ----------------------------------------------------------------------------------------------- */

struct order {
  struct jinja_run *run;
  const struct jinja_value *attribute; /* NULL: the items themselves */
  bool case_sensitive, reverse;
};

static struct jinja_value key_of (const struct order *order, const struct jinja_value *item)
{
  struct jinja_value key = order->attribute ? jinja_get_path (order->run, *item, order->attribute) : *item;
  if (key.type == JINJA_STRING && !order->case_sensitive)
    key.string = jinja_change_case (order->run, key.string, JINJA_LOWER);
  return key;
}

/* A merge sort: stable, also in reverse, and of bounded time. */
static void sort (const struct order *order, struct jinja_value *items, size_t n)
{
  struct jinja_run *run = order->run;
  struct jinja_value *keys = jinja_alloc (run, n + 1, sizeof *keys), *from = items;
  size_t *ranks = jinja_alloc (run, n + 1, sizeof *ranks), *merged = jinja_alloc (run, n + 1, sizeof *merged);
  for (size_t i = 0; i < n; i++) {
    keys[i] = key_of (order, &items[i]);
    ranks[i] = i;
  }
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t start = 0; start < n; start += 2 * width) {
      size_t middle = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
      for (size_t a = start, b = middle, to = start; to < end; to++) {
        bool take_b = a == middle;
        if (a < middle && b < end) {
          int compared = jinja_compare (run, &keys[ranks[b]], &keys[ranks[a]]);
          take_b = order->reverse ? compared > 0 : compared < 0;
        }
        merged[to] = take_b ? ranks[b++] : ranks[a++];
      }
    }
    size_t *swap = ranks;
    ranks = merged;
    merged = swap;
  }
  from = jinja_alloc (run, n + 1, sizeof *from);
  if (n)
    memcpy (from, items, n * sizeof *from);
  for (size_t i = 0; i < n; i++)
    items[i] = from[ranks[i]];
}

FILTER (sort)
{
  struct jinja_value list = copy_items (run, &call->self);
  struct order order
      = { run, call->slots[2], jinja_true_or (call->slots[1], false), jinja_true_or (call->slots[0], false) };
  if (order.attribute && order.attribute->type == JINJA_NONE)
    order.attribute = NULL;
  sort (&order, list.list->items, list.list->n);
  return list;
}

FILTER (dictsort)
{
  struct jinja_value pairs = filter_items (run, call), by = jinja_integer (0);
  if (call->slots[1] && jinja_string_is (jinja_need_string (run, call->slots[1]), "value"))
    by = jinja_integer (1);
  struct order order = { run, &by, jinja_true_or (call->slots[0], false), jinja_true_or (call->slots[2], false) };
  sort (&order, pairs.list->items, pairs.list->n);
  pairs.list->kind = JINJA_LIST_LIST;
  return pairs;
}

FILTER (unique)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  struct jinja_value found = list_like (run, items, JINJA_LIST_GENERATOR);
  struct jinja_list *keys = jinja_list_new (run, JINJA_LIST_LIST).list;
  struct order order = { run, call->slots[1], jinja_true_or (call->slots[0], false), false };
  for (size_t i = 0; i < items->n; i++) {
    struct jinja_value key = key_of (&order, &items->items[i]);
    size_t at = 0;
    while (at < keys->n && !jinja_equal (run, &keys->items[at], &key))
      at++;
    if (at < keys->n)
      continue;
    jinja_list_append (run, keys, key);
    jinja_list_append (run, found.list, items->items[i]);
  }
  return found;
}

static struct jinja_value extreme (struct jinja_run *run, const struct jinja_call *call, int wanted)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  struct order order = { run, call->slots[1], jinja_true_or (call->slots[0], false), false };
  if (items->n == 0)
    return jinja_undefined (jinja_string_of ("the extreme of nothing"));
  struct jinja_value best = items->items[0], best_key = key_of (&order, &best);
  for (size_t i = 1; i < items->n; i++) {
    struct jinja_value key = key_of (&order, &items->items[i]);
    if (jinja_compare (run, &key, &best_key) * wanted > 0) {
      best = items->items[i];
      best_key = key;
    }
  }
  return best;
}

FILTER (min)
{
  return extreme (run, call, -1);
}

FILTER (max)
{
  return extreme (run, call, 1);
}

FILTER (sum)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  struct jinja_value total = call->slots[1] ? *call->slots[1] : jinja_integer (0);
  for (size_t i = 0; i < items->n; i++) {
    struct jinja_value item = items->items[i];
    int64_t sum, added;
    double a, b;
    if (call->slots[0] && call->slots[0]->type != JINJA_NONE)
      item = jinja_get_path (run, item, call->slots[0]);
    if (jinja_get_integer (&total, &sum) && jinja_get_integer (&item, &added)) {
      if (__builtin_add_overflow (sum, added, &sum))
        jinja_fail (run, "a number becomes too large.");
      total = jinja_integer (sum);
    } else if (jinja_get_number (&total, &a) && jinja_get_number (&item, &b)) {
      total = jinja_float (a + b);
    } else {
      jinja_fail (run, "sum needs numbers, not a %s.", jinja_type_name (&item));
    }
  }
  return total;
}

/* ---- choosing -------------------------------------------------------------------------------------------- */

/* What map, select and their like go through: nothing at all, for whatever is not true. */
static const struct jinja_list *items_if_true (struct jinja_run *run, const struct jinja_value *value)
{
  return jinja_is_true (value) ? jinja_need_items (run, value) : jinja_list_new (run, JINJA_LIST_LIST).list;
}

/* The arguments after the first `skipped`. */
static struct jinja_arguments arguments_after (const struct jinja_call *call, size_t skipped)
{
  return (struct jinja_arguments){
    .positional = (struct jinja_value *)call->rest + skipped,
    .n = call->n_rest - skipped,
    .names = (struct jinja_string *)call->names,
    .named = (struct jinja_value *)call->named,
    .n_named = call->n_named,
  };
}

FILTER (map)
{
  const struct jinja_list *items = items_if_true (run, &call->self);
  struct jinja_value mapped = list_like (run, items, JINJA_LIST_GENERATOR);
  const struct jinja_value *attribute = NULL, *otherwise = NULL;
  for (size_t i = 0; i < call->n_named && call->n_rest == 0; i++) {
    if (jinja_string_is (call->names[i], "attribute"))
      attribute = &call->named[i];
    if (jinja_string_is (call->names[i], "default"))
      otherwise = &call->named[i];
  }
  if (!attribute && call->n_rest == 0)
    jinja_fail (run, "map needs the name of a filter, or attribute=.");
  struct jinja_arguments arguments = { 0 };
  if (!attribute)
    arguments = arguments_after (call, 1);
  for (size_t i = 0; i < items->n; i++) {
    struct jinja_value item = items->items[i];
    if (attribute)
      item = jinja_get_path (run, item, attribute);
    else
      item = jinja_call_filter (run, jinja_need_string (run, &call->rest[0]), item, &arguments);
    jinja_list_append (run, mapped.list, otherwise && item.type == JINJA_UNDEFINED ? *otherwise : item);
  }
  return mapped;
}

static struct jinja_value choose (struct jinja_run *run, const struct jinja_call *call, bool by_attribute, bool wanted)
{
  const struct jinja_list *items = items_if_true (run, &call->self);
  struct jinja_value chosen = list_like (run, items, JINJA_LIST_GENERATOR);
  size_t name = by_attribute ? 1 : 0;
  if (by_attribute && call->n_rest == 0)
    jinja_fail (run, "selectattr and rejectattr need the name of an attribute.");
  struct jinja_arguments arguments = { 0 };
  if (call->n_rest > name)
    arguments = arguments_after (call, name + 1);
  for (size_t i = 0; i < items->n; i++) {
    struct jinja_value tested = items->items[i];
    if (by_attribute)
      tested = jinja_get_path (run, tested, &call->rest[0]);
    bool is = call->n_rest > name
                  ? jinja_call_test (run, jinja_need_string (run, &call->rest[name]), tested, &arguments)
                  : jinja_is_true (&tested);
    if (is == wanted)
      jinja_list_append (run, chosen.list, items->items[i]);
  }
  return chosen;
}

FILTER (select)
{
  return choose (run, call, false, true);
}

FILTER (reject)
{
  return choose (run, call, false, false);
}

FILTER (selectattr)
{
  return choose (run, call, true, true);
}

FILTER (rejectattr)
{
  return choose (run, call, true, false);
}

/* ---- cutting --------------------------------------------------------------------------------------------- */

FILTER (batch)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  struct jinja_value batches = list_like (run, items, JINJA_LIST_GENERATOR), batch = jinja_none ();
  int64_t size = jinja_need_integer (run, call->slots[0]);
  if (size < 1)
    jinja_fail (run, "batch needs a size of at least 1.");
  for (size_t i = 0; i < items->n; i++) {
    if ((int64_t)i % size == 0) {
      batch = list_like (run, items, JINJA_LIST_LIST);
      jinja_list_append (run, batches.list, batch);
    }
    jinja_list_append (run, batch.list, items->items[i]);
  }
  for (; items->n && call->slots[1] && call->slots[1]->type != JINJA_NONE && (int64_t)batch.list->n < size;)
    jinja_list_append (run, batch.list, *call->slots[1]);
  return batches;
}

FILTER (slice)
{
  const struct jinja_list *items = jinja_need_items (run, &call->self);
  struct jinja_value slices = list_like (run, items, JINJA_LIST_GENERATOR);
  int64_t n = jinja_need_integer (run, call->slots[0]), length = (int64_t)items->n;
  if (n < 1)
    jinja_fail (run, "slice needs at least 1 slice.");
  for (int64_t i = 0, at = 0; i < n; i++) {
    struct jinja_value slice = list_like (run, items, JINJA_LIST_LIST);
    int64_t size = length / n + (i < length % n);
    for (int64_t j = 0; j < size; j++)
      jinja_list_append (run, slice.list, items->items[at++]);
    if (call->slots[1] && call->slots[1]->type != JINJA_NONE && i >= length % n && length % n > 0)
      jinja_list_append (run, slice.list, *call->slots[1]);
    jinja_list_append (run, slices.list, slice);
  }
  return slices;
}

const struct jinja_function jinja_list_filters[] = {
  { "list", filter_list },
  { "first", filter_first },
  { "last", filter_last },
  { "reverse", filter_reverse },
  { "items", filter_items },
  { "sort", filter_sort, .parameters = { "reverse", "case_sensitive", "attribute" } },
  { "dictsort", filter_dictsort, .parameters = { "case_sensitive", "by", "reverse" } },
  { "unique", filter_unique, .parameters = { "case_sensitive", "attribute" } },
  { "min", filter_min, .parameters = { "case_sensitive", "attribute" } },
  { "max", filter_max, .parameters = { "case_sensitive", "attribute" } },
  { "sum", filter_sum, .parameters = { "attribute", "start" } },
  { "map", filter_map, .takes_rest = true, .takes_named = true },
  { "select", filter_select, .takes_rest = true, .takes_named = true },
  { "reject", filter_reject, .takes_rest = true, .takes_named = true },
  { "selectattr", filter_selectattr, .takes_rest = true, .takes_named = true },
  { "rejectattr", filter_rejectattr, .takes_rest = true, .takes_named = true },
  { "batch", filter_batch, 1, .parameters = { "linecount", "fill_with" } },
  { "slice", filter_slice, 1, .parameters = { "slices", "fill_with" } },
  { NULL },
};
