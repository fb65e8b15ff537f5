/* What SentencePiece's two models share: scores, byte tokens, and U+2581 for the space. */
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"

int tokenizer_load_scores (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error)
{
  uint64_t n_scores;
  enum gguf_kind kind;
  tokenizer->scores = malloc (tokenizer->n_vocab * sizeof *tokenizer->scores);
  if (!tokenizer->scores)
    return tokenizer_no_memory (error);
  if (!gguf_get_array (gguf, "tokenizer.ggml.scores", &kind, &n_scores) || n_scores != tokenizer->n_vocab
      || !gguf_array_copy_f32 (gguf, "tokenizer.ggml.scores", tokenizer->scores, n_scores))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The model's token scores do not fit its %u tokens; the model file is damaged.",
                             tokenizer->n_vocab);
  return ENGINE_OK;
}

static int hex_digit (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

/* "<0x0A>" to 10; -1 for anything else. */
static int parse_byte_token (const struct token *token)
{
  const char *text = token->bytes;
  if (token->length != 6 || memcmp (text, "<0x", 3) != 0 || text[5] != '>')
    return -1;
  int high = hex_digit (text[3]), low = hex_digit (text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

int tokenizer_load_byte_tokens (struct tokenizer *tokenizer, struct engine_error *error)
{
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++) {
    struct token *token = &tokenizer->tokens[i];
    if (token->kind != TOKEN_BYTE)
      continue;
    int byte = parse_byte_token (token);
    if (byte < 0)
      return engine_error_set (error, ENGINE_ERROR_FORMAT,
                               "Token %u is marked as a byte but not written <0xNN>; the model file is damaged.", i);
    tokenizer->byte_ids[byte] = (int32_t)i;
    token->bytes = &tokenizer_bytes[byte];
    token->length = 1;
  }
  return ENGINE_OK;
}

size_t tokenizer_unspace (const char *text, size_t length, char *to)
{
  size_t n = 0;
  for (size_t at = 0; at < length;) {
    if (length - at >= 3 && memcmp (text + at, "\xE2\x96\x81", 3) == 0) {
      to[n++] = ' ';
      at += 3;
    } else {
      to[n++] = text[at++];
    }
  }
  return n;
}

int tokenizer_load_spaced (struct tokenizer *tokenizer, struct engine_error *error)
{
  size_t total = 0, used = 0;
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++)
    total += tokenizer->tokens[i].length;
  tokenizer->arena = malloc (total + 1);
  if (!tokenizer->arena || !vocabulary_init (&tokenizer->ordinary, tokenizer->n_vocab))
    return tokenizer_no_memory (error);
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++) {
    struct token *token = &tokenizer->tokens[i];
    if (token->kind == TOKEN_CONTROL || token->kind == TOKEN_UNKNOWN || token->kind == TOKEN_BYTE)
      continue;
    char *to = tokenizer->arena + used;
    size_t n = tokenizer_unspace (token->bytes, token->length, to);
    token->bytes = to;
    token->length = (uint32_t)n;
    used += n;
    if (!token_is_special (token) && n > 0)
      vocabulary_add (&tokenizer->ordinary, to, (uint32_t)n, (int32_t)i);
  }
  return ENGINE_OK;
}
