/* SentencePiece BPE with byte fallback (Kudo and Richardson 2018, bpe_model.cc): "llama" in GGUF.
 *
 * Spaces stand for SentencePiece's U+2581 throughout; a literal U+2581 in the text is a space, as it is there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"
#include "engine/tokenizer/tokens.h"
#include "engine/tokenizer/utf8.h"

static int load (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error)
{
  int status = tokenizer_load_scores (tokenizer, gguf, error);
  if (status == ENGINE_OK)
    status = tokenizer_load_byte_tokens (tokenizer, error);
  if (status == ENGINE_OK)
    status = tokenizer_load_spaced (tokenizer, error);
  if (status != ENGINE_OK)
    return status;
  tokenizer->cuts_at_spaces = true;
  for (uint32_t i = 0; i < tokenizer->n_vocab && tokenizer->cuts_at_spaces; i++) {
    const struct token *token = &tokenizer->tokens[i];
    if (!token_is_special (token))
      for (uint32_t j = 1; j < token->length; j++)
        if (token->bytes[j] == ' ' && token->bytes[j - 1] != ' ')
          tokenizer->cuts_at_spaces = false;
  }
  return ENGINE_OK;
}

/* A float as an integer that sorts the other way round: the highest score comes first. */
static uint32_t score_priority (float score)
{
  uint32_t bits;
  if (isnan (score))
    return UINT32_MAX;
  score += 0.0f; /* -0 equals 0 */
  memcpy (&bits, &score, sizeof bits);
  return bits & 0x80000000u ? bits : 0x7FFFFFFFu - bits;
}

static bool find_merge (const void *context, const struct merger_symbol *left, const struct merger_symbol *right,
                        uint32_t *priority, int32_t *id)
{
  const struct tokenizer *tokenizer = context;
  *id = vocabulary_find (&tokenizer->ordinary, left->bytes, (size_t)left->length + right->length);
  if (*id < 0)
    return false;
  *priority = score_priority (tokenizer->scores[*id]);
  return true;
}

static bool append_symbol (const struct tokenizer *tokenizer, const struct merger_symbol *symbol,
                           struct engine_tokens *tokens)
{
  if (symbol->id >= 0)
    return engine_tokens_append (tokens, symbol->id);
  for (uint32_t i = 0; i < symbol->length; i++) {
    int32_t id = tokenizer->byte_ids[(uint8_t)symbol->bytes[i]];
    if (id < 0) {
      id = tokenizer->unknown;
      i = symbol->length; /* one unknown for the character */
    }
    if (id >= 0 && !engine_tokens_append (tokens, id))
      return false;
  }
  return true;
}

static bool encode_word (const struct tokenizer *tokenizer, struct merger *merger, const char *text, size_t length,
                         struct engine_tokens *tokens)
{
  merger_start (merger);
  for (size_t at = 0; at < length;) {
    size_t n = utf8_decode (text + at, length - at, NULL);
    if (n == 0)
      n = 1;
    if (!merger_append (merger, text + at, (uint32_t)n, vocabulary_find (&tokenizer->ordinary, text + at, n)))
      return false;
    at += n;
  }
  if (!merger_run (merger, find_merge, tokenizer))
    return false;
  for (size_t i = 0; i < merger->n_symbols; i++)
    if (merger->symbols[i].length > 0 && !append_symbol (tokenizer, &merger->symbols[i], tokens))
      return false;
  return true;
}

static int encode (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                   bool first, struct engine_tokens *tokens, struct engine_error *error)
{
  if (!tokenizer_work_reserve (work, length + 1))
    return tokenizer_no_memory (error);
  char *spaced = work->text;
  size_t n = 0;
  if (first && tokenizer->add_space_prefix)
    spaced[n++] = ' ';
  n += tokenizer_unspace (text, length, spaced + n);
  /* Merges never cross a word, so that cutting first changes the cost and nothing else. */
  for (size_t start = 0; start < n;) {
    size_t end = n;
    if (tokenizer->cuts_at_spaces) {
      end = start + 1;
      while (end < n && (spaced[end] != ' ' || spaced[end - 1] == ' '))
        end++;
    }
    if (!encode_word (tokenizer, &work->merger, spaced + start, end - start, tokens))
      return tokenizer_no_memory (error);
    start = end;
  }
  return ENGINE_OK;
}

const struct tokenizer_family tokenizer_spm = { .model = "llama", .name = "spm", .load = load, .encode = encode };
