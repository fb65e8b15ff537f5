#include "retrieval/text/terms.h"

#include <string.h>

/* The terms as "a b c": stop words in parentheses, "#" before numbers, "^" before names. */
static char *terms_of (const char *language, const char *text)
{
  g_autoptr (LecternTermer) termer = lectern_termer_new (language);
  g_autoptr (GArray) terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  lectern_termer_add (termer, text, -1, terms);
  GString *out = g_string_new (NULL);
  guint32 last = 0;
  for (guint i = 0; i < terms->len; i++) {
    LecternTerm t = g_array_index (terms, LecternTerm, i);
    g_assert_cmpuint (t.start, <, t.end);
    g_assert_cmpuint (t.end, <=, strlen (text));
    g_assert_cmpuint (t.start, >=, last);
    last = t.start;
    const char *term = lectern_termer_get_term (termer, t.id);
    g_string_append_printf (out, "%s%s%s%s%s%s", i ? " " : "", t.flags & LECTERN_TERM_STOP ? "(" : "",
                            t.flags & LECTERN_TERM_NUMBER ? "#" : "", t.flags & LECTERN_TERM_NAME ? "^" : "", term,
                            t.flags & LECTERN_TERM_STOP ? ")" : "");
  }
  return g_string_free (out, FALSE);
}

static const struct {
  const char *language, *text, *terms;
} cases[] = {
  { "en", "The batteries last 1,000 hours.", "(the) batteri last #1000 hour" },
  { "en", "Costs 3.50 (not 350).", "cost #3.50 (not) #350" },
  { "en", "we saw Ada Lovelace", "(we) saw ^ada ^lovelac" },
  { "en", "See NASA. Then go", "see ^nasa (then) go" },
  { "en", "model GS10 at 10:30", "model #gs10 (at) #10:30" },
  { "de", "die Geräte für Ärzte", "(die) ^gerat (fur) ^arzt" },
  { "fr", "l'école à Paris", "(l) ecol (a) ^paris" },
  { "ru", "новые книги", "нов книг" },
  { "zh", "按住按钮", "按住 住按 按钮" },
  { "ja", "電", "電" },
  { NULL, "the Dogs", "the ^dogs" },
  { "xx", "ÉTÉ", "^ete" },
};

static void test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *got = terms_of (cases[i].language, cases[i].text);
    g_assert_cmpstr (got, ==, cases[i].terms);
  }
}

static void test_ids (void)
{
  g_autoptr (LecternTermer) termer = lectern_termer_new ("en");
  g_autoptr (GArray) terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  lectern_termer_add (termer, "batteries battery Battery BATTERIES lamp", -1, terms);
  g_assert_cmpuint (terms->len, ==, 5);
  for (guint i = 1; i < 4; i++)
    g_assert_cmpuint (g_array_index (terms, LecternTerm, i).id, ==, g_array_index (terms, LecternTerm, 0).id);
  g_assert_cmpuint (lectern_termer_get_n_terms (termer), ==, 2);
}

static void test_hostile (void)
{
  g_autoptr (LecternTermer) termer = lectern_termer_new ("de");
  g_autoptr (GArray) terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  lectern_termer_add (termer,
                      "a\xff\xfe"
                      "b\0c",
                      6, terms);
  g_assert_cmpuint (terms->len, ==, 3);
  g_autoptr (GString) text = g_string_new (NULL);
  while (text->len < 300000)
    g_string_append (text, "ä");
  while (text->len < 600000)
    g_string_append (text, "1.");
  gint64 start = g_get_monotonic_time ();
  lectern_termer_add (termer, text->str, (gssize)text->len, terms);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 2000000);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/terms/cases", test_cases);
  g_test_add_func ("/terms/ids", test_ids);
  g_test_add_func ("/terms/hostile", test_hostile);
  return g_test_run ();
}
