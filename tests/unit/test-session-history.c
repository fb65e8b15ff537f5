/* What a session computes depends on its tokens alone: any history of prompts, steps, cuts, cancelled work, saving and
 * restoring must leave the logits of a session that has seen nothing but those tokens, to the bit.
 *
 *     test-session-history SEED N_STEPS MODEL.gguf… */
#include "engine/model/session_private.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONTEXT = 160, CHECKED_TOKENS = 150, MOST_BATCH = 24 };

enum format { FORMAT_F16, FORMAT_Q8_0, FORMAT_EXACT, N_FORMATS };

struct history {
  struct engine_model *model;
  struct engine_session *session;
  struct engine_session_options options;
  char path[256]; /* where it is saved */
  uint64_t random;
  uint32_t n_vocab;
  int32_t ids[CONTEXT]; /* what the session ought to hold */
  size_t n;
  size_t n_checked, n_cancelled, n_reused;
};

static uint32_t pick (struct history *history, uint32_t n)
{
  const float x = (builder_random (&history->random) + 1) / 2;
  const uint32_t picked = (uint32_t)(x * (float)n);
  return picked < n ? picked : n - 1;
}

static struct engine_session *session_new (const struct history *history)
{
  struct engine_session *session = NULL;
  struct engine_error error = { 0 };
  if (engine_session_new (history->model, &history->options, &session, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  return session;
}

/* Small batches, so that there are many states to go back to. */
static void choose_batch (struct history *history)
{
  history->session->forward.buffers.n_tokens = 1 + pick (history, MOST_BATCH);
}

static void check_tokens (const struct history *history)
{
  const struct engine_session *session = history->session;
  assert (engine_session_get_n_tokens (session) == history->n);
  assert (memcmp (session->ids, history->ids, history->n * sizeof *history->ids) == 0);
}

static void check_logits (struct history *history)
{
  struct engine_session *fresh = session_new (history);
  const size_t n_bytes = history->n_vocab * sizeof (float);
  check_tokens (history);
  assert (engine_session_set_tokens (fresh, history->ids, history->n, NULL, NULL) == ENGINE_OK);
  if (memcmp (engine_session_get_logits (history->session), engine_session_get_logits (fresh), n_bytes) != 0) {
    fprintf (stderr, "other logits after check %zu: %zu tokens\n", history->n_checked, history->n);
    abort ();
  }
  engine_session_free (fresh);
  history->n_checked++;
}

/* ---- cancelling -------------------------------------------------------------------------------------------- */

struct canceller {
  struct engine_session *session;
  long after_ns;
};

static void *cancel_soon (void *data)
{
  const struct canceller *canceller = data;
  nanosleep (&(struct timespec){ .tv_nsec = canceller->after_ns }, NULL);
  engine_session_cancel (canceller->session);
  return NULL;
}

static void begin_cancelling (struct history *history, struct canceller *canceller, pthread_t *thread)
{
  *canceller = (struct canceller){ history->session, (long)pick (history, 4000000) };
  assert (pthread_create (thread, NULL, cancel_soon, canceller) == 0);
}

static void end_cancelling (struct history *history, pthread_t thread)
{
  assert (pthread_join (thread, NULL) == 0);
  engine_session_reset_cancel (history->session);
}

/* ---- steps ------------------------------------------------------------------------------------------------- */

/* A sequence that begins as the session's and then goes its own way. */
static size_t make_ids (struct history *history, int32_t ids[CONTEXT])
{
  size_t common = pick (history, 3) ? pick (history, (uint32_t)history->n + 1) : history->n, n = common;
  const size_t most = common + pick (history, 60);
  memcpy (ids, history->ids, common * sizeof *ids);
  while (n < 1 || (n < most && n < CHECKED_TOKENS))
    ids[n++] = (int32_t)pick (history, history->n_vocab);
  return n;
}

static void set_tokens (struct history *history, bool cancel)
{
  int32_t ids[CONTEXT];
  struct canceller canceller;
  pthread_t thread;
  struct engine_error error;
  const size_t n = make_ids (history, ids), expected = engine_session_match (history->session, ids, n);
  size_t n_cached = SIZE_MAX;
  if (cancel)
    begin_cancelling (history, &canceller, &thread);
  const int status = engine_session_set_tokens (history->session, ids, n, &n_cached, &error);
  if (cancel)
    end_cancelling (history, thread);
  memcpy (history->ids, ids, n * sizeof *ids);
  if (status == ENGINE_OK) {
    assert (n_cached == expected);
    history->n_reused += n_cached;
    history->n = n;
    check_logits (history);
    return;
  }
  assert (cancel && status == ENGINE_ERROR_CANCELLED && n_cached == SIZE_MAX);
  history->n_cancelled++;
  history->n = engine_session_get_n_tokens (history->session);
  assert (history->n <= n && history->n >= expected);
  check_tokens (history);
}

static void append (struct history *history, bool cancel)
{
  struct canceller canceller;
  pthread_t thread;
  const int32_t id = (int32_t)pick (history, history->n_vocab);
  if (history->n == CHECKED_TOKENS)
    return;
  if (cancel)
    begin_cancelling (history, &canceller, &thread);
  const int status = engine_session_append (history->session, id, NULL);
  if (cancel)
    end_cancelling (history, thread);
  if (status == ENGINE_OK) {
    history->ids[history->n++] = id;
    check_logits (history);
    return;
  }
  assert (cancel && status == ENGINE_ERROR_CANCELLED);
  history->n_cancelled++;
  check_tokens (history);
}

static void append_some (struct history *history)
{
  for (uint32_t left = pick (history, 12); left > 0 && history->n < CHECKED_TOKENS; left--) {
    const int32_t id = (int32_t)pick (history, history->n_vocab);
    assert (engine_session_append (history->session, id, NULL) == ENGINE_OK);
    history->ids[history->n++] = id;
  }
}

/* Several tokens at once, of which some are dropped again, as after guesses. */
static void extend (struct history *history)
{
  const size_t room = CHECKED_TOKENS - history->n,
               most = room < ENGINE_VERIFY_TOKENS_MAX ? room : ENGINE_VERIFY_TOKENS_MAX;
  if (most == 0)
    return;
  const size_t n = 1 + pick (history, (uint32_t)most), n_dropped = pick (history, (uint32_t)n);
  for (size_t i = 0; i < n; i++)
    history->ids[history->n + i] = (int32_t)pick (history, history->n_vocab);
  assert (engine_session_extend (history->session, history->ids + history->n, n, NULL) == ENGINE_OK);
  history->n += n;
  check_logits (history);
  history->n -= n_dropped;
  assert (engine_session_truncate (history->session, history->n, NULL) == ENGINE_OK);
  check_tokens (history);
  if (history->session->has_logits)
    check_logits (history);
}

static void truncate_some (struct history *history)
{
  const size_t n = pick (history, (uint32_t)history->n + 1);
  struct engine_error error = { 0 };
  assert (engine_session_truncate (history->session, history->n + 1, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_truncate (history->session, n, &error) == ENGINE_OK);
  history->n = n;
  check_tokens (history);
  assert (engine_session_match (history->session, history->ids, n) <= n);
}

/* Another session takes over from the file; sometimes from one with work left in it. */
static void save_and_restore (struct history *history)
{
  struct engine_error error = { 0 };
  struct engine_session *other = session_new (history);
  const int32_t before[] = { 1, 2, 3 };
  if (pick (history, 2))
    assert (engine_session_set_tokens (other, before, 3, NULL, NULL) == ENGINE_OK);
  if (engine_session_save (history->session, history->path, &error) != ENGINE_OK
      || engine_session_restore (other, history->path, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  assert (other->n_ready == history->session->n_ready && other->has_logits == history->session->has_logits);
  engine_session_free (history->session);
  history->session = other;
  check_tokens (history);
  if (other->has_logits)
    check_logits (history);
}

static void run_step (struct history *history)
{
  choose_batch (history);
  switch (pick (history, 14)) {
  case 0:
  case 1:
  case 2: set_tokens (history, false); break;
  case 3:
  case 4: set_tokens (history, true); break;
  case 5:
  case 6: append (history, false); break;
  case 7: append (history, true); break;
  case 8:
  case 9: truncate_some (history); break;
  case 10: append_some (history); break;
  case 11:
  case 12: extend (history); break;
  default: save_and_restore (history); break;
  }
}

static void run (const char *path, enum format format, uint64_t seed, int n_steps)
{
  struct history *history = calloc (1, sizeof *history);
  assert (history);
  history->random = seed;
  assert (engine_model_open (path, &history->model, NULL) == ENGINE_OK);
  history->n_vocab = engine_model_get_info (history->model)->n_vocab;
  history->options = (struct engine_session_options){
    .context_tokens = CONTEXT,
    .n_threads = 2,
    .exact = format == FORMAT_EXACT,
    .kv = format == FORMAT_Q8_0 ? ENGINE_KV_Q8_0 : ENGINE_KV_F16,
  };
  const char *folder = getenv ("TMPDIR");
  snprintf (history->path, sizeof history->path, "%s/lectern-history-%ld", folder ? folder : "/tmp", (long)getpid ());
  history->session = session_new (history);
  for (int i = 0; i < n_steps; i++)
    run_step (history);
  printf ("%s, format %d: %zu checks, %zu tokens reused, %zu cancelled\n", strrchr (path, '/'), format,
          history->n_checked, history->n_reused, history->n_cancelled);
  fflush (stdout);
  assert (history->n_checked > 0 && history->n_reused > 0);
  unlink (history->path);
  engine_session_free (history->session);
  engine_model_close (history->model);
  free (history);
}

int main (int argc, char **argv)
{
  assert (argc > 3);
  for (int i = 3; i < argc; i++)
    for (int format = 0; format < N_FORMATS; format++)
      run (argv[i], (enum format)format, strtoull (argv[1], NULL, 10), atoi (argv[2]));
  return 0;
}
