/* SentencePiece's unigram language model (Kudo 2018, unigram_model.cc and normalizer.cc): "t5" in GGUF, used by
 * XLM-RoBERTa's encoders and T5.
 *
 * The text is normalised, and of all ways to cut it into tokens the one with the highest sum of scores is found (Viterbi).
 * Spaces stand for SentencePiece's U+2581 throughout. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"
#include "engine/tokenizer/tokens.h"
#include "engine/tokenizer/utf8.h"

#define UNKNOWN_PENALTY 10.0 /* below the lowest score of the vocabulary: unigram_model.cc's kUnkPenalty */

/* The best way to get to a place of the text. */
struct unigram_state {
  double score;    /* -INFINITY: there is none */
  uint32_t length; /* of the last token in bytes */
  int32_t id;      /* -1: the last token is unknown */
};

static int load_trie (struct tokenizer *tokenizer, struct engine_error *error)
{
  struct trie_entry *entries = calloc (tokenizer->n_vocab, sizeof *entries);
  size_t n = 0;
  double lowest = INFINITY;
  if (!entries)
    return tokenizer_no_memory (error);
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++) {
    const struct token *token = &tokenizer->tokens[i];
    if (token->kind != TOKEN_NORMAL || !isfinite (tokenizer->scores[i]))
      continue;
    entries[n++] = (struct trie_entry){ token->bytes, token->length, (int32_t)i };
    if (tokenizer->scores[i] < lowest)
      lowest = tokenizer->scores[i];
  }
  tokenizer->unknown_score = (n > 0 ? lowest : 0) - UNKNOWN_PENALTY;
  bool made = trie_init (&tokenizer->trie, entries, n);
  free (entries);
  return made ? ENGINE_OK : tokenizer_no_memory (error);
}

static int load (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error)
{
  int status = tokenizer_load_scores (tokenizer, gguf, error);
  if (status == ENGINE_OK)
    status = tokenizer_load_byte_tokens (tokenizer, error);
  if (status == ENGINE_OK)
    status = tokenizer_load_spaced (tokenizer, error);
  if (status == ENGINE_OK)
    status = charsmap_load (&tokenizer->charsmap, gguf, error);
  if (status == ENGINE_OK)
    status = load_trie (tokenizer, error);
  tokenizer->has_all_bytes = true;
  for (int byte = 0; byte < 256; byte++)
    tokenizer->has_all_bytes &= tokenizer->byte_ids[byte] >= 0;
  gguf_get_bool (gguf, "tokenizer.ggml.remove_extra_whitespaces", &tokenizer->merge_spaces);
  return status;
}

/* Normalised text in work->text, as it grows. */
struct writer {
  struct tokenizer_work *work;
  size_t n;
  bool merge_spaces, space_pending;
};

static bool reserve (struct writer *writer, size_t more)
{
  size_t capacity = writer->work->text_capacity;
  if (more <= capacity - writer->n)
    return true;
  capacity = capacity < SIZE_MAX / 2 ? 2 * capacity : SIZE_MAX;
  return tokenizer_work_reserve (writer->work, capacity > writer->n + more ? capacity : writer->n + more);
}

/* One character, or a replacement, after the rules. Of several spaces one stays, and none at the end. */
static bool write (struct writer *writer, const char *text, size_t length)
{
  if (!reserve (writer, length + 1))
    return false;
  for (size_t i = 0; i < length; i++) {
    char *to = writer->work->text;
    if (text[i] == ' ' && writer->merge_spaces) {
      writer->space_pending |= writer->n > 0;
      continue;
    }
    if (writer->space_pending && !(writer->n == 1 && to[0] == ' '))
      to[writer->n++] = ' ';
    writer->space_pending = false;
    if (length - i >= 3 && memcmp (text + i, "\xE2\x96\x81", 3) == 0) {
      to[writer->n++] = ' ';
      i += 2;
    } else {
      to[writer->n++] = text[i];
    }
  }
  return true;
}

static int normalize (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                      bool first, size_t *n, struct engine_error *error)
{
  struct writer writer = { work, 0, tokenizer->merge_spaces, false };
  bool made = reserve (&writer, length + 1);
  if (made && first && tokenizer->add_space_prefix)
    work->text[writer.n++] = ' ';
  size_t n_before = writer.n;
  for (size_t at = 0; made && at < length;) {
    const char *piece = text + at;
    size_t n_piece, step = charsmap_find (&tokenizer->charsmap, piece, length - at, &piece, &n_piece);
    if (step == 0) {
      step = n_piece = utf8_decode (text + at, length - at, NULL);
      if (step == 0) {
        step = n_piece = 1;
        if (!tokenizer->has_all_bytes) { /* not text, and no token for the byte */
          piece = "\xEF\xBF\xBD";
          n_piece = 3;
        }
      }
    }
    made = write (&writer, piece, n_piece);
    if (made && writer.n > PRETOKENIZER_MAX_BYTES)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "The text is longer than 1 GiB once normalised; split it.");
    at += step;
  }
  if (!made)
    return tokenizer_no_memory (error);
  *n = writer.n == n_before && tokenizer->merge_spaces ? 0 : writer.n; /* nothing but spaces is nothing */
  return ENGINE_OK;
}

/* States for `n` places. */
static bool reserve_states (struct tokenizer_work *work, size_t n)
{
  if (n <= work->states_capacity)
    return true;
  size_t capacity = work->states_capacity ? work->states_capacity : 4096;
  while (capacity < n)
    capacity *= 2;
  struct unigram_state *grown = realloc (work->states, capacity * sizeof *grown);
  if (!grown)
    return false;
  work->states = grown;
  work->states_capacity = capacity;
  return true;
}

/* Appends the tokens of text[0, length), which begins where the last call ended. They are found from the end, appended in
 * that order and turned round. Unknown characters become their bytes or, a row of them, one unknown token. */
static bool append_best (const struct tokenizer *tokenizer, const struct unigram_state *states, const char *text,
                         size_t length, bool *after_unknown, struct engine_tokens *tokens)
{
  size_t n_before = tokens->n;
  for (size_t at = length, start; at > 0; at = start) {
    start = at - states[at].length;
    bool known = states[at].id >= 0, goes_on = start > 0 ? states[start].id < 0 : *after_unknown;
    if (known || (!tokenizer->has_all_bytes && !goes_on)) {
      int32_t id = known ? states[at].id : tokenizer->unknown;
      if (id >= 0 && !engine_tokens_append (tokens, id))
        return false;
    }
    for (size_t i = at; !known && tokenizer->has_all_bytes && i > start; i--)
      if (!engine_tokens_append (tokens, tokenizer->byte_ids[(uint8_t)text[i - 1]]))
        return false;
  }
  for (size_t i = n_before, j = tokens->n; i + 1 < j; i++) {
    int32_t id = tokens->ids[--j];
    tokens->ids[j] = tokens->ids[i];
    tokens->ids[i] = id;
  }
  *after_unknown = states[length].id < 0;
  return true;
}

static void offer (struct unigram_state *state, double score, size_t length, int32_t id)
{
  if (score > state->score)
    *state = (struct unigram_state){ score, (uint32_t)length, id };
}

/* Where no token that begins earlier goes on, all ways meet: what lies before is settled and its states are free. */
static bool encode_normalized (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text,
                               size_t length, struct engine_tokens *tokens)
{
  static const struct unigram_state none = { -INFINITY, 0, -1 };
  const struct trie *trie = &tokenizer->trie;
  size_t settled = 0, reached = 0; /* states exist for settled up to reached */
  bool after_unknown = false;
  if (!reserve_states (work, 1))
    return false;
  work->states[0] = (struct unigram_state){ 0, 0, -1 };
  for (size_t at = 0; at < length;) {
    size_t n_character = utf8_decode (text + at, length - at, NULL);
    if (n_character == 0)
      n_character = 1;
    if (at == reached && at > settled) {
      if (!append_best (tokenizer, work->states, text + settled, at - settled, &after_unknown, tokens))
        return false;
      settled = at;
      work->states[0] = (struct unigram_state){ 0, 0, -1 };
    }
    if (!reserve_states (work, at - settled + TRIE_MAX_BYTES + 1))
      return false;
    struct unigram_state *states = work->states + (at - settled);
    double score = states[0].score;
    bool has_character = false;
    uint32_t node = 0;
    for (size_t n = 1; n <= length - at && (node = trie_step (trie, node, (uint8_t)text[at + n - 1])); n++) {
      int32_t id = trie->nodes[node].id;
      if (id < 0 && n != n_character)
        continue;
      while (reached < at + n)
        states[++reached - at] = none;
      if (id >= 0) {
        has_character |= n == n_character;
        offer (&states[n], score + (double)tokenizer->scores[id], n, id);
      }
    }
    while (reached < at + n_character)
      states[++reached - at] = none;
    if (!has_character)
      offer (&states[n_character], score + tokenizer->unknown_score, n_character, -1);
    at += n_character;
  }
  return append_best (tokenizer, work->states, text + settled, length - settled, &after_unknown, tokens);
}

static int encode (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                   bool first, struct engine_tokens *tokens, struct engine_error *error)
{
  size_t n = 0;
  int status = normalize (tokenizer, work, text, length, first, &n, error);
  if (status == ENGINE_OK && n > 0 && !encode_normalized (tokenizer, work, work->text, n, tokens))
    status = tokenizer_no_memory (error);
  return status;
}

const struct tokenizer_family tokenizer_unigram = { .model = "t5", .name = "unigram", .load = load, .encode = encode };
