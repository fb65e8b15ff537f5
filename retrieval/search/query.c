#include "retrieval/search/query.h"

#include <string.h>

#include "retrieval/search/fts_tokenizer.h"
#include "retrieval/search/words.h"
#include "retrieval/text/stopwords.h"

/* Beyond this many words a text is something pasted, in which quotation marks are not a search condition. */
enum { MAX_LANGUAGES = 16, MAX_STRICT_WORDS = 24, MAX_SCANNED_WORDS = 2000, MAX_PHRASE_BYTES = 1000 };

typedef struct {
  guint32 start, end;
} Range;

typedef struct {
  LecternQuery *query;
  LecternNormaliser *normaliser;
  const char *text; /* valid UTF-8 without control characters */
  const char *const *languages;
  guint n_languages;
  const char *stop_language; /* NULL: none */
  gboolean keep_stop_words;
  GString *match;
  GHashTable *index; /* key → position in terms + 1 */
} Builder;

/* Valid UTF-8 in which nothing ends or escapes a string. */
static char *clean (const char *text, gsize length)
{
  char *valid = g_utf8_make_valid (text, (gssize)length);
  for (char *p = valid; *p; p++)
    if ((guchar)*p < ' ' || *p == 0x7F)
      *p = ' ';
  return valid;
}

static const struct {
  const char *open, *close;
} quotes[] = { { "\"", "\"" }, { "“", "”" }, { "„", "“" }, { "„", "”" }, { "«", "»" }, { "»", "«" } };

static gboolean is_word_byte (char c)
{
  return g_ascii_isalnum (c) || (guchar)c >= 0x80;
}

/* The quoted stretch that begins at `p`, or FALSE. Marks in the middle of words (5", rock'n'roll) do not quote. */
static gboolean match_quote (const char *text, const char *p, Range *inner, const char **after)
{
  for (gsize i = 0; i < G_N_ELEMENTS (quotes); i++) {
    gsize open = strlen (quotes[i].open), close = strlen (quotes[i].close);
    gboolean ascii = open == 1;
    if (strncmp (p, quotes[i].open, open) || (ascii && p > text && is_word_byte (p[-1])))
      continue;
    for (const char *end = p + open; (end = strstr (end, quotes[i].close)); end += close) {
      if (ascii && is_word_byte (end[close]))
        continue;
      if (end == p + open)
        break;
      *inner = (Range){ (guint32)(p + open - text), (guint32)(end - text) };
      *after = end + close;
      return TRUE;
    }
  }
  return FALSE;
}

static GArray *find_phrases (const char *text)
{
  GArray *phrases = g_array_new (FALSE, FALSE, sizeof (Range));
  for (const char *p = text; *p && phrases->len < LECTERN_QUERY_MAX_PHRASES;) {
    Range inner;
    const char *after;
    if ((*p == '"' || (guchar)*p == 0xE2 || (guchar)*p == 0xC2) && match_quote (text, p, &inner, &after)) {
      if (inner.end - inner.start <= MAX_PHRASE_BYTES)
        g_array_append_val (phrases, inner);
      p = after;
    } else {
      p++;
    }
  }
  return phrases;
}

static gboolean is_stop_word (const char *language, const char *word, gsize length)
{
  g_autofree char *lower = g_utf8_strdown (word, (gssize)length);
  return lectern_stopword (language, lower);
}

/* The language of the query: the one of the library's whose function words it has most of. */
static const char *find_stop_language (const Builder *builder, guint *n_words)
{
  const char *best = NULL;
  guint best_hits = 0;
  LecternWord word;
  LecternWalker walker = { builder->text, strlen (builder->text), 0 };
  guint hits[MAX_LANGUAGES] = { 0 };
  for (*n_words = 0; *n_words < MAX_SCANNED_WORDS && lectern_walker_next (&walker, &word); ++*n_words)
    for (guint i = 0; i < builder->n_languages; i++) {
      const char *language = *builder->languages[i] ? builder->languages[i] : "en";
      hits[i] += is_stop_word (language, walker.text + word.start, word.end - word.start);
    }
  for (guint i = 0; i < builder->n_languages; i++)
    if (hits[i] > best_hits) {
      best_hits = hits[i];
      best = *builder->languages[i] ? builder->languages[i] : "en";
    }
  return best;
}

static void append_literal (Builder *builder, const char *mode, const char *text, gsize length)
{
  GString *match = builder->match;
  g_string_append (match, match->len ? " OR \"" : "\"");
  g_string_append (match, LECTERN_TEXT_MARK);
  g_string_append (match, mode);
  for (guint i = 0; i < builder->n_languages; i++)
    g_string_append_printf (match, "%s%s", i ? "," : "", builder->languages[i]);
  g_string_append (match, LECTERN_TEXT_MARK);
  for (gsize i = 0; i < length; i++)
    g_string_append_c (match, text[i] == '"' ? ' ' : text[i]);
  g_string_append_c (match, '"');
}

static void add_term (Builder *builder, LecternQueryKind kind, const char *text, gsize length)
{
  LecternTokens tokens;
  GArray *terms = builder->query->terms;
  g_autofree char *key = NULL;
  if (kind == LECTERN_QUERY_PHRASE) {
    key = g_strdup_printf ("\"%.*s", (int)length, text);
  } else {
    lectern_normalise (builder->normaliser, lectern_normaliser_find_language (builder->languages[0], -1), text, length,
                       &tokens);
    if (tokens.n == 0)
      return;
    key = g_strndup (tokens.tokens[0].bytes, tokens.tokens[0].length);
  }
  guint at = GPOINTER_TO_UINT (g_hash_table_lookup (builder->index, key));
  if (at) {
    g_array_index (terms, LecternQueryTerm, at - 1).count++;
    return;
  }
  if (terms->len >= LECTERN_QUERY_MAX_TERMS)
    return;
  append_literal (builder, kind == LECTERN_QUERY_PHRASE ? "" : "=", text, length);
  LecternQueryTerm term = { kind, 1, 0, g_steal_pointer (&key) };
  g_array_append_val (terms, term);
  g_hash_table_insert (builder->index, term.key, GUINT_TO_POINTER (terms->len));
}

static void add_word (Builder *builder, const char *text, gsize length)
{
  if (builder->keep_stop_words || !builder->stop_language || !is_stop_word (builder->stop_language, text, length))
    add_term (builder, LECTERN_QUERY_WORD, text, length);
  else
    builder->query->keywords = FALSE;
}

static void add_words (Builder *builder)
{
  LecternWord word;
  LecternWalker walker = { builder->text, strlen (builder->text), 0 };
  for (guint n = 0; n < MAX_SCANNED_WORDS && lectern_walker_next (&walker, &word); n++) {
    const char *start = walker.text + word.start;
    gsize length = word.end - word.start;
    if (word.ngram) {
      for (gsize pos = 0; pos < length;) {
        gsize one = lectern_char_length (start + pos, length - pos), next = pos + one;
        if (next < length)
          add_term (builder, LECTERN_QUERY_BIGRAM, start + pos,
                    one + lectern_char_length (start + next, length - next));
        else if (pos == 0)
          add_term (builder, LECTERN_QUERY_WORD, start, one);
        pos = next;
      }
    } else if (word.n_parts == 1) {
      add_word (builder, start, length);
    } else if (builder->keep_stop_words || !builder->stop_language
               || !is_stop_word (builder->stop_language, start, length)) {
      char joined[LECTERN_WORD_MAX_BYTES];
      gsize n_joined = lectern_word_join (&walker, &word, joined);
      guint first = builder->query->terms->len;
      for (guint i = 0; i < word.n_parts; i++)
        if (!lectern_word_part_is_clitic (&walker, &word, i))
          add_word (builder, walker.text + word.parts[i].start, word.parts[i].end - word.parts[i].start);
      guint whole = builder->query->terms->len;
      if (n_joined)
        add_term (builder, LECTERN_QUERY_JOINED, joined, n_joined);
      for (guint i = first; i < whole && whole < builder->query->terms->len; i++)
        g_array_index (builder->query->terms, LecternQueryTerm, i).whole = whole + 1;
    }
  }
}

static void add_phrases (Builder *builder, const GArray *phrases)
{
  for (guint i = 0; i < phrases->len; i++) {
    const Range *range = &g_array_index (phrases, Range, i);
    LecternWalker walker = { builder->text + range->start, range->end - range->start, 0 };
    LecternWord word;
    LecternTokens tokens;
    /* Something in it must become a token, else FTS5 would find nothing for it. */
    while (lectern_walker_next (&walker, &word)) {
      lectern_normalise (builder->normaliser, lectern_normaliser_find_language ("", 0), walker.text + word.start,
                         word.end - word.start, &tokens);
      if (tokens.n) {
        add_term (builder, LECTERN_QUERY_PHRASE, walker.text, walker.length);
        break;
      }
    }
  }
}

static void term_clear (gpointer data)
{
  g_free (((LecternQueryTerm *)data)->key);
}

LecternQuery *lectern_query_new (const char *text, gsize length, const char *const *languages,
                                 LecternNormaliser *normaliser)
{
  static const char *const unknown[] = { "", NULL };
  g_autofree char *cleaned = clean (text, length);
  g_autoptr (GArray) phrases = find_phrases (cleaned);
  g_autoptr (GHashTable) index = g_hash_table_new (g_str_hash, g_str_equal);
  LecternQuery *query = g_new0 (LecternQuery, 1);
  guint n_words;
  query->terms = g_array_new (FALSE, TRUE, sizeof (LecternQueryTerm));
  g_array_set_clear_func (query->terms, term_clear);
  Builder builder = { .query = query,
                      .normaliser = normaliser,
                      .text = cleaned,
                      .languages = languages && *languages ? languages : unknown,
                      .match = g_string_new (NULL),
                      .index = index };
  while (builder.n_languages < MAX_LANGUAGES && builder.languages[builder.n_languages])
    builder.n_languages++;
  builder.stop_language = find_stop_language (&builder, &n_words);
  query->keywords = TRUE;
  add_phrases (&builder, phrases);
  add_words (&builder);
  if (query->terms->len == 0) {
    builder.keep_stop_words = TRUE;
    query->keywords = TRUE;
    add_words (&builder);
  }
  query->strict = n_words <= MAX_STRICT_WORDS;
  query->match = g_string_free (builder.match, query->terms->len == 0);
  return query;
}

void lectern_query_free (LecternQuery *query)
{
  if (!query)
    return;
  g_free (query->match);
  g_array_unref (query->terms);
  g_free (query);
}
