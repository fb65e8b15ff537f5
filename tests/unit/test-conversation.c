/* Conversations: what is prepared while the question is typed is used, cancelled without harm, and never changes what is
 * answered; the order of passages goes on from question to question, and after a restart. */
#include "retrieval/answer/prompt.h"
#include "tiny-generator.h"

#include <glib/gstdio.h>
#include <string.h>

static const char warranty[] = "How long does the warranty of the boiler last?";
static const char partial[] = "How long does the warranty of the boiler";
static const char pressure[] = "What pressure does the pump of the boiler reach?";
static const char water[] = "How much water does the kettle hold?";

typedef struct {
  char *dir, *states, *key;
  LecternCache *cache;
} Place;

static void place_init (Place *place, TinyKind kind)
{
  g_autoptr (GError) error = NULL;
  place->dir = tiny_dir_new ();
  g_free (tiny_generator_save (place->dir, "tiny.gguf", kind, 3));
  place->states = g_build_filename (place->dir, "cache", "sessions", NULL);
  place->key = g_build_filename (place->dir, "state", "session.key", NULL);
  place->cache = lectern_cache_new (place->states, place->key, 0);
  g_autoptr (LecternLibrary) library = lectern_library_open (place->dir, LECTERN_LIBRARY_WRITE, &error);
  g_assert_no_error (error);
  static const char *const documents[][3] = {
    { "/docs/a", "The pump of the boiler reaches a pressure of 15 bar.", NULL },
    { "/docs/b", "The warranty of the boiler lasts 24 months from the date of purchase.", NULL },
    { "/docs/c", "The kettle holds 1.7 litres of water and weighs 900 grams.", NULL },
    { "/docs/d", "Descale the kettle every week with 500 ml of descaler.", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (documents); i++)
    tiny_library_store (library, documents[i][0], "en", documents[i] + 1);
}

static void place_clear (Place *place)
{
  lectern_cache_unref (place->cache);
  g_free (place->states);
  g_free (place->key);
  tiny_dir_remove (place->dir);
}

static LecternConversation *converse (const Place *place, const char *name, gboolean cached, guint pause_ms)
{
  const LecternConversationOptions options
      = { .name = name, .cache = cached ? place->cache : NULL, .pause_ms = pause_ms };
  return lectern_conversation_new (place->dir, &options);
}

static LecternAnswer *ask (LecternConversation *conversation, const char *question)
{
  g_autoptr (GError) error = NULL;
  const LecternAskOptions options = { .max_tokens = 12 };
  LecternAnswer *answer = lectern_conversation_ask (conversation, question, &options, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (answer->generated);
  return answer;
}

/* The answer of a conversation that was told nothing before. */
static LecternAnswer *ask_plainly (const Place *place, const char *question)
{
  g_autoptr (LecternConversation) conversation = converse (place, NULL, FALSE, 0);
  LecternAnswer *answer = ask (conversation, question);
  g_assert_cmpuint (answer->timings.cached_tokens, ==, 0);
  return answer;
}

static void check_same (const LecternAnswer *a, const LecternAnswer *b)
{
  g_assert_cmpstr (a->answer, ==, b->answer);
  g_assert_cmpuint (a->timings.prompt_tokens, ==, b->timings.prompt_tokens);
  g_assert_cmpuint (a->timings.generated_tokens, ==, b->timings.generated_tokens);
  g_assert_cmpuint (a->sources->len, ==, b->sources->len);
  for (guint i = 0; i < a->sources->len; i++) {
    const LecternResult *one = g_ptr_array_index (a->sources, i), *other = g_ptr_array_index (b->sources, i);
    g_assert_cmpstr (one->path, ==, other->path);
    g_assert_cmpuint (one->rank, ==, other->rank);
  }
}

/* ---- ahead of the question ------------------------------------------------------------------------------- */

static void check_prepared (TinyKind kind)
{
  Place place;
  place_init (&place, kind);
  g_autoptr (LecternAnswer) plain = ask_plainly (&place, warranty);
  const guint n_prompt = plain->timings.prompt_tokens;

  LecternConversation *conversation = converse (&place, NULL, FALSE, 0);
  lectern_conversation_prepare (conversation, "");
  lectern_conversation_settle (conversation);
  LecternAnswer *answer = ask (conversation, warranty);
  check_same (answer, plain);
  const guint n_system = answer->timings.cached_tokens;
  g_assert_cmpuint (n_system, >, 400);
  lectern_answer_free (answer);
  lectern_conversation_unref (conversation);

  conversation = converse (&place, NULL, FALSE, 0);
  lectern_conversation_prepare (conversation, partial);
  lectern_conversation_settle (conversation);
  answer = ask (conversation, warranty);
  check_same (answer, plain);
  g_assert_cmpuint (answer->timings.cached_tokens, >, n_prompt - 150);
  /* A prepared beginning does not push out what is there: the answer's passages are still known. */
  lectern_conversation_prepare (conversation, "");
  lectern_conversation_settle (conversation);
  lectern_conversation_prepare (conversation, pressure);
  lectern_conversation_settle (conversation);
  LecternAnswer *again = ask (conversation, warranty);
  check_same (again, plain);
  g_assert_cmpuint (again->timings.cached_tokens, >, n_prompt - 150);
  lectern_answer_free (again);
  lectern_answer_free (answer);
  lectern_conversation_unref (conversation);
  place_clear (&place);
}

static void test_prepared (void)
{
  check_prepared (TINY_LLAMA);
}

static void test_recurrent (void)
{
  check_prepared (TINY_LFM2);
}

/* Nothing is prepared for text that is no question to the generator. */
static void test_nothing_to_prepare (void)
{
  static const char *const texts[] = { "?!", "zzyzx qwrtp", "  ", "\xff\xfe" };
  Place place;
  place_init (&place, TINY_LLAMA);
  g_autoptr (LecternAnswer) plain = ask_plainly (&place, warranty);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (LecternConversation) conversation = converse (&place, NULL, FALSE, 0);
    lectern_conversation_prepare (conversation, texts[i]);
    lectern_conversation_settle (conversation);
    g_autoptr (LecternAnswer) answer = ask (conversation, warranty);
    check_same (answer, plain);
    g_assert_cmpuint (answer->timings.cached_tokens, ==, 0);
  }
  place_clear (&place);
}

/* Questions that come at any moment of the preparing, of their own text and others: the very same answer. */
static void check_cancelled (TinyKind kind)
{
  static const char *const texts[] = { "", partial, warranty, pressure, water };
  static const char *const questions[] = { warranty, water };
  Place place;
  place_init (&place, kind);
  LecternAnswer *plain[G_N_ELEMENTS (questions)];
  for (gsize q = 0; q < G_N_ELEMENTS (questions); q++)
    plain[q] = ask_plainly (&place, questions[q]);
  guint n_between = 0;
  g_autoptr (LecternConversation) conversation = converse (&place, NULL, FALSE, 0);
  for (guint i = 0; i < 60; i++) {
    const LecternAnswer *expected = plain[i % G_N_ELEMENTS (questions)];
    lectern_conversation_prepare (conversation, texts[i % G_N_ELEMENTS (texts)]);
    g_usleep (i * i * 10);
    if (i % 3 == 0)
      lectern_conversation_prepare (conversation, texts[(i + 1) % G_N_ELEMENTS (texts)]);
    g_autoptr (LecternAnswer) answer = ask (conversation, questions[i % G_N_ELEMENTS (questions)]);
    check_same (answer, expected);
    n_between += answer->timings.cached_tokens > 0;
  }
  g_assert_cmpuint (n_between, >, 0);
  for (gsize q = 0; q < G_N_ELEMENTS (questions); q++)
    lectern_answer_free (plain[q]);
  place_clear (&place);
}

static void test_cancelled (void)
{
  check_cancelled (TINY_LLAMA);
}

static void test_cancelled_recurrent (void)
{
  check_cancelled (TINY_LFM2);
}

/* Text that goes on changing is not prepared for, and a question does not wait for the pause to end. */
static void test_pause (void)
{
  Place place;
  place_init (&place, TINY_LLAMA);
  g_autoptr (LecternConversation) conversation = converse (&place, NULL, FALSE, 3600 * 1000);
  lectern_conversation_prepare (conversation, "H");
  lectern_conversation_prepare (conversation, partial);
  g_autoptr (LecternAnswer) answer = ask (conversation, warranty);
  g_assert_cmpuint (answer->timings.cached_tokens, ==, 0);
  lectern_conversation_settle (conversation); /* the text was that of the question */
  place_clear (&place);
}

static gpointer type_on (gpointer conversation)
{
  for (gsize i = 1; i < sizeof warranty; i++) {
    g_autofree char *text = g_strndup (warranty, i);
    lectern_conversation_prepare (conversation, text);
    g_usleep (1500);
  }
  return NULL;
}

static gpointer ask_on (gpointer conversation)
{
  for (int i = 0; i < 6; i++) {
    LecternAnswer *answer = ask (conversation, i % 2 ? water : warranty);
    lectern_answer_free (answer);
  }
  return NULL;
}

/* Typing, asking and saving from several threads; an end in the middle of it. */
static void test_threads (void)
{
  Place place;
  place_init (&place, TINY_LLAMA);
  for (int round = 0; round < 3; round++) {
    LecternConversation *conversation = converse (&place, "c", TRUE, 1);
    GThread *threads[] = { g_thread_new ("type", type_on, conversation), g_thread_new ("ask", ask_on, conversation),
                           g_thread_new ("ask", ask_on, conversation) };
    for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
      g_thread_join (threads[i]);
    if (round == 0)
      lectern_conversation_settle (conversation);
    else
      lectern_conversation_prepare (conversation, pressure);
    lectern_conversation_unref (conversation);
  }
  g_autoptr (GDir) dir = g_dir_open (place.states, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir));)
    g_assert_true (g_str_equal (name, "lock") || g_str_has_suffix (name, ".state"));
  place_clear (&place);
}

/* A question stops while another is answered; without a model or library there are errors and quotes as ever. */
static void test_errors (void)
{
  Place place;
  place_init (&place, TINY_LLAMA);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  LecternConversation *conversation = converse (&place, NULL, TRUE, 0);
  lectern_conversation_prepare (conversation, partial);
  g_assert_null (lectern_conversation_ask (conversation, warranty, NULL, NULL, NULL, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  LecternAnswer *answer = ask (conversation, warranty);
  lectern_answer_free (answer);
  lectern_conversation_unref (conversation);

  const LecternConversationOptions missing = { .model = "/nowhere/at/all.gguf" };
  conversation = lectern_conversation_new (place.dir, &missing);
  lectern_conversation_prepare (conversation, partial);
  lectern_conversation_settle (conversation);
  g_assert_null (lectern_conversation_ask (conversation, warranty, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_MODEL);
  g_clear_error (&error);
  lectern_conversation_unref (conversation);

  const LecternConversationOptions none = { 0 };
  conversation = lectern_conversation_new ("/nowhere/at/all", &none);
  lectern_conversation_prepare (conversation, partial);
  lectern_conversation_settle (conversation);
  g_assert_null (lectern_conversation_ask (conversation, warranty, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND);
  lectern_conversation_unref (conversation);

  g_autofree char *model = g_build_filename (place.dir, "models", "tiny.gguf", NULL);
  g_remove (model);
  conversation = lectern_conversation_new (place.dir, &none);
  lectern_conversation_prepare (conversation, partial);
  answer = lectern_conversation_ask (conversation, warranty, NULL, NULL, NULL, NULL, NULL);
  g_assert_false (answer->generated);
  g_assert_true (answer->answered);
  lectern_answer_free (answer);
  lectern_conversation_unref (conversation);
  place_clear (&place);
}

/* ---- order ----------------------------------------------------------------------------------------------- */

/* Results as search gives them, best first. */
static GPtrArray *make_sources (const char *order)
{
  GPtrArray *sources = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_result_free);
  for (const char *p = order; *p; p++) {
    LecternResult *result = g_new0 (LecternResult, 1);
    result->rank = sources->len + 1;
    result->document = result->chunk = *p;
    result->path = g_strdup_printf ("/%c", *p);
    result->text = g_strnfill (200, *p);
    result->heading = g_new0 (char *, 1);
    g_ptr_array_add (sources, result);
  }
  return sources;
}

/* Builds a prompt of these passages, best first; their order in it. */
static char *build (LecternGenerator *generator, const char *order, const GArray *previous, guint max_tokens,
                    LecternPrompt *prompt)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) sources = make_sources (order);
  g_assert_true (lectern_prompt_build (generator, "What?", "en", sources, previous, max_tokens, prompt, &error));
  g_assert_no_error (error);
  g_autoptr (GString) got = g_string_new (NULL);
  for (guint i = 0; i < sources->len; i++) {
    const LecternResult *source = g_ptr_array_index (sources, i);
    g_string_append_c (got, source->path[1]);
    g_assert_true (order[source->rank - 1] == source->path[1]);
  }
  g_assert_cmpuint (prompt->passages->len, ==, sources->len);
  g_assert_true (prompt->n_system > 0 && prompt->n_system < prompt->tokens.n);
  /* Number n stands before source n. */
  char *text;
  g_assert_cmpint (engine_detokenize (generator->model, prompt->tokens.ids, prompt->tokens.n, true, &text, NULL, NULL),
                   ==, ENGINE_OK);
  for (guint i = 0; i < got->len; i++) {
    g_autofree char *head = g_strdup_printf ("[%u] %c\n%c%c", i + 1, got->str[i], got->str[i], got->str[i]);
    g_assert_nonnull (strstr (text, head));
  }
  free (text);
  return g_strdup (got->str);
}

static gsize count_common (const LecternPrompt *a, const LecternPrompt *b)
{
  gsize n = 0;
  while (n < a->tokens.n && n < b->tokens.n && a->tokens.ids[n] == b->tokens.ids[n])
    n++;
  return n;
}

static void test_order (void)
{
  static const struct {
    const char *before, *ranked, *expected;
  } cases[] = {
    { NULL, "cab", "abc" },  /* that of the library, */
    { "abc", "bca", "abc" }, /* whatever the ranks; */
    { "cb", "abc", "bca" },  /* the previous prompt had b, c: they come first */
    { "abd", "dca", "adc" }, /* what it had that is not chosen is left out */
    { "abc", "xyz", "xyz" },
  };
  Place place;
  place_init (&place, TINY_LLAMA);
  g_autofree char *model = g_build_filename (place.dir, "models", "tiny.gguf", NULL);
  LecternGenerator *generator = lectern_generator_open (model, 1, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    LecternPrompt before = { 0 }, prompt = { 0 };
    g_autofree char *first = cases[i].before ? build (generator, cases[i].before, NULL, 50, &before) : NULL;
    g_autofree char *got = build (generator, cases[i].ranked, before.passages, 50, &prompt);
    g_assert_cmpstr (got, ==, cases[i].expected);
    if (first && g_str_has_prefix (got, first)) /* all of its passages are read already */
      g_assert_cmpuint (count_common (&before, &prompt), >=, before.n_passages);
    lectern_prompt_clear (&before);
    lectern_prompt_clear (&prompt);
  }
  /* The best ones are chosen though others come first in the library, and the one that is cut is the last. */
  LecternPrompt prompt = { 0 };
  g_autofree char *got = build (generator, "zyxwab", NULL, 2600, &prompt);
  g_assert_cmpuint (strlen (got), <, 6);
  g_assert_null (strchr (got, 'b'));
  g_assert_nonnull (strchr (got, 'z'));
  lectern_prompt_clear (&prompt);
  lectern_generator_close (generator);
  place_clear (&place);
}

/* The second question on the same passages costs only itself; after a restart, too. */
static void test_follow_up (void)
{
  Place place;
  place_init (&place, TINY_LLAMA);
  LecternConversation *conversation = converse (&place, "c", TRUE, 0);
  g_autoptr (LecternAnswer) first = ask (conversation, warranty);
  g_autoptr (LecternAnswer) second = ask (conversation, pressure);
  g_assert_cmpuint (second->timings.cached_tokens, >, second->timings.prompt_tokens - 150);
  lectern_conversation_settle (conversation);
  lectern_conversation_unref (conversation);
  conversation = converse (&place, "c", TRUE, 0);
  lectern_conversation_prepare (conversation, partial);
  lectern_conversation_settle (conversation);
  g_autoptr (LecternAnswer) third = ask (conversation, warranty);
  check_same (third, first);
  g_assert_cmpuint (third->timings.cached_tokens, >, third->timings.prompt_tokens - 150);
  lectern_conversation_unref (conversation);
  place_clear (&place);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conversation/prepared", test_prepared);
  g_test_add_func ("/conversation/recurrent", test_recurrent);
  g_test_add_func ("/conversation/nothing-to-prepare", test_nothing_to_prepare);
  g_test_add_func ("/conversation/cancelled", test_cancelled);
  g_test_add_func ("/conversation/cancelled-recurrent", test_cancelled_recurrent);
  g_test_add_func ("/conversation/pause", test_pause);
  g_test_add_func ("/conversation/threads", test_threads);
  g_test_add_func ("/conversation/errors", test_errors);
  g_test_add_func ("/conversation/order", test_order);
  g_test_add_func ("/conversation/follow-up", test_follow_up);
  return g_test_run ();
}
