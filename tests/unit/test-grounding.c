#include "retrieval/answer/grounding.h"

#include <string.h>

static GPtrArray *make_sources (void)
{
  static const char *const texts[] = {
    "The warranty lasts 24 months from the date of purchase. Keep the receipt.",
    "Descale the machine every three months. Use 500 ml of descaler.",
    "The pump was developed by Anna Keller in Zurich.",
  };
  GPtrArray *sources = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_result_free);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    LecternResult *result = g_new0 (LecternResult, 1);
    result->title = g_strdup ("Manual");
    result->heading = g_new0 (char *, 1);
    result->text = g_strdup (texts[i]);
    result->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
    g_ptr_array_add (sources, result);
  }
  return sources;
}

/* "text{citations}+" per sentence, "-" when it is not supported. */
static char *ground (const char *generated, char **answer)
{
  g_autoptr (LecternTermer) termer = lectern_termer_new ("en");
  g_autoptr (GPtrArray) sources = make_sources ();
  g_autoptr (GPtrArray) sentences = lectern_ground (generated, sources, termer, "en", answer);
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < sentences->len; i++) {
    const LecternSentence *sentence = g_ptr_array_index (sentences, i);
    g_string_append_printf (out, "%s%s{", i ? " " : "", sentence->text);
    for (guint k = 0; k < sentence->citations->len; k++) {
      guint n = g_array_index (sentence->citations, guint, k);
      g_assert_cmpuint (n, >=, 1);
      g_assert_cmpuint (n, <=, sources->len);
      g_string_append_printf (out, "%s%u", k ? "," : "", n);
    }
    g_string_append_printf (out, "}%c", sentence->supported ? '+' : '-');
  }
  return g_string_free (out, FALSE);
}

static const struct {
  const char *generated, *sentences, *answer;
} cases[] = {
  { "The warranty lasts 24 months [1].", "The warranty lasts 24 months.{1}+", "The warranty lasts 24 months. [1]" },
  { "The warranty lasts 24 months. [1]", "The warranty lasts 24 months.{1}+", "The warranty lasts 24 months. [1]" },
  { "The warranty lasts 24 months.[1] Descale the machine every three months.[2]",
    "The warranty lasts 24 months.{1}+ Descale the machine every three months.{2}+",
    "The warranty lasts 24 months. [1] Descale the machine every three months. [2]" },
  /* Marks in other forms, twice, and pointing nowhere. */
  { "Descale the machine every three months [2, 2][2].", "Descale the machine every three months.{2}+",
    "Descale the machine every three months. [2]" },
  { "Keep the receipt of the machine [1-2][9][0].", "Keep the receipt of the machine.{1,2}+",
    "Keep the receipt of the machine. [1][2]" },
  { "Keep the receipt [99999999999999999999].", "Keep the receipt.{1}+", "Keep the receipt. [1]" },
  /* No mark: the source that holds it; if none does, none. */
  { "Anna Keller developed the pump in Zurich.", "Anna Keller developed the pump in Zurich.{3}+",
    "Anna Keller developed the pump in Zurich. [3]" },
  { "Whales sing at night.", "Whales sing at night.{}-", "Whales sing at night." },
  /* The cited source does not hold it. */
  { "The warranty lasts 24 months [2].", "The warranty lasts 24 months.{2}-", "The warranty lasts 24 months. [2]" },
  { "The warranty lasts 36 months from the date of purchase [1].",
    "The warranty lasts 36 months from the date of purchase.{1}-",
    "The warranty lasts 36 months from the date of purchase. [1]" },
  { "Peter Brown developed the pump [3].", "Peter Brown developed the pump.{3}-",
    "Peter Brown developed the pump. [3]" },
  /* Brackets that are no marks stay. */
  { "Keep the receipt [sic] of purchase [1].", "Keep the receipt [sic] of purchase.{1}+",
    "Keep the receipt [sic] of purchase. [1]" },
  { "", "", "" },
  { "[1]", "", "" },
};

static void test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *answer = NULL;
    g_autofree char *got = ground (cases[i].generated, &answer);
    g_assert_cmpstr (got, ==, cases[i].sentences);
    g_assert_cmpstr (answer, ==, cases[i].answer);
  }
}

static void test_random (void)
{
  static const char *const pieces[]
      = { "[", "]", "1", "2", "-", ",", " ", ".", "The pump", "months", "\n", "ä", "[3]", "[1-3]" };
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  for (int round = 0; round < 800; round++) {
    g_autoptr (GString) text = g_string_new (NULL);
    for (int n = g_rand_int_range (random, 0, 30); n > 0; n--)
      g_string_append (text, pieces[g_rand_int_range (random, 0, G_N_ELEMENTS (pieces))]);
    g_autofree char *answer = NULL;
    g_autofree char *got = ground (text->str, &answer);
    g_assert_nonnull (got);
    g_assert_true (g_utf8_validate (answer, -1, NULL));
  }
}

static void test_refusals (void)
{
  g_assert_true (lectern_is_refusal ("The passages do not contain this."));
  g_assert_true (lectern_is_refusal ("Das ist nicht in den Dokumenten."));
  g_assert_false (lectern_is_refusal ("The warranty lasts 24 months."));
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grounding/cases", test_cases);
  g_test_add_func ("/grounding/random", test_random);
  g_test_add_func ("/grounding/refusals", test_refusals);
  return g_test_run ();
}
