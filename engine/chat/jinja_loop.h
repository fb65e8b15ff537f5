/* jinja_loop.h: where a {% for %} is: what its body sees as `loop`. */
#ifndef LECTERN_JINJA_LOOP_H
#define LECTERN_JINJA_LOOP_H

#include "engine/chat/jinja_value.h"

struct jinja_loop {
  const struct jinja_list *items; /* those that the loop's filter let through */
  size_t index0;
  const struct jinja_list *changed; /* what loop.changed() was last asked about; NULL: nothing yet */
};

/* loop.index, loop.cycle, …; undefined for other names. */
struct jinja_value jinja_loop_get (struct jinja_run *run, struct jinja_loop *loop, struct jinja_string name);

#endif
