#include "retrieval/answer/extractive.h"
#include "retrieval/answer/form.h"

#include <string.h>

/* Weights of the evidence for a sentence, fitted on the development halves of judged manuals, handbooks and support pages
 * (tests/bench/bench-answers.c). Coverage is a share of the question's weight, so all are on one scale. */
static const struct {
  double before, announced, heading, title, passage;            /* coverage that the surroundings add */
  double rank, form, steps, section_steps, density, fit, pairs; /* bonuses */
  double is_heading, is_question, is_short, is_long;            /* penalties */
  double next, again; /* shares of the best score that another sentence needs */
} weights = {
  .before = 0.35,
  .announced = 0.8,
  .heading = 0.6,
  .title = 0.3,
  .passage = 0.15,
  .rank = 0.6,
  .form = 0.08,
  .steps = 0.12,
  .section_steps = 0.6,
  .density = 0.1,
  .fit = 0.25,
  .pairs = 0.3,
  .is_heading = 0.5,
  .is_question = 0.4,
  .is_short = 0.2,
  .is_long = 0.1,
  .next = 0.45,
  .again = 0.82,
};

static const double steps_fit = 0.6; /* from this fit on a section is about the question */
enum {
  MAX_SENTENCES = 4,
  MAX_FACT_SENTENCES = 2,
  MAX_RUN = 14,
  MAX_RUN_BYTES = 1600,
  SHORT_TERMS = 3,
  LONG_TERMS = 45
};

void lectern_quote_free (LecternQuote *quote)
{
  g_free (quote->text);
  g_free (quote);
}

static LecternPassageSentence *sentence_at (const LecternPassage *passage, guint i)
{
  return &g_array_index (passage->sentences, LecternPassageSentence, i);
}

/* Whether the sentence adds at most one word, and no name or number, to what it shares with the question. */
static gboolean restates (const LecternPassage *passage, const LecternPassageSentence *sentence,
                          const LecternQuestion *question)
{
  guint n_new = 0;
  for (guint i = sentence->first_term; i < sentence->first_term + sentence->n_terms; i++) {
    const LecternTerm *term = &g_array_index (passage->terms, LecternTerm, i);
    if (term->flags & LECTERN_TERM_STOP)
      continue;
    gboolean asked = FALSE;
    for (guint k = 0; k < question->terms->len && !asked; k++)
      asked = g_array_index (question->terms, LecternQuestionTerm, k).id == term->id;
    if (!asked && (term->flags & (LECTERN_TERM_NUMBER | LECTERN_TERM_NAME)))
      return FALSE;
    n_new += !asked;
  }
  return sentence->hits.exact && n_new <= (sentence->n_content >= 4 ? 1u : 0u);
}

static gboolean wants_steps (const LecternQuestion *question)
{
  return question->asks == LECTERN_ASKS_STEPS || question->asks == LECTERN_ASKS_LIST;
}

/* ---- scores ---------------------------------------------------------------------------------------------- */

static double gain (LecternHits own, LecternHits more, const LecternQuestion *question)
{
  return lectern_hits_coverage (lectern_hits_or (own, more), question) - lectern_hits_coverage (own, question);
}

static double score_sentence (const LecternPassage *passage, guint i, const LecternQuestion *question)
{
  const LecternPassageSentence *sentence = sentence_at (passage, i);
  LecternHits hits = sentence->hits;
  double score = lectern_hits_coverage (hits, question);
  if (i > 0) {
    const LecternPassageSentence *before = sentence_at (passage, i - 1);
    gboolean announces = (before->kind
                          & (LECTERN_SENTENCE_HEADING | LECTERN_SENTENCE_QUESTION | LECTERN_SENTENCE_OPENS
                             | LECTERN_SENTENCE_RESTATES))
                         != 0;
    score += gain (hits, before->hits, question) * (announces ? weights.announced : weights.before);
    hits = lectern_hits_or (hits, before->hits);
  }
  score += gain (hits, passage->heading_hits, question) * weights.heading;
  hits = lectern_hits_or (hits, passage->heading_hits);
  score += gain (hits, passage->title_hits, question) * weights.title;
  hits = lectern_hits_or (hits, passage->title_hits);
  score += gain (hits, passage->hits, question) * weights.passage;

  score += weights.rank * passage->score + weights.fit * sentence->fit + weights.pairs * sentence->pairs;
  score += weights.form * lectern_form_fit (passage, sentence, question);
  if (wants_steps (question) && (sentence->kind & (LECTERN_SENTENCE_LIST | LECTERN_SENTENCE_OPENS)))
    score += weights.steps;
  if (question->asks == LECTERN_ASKS_STEPS && (sentence->kind & LECTERN_SENTENCE_LIST) && sentence->fit >= steps_fit)
    score += weights.section_steps;
  guint n_hits = (guint)__builtin_popcountll (sentence->hits.exact);
  score += weights.density * n_hits / MAX (sentence->n_content, 4u);
  if (sentence->kind & LECTERN_SENTENCE_HEADING)
    score -= weights.is_heading;
  if (sentence->kind & (LECTERN_SENTENCE_QUESTION | LECTERN_SENTENCE_RESTATES))
    score -= weights.is_question;
  if (sentence->n_content < SHORT_TERMS && !(sentence->kind & (LECTERN_SENTENCE_TABLE | LECTERN_SENTENCE_OPENS)))
    score -= weights.is_short;
  if (sentence->n_content > LONG_TERMS)
    score -= weights.is_long;
  return score;
}

void lectern_extractive_score (GPtrArray *passages, const LecternQuestion *question)
{
  for (guint p = 0; p < passages->len; p++) {
    const LecternPassage *passage = g_ptr_array_index (passages, p);
    for (guint i = 0; i < passage->sentences->len; i++)
      if (!(sentence_at (passage, i)->kind & LECTERN_SENTENCE_OPENS)
          && restates (passage, sentence_at (passage, i), question))
        sentence_at (passage, i)->kind |= LECTERN_SENTENCE_RESTATES;
    for (guint i = 0; i < passage->sentences->len; i++)
      sentence_at (passage, i)->score = score_sentence (passage, i, question);
  }
}

/* ---- choice ---------------------------------------------------------------------------------------------- */

static gboolean find_best (GPtrArray *passages, guint not_passage, guint *best_passage, guint *best_sentence)
{
  gboolean found = FALSE;
  double best = 0;
  for (guint p = 0; p < passages->len; p++) {
    const LecternPassage *passage = g_ptr_array_index (passages, p);
    for (guint i = 0; p != not_passage && i < passage->sentences->len; i++)
      if (!found || sentence_at (passage, i)->score > best) {
        found = TRUE;
        best = sentence_at (passage, i)->score;
        *best_passage = p;
        *best_sentence = i;
      }
  }
  return found;
}

static gboolean is_item (const LecternPassage *passage, guint i)
{
  return i < passage->sentences->len && (sentence_at (passage, i)->kind & LECTERN_SENTENCE_LIST);
}

/* Sentences of an item behind its first one: the item goes on to the end of its line. */
static gboolean continues_item (const LecternPassage *passage, guint i)
{
  if (i == 0 || i >= passage->sentences->len || is_item (passage, i))
    return FALSE;
  guint32 from = sentence_at (passage, i - 1)->range.end, to = sentence_at (passage, i)->range.start;
  return !memchr (passage->result->text + from, '\n', to - from);
}

/* Grows [first, last] to the whole run of steps around it, with the sentence that opens it. FALSE: there is none. Lines
 * without numbers or bullets (a glossary, a list of changes) are a run only where the section is about the question. */
static gboolean grow_run (const LecternPassage *passage, guint *first, guint *last)
{
  guint from = *first;
  while (from > 0 && continues_item (passage, from))
    from--;
  if (!is_item (passage, from) && !is_item (passage, from + 1))
    return FALSE;
  if (is_item (passage, from)) {
    guint at = from;
    while (at > 0 && (is_item (passage, at - 1) || continues_item (passage, at - 1)))
      if (is_item (passage, --at))
        from = at;
    if (!(sentence_at (passage, from)->kind & LECTERN_SENTENCE_MARKED) && sentence_at (passage, from)->fit < steps_fit)
      return FALSE;
    if (from > 0 && (sentence_at (passage, from - 1)->kind & LECTERN_SENTENCE_OPENS))
      from--;
  }
  guint to = MAX (from, *last);
  const LecternPassageSentence *start = sentence_at (passage, from);
  while (to + 1 < passage->sentences->len && to + 1 - from < MAX_RUN
         && (is_item (passage, to + 1) || continues_item (passage, to + 1))
         && sentence_at (passage, to + 1)->range.end - start->range.start <= MAX_RUN_BYTES)
    to++;
  if (to - from < 1)
    return FALSE;
  /* The best sentence itself must be part of what is quoted. */
  if (*first < from || *last > to)
    return FALSE;
  *first = from;
  *last = to;
  return TRUE;
}

/* Where a section is about the question, its steps answer better than what is said around them: moves to the nearest item
 * that stands under the same title, those that follow first. */
static void find_steps (const LecternPassage *passage, guint *first, guint *last)
{
  const LecternPassageSentence *best = sentence_at (passage, *first);
  guint at = *first, n = passage->sentences->len;
  if (best->fit < steps_fit || (best->kind & LECTERN_SENTENCE_LIST) || continues_item (passage, at))
    return;
  while (at < n && !(is_item (passage, at) && sentence_at (passage, at)->fit >= best->fit))
    at++;
  for (guint i = *first; at == n && i-- > 0;)
    if (is_item (passage, i) && sentence_at (passage, i)->fit >= best->fit)
      at = i;
  if (at < n)
    *first = *last = at;
}

static gboolean may_join (const LecternPassage *passage, guint i, double needed)
{
  const LecternPassageSentence *sentence = sentence_at (passage, i);
  return !(sentence->kind & (LECTERN_SENTENCE_HEADING | LECTERN_SENTENCE_QUESTION | LECTERN_SENTENCE_TABLE))
         && sentence->score >= needed;
}

/* A fact is one sentence, and another one only if it adds something; what is explained or done needs its surroundings. */
static gboolean asks_fact (LecternAsks asks)
{
  return asks == LECTERN_ASKS_PERSON || asks == LECTERN_ASKS_TIME || asks == LECTERN_ASKS_NUMBER
         || asks == LECTERN_ASKS_MEASURE || asks == LECTERN_ASKS_PRICE;
}

/* Whether sentence i brings what the answer so far lacks: a word of the question, or the form that is asked for. */
static gboolean adds (const LecternPassage *passage, guint i, const LecternQuestion *question, LecternHits covered,
                      double form)
{
  const LecternPassageSentence *sentence = sentence_at (passage, i);
  return gain (covered, sentence->hits, question) > 0.01 || lectern_form_fit (passage, sentence, question) > form;
}

/* What follows, for a fact as long as it adds something; then what comes before: all that is close in score, but for a fact
 * or a definition only what the best sentence's first word points back to ("It …"). */
static void grow_sentences (const LecternPassage *passage, const LecternQuestion *question, double needed, guint *first,
                            guint *last)
{
  const LecternPassageSentence *best = sentence_at (passage, *first);
  if (best->kind & LECTERN_SENTENCE_TABLE)
    return;
  gboolean fact = asks_fact (question->asks);
  guint limit = fact ? MAX_FACT_SENTENCES : MAX_SENTENCES;
  LecternHits covered = best->hits;
  double form = lectern_form_fit (passage, best, question);
  while (*last - *first + 1 < limit && *last + 1 < passage->sentences->len && may_join (passage, *last + 1, needed)
         && (!fact || adds (passage, *last + 1, question, covered, form))) {
    ++*last;
    covered = lectern_hits_or (covered, sentence_at (passage, *last)->hits);
    form = MAX (form, lectern_form_fit (passage, sentence_at (passage, *last), question));
  }
  if (fact || question->asks == LECTERN_ASKS_DEFINITION) {
    if (*first > 0 && lectern_form_points_back (passage, best) && may_join (passage, *first - 1, -1))
      --*first;
    return;
  }
  while (*last - *first + 1 < limit && *first > 0 && may_join (passage, *first - 1, needed))
    --*first;
}

/* The first row of the table that sentence i is a row of. */
static guint table_header (const LecternPassage *passage, guint i)
{
  while (i > 0 && (sentence_at (passage, i - 1)->kind & LECTERN_SENTENCE_TABLE))
    i--;
  return i;
}

/* Documents repeat themselves; the answer need not. Case and what is not a letter or digit do not count. */
static gboolean is_quoted (GPtrArray *quotes, const char *text)
{
  for (guint i = 0; i < quotes->len; i++) {
    const char *a = ((LecternQuote *)g_ptr_array_index (quotes, i))->text, *b = text;
    guint same = 0;
    while (*a && *b) {
      while (*a && (guchar)*a < 0x80 && !g_ascii_isalnum (*a))
        a++;
      while (*b && (guchar)*b < 0x80 && !g_ascii_isalnum (*b))
        b++;
      if (g_ascii_tolower (*a) != g_ascii_tolower (*b))
        break;
      if (*a)
        a++, b++, same++;
    }
    if (same && (!*a || !*b))
      return TRUE;
  }
  return FALSE;
}

static void add_quotes (GPtrArray *quotes, const LecternPassage *passage, guint p, guint first, guint last)
{
  for (guint i = first; i <= last; i++) {
    const LecternPassageSentence *sentence = sentence_at (passage, i);
    LecternQuote *quote = g_new0 (LecternQuote, 1);
    quote->passage = p;
    quote->line = (sentence->kind & (LECTERN_SENTENCE_LIST | LECTERN_SENTENCE_TABLE)) != 0;
    quote->text
        = g_strndup (passage->result->text + sentence->range.start, sentence->range.end - sentence->range.start);
    guint header = sentence->kind & LECTERN_SENTENCE_TABLE ? table_header (passage, i) : i;
    if (header != i) {
      const LecternPassageSentence *top = sentence_at (passage, header);
      g_autofree char *row = quote->text;
      g_autofree char *names = g_strndup (passage->result->text + top->range.start, top->range.end - top->range.start);
      quote->text = g_strconcat (names, "\n", row, NULL);
    }
    if (is_quoted (quotes, quote->text))
      lectern_quote_free (quote);
    else
      g_ptr_array_add (quotes, quote);
  }
}

GPtrArray *lectern_extractive_quote (GPtrArray *passages, const LecternQuestion *question)
{
  GPtrArray *quotes = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_quote_free);
  guint p = 0, best = 0;
  if (!find_best (passages, G_MAXUINT, &p, &best))
    return quotes;
  const LecternPassage *passage = g_ptr_array_index (passages, p);
  double score = sentence_at (passage, best)->score;
  guint first = best, last = best;
  if (question->asks == LECTERN_ASKS_STEPS)
    find_steps (passage, &first, &last);
  gboolean wants_run = wants_steps (question) || (sentence_at (passage, best)->kind & LECTERN_SENTENCE_OPENS);
  if (!wants_run || !grow_run (passage, &first, &last))
    grow_sentences (passage, question, score * weights.next, &first, &last);
  add_quotes (quotes, passage, p, first, last);

  guint other = 0, i = 0;
  if (quotes->len < MAX_SENTENCES - 1 && find_best (passages, p, &other, &i)) {
    const LecternPassage *second = g_ptr_array_index (passages, other);
    double form = lectern_form_fit (passage, sentence_at (passage, best), question);
    gboolean single = asks_fact (question->asks) || question->asks == LECTERN_ASKS_DEFINITION;
    if (sentence_at (second, i)->score >= score * weights.again && may_join (second, i, 0)
        && (!single || adds (second, i, question, sentence_at (passage, best)->hits, form))) {
      first = last = i;
      add_quotes (quotes, second, other, first, last);
    }
  }
  return quotes;
}
