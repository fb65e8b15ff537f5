/* jinja_lexer.h: a template cut into tokens, with the white space rules of Jinja under trim_blocks and lstrip_blocks,
 * as the models' templates are written for (jinja.palletsprojects.com, "Template Designer Documentation"). */
#ifndef LECTERN_JINJA_LEXER_H
#define LECTERN_JINJA_LEXER_H

#include "engine/chat/jinja_value.h"

enum jinja_token_type {
  JINJA_TOKEN_DATA, /* text outside of tags */
  JINJA_TOKEN_BLOCK_BEGIN,
  JINJA_TOKEN_BLOCK_END,
  JINJA_TOKEN_VARIABLE_BEGIN,
  JINJA_TOKEN_VARIABLE_END,
  JINJA_TOKEN_NAME,
  JINJA_TOKEN_CONSTANT, /* a string, an integer or a float */
  JINJA_TOKEN_OPERATOR,
  JINJA_TOKEN_END,
};

struct jinja_token {
  enum jinja_token_type type;
  uint32_t line;
  struct jinja_string text; /* as written; of DATA: what is left after trimming */
  struct jinja_value value; /* of a constant */
};

struct jinja_tokens {
  struct jinja_token *items; /* the last one is END */
  size_t n, capacity;
};

/* `source` must outlive the tokens and has "\n" for its line ends. Ends the run for what is no template. */
struct jinja_tokens jinja_lex (struct jinja_run *run, struct jinja_string source);

/* What stands between the quotes, escapes read. */
struct jinja_string jinja_unescape (struct jinja_run *run, struct jinja_string quoted);

#endif
