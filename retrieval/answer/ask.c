#include "retrieval/answer/ask.h"
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
  LecternAskOptions options;
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

/* The prompt of the best passages, which become the sources. */
static gboolean build_prompt (Ask *ask, LecternGenerator *generator, LecternPrompt *prompt, GError **error)
{
  take_nearest (ask, N_PROMPTED);
  const GArray *previous = lectern_generator_get_previous (generator, ask->options.conversation);
  /* Only what the model sees can be cited. */
  return lectern_prompt_build (generator, ask->question->text, ask->question->language, ask->answer->sources, previous,
                               ask->options.max_tokens, prompt, error);
}

static int compare_ranks (gconstpointer a, gconstpointer b)
{
  const LecternResult *one = *(LecternResult *const *)a, *other = *(LecternResult *const *)b;
  return one->rank < other->rank ? -1 : one->rank > other->rank;
}

static gboolean answer_with_model (Ask *ask, LecternGenerator *generator, GCancellable *cancellable, GError **error)
{
  LecternAnswer *answer = ask->answer;
  LecternPrompt prompt = { 0 };
  if (!build_prompt (ask, generator, &prompt, error))
    return FALSE;
  lectern_generator_set_previous (generator, ask->options.conversation, &prompt);
  LecternGenerateOptions options = {
    .max_tokens = ask->options.max_tokens,
    .seed = ask->options.seed,
    .no_speculation = ask->options.no_speculation,
    .marker = lectern_prompt_no_answer,
    .func = ask->func,
    .user_data = ask->user_data,
  };
  g_autofree char *text = lectern_generate (generator, &prompt, &options, &answer->timings, cancellable, error);
  lectern_prompt_clear (&prompt);
  if (!text)
    return FALSE;
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  answer->generated = TRUE;
  g_ptr_array_unref (answer->sentences);
  answer->sentences = lectern_ground (valid, answer->sources, ask->termer, ask->question->language, &answer->answer);
  answer->answered = TRUE;
  if (says_nothing (answer, valid)) {
    refuse (ask, says_no_answer);
    g_ptr_array_sort (answer->sources, compare_ranks); /* nothing cites them: the nearest first */
  }
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

/* Searches and reads what is found. */
static gboolean read_passages (Ask *ask, LecternLibrary *library, GCancellable *cancellable, GError **error)
{
  LecternAnswer *answer = ask->answer;
  gint64 start = g_get_monotonic_time ();
  LecternSearchOptions options = { LECTERN_SEARCH_HYBRID, N_SEARCHED, ask->options.in_path };
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
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* Whether the passages that were read are likely to hold an answer. */
static gboolean is_answerable (const Ask *ask)
{
  LecternSignals signals;
  lectern_signals_read (ask->passages, ask->question, &signals);
  return lectern_signals_get_answerable (&signals) >= lectern_answerable_threshold;
}

static gboolean run (Ask *ask, LecternLibrary *library, LecternGenerator *generator, GCancellable *cancellable,
                     GError **error)
{
  if (!has_words (ask->answer->question)) {
    refuse (ask, says_no_question);
    return TRUE;
  }
  if (!read_passages (ask, library, cancellable, error))
    return FALSE;
  if (!ask->passages->len) {
    refuse (ask, is_empty (library) ? says_empty_library : says_no_match);
    return TRUE;
  }
  if (!is_answerable (ask)) {
    take_nearest (ask, N_SOURCES);
    refuse (ask, says_no_answer);
    return TRUE;
  }
  if (generator)
    return answer_with_model (ask, generator, cancellable, error);
  answer_with_quotes (ask);
  return TRUE;
}

static void ask_init (Ask *ask, const char *question, const LecternAskOptions *options)
{
  g_autofree char *valid = g_utf8_make_valid (question, -1);
  *ask = (Ask){ .answer = answer_new (valid) };
  if (options)
    ask->options = *options;
  if (!ask->options.max_tokens)
    ask->options.max_tokens = DEFAULT_MAX_TOKENS;
}

/* Leaves the answer. */
static LecternAnswer *ask_finish (Ask *ask)
{
  g_clear_pointer (&ask->passages, g_ptr_array_unref);
  lectern_question_free (ask->question);
  lectern_termer_free (ask->termer);
  return ask->answer;
}

LecternAnswer *lectern_ask (LecternLibrary *library, LecternGenerator *generator, const char *question,
                            const LecternAskOptions *options, LecternAnswerFunc func, gpointer user_data,
                            GCancellable *cancellable, GError **error)
{
  Ask ask;
  ask_init (&ask, question, options);
  ask.func = func;
  ask.user_data = user_data;
  const gboolean ok = run (&ask, library, generator, cancellable, error);
  LecternAnswer *answer = ask_finish (&ask);
  if (ok)
    return answer;
  lectern_answer_free (answer);
  return NULL;
}

/* ---- beforehand ------------------------------------------------------------------------------------------ */

/* Evaluates a prompt's beginning. */
static void evaluate (LecternGenerator *generator, LecternPrompt *prompt, gsize n_tokens, GCancellable *cancellable)
{
  gsize n_cached;
  struct engine_error problem;
  const gulong handler = lectern_generator_connect (generator, cancellable);
  if (!lectern_prefill (generator, prompt, n_tokens, &n_cached, cancellable, &problem))
    g_debug ("not prepared: %s", problem.message);
  lectern_generator_disconnect (generator, cancellable, handler);
}

void lectern_ask_prepare_system (LecternGenerator *generator, GCancellable *cancellable)
{
  LecternPrompt prompt = { 0 };
  if (lectern_prompt_build_system (generator, &prompt, NULL))
    evaluate (generator, &prompt, prompt.n_system, cancellable);
}

void lectern_ask_prepare (LecternLibrary *library, LecternGenerator *generator, const char *text,
                          const LecternAskOptions *options, GCancellable *cancellable)
{
  Ask ask;
  LecternPrompt prompt = { 0 };
  ask_init (&ask, text, options);
  if (has_words (ask.answer->question) && read_passages (&ask, library, cancellable, NULL) && ask.passages->len
      && is_answerable (&ask) && build_prompt (&ask, generator, &prompt, NULL)
      && !g_cancellable_is_cancelled (cancellable))
    evaluate (generator, &prompt, MAX (prompt.n_passages, prompt.n_system), cancellable);
  lectern_prompt_clear (&prompt);
  lectern_answer_free (ask_finish (&ask));
}
