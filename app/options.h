/* options.h: what was typed, checked against a command's table of options.
 *
 * Options may stand before or after the other words, "--" ends them, and a lone "-" is a word. A value follows its
 * option as the next argument, after "=" (--name=value) or directly (-n5); of several the last counts. Values are checked here, once, against the
 * kind and range of their row, so that the commands can trust them. Words keep the bytes that were typed. */
#ifndef LECTERN_OPTIONS_H
#define LECTERN_OPTIONS_H

#include <gio/gio.h>

#define USAGE_ERROR (usage_error_quark ())
GQuark usage_error_quark (void); /* one code, 0: the command line is wrong */

typedef enum {
  OPTION_FLAG,
  OPTION_TEXT,
  OPTION_COUNT,  /* a whole number in [min, max] */
  OPTION_NUMBER, /* a decimal number in [min, max] */
} OptionKind;

typedef struct {
  char letter;      /* 0: none */
  const char *name; /* long name without dashes; NULL: none. A row has a letter or a name */
  OptionKind kind;
  const char *argument; /* how help names the value; NULL for flags */
  double min, max;      /* of OPTION_COUNT and OPTION_NUMBER */
  const char *help;     /* one line, no full stop */
  gboolean required;
} OptionSpec;

/* Options of a command end with a row of zeros. */
#define OPTIONS_END                                                                                                    \
  {                                                                                                                    \
    0, NULL, OPTION_FLAG, NULL, 0, 0, NULL, FALSE                                                                      \
  }

typedef struct _Options Options;

/* Reads arguments[0, n) against the rows of `tables` (a NULL-terminated list of tables). With `only_leading` it stops
 * before the first word. *n_read (may be NULL) tells how many arguments were consumed. NULL and USAGE_ERROR if
 * something is wrong; a missing required option is only found by options_check_required(). */
Options *options_parse (char *const *arguments, int n, const OptionSpec *const *tables, gboolean only_leading,
                        int *n_read, GError **error);
void options_free (Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Options, options_free)

gboolean options_check_required (const Options *options, const OptionSpec *table, GError **error);

/* The words that are no options; NULL-terminated, borrowed. */
char *const *options_get_words (const Options *options, guint *n_words);

/* An option is asked for by its long name, or by its letter if it has none ("n"). */
gboolean options_has (const Options *options, const char *name);
const char *options_get_text (const Options *options, const char *name); /* NULL if absent */
/* All values of an option that may be given several times, in their order: [*n], borrowed. */
const char *const *options_get_texts (const Options *options, const char *name, guint *n);
guint64 options_get_count (const Options *options, const char *name, guint64 absent);
double options_get_number (const Options *options, const char *name, double absent);

/* Appends one help line per row: "  -n N              help". */
void options_append_help (GString *text, const OptionSpec *table);

#endif
