/* Two moments of a conversation about documents, on a model file alone.
 *
 *     bench-session second MODEL THREADS REPS PROMPT-TOKENS QUESTION-TOKENS
 *
 * The time to the first token of a prompt, and of another that ends in another question: {"first_ms": [...], "second_ms": [...]}.
 *
 *     bench-session quote MODEL THREADS REPS PROMPT-FILE ANSWER-FILE
 *
 * Writes a given answer to a given prompt, files of token ids, with speculation and without. Models with random weights quote
 * nothing by themselves, so this program takes the sampler's place (the linker sends the engine's calls here): the sampler
 * picks as always, then the answer's next token is handed on. All else is as in any generation, and what is guessed right is what
 * would be if a model wrote this answer: {"plain_tokens_per_second": [...], "tokens_per_second": [...], "drafted", "accepted",
 * "batches"}. */
#include "engine/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IDS_MAX = 1 << 17, REPS_MAX = 100 };

static double now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void check (int status, const struct engine_error *error)
{
  if (status == ENGINE_OK)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static void fail (const char *says)
{
  fprintf (stderr, "%s\n", says);
  exit (1);
}

static void print_numbers (const char *name, const double *numbers, int n)
{
  printf ("\"%s\": [", name);
  for (int i = 0; i < n; i++)
    printf ("%s%.4f", i ? ", " : "", numbers[i]);
  printf ("]");
}

struct bench {
  struct engine_model *model;
  struct engine_session *session;
  int n_threads, n_reps;
};

static void open_session (struct bench *bench, uint32_t context_tokens)
{
  const struct engine_session_options options = { .context_tokens = context_tokens, .n_threads = bench->n_threads };
  struct engine_error error = { 0 };
  check (engine_session_new (bench->model, &options, &bench->session, &error), &error);
}

/* ---- the second question -------------------------------------------------------------------------------------- */

static double answer_begins (const struct bench *bench, const int32_t *ids, size_t n)
{
  struct engine_error error = { 0 };
  const double start = now_ms ();
  check (engine_session_set_tokens (bench->session, ids, n, NULL, &error), &error);
  return now_ms () - start;
}

static void fill (int32_t *ids, size_t n, uint32_t n_vocab, unsigned seed)
{
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    ids[i] = (int32_t)(seed >> 8) % (int32_t)n_vocab;
  }
}

static void run_second (struct bench *bench, size_t n_prompt, size_t n_question)
{
  static int32_t ids[IDS_MAX];
  double first[REPS_MAX], second[REPS_MAX];
  const uint32_t n_vocab = engine_model_get_info (bench->model)->n_vocab;
  struct engine_error error = { 0 };
  if (n_question < 1 || n_question >= n_prompt || n_prompt > IDS_MAX)
    fail ("The question must be a part of the prompt.");
  open_session (bench, (uint32_t)n_prompt);
  fill (ids, n_prompt, n_vocab, 1);
  answer_begins (bench, ids, n_prompt < 64 ? n_prompt : 64); /* the warm-up */
  for (int i = 0; i < bench->n_reps; i++) {
    check (engine_session_truncate (bench->session, 0, &error), &error);
    fill (ids + n_prompt - n_question, n_question, n_vocab, 10 + 2 * (unsigned)i);
    first[i] = answer_begins (bench, ids, n_prompt);
    fill (ids + n_prompt - n_question, n_question, n_vocab, 11 + 2 * (unsigned)i);
    second[i] = answer_begins (bench, ids, n_prompt);
  }
  printf ("{");
  print_numbers ("first_ms", first, bench->n_reps);
  printf (", ");
  print_numbers ("second_ms", second, bench->n_reps);
  printf ("}\n");
}

/* ---- an answer that quotes ------------------------------------------------------------------------------------ */

static struct {
  int32_t ids[IDS_MAX];
  size_t n, next;
} answer;

int32_t __real_engine_sampler_pick (struct engine_sampler *sampler, const float *logits);
int32_t __wrap_engine_sampler_pick (struct engine_sampler *sampler, const float *logits);

int32_t __wrap_engine_sampler_pick (struct engine_sampler *sampler, const float *logits)
{
  const int32_t picked = __real_engine_sampler_pick (sampler, logits);
  return answer.next < answer.n ? answer.ids[answer.next++] : picked;
}

static size_t read_ids (const char *path, int32_t ids[IDS_MAX])
{
  size_t n = 0;
  FILE *file = fopen (path, "re");
  if (!file)
    fail ("A file of token ids cannot be opened.");
  while (n < IDS_MAX && fscanf (file, "%d%*[, \n]", &ids[n]) == 1)
    n++;
  fclose (file);
  return n;
}

/* Tokens per second. */
static double write_answer (const struct bench *bench, const int32_t *prompt, size_t n_prompt, bool speculate,
                            struct engine_generation_counts *counts)
{
  const struct engine_generation_options options = { .max_tokens = (uint32_t)answer.n, .no_speculation = !speculate };
  struct engine_sampler *sampler;
  struct engine_generation *generation;
  struct engine_error error = { 0 };
  check (engine_session_set_tokens (bench->session, prompt, n_prompt, NULL, &error), &error);
  check (engine_sampler_new (&(struct engine_sampler_options){ 0 }, engine_model_get_info (bench->model)->n_vocab,
                             &sampler, &error),
         &error);
  const double start = now_ms ();
  check (engine_generation_new (bench->session, sampler, &options, &generation, &error), &error);
  answer.next = 0;
  for (size_t i = 0; i < answer.n; i++) {
    int32_t id;
    check (engine_generation_next (generation, &id, &error), &error);
    if (id != answer.ids[i])
      fail ("The answer came out otherwise than it was given.");
  }
  const double took_ms = now_ms () - start;
  *counts = engine_generation_get_counts (generation);
  engine_generation_free (generation);
  engine_sampler_free (sampler);
  return (double)answer.n / took_ms * 1e3;
}

static void run_quote (struct bench *bench, const char *prompt_path, const char *answer_path)
{
  static int32_t prompt[IDS_MAX];
  const size_t n_prompt = read_ids (prompt_path, prompt);
  double plain[REPS_MAX], guessed[REPS_MAX];
  struct engine_generation_counts none, counts = { 0 };
  answer.n = read_ids (answer_path, answer.ids);
  if (n_prompt < 1 || answer.n < 1)
    fail ("Prompt and answer need at least one token each.");
  open_session (bench, (uint32_t)(n_prompt + answer.n));
  for (int i = 0; i < bench->n_reps; i++) {
    plain[i] = write_answer (bench, prompt, n_prompt, false, &none);
    guessed[i] = write_answer (bench, prompt, n_prompt, true, &counts);
  }
  printf ("{");
  print_numbers ("plain_tokens_per_second", plain, bench->n_reps);
  printf (", ");
  print_numbers ("tokens_per_second", guessed, bench->n_reps);
  printf (", \"prompt\": %zu, \"answer\": %zu, \"drafted\": %llu, \"accepted\": %llu, \"batches\": %llu}\n", n_prompt,
          answer.n, (unsigned long long)counts.n_drafted, (unsigned long long)counts.n_accepted,
          (unsigned long long)counts.n_batches);
}

int main (int argc, char **argv)
{
  struct engine_error error = { 0 };
  if (argc != 7 || (strcmp (argv[1], "second") != 0 && strcmp (argv[1], "quote") != 0))
    fail ("usage: bench-session second MODEL THREADS REPS PROMPT-TOKENS QUESTION-TOKENS\n"
          "       bench-session quote MODEL THREADS REPS PROMPT-FILE ANSWER-FILE");
  struct bench bench = { .n_threads = atoi (argv[3]), .n_reps = atoi (argv[4]) };
  if (bench.n_threads < 1 || bench.n_reps < 1 || bench.n_reps > REPS_MAX)
    fail ("Threads and repetitions are numbers from 1.");
  check (engine_model_open (argv[2], &bench.model, &error), &error);
  if (strcmp (argv[1], "second") == 0)
    run_second (&bench, strtoul (argv[5], NULL, 10), strtoul (argv[6], NULL, 10));
  else
    run_quote (&bench, argv[5], argv[6]);
  engine_session_free (bench.session);
  engine_model_close (bench.model);
  return 0;
}
