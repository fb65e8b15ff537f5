#include "engine/sampling/grammar.h"

#include "engine/error.h"
#include "engine/sampling/automaton.h"
#include "engine/sampling/token_trie.h"
#include <stdlib.h>
#include <string.h>

/* Texts come back to the same states (inside a string, between two words): their masks are kept. */
#define N_MASKS 32

struct mask {
  uint64_t *bits;
  int32_t state; /* -1: none */
  bool at_start;
  uint64_t used_at;
};

struct engine_grammar {
  struct grammar_program program;
  struct automaton automaton;
  const struct engine_token_trie *trie;
  int32_t state;
  bool at_start;  /* no token yet: the tokenizer's first space does not count */
  bool has_ended; /* by a token that ends */
  int32_t *path;  /* [trie->max_depth + 1] the states above the node being walked */
  struct mask masks[N_MASKS];
  uint32_t masks_generation; /* of the automaton, that the masks' states belong to */
  uint64_t clock;
  size_t n_words; /* of a mask */
};

int engine_grammar_new (const struct engine_token_trie *trie, const char *text, size_t length,
                        struct engine_grammar **grammar, struct engine_error *error)
{
  struct engine_grammar *made = calloc (1, sizeof *made);
  int status = ENGINE_OK;
  if (!made)
    goto no_memory;
  made->trie = trie;
  made->n_words = trie->n_vocab / 64 + 1;
  made->path = calloc (trie->max_depth + 1ul, sizeof *made->path);
  if (!made->path)
    goto no_memory;
  for (size_t i = 0; i < N_MASKS; i++)
    if (!(made->masks[i].bits = calloc (made->n_words, sizeof *made->masks[i].bits)))
      goto no_memory;
  status = grammar_program_compile (text, length, &made->program, error);
  if (status == ENGINE_OK)
    status = automaton_init (&made->automaton, &made->program, &automaton_default_limits, error);
  if (status != ENGINE_OK) {
    engine_grammar_free (made);
    return status;
  }
  for (size_t i = 0; i < N_MASKS; i++)
    made->masks[i].state = -1;
  grammar_restart (made);
  *grammar = made;
  return ENGINE_OK;

no_memory:
  engine_grammar_free (made);
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
}

void engine_grammar_free (struct engine_grammar *grammar)
{
  if (!grammar)
    return;
  automaton_release (&grammar->automaton);
  grammar_program_release (&grammar->program);
  for (size_t i = 0; i < N_MASKS; i++)
    free (grammar->masks[i].bits);
  free (grammar->path);
  free (grammar);
}

void grammar_restart (struct engine_grammar *grammar)
{
  grammar->state = AUTOMATON_START;
  grammar->at_start = true;
  grammar->has_ended = false;
}

bool engine_grammar_is_complete (const struct engine_grammar *grammar)
{
  return grammar->state != AUTOMATON_DEAD && automaton_accepts (&grammar->automaton, grammar->state);
}

int32_t grammar_get_end (const struct engine_grammar *grammar)
{
  return grammar->trie->n_ends > 0 ? grammar->trie->ends[0] : -1;
}

uint32_t grammar_get_n_vocab (const struct engine_grammar *grammar)
{
  return grammar->trie->n_vocab;
}

void grammar_accept (struct engine_grammar *grammar, int32_t id)
{
  const struct engine_token_trie *trie = grammar->trie;
  size_t length;
  const char *bytes = token_trie_get_bytes (trie, id, &length);
  if (grammar->state == AUTOMATON_DEAD)
    return;
  if (tokenizer_is_end (trie->tokenizer, id)) {
    grammar->has_ended = engine_grammar_is_complete (grammar);
    grammar->state = grammar->has_ended ? grammar->state : AUTOMATON_DEAD;
    return;
  }
  if (length == 0 || grammar->has_ended)
    grammar->state = AUTOMATON_DEAD;
  automaton_relax (&grammar->automaton);
  size_t i = grammar->at_start && trie->drops_first_space && length > 0 && bytes[0] == ' ';
  for (; i < length && grammar->state != AUTOMATON_DEAD; i++)
    grammar->state = automaton_step (&grammar->automaton, &grammar->state, 1, (uint8_t)bytes[i]);
  grammar->at_start = false;
}

static void set_bits (uint64_t *bits, const int32_t *ids, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    bits[ids[i] / 64] |= UINT64_C (1) << (ids[i] % 64);
}

/* Walks the trie with the automaton: a branch that the grammar cannot begin is left at once. The tokens of nodes that
 * follow each other lie together: bits are set only where a walk breaks off. */
static void walk (struct engine_grammar *grammar, uint64_t *bits)
{
  const struct engine_token_trie *trie = grammar->trie;
  const struct token_trie_node *nodes = trie->nodes;
  struct automaton *automaton = &grammar->automaton;
  int32_t *path = grammar->path;
  bool drops_space = grammar->at_start && trie->drops_first_space;
  uint32_t first_token = 0;
  path[0] = grammar->state;
  automaton_relax (automaton);
  for (uint32_t i = 0; i < trie->n_nodes;) {
    const struct token_trie_node *node = &nodes[i];
    int32_t next = automaton_step (automaton, path, node->depth, node->byte);
    if (drops_space && node->depth == 1 && node->byte == ' ')
      next = path[0];
    path[node->depth] = next;
    i++;
    if (next == AUTOMATON_DEAD) {
      set_bits (bits, trie->ids + first_token, node->first_token - first_token);
      i = node->skip;
      first_token = nodes[i].first_token;
    }
  }
  set_bits (bits, trie->ids + first_token, nodes[trie->n_nodes].first_token - first_token);
  grammar->state = path[0];
}

static void make_mask (struct engine_grammar *grammar, uint64_t *bits)
{
  const struct engine_token_trie *trie = grammar->trie;
  memset (bits, 0, grammar->n_words * sizeof *bits);
  if (grammar->state == AUTOMATON_DEAD)
    return;
  if (!grammar->has_ended)
    walk (grammar, bits);
  if (engine_grammar_is_complete (grammar))
    set_bits (bits, trie->ends, trie->n_ends);
}

static void forget_masks (struct engine_grammar *grammar)
{
  if (grammar->masks_generation == grammar->automaton.generation)
    return;
  for (size_t i = 0; i < N_MASKS; i++)
    grammar->masks[i].state = -1;
  grammar->masks_generation = grammar->automaton.generation;
}

const uint64_t *grammar_get_mask (struct engine_grammar *grammar)
{
  struct mask *oldest = &grammar->masks[0];
  bool is_usual = grammar->state != AUTOMATON_DEAD && !grammar->has_ended;
  forget_masks (grammar);
  for (size_t i = 0; i < N_MASKS; i++) {
    struct mask *mask = &grammar->masks[i];
    if (is_usual && mask->state == grammar->state && mask->at_start == grammar->at_start) {
      mask->used_at = ++grammar->clock;
      return mask->bits;
    }
    if (mask->used_at < oldest->used_at)
      oldest = mask;
  }
  make_mask (grammar, oldest->bits);
  forget_masks (grammar); /* states may have been renumbered */
  oldest->state = is_usual ? grammar->state : -1;
  oldest->at_start = grammar->at_start;
  oldest->used_at = ++grammar->clock;
  return oldest->bits;
}
