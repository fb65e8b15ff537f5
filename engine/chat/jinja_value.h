/* jinja_value.h: what an expression of a template can be, with Python's meaning of truth, equality and text.
 *
 * Deviations from Python: integers have 64 bits (more is an error), |safe gives a plain string, and the iterators that
 * map, select and the like give can be counted and read more than once. */
#ifndef LECTERN_JINJA_VALUE_H
#define LECTERN_JINJA_VALUE_H

#include "engine/chat/jinja_string.h"

enum jinja_type {
  JINJA_UNDEFINED,
  JINJA_NONE,
  JINJA_BOOLEAN,
  JINJA_INTEGER,
  JINJA_FLOAT,
  JINJA_STRING,
  JINJA_LIST, /* list, tuple and whatever else can be iterated */
  JINJA_DICT,
  JINJA_NAMESPACE, /* in `dict`: the one thing that {% set a.b = c %} may change */
  JINJA_MACRO,
  JINJA_FUNCTION, /* built in, with or without the object that it is a method of */
  JINJA_LOOP,
};

struct jinja_value {
  enum jinja_type type;
  union {
    bool boolean;
    int64_t integer;
    double real;
    struct jinja_string string; /* of JINJA_UNDEFINED: what was looked for, for the message */
    struct jinja_list *list;
    struct jinja_dict *dict;
    struct jinja_macro *macro;
    struct jinja_method *method;
    struct jinja_loop *loop;
  };
};

enum jinja_list_kind {
  JINJA_LIST_LIST,
  JINJA_LIST_TUPLE,
  JINJA_LIST_RANGE,
  JINJA_LIST_VIEW,      /* of a dict: no positions */
  JINJA_LIST_GENERATOR, /* of a filter: no positions, always true */
};

struct jinja_list {
  struct jinja_value *items;
  size_t n, capacity;
  enum jinja_list_kind kind;
  bool content;     /* how many items there are comes from content (split): a separator between them is content too */
  const char *name; /* of a view, as Python calls it */
  int64_t range[3]; /* start, stop, step of a range */
};

struct jinja_dict {
  struct jinja_value *keys, *values; /* in the order of insertion */
  size_t n, capacity;
};

/* A row of a table of built-in functions, filters, tests or methods. Parameters are bound by position or name; of those
 * beyond n_required the slot may be NULL. */
#define JINJA_MAX_PARAMETERS 4
struct jinja_call {
  struct jinja_value self; /* what is filtered, tested or asked; undefined for functions */
  const struct jinja_value *slots[JINJA_MAX_PARAMETERS];
  const struct jinja_value *rest; /* further positional arguments */
  size_t n_rest;
  const struct jinja_string *names; /* further named arguments */
  const struct jinja_value *named;
  size_t n_named;
};
struct jinja_function {
  const char *name;
  struct jinja_value (*call) (struct jinja_run *run, const struct jinja_call *call);
  unsigned n_required;
  bool takes_rest, takes_named;
  const char *parameters[JINJA_MAX_PARAMETERS];
};

struct jinja_method {
  const struct jinja_function *function;
  struct jinja_value self;
};

static inline struct jinja_value jinja_none (void)
{
  return (struct jinja_value){ .type = JINJA_NONE };
}
static inline struct jinja_value jinja_boolean (bool boolean)
{
  return (struct jinja_value){ .type = JINJA_BOOLEAN, .boolean = boolean };
}
static inline struct jinja_value jinja_integer (int64_t integer)
{
  return (struct jinja_value){ .type = JINJA_INTEGER, .integer = integer };
}
static inline struct jinja_value jinja_float (double real)
{
  return (struct jinja_value){ .type = JINJA_FLOAT, .real = real };
}
static inline struct jinja_value jinja_string (struct jinja_string string)
{
  return (struct jinja_value){ .type = JINJA_STRING, .string = string };
}
static inline struct jinja_value jinja_undefined (struct jinja_string wanted)
{
  return (struct jinja_value){ .type = JINJA_UNDEFINED, .string = wanted };
}

struct jinja_value jinja_list_new (struct jinja_run *run, enum jinja_list_kind kind);
void jinja_list_append (struct jinja_run *run, struct jinja_list *list, struct jinja_value item);
struct jinja_value jinja_dict_new (struct jinja_run *run, enum jinja_type type);
struct jinja_value *jinja_dict_find (struct jinja_run *run, const struct jinja_dict *dict, struct jinja_value key);
void jinja_dict_set (struct jinja_run *run, struct jinja_dict *dict, struct jinja_value key, struct jinja_value value);

const char *jinja_type_name (const struct jinja_value *value); /* as Python calls it */
bool jinja_is_true (const struct jinja_value *value);
bool jinja_equal (struct jinja_run *run, const struct jinja_value *a, const struct jinja_value *b);
/* < 0, 0 or > 0; fails for types that have no order. */
int jinja_compare (struct jinja_run *run, const struct jinja_value *a, const struct jinja_value *b);
/* True and 1 are numbers; *real may be NULL. */
bool jinja_get_number (const struct jinja_value *value, double *real);
bool jinja_get_integer (const struct jinja_value *value, int64_t *integer); /* of a boolean or an integer */
int64_t jinja_need_integer (struct jinja_run *run, const struct jinja_value *value);
struct jinja_string jinja_need_string (struct jinja_run *run, const struct jinja_value *value);

/* What iterating gives: the list itself, or a new one of characters, keys or nothing. NULL if it cannot be iterated. */
const struct jinja_list *jinja_try_items (struct jinja_run *run, const struct jinja_value *value);
const struct jinja_list *jinja_need_items (struct jinja_run *run, const struct jinja_value *value);
bool jinja_contains (struct jinja_run *run, const struct jinja_value *container, const struct jinja_value *item);
/* len(); fails where there is none. */
size_t jinja_length (struct jinja_run *run, const struct jinja_value *value);

/* str() and repr(). */
struct jinja_string jinja_to_string (struct jinja_run *run, const struct jinja_value *value);
void jinja_add_repr (struct jinja_builder *builder, const struct jinja_value *value);
void jinja_add_float (struct jinja_builder *builder, double real);

#endif
