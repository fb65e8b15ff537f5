/* commands.h: what a command of lecternctl is, and the table of all that there are.
 *
 * A command is one constant `struct Command` in app/command-*.c. lecternctl.c reads the arguments against its option
 * table, calls run(), prints the error as one line on standard error and turns it into the exit status: 0 when run()
 * returned TRUE, 2 for USAGE_ERROR, else 1. A command writes its result to standard output through output.h. */
#ifndef LECTERN_COMMANDS_H
#define LECTERN_COMMANDS_H

#include "app/options.h"

typedef struct _Command Command;

typedef struct {
  const Command *command;
  const Options *options;
  char *const *words; /* what follows the command's name, options taken out; NULL-terminated */
  guint n_words;
  const char *library_dir;   /* --library or the default folder; need not exist */
  gboolean json;             /* one JSON value on standard output, nothing else */
  gboolean progress;         /* show progress on standard error */
  GCancellable *cancellable; /* cancelled by Ctrl-C; an operation that stops early returns G_IO_ERROR_CANCELLED */
} Invocation;

struct _Command {
  const char *name;           /* "add"; a command of two words holds a space: "engine info" */
  const char *arguments;      /* for the usage line: "PATH…", "" if none */
  const char *summary;        /* one line, as an imperative, no full stop */
  const char *details;        /* further help, complete lines; NULL: none */
  const OptionSpec *options;  /* NULL: none of its own */
  guint min_words, max_words; /* max G_MAXUINT: any number */
  /* FALSE with *error set; or FALSE without when everything was already said and the exit status shall be 1. */
  gboolean (*run) (const Invocation *invocation, GError **error);
};

/* In the order of help; ends with NULL. */
extern const Command *const commands[];

extern const Command command_add, command_list, command_status, command_remove, command_search, command_ask,
    command_extract, command_eval, command_models, command_cache, command_watch_add, command_watch_remove,
    command_watch_list, command_watch_run, command_watch_status, command_watch_pause, command_watch_resume,
    command_watch_stop, command_engine_info, command_engine_tokenize, command_engine_detokenize,
    command_engine_template, command_engine_generate, command_engine_embed, command_engine_rerank, command_engine_bench;

/* A TEXT, QUESTION or QUERY: `word` itself, or all of standard input if it is "-". Owned, NUL-terminated; *length (may
 * be NULL) excludes the NUL. NULL with *error if standard input cannot be read. */
char *invocation_dup_text (const Invocation *invocation, const char *word, gsize *length, GError **error);

/* The same for a question or query in words: valid UTF-8, without white space around it. */
char *invocation_dup_query (const Invocation *invocation, const char *word, GError **error);

/* Absolute, without "." and "..", as the library stores paths; need not exist. */
char *invocation_dup_path (const char *word);
/* The same as the library stores it, to look documents up with. */
char *invocation_dup_stored_path (const char *word);

#endif
