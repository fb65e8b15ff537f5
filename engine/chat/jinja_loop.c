#include "engine/chat/jinja_loop.h"

static struct jinja_value cycle (struct jinja_run *run, const struct jinja_call *call)
{
  if (call->n_rest == 0)
    jinja_fail (run, "loop.cycle() has nothing to choose from.");
  return call->rest[call->self.loop->index0 % call->n_rest];
}

static struct jinja_value changed (struct jinja_run *run, const struct jinja_call *call)
{
  struct jinja_loop *loop = call->self.loop;
  struct jinja_value now = jinja_list_new (run, JINJA_LIST_TUPLE);
  for (size_t i = 0; i < call->n_rest; i++)
    jinja_list_append (run, now.list, call->rest[i]);
  struct jinja_value before = { .type = JINJA_LIST, .list = (struct jinja_list *)loop->changed };
  bool same = loop->changed && jinja_equal (run, &before, &now);
  loop->changed = now.list;
  return jinja_boolean (!same);
}

static const struct jinja_function methods[] = {
  { "cycle", cycle, .takes_rest = true },
  { "changed", changed, .takes_rest = true },
};

struct jinja_value jinja_loop_get (struct jinja_run *run, struct jinja_loop *loop, struct jinja_string name)
{
  const int64_t at = (int64_t)loop->index0, n = (int64_t)loop->items->n;
  const struct {
    const char *name;
    struct jinja_value value;
  } members[] = {
    { "index", jinja_integer (at + 1) },
    { "index0", jinja_integer (at) },
    { "revindex", jinja_integer (n - at) },
    { "revindex0", jinja_integer (n - at - 1) },
    { "first", jinja_boolean (at == 0) },
    { "last", jinja_boolean (at + 1 == n) },
    { "length", jinja_integer (n) },
    { "depth", jinja_integer (1) },
    /* more only in recursive loops */
    { "depth0", jinja_integer (0) },
    { "previtem",
      at > 0 ? loop->items->items[at - 1] : jinja_undefined (jinja_string_of ("there is no previous item")) },
    { "nextitem",
      at + 1 < n ? loop->items->items[at + 1] : jinja_undefined (jinja_string_of ("there is no next item")) },
  };
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    if (jinja_string_is (name, members[i].name))
      return members[i].value;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (jinja_string_is (name, methods[i].name)) {
      struct jinja_method *method = jinja_alloc (run, 1, sizeof *method);
      *method = (struct jinja_method){ &methods[i], { .type = JINJA_LOOP, .loop = loop } };
      return (struct jinja_value){ .type = JINJA_FUNCTION, .method = method };
    }
  return jinja_undefined (name);
}
