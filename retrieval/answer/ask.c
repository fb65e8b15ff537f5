#include "retrieval/answer/abstain.h"
#include "retrieval/answer/extractive.h"
#include "retrieval/answer/grounding.h"
#include "retrieval/answer/prompt.h"

#include <string.h>

/* Passages: searched for, read closely, listed as sources; and how much of a document neighbours are joined to. */
enum { N_SEARCHED = 30, N_READ = 24, N_SOURCES = 5, N_PROMPTED = 8, JOINED_TOKENS = 600, DEFAULT_MAX_TOKENS = 400 };

static const char says_no_question[] = "There is no question to answer; type one.";
static const char says_empty_library[] = "The library is empty; add documents before you ask.";
static const char says_no_match[] = "Nothing in your documents matches this question.";
static const char says_no_answer[]
    = "Your documents do not seem to answer this question; the nearest passages are listed as sources.";

void lectern_answer_free (LecternAnswer *answer)
{
  if (!answer)
    return;
  g_free (answer->question);
  g_free (answer->answer);
  g_clear_pointer (&answer->sentences, g_ptr_array_unref);
  g_clear_pointer (&answer->sources, g_ptr_array_unref);
  g_free (answer);
}

static LecternAnswer *answer_new (const char *question)
{
  LecternAnswer *answer = g_new0 (LecternAnswer, 1);
  answer->question = g_strdup (question);
  answer->sentences = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_sentence_free);
  answer->sources = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_result_free);
  return answer;
}

/* What a call of lectern_ask() works with. */
typedef struct {
  LecternAnswer *answer;
  LecternQuestion *question;
  LecternTermer *termer;
  GPtrArray *passages;
  guint max_tokens;
  guint64 seed;
  gboolean no_speculation;
  LecternAnswerFunc func;
  gpointer user_data;
} Ask;

static void refuse (Ask *ask, const char *says)
{
  g_ptr_array_set_size (ask->answer->sentences, 0);
  g_free (ask->answer->answer);
  ask->answer->answer = g_strdup (says);
  ask->answer->answered = FALSE;
  if (ask->func)
    ask->func (says, ask->user_data);
}

/* Moves a passage's result to the sources. Returns its number. */
static guint take_source (Ask *ask, LecternPassage *passage)
{
  LecternResult *result = g_steal_pointer (&passage->result);
  g_ptr_array_add (ask->answer->sources, result);
  result->rank = ask->answer->sources->len;
  return result->rank;
}

static void take_nearest (Ask *ask, guint limit)
{
  for (guint i = 0; i < ask->passages->len && ask->answer->sources->len < limit; i++) {
    LecternPassage *passage = g_ptr_array_index (ask->passages, i);
    if (passage->result)
      take_source (ask, passage);
  }
}

/* ---- extractive ------------------------------------------------------------------------------------------ */

static void answer_with_quotes (Ask *ask)
{
  g_autoptr (GPtrArray) quotes = lectern_extractive_quote (ask->passages, ask->question);
  g_autofree guint *numbers = g_new0 (guint, ask->passages->len + 1);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < quotes->len; i++) {
    LecternQuote *quote = g_ptr_array_index (quotes, i);
    if (!numbers[quote->passage])
      numbers[quote->passage] = take_source (ask, g_ptr_array_index (ask->passages, quote->passage));
    LecternSentence *sentence = g_new0 (LecternSentence, 1);
    sentence->text = g_steal_pointer (&quote->text);
    sentence->citations = g_array_new (FALSE, FALSE, sizeof (guint));
    sentence->supported = TRUE; /* it is the passage's own text */
    g_array_append_val (sentence->citations, numbers[quote->passage]);
    if (i > 0)
      g_string_append_c (text, quote->line ? '\n' : ' ');
    g_string_append_printf (text, "%s [%u]", sentence->text, numbers[quote->passage]);
    g_ptr_array_add (ask->answer->sentences, sentence);
  }
  take_nearest (ask, N_SOURCES);
  if (!quotes->len) {
    g_string_free (text, TRUE);
    refuse (ask, says_no_answer);
    return;
  }
  ask->answer->answer = g_string_free (text, FALSE);
  ask->answer->answered = TRUE;
  if (ask->func)
    ask->func (ask->answer->answer, ask->user_data);
}

/* ---- generated ------------------------------------------------------------------------------------------- */

/* Refusing words decide only where nothing that was said stands in the sources. */
static gboolean says_nothing (const LecternAnswer *answer, const char *text)
{
  while (*text == ' ' || *text == '\n' || *text == '"')
    text++;
  if (!*text || !g_ascii_strncasecmp (text, lectern_prompt_no_answer, strlen (lectern_prompt_no_answer)))
    return TRUE;
  if (!lectern_is_refusal (text))
    return FALSE;
  for (guint i = 0; i < answer->sentences->len; i++)
    if (((LecternSentence *)g_ptr_array_index (answer->sentences, i))->supported)
      return FALSE;
  return TRUE;
}

static gboolean answer_with_model (Ask *ask, LecternGenerator *generator, GCancellable *cancellable, GError **error)
{
  LecternAnswer *answer = ask->answer;
  take_nearest (ask, N_PROMPTED);
  struct engine_tokens prompt = { 0 };
  guint n_used = 0;
  if (!lectern_prompt_build (generator, ask->question->text, ask->question->language, answer->sources, ask->max_tokens,
                             &prompt, &n_used, error))
    return FALSE;
  /* Only what the model saw can be cited. */
  g_ptr_array_set_size (answer->sources, (int)n_used);
  LecternGenerateOptions options = {
    .max_tokens = ask->max_tokens,
    .seed = ask->seed,
    .no_speculation = ask->no_speculation,
    .marker = lectern_prompt_no_answer,
    .func = ask->func,
    .user_data = ask->user_data,
  };
  g_autofree char *text = lectern_generate (generator, &prompt, &options, &answer->timings, cancellable, error);
  engine_tokens_clear (&prompt);
  if (!text)
    return FALSE;
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  answer->generated = TRUE;
  g_ptr_array_unref (answer->sentences);
  answer->sentences = lectern_ground (valid, answer->sources, ask->termer, ask->question->language, &answer->answer);
  answer->answered = TRUE;
  if (says_nothing (answer, valid))
    refuse (ask, says_no_answer);
  return TRUE;
}

/* ---- the whole way --------------------------------------------------------------------------------------- */

/* The question's own language, or (a few words often do not tell) that of the best passages. */
static const char *find_language (const char *question, GPtrArray *results)
{
  const char *language = lectern_language_detect (question, -1);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; !language && i < results->len && i < 3; i++)
    g_string_append_printf (text, "%s\n", ((LecternResult *)g_ptr_array_index (results, i))->text);
  return language ? language : lectern_language_detect (text->str, (gssize)text->len);
}

static gboolean is_empty (LecternLibrary *library)
{
  LecternLibraryStatus *status = lectern_library_get_status (library, FALSE, NULL);
  gboolean empty = status && status->n_chunks == 0;
  if (status)
    lectern_library_status_free (status);
  return empty;
}

static gboolean has_words (const char *question)
{
  for (const char *p = question; *p; p = g_utf8_next_char (p))
    if (g_unichar_isalnum (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

static gboolean run (Ask *ask, LecternLibrary *library, LecternGenerator *generator, const char *in_path,
                     GCancellable *cancellable, GError **error)
{
  LecternAnswer *answer = ask->answer;
  if (!has_words (answer->question)) {
    refuse (ask, says_no_question);
    return TRUE;
  }
  gint64 start = g_get_monotonic_time ();
  LecternSearchOptions options = { LECTERN_SEARCH_HYBRID, N_SEARCHED, in_path };
  g_autoptr (GPtrArray) results = lectern_search (library, answer->question, &options, cancellable, error);
  if (!results)
    return FALSE;
  const char *language = find_language (answer->question, results);
  ask->termer = lectern_termer_new (language);
  ask->question = lectern_question_new (answer->question, language, ask->termer);
  ask->passages = lectern_passages_assemble (results, ask->termer, N_READ, JOINED_TOKENS);
  lectern_passages_read (ask->passages, ask->question, ask->termer);
  lectern_extractive_score (ask->passages, ask->question);
  answer->timings.search_ms = (double)(g_get_monotonic_time () - start) / 1000;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (!ask->passages->len) {
    refuse (ask, is_empty (library) ? says_empty_library : says_no_match);
    return TRUE;
  }
  LecternSignals signals;
  lectern_signals_read (ask->passages, ask->question, &signals);
  if (lectern_signals_get_answerable (&signals) < lectern_answerable_threshold) {
    take_nearest (ask, N_SOURCES);
    refuse (ask, says_no_answer);
    return TRUE;
  }
  if (generator)
    return answer_with_model (ask, generator, cancellable, error);
  answer_with_quotes (ask);
  return TRUE;
}

LecternAnswer *lectern_ask (LecternLibrary *library, LecternGenerator *generator, const char *question,
                            const LecternAskOptions *options, LecternAnswerFunc func, gpointer user_data,
                            GCancellable *cancellable, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (question, -1);
  Ask ask = { .answer = answer_new (valid), .func = func, .user_data = user_data };
  ask.max_tokens = options && options->max_tokens ? options->max_tokens : DEFAULT_MAX_TOKENS;
  ask.seed = options ? options->seed : 0;
  ask.no_speculation = options && options->no_speculation;
  gboolean ok = run (&ask, library, generator, options ? options->in_path : NULL, cancellable, error);
  g_clear_pointer (&ask.passages, g_ptr_array_unref);
  lectern_question_free (ask.question);
  lectern_termer_free (ask.termer);
  if (ok)
    return ask.answer;
  lectern_answer_free (ask.answer);
  return NULL;
}
