#include "app/options.h"

static const OptionSpec rows[] = {
  { 'n', NULL, OPTION_COUNT, "N", 1, 100, "how many", FALSE },
  { 'v', "verbose", OPTION_FLAG, NULL, 0, 0, "say more", FALSE },
  { 0, "model", OPTION_TEXT, "FILE", 0, 0, "the model", TRUE },
  { 0, "heat", OPTION_NUMBER, "X", 0, 2, "temperature", FALSE },
  OPTIONS_END,
};
static const OptionSpec *const tables[] = { rows, NULL };

/* Arguments are given as one string, separated by "|". */
static Options *parse (const char *line, gboolean only_leading, int *n_read, char ***keep, GError **error)
{
  *keep = g_strsplit (line, "|", -1);
  int n = *line ? (int)g_strv_length (*keep) : 0;
  return options_parse (*keep, n, tables, only_leading, n_read, error);
}

static const struct {
  const char *line, *words, *model;
  guint64 n;
  double heat;
  gboolean verbose;
} good[] = {
  { "", "", NULL, 7, -1, FALSE },
  { "a|b", "a|b", NULL, 7, -1, FALSE },
  { "-n|5|a", "a", NULL, 5, -1, FALSE },
  { "a|-n5", "a", NULL, 5, -1, FALSE },
  { "-vn5|a", "a", NULL, 5, -1, TRUE },
  { "a|--model|f|b", "a|b", "f", 7, -1, FALSE },
  { "--model=f=g|--heat=0.5", "", "f=g", 7, 0.5, FALSE },
  { "--model|--verbose", "", "--verbose", 7, -1, FALSE },
  { "--model=", "", "", 7, -1, FALSE },
  { "-v|--|-n|--model", "-n|--model", NULL, 7, -1, TRUE },
  { "-", "-", NULL, 7, -1, FALSE },
  { "--|--|-", "--|-", NULL, 7, -1, FALSE },
  { "-n1|-n2", "", NULL, 2, -1, FALSE },
};

static void test_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_auto (GStrv) keep = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (Options) options = parse (good[i].line, FALSE, NULL, &keep, &error);
    g_assert_no_error (error);
    guint n_words;
    char *const *words = options_get_words (options, &n_words);
    g_autofree char *joined = g_strjoinv ("|", (char **)words);
    g_assert_cmpstr (joined, ==, good[i].words);
    g_assert_cmpuint (n_words, ==, g_strv_length ((char **)words));
    g_assert_cmpstr (options_get_text (options, "model"), ==, good[i].model);
    g_assert_cmpuint (options_get_count (options, "n", 7), ==, good[i].n);
    g_assert_cmpfloat (options_get_number (options, "heat", -1), ==, good[i].heat);
    g_assert_cmpint (options_has (options, "verbose"), ==, good[i].verbose);
    g_assert_cmpint (options_check_required (options, rows, NULL), ==, good[i].model != NULL);
  }
}

static const char *const bad[] = {
  "-x",         "--none",      "-n",
  "-n|0",       "-n|101",      "-n|-1",
  "-n|1.5",     "-n|",         "-n|99999999999999999999",
  "--model",    "--mod=f",     "-vx",
  "--heat|2.1", "--heat|nan",  "--heat|1x",
  "--heat|",    "--verbose=1", "--n=5",
  "--heat|inf", "--heat|-1",
};

static void test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_auto (GStrv) keep = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (Options) options = parse (bad[i], FALSE, NULL, &keep, &error);
    g_assert_error (error, USAGE_ERROR, 0);
    g_assert_null (options);
    g_assert_true (g_str_has_suffix (error->message, "."));
  }
}

static void test_leading (void)
{
  g_auto (GStrv) keep = NULL;
  int n_read = 0;
  g_autoptr (Options) options = parse ("--model|f|-v|add|-x", TRUE, &n_read, &keep, NULL);
  g_assert_nonnull (options);
  g_assert_cmpint (n_read, ==, 3);
  g_assert_true (options_has (options, "verbose"));
}

static void test_several (void)
{
  g_auto (GStrv) keep = NULL;
  guint n;
  g_autoptr (Options) options = parse ("--model|a|-v|--model=|w|--model|a", FALSE, NULL, &keep, NULL);
  const char *const *values = options_get_texts (options, "model", &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpstr (values[0], ==, "a");
  g_assert_cmpstr (values[1], ==, "");
  g_assert_cmpstr (values[2], ==, "a");
  options_get_texts (options, "heat", &n);
  g_assert_cmpuint (n, ==, 0);
}

static void test_help (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  options_append_help (text, rows);
  g_assert_cmpstr (text->str, ==,
                   "  -n N                    how many\n"
                   "  -v, --verbose           say more\n"
                   "  --model FILE            the model (needed)\n"
                   "  --heat X                temperature\n");
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/good", test_good);
  g_test_add_func ("/options/bad", test_bad);
  g_test_add_func ("/options/leading", test_leading);
  g_test_add_func ("/options/several", test_several);
  g_test_add_func ("/options/help", test_help);
  return g_test_run ();
}
