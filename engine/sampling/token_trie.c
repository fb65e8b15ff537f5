#include "engine/sampling/token_trie.h"

#include "engine/error.h"
#include "engine/model/model.h"
#include <stdlib.h>
#include <string.h>

struct text {
  const char *bytes;
  uint32_t length;
  int32_t id;
};

static int by_bytes (const void *a, const void *b)
{
  const struct text *x = a, *y = b;
  int order = memcmp (x->bytes, y->bytes, x->length < y->length ? x->length : y->length);
  if (order != 0)
    return order;
  if (x->length != y->length)
    return x->length < y->length ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

const char *token_trie_get_bytes (const struct engine_token_trie *trie, int32_t id, size_t *length)
{
  const char *bytes = tokenizer_get_piece (trie->tokenizer, id, false, length);
  if (*length > TOKEN_TRIE_MAX_DEPTH || tokenizer_is_special (trie->tokenizer, id)
      || tokenizer_is_end (trie->tokenizer, id))
    *length = 0;
  return bytes;
}

static uint32_t common_prefix (const struct text *a, const struct text *b)
{
  uint32_t n = 0;
  while (n < a->length && n < b->length && a->bytes[n] == b->bytes[n])
    n++;
  return n;
}

/* One node per byte that a text does not share with the one before it. */
static void fill_nodes (struct engine_token_trie *trie, const struct text *texts, uint32_t n)
{
  uint32_t at_depth[TOKEN_TRIE_MAX_DEPTH + 1] = { 0 }, n_nodes = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t shared = i > 0 ? common_prefix (&texts[i - 1], &texts[i]) : 0;
    for (uint32_t depth = shared + 1; i > 0 && depth <= texts[i - 1].length; depth++)
      trie->nodes[at_depth[depth]].skip = n_nodes;
    for (uint32_t depth = shared + 1; depth <= texts[i].length; depth++) {
      trie->nodes[n_nodes] = (struct token_trie_node){ .first_token = i,
                                                       .depth = (uint16_t)depth,
                                                       .byte = (uint8_t)texts[i].bytes[depth - 1] };
      at_depth[depth] = n_nodes++;
    }
    trie->ids[i] = texts[i].id;
    if (texts[i].length > trie->max_depth)
      trie->max_depth = texts[i].length;
  }
  for (uint32_t depth = 1; n > 0 && depth <= texts[n - 1].length; depth++)
    trie->nodes[at_depth[depth]].skip = n_nodes;
  trie->nodes[n_nodes].first_token = n;
  trie->n_nodes = n_nodes;
}

static uint32_t count_nodes (const struct text *texts, uint32_t n)
{
  uint32_t n_nodes = 0;
  for (uint32_t i = 0; i < n; i++)
    n_nodes += texts[i].length - (i > 0 ? common_prefix (&texts[i - 1], &texts[i]) : 0);
  return n_nodes;
}

int token_trie_new (const struct tokenizer *tokenizer, struct engine_token_trie **trie, struct engine_error *error)
{
  uint32_t n_vocab = tokenizer_get_n_vocab (tokenizer), n = 0;
  struct engine_token_trie *made = calloc (1, sizeof *made);
  struct text *texts = calloc (n_vocab + 1ul, sizeof *texts);
  if (!made || !texts)
    goto fail;
  made->tokenizer = tokenizer;
  made->n_vocab = n_vocab;
  made->drops_first_space = tokenizer_drops_first_space (tokenizer);
  made->ids = calloc (n_vocab + 1ul, sizeof *made->ids);
  made->ends = calloc (n_vocab + 1ul, sizeof *made->ends);
  if (!made->ids || !made->ends)
    goto fail;
  for (uint32_t id = 0; id < n_vocab; id++) {
    size_t length;
    const char *bytes = token_trie_get_bytes (made, (int32_t)id, &length);
    if (length > 0)
      texts[n++] = (struct text){ bytes, (uint32_t)length, (int32_t)id };
    if (tokenizer_is_end (tokenizer, (int32_t)id))
      made->ends[made->n_ends++] = (int32_t)id;
  }
  qsort (texts, n, sizeof *texts, by_bytes);
  made->nodes = calloc (count_nodes (texts, n) + 1ul, sizeof *made->nodes);
  if (!made->nodes)
    goto fail;
  fill_nodes (made, texts, n);
  free (texts);
  *trie = made;
  return ENGINE_OK;

fail:
  free (texts);
  engine_token_trie_free (made);
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for the tree of tokens.");
}

int engine_token_trie_new (const struct engine_model *model, struct engine_token_trie **trie,
                           struct engine_error *error)
{
  if (!model->tokenizer)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s has no tokenizer that this engine knows: no grammar can guide it.",
                             model->path);
  return token_trie_new (model->tokenizer, trie, error);
}

void engine_token_trie_free (struct engine_token_trie *trie)
{
  if (!trie)
    return;
  free (trie->nodes);
  free (trie->ids);
  free (trie->ends);
  free (trie);
}
