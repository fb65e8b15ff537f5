/* bench-grammar.c: what a token mask costs: bench-grammar MODEL [GRAMMAR_FILE]. Walks through a JSON text (or, with a
 * grammar, through random allowed tokens) and prints the time of the trie, of the grammar, and of each mask, first seen
 * and seen again, all in CPU time. */
#include "engine/sampling/grammar.h"
#include "engine/sampling/token_trie.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char sample[]
    = "{\"title\": \"Wärme — 温度\", \"pages\": [1, 22, -3.5e4], \"nested\": {\"a\": [[true, null], \"x\\n\"]}}\n";

static double now_us (void) /* of this thread */
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void print_row (const char *name, double *us, size_t n)
{
  qsort (us, n, sizeof *us, by_value);
  printf ("%-12s masks %zu  p50 %.0f us  p99 %.0f us  worst %.0f us\n", name, n, us[n / 2], us[n * 99 / 100],
          us[n - 1]);
}

int main (int argc, char **argv)
{
  struct engine_model *model;
  struct engine_token_trie *trie;
  struct engine_grammar *grammar;
  struct engine_tokens tokens = { 0 };
  struct engine_error error;
  char *text = NULL;
  const char *gbnf = engine_grammar_get_builtin ("json");
  if (argc < 2 || engine_model_open (argv[1], &model, &error) != ENGINE_OK)
    return 2;
  if (argc > 2) {
    FILE *file = fopen (argv[2], "r");
    text = calloc (1, 1 << 18);
    if (!file || !text || fread (text, 1, (1 << 18) - 1, file) == 0)
      return 2;
    fclose (file);
    gbnf = text;
  }
  double start = now_us ();
  if (engine_token_trie_new (model, &trie, &error) != ENGINE_OK)
    return 1;
  printf ("trie of %u tokens: %u nodes, %.1f ms\n", trie->n_vocab, trie->n_nodes, (now_us () - start) / 1e3);
  start = now_us ();
  if (engine_grammar_new (trie, gbnf, strlen (gbnf), &grammar, &error) != ENGINE_OK) {
    fprintf (stderr, "%s\n", error.message);
    return 1;
  }
  printf ("grammar: %.1f ms\n", (now_us () - start) / 1e3);
  engine_tokenize (model, sample, strlen (sample), ENGINE_TOKENIZE_TEXT, &tokens, NULL);
  size_t n = text ? 500 : tokens.n;
  double *us = calloc (n, sizeof *us);
  for (int round = 0; round < 2; round++) {
    uint64_t noise = 1;
    grammar_restart (grammar);
    for (size_t i = 0; i < n; i++) {
      start = now_us ();
      const uint64_t *mask = grammar_get_mask (grammar);
      us[i] = now_us () - start;
      int32_t id
          = text ? (int32_t)((noise = noise * 6364136223846793005u + 1) >> 33) % (int32_t)trie->n_vocab : tokens.ids[i];
      for (uint32_t tries = 0; !(mask[id / 64] >> (id % 64) & 1); id = (id + 1) % (int32_t)trie->n_vocab)
        if (!text || ++tries > trie->n_vocab) {
          fprintf (stderr, "token %d is not allowed\n", id);
          return 1;
        }
      grammar_accept (grammar, id);
    }
    print_row (round ? "again" : "first", us, n);
  }
  free (us);
  free (text);
  engine_tokens_clear (&tokens);
  engine_grammar_free (grammar);
  engine_token_trie_free (trie);
  engine_model_close (model);
  return 0;
}
