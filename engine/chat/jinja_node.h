/* jinja_node.h: a template as a tree. */
#ifndef LECTERN_JINJA_NODE_H
#define LECTERN_JINJA_NODE_H

#include "engine/chat/jinja_value.h"

/* What each type uses of struct jinja_node; [] means a chain of nodes through `next`. */
enum jinja_node_type {
  /* Expressions */
  JINJA_NODE_CONSTANT,  /* value */
  JINJA_NODE_NAME,      /* text */
  JINJA_NODE_LIST,      /* first[] */
  JINJA_NODE_TUPLE,     /* first[] */
  JINJA_NODE_DICT,      /* first[]: key, value, key, value … */
  JINJA_NODE_ATTRIBUTE, /* left.text */
  JINJA_NODE_ITEM,      /* left[right] */
  JINJA_NODE_SLICE,     /* left[first:second:third], each may be NULL */
  JINJA_NODE_CALL,      /* left (first[]) */
  JINJA_NODE_FILTER,    /* left | text (first[]); left NULL: of a filter block */
  JINJA_NODE_TEST,      /* left is text (first[]) */
  JINJA_NODE_UNARY,     /* op left */
  JINJA_NODE_BINARY,    /* left op right */
  JINJA_NODE_AND,       /* left, right */
  JINJA_NODE_OR,        /* left, right */
  JINJA_NODE_COMPARE,   /* left, first[] of OPERAND */
  JINJA_NODE_OPERAND,   /* op left */
  JINJA_NODE_CONDITION, /* first if left else second (NULL: undefined) */
  JINJA_NODE_NAMED,     /* text = left: an argument */
  JINJA_NODE_SPREAD,    /* *left or **left: an argument */
  /* Statements; body[] */
  JINJA_NODE_TEXT,       /* text */
  JINJA_NODE_OUTPUT,     /* left */
  JINJA_NODE_IF,         /* if left body, else second[] */
  JINJA_NODE_FOR,        /* for first in left if right: body, else second[] */
  JINJA_NODE_SET,        /* first = left */
  JINJA_NODE_SET_BLOCK,  /* first = body, through the filters left (or NULL) */
  JINJA_NODE_WITH,       /* first[] of SET, body */
  JINJA_NODE_MACRO,      /* macro text (first[] of NAMED, left NULL: no default): body; reads_*: what it uses */
  JINJA_NODE_CALL_BLOCK, /* the macro first (without name) as caller() of the call left */
  JINJA_NODE_FILTERED,   /* body through the filters left */
  JINJA_NODE_GENERATION, /* body */
  JINJA_NODE_BREAK,
  JINJA_NODE_CONTINUE,
};

enum jinja_operator {
  JINJA_ADD,
  JINJA_SUBTRACT,
  JINJA_JOIN,
  JINJA_MULTIPLY,
  JINJA_DIVIDE,
  JINJA_FLOOR_DIVIDE,
  JINJA_MODULO,
  JINJA_POWER,
  JINJA_NOT,
  JINJA_NEGATE,
  JINJA_PLUS,
  JINJA_EQUAL,
  JINJA_NOT_EQUAL,
  JINJA_LESS,
  JINJA_LESS_EQUAL,
  JINJA_GREATER,
  JINJA_GREATER_EQUAL,
  JINJA_IN,
  JINJA_NOT_IN,
};

struct jinja_node {
  enum jinja_node_type type;
  uint32_t line;
  enum jinja_operator op;
  bool twice;                       /* SPREAD: ** */
  bool negated;                     /* TEST: is not */
  bool reads_varargs, reads_kwargs; /* MACRO */
  struct jinja_string text;
  struct jinja_value value;
  struct jinja_node *left, *right, *first, *second, *third, *body;
  struct jinja_node *next;
};

#endif
