/* Speculation: the suffix automaton against a plain search, what is drafted from it, and above all that a text is the same
 * with guesses or without: every token, every logit, what the session holds afterwards.
 *
 *     test-speculation MODEL.gguf…      the first in every format of the KV cache */
#include "engine/model/session_private.h"
#include "engine/speculation/drafter.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 11;

static uint32_t pick (uint32_t n)
{
  const uint32_t picked = (uint32_t)((builder_random (&random_state) + 1) / 2 * (float)n);
  return picked < n ? picked : n - 1;
}

/* ---- the automaton ----------------------------------------------------------------------------------------- */

/* The longest end of ids[n] that also ends earlier, and where it does so first. */
static uint32_t search (const int32_t *ids, uint32_t n, uint32_t *end)
{
  uint32_t best = 0;
  for (uint32_t e = 1; e < n; e++) {
    uint32_t length = 0;
    while (length < e && ids[e - 1 - length] == ids[n - 1 - length])
      length++;
    if (length > best) {
      best = length;
      *end = e;
    }
  }
  return best;
}

static void check_automaton (uint32_t n_kinds, uint32_t n_ids, bool repeats)
{
  struct suffix_automaton automaton;
  assert (suffix_automaton_init (&automaton, n_ids));
  for (uint32_t i = 0; i < n_ids; i++) {
    uint32_t end = 0, expected_end = 0;
    const bool copies = repeats && i > 0 && pick (8) > 0;
    const int32_t id = copies ? automaton.ids[pick (4) == 0 ? i / 2 : i * 2 / 3] : (int32_t)pick (n_kinds) - 3;
    assert (suffix_automaton_append (&automaton, id));
    const uint32_t match = suffix_automaton_match (&automaton, &end);
    assert (match == search (automaton.ids, automaton.n_ids, &expected_end));
    assert (match == 0 || end == expected_end);
  }
  assert (automaton.n_states <= 2 * n_ids + 1 && automaton.n_edges <= 3 * n_ids);
  assert (!suffix_automaton_append (&automaton, 1) && automaton.n_ids == n_ids);
  suffix_automaton_release (&automaton);
}

/* The texts that need the most states (abbb…) and the most edges (abbb…bc). */
static void test_worst_cases (void)
{
  for (uint32_t n = 1; n < 40; n++)
    for (int32_t last = 1; last < 3; last++) {
      struct suffix_automaton automaton;
      assert (suffix_automaton_init (&automaton, n));
      for (uint32_t i = 0; i < n; i++)
        assert (suffix_automaton_append (&automaton, i == 0 ? 0 : i + 1 == n ? last : 1));
      assert (automaton.n_states <= 2 * n + 1 && automaton.n_edges <= 3 * n);
      suffix_automaton_release (&automaton);
    }
}

static void test_automaton (void)
{
  for (uint32_t i = 0; i < 120; i++) {
    check_automaton (1 + pick (i % 2 ? 4 : 60), 1 + pick (300), false);
    check_automaton (1 + pick (200), 1 + pick (300), true);
  }
  test_worst_cases ();
}

/* ---- drafts ------------------------------------------------------------------------------------------------ */

static void append_text (struct drafter *drafter, const char *text)
{
  for (; *text; text++)
    drafter_append (drafter, *text);
}

static void check_draft (const struct drafter *drafter, uint32_t most, const char *expected)
{
  int32_t ids[DRAFT_TOKENS_MAX];
  const uint32_t n = drafter_draft (drafter, ids, most);
  assert (n == strlen (expected));
  for (uint32_t i = 0; i < n; i++)
    assert (ids[i] == expected[i]);
}

static void test_drafts (void)
{
  struct drafter drafter;
  assert (drafter_init (&drafter, 60));
  check_draft (&drafter, 7, "");
  append_text (&drafter, "the quick brown fox jumps. t");
  check_draft (&drafter, 7, "h"); /* " t" was not there before, "t" was */
  append_text (&drafter, "h");
  check_draft (&drafter, 7, "e qu");
  append_text (&drafter, "e quick");
  check_draft (&drafter, 7, " brown ");
  check_draft (&drafter, 3, " br");
  check_draft (&drafter, 0, "");
  for (int i = 0; i < 4; i++)
    drafter_learn (&drafter, 7, 0);
  check_draft (&drafter, 7, " brown "); /* little trust, but a long end */
  append_text (&drafter, "!th");
  check_draft (&drafter, 7, ""); /* a short one */
  append_text (&drafter, "e");
  check_draft (&drafter, 7, " qu");
  for (int i = 0; i < 4; i++)
    drafter_learn (&drafter, 3, 3);
  check_draft (&drafter, 7, " quick");
  drafter_release (&drafter);

  assert (drafter_init (&drafter, 8)); /* what goes round; and a text that grows past its room */
  append_text (&drafter, "abababab");
  check_draft (&drafter, 6, "ababab");
  append_text (&drafter, "ab");
  check_draft (&drafter, 6, "");
  drafter_release (&drafter);
}

/* ---- sessions ---------------------------------------------------------------------------------------------- */

enum { CONTEXT = 120, MAX_PROMPT = 60 };

struct fixture {
  struct engine_model *model;
  struct engine_token_trie *trie;
  struct engine_session_options options;
  uint32_t n_vocab;
  bool recurrent;
  int32_t prompt[MAX_PROMPT];
  size_t n_prompt;
  uint64_t n_drafted, n_accepted;
};

static struct engine_session *session_new (const struct fixture *fixture)
{
  struct engine_session *session = NULL;
  struct engine_error error = { 0 };
  if (engine_session_new (fixture->model, &fixture->options, &session, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  return session;
}

/* Passages that repeat themselves here and there. */
static void make_prompt (struct fixture *fixture)
{
  fixture->n_prompt = 1 + pick (MAX_PROMPT);
  for (size_t i = 0; i < fixture->n_prompt; i++)
    fixture->prompt[i] = i > 12 && pick (6) ? fixture->prompt[i - 11] : (int32_t)pick (fixture->n_vocab);
}

static void check_logits (const struct fixture *fixture, const struct engine_session *session, const int32_t *ids,
                          size_t n, const float *logits)
{
  struct engine_session *fresh = session_new (fixture);
  assert (engine_session_get_n_tokens (session) >= n && logits);
  assert (engine_session_set_tokens (fresh, ids, n, NULL, NULL) == ENGINE_OK);
  assert (memcmp (logits, engine_session_get_logits (fresh), fixture->n_vocab * sizeof *logits) == 0);
  engine_session_free (fresh);
}

/* Several tokens at once, with the logits after each; some dropped again. */
static void test_extend (struct fixture *fixture)
{
  struct engine_session *session = session_new (fixture);
  struct engine_error error;
  int32_t ids[MAX_PROMPT + 3 * ENGINE_VERIFY_TOKENS_MAX];
  size_t n = fixture->n_prompt;
  memcpy (ids, fixture->prompt, n * sizeof *ids);
  assert (engine_session_set_tokens (session, ids, n, NULL, NULL) == ENGINE_OK);
  assert (!engine_session_get_logits_before (session, 1));
  for (int round = 0; round < 2; round++) {
    const uint32_t n_more = 1 + pick (ENGINE_VERIFY_TOKENS_MAX), n_dropped = pick (n_more);
    session->forward.buffers.n_tokens = 1 + pick (12); /* a batch may have to be split */
    for (uint32_t i = 0; i < n_more; i++)
      ids[n + i] = (int32_t)pick (fixture->n_vocab);
    assert (engine_session_extend (session, ids + n, n_more, &error) == ENGINE_OK);
    assert (engine_session_get_n_tokens (session) == n + n_more);
    assert (memcmp (engine_session_get_tokens (session), ids, (n + n_more) * sizeof *ids) == 0);
    for (uint32_t i = 0; i < n_more; i++)
      check_logits (fixture, session, ids, n + n_more - i, engine_session_get_logits_before (session, i));
    assert (!engine_session_get_logits_before (session, n_more));
    n += n_more - n_dropped;
    assert (engine_session_truncate (session, n, &error) == ENGINE_OK);
    const float *logits = engine_session_get_logits_before (session, 0);
    assert (logits || (fixture->recurrent && n_dropped > 0));
    if (logits) {
      check_logits (fixture, session, ids, n, logits);
      assert (logits == engine_session_get_logits (session) && engine_session_match (session, ids, n) == n);
    }
  }
  assert (engine_session_can_drop (session) == !fixture->recurrent);
  assert (engine_session_extend (session, ids, 0, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_extend (session, ids, ENGINE_VERIFY_TOKENS_MAX + 1, &error) == ENGINE_ERROR_RANGE);
  const int32_t wrong[] = { 1, (int32_t)fixture->n_vocab };
  assert (engine_session_extend (session, wrong, 2, &error) == ENGINE_ERROR_RANGE);
  engine_session_cancel (session);
  assert (engine_session_extend (session, ids, 3, &error) == ENGINE_ERROR_CANCELLED);
  assert (engine_session_get_n_tokens (session) == n);
  engine_session_reset_cancel (session);
  assert (engine_session_extend (session, ids, 3, &error) == ENGINE_OK);
  memcpy (ids + n, ids, 3 * sizeof *ids);
  check_logits (fixture, session, ids, n + 3, engine_session_get_logits (session));
  engine_session_free (session);
}

/* ---- generations ------------------------------------------------------------------------------------------- */

struct text {
  int32_t ids[CONTEXT];
  float *logits; /* [CONTEXT][vocab] */
  size_t n;
  int status;
  struct engine_session *session;
};

static void write_text (struct fixture *fixture, const struct engine_sampler_options *sampling, const char *grammar,
                        uint32_t max_tokens, size_t n_wanted, bool speculate, struct text *text)
{
  const struct engine_generation_options options = { .max_tokens = max_tokens, .no_speculation = !speculate };
  struct engine_sampler_options own = *sampling;
  struct engine_sampler *sampler;
  struct engine_generation *generation;
  if (grammar)
    assert (engine_grammar_new (fixture->trie, grammar, strlen (grammar), &own.grammar, NULL) == ENGINE_OK);
  text->session = session_new (fixture);
  text->logits = calloc ((size_t)CONTEXT * fixture->n_vocab, sizeof *text->logits);
  assert (text->logits);
  assert (engine_session_set_tokens (text->session, fixture->prompt, fixture->n_prompt, NULL, NULL) == ENGINE_OK);
  assert (engine_sampler_new (&own, fixture->n_vocab, &sampler, NULL) == ENGINE_OK);
  engine_sampler_restart (sampler, fixture->prompt, fixture->n_prompt);
  assert (engine_generation_new (text->session, sampler, &options, &generation, NULL) == ENGINE_OK);
  text->n = 0;
  text->status = ENGINE_OK;
  while (text->n < n_wanted && text->status == ENGINE_OK) {
    struct engine_error error;
    int32_t id;
    text->status = engine_generation_next (generation, &id, &error);
    if (text->status != ENGINE_OK)
      break;
    memcpy (text->logits + text->n * fixture->n_vocab, engine_generation_get_logits (generation),
            fixture->n_vocab * sizeof *text->logits);
    text->ids[text->n++] = id;
    if (engine_sampler_is_stuck (sampler) || (grammar && engine_token_is_end (fixture->model, id)))
      break;
  }
  assert (engine_generation_finish (generation, NULL) == ENGINE_OK);
  const struct engine_generation_counts counts = engine_generation_get_counts (generation);
  assert (counts.n_accepted <= counts.n_drafted && (speculate || counts.n_drafted == 0));
  assert (!fixture->recurrent || counts.n_drafted == 0);
  fixture->n_drafted += counts.n_drafted;
  fixture->n_accepted += counts.n_accepted;
  engine_generation_free (generation);
  engine_sampler_free (sampler);
  engine_grammar_free (own.grammar);
}

static void text_clear (struct text *text)
{
  engine_session_free (text->session);
  free (text->logits);
}

static void compare (struct fixture *fixture, const struct engine_sampler_options *sampling, const char *grammar,
                     uint32_t max_tokens, size_t n_wanted)
{
  static struct text plain, fast;
  write_text (fixture, sampling, grammar, max_tokens, n_wanted, false, &plain);
  write_text (fixture, sampling, grammar, max_tokens, n_wanted, true, &fast);
  assert (plain.n == fast.n && plain.status == fast.status);
  assert (memcmp (plain.ids, fast.ids, plain.n * sizeof *plain.ids) == 0);
  assert (memcmp (plain.logits, fast.logits, plain.n * fixture->n_vocab * sizeof *plain.logits) == 0);
  const size_t n = engine_session_get_n_tokens (plain.session);
  assert (n == engine_session_get_n_tokens (fast.session));
  assert (
      memcmp (engine_session_get_tokens (plain.session), engine_session_get_tokens (fast.session), n * sizeof (int32_t))
      == 0);
  if (plain.session->has_logits) /* not where a step failed: the context is full */
    assert (memcmp (engine_session_get_logits (plain.session), engine_session_get_logits (fast.session),
                    fixture->n_vocab * sizeof (float))
            == 0);
  text_clear (&plain);
  text_clear (&fast);
}

static void test_texts (struct fixture *fixture)
{
  static const struct engine_sampler_options samplings[] = {
    { 0 },
    { .temperature = 0.2f, .seed = 3 },
    { .temperature = 0.9f, .top_p = 0.9f, .top_k = 40, .min_p = 0.01f, .seed = 4 },
    { .repeat_penalty = 1.1f, .frequency_penalty = 0.1f, .penalty_window = 20 },
    { .temperature = 0.5f, .presence_penalty = 0.3f, .typical_p = 0.9f, .seed = 5 },
  };
  for (size_t i = 0; i < sizeof samplings / sizeof *samplings; i++) {
    make_prompt (fixture);
    compare (fixture, &samplings[i], NULL, 50, 50);
    compare (fixture, &samplings[i], NULL, 1 + pick (30), 1 + pick (40)); /* also past the most tokens */
    compare (fixture, &samplings[i], i % 2 ? "root ::= [a-e ]+ [0-9]" : "root ::= \"ab\" (\"c\" | \"de\" | \"f\"){3,8}",
             40, 40);
  }
  make_prompt (fixture);
  compare (fixture, &samplings[1], NULL, CONTEXT, CONTEXT); /* until the context is full */
}

static void run (const char *path, int kv)
{
  struct fixture *fixture = calloc (1, sizeof *fixture);
  assert (fixture);
  assert (engine_model_open (path, &fixture->model, NULL) == ENGINE_OK);
  assert (engine_token_trie_new (fixture->model, &fixture->trie, NULL) == ENGINE_OK);
  fixture->n_vocab = engine_model_get_info (fixture->model)->n_vocab;
  fixture->recurrent = fixture->model->shape.n_state_all > 0;
  fixture->options = (struct engine_session_options){
    .context_tokens = CONTEXT,
    .n_threads = 1 + (kv == 1), /* what threads do is tested elsewhere */
    .exact = kv == 2,
    .kv = kv == 1 ? ENGINE_KV_Q8_0 : ENGINE_KV_F16,
  };
  make_prompt (fixture);
  test_extend (fixture);
  test_texts (fixture);
  printf ("%s, format %d: %llu drafted, %llu accepted\n", strrchr (path, '/'), kv,
          (unsigned long long)fixture->n_drafted, (unsigned long long)fixture->n_accepted);
  fflush (stdout);
  assert (fixture->recurrent || (fixture->n_accepted > 10 && fixture->n_accepted < fixture->n_drafted));
  engine_token_trie_free (fixture->trie);
  engine_model_close (fixture->model);
  free (fixture);
}

int main (int argc, char **argv)
{
  test_automaton ();
  test_drafts ();
  for (int i = 1; i < argc; i++)
    for (int kv = 0; kv < (i == 1 ? 3 : 1); kv++)
      run (argv[i], kv);
  return 0;
}
