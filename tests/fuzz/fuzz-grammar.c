/* fuzz-grammar.c: a grammar, a NUL, and a text that it reads. Whatever the grammar is, it is refused with one sentence or
 * runs within its limits. Memory, little or plenty, used or fresh, may end a reading but never changes what it says. */
#include "engine/sampling/automaton.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The verdict on text[0, length): dead, alive, or 2: whole. */
static int run (struct automaton *automaton, const uint8_t *text, size_t length)
{
  int32_t state = AUTOMATON_START;
  for (size_t i = 0; i < length && state != AUTOMATON_DEAD; i++) {
    automaton_relax (automaton);
    state = automaton_step (automaton, &state, 1, text[i]);
  }
  return state == AUTOMATON_DEAD ? 0 : automaton_accepts (automaton, state) ? 2 : 1;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const struct automaton_limits plenty
      = { .n_states = 512, .n_places = 8192, .n_nodes = 4096, .n_edges = 8192, .n_parallel = 512, .n_work = 100000 },
      hardly = { .n_states = 4, .n_places = 64, .n_nodes = 32, .n_edges = 64, .n_parallel = 64, .n_work = 5000 };
  struct grammar_program program;
  struct automaton large, tight;
  struct engine_error error = { 0 };
  const uint8_t *end = size > 0 ? memchr (data, '\0', size) : NULL;
  size_t length = end ? (size_t)(end - data) : size;
  if (grammar_program_compile ((const char *)data, length, &program, &error) != ENGINE_OK) {
    size_t n = strlen (error.message);
    if (n == 0 || error.message[n - 1] != '.')
      abort ();
    return 0;
  }
  const uint8_t *text = end ? end + 1 : data;
  size_t n_text = end ? size - length - 1 : size;
  if (automaton_init (&large, &program, &plenty, NULL) == ENGINE_OK) {
    int verdict = run (&large, text, n_text);
    int again = run (&large, text, n_text);
    if (again != verdict && again != 0 && verdict != 0)
      abort ();
    if (automaton_init (&tight, &program, &hardly, NULL) == ENGINE_OK) {
      int other = run (&tight, text, n_text);
      if (other != verdict && other != 0 && verdict != 0)
        abort ();
      automaton_release (&tight);
    }
    automaton_release (&large);
  }
  grammar_program_release (&program);
  return 0;
}
