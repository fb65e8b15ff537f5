#include <string.h>

#include "retrieval/search/query.h"

static const char *const english[] = { "en", NULL };
static const char *const several[] = { "de", "en", NULL };

/* Terms by their keys; phrases begin with a quotation mark. */
static char *describe (const char *text, const char *const *languages)
{
  LecternNormaliser *normaliser = lectern_normaliser_new ();
  g_autoptr (LecternQuery) query = lectern_query_new (text, strlen (text), languages, normaliser);
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < query->terms->len; i++) {
    const LecternQueryTerm *term = &g_array_index (query->terms, LecternQueryTerm, i);
    g_string_append_printf (out, "%s%s", i ? " / " : "", term->key);
    if (term->count > 1)
      g_string_append_printf (out, " x%u", term->count);
  }
  g_assert_true ((query->match == NULL) == (query->terms->len == 0));
  lectern_normaliser_free (normaliser);
  return g_string_free (out, FALSE);
}

static void test_terms (void)
{
  static const struct {
    const char *text, *terms;
  } rows[] = {
    { "How do I clean the filters?", "clean / filter" },
    { "filter Filters FILTER", "filter x3" },
    { "what is the", "what / is / the" },
    { "", "" },
    { "?!… -- ...", "" },
    { "\"to be or not to be\" question", "\"to be or not to be / question" },
    { "“smart quotes” there and mine", "\"smart quotes / smart / quot" },
    { "«deux mots»", "\"deux mots / deux / mot" },
    { "„zwei Worte“", "\"zwei Worte / zwei / wort" },
    { "an unbalanced \"quote", "unbalanc / quot" },
    { "a 5\" pipe and a 6\" pipe", "5 / pipe x2 / 6" },
    { "\"\" \"...\" empty", "empti" },
    { "DC68-04130A", "dc68 / 04130a / dc6804130a" },
    { "the company's e-mail don't", "compani / e / mail / email" },
    { "AND OR NOT NEAR(a, b) title:x * ^y {z}", "near / b / titl / x / y / z" },
    { "中文搜索", "中文 / 文搜 / 搜索" },
    { "我", "我" },
    { "\x01\x02\x03 control \x1f", "control" },
    { "😀 emoji", "emoji" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *terms = describe (rows[i].text, english);
    g_assert_cmpstr (terms, ==, rows[i].terms);
  }
}

static void test_languages (void)
{
  g_autofree char *german = describe ("Wie reinige ich den Filter?", several);
  g_assert_cmpstr (german, ==, "reinig / filt");
  /* "die" is no function word in an English question. */
  g_autofree char *english_question = describe ("How did the king die?", several);
  g_assert_nonnull (strstr (english_question, "die"));
  g_autofree char *none = describe ("How do I clean the filters?", NULL);
  g_assert_cmpstr (none, ==, "clean / filter");
}

static void test_limits (void)
{
  LecternNormaliser *normaliser = lectern_normaliser_new ();
  GString *text = g_string_new (NULL);
  for (int i = 0; text->len < 100000; i++)
    g_string_append_printf (text, "word%d \"phrase %d\" ", i, i);
  g_autoptr (LecternQuery) query = lectern_query_new (text->str, text->len, english, normaliser);
  g_assert_cmpuint (query->terms->len, ==, LECTERN_QUERY_MAX_TERMS);
  g_assert_false (query->strict);
  g_string_free (text, TRUE);

  static const char nul[] = "before\0after";
  g_autoptr (LecternQuery) with_nul = lectern_query_new (nul, sizeof nul - 1, english, normaliser);
  g_assert_cmpuint (with_nul->terms->len, >=, 1);
  g_autoptr (LecternQuery) invalid = lectern_query_new ("caf\xE9 \xFF\xFE", 7, english, normaliser);
  g_assert_cmpuint (invalid->terms->len, ==, 1);
  lectern_normaliser_free (normaliser);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/query/terms", test_terms);
  g_test_add_func ("/query/languages", test_languages);
  g_test_add_func ("/query/limits", test_limits);
  return g_test_run ();
}
