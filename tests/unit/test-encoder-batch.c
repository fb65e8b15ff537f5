/* Texts that share a batch have the numbers that each has by itself, to the bit: on encoders and rerankers of every kind,
 * for any mixture of lengths, on any number of threads, after any failure.
 *
 *     test-encoder-batch SEED N_ROUNDS MODEL.gguf… */
#include "engine/model/encoder.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_TEXTS = 24, MOST_TOKENS = ENCODER_BATCH_TOKENS + 100 };

struct fixture {
  struct engine_model *model;
  struct engine_encoder *alone, *together; /* on one thread, on two */
  uint32_t most, width, n_vocab;           /* tokens of a text */
  uint64_t random;
  struct engine_tokens texts[MOST_TEXTS];
  size_t n_texts;
  bool is_first;
  float *expected, *vectors; /* [MOST_TEXTS][width] */
};

static uint32_t pick (struct fixture *fixture, uint32_t n)
{
  const float x = (builder_random (&fixture->random) + 1) / 2;
  const uint32_t picked = (uint32_t)(x * (float)n);
  return picked < n ? picked : n - 1;
}

static void *take (size_t n, size_t bytes)
{
  void *memory = calloc (n, bytes);
  assert (memory);
  return memory;
}

static struct engine_encoder *new_encoder (const struct engine_model *model, int n_threads)
{
  struct engine_encoder *encoder = NULL;
  struct engine_error error = { 0 };
  if (engine_encoder_new (model, &(struct engine_encoder_options){ .n_threads = n_threads }, &encoder, &error)
      != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  return encoder;
}

/* Most texts are short; some are one token, some more than a window, some more than a batch. */
static uint32_t pick_length (struct fixture *fixture)
{
  switch (pick (fixture, 8)) {
  case 0: return 1;
  case 1: return 1 + pick (fixture, 300);
  case 2: return pick (fixture, 6) ? 1 + pick (fixture, 60) : 1 + pick (fixture, fixture->most / 2);
  default: return 1 + pick (fixture, 12);
  }
}

static void make_texts (struct fixture *fixture)
{
  fixture->n_texts = 1 + pick (fixture, MOST_TEXTS);
  for (size_t i = 0; i < fixture->n_texts; i++) {
    struct engine_tokens *text = &fixture->texts[i];
    text->n = pick_length (fixture);
    for (size_t t = 0; t < text->n; t++)
      text->ids[t] = (int32_t)pick (fixture, fixture->n_vocab);
  }
}

/* Each by itself, and of a model that looks back only in pieces of any size. */
static void embed_each (struct fixture *fixture)
{
  struct engine_encoder *alone = fixture->alone;
  assert (encoder_reserve (alone, fixture->most, NULL) == ENGINE_OK);
  const uint32_t n_tokens = alone->buffers.n_tokens;
  for (size_t i = 0; i < fixture->n_texts; i++) {
    if (!fixture->model->shape.bidirectional)
      alone->buffers.n_tokens = pick (fixture, 4) ? 10 + pick (fixture, 100) : n_tokens;
    assert (engine_encoder_embed_tokens (fixture->alone, &fixture->texts[i], 1, fixture->expected + i * fixture->width,
                                         NULL)
            == ENGINE_OK);
  }
  alone->buffers.n_tokens = n_tokens;
}

static void check_batch (struct fixture *fixture)
{
  const size_t row_bytes = fixture->width * sizeof (float);
  assert (engine_encoder_embed_tokens (fixture->together, fixture->texts, fixture->n_texts, fixture->vectors, NULL)
          == ENGINE_OK);
  for (size_t i = 0; i < fixture->n_texts; i++)
    if (memcmp (fixture->vectors + i * fixture->width, fixture->expected + i * fixture->width, row_bytes) != 0) {
      fprintf (stderr, "text %zu of %zu, with %zu tokens, has another vector in a batch\n", i, fixture->n_texts,
               fixture->texts[i].n);
      abort ();
    }
}

/* ---- failures ---------------------------------------------------------------------------------------------- */

static void *cancel_soon (void *encoder)
{
  nanosleep (&(struct timespec){ .tv_nsec = 2000000 }, NULL);
  engine_encoder_cancel (encoder);
  return NULL;
}

/* A call is whole or was cancelled, and then its output is as it was. */
static bool check_cancel (struct fixture *fixture)
{
  pthread_t thread;
  const size_t n = fixture->n_texts * fixture->width;
  for (size_t i = 0; i < n; i++)
    fixture->vectors[i] = 42;
  assert (pthread_create (&thread, NULL, cancel_soon, fixture->together) == 0);
  const int status
      = engine_encoder_embed_tokens (fixture->together, fixture->texts, fixture->n_texts, fixture->vectors, NULL);
  assert (pthread_join (thread, NULL) == 0);
  if (status == ENGINE_ERROR_CANCELLED)
    for (size_t i = 0; i < n; i++)
      assert (fixture->vectors[i] == 42);
  else {
    float vector[1024];
    assert (status == ENGINE_OK && fixture->width <= 1024);
    assert (memcmp (fixture->vectors, fixture->expected, n * sizeof (float)) == 0);
    const int late = engine_encoder_embed_tokens (fixture->together, fixture->texts, 1, vector, NULL);
    assert (late == ENGINE_ERROR_CANCELLED || late == ENGINE_OK); /* asked for before the end, or after it */
  }
  return status == ENGINE_ERROR_CANCELLED;
}

/* A bad text in the middle of a list: nothing is written, and the next call is as ever. */
static void check_refusals (struct fixture *fixture)
{
  const size_t bad = fixture->n_texts / 2;
  struct engine_tokens kept = fixture->texts[bad];
  struct engine_error error;
  int32_t id = fixture->texts[bad].ids[0];
  fixture->vectors[0] = 42;
  fixture->texts[bad].n = 0;
  assert (engine_encoder_embed_tokens (fixture->together, fixture->texts, fixture->n_texts, fixture->vectors, &error)
          == ENGINE_ERROR_RANGE);
  fixture->texts[bad].n = (size_t)engine_model_get_info (fixture->model)->context_tokens + 1;
  assert (engine_encoder_embed_tokens (fixture->together, fixture->texts, fixture->n_texts, fixture->vectors, &error)
          == ENGINE_ERROR_RANGE);
  fixture->texts[bad] = kept;
  for (int i = 0; i < 2; i++) {
    kept.ids[0] = i ? -1 : (int32_t)fixture->n_vocab;
    assert (engine_encoder_embed_tokens (fixture->together, fixture->texts, fixture->n_texts, fixture->vectors, &error)
            == ENGINE_ERROR_RANGE);
  }
  kept.ids[0] = id;
  assert (fixture->vectors[0] == 42);
  assert (engine_encoder_embed_tokens (fixture->together, NULL, 0, NULL, &error) == ENGINE_OK);
}

/* ---- kinds of models --------------------------------------------------------------------------------------- */

static void test_encoder (struct fixture *fixture, int n_rounds)
{
  size_t n_cancelled = 0, n_tokens = 0;
  for (size_t i = 0; i < MOST_TEXTS; i++)
    fixture->texts[i].ids = take (MOST_TOKENS, sizeof (int32_t));
  fixture->expected = take (MOST_TEXTS * fixture->width, sizeof (float));
  fixture->vectors = take (MOST_TEXTS * fixture->width, sizeof (float));
  for (int i = 0; i < n_rounds; i++) {
    make_texts (fixture);
    if (fixture->is_first && i == 0) { /* one that is longer than a batch, however the others turn out */
      fixture->texts[0].n = fixture->most;
      for (size_t t = 0; t < fixture->most; t++)
        fixture->texts[0].ids[t] = (int32_t)pick (fixture, fixture->n_vocab);
    }
    embed_each (fixture);
    n_cancelled += check_cancel (fixture);
    check_batch (fixture);
    for (size_t k = 0; k < fixture->n_texts; k++)
      n_tokens += fixture->texts[k].n;
  }
  check_refusals (fixture);
  check_batch (fixture);
  printf ("  %zu tokens, %zu of %d calls cancelled\n", n_tokens, n_cancelled, n_rounds);
  for (size_t i = 0; i < MOST_TEXTS; i++)
    engine_tokens_clear (&fixture->texts[i]);
  free (fixture->expected);
  free (fixture->vectors);
}

/* Texts of letters and spaces, as words. */
static void test_texts (struct fixture *fixture)
{
  char letters[400];
  struct engine_text texts[MOST_TEXTS], query = { letters, 30 };
  float expected[MOST_TEXTS], together[MOST_TEXTS];
  for (size_t i = 0; i < sizeof letters; i++)
    letters[i] = pick (fixture, 6) ? (char)('a' + pick (fixture, 26)) : ' ';
  for (size_t i = 0; i < MOST_TEXTS; i++) {
    const uint32_t length = pick (fixture, pick (fixture, 4) ? 40 : sizeof letters);
    texts[i] = (struct engine_text){ letters + pick (fixture, (uint32_t)sizeof letters - length), length };
    assert (engine_encoder_rerank (fixture->alone, &query, &texts[i], 1, &expected[i], NULL) == ENGINE_OK);
  }
  assert (engine_encoder_rerank (fixture->together, &query, texts, MOST_TEXTS, together, NULL) == ENGINE_OK);
  assert (memcmp (together, expected, sizeof expected) == 0);
  printf ("  %d passages\n", MOST_TEXTS);
}

static void test_model (const char *path, uint64_t seed, int n_rounds, bool is_first)
{
  struct fixture fixture = { .random = seed, .is_first = is_first };
  struct engine_error error = { 0 };
  if (engine_model_open (path, &fixture.model, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  const struct engine_model_info *info = engine_model_get_info (fixture.model);
  printf ("%s: %s\n", path, info->architecture);
  fflush (stdout);
  fixture.most = info->context_tokens < MOST_TOKENS ? info->context_tokens : MOST_TOKENS;
  fixture.n_vocab = info->n_vocab;
  fixture.alone = new_encoder (fixture.model, 1);
  fixture.together = new_encoder (fixture.model, 2);
  fixture.width = engine_encoder_get_dimensions (fixture.together);
  if (info->role == ENGINE_ROLE_ENCODER)
    test_encoder (&fixture, n_rounds);
  else
    test_texts (&fixture);
  engine_encoder_free (fixture.alone);
  engine_encoder_free (fixture.together);
  engine_model_close (fixture.model);
}

int main (int argc, char **argv)
{
  assert (argc > 3);
  for (int i = 3; i < argc; i++)
    test_model (argv[i], strtoull (argv[1], NULL, 10), atoi (argv[2]), i == 3);
  return 0;
}
