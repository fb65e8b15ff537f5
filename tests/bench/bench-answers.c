/* bench-answers: quotes and abstention on a judged collection.
 *
 *   bench-answers FOLDER [--grounding]
 *
 * FOLDER has docs.jsonl {"id","title","text"}, queries.jsonl {"id","text"}, answers.jsonl {"qid","answers","doc"} and maybe
 * unanswerable.jsonl {"id","text"}. One JSON object per question on standard output (id, whether it has an answer, the
 * signals, the quote), the figures on standard error: token F1 of the quotes against the reference answers, AUC of the
 * answerable score, refusals at the threshold. --grounding: how well the grounding score tells reference answers' sentences
 * against their own document from the same sentences against another one. */
#include "ingest/ingest.h"
#include "retrieval/answer/abstain.h"
#include "retrieval/answer/extractive.h"
#include "retrieval/answer/grounding.h"

#include <json-glib/json-glib.h>
#include <string.h>

static GPtrArray *read_lines (const char *folder, const char *name)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify)json_node_unref);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return rows;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++) {
    JsonNode *node = **line ? json_from_string (*line, NULL) : NULL;
    if (node)
      g_ptr_array_add (rows, node);
  }
  return rows;
}

static const char *get_string (JsonNode *node, const char *member)
{
  return json_object_get_string_member_with_default (json_node_get_object (node), member, "");
}

/* Paragraphs: where a line break ends a sentence. */
static void store_document (LecternLibrary *library, JsonNode *row)
{
  const char *text = get_string (row, "text"), *title = get_string (row, "title");
  LecternDraft *draft = lectern_draft_new ();
  draft->path = g_strconcat ("/", get_string (row, "id"), NULL);
  draft->hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, get_string (row, "id"), -1);
  draft->title = g_strdup (title);
  draft->type = g_strdup ("text");
  draft->language = g_strdup (lectern_language_detect (text, -1));
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free);
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  lectern_sentences_split (text, -1, draft->language, ranges);
  LecternBlock *block = NULL;
  for (guint i = 0; i < ranges->len; i++) {
    LecternRange r = g_array_index (ranges, LecternRange, i);
    g_autofree char *sentence = g_strdelimit (g_strndup (text + r.start, r.end - r.start), "\n", ' ');
    guint32 last = i ? g_array_index (ranges, LecternRange, i - 1).end : 0;
    if (!block || memchr (text + last, '\n', r.start - last)) {
      block = g_new0 (LecternBlock, 1);
      block->kind = LECTERN_BLOCK_PARAGRAPH;
      block->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
      block->text = g_steal_pointer (&sentence);
      g_ptr_array_add (blocks, block);
    } else {
      char *joined = g_strconcat (block->text, " ", sentence, NULL);
      g_free (block->text);
      block->text = joined;
    }
  }
  lectern_chunk_blocks (blocks, draft->language, draft);
  g_autoptr (GError) error = NULL;
  if (!lectern_library_store (library, draft, NULL, &error))
    g_printerr ("%s\n", error->message);
  lectern_draft_free (draft);
}

static GPtrArray *words_of (const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *lower = g_utf8_strdown (text, -1);
  for (const char *p = lower, *start = NULL;; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (c && (g_unichar_isalnum (c) || c == '_')) {
      start = start ? start : p;
    } else if (start) {
      char *word = g_strndup (start, (gsize)(p - start));
      if (strcmp (word, "a") && strcmp (word, "an") && strcmp (word, "the"))
        g_ptr_array_add (words, word);
      else
        g_free (word);
      start = NULL;
    }
    if (!c)
      break;
  }
  return words;
}

static double token_f1 (const char *reference, const char *output)
{
  g_autoptr (GPtrArray) a = words_of (reference), b = words_of (output);
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < a->len; i++)
    g_hash_table_insert (counts, a->pdata[i],
                         GINT_TO_POINTER (GPOINTER_TO_INT (g_hash_table_lookup (counts, a->pdata[i])) + 1));
  guint same = 0;
  for (guint i = 0; i < b->len; i++) {
    int left = GPOINTER_TO_INT (g_hash_table_lookup (counts, b->pdata[i]));
    same += left > 0;
    g_hash_table_insert (counts, b->pdata[i], GINT_TO_POINTER (left - (left > 0)));
  }
  return a->len + b->len ? 2.0 * same / (a->len + b->len) : 0;
}

typedef struct {
  double score;
  gboolean positive;
} Judged;

static double area_under_curve (const GArray *judged)
{
  double wins = 0;
  guint n_positive = 0, n_negative = 0;
  for (guint i = 0; i < judged->len; i++) {
    Judged a = g_array_index (judged, Judged, i);
    n_positive += a.positive;
    n_negative += !a.positive;
    for (guint k = 0; a.positive && k < judged->len; k++) {
      Judged b = g_array_index (judged, Judged, k);
      if (!b.positive)
        wins += a.score > b.score ? 1 : a.score == b.score ? 0.5 : 0;
    }
  }
  return n_positive && n_negative ? wins / n_positive / n_negative : 0;
}

static void judge_question (LecternLibrary *library, JsonNode *row, gboolean answerable, JsonNode *answer,
                            GArray *judged, double *f1)
{
  const char *text = get_string (row, "text");
  LecternSearchOptions options = { LECTERN_SEARCH_HYBRID, 30, NULL };
  g_autoptr (GPtrArray) results = lectern_search (library, text, &options, NULL, NULL);
  if (!results)
    return;
  const char *language = lectern_language_detect (text, -1);
  g_autoptr (LecternTermer) termer = lectern_termer_new (language ? language : "en");
  g_autoptr (LecternQuestion) question = lectern_question_new (text, language ? language : "en", termer);
  g_autoptr (GPtrArray) passages = lectern_passages_assemble (results, termer, 24, 600);
  lectern_passages_read (passages, question, termer);
  lectern_extractive_score (passages, question);
  LecternSignals signals;
  lectern_signals_read (passages, question, &signals);
  Judged one = { passages->len ? lectern_signals_get_answerable (&signals) : 0, answerable };
  g_array_append_val (judged, one);
  g_autoptr (GPtrArray) quotes = lectern_extractive_quote (passages, question);
  g_autoptr (GString) output = g_string_new (NULL);
  for (guint i = 0; i < quotes->len; i++)
    g_string_append_printf (output, "%s%s", i ? " " : "", ((LecternQuote *)g_ptr_array_index (quotes, i))->text);
  double best = 0;
  if (answer) {
    JsonArray *references = json_object_get_array_member (json_node_get_object (answer), "answers");
    for (guint i = 0; i < json_array_get_length (references); i++)
      best = MAX (best, token_f1 (json_array_get_string_element (references, i), output->str));
  }
  *f1 += best;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_add_string_value (json_builder_set_member_name (builder, "id"), get_string (row, "id"));
  json_builder_add_string_value (json_builder_set_member_name (builder, "question"), text);
  json_builder_add_boolean_value (json_builder_set_member_name (builder, "answerable"), answerable);
  const double values[] = {
    signals.passage, signals.sentence, signals.missing, signals.absent, (double)question->terms->len, one.score, best
  };
  static const char *const names[] = { "passage", "sentence", "missing", "absent", "terms", "score", "f1" };
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    json_builder_add_double_value (json_builder_set_member_name (builder, names[i]), values[i]);
  json_builder_add_string_value (json_builder_set_member_name (builder, "output"), output->str);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) node = json_builder_get_root (builder);
  g_autofree char *line = json_to_string (node, FALSE);
  g_print ("%s\n", line);
}

static void judge_grounding (GPtrArray *docs, GPtrArray *answers)
{
  g_autoptr (GHashTable) texts = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < docs->len; i++)
    g_hash_table_insert (texts, (gpointer)get_string (docs->pdata[i], "id"),
                         (gpointer)get_string (docs->pdata[i], "text"));
  g_autoptr (GArray) judged = g_array_new (FALSE, FALSE, sizeof (Judged));
  guint kept = 0, passed = 0, n = 0;
  for (guint i = 0; i < answers->len; i++) {
    const char *own = g_hash_table_lookup (texts, get_string (answers->pdata[i], "doc"));
    const char *other = g_hash_table_lookup (texts, get_string (answers->pdata[(i + 7) % answers->len], "doc"));
    const char *text = json_array_get_string_element (
        json_object_get_array_member (json_node_get_object (answers->pdata[i]), "answers"), 0);
    if (!own || !other || own == other)
      continue;
    g_autoptr (LecternTermer) termer = lectern_termer_new ("en");
    g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
    lectern_sentences_split (text, -1, "en", ranges);
    for (guint k = 0; k < ranges->len; k++) {
      LecternRange r = g_array_index (ranges, LecternRange, k);
      g_autofree char *sentence = g_strndup (text + r.start, r.end - r.start);
      Judged mine = { lectern_grounding_score (termer, sentence, own), TRUE };
      Judged theirs = { lectern_grounding_score (termer, sentence, other), FALSE };
      g_array_append_val (judged, mine);
      g_array_append_val (judged, theirs);
      kept += mine.score >= lectern_grounding_threshold;
      passed += theirs.score >= lectern_grounding_threshold;
      n++;
    }
  }
  g_printerr ("grounding: %u sentences, AUC %.3f, supported by their own document %.3f, by another %.3f\n", n,
              area_under_curve (judged), n ? (double)kept / n : 0, n ? (double)passed / n : 0);
}

int main (int argc, char **argv)
{
  if (argc < 2) {
    g_printerr ("usage: bench-answers FOLDER [--grounding]\n");
    return 2;
  }
  g_autoptr (GPtrArray) docs = read_lines (argv[1], "docs.jsonl"), queries = read_lines (argv[1], "queries.jsonl");
  g_autoptr (GPtrArray) answers = read_lines (argv[1], "answers.jsonl"),
                        others = read_lines (argv[1], "unanswerable.jsonl");
  if (argc > 2 && !strcmp (argv[2], "--grounding")) {
    judge_grounding (docs, answers);
    return 0;
  }
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  if (!library) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  for (guint i = 0; i < docs->len; i++)
    store_document (library, docs->pdata[i]);
  g_autoptr (GHashTable) by_id = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < answers->len; i++)
    g_hash_table_insert (by_id, (gpointer)get_string (answers->pdata[i], "qid"), answers->pdata[i]);
  g_autoptr (GArray) judged = g_array_new (FALSE, FALSE, sizeof (Judged));
  double f1 = 0, unused = 0;
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < queries->len; i++)
    judge_question (library, queries->pdata[i], TRUE, g_hash_table_lookup (by_id, get_string (queries->pdata[i], "id")),
                    judged, &f1);
  for (guint i = 0; i < others->len; i++)
    judge_question (library, others->pdata[i], FALSE, NULL, judged, &unused);
  double took_ms = (double)(g_get_monotonic_time () - start) / 1000;
  guint refused = 0, answered = 0;
  for (guint i = 0; i < judged->len; i++) {
    Judged one = g_array_index (judged, Judged, i);
    gboolean says = one.score >= lectern_answerable_threshold;
    refused += one.positive && !says;
    answered += !one.positive && says;
  }
  g_printerr ("%u questions, token F1 %.4f, %.1f ms each; refused %.3f of answerable", queries->len,
              f1 / MAX (answers->len, 1u), took_ms / MAX (judged->len, 1u), (double)refused / MAX (queries->len, 1u));
  if (others->len)
    g_printerr (", answered %.3f of unanswerable, AUC %.3f", (double)answered / others->len, area_under_curve (judged));
  g_printerr ("\n");
  lectern_library_close (library);
  return 0;
}
