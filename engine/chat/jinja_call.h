/* jinja_call.h: the tables of what is built in, and how arguments come to their parameters. */
#ifndef LECTERN_JINJA_CALL_H
#define LECTERN_JINJA_CALL_H

#include "engine/chat/jinja_value.h"

struct jinja_arguments {
  struct jinja_value *positional;
  size_t n;
  struct jinja_string *names;
  struct jinja_value *named;
  size_t n_named;
};

/* A table ends with a row without a name. */
extern const struct jinja_function jinja_string_filters[], jinja_list_filters[], jinja_number_filters[], jinja_tests[],
    jinja_globals[], jinja_string_methods[], jinja_list_methods[], jinja_dict_methods[];

/* NULL: not in any of the tables. */
const struct jinja_function *jinja_find_function (const struct jinja_function *table, struct jinja_string name);
const struct jinja_function *jinja_find_filter (struct jinja_string name);

/* Ends the run when the arguments do not fit. */
struct jinja_value jinja_call_function (struct jinja_run *run, const struct jinja_function *function,
                                        struct jinja_value self, const struct jinja_arguments *arguments);
struct jinja_value jinja_call_filter (struct jinja_run *run, struct jinja_string name, struct jinja_value self,
                                      const struct jinja_arguments *arguments);
bool jinja_call_test (struct jinja_run *run, struct jinja_string name, struct jinja_value self,
                      const struct jinja_arguments *arguments);

/* value.name and value[key]: undefined where there is none. */
struct jinja_value jinja_get_attribute (struct jinja_run *run, const struct jinja_value *value,
                                        struct jinja_string name);
struct jinja_value jinja_get_item (struct jinja_run *run, const struct jinja_value *value,
                                   const struct jinja_value *key);
/* "a.b.0", as filters name attributes; an integer works too. */
struct jinja_value jinja_get_path (struct jinja_run *run, struct jinja_value value, const struct jinja_value *path);
/* value[first:last:step]; a bound may be NULL or none. */
struct jinja_value jinja_get_slice (struct jinja_run *run, const struct jinja_value *value,
                                    const struct jinja_value *first, const struct jinja_value *last,
                                    const struct jinja_value *step);

/* string % arguments. */
struct jinja_string jinja_format_percent (struct jinja_run *run, struct jinja_string format,
                                          const struct jinja_value *argument);

#endif
