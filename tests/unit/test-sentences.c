#include "retrieval/retrieval.h"

#include <string.h>

/* The text is the sentences joined by what `|` stands for: a space; `¦`: nothing; `/`: a line break as written. */
static const struct {
  const char *language, *sentences;
} cases[] = {
  { "en", "It works.|It does not.|Why?|Nobody knows!" },
  { "en", "Dr. Weber met Mr. J. R. Smith at 3.5 km.|They left at 10 a.m. sharp." },
  { "en", "See Fig. 3 and No. 7 for details.|The answer is no.|Then stop." },
  { "en", "Use a cable, e.g. USB-C, approx. 2 m long.|It fits." },
  { "en", "Bring pens, paper, etc.|The rest is there." },
  { "en", "He said \"Stop.\"|Then he left (at last).|She stayed." },
  { "en", "\"Really?\" he asked.|\"Yes!\" she said." },
  { "en", "Wait...|What was that?|It was... nothing." },
  { "en", "Visit https://example.org/a.b?c=d. for more.|Write to a.b@example.org.|Thanks." },
  { "en", "The U.S. Government agreed.|It is in the U.S.|The rest is not." },
  { "en", "Version 3.1.2 is out.|Update now." },
  { "en", "It was shown before.[12]|Others disagree. [3, 4]|We do not." },
  { "en", "Is it vitamin C.|The doctor knows." },
  { "en", "In 2019.|Then came 2020." },
  { "en", "1. Open the lid.|2. Fill in the water." },
  { "en", "Use iPhone.|iPhones are listed." },
  { "de", "Das gilt z.B. für Nr. 5 und ggf. für Dr. Maier.|Danach nicht." },
  { "de", "Am 3. Oktober ist frei.|Es waren 12.|Der Rest kam später." },
  { "de", "Äpfel, Birnen usw.|Das war alles." },
  { "fr", "M. Dupont est là.|« C'est vrai ! »|Il part." },
  { "es", "El Sr. López llegó.|¿Quién es?|¡Nadie lo sabe!" },
  { "it", "Il sig. Rossi vive qui.|Perché no?" },
  { "ru", "Это рис. 5 и т.д.|Дальше ничего нет." },
  { "nl", "Neem bijv. water.|Klaar." },
  { "zh", "按住按钮。¦灯变绿！¦好吗？¦「可以。」¦完成" },
  { "ja", "ボタンを押します。¦ランプが点灯しますか？¦はい。" },
  { "ar", "هل هذا صحيح؟|نعم." },
  { "hi", "बटन दबाएं।|बत्ती जलेगी।" },
};

static GPtrArray *split (const char *text, const char *language)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  lectern_sentences_split (text, -1, language, ranges);
  GPtrArray *out = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < ranges->len; i++) {
    LecternRange r = g_array_index (ranges, LecternRange, i);
    g_ptr_array_add (out, g_strndup (text + r.start, r.end - r.start));
  }
  g_ptr_array_add (out, NULL);
  return out;
}

static void assert_split (const char *text, const char *language, const char *const *wanted)
{
  g_autoptr (GPtrArray) got = split (text, language);
  g_autofree char *got_joined = g_strjoinv (" ‖ ", (char **)got->pdata);
  g_autofree char *wanted_joined = g_strjoinv (" ‖ ", (char **)wanted);
  g_assert_cmpstr (got_joined, ==, wanted_joined);
}

static void test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gboolean wide = strstr (cases[i].sentences, "¦") != NULL;
    const char *mark = wide ? "¦" : "|";
    g_auto (GStrv) wanted = g_strsplit (cases[i].sentences, mark, -1);
    g_autofree char *text = g_strjoinv (wide ? "" : " ", wanted);
    assert_split (text, cases[i].language, (const char *const *)wanted);
  }
}

static void test_lines (void)
{
  assert_split (
      "Safety\nRead this manual before you use the machine for the first time and keep\nit.\n\nNext part", "en",
      (const char *[]){ "Safety", "Read this manual before you use the machine for the first time and keep\nit.",
                        "Next part", NULL });
  assert_split ("You need:\n- a cable\n- a lamp. It is small\n2) More", "en",
                (const char *[]){ "You need:", "- a cable", "- a lamp.", "It is small", "2) More", NULL });
  assert_split ("Part | Price\nLamp. Large | 3.50\nIt ends here.", "en",
                (const char *[]){ "Part | Price", "Lamp. Large | 3.50", "It ends here.", NULL });
}

static void assert_covers (const char *text, gsize n)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  lectern_sentences_split (text, (gssize)n, "en", ranges);
  guint32 at = 0;
  for (guint i = 0; i <= ranges->len; i++) {
    LecternRange r
        = i < ranges->len ? g_array_index (ranges, LecternRange, i) : (LecternRange){ (guint32)n, (guint32)n };
    g_assert_cmpuint (r.start, >=, at);
    g_assert_cmpuint (r.end, <=, n);
    g_assert_true (r.start < r.end || i == ranges->len);
    for (guint32 k = at; k < r.start; k++)
      g_assert_true (g_ascii_isspace (text[k]));
    at = r.end;
  }
}

/* Whatever the bytes are, every one that is no space lies in exactly one sentence. */
static void test_random (void)
{
  static const char *const pieces[] = { ".", "!",   "…",  "。", " ",    "\n",       "\r\n", "Dr", "a",  "A",
                                        "3", "[1]", "\"", "|",  "\xff", "\xe2\x80", "é",    "- ", "漢", "\t" };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  for (int round = 0; round < 3000; round++) {
    g_autoptr (GString) text = g_string_new (NULL);
    int n = g_rand_int_range (random, 0, 40);
    for (int i = 0; i < n; i++)
      g_string_append (text, pieces[g_rand_int_range (random, 0, G_N_ELEMENTS (pieces))]);
    assert_covers (text->str, text->len);
  }
  assert_covers ("a\0b. c", 6);
}

/* Four times the text takes about four times as long, also for text made to hurt. */
static void test_linear (void)
{
  static const char *const units[]
      = { ".", " ", "\n", ".\n", "a", "Dr. ", "A.", ".[1]", ".\"", "|", "|\n", "1. ", "。", "\xff", "((", ". (" };
  for (gsize u = 0; u < G_N_ELEMENTS (units); u++) {
    gint64 took[2];
    for (int large = 0; large < 2; large++) {
      g_autoptr (GString) text = g_string_new ("x");
      while (text->len < (large ? 1u << 20 : 1u << 18))
        g_string_append (text, units[u]);
      g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
      gint64 start = g_get_monotonic_time ();
      lectern_sentences_split (text->str, (gssize)text->len, "en", ranges);
      took[large] = g_get_monotonic_time () - start;
      g_assert_cmpuint (ranges->len, >, 0);
    }
    g_test_message ("unit %zu: %" G_GINT64_FORMAT " us, %" G_GINT64_FORMAT " us", u, took[0], took[1]);
    g_assert_cmpint (took[1], <, took[0] * 12 + 400000);
  }
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sentences/cases", test_cases);
  g_test_add_func ("/sentences/lines", test_lines);
  g_test_add_func ("/sentences/random", test_random);
  g_test_add_func ("/sentences/linear", test_linear);
  return g_test_run ();
}
