/* jinja_parser.h: tokens to a tree, by recursive descent with a bounded depth. */
#ifndef LECTERN_JINJA_PARSER_H
#define LECTERN_JINJA_PARSER_H

#include "engine/chat/jinja_lexer.h"
#include "engine/chat/jinja_node.h"

/* The chain of a template's statements; NULL when it has none. Ends the run for what is no template, and for statements
 * that would read other files. */
struct jinja_node *jinja_parse (struct jinja_run *run, struct jinja_tokens tokens);

/* ---- between the two files of the parser ----------------------------------------------------------------- */

struct jinja_parser {
  struct jinja_run *run;
  const struct jinja_token *token; /* the next one; the last is END */
  bool reads_varargs, reads_kwargs;
  unsigned n_loops; /* around */
};

/* A chain being made. Start from {0}. */
struct jinja_chain {
  struct jinja_node *first, *last;
};

struct jinja_node *jinja_node_new (struct jinja_parser *parser, enum jinja_node_type type);
void jinja_chain_add (struct jinja_chain *chain, struct jinja_node *node);
bool jinja_at_operator (const struct jinja_parser *parser, const char *op);
bool jinja_at_name (const struct jinja_parser *parser, const char *name);
bool jinja_take_operator (struct jinja_parser *parser, const char *op);
bool jinja_take_name (struct jinja_parser *parser, const char *name);
void jinja_need_operator (struct jinja_parser *parser, const char *op);
struct jinja_string jinja_need_name (struct jinja_parser *parser, const char *what);
_Noreturn void jinja_unexpected (struct jinja_parser *parser, const char *wanted);

struct jinja_node *jinja_parse_expression (struct jinja_parser *parser, bool with_condition);
/* One expression, or a tuple of several. */
struct jinja_node *jinja_parse_tuple (struct jinja_parser *parser, bool with_condition);
/* | filter | filter …, around `left`; NULL when there is none and left is NULL. */
struct jinja_node *jinja_parse_filters (struct jinja_parser *parser, struct jinja_node *left);
struct jinja_node *jinja_parse_filter (struct jinja_parser *parser, struct jinja_node *left);
/* A name, a.b, or a tuple of names: what is assigned to. */
struct jinja_node *jinja_parse_target (struct jinja_parser *parser, bool with_attribute);

#endif
