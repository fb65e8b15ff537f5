#include "retrieval/answer/passages.h"

#include <math.h>
#include <string.h>

/* Measured on the judged manuals and handbooks (tests/bench/bench-answers.c). */
static const double partial_credit = 0.6, weight_floor = 0.25;
enum { MAX_TITLE_TERMS = 9, MIN_PART_BYTES = 5, MIN_MISSPELT_BYTES = 6, MIN_COLLECTION = 30 };

void lectern_passage_free (LecternPassage *passage)
{
  if (!passage)
    return;
  g_clear_pointer (&passage->terms, g_array_unref);
  g_clear_pointer (&passage->sentences, g_array_unref);
  g_clear_pointer (&passage->result, lectern_result_free);
  g_free (passage);
}

/* ---- assembly -------------------------------------------------------------------------------------------- */

static gboolean same_heading (const LecternResult *a, const LecternResult *b)
{
  return g_strv_equal ((const char *const *)a->heading, (const char *const *)b->heading);
}

/* Appends `next`, which follows `result` in the document. */
static void join_results (LecternResult *result, LecternResult *next)
{
  guint32 shift = (guint32)strlen (result->text) + 1;
  char *text = g_strconcat (result->text, "\n", next->text, NULL);
  g_free (result->text);
  result->text = text;
  for (guint i = 0; next->spans && i < next->spans->len; i++) {
    LecternSpan span = g_array_index (next->spans, LecternSpan, i);
    span.start += shift;
    g_array_append_val (result->spans, span);
  }
  result->page_last = MAX (result->page_last, next->page_last);
}

static int compare_places (gconstpointer a, gconstpointer b)
{
  const LecternResult *one = *(LecternResult *const *)a, *other = *(LecternResult *const *)b;
  if (one->document != other->document)
    return one->document < other->document ? -1 : 1;
  return one->chunk < other->chunk ? -1 : one->chunk > other->chunk;
}

static int compare_scores (gconstpointer a, gconstpointer b)
{
  const LecternResult *one = *(LecternResult *const *)a, *other = *(LecternResult *const *)b;
  if (one->score != other->score)
    return one->score > other->score ? -1 : 1;
  return compare_places (a, b);
}

/* Joins neighbours; the joined result has the better one's score. */
static GPtrArray *merge_neighbours (GPtrArray *results, guint max_tokens)
{
  GPtrArray *merged = g_ptr_array_new ();
  g_ptr_array_sort (results, compare_places);
  g_ptr_array_set_free_func (results, NULL);
  gint64 last_chunk = 0;
  guint n_tokens = 0;
  for (guint i = 0; i < results->len; i++) {
    LecternResult *next = g_ptr_array_index (results, i);
    LecternResult *last = merged->len ? g_ptr_array_index (merged, merged->len - 1) : NULL;
    guint next_tokens = lectern_count_tokens (next->text, -1);
    if (last && last->document == next->document && next->chunk == last_chunk + 1 && same_heading (last, next)
        && last->spans && n_tokens + next_tokens <= max_tokens) {
      join_results (last, next);
      last->score = MAX (last->score, next->score);
      n_tokens += next_tokens;
      last_chunk = next->chunk;
      lectern_result_free (next);
      continue;
    }
    g_ptr_array_add (merged, next);
    last_chunk = next->chunk;
    n_tokens = next_tokens;
  }
  g_ptr_array_set_size (results, 0);
  g_ptr_array_sort (merged, compare_scores);
  return merged;
}

static gboolean is_number (const LecternTerm *term)
{
  return (term->flags & LECTERN_TERM_NUMBER) != 0;
}

/* Whether nearly all that `a` says, its numbers included, is in `b`. `marks` is scratch, by term id. */
static gboolean is_near_duplicate (const LecternPassage *a, const LecternPassage *b, GHashTable *marks)
{
  g_hash_table_remove_all (marks);
  for (guint i = 0; i < b->terms->len; i++)
    g_hash_table_add (marks, GUINT_TO_POINTER (g_array_index (b->terms, LecternTerm, i).id + 1));
  guint n = 0, found = 0;
  for (guint i = 0; i < a->terms->len; i++) {
    const LecternTerm *term = &g_array_index (a->terms, LecternTerm, i);
    if (term->flags & LECTERN_TERM_STOP)
      continue;
    gboolean has = g_hash_table_contains (marks, GUINT_TO_POINTER (term->id + 1));
    if (!has && is_number (term))
      return FALSE;
    n++;
    found += has;
  }
  return n > 0 && found * 100 >= n * 95;
}

static guint sentence_kind (const char *text, LecternRange range, guint n_terms, gboolean last)
{
  const char *start = text + range.start, *end = text + range.end;
  guint kind = 0;
  const char *newline = end - start > 0 ? memchr (start, '\n', (gsize)(end - start)) : NULL;
  for (const char *p = start; p + 2 < end && !(kind & LECTERN_SENTENCE_TABLE); p++)
    if (p[0] == ' ' && p[1] == '|' && p[2] == ' ' && !newline)
      kind |= LECTERN_SENTENCE_TABLE;
  gboolean line_start = range.start == 0 || text[range.start - 1] == '\n' || text[range.start - 1] == ' ';
  const char *digits = start + (*start == '(');
  const char *p = digits;
  while (p < end && p - digits < 3 && g_ascii_isdigit (*p))
    p++;
  gboolean numbered = p > digits && p + 1 < end && (*p == '.' || *p == ')') && p[1] == ' ';
  gboolean bullet = g_str_has_prefix (start, "- ") || g_str_has_prefix (start, "* ") || g_str_has_prefix (start, "• ")
                    || g_str_has_prefix (start, "– ") || g_str_has_prefix (start, "▪ ");
  if (line_start && (numbered || bullet))
    kind |= LECTERN_SENTENCE_LIST;
  char mark = end[-1];
  if (mark == '?' || (end - start >= 3 && !memcmp (end - 3, "？", 3)))
    kind |= LECTERN_SENTENCE_QUESTION;
  if (mark == ':' || (end - start >= 3 && !memcmp (end - 3, "：", 3)))
    kind |= LECTERN_SENTENCE_OPENS;
  gboolean stopped = strchr (".!?;:]\")'", mark) != NULL || (guchar)mark >= 0x80;
  if (!kind && !stopped && n_terms <= MAX_TITLE_TERMS && !last)
    kind |= LECTERN_SENTENCE_HEADING;
  return kind;
}

static void read_sentences (LecternPassage *passage, const char *language)
{
  const char *text = passage->result->text;
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  lectern_sentences_split (text, -1, language, ranges);
  guint term = 0;
  for (guint i = 0; i < ranges->len; i++) {
    LecternPassageSentence sentence = { .range = g_array_index (ranges, LecternRange, i), .first_term = term };
    while (term < passage->terms->len && g_array_index (passage->terms, LecternTerm, term).start < sentence.range.end) {
      sentence.n_content += !(g_array_index (passage->terms, LecternTerm, term).flags & LECTERN_TERM_STOP);
      term++;
    }
    sentence.n_terms = term - sentence.first_term;
    sentence.kind = sentence_kind (text, sentence.range, sentence.n_terms, i + 1 == ranges->len && i > 0);
    g_array_append_val (passage->sentences, sentence);
  }
}

GPtrArray *lectern_passages_assemble (GPtrArray *results, LecternTermer *termer, guint limit, guint max_tokens)
{
  GPtrArray *passages = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_passage_free);
  g_autoptr (GPtrArray) merged = merge_neighbours (results, max_tokens);
  g_autoptr (GHashTable) marks = g_hash_table_new (NULL, NULL);
  double best = merged->len ? ((LecternResult *)g_ptr_array_index (merged, 0))->score : 0;
  for (guint i = 0; i < merged->len; i++) {
    LecternPassage *passage = g_new0 (LecternPassage, 1);
    passage->result = g_ptr_array_index (merged, i);
    passage->score = best > 0 ? CLAMP (passage->result->score / best, 0, 1) : 1.0 / (i + 1);
    passage->terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
    passage->sentences = g_array_new (FALSE, FALSE, sizeof (LecternPassageSentence));
    lectern_termer_add (termer, passage->result->text, -1, passage->terms);
    gboolean dropped = passages->len >= limit;
    for (guint k = 0; k < passages->len && !dropped; k++)
      dropped = is_near_duplicate (passage, g_ptr_array_index (passages, k), marks);
    if (dropped)
      lectern_passage_free (passage);
    else
      g_ptr_array_add (passages, passage);
  }
  return passages;
}

/* ---- reading --------------------------------------------------------------------------------------------- */

/* What each term id of the termer means for the question. */
typedef struct {
  guint64 exact, partial;
} Meaning;

/* "Akku" in "Akkulaufzeit", "authenticate" beside "authentication": one begins or ends with the other. */
static gboolean is_part (const char *a, gsize a_length, const char *b)
{
  gsize b_length = strlen (b);
  if (a_length < MIN_PART_BYTES || b_length < MIN_PART_BYTES || a_length == b_length)
    return FALSE;
  const char *small = a_length < b_length ? a : b, *large = a_length < b_length ? b : a;
  gsize n = MIN (a_length, b_length), m = MAX (a_length, b_length);
  return !memcmp (small, large, n) || !memcmp (small, large + m - n, n);
}

/* One letter wrong, missing, too many, or two swapped: "acoount", "serach". */
static gboolean is_misspelt (const char *a, gsize a_length, const char *b)
{
  gsize b_length = strlen (b);
  if (a_length < MIN_MISSPELT_BYTES || a[0] != b[0] || a_length + 1 < b_length || b_length + 1 < a_length)
    return FALSE;
  while (*a && *a == *b)
    a++, b++;
  if (!*a || !*b)
    return TRUE;
  if (a_length == b_length)
    return !strcmp (a + 1, b + 1) || (a[0] == b[1] && a[1] == b[0] && !strcmp (a + 2, b + 2));
  return a_length > b_length ? !strcmp (a + 1, b) : !strcmp (a, b + 1);
}

static GArray *find_meanings (LecternQuestion *question, LecternTermer *termer)
{
  guint n = lectern_termer_get_n_terms (termer);
  GArray *meanings = g_array_sized_new (FALSE, TRUE, sizeof (Meaning), n);
  g_array_set_size (meanings, n);
  for (guint i = 0; i < question->terms->len; i++) {
    const LecternQuestionTerm *wanted = &g_array_index (question->terms, LecternQuestionTerm, i);
    const char *word = lectern_termer_get_term (termer, wanted->id);
    gsize length = strlen (word);
    g_array_index (meanings, Meaning, wanted->id).exact |= G_GUINT64_CONSTANT (1) << i;
    if (wanted->flags & LECTERN_TERM_NUMBER)
      continue;
    for (guint id = 0; id < n; id++)
      if (id != wanted->id
          && (is_part (word, length, lectern_termer_get_term (termer, id))
              || is_misspelt (word, length, lectern_termer_get_term (termer, id))))
        g_array_index (meanings, Meaning, id).partial |= G_GUINT64_CONSTANT (1) << i;
  }
  return meanings;
}

static LecternHits find_hits (const GArray *terms, guint first, guint n, const GArray *meanings)
{
  LecternHits hits = { 0 };
  for (guint i = first; i < first + n; i++) {
    guint32 id = g_array_index (terms, LecternTerm, i).id;
    if (id < meanings->len) {
      hits.exact |= g_array_index (meanings, Meaning, id).exact;
      hits.partial |= g_array_index (meanings, Meaning, id).partial;
    }
  }
  return hits;
}

LecternHits lectern_hits_or (LecternHits a, LecternHits b)
{
  return (LecternHits){ a.exact | b.exact, a.partial | b.partial };
}

double lectern_hits_coverage (LecternHits hits, const LecternQuestion *question)
{
  double found = 0, total = 0;
  for (guint i = 0; i < question->terms->len; i++) {
    double weight = g_array_index (question->terms, LecternQuestionTerm, i).weight;
    total += weight;
    if (hits.exact >> i & 1)
      found += weight;
    else if (hits.partial >> i & 1)
      found += weight * partial_credit;
  }
  return total > 0 ? found / total : 0;
}

static void weigh_terms (GPtrArray *passages, LecternQuestion *question)
{
  /* Search returns what holds any of the terms: where it returned few, the rest of the library holds none. */
  guint n = MAX (passages->len, MIN_COLLECTION);
  for (guint i = 0; i < question->terms->len; i++) {
    LecternQuestionTerm *term = &g_array_index (question->terms, LecternQuestionTerm, i);
    double holders = 0;
    for (guint p = 0; p < passages->len; p++) {
      const LecternPassage *passage = g_ptr_array_index (passages, p);
      LecternHits hits = lectern_hits_or (passage->hits, passage->heading_hits);
      holders += hits.exact >> i & 1 ? 1 : hits.partial >> i & 1 ? 0.5 : 0;
    }
    term->weight = weight_floor + log (1 + (n - holders + 0.5) / (holders + 0.5)) / log (n + 2.0);
    if (term->flags & (LECTERN_TERM_NUMBER | LECTERN_TERM_NAME))
      term->weight *= 1.25;
    term->weight *= term->prior;
  }
}

void lectern_passages_read (GPtrArray *passages, LecternQuestion *question, LecternTermer *termer)
{
  /* Headings and titles first, so that their terms have ids before the meanings are looked up. */
  GPtrArray *headings = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  for (guint p = 0; p < passages->len; p++) {
    const LecternResult *result = ((LecternPassage *)g_ptr_array_index (passages, p))->result;
    g_autofree char *path = g_strjoinv ("\n", result->heading);
    g_autofree char *name = result->path ? g_path_get_basename (result->path) : NULL;
    g_autofree char *title = g_strconcat (result->title ? result->title : "", "\n", name, NULL);
    GArray *terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
    lectern_termer_add (termer, path, -1, terms);
    g_ptr_array_add (headings, terms);
    terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
    lectern_termer_add (termer, title, -1, terms);
    g_ptr_array_add (headings, terms);
  }
  g_autoptr (GArray) meanings = find_meanings (question, termer);
  for (guint p = 0; p < passages->len; p++) {
    LecternPassage *passage = g_ptr_array_index (passages, p);
    const GArray *heading = g_ptr_array_index (headings, 2 * p), *title = g_ptr_array_index (headings, 2 * p + 1);
    passage->heading_hits = find_hits (heading, 0, heading->len, meanings);
    passage->title_hits = find_hits (title, 0, title->len, meanings);
    passage->hits = find_hits (passage->terms, 0, passage->terms->len, meanings);
    g_array_set_size (passage->sentences, 0);
    read_sentences (passage, question->language);
    for (guint i = 0; i < passage->sentences->len; i++) {
      LecternPassageSentence *sentence = &g_array_index (passage->sentences, LecternPassageSentence, i);
      sentence->hits = find_hits (passage->terms, sentence->first_term, sentence->n_terms, meanings);
    }
  }
  g_ptr_array_unref (headings);
  weigh_terms (passages, question);
}
