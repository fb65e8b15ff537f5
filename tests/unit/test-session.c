/* Sessions: what may differ (cache, batches, threads, history) must not change what comes out; the token loop
 * allocates nothing; cancelling is quick and leaves a usable session. */
#include "engine/engine.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_VOCAB 90
#define N_TOKENS 600 /* more than two prefill batches */

/* ---- allocation counting: the linker sends the engine's calls here ----------------------------------------- */

static atomic_size_t n_allocations;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__real_realloc (void *old, size_t size);
void *__real_aligned_alloc (size_t alignment, size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);
void *__wrap_realloc (void *old, size_t size);
void *__wrap_aligned_alloc (size_t alignment, size_t size);

void *__wrap_malloc (size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_malloc (size);
}

void *__wrap_calloc (size_t n, size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_calloc (n, size);
}

void *__wrap_realloc (void *old, size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_realloc (old, size);
}

void *__wrap_aligned_alloc (size_t alignment, size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_aligned_alloc (alignment, size);
}

/* ---- helpers ----------------------------------------------------------------------------------------------- */

struct fixture {
  struct builder_model *built;
  struct engine_model *model;
  int32_t ids[N_TOKENS];
};

static const struct builder_options base = {
  .arch = "qwen2",
  .n_layers = 2,
  .n_embd = 32,
  .n_heads = 4,
  .n_kv_heads = 2,
  .head_dim = 8,
  .n_ff = 64,
  .n_vocab = N_VOCAB,
  .context_tokens = 1024,
  .rope_base = 10000,
  .seed = 5,
};

static struct fixture *fixture_new (const struct builder_options *options)
{
  struct fixture *fixture = calloc (1, sizeof *fixture);
  assert (fixture);
  fixture->built = builder_model_new (options);
  assert (engine_model_open (fixture->built->path, &fixture->model, NULL) == ENGINE_OK);
  assert (engine_model_get_info (fixture->model)->runs);
  uint64_t state = 77;
  for (size_t i = 0; i < N_TOKENS; i++)
    fixture->ids[i] = (int32_t)((builder_random (&state) + 1) / 2 * (float)options->n_vocab);
  return fixture;
}

static void fixture_free (struct fixture *fixture)
{
  engine_model_close (fixture->model);
  builder_model_free (fixture->built);
  free (fixture);
}

static struct engine_session *session_new (const struct fixture *fixture, uint32_t context_tokens, int n_threads)
{
  struct engine_session *session = NULL;
  struct engine_session_options options = { .context_tokens = context_tokens, .n_threads = n_threads };
  struct engine_error error = { 0 };
  if (engine_session_new (fixture->model, &options, &session, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  return session;
}

static void copy_logits (const struct engine_session *session, float *logits)
{
  memcpy (logits, engine_session_get_logits (session), N_VOCAB * sizeof *logits);
}

/* Logits after ids[0, n) of a session that has seen nothing else. */
static void fresh_logits (const struct fixture *fixture, size_t n, int n_threads, float *logits)
{
  struct engine_session *session = session_new (fixture, 0, n_threads);
  assert (engine_session_set_tokens (session, fixture->ids, n, NULL, NULL) == ENGINE_OK);
  assert (engine_session_get_n_tokens (session) == n);
  copy_logits (session, logits);
  engine_session_free (session);
}

/* ---- equivalences ------------------------------------------------------------------------------------------ */

static void test_batches_and_steps (const struct fixture *fixture)
{
  static const size_t lengths[] = { 1, 2, 17, 255, 256, 257, 300 };
  struct engine_session *session = session_new (fixture, 0, 1);
  size_t n = 0;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    float at_once[N_VOCAB], stepped[N_VOCAB];
    fresh_logits (fixture, lengths[i], 1, at_once);
    for (; n < lengths[i]; n++)
      assert (engine_session_append (session, fixture->ids[n], NULL) == ENGINE_OK);
    copy_logits (session, stepped);
    assert (memcmp (at_once, stepped, sizeof stepped) == 0);
  }
  engine_session_free (session);
}

static void test_threads (const struct fixture *fixture)
{
  static const size_t lengths[] = { 1, 40, 300 };
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    float one[N_VOCAB], two[N_VOCAB], five[N_VOCAB];
    fresh_logits (fixture, lengths[i], 1, one);
    fresh_logits (fixture, lengths[i], 2, two);
    fresh_logits (fixture, lengths[i], 5, five);
    assert (memcmp (one, two, sizeof one) == 0);
    assert (memcmp (one, five, sizeof one) == 0);
  }
}

static void test_prefix_reuse (const struct fixture *fixture)
{
  float expected[N_VOCAB], reused[N_VOCAB];
  int32_t other[N_TOKENS];
  size_t n_cached;
  struct engine_session *session = session_new (fixture, 0, 2);
  memcpy (other, fixture->ids, sizeof other);
  for (size_t i = 300; i < 500; i++)
    other[i] = (other[i] + 1) % N_VOCAB;
  assert (engine_session_set_tokens (session, other, 500, &n_cached, NULL) == ENGINE_OK && n_cached == 0);

  assert (engine_session_set_tokens (session, fixture->ids, 400, &n_cached, NULL) == ENGINE_OK && n_cached == 300);
  assert (engine_session_get_n_tokens (session) == 400);
  copy_logits (session, reused);
  fresh_logits (fixture, 400, 2, expected);
  assert (memcmp (reused, expected, sizeof reused) == 0);

  /* the same again: nothing to do, the same logits */
  assert (engine_session_set_tokens (session, fixture->ids, 400, &n_cached, NULL) == ENGINE_OK && n_cached == 400);
  assert (memcmp (reused, engine_session_get_logits (session), sizeof reused) == 0);

  /* a prefix: the last token is evaluated again */
  assert (engine_session_set_tokens (session, fixture->ids, 20, &n_cached, NULL) == ENGINE_OK && n_cached == 19);
  assert (engine_session_get_n_tokens (session) == 20);
  copy_logits (session, reused);
  fresh_logits (fixture, 20, 2, expected);
  assert (memcmp (reused, expected, sizeof reused) == 0);

  assert (engine_session_append (session, fixture->ids[20], NULL) == ENGINE_OK);
  assert (engine_session_set_tokens (session, fixture->ids, 22, &n_cached, NULL) == ENGINE_OK && n_cached == 21);
  copy_logits (session, reused);
  fresh_logits (fixture, 22, 2, expected);
  assert (memcmp (reused, expected, sizeof reused) == 0);
  engine_session_free (session);
}

/* ---- limits ------------------------------------------------------------------------------------------------ */

static void test_limits (const struct fixture *fixture)
{
  struct engine_error error;
  struct engine_session *session = session_new (fixture, 10, 1), *none = NULL;
  float before[N_VOCAB];
  assert (engine_session_get_context_tokens (session) == 10);
  assert (engine_session_set_tokens (session, fixture->ids, 11, NULL, &error) == ENGINE_ERROR_RANGE);
  assert (strstr (error.message, "11") && strstr (error.message, "10"));
  assert (engine_session_set_tokens (session, fixture->ids, 0, NULL, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_set_tokens (session, fixture->ids, 10, NULL, &error) == ENGINE_OK);
  copy_logits (session, before);
  assert (engine_session_append (session, 1, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_get_n_tokens (session) == 10);
  assert (engine_session_set_tokens (session, (int32_t[]){ 1, N_VOCAB }, 2, NULL, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_set_tokens (session, (int32_t[]){ 1, -1 }, 2, NULL, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_get_n_tokens (session) == 10);
  assert (memcmp (before, engine_session_get_logits (session), sizeof before) == 0);
  engine_session_free (session);

  struct engine_session_options options = { .context_tokens = 1025 };
  assert (engine_session_new (fixture->model, &options, &none, &error) == ENGINE_ERROR_RANGE && !none);
  assert (strstr (error.message, "1025") && strstr (error.message, "1024"));
  options = (struct engine_session_options){ .n_threads = -1 };
  assert (engine_session_new (fixture->model, &options, &none, &error) == ENGINE_ERROR_RANGE && !none);
  struct engine_encoder *encoder = NULL;
  assert (engine_encoder_new (fixture->model, NULL, &encoder, &error) == ENGINE_ERROR_UNSUPPORTED && !encoder);
}

static void test_memory_refusal (void)
{
  struct builder_options options = base;
  options.context_tokens = 1u << 28;
  options.n_layers = 40;
  struct fixture *fixture = fixture_new (&options);
  struct engine_session *session = NULL;
  struct engine_error error;
  struct engine_session_options wanted = { .context_tokens = 1u << 28 };
  uint64_t bytes = engine_model_get_session_bytes (fixture->model, 1u << 28);
  assert (bytes > ((uint64_t)1 << 28) * engine_model_get_info (fixture->model)->kv_bytes_per_token);
  assert (engine_session_new (fixture->model, &wanted, &session, &error) == ENGINE_ERROR_NO_MEMORY && !session);
  assert (strstr (error.message, "268435456 tokens") && strstr (error.message, "GB"));
  assert (strstr (error.message, "choose a context of at most "));
  fixture_free (fixture);
}

static void test_no_allocation (const struct fixture *fixture)
{
  struct engine_session *session = session_new (fixture, 0, 2);
  struct engine_sampler *sampler;
  struct engine_logprob top[5];
  const struct engine_sampler_options options = { .temperature = 0.8f, .top_p = 0.9f, .top_k = 40, .seed = 1 };
  size_t made = atomic_load (&n_allocations);
  assert (engine_sampler_new (&options, N_VOCAB, &sampler, NULL) == ENGINE_OK);
  assert (atomic_load (&n_allocations) > made); /* the counter counts */
  made = atomic_load (&n_allocations);
  assert (engine_session_set_tokens (session, fixture->ids, 300, NULL, NULL) == ENGINE_OK);
  for (int i = 0; i < 20; i++) {
    const float *logits = engine_session_get_logits (session);
    engine_top_logprobs (logits, N_VOCAB, top, 5);
    assert (engine_session_append (session, engine_sampler_pick (sampler, logits), NULL) == ENGINE_OK);
  }
  assert (atomic_load (&n_allocations) == made);

  struct engine_generation *generation;
  assert (engine_generation_new (session, sampler, &(struct engine_generation_options){ .max_tokens = 30 }, &generation,
                                 NULL)
          == ENGINE_OK);
  made = atomic_load (&n_allocations);
  for (int i = 0; i < 30; i++) {
    int32_t id;
    assert (engine_generation_next (generation, &id, NULL) == ENGINE_OK);
  }
  assert (engine_generation_finish (generation, NULL) == ENGINE_OK);
  assert (atomic_load (&n_allocations) == made);
  engine_generation_free (generation);
  engine_sampler_free (sampler);
  engine_session_free (session);
}

/* ---- cancelling -------------------------------------------------------------------------------------------- */

static double now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct canceller {
  struct engine_session *session;
  double cancelled_at_ms;
};

static void *cancel_soon (void *data)
{
  struct canceller *canceller = data;
  nanosleep (&(struct timespec){ .tv_nsec = 10000000 }, NULL);
  canceller->cancelled_at_ms = now_ms ();
  engine_session_cancel (canceller->session);
  return NULL;
}

static void test_cancel (void)
{
  struct builder_options options = base;
  options.n_embd = 256;
  options.head_dim = 64;
  options.n_ff = 512;
  options.n_layers = 8;
  struct fixture *fixture = fixture_new (&options);
  struct engine_session *session = session_new (fixture, 0, 1);
  struct canceller canceller = { session, 0 };
  struct engine_error error;
  pthread_t thread;
  float expected[N_VOCAB];
  assert (pthread_create (&thread, NULL, cancel_soon, &canceller) == 0);
  int status = ENGINE_OK;
  while (status == ENGINE_OK) { /* a machine so fast that it finishes is asked again */
    assert (engine_session_set_tokens (session, (int32_t[]){ 1 }, 1, NULL, &error) != ENGINE_ERROR_RANGE);
    status = engine_session_set_tokens (session, fixture->ids, N_TOKENS, NULL, &error);
  }
  const double stopped_at_ms = now_ms ();
  assert (pthread_join (thread, NULL) == 0);
  const double took_ms = stopped_at_ms - canceller.cancelled_at_ms;
  printf ("cancelled after %.1f ms\n", took_ms);
  assert (status == ENGINE_ERROR_CANCELLED && error.status == ENGINE_ERROR_CANCELLED);
  assert (took_ms < 1000); /* 100 ms on a laptop; sanitizers and a busy machine are slower */
  size_t kept = engine_session_get_n_tokens (session);
  assert (kept < N_TOKENS);
  assert (engine_session_set_tokens (session, fixture->ids, 40, NULL, &error) == ENGINE_ERROR_CANCELLED); /* sticky */
  engine_session_reset_cancel (session);
  assert (engine_session_set_tokens (session, fixture->ids, 40, NULL, &error) == ENGINE_OK);
  fresh_logits (fixture, 40, 1, expected);
  assert (memcmp (expected, engine_session_get_logits (session), sizeof expected) == 0);
  engine_session_free (session);
  fixture_free (fixture);
}

int main (void)
{
  struct fixture *fixture = fixture_new (&base);
  test_batches_and_steps (fixture);
  test_threads (fixture);
  test_prefix_reuse (fixture);
  test_limits (fixture);
  test_no_allocation (fixture);
  fixture_free (fixture);
  test_memory_refusal ();
  test_cancel ();
  return 0;
}
