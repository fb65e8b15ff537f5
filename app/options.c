#include "app/options.h"
#include <errno.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK (lecternctl - usage - error, usage_error)

struct _Options {
  GPtrArray *words;   /* of borrowed char *, NULL-terminated */
  GHashTable *values; /* option name -> GPtrArray of values ("" for flags), borrowed or static */
};

static char *spec_dup_name (const OptionSpec *spec)
{
  return spec->name ? g_strdup (spec->name) : g_strdup_printf ("%c", spec->letter);
}

static char *spec_dup_typed (const OptionSpec *spec)
{
  return spec->name ? g_strdup_printf ("--%s", spec->name) : g_strdup_printf ("-%c", spec->letter);
}

static gboolean is_row (const OptionSpec *spec)
{
  return spec->letter || spec->name;
}

static const OptionSpec *find_spec (const OptionSpec *const *tables, const char *name, gsize length, char letter)
{
  for (; *tables; tables++)
    for (const OptionSpec *spec = *tables; is_row (spec); spec++) {
      if (letter && spec->letter == letter)
        return spec;
      if (name && spec->name && strlen (spec->name) == length && strncmp (spec->name, name, length) == 0)
        return spec;
    }
  return NULL;
}

static gboolean parse_number (const OptionSpec *spec, const char *value, double *number)
{
  char *end = NULL;
  if (spec->kind == OPTION_COUNT) {
    /* 2^53: what a double holds exactly; the tables ask for less. */
    if (*value == '\0' || strspn (value, "0123456789") != strlen (value) || strlen (value) > 15)
      return FALSE;
    *number = (double)g_ascii_strtoull (value, &end, 10);
  } else {
    *number = g_ascii_strtod (value, &end);
    if (end == value || *end != '\0' || !isfinite (*number))
      return FALSE;
  }
  return *number >= spec->min && *number <= spec->max;
}

static gboolean take_value (Options *options, const OptionSpec *spec, const char *value, GError **error)
{
  g_autofree char *typed = spec_dup_typed (spec);
  double number;
  if ((spec->kind == OPTION_COUNT || spec->kind == OPTION_NUMBER) && !parse_number (spec, value, &number)) {
    g_autofree char *shown = g_utf8_make_valid (value, -1);
    g_set_error (error, USAGE_ERROR, 0, "%s needs a %s from %.15g to %.15g, not “%s”.", typed,
                 spec->kind == OPTION_COUNT ? "whole number" : "number", spec->min, spec->max, shown);
    return FALSE;
  }
  g_autofree char *name = spec_dup_name (spec);
  GPtrArray *values = g_hash_table_lookup (options->values, name);
  if (!values) {
    values = g_ptr_array_new ();
    g_hash_table_insert (options->values, g_steal_pointer (&name), values);
  }
  g_ptr_array_add (values, (gpointer)value);
  return TRUE;
}

/* One argument that begins with "-"; *i moves on if the value is the next one. */
static gboolean take_option (Options *options, char *const *arguments, int n, int *i, const OptionSpec *const *tables,
                             GError **error)
{
  const char *argument = arguments[*i];
  g_autofree char *shown = g_utf8_make_valid (argument, -1);

  if (argument[1] == '-') {
    const char *name = argument + 2;
    gsize length = strcspn (name, "=");
    const OptionSpec *spec = find_spec (tables, name, length, 0);
    if (!spec) {
      g_set_error (error, USAGE_ERROR, 0, "There is no option “%s” here.", shown);
      return FALSE;
    }
    if (spec->kind == OPTION_FLAG) {
      if (name[length] == '=') {
        g_set_error (error, USAGE_ERROR, 0, "The option --%s takes no value.", spec->name);
        return FALSE;
      }
      return take_value (options, spec, "", error);
    }
    if (name[length] == '=')
      return take_value (options, spec, name + length + 1, error);
    if (*i + 1 >= n) {
      g_set_error (error, USAGE_ERROR, 0, "The option --%s needs a value: %s.", spec->name, spec->argument);
      return FALSE;
    }
    return take_value (options, spec, arguments[++*i], error);
  }

  for (const char *p = argument + 1; *p; p++) {
    const OptionSpec *spec = find_spec (tables, NULL, 0, *p);
    if (!spec) {
      g_set_error (error, USAGE_ERROR, 0,
                   "There is no option “%s” here; “--” before a word that begins with “-” says it is none.", shown);
      return FALSE;
    }
    if (spec->kind == OPTION_FLAG) {
      if (!take_value (options, spec, "", error))
        return FALSE;
      continue;
    }
    if (p[1])
      return take_value (options, spec, p + 1, error);
    if (*i + 1 >= n) {
      g_set_error (error, USAGE_ERROR, 0, "The option -%c needs a value: %s.", *p, spec->argument);
      return FALSE;
    }
    return take_value (options, spec, arguments[++*i], error);
  }
  return TRUE;
}

Options *options_parse (char *const *arguments, int n, const OptionSpec *const *tables, gboolean only_leading,
                        int *n_read, GError **error)
{
  g_autoptr (Options) options = g_new0 (Options, 1);
  options->words = g_ptr_array_new ();
  options->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);

  gboolean only_words = FALSE;
  int i = 0;
  for (; i < n; i++) {
    if (only_words || arguments[i][0] != '-' || arguments[i][1] == '\0') {
      if (only_leading)
        break;
      g_ptr_array_add (options->words, arguments[i]);
    } else if (strcmp (arguments[i], "--") == 0)
      only_words = TRUE;
    else if (!take_option (options, arguments, n, &i, tables, error))
      return NULL;
  }
  g_ptr_array_add (options->words, NULL);
  if (n_read)
    *n_read = i;
  return g_steal_pointer (&options);
}

void options_free (Options *options)
{
  if (!options)
    return;
  g_clear_pointer (&options->words, g_ptr_array_unref);
  g_clear_pointer (&options->values, g_hash_table_unref);
  g_free (options);
}

gboolean options_check_required (const Options *options, const OptionSpec *table, GError **error)
{
  for (const OptionSpec *spec = table; spec && is_row (spec); spec++) {
    g_autofree char *name = spec_dup_name (spec);
    if (spec->required && !options_has (options, name)) {
      g_autofree char *typed = spec_dup_typed (spec);
      g_set_error (error, USAGE_ERROR, 0, "The option %s %s is needed here.", typed, spec->argument);
      return FALSE;
    }
  }
  return TRUE;
}

char *const *options_get_words (const Options *options, guint *n_words)
{
  if (n_words)
    *n_words = options->words->len - 1;
  return (char *const *)options->words->pdata;
}

gboolean options_has (const Options *options, const char *name)
{
  return g_hash_table_contains (options->values, name);
}

const char *options_get_text (const Options *options, const char *name)
{
  guint n;
  const char *const *values = options_get_texts (options, name, &n);
  return n > 0 ? values[n - 1] : NULL;
}

const char *const *options_get_texts (const Options *options, const char *name, guint *n)
{
  const GPtrArray *values = g_hash_table_lookup (options->values, name);
  *n = values ? values->len : 0;
  return values ? (const char *const *)values->pdata : NULL;
}

guint64 options_get_count (const Options *options, const char *name, guint64 absent)
{
  const char *value = options_get_text (options, name);
  return value ? g_ascii_strtoull (value, NULL, 10) : absent;
}

double options_get_number (const Options *options, const char *name, double absent)
{
  const char *value = options_get_text (options, name);
  return value ? g_ascii_strtod (value, NULL) : absent;
}

void options_append_help (GString *text, const OptionSpec *table)
{
  for (const OptionSpec *spec = table; spec && is_row (spec); spec++) {
    g_autoptr (GString) left = g_string_new (NULL);
    if (spec->letter)
      g_string_append_printf (left, "-%c", spec->letter);
    if (spec->letter && spec->name)
      g_string_append (left, ", ");
    if (spec->name)
      g_string_append_printf (left, "--%s", spec->name);
    if (spec->argument)
      g_string_append_printf (left, " %s", spec->argument);
    int pad = 24 - (int)g_utf8_strlen (left->str, -1);
    g_string_append_printf (text, "  %s%*s%s%s\n", left->str, MAX (pad, 2), "", spec->help,
                            spec->required ? " (needed)" : "");
  }
}
