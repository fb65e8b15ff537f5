#include "retrieval/answer/passages.h"

#include <math.h>
#include <string.h>

/* Measured on the judged manuals and handbooks (tests/bench/bench-answers.c). */
static const double partial_credit = 0.6, weight_floor = 0.25;
static const double other_form = 0.5, title_share = 0.6, stop_pair = 0.3, ordered = 0.5, line_fit = 0.6,
                    line_weight = 1.3;
/* Per passage: heading path, title with file name, last heading, title. */
enum { N_TITLES = 4 };
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
  guint32 shift = (guint32)strlen (result->text) + 2;
  char *text = g_strconcat (result->text, "\n\n", next->text, NULL);
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
    kind |= LECTERN_SENTENCE_LIST | LECTERN_SENTENCE_MARKED;
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

/* Lines of a chunk are items of a list, rows, or code; an item that ends as a sentence does is one of its own, though the
 * next one does not begin as a sentence. Code stays in one piece. */
static gboolean ends_item (const char *text, guint32 start, guint32 newline)
{
  char mark = newline > start ? text[newline - 1] : 0, next = text[newline + 1];
  if (!mark || next == ' ' || next == '\t' || next == '\n' || next == 0)
    return FALSE;
  if (mark != ';')
    return strchr (".!?:", mark) != NULL;
  for (guint32 i = start; i < newline; i++)
    if (strchr ("=({[<", text[i]))
      return FALSE;
  return TRUE;
}

static void split_sentences (const char *text, const char *language, GArray *ranges)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  lectern_sentences_split (text, -1, language, found);
  for (guint i = 0; i < found->len; i++) {
    LecternRange range = g_array_index (found, LecternRange, i);
    for (guint32 at = range.start; at < range.end; at++)
      if (text[at] == '\n' && ends_item (text, range.start, at)) {
        LecternRange item = { range.start, at };
        g_array_append_val (ranges, item);
        range.start = at + 1;
      }
    g_array_append_val (ranges, range);
  }
}

enum { LINE_NONE, LINE_ITEM, LINE_BLOCK };

/* What comes between two sentences: nothing but space, one line break (items and rows), or more. */
static int line_break (const char *text, guint32 from, guint32 to)
{
  int n = 0;
  for (guint32 i = from; i < to; i++)
    n += text[i] == '\n';
  return MIN (n, LINE_BLOCK);
}

/* Items of lists whose marks are not part of the text: lines that follow one another. */
static void mark_items (const char *text, GArray *sentences)
{
  for (guint i = 0; i + 1 < sentences->len; i++) {
    LecternPassageSentence *one = &g_array_index (sentences, LecternPassageSentence, i);
    LecternPassageSentence *next = &g_array_index (sentences, LecternPassageSentence, i + 1);
    guint not_items = LECTERN_SENTENCE_TABLE | LECTERN_SENTENCE_HEADING | LECTERN_SENTENCE_OPENS;
    if (line_break (text, one->range.end, next->range.start) != LINE_ITEM || (one->kind & not_items)
        || (next->kind & LECTERN_SENTENCE_TABLE))
      continue;
    next->kind = (next->kind & ~(guint)LECTERN_SENTENCE_HEADING) | LECTERN_SENTENCE_LIST;
    guint first = i;
    while (first > 0
           && line_break (text, g_array_index (sentences, LecternPassageSentence, first - 1).range.end,
                          g_array_index (sentences, LecternPassageSentence, first).range.start)
                  == LINE_NONE)
      first--;
    g_array_index (sentences, LecternPassageSentence, first).kind |= LECTERN_SENTENCE_LIST;
  }
}

static void read_sentences (LecternPassage *passage, const char *language)
{
  const char *text = passage->result->text;
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  split_sentences (text, language, ranges);
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
  mark_items (text, passage->sentences);
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

/* ---- titles and pairs ------------------------------------------------------------------------------------ */

/* Function words bind too ("no steam"), but say less. */
static double pair_weight (const LecternTerm *a, const LecternTerm *b)
{
  guint n_stop = !!(a->flags & LECTERN_TERM_STOP) + !!(b->flags & LECTERN_TERM_STOP);
  return n_stop == 0 ? 1 : n_stop == 1 ? stop_pair : 0;
}

static double find_pairs (const GArray *terms, guint first, guint n, const LecternQuestion *question)
{
  double total = 0, found = 0;
  for (guint k = 0; k + 1 < MIN (question->words->len, LECTERN_QUESTION_MAX_TERMS); k++) {
    const LecternTerm *a = &g_array_index (question->words, LecternTerm, k), *b = a + 1;
    double weight = pair_weight (a, b);
    total += weight;
    for (guint i = first; weight > 0 && i + 1 < first + n; i++) {
      const LecternTerm *one = &g_array_index (terms, LecternTerm, i);
      if (one->id == a->id && one[1].id == b->id) {
        found += weight;
        break;
      }
    }
  }
  return total > 0 ? found / total : 0;
}

/* Share of the title's own words that the question has, times the share of the question that the title has; less if the
 * title announces another form of answer ("How to …" where a length is asked). Up to 1, and up to 1.5 where the title has the
 * question's words in the question's order. */
static double find_fit (const char *title, gsize length, const GArray *terms, guint first, guint n,
                        const GArray *meanings, const LecternQuestion *question)
{
  double found = 0;
  guint n_content = 0;
  for (guint i = first; i < first + n; i++) {
    const LecternTerm *term = &g_array_index (terms, LecternTerm, i);
    gboolean asked = term->id < meanings->len && g_array_index (meanings, Meaning, term->id).exact;
    if ((term->flags & (LECTERN_TERM_STOP | LECTERN_TERM_NUMBER))
        || (!asked && g_hash_table_contains (question->asking, GUINT_TO_POINTER (term->id + 1))))
      continue;
    n_content++;
    if (term->id < meanings->len) {
      const Meaning *meaning = &g_array_index (meanings, Meaning, term->id);
      found += meaning->exact ? 1 : meaning->partial ? partial_credit : 0;
    }
  }
  if (found <= 0)
    return 0;
  g_autofree char *text = g_strndup (title, length);
  LecternAsks announces = lectern_question_find_form (text);
  double fit = found / n_content * lectern_hits_coverage (find_hits (terms, first, n, meanings), question);
  fit *= 1 + ordered * find_pairs (terms, first, n, question);
  if (announces != LECTERN_ASKS_ANYTHING && question->asks != LECTERN_ASKS_ANYTHING)
    fit = announces == question->asks ? sqrt (fit) : fit * other_form;
  return fit;
}

/* A title in the text: a heading, or what says no more than the question does ("No steam."). */
static gboolean is_title (const LecternPassageSentence *sentence)
{
  return (sentence->kind & (LECTERN_SENTENCE_HEADING | LECTERN_SENTENCE_QUESTION)) != 0
         || (sentence->n_terms <= MAX_TITLE_TERMS / 2 && !(sentence->kind & LECTERN_SENTENCE_TABLE));
}

static void find_surroundings (LecternPassage *passage, const GArray *heading, const GArray *title,
                               const GArray *meanings, const LecternQuestion *question)
{
  const LecternResult *result = passage->result;
  guint n_path = g_strv_length (result->heading);
  const char *last = n_path ? result->heading[n_path - 1] : "";
  const char *name = result->title ? result->title : "";
  double section = find_fit (last, strlen (last), heading, 0, heading->len, meanings, question);
  double document = find_fit (name, strlen (name), title, 0, title->len, meanings, question);
  double around = MAX (section, document * title_share), here = around, line = 0, line_pairs = 0;
  for (guint i = 0; i < passage->sentences->len; i++) {
    LecternPassageSentence *sentence = &g_array_index (passage->sentences, LecternPassageSentence, i);
    if (i > 0 && line_break (result->text, sentence[-1].range.end, sentence->range.start) == LINE_BLOCK
        && !(i > 1 && is_title (&sentence[-1])))
      line = line_pairs = 0;
    double pairs = find_pairs (passage->terms, sentence->first_term, sentence->n_terms, question);
    sentence->pairs = MAX (pairs, line_pairs);
    sentence->fit = MAX (here, line);
    if (!is_title (sentence))
      continue;
    double fit = find_fit (result->text + sentence->range.start, sentence->range.end - sentence->range.start,
                           passage->terms, sentence->first_term, sentence->n_terms, meanings, question);
    if (sentence->kind & LECTERN_SENTENCE_HEADING) {
      here = MAX (fit, around * title_share);
      line = line_pairs = 0;
    } else if (fit >= line_fit && fit * line_weight > line) {
      line = fit * line_weight;
      line_pairs = pairs;
    }
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
    guint n_path = g_strv_length (result->heading);
    terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
    lectern_termer_add (termer, n_path ? result->heading[n_path - 1] : "", -1, terms);
    g_ptr_array_add (headings, terms);
    terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
    lectern_termer_add (termer, result->title ? result->title : "", -1, terms);
    g_ptr_array_add (headings, terms);
  }
  g_autoptr (GArray) meanings = find_meanings (question, termer);
  for (guint p = 0; p < passages->len; p++) {
    LecternPassage *passage = g_ptr_array_index (passages, p);
    const GArray *heading = g_ptr_array_index (headings, N_TITLES * p),
                 *title = g_ptr_array_index (headings, N_TITLES * p + 1);
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
  weigh_terms (passages, question);
  for (guint p = 0; p < passages->len; p++)
    find_surroundings (g_ptr_array_index (passages, p), g_ptr_array_index (headings, N_TITLES * p + 2),
                       g_ptr_array_index (headings, N_TITLES * p + 3), meanings, question);
  g_ptr_array_unref (headings);
}
