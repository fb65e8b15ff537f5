/* The tokenizer as FTS5 sees it: what is indexed, what finds it. */
#include <sqlite3.h>
#include <string.h>

#include "retrieval/search/fts_tokenizer.h"
#include "retrieval/search/normalise.h"
#include "retrieval/search/words.h"

static int append_token (void *context, int flags, const char *token, int length, int start, int end)
{
  GString *out = context;
  if (out->len)
    g_string_append_c (out, flags & FTS5_TOKEN_COLOCATED ? '|' : ' ');
  g_string_append_len (out, token, length);
  g_assert_cmpint (start, <=, end);
  return SQLITE_OK;
}

static void assert_tokens (const char *prefix, const char *text, gssize length, int flags, const char *expected)
{
  sqlite3 *db = NULL;
  fts5_tokenizer methods;
  Fts5Tokenizer *tokenizer = NULL;
  void *context = NULL;
  g_autofree char *whole = NULL;
  gsize prefix_length = strlen (prefix), n = length < 0 ? strlen (text) : (gsize)length;
  g_assert_cmpint (sqlite3_open (":memory:", &db), ==, SQLITE_OK);
  g_assert_cmpint (lectern_fts_tokenizer_register (db), ==, SQLITE_OK);
  fts5_api *api = lectern_fts_get_api (db);
  g_assert_cmpint (api->xFindTokenizer (api, "lectern", &context, &methods), ==, SQLITE_OK);
  g_assert_cmpint (methods.xCreate (context, NULL, 0, &tokenizer), ==, SQLITE_OK);
  whole = g_malloc (prefix_length + n + 1);
  memcpy (whole, prefix, prefix_length);
  memcpy (whole + prefix_length, text, n);
  GString *out = g_string_new (NULL);
  g_assert_cmpint (methods.xTokenize (tokenizer, out, flags, whole, (int)(prefix_length + n), append_token), ==,
                   SQLITE_OK);
  if (expected)
    g_assert_cmpstr (out->str, ==, expected);
  g_assert_true (g_utf8_validate (out->str, (gssize)out->len, NULL));
  g_string_free (out, TRUE);
  methods.xDelete (tokenizer);
  sqlite3_close (db);
}

static void test_documents (void)
{
  static const struct {
    const char *language, *text, *tokens;
  } rows[] = {
    { "en", "The Foxes were RUNNING.", "the fox were run" },
    { "", "The Foxes were RUNNING.", "the fox were run" },
    { "de", "Häuser und Straßen", "haus und strass" },
    { "fr", "L’homme mangeait", "homm|lhomm mang" },
    { "en", "the company's e-mail", "the compani e|email mail" },
    { "en", "don't O'Brien", "don brien|obrien" },
    { "en", "foo_bar.c 3.14 1,000 v1.2", "foo|foobarc bar c 3|3.14 14 1|1000 000 v1|v1.2 2" },
    { "en", "DC68-04130A", "dc68|dc6804130a 04130a" },
    { "en", "U.S.A. C++ and C# f#", "u|usa s a c++ and c# f#" },
    { "en", "co\xC2\xADoperate \xEF\xAC\x81le", "cooper file" },
    { "ru", "Книги Ёлка USB files", "книг елк usb file" },
    { "tr", "KAPI İZMİR", "kap|kapi izmir" },
    { "zh", "中文版 3", "中|中文 文|文版 版 3" },
    { "ja", "東京タワー", "東|東京 京|京タ タ|タワ ワ|ワー ー" },
    { "en",
      "a\xFF\xFE"
      "b \xE4\xB8",
      "a b" },
    { "en", "...---''' _ _", "" },
    { "xx-bad", "Running", "run" },
    { "en", "１２３ ＡＢＣ", "123 abc" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *prefix = g_strconcat ("\x02", rows[i].language, "\x02", NULL);
    assert_tokens (prefix, rows[i].text, -1, FTS5_TOKENIZE_DOCUMENT, rows[i].tokens);
  }
}

static void test_queries (void)
{
  assert_tokens ("\x02=en,de\x02", "Wohnungen", -1, FTS5_TOKENIZE_QUERY, "wohnungen|wohnung");
  assert_tokens ("\x02=en\x02", "3.14", -1, FTS5_TOKENIZE_QUERY, "3.14");
  assert_tokens ("\x02=zh\x02", "中文", -1, FTS5_TOKENIZE_QUERY, "中文");
  assert_tokens ("\x02zh\x02", "中文版 3", -1, FTS5_TOKENIZE_QUERY, "中文 文版 版 3");
  assert_tokens ("\x02"
                 "en\x02",
                 "the e-mail address", -1, FTS5_TOKENIZE_QUERY, "the e mail address");
  assert_tokens ("\x02"
                 "en",
                 " no end of the prefix", -1, FTS5_TOKENIZE_QUERY, "en no end of the prefix");
}

/* Any bytes: bounded tokens, valid UTF-8, the same answer from the cache as without it. */
static void test_any_bytes (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  LecternNormaliser *warm = lectern_normaliser_new ();
  for (int round = 0; round < 400; round++) {
    char bytes[120];
    int n = g_rand_int_range (random, 0, sizeof bytes);
    for (int i = 0; i < n; i++)
      bytes[i] = (char)(round % 2 ? g_rand_int (random)
                                  : (guint32) "aé中'-.\xCC\x81\x02"
                                              "9"[g_rand_int_range (random, 0, 14)]);
    assert_tokens ("\x02"
                   "de\x02",
                   bytes, n, FTS5_TOKENIZE_DOCUMENT, NULL);
    assert_tokens ("\x02="
                   "de,ru,tr\x02",
                   bytes, n, FTS5_TOKENIZE_QUERY, NULL);
    LecternNormaliser *cold = lectern_normaliser_new ();
    LecternTokens a, b, c;
    lectern_normalise (warm, round % 20, bytes, (gsize)n, &a);
    lectern_normalise (warm, round % 20, bytes, (gsize)n, &b);
    lectern_normalise (cold, round % 20, bytes, (gsize)n, &c);
    g_assert_cmpuint (a.n, ==, b.n);
    g_assert_cmpuint (a.n, ==, c.n);
    for (guint i = 0; i < a.n; i++) {
      g_assert_cmpmem (a.tokens[i].bytes, a.tokens[i].length, b.tokens[i].bytes, b.tokens[i].length);
      g_assert_cmpmem (a.tokens[i].bytes, a.tokens[i].length, c.tokens[i].bytes, c.tokens[i].length);
      g_assert_cmpuint (a.tokens[i].length, <, LECTERN_TOKEN_MAX_BYTES);
    }
    lectern_normaliser_free (cold);
  }
  g_autofree char *long_word = g_strnfill (100000, 'a');
  assert_tokens ("\x02"
                 "en\x02",
                 long_word, -1, FTS5_TOKENIZE_DOCUMENT, NULL);
  lectern_normaliser_free (warm);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fts-tokenizer/documents", test_documents);
  g_test_add_func ("/fts-tokenizer/queries", test_queries);
  g_test_add_func ("/fts-tokenizer/any-bytes", test_any_bytes);
  return g_test_run ();
}
