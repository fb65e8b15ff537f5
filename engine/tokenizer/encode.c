/* Text to tokens: special tokens are cut out first, the family encodes what lies between. */
#include <stdlib.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"
#include "engine/tokenizer/tokens.h"

bool tokenizer_work_reserve (struct tokenizer_work *work, size_t length)
{
  if (length <= work->text_capacity)
    return true;
  char *grown = realloc (work->text, length);
  if (!grown)
    return false;
  work->text = grown;
  work->text_capacity = length;
  return true;
}

static void work_release (struct tokenizer_work *work)
{
  merger_release (&work->merger);
  pretokenizer_pieces_release (&work->pieces);
  free (work->text);
  free (work->states);
}

static bool is_ascii_space (char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static int encode_text (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                        const struct tokenizer_span *spans, size_t n_spans, struct engine_tokens *tokens,
                        struct engine_error *error)
{
  size_t start = 0, span = 0, span_end = n_spans ? spans[0].length : 0;
  bool first = true;
  for (size_t at = 0; at < length;) {
    while (at >= span_end && span + 1 < n_spans)
      span_end += spans[++span].length;
    size_t readable = span < n_spans && spans[span].read_special ? span_end - at : 0, matched = 0;
    int32_t id = special_matcher_find (&tokenizer->specials, text + at, length - at, readable, &matched);
    if (id < 0) {
      at++;
      continue;
    }
    if (at > start) {
      int status = tokenizer->family->encode (tokenizer, work, text + start, at - start, first, tokens, error);
      if (status != ENGINE_OK)
        return status;
    }
    if (!engine_tokens_append (tokens, id))
      return tokenizer_no_memory (error);
    at += matched;
    while (tokenizer->tokens[id].strips_after && at < length && is_ascii_space (text[at]))
      at++;
    start = at;
    first = true;
  }
  if (length == start)
    return ENGINE_OK;
  return tokenizer->family->encode (tokenizer, work, text + start, length - start, first, tokens, error);
}

int32_t tokenizer_get_last (const struct tokenizer *tokenizer)
{
  return tokenizer->family == &tokenizer_wordpiece ? tokenizer->separator : tokenizer->add_eos ? tokenizer->eos : -1;
}

int tokenizer_encode_spans (const struct tokenizer *tokenizer, const char *text, size_t length,
                            const struct tokenizer_span *spans, size_t n_spans, bool add_special,
                            struct engine_tokens *tokens, struct engine_error *error)
{
  struct tokenizer_work work = { 0 };
  size_t n_before = tokens->n;
  int status = ENGINE_OK;
  if (length > PRETOKENIZER_MAX_BYTES)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The text is longer than 1 GiB; split it.");
  if (add_special && tokenizer_adds_bos (tokenizer) && !engine_tokens_append (tokens, tokenizer->bos))
    return tokenizer_no_memory (error);
  status = encode_text (tokenizer, &work, text, length, spans, n_spans, tokens, error);
  work_release (&work);
  int32_t last = tokenizer_get_last (tokenizer);
  if (status == ENGINE_OK && add_special && last >= 0 && !engine_tokens_append (tokens, last))
    status = tokenizer_no_memory (error);
  if (status != ENGINE_OK)
    tokens->n = n_before;
  return status;
}

int tokenizer_encode (const struct tokenizer *tokenizer, const char *text, size_t length, unsigned flags,
                      struct engine_tokens *tokens, struct engine_error *error)
{
  struct tokenizer_span span = { length, (flags & ENGINE_TOKENIZE_READ_SPECIAL) != 0 };
  return tokenizer_encode_spans (tokenizer, text, length, &span, 1, (flags & ENGINE_TOKENIZE_ADD_SPECIAL) != 0, tokens,
                                 error);
}
