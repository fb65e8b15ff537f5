/* Two texts as one input of a cross-encoder; tokenizer.h draws the shapes. */
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"
#include "engine/tokenizer/tokens.h"

static bool append_all (struct engine_tokens *tokens, const int32_t *ids, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (!engine_tokens_append (tokens, ids[i]))
      return false;
  return true;
}

int tokenizer_encode_pair (const struct tokenizer *tokenizer, const char *query, size_t query_length,
                           const char *passage, size_t passage_length, size_t max_tokens, struct engine_tokens *tokens,
                           uint8_t *segments, struct engine_error *error)
{
  int32_t end = tokenizer_get_last (tokenizer);
  const int32_t first = tokenizer->bos, separators[] = { end, end };
  size_t n_first = tokenizer_adds_bos (tokenizer) ? 1 : 0, n_separators = tokenizer->doubles_separator ? 2 : 1;
  size_t n_special = n_first + n_separators + 1, n_before = tokens->n;
  struct engine_tokens a = { 0 }, b = { 0 };
  if (end < 0)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model's tokenizer has no token between two texts; use a reranker of the BERT kind.");
  int status = tokenizer_encode (tokenizer, query, query_length, ENGINE_TOKENIZE_TEXT, &a, error);
  if (status == ENGINE_OK && (max_tokens < n_special || a.n > max_tokens - n_special))
    status = engine_error_set (error, ENGINE_ERROR_RANGE,
                               "The question takes %zu tokens, which leaves no room for a passage in %zu; shorten it.",
                               a.n, max_tokens);
  if (status == ENGINE_OK)
    status = tokenizer_encode (tokenizer, passage, passage_length, ENGINE_TOKENIZE_TEXT, &b, error);
  if (status == ENGINE_OK) {
    size_t room = max_tokens - n_special - a.n, n_passage = b.n < room ? b.n : room;
    size_t n_query_part = n_first + a.n + n_separators;
    if (append_all (tokens, &first, n_first) && append_all (tokens, a.ids, a.n)
        && append_all (tokens, separators, n_separators) && append_all (tokens, b.ids, n_passage)
        && append_all (tokens, &end, 1)) {
      if (segments) {
        memset (segments, 0, n_query_part);
        memset (segments + n_query_part, tokenizer->family == &tokenizer_wordpiece, n_passage + 1);
      }
    } else {
      status = tokenizer_no_memory (error);
    }
  }
  if (status != ENGINE_OK)
    tokens->n = n_before;
  engine_tokens_clear (&a);
  engine_tokens_clear (&b);
  return status;
}
