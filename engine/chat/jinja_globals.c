/* The functions that every template has. */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/chat/jinja.h"
#include "engine/chat/jinja_call.h"
#include "engine/chat/jinja_text.h"

#define MAX_RANGE 100000 /* as in Jinja's sandbox */

#define GLOBAL(name) static struct jinja_value name (struct jinja_run *run, const struct jinja_call *call)

GLOBAL (raise_exception)
{
  struct jinja_string message = jinja_to_string (run, call->slots[0]);
  jinja_fail (run, "it refuses this conversation: %.*s", (int)(message.length < 240 ? message.length : 240),
              message.bytes);
}

static void get_now (struct jinja_run *run, struct tm *now)
{
  const char *date = run->input ? run->input->date : NULL;
  time_t seconds = time (NULL);
  memset (now, 0, sizeof *now);
  if (!date || !*date) {
    if (!localtime_r (&seconds, now))
      jinja_fail (run, "the clock cannot be read.");
    return;
  }
  if (sscanf (date, "%4d-%2d-%2d", &now->tm_year, &now->tm_mon, &now->tm_mday) != 3)
    jinja_fail (run, "the date given is not written as 2026-01-31.");
  now->tm_year -= 1900;
  now->tm_mon -= 1;
  now->tm_isdst = -1;
  mktime (now);
}

/* In English, whatever the program's language. */
GLOBAL (strftime_now)
{
  struct jinja_string format = jinja_need_string (run, call->slots[0]);
  char pattern[256], text[1024];
  struct tm now;
  if (format.length >= sizeof pattern - 1 || memchr (format.bytes, '\0', format.length))
    jinja_fail (run, "the format of the date is too long.");
  get_now (run, &now);
  memcpy (pattern, format.bytes, format.length);
  /* Something always comes out, so that nothing means that there was no room. */
  pattern[format.length] = '.';
  pattern[format.length + 1] = '\0';
  locale_t english = newlocale (LC_ALL_MASK, "C", (locale_t)0);
  if (english == (locale_t)0)
    jinja_fail (run, "the date cannot be written.");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  size_t n = strftime_l (text, sizeof text, pattern, &now, english);
#pragma GCC diagnostic pop
  freelocale (english);
  if (n == 0)
    jinja_fail (run, "the date is too long.");
  struct jinja_builder builder = { .run = run };
  jinja_builder_add_as (&builder, (struct jinja_string){ text, NULL, n - 1 }, jinja_string_has_content (format));
  return jinja_string (jinja_builder_get (&builder));
}

GLOBAL (range)
{
  int64_t first = 0, last = jinja_need_integer (run, call->slots[0]), step = 1;
  if (call->slots[1]) {
    first = last;
    last = jinja_need_integer (run, call->slots[1]);
  }
  if (call->slots[2])
    step = jinja_need_integer (run, call->slots[2]);
  if (step == 0)
    jinja_fail (run, "the step of range() cannot be 0.");
  struct jinja_value list = jinja_list_new (run, JINJA_LIST_RANGE);
  list.list->range[0] = first;
  list.list->range[1] = last;
  list.list->range[2] = step;
  for (int64_t i = first; step > 0 ? i < last : i > last;) {
    if (list.list->n == MAX_RANGE)
      jinja_fail (run, "range() gives no more than %d numbers.", MAX_RANGE);
    jinja_list_append (run, list.list, jinja_integer (i));
    if (__builtin_add_overflow (i, step, &i))
      break;
  }
  return list;
}

static struct jinja_value make_dict (struct jinja_run *run, const struct jinja_call *call, enum jinja_type type)
{
  struct jinja_value dict = jinja_dict_new (run, type);
  const struct jinja_value *from = call->slots[0];
  if (from && from->type == JINJA_DICT) {
    for (size_t i = 0; i < from->dict->n; i++)
      jinja_dict_set (run, dict.dict, from->dict->keys[i], from->dict->values[i]);
  } else if (from) {
    const struct jinja_list *pairs = jinja_need_items (run, from);
    for (size_t i = 0; i < pairs->n; i++) {
      const struct jinja_list *pair = jinja_need_items (run, &pairs->items[i]);
      if (pair->n != 2)
        jinja_fail (run, "a dict is made from pairs.");
      jinja_dict_set (run, dict.dict, pair->items[0], pair->items[1]);
    }
  }
  for (size_t i = 0; i < call->n_named; i++)
    jinja_dict_set (run, dict.dict, jinja_string (call->names[i]), call->named[i]);
  return dict;
}

GLOBAL (dict)
{
  return make_dict (run, call, JINJA_DICT);
}

GLOBAL (namespace)
{
  return make_dict (run, call, JINJA_NAMESPACE);
}

const struct jinja_function jinja_globals[] = {
  { "raise_exception", raise_exception, 1, .parameters = { "message" } },
  { "strftime_now", strftime_now, 1, .parameters = { "format" } },
  { "range", range, 1, .parameters = { "start", "stop", "step" } },
  { "dict", dict, .takes_named = true, .parameters = { "from" } },
  { "namespace", namespace, .takes_named = true, .parameters = { "from" } },
  { NULL },
};
