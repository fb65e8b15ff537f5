/* generation.c: a text token by token, several evaluated at once where they can be guessed (speculative decoding, arXiv
 * 2211.17192, with drafts from the text itself).
 *
 * Each token is picked by the sampler from the logits after the tokens before it, in order, whether they were guessed or
 * not: so the text, and what the sampler draws, is the same as without guesses. A guess is right if it is what was picked;
 * then its logits, which came from the same batch, serve for the next pick. At the first that is wrong the others are
 * dropped. */
#include "engine/error.h"
#include "engine/speculation/drafter.h"
#include <stdlib.h>

_Static_assert(DRAFT_TOKENS_MAX + 1 == ENGINE_VERIFY_TOKENS_MAX, "a token and its draft are one batch");

struct engine_generation {
  struct engine_session *session;
  struct engine_sampler *sampler;
  struct drafter drafter;
  bool drafts;
  uint32_t left;  /* tokens that may still be picked */
  bool is_picked; /* `picked` is not yet among the tokens of the session, unless as a guess */
  int32_t picked;
  int32_t guesses[DRAFT_TOKENS_MAX];
  uint32_t n_guesses, n_right; /* that the session holds; the first n_right were picked too */
  const float *logits;         /* of the last pick */
  struct engine_generation_counts counts;
};

int engine_generation_new (struct engine_session *session, struct engine_sampler *sampler,
                           const struct engine_generation_options *options, struct engine_generation **generation,
                           struct engine_error *error)
{
  const size_t n_held = engine_session_get_n_tokens (session);
  const size_t room = engine_session_get_context_tokens (session) - n_held;
  const int32_t *ids = engine_session_get_tokens (session);
  struct engine_generation *made = calloc (1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to generate.");
  made->session = session;
  made->sampler = sampler;
  made->left = options->max_tokens;
  made->drafts = !options->no_speculation && options->max_tokens > 1 && engine_session_can_drop (session);
  if (made->drafts) {
    const size_t grows = options->max_tokens < room ? options->max_tokens : room;
    if (!drafter_init (&made->drafter, (uint32_t)(n_held + grows + 1))) {
      free (made);
      return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to generate.");
    }
    for (size_t i = 0; i < n_held; i++)
      drafter_append (&made->drafter, ids[i]);
  }
  *generation = made;
  return ENGINE_OK;
}

void engine_generation_free (struct engine_generation *generation)
{
  if (!generation)
    return;
  if (generation->drafts)
    drafter_release (&generation->drafter);
  free (generation);
}

/* Takes the guesses that were not picked out of the session. */
static int drop_guesses (struct engine_generation *generation, struct engine_error *error)
{
  const uint32_t n_wrong = generation->n_guesses - generation->n_right;
  int status = ENGINE_OK;
  if (n_wrong > 0)
    status = engine_session_truncate (generation->session, engine_session_get_n_tokens (generation->session) - n_wrong,
                                      error);
  generation->n_guesses = generation->n_right;
  return status;
}

/* How many guesses there is room for after the picked token: in the context, and of what may still be picked. */
static uint32_t count_room (const struct engine_generation *generation)
{
  const struct engine_session *session = generation->session;
  const size_t room = engine_session_get_context_tokens (session) - engine_session_get_n_tokens (session);
  uint32_t most = DRAFT_TOKENS_MAX;
  if (room <= most)
    most = room > 0 ? (uint32_t)room - 1 : 0;
  return generation->left - 1 < most ? generation->left - 1 : most; /* the last pick needs no token after it */
}

/* Appends the picked token and a draft of those after it. */
static int extend (struct engine_generation *generation, struct engine_error *error)
{
  int32_t batch[ENGINE_VERIFY_TOKENS_MAX] = { generation->picked };
  if (generation->n_guesses > 0)
    drafter_learn (&generation->drafter, generation->n_guesses, generation->n_right);
  int status = drop_guesses (generation, error);
  if (status != ENGINE_OK)
    return status;
  const uint32_t n
      = generation->drafts ? drafter_draft (&generation->drafter, generation->guesses, count_room (generation)) : 0;
  for (uint32_t i = 0; i < n; i++)
    batch[1 + i] = generation->guesses[i];
  status = engine_session_extend (generation->session, batch, n + 1, error);
  if (status != ENGINE_OK) {
    generation->n_guesses = generation->n_right = 0;
    return status;
  }
  generation->n_guesses = n;
  generation->n_right = 0;
  generation->counts.n_drafted += n;
  generation->counts.n_batches++;
  return ENGINE_OK;
}

/* Whether the picked token is the next guess, so that there are logits after it already. */
static bool take_guess (struct engine_generation *generation)
{
  if (generation->n_right == generation->n_guesses || generation->guesses[generation->n_right] != generation->picked)
    return false;
  generation->n_right++;
  generation->counts.n_accepted++;
  return true;
}

int engine_generation_next (struct engine_generation *generation, int32_t *id, struct engine_error *error)
{
  if (generation->left == 0)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "All the tokens that were asked for have been generated.");
  if (generation->is_picked && !take_guess (generation)) {
    int status = extend (generation, error);
    if (status != ENGINE_OK)
      return status;
  }
  const uint32_t n_ahead = generation->n_guesses - generation->n_right;
  generation->logits = engine_session_get_logits_before (generation->session, n_ahead);
  generation->picked = engine_sampler_pick (generation->sampler, generation->logits);
  generation->is_picked = true;
  generation->left--;
  if (!engine_sampler_is_stuck (generation->sampler))
    engine_sampler_accept (generation->sampler, generation->picked);
  if (generation->drafts)
    drafter_append (&generation->drafter, generation->picked);
  *id = generation->picked;
  return ENGINE_OK;
}

int engine_generation_finish (struct engine_generation *generation, struct engine_error *error)
{
  return drop_guesses (generation, error);
}

const float *engine_generation_get_logits (const struct engine_generation *generation)
{
  return generation->logits;
}

struct engine_generation_counts engine_generation_get_counts (const struct engine_generation *generation)
{
  return generation->counts;
}
