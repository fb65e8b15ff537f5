#include "retrieval/answer/extractive.h"

#include <string.h>

/* Weights of the evidence for a sentence, fitted on the development halves of judged manuals, handbooks and support pages
 * (tests/bench/bench-answers.c). Coverage is a share of the question's weight, so all are on one scale. */
static const struct {
  double before, announced, heading, title, passage; /* coverage that the surroundings add */
  double rank, form, steps, density;                 /* bonuses */
  double is_heading, is_question, is_short, is_long; /* penalties */
  double next, again;                                /* shares of the best score that another sentence needs */
} weights = {
  .before = 0.35,
  .announced = 0.7,
  .heading = 0.6,
  .title = 0.3,
  .passage = 0.15,
  .rank = 0.6,
  .form = 0.1,
  .steps = 0.12,
  .density = 0.1,
  .is_heading = 0.5,
  .is_question = 0.4,
  .is_short = 0.2,
  .is_long = 0.1,
  .next = 0.45,
  .again = 0.9,
};

enum { MAX_SENTENCES = 4, MAX_RUN = 14, MAX_RUN_BYTES = 1600, SHORT_TERMS = 3, LONG_TERMS = 45 };

void lectern_quote_free (LecternQuote *quote)
{
  g_free (quote->text);
  g_free (quote);
}

static LecternPassageSentence *sentence_at (const LecternPassage *passage, guint i)
{
  return &g_array_index (passage->sentences, LecternPassageSentence, i);
}

/* ---- form of the answer ---------------------------------------------------------------------------------- */

/* Lower case, spaces around; one list for all languages, since a cue of one is rare in another. */
static const char reason_cues[]
    = " because | due to | since | so that | in order to | weil | da | damit | denn | car | parce que | afin "
      "| porque | perché | affinché | omdat | zodat | eftersom | потому что | чтобы |因为|为了|ため|から";
static const char definition_cues[]
    = " is a | is an | is the | are the | means | refers to | is called | stands for | ist ein | ist eine | ist der "
      "| ist die | ist das | bedeutet | bezeichnet | heißt | est un | est une | désigne | signifie | es un | es una "
      "| significa | è un | è una | é um | é uma | is een | är en | är ett | это | означает |是|とは|指す";

static gboolean has_cue (const char *text, gsize length, const char *cues)
{
  g_autofree char *lower = g_utf8_strdown (text, (gssize)length);
  g_auto (GStrv) list = g_strsplit (cues, "|", -1);
  for (char **cue = list; *cue; cue++)
    if (strstr (lower, g_strstrip (*cue)))
      return TRUE;
  return FALSE;
}

/* Whether the sentence holds a name or number that the question does not. */
static gboolean has_new (const LecternPassage *passage, const LecternPassageSentence *sentence,
                         const LecternQuestion *question, guint32 flag)
{
  for (guint i = sentence->first_term; i < sentence->first_term + sentence->n_terms; i++) {
    const LecternTerm *term = &g_array_index (passage->terms, LecternTerm, i);
    if (!(term->flags & flag))
      continue;
    gboolean asked = FALSE;
    for (guint k = 0; k < question->terms->len && !asked; k++)
      asked = g_array_index (question->terms, LecternQuestionTerm, k).id == term->id;
    if (!asked)
      return TRUE;
  }
  return FALSE;
}

static double form_bonus (const LecternPassage *passage, const LecternPassageSentence *sentence,
                          const LecternQuestion *question)
{
  const char *text = passage->result->text + sentence->range.start;
  gsize length = sentence->range.end - sentence->range.start;
  gboolean fits = FALSE;
  switch (question->asks) {
  case LECTERN_ASKS_NUMBER:
  case LECTERN_ASKS_TIME: fits = has_new (passage, sentence, question, LECTERN_TERM_NUMBER); break;
  case LECTERN_ASKS_PERSON:
  case LECTERN_ASKS_PLACE: fits = has_new (passage, sentence, question, LECTERN_TERM_NAME); break;
  case LECTERN_ASKS_STEPS:
  case LECTERN_ASKS_LIST: return sentence->kind & (LECTERN_SENTENCE_LIST | LECTERN_SENTENCE_OPENS) ? weights.steps : 0;
  case LECTERN_ASKS_DEFINITION: fits = has_cue (text, length, definition_cues); break;
  case LECTERN_ASKS_REASON: fits = has_cue (text, length, reason_cues); break;
  case LECTERN_ASKS_ANYTHING: break;
  }
  return fits ? weights.form : 0;
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

  score += weights.rank * passage->score + form_bonus (passage, sentence, question);
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

/* Grows [first, last] to the whole run of steps around it, with the sentence that opens it. FALSE: there is none. */
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
      at--;
    if (is_item (passage, at))
      from = at;
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

static gboolean may_join (const LecternPassage *passage, guint i, double needed)
{
  const LecternPassageSentence *sentence = sentence_at (passage, i);
  return !(sentence->kind & (LECTERN_SENTENCE_HEADING | LECTERN_SENTENCE_QUESTION | LECTERN_SENTENCE_TABLE))
         && sentence->score >= needed;
}

static void grow_sentences (const LecternPassage *passage, double needed, guint *first, guint *last)
{
  guint wanted = *first;
  if (sentence_at (passage, wanted)->kind & LECTERN_SENTENCE_TABLE)
    return;
  while (*last - *first + 1 < MAX_SENTENCES && *last + 1 < passage->sentences->len
         && may_join (passage, *last + 1, needed))
    ++*last;
  while (*last - *first + 1 < MAX_SENTENCES && *first > 0 && may_join (passage, *first - 1, needed))
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
  guint p, best;
  if (!find_best (passages, G_MAXUINT, &p, &best))
    return quotes;
  const LecternPassage *passage = g_ptr_array_index (passages, p);
  double score = sentence_at (passage, best)->score;
  guint first = best, last = best;
  gboolean wants_run = question->asks == LECTERN_ASKS_STEPS || question->asks == LECTERN_ASKS_LIST
                       || (sentence_at (passage, best)->kind & LECTERN_SENTENCE_OPENS);
  if (!wants_run || !grow_run (passage, &first, &last))
    grow_sentences (passage, score * weights.next, &first, &last);
  add_quotes (quotes, passage, p, first, last);

  guint other, i;
  if (quotes->len < MAX_SENTENCES - 1 && find_best (passages, p, &other, &i)) {
    const LecternPassage *second = g_ptr_array_index (passages, other);
    if (sentence_at (second, i)->score >= score * weights.again && may_join (second, i, 0)) {
      first = last = i;
      add_quotes (quotes, second, other, first, last);
    }
  }
  return quotes;
}
