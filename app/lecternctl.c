/* lecternctl: the command line. The contract is what scripts rely on: app/lecternctl.1 states it for users. */
#include "app/commands.h"
#include "app/interrupt.h"
#include "app/output.h"
#include "config.h"
#include "retrieval/retrieval.h"
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

const Command *const commands[] = {
  &command_add,
  &command_list,
  &command_status,
  &command_remove,
  &command_search,
  &command_ask,
  &command_extract,
  &command_eval,
  &command_models,
  &command_cache,
  &command_watch_add,
  &command_watch_remove,
  &command_watch_list,
  &command_watch_run,
  &command_watch_status,
  &command_watch_pause,
  &command_watch_resume,
  &command_watch_stop,
  &command_engine_info,
  &command_engine_tokenize,
  &command_engine_detokenize,
  &command_engine_template,
  &command_engine_generate,
  &command_engine_embed,
  &command_engine_rerank,
  &command_engine_bench,
  NULL,
};

static const OptionSpec common_options[] = {
  { 0, "library", OPTION_TEXT, "DIR", 0, 0, "the library's folder (default: $XDG_DATA_HOME/lectern)", FALSE },
  { 0, "json", OPTION_FLAG, NULL, 0, 0, "print one JSON value", FALSE },
  { 0, "progress", OPTION_FLAG, NULL, 0, 0, "show progress even if standard error is no terminal", FALSE },
  { 'h', "help", OPTION_FLAG, NULL, 0, 0, "explain the command", FALSE },
  OPTIONS_END,
};

static const OptionSpec program_options[] = {
  { 0, "version", OPTION_FLAG, NULL, 0, 0, "print the version", FALSE },
  OPTIONS_END,
};

static void print_overview (void)
{
  output_text (
      "Usage: lecternctl COMMAND [OPTION…] [ARGUMENT…]\n"
      "Index documents, search them and answer questions with citations, all on this computer.\n\nCommands:\n");
  for (const Command *const *c = commands; *c; c++) {
    g_autofree char *left = output_dup_fitted ((*c)->name, 18, FALSE, TRUE);
    output_printf ("  %s  %s\n", left, (*c)->summary);
  }
  g_autoptr (GString) options = g_string_new (NULL);
  options_append_help (options, common_options);
  options_append_help (options, program_options);
  output_printf ("\nOptions:\n%s\nlecternctl COMMAND --help explains a command; man lecternctl has everything.\n",
                 options->str);
}

static void print_help (const Command *command)
{
  output_printf ("Usage: lecternctl %s [OPTION…]%s%s\n%s.\n", command->name, *command->arguments ? " " : "",
                 command->arguments, command->summary);
  if (command->details)
    output_printf ("\n%s", command->details);
  g_autoptr (GString) options = g_string_new (NULL);
  options_append_help (options, command->options);
  options_append_help (options, common_options);
  output_printf ("\nOptions:\n%s", options->str);
}

/* The command that arguments[0…n) begin with; *n_read of them make its name. */
static const Command *find_command (char *const *arguments, int n, int *n_read, GError **error)
{
  g_autofree char *two = n > 1 ? g_strjoin (" ", arguments[0], arguments[1], NULL) : NULL;
  g_autofree char *prefix = g_strconcat (arguments[0], " ", NULL);
  g_autoptr (GString) family = g_string_new (NULL);
  for (const Command *const *c = commands; *c; c++) {
    if (strcmp ((*c)->name, arguments[0]) == 0) {
      *n_read = 1;
      return *c;
    }
    if (two && strcmp ((*c)->name, two) == 0) {
      *n_read = 2;
      return *c;
    }
    if (g_str_has_prefix ((*c)->name, prefix))
      g_string_append_printf (family, "%s%s", family->len ? ", " : "", (*c)->name);
  }
  g_autofree char *shown = g_utf8_make_valid (arguments[0], -1);
  if (family->len)
    g_set_error (error, USAGE_ERROR, 0, "“%s” is followed by another word: %s.", shown, family->str);
  else
    g_set_error (error, USAGE_ERROR, 0, "There is no command “%s”.", shown);
  return NULL;
}

static gboolean check_words (const Command *command, guint n_words, char *const *words, GError **error)
{
  if (n_words < command->min_words) {
    g_set_error (error, USAGE_ERROR, 0, "%s is missing.", command->arguments);
    return FALSE;
  }
  if (n_words > command->max_words) {
    g_autofree char *shown = g_utf8_make_valid (words[command->max_words], -1);
    if (command->max_words == 0)
      g_set_error (error, USAGE_ERROR, 0, "“%s” is too much: the command takes no argument.", shown);
    else
      g_set_error (error, USAGE_ERROR, 0, "“%s” is too much: put quotes around a text of several words.", shown);
    return FALSE;
  }
  return TRUE;
}

/* Reads the arguments after the command's name and runs it. */
static gboolean run_command (const Command *command, char *const *arguments, int n, const Options *leading,
                             GCancellable *cancellable, GError **error)
{
  const OptionSpec *const tables[] = { common_options, command->options, NULL };
  g_autoptr (Options) options = options_parse (arguments, n, tables, FALSE, NULL, error);
  if (!options)
    return FALSE;
  if (options_has (options, "help")) {
    print_help (command);
    return TRUE;
  }

  Invocation invocation = {
    .command = command,
    .options = options,
    .json = options_has (options, "json") || options_has (leading, "json"),
    .progress = options_has (options, "progress") || options_has (leading, "progress") || isatty (STDERR_FILENO),
    .cancellable = cancellable,
  };
  invocation.words = options_get_words (options, &invocation.n_words);
  if (!options_check_required (options, command->options, error)
      || !check_words (command, invocation.n_words, invocation.words, error))
    return FALSE;

  const char *dir = options_get_text (options, "library");
  if (!dir)
    dir = options_get_text (leading, "library");
  if (dir && !*dir) {
    g_set_error (error, USAGE_ERROR, 0, "The option --library needs the name of a folder.");
    return FALSE;
  }
  g_autofree char *library_dir = dir ? invocation_dup_path (dir) : lectern_library_dup_default_dir ();
  invocation.library_dir = library_dir;
  return command->run (&invocation, error);
}

static gboolean run (int n, char *const *arguments, const Command **command, GError **error)
{
  const OptionSpec *const tables[] = { common_options, program_options, NULL };
  int n_read = 0, n_name = 0;
  GCancellable *cancellable = interrupt_init ();
  g_autoptr (Options) leading = options_parse (arguments, n, tables, TRUE, &n_read, error);
  if (!leading)
    return FALSE;
  if (options_has (leading, "version")) {
    output_printf ("lecternctl %s\n", LECTERN_VERSION);
    return TRUE;
  }
  if (options_has (leading, "help")) {
    print_overview ();
    return TRUE;
  }
  if (n_read == n) {
    g_set_error (error, USAGE_ERROR, 0, "A command is missing.");
    return FALSE;
  }
  *command = find_command (arguments + n_read, n - n_read, &n_name, error);
  if (!*command)
    return FALSE;
  n_read += n_name;
  return run_command (*command, arguments + n_read, n - n_read, leading, cancellable, error);
}

int main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const Command *command = NULL;
  setlocale (LC_ALL, "");
  output_init ();

  gboolean done = run (argc - 1, argv + 1, &command, &error);
  g_autoptr (GError) write_error = NULL;
  if (!output_finish (&write_error) && !error) {
    done = FALSE;
    error = g_steal_pointer (&write_error);
  }
  if (done)
    return EXIT_DONE;
  if (g_error_matches (error, USAGE_ERROR, 0)) {
    output_message ("%s See: lecternctl %s%s--help", error->message, command ? command->name : "", command ? " " : "");
    return EXIT_USAGE;
  }
  /* GLib's own words for it name no subject; commands that have more to say begin with "Stopped". */
  gboolean bare
      = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) && !g_str_has_prefix (error->message, "Stopped");
  if (error)
    output_message ("%s", bare ? "Stopped." : error->message);
  return EXIT_FAILED;
}
