/* How fast an encoder reads texts: tokens per second of the clock and per second of the processor, the best of several
 * calls.
 *
 *     bench-encoder MODEL.gguf [TOKENS_PER_TEXT [TEXTS [THREADS [CALLS]]]] */
#include "engine/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds (clockid_t clock)
{
  struct timespec now;
  clock_gettime (clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t argument (int argc, char **argv, int index, size_t otherwise)
{
  const size_t value = argc > index ? strtoul (argv[index], NULL, 10) : 0;
  return value ? value : otherwise;
}

static void check (int status, const struct engine_error *error)
{
  if (status == ENGINE_OK)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

/* Any tokens of the vocabulary: speed does not depend on which. */
static struct engine_tokens *make_texts (size_t n_texts, size_t n_tokens, uint32_t n_vocab)
{
  struct engine_tokens *texts = calloc (n_texts, sizeof *texts);
  uint32_t random = 1;
  for (size_t i = 0; texts && i < n_texts; i++) {
    texts[i] = (struct engine_tokens){ calloc (n_tokens, sizeof (int32_t)), n_tokens, n_tokens };
    if (!texts[i].ids)
      exit (1);
    for (size_t t = 0; t < n_tokens; t++) {
      random = random * 1664525 + 1013904223;
      texts[i].ids[t] = (int32_t)((random >> 8) % n_vocab);
    }
  }
  return texts;
}

int main (int argc, char **argv)
{
  struct engine_model *model;
  struct engine_encoder *encoder;
  struct engine_error error = { 0 };
  const size_t n_tokens = argument (argc, argv, 2, 256), n_texts = argument (argc, argv, 3, 16);
  const size_t n_threads = argument (argc, argv, 4, 0), n_calls = argument (argc, argv, 5, 10);
  double least_clock = 1e9, least_cpu = 1e9;
  if (argc < 2)
    return 2;
  check (engine_model_open (argv[1], &model, &error), &error);
  check (engine_encoder_new (model, &(struct engine_encoder_options){ .n_threads = (int)n_threads }, &encoder, &error),
         &error);
  struct engine_tokens *texts = make_texts (n_texts, n_tokens, engine_model_get_info (model)->n_vocab);
  float *vectors = calloc (n_texts, engine_encoder_get_dimensions (encoder) * sizeof *vectors);
  if (!texts || !vectors)
    return 1;
  for (size_t i = 0; i < n_calls; i++) {
    const double clock = seconds (CLOCK_MONOTONIC), cpu = seconds (CLOCK_PROCESS_CPUTIME_ID);
    check (engine_encoder_embed_tokens (encoder, texts, n_texts, vectors, &error), &error);
    const double clock_used = seconds (CLOCK_MONOTONIC) - clock, cpu_used = seconds (CLOCK_PROCESS_CPUTIME_ID) - cpu;
    least_clock = clock_used < least_clock ? clock_used : least_clock;
    least_cpu = cpu_used < least_cpu ? cpu_used : least_cpu;
  }
  const double n = (double)(n_texts * n_tokens);
  printf ("%s, %zu texts of %zu tokens: %.0f tokens/s, %.0f per processor second\n", engine_get_cpu_path (), n_texts,
          n_tokens, n / least_clock, n / least_cpu);
  for (size_t i = 0; i < n_texts; i++)
    engine_tokens_clear (&texts[i]);
  free (texts);
  free (vectors);
  engine_encoder_free (encoder);
  engine_model_close (model);
  return 0;
}
