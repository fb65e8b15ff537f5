#include "retrieval/answer/grounding.h"

#include <string.h>

/* Fitted on reference answers against their own and against other pages (tests/bench/bench-answers.c). */
const double lectern_grounding_threshold = 0.6;

enum { MAX_CITATIONS = 8, MAX_MARK_BYTES = 48 };

void lectern_sentence_free (LecternSentence *sentence)
{
  if (!sentence)
    return;
  g_free (sentence->text);
  g_clear_pointer (&sentence->citations, g_array_unref);
  g_free (sentence);
}

char *lectern_source_dup_text (const LecternResult *source)
{
  g_autofree char *heading = g_strjoinv ("\n", source->heading);
  return g_strconcat (source->title ? source->title : "", "\n", heading, "\n", source->text, NULL);
}

double lectern_grounding_score (LecternTermer *termer, const char *sentence, const char *passage)
{
  g_autoptr (GArray) said = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  lectern_termer_add (termer, sentence, -1, said);
  lectern_termer_add (termer, passage, -1, held);
  g_autofree guint8 *has = g_malloc0 (lectern_termer_get_n_terms (termer) + 1);
  g_autofree guint8 *counted = g_malloc0 (lectern_termer_get_n_terms (termer) + 1);
  for (guint i = 0; i < held->len; i++)
    has[g_array_index (held, LecternTerm, i).id] = 1;
  guint total = 0, found = 0;
  for (guint i = 0; i < said->len; i++) {
    const LecternTerm *term = &g_array_index (said, LecternTerm, i);
    if ((term->flags & LECTERN_TERM_STOP) || counted[term->id])
      continue;
    counted[term->id] = 1;
    guint weight = term->flags & (LECTERN_TERM_NUMBER | LECTERN_TERM_NAME) ? 2 : 1;
    total += weight;
    found += has[term->id] ? weight : 0;
    if (!has[term->id] && (term->flags & LECTERN_TERM_NUMBER))
      return 0;
  }
  return total ? (double)found / total : 0;
}

/* ---- marks ----------------------------------------------------------------------------------------------- */

static void add_citation (GArray *citations, guint64 n, guint n_sources)
{
  if (n < 1 || n > n_sources || citations->len >= MAX_CITATIONS)
    return;
  guint number = (guint)n;
  for (guint i = 0; i < citations->len; i++)
    if (g_array_index (citations, guint, i) == number)
      return;
  g_array_append_val (citations, number);
}

/* Reads one mark at `p`. Returns the byte behind it, or NULL if there is none; adds its numbers that point at sources. */
static const char *read_mark (const char *p, const char *end, GArray *citations, guint n_sources)
{
  if (p >= end || *p != '[')
    return NULL;
  const char *start = p++;
  guint64 previous = 0;
  gboolean range = FALSE;
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  while (p < end && p - start < MAX_MARK_BYTES) {
    if (g_ascii_isdigit (*p)) {
      guint64 n = 0;
      for (guint digits = 0; p < end && g_ascii_isdigit (*p); p++, digits++)
        n = digits < 6 ? n * 10 + (guint64)(*p - '0') : G_MAXUINT32;
      if (range)
        for (guint64 k = previous + 1; k < n && k - previous < MAX_CITATIONS; k++)
          g_array_append_val (numbers, k);
      g_array_append_val (numbers, n);
      previous = n;
      range = FALSE;
    } else if (*p == '-' && previous) {
      range = TRUE;
      p++;
    } else if (*p == ',' || *p == ';' || *p == ' ') {
      p++;
    } else {
      break;
    }
  }
  if (!numbers->len || p >= end || *p != ']')
    return NULL;
  for (guint i = 0; i < numbers->len; i++)
    add_citation (citations, g_array_index (numbers, guint64, i), n_sources);
  return p + 1;
}

/* The text without its marks (and without the space before them); their numbers go to `citations`. */
static char *strip_marks (const char *text, gsize length, GArray *citations, guint n_sources)
{
  GString *out = g_string_sized_new (length);
  const char *p = text, *end = text + length;
  while (p < end) {
    const char *behind = read_mark (p, end, citations, n_sources);
    if (!behind) {
      g_string_append_c (out, *p++);
      continue;
    }
    while (out->len && g_ascii_isspace (out->str[out->len - 1]))
      g_string_truncate (out, out->len - 1);
    p = behind;
  }
  return g_string_free (out, FALSE);
}

/* ---- support --------------------------------------------------------------------------------------------- */

static gboolean has_content (LecternTermer *termer, const char *text)
{
  g_autoptr (GArray) terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  lectern_termer_add (termer, text, -1, terms);
  for (guint i = 0; i < terms->len; i++)
    if (!(g_array_index (terms, LecternTerm, i).flags & LECTERN_TERM_STOP))
      return TRUE;
  return FALSE;
}

/* Several sources may hold a sentence together. */
static gboolean is_supported (const LecternSentence *sentence, GPtrArray *texts, LecternTermer *termer)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  for (guint i = 0; i < sentence->citations->len; i++) {
    g_string_append (joined, g_ptr_array_index (texts, g_array_index (sentence->citations, guint, i) - 1));
    g_string_append_c (joined, '\n');
  }
  return sentence->citations->len > 0
         && lectern_grounding_score (termer, sentence->text, joined->str) >= lectern_grounding_threshold;
}

static void attach_best (LecternSentence *sentence, GPtrArray *texts, LecternTermer *termer)
{
  double best = 0;
  guint number = 0;
  for (guint i = 0; i < texts->len; i++) {
    double score = lectern_grounding_score (termer, sentence->text, g_ptr_array_index (texts, i));
    if (score > best) {
      best = score;
      number = i + 1;
    }
  }
  if (best >= lectern_grounding_threshold)
    g_array_append_val (sentence->citations, number);
}

/* The sentences with the marks that were found in or behind them, and where each stands in the generated text. */
static GPtrArray *read_sentences (const char *generated, const char *language, guint n_sources, GArray *places)
{
  GPtrArray *sentences = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_sentence_free);
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  lectern_sentences_split (generated, -1, language, ranges);
  for (guint i = 0; i < ranges->len; i++) {
    LecternRange range = g_array_index (ranges, LecternRange, i);
    LecternSentence *sentence = g_new0 (LecternSentence, 1);
    sentence->citations = g_array_new (FALSE, FALSE, sizeof (guint));
    sentence->text
        = g_strstrip (strip_marks (generated + range.start, range.end - range.start, sentence->citations, n_sources));
    if (*sentence->text) {
      g_ptr_array_add (sentences, sentence);
      g_array_append_val (places, range);
      continue;
    }
    /* Nothing but marks: they belong to the sentence before. */
    LecternSentence *last = sentences->len ? g_ptr_array_index (sentences, sentences->len - 1) : NULL;
    for (guint k = 0; last && k < sentence->citations->len; k++)
      add_citation (last->citations, g_array_index (sentence->citations, guint, k), n_sources);
    if (last)
      g_array_index (places, LecternRange, places->len - 1).end = range.end;
    lectern_sentence_free (sentence);
  }
  return sentences;
}

GPtrArray *lectern_ground (const char *generated, GPtrArray *sources, LecternTermer *termer, const char *language,
                           char **answer)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < sources->len; i++)
    g_ptr_array_add (texts, lectern_source_dup_text (g_ptr_array_index (sources, i)));
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  GPtrArray *sentences = read_sentences (generated, language, sources->len, places);
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < sentences->len; i++) {
    LecternSentence *sentence = g_ptr_array_index (sentences, i);
    gboolean content = has_content (termer, sentence->text);
    if (!sentence->citations->len && content)
      attach_best (sentence, texts, termer);
    /* "Yes." says nothing that could be checked by itself. */
    sentence->supported = content ? is_supported (sentence, texts, termer) : sentence->citations->len > 0;
    if (i > 0) {
      guint32 from = g_array_index (places, LecternRange, i - 1).end;
      g_string_append_len (out, generated + from, g_array_index (places, LecternRange, i).start - from);
    }
    g_string_append (out, sentence->text);
    for (guint c = 0; c < sentence->citations->len; c++)
      g_string_append_printf (out, "%s[%u]", c ? "" : " ", g_array_index (sentence->citations, guint, c));
  }
  *answer = g_string_free (out, FALSE);
  return sentences;
}

/* ---- refusals -------------------------------------------------------------------------------------------- */

/* Lower case. What small models say instead of the agreed words. */
static const char *const refusals[] = {
  "not in the documents",
  "not in the passages",
  "not in the provided",
  "do not contain",
  "does not contain",
  "don't contain",
  "do not mention",
  "does not mention",
  "is not mentioned",
  "are not mentioned",
  "not specified in",
  "do not specify",
  "do not provide",
  "does not provide",
  "no information",
  "cannot be answered",
  "can't be answered",
  "unable to answer",
  "cannot find",
  "could not find",
  "do not answer",
  "does not answer",
  "nicht in den dokumenten",
  "nicht in den passagen",
  "keine information",
  "enthalten keine",
  "enthält keine",
  "nicht erwähnt",
  "ne contiennent pas",
  "ne contient pas",
  "pas mentionné",
  "aucune information",
  "no se menciona",
  "no contienen",
  "no hay información",
  "non contengono",
  "non è menzionato",
  "nessuna informazione",
  "não contêm",
  "não é mencionado",
  "niet in de documenten",
  "geen informatie",
  "inte i dokumenten",
  "ingen information",
  "не содержит",
  "нет информации",
  "не упоминается",
  "文档中没有",
  "没有提到",
  "記載されていません",
};

gboolean lectern_is_refusal (const char *answer)
{
  g_autofree char *lower = g_utf8_strdown (answer, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    if (strstr (lower, refusals[i]))
      return TRUE;
  return FALSE;
}
