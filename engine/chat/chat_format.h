/* chat_format.h: one chat format as data. */
#ifndef LECTERN_CHAT_FORMAT_H
#define LECTERN_CHAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

enum chat_system {
  CHAT_SYSTEM_TURN,       /* a turn of its own */
  CHAT_SYSTEM_FIRST_USER, /* at the start of the first user turn */
  CHAT_SYSTEM_LAST_USER,  /* at the start of the last user turn, if the messages end with it; else dropped */
};

struct chat_turn {
  const char *prefix, *suffix;
};

struct chat_format {
  const char *name;
  const char *wanted[3];   /* all of them are in tokenizer.chat_template (as written there, with Jinja's escapes) */
  const char *unwanted[2]; /* and none of these */
  const char *markers[4];  /* what delimits turns: special tokens of the usual vocabularies */
  bool by_vocabulary;      /* the markers alone say that a model without a template wants this format */
  const char *bos;         /* the template itself begins with BOS, written so; NULL: as the tokenizer says */
  enum chat_system system_mode;
  struct chat_turn system, user, assistant;
  const char *opening;        /* of the assistant's turn */
  const char *default_system; /* what the template says when there is no system message; NULL: nothing */
  bool trims;                 /* white space around each content is dropped */
};

extern const struct chat_format chat_formats[];
extern const size_t chat_n_formats;

#endif
