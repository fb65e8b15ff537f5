/* Byte-level BPE (Radford et al. 2019): "gpt2" in GGUF; and "gemma4", whose BPE merges characters.
 *
 * The file writes each byte as a printable character (GPT-2's encoder.py); tokens are turned back into bytes when they
 * are loaded, and merges into pairs of ids, so that encoding touches no strings. Rows of the pre-tokenizer table that are
 * "spaced" have characters instead, U+2581 for the space and tokens like <0x0A> for bytes, as SentencePiece. */
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"
#include "engine/tokenizer/tokens.h"
#include "engine/tokenizer/utf8.h"

#define N_BYTE_CHARACTERS 324 /* U+0000 to U+0143 hold all that stand for bytes */

/* The byte that each character stands for, -1 for none. */
static void make_byte_characters (int16_t bytes[N_BYTE_CHARACTERS])
{
  int next = 256;
  for (int i = 0; i < N_BYTE_CHARACTERS; i++)
    bytes[i] = -1;
  for (int byte = 0; byte < 256; byte++) {
    bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    bytes[printable ? byte : next++] = (int16_t)byte;
  }
}

/* Writes the bytes that text[0, length) stands for, never more than `length`; SIZE_MAX if a character stands for none.
 * Without `characters` it is spaced text. */
static size_t decode_characters (const int16_t *characters, const char *text, size_t length, char *to)
{
  size_t n = 0;
  if (!characters)
    return tokenizer_unspace (text, length, to);
  for (size_t at = 0; at < length;) {
    uint32_t c = (uint8_t)text[at];
    size_t step = c < 0x80 ? 1 : utf8_decode (text + at, length - at, &c);
    if (step == 0 || c >= N_BYTE_CHARACTERS || characters[c] < 0)
      return SIZE_MAX;
    to[n++] = (char)(uint8_t)characters[c];
    at += step;
  }
  return n;
}

static int load_tokens (struct tokenizer *tokenizer, const int16_t *characters, struct engine_error *error)
{
  size_t total = 0, used = 0;
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++)
    if (!token_is_special (&tokenizer->tokens[i]))
      total += tokenizer->tokens[i].length;
  tokenizer->arena = malloc (total + 1);
  if (!tokenizer->arena || !vocabulary_init (&tokenizer->ordinary, tokenizer->n_vocab))
    return tokenizer_no_memory (error);
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++) {
    struct token *token = &tokenizer->tokens[i];
    if (token_is_special (token) || token->length == 0)
      continue;
    size_t n = decode_characters (characters, token->bytes, token->length, tokenizer->arena + used);
    if (n == SIZE_MAX) /* not byte-level text: it can be shown, but no merge makes it */
      continue;
    token->bytes = tokenizer->arena + used;
    token->length = (uint32_t)n;
    used += n;
    vocabulary_add (&tokenizer->ordinary, token->bytes, token->length, (int32_t)i);
  }
  for (int byte = 0; byte < 256; byte++)
    tokenizer->byte_ids[byte] = vocabulary_find (&tokenizer->ordinary, &tokenizer_bytes[byte], 1);
  return ENGINE_OK;
}

/* "left right" to the merge table. Merges of or into strings that are no tokens can never happen and are left out. */
static void load_merge (struct tokenizer *tokenizer, const int16_t *characters, struct gguf_string merge, uint32_t rank,
                        int32_t *last_id, char *buffer)
{
  const char *space = merge.length > 1 ? memchr (merge.bytes + 1, ' ', merge.length - 1) : NULL;
  if (!space)
    return;
  size_t left = (size_t)(space - merge.bytes), right = merge.length - left - 1;
  size_t longest = 3 * (size_t)tokenizer->ordinary.max_length; /* a byte takes at most three in the file */
  if (left > longest || right > longest)
    return;
  size_t n_left = decode_characters (characters, merge.bytes, left, buffer);
  if (n_left == SIZE_MAX)
    return;
  size_t n_right = decode_characters (characters, space + 1, right, buffer + n_left);
  if (n_right == SIZE_MAX)
    return;
  int32_t left_id = vocabulary_find (&tokenizer->ordinary, buffer, n_left);
  int32_t right_id = vocabulary_find (&tokenizer->ordinary, buffer + n_left, n_right);
  /* Vocabularies mostly list tokens in the order of their merges, which is quicker to check than to look up. */
  int32_t id = *last_id + 1;
  const struct token *next = (uint32_t)id < tokenizer->n_vocab ? &tokenizer->tokens[id] : NULL;
  if (!next || token_is_special (next) || next->length != n_left + n_right
      || memcmp (next->bytes, buffer, next->length) != 0)
    id = vocabulary_find (&tokenizer->ordinary, buffer, n_left + n_right);
  *last_id = id;
  if (left_id >= 0 && right_id >= 0 && id >= 0)
    merge_table_add (&tokenizer->merges, left_id, right_id, rank, id);
}

static int load_merges (struct tokenizer *tokenizer, const int16_t *characters, const struct gguf *gguf,
                        struct engine_error *error)
{
  static const char *const key = "tokenizer.ggml.merges";
  enum gguf_kind kind;
  uint64_t n;
  if (!gguf_get_array (gguf, key, &kind, &n) || kind != GGUF_STRING || n >= UINT32_MAX)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The model has no merges (%s) for its byte-level BPE tokenizer; convert it again.", key);
  struct gguf_string *merges = calloc (n ? n : 1, sizeof *merges);
  char *buffer = malloc (6 * (size_t)tokenizer->ordinary.max_length + 1);
  int32_t last_id = -1;
  int status = ENGINE_OK;
  if (!merges || !buffer || !merge_table_init (&tokenizer->merges, n))
    status = tokenizer_no_memory (error);
  else if (!gguf_array_copy_strings (gguf, key, merges, n))
    status = engine_error_set (error, ENGINE_ERROR_FORMAT, "The model's merges (%s) cannot be read.", key);
  for (uint64_t i = 0; i < n && status == ENGINE_OK; i++)
    load_merge (tokenizer, characters, merges[i], (uint32_t)i, &last_id, buffer);
  free (merges);
  free (buffer);
  return status;
}

static int load (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error)
{
  struct gguf_string pre = { NULL, 0 };
  int16_t characters[N_BYTE_CHARACTERS];
  gguf_get_string (gguf, "tokenizer.ggml.pre", &pre);
  if (tokenizer->family == &tokenizer_gemma4)
    pre = (struct gguf_string){ "gemma4", strlen ("gemma4") };
  int status = pretokenizer_new (pre, &tokenizer->pretokenizer, error);
  if (status != ENGINE_OK)
    return status;
  tokenizer->spaced = pretokenizer_get_row (tokenizer->pretokenizer)->spaced;
  if (tokenizer->spaced) {
    status = tokenizer_load_byte_tokens (tokenizer, error);
    if (status == ENGINE_OK)
      status = tokenizer_load_spaced (tokenizer, error);
  } else {
    make_byte_characters (characters);
    status = load_tokens (tokenizer, characters, error);
  }
  return status == ENGINE_OK ? load_merges (tokenizer, tokenizer->spaced ? NULL : characters, gguf, error) : status;
}

static bool find_merge (const void *context, const struct merger_symbol *left, const struct merger_symbol *right,
                        uint32_t *priority, int32_t *id)
{
  const struct merge_slot *slot = merge_table_find (context, left->id, right->id);
  if (!slot)
    return false;
  *priority = slot->rank;
  *id = slot->id;
  return true;
}

static bool encode_word (const struct tokenizer *tokenizer, struct merger *merger, const char *text, size_t length,
                         struct engine_tokens *tokens)
{
  bool spaced = tokenizer->spaced;
  /* Gemma's runs of line ends are tokens that no merge makes. */
  if (length == 1 || pretokenizer_get_row (tokenizer->pretokenizer)->ignore_merges || (spaced && text[0] == '\n')) {
    int32_t id = vocabulary_find (&tokenizer->ordinary, text, length);
    if (id >= 0)
      return engine_tokens_append (tokens, id);
  }
  merger_start (merger);
  /* Some vocabularies lack tokens for rare bytes, which are then left out; nothing merges across them. */
  for (size_t i = 0, n; i < length; i += n) {
    n = spaced ? utf8_decode (text + i, length - i, NULL) : 1;
    if (n == 0)
      n = 1;
    int32_t id = spaced ? vocabulary_find (&tokenizer->ordinary, text + i, n) : tokenizer->byte_ids[(uint8_t)text[i]];
    if (!merger_append (merger, text + i, (uint32_t)n, id))
      return false;
  }
  if (!merger_run (merger, find_merge, &tokenizer->merges))
    return false;
  for (size_t i = 0; i < merger->n_symbols; i++) {
    const struct merger_symbol *symbol = &merger->symbols[i];
    if (symbol->id >= 0 && symbol->length > 0 && !engine_tokens_append (tokens, symbol->id))
      return false;
    for (uint32_t j = 0; spaced && symbol->id < 0 && j < symbol->length; j++) {
      int32_t id = tokenizer->byte_ids[(uint8_t)symbol->bytes[j]];
      if (id >= 0 && !engine_tokens_append (tokens, id))
        return false;
    }
  }
  return true;
}

static int encode (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                   bool first, struct engine_tokens *tokens, struct engine_error *error)
{
  if (tokenizer->spaced) {
    if (!tokenizer_work_reserve (work, length))
      return tokenizer_no_memory (error);
    length = tokenizer_unspace (text, length, work->text);
    text = work->text;
  }
  int status = pretokenizer_split (tokenizer->pretokenizer, text, length, &work->pieces, error);
  if (status != ENGINE_OK)
    return status;
  for (size_t i = 0, at = 0; i < work->pieces.n; at += work->pieces.lengths[i++])
    if (!encode_word (tokenizer, &work->merger, text + at, work->pieces.lengths[i], tokens))
      return tokenizer_no_memory (error);
  return ENGINE_OK;
}

const struct tokenizer_family tokenizer_bpe = { .model = "gpt2", .name = "bpe", .load = load, .encode = encode };
const struct tokenizer_family tokenizer_gemma4 = { .model = "gemma4", .name = "bpe", .load = load, .encode = encode };
