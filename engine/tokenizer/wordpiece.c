/* WordPiece with BERT's basic tokenizer (Devlin et al. 2018, google-research/bert tokenization.py): "bert" in GGUF.
 *
 * The vocabulary is in phantom-space form: a token that begins a word has a U+2581 before it, read here as a space, and
 * one that continues a word stands as it is. */
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"
#include "engine/tokenizer/tokens.h"
#include "engine/tokenizer/unicode.h"
#include "engine/tokenizer/utf8.h"

#define MAX_WORD_CHARACTERS 100 /* longer words are unknown: tokenization.py's max_input_chars_per_word */

struct word {
  char bytes[1 + 4 * MAX_WORD_CHARACTERS];
  size_t length; /* 1: nothing but the space before it */
  size_t n_characters;
};

static int load (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error)
{
  tokenizer->lower_case = true;
  gguf_get_bool (gguf, "tokenizer.ggml.normalizer.lowercase", &tokenizer->lower_case);
  tokenizer->strip_accents = tokenizer->lower_case;
  gguf_get_bool (gguf, "tokenizer.ggml.normalizer.strip_accents", &tokenizer->strip_accents);
  return tokenizer_load_spaced (tokenizer, error);
}

static void start_word (struct word *word)
{
  word->bytes[0] = ' ';
  word->length = 1;
  word->n_characters = 0;
}

/* The longest token first, from left to right; all of the word or [UNK]. */
static bool end_word (const struct tokenizer *tokenizer, struct word *word, struct engine_tokens *tokens)
{
  size_t n_before = tokens->n;
  bool whole = word->n_characters <= MAX_WORD_CHARACTERS;
  if (word->n_characters == 0)
    return true;
  for (size_t at = 0; whole && at < word->length;) {
    size_t n = word->length - at;
    int32_t id = -1;
    if (n > tokenizer->ordinary.max_length)
      n = tokenizer->ordinary.max_length;
    for (; n > 0; n--)
      if ((id = vocabulary_find (&tokenizer->ordinary, word->bytes + at, n)) >= 0)
        break;
    if (id < 0)
      whole = false;
    else if (!engine_tokens_append (tokens, id))
      return false;
    at += n;
  }
  if (!whole) {
    tokens->n = n_before;
    if (tokenizer->unknown >= 0 && !engine_tokens_append (tokens, tokenizer->unknown))
      return false;
  }
  start_word (word);
  return true;
}

static void append_character (struct word *word, uint32_t c)
{
  if (word->n_characters++ < MAX_WORD_CHARACTERS)
    word->length += utf8_encode (c, word->bytes + word->length);
}

static bool push_character (const struct tokenizer *tokenizer, struct word *word, uint32_t c,
                            struct engine_tokens *tokens)
{
  if (unicode_is_space (c))
    return end_word (tokenizer, word, tokens);
  if (c == 0 || c == 0xFFFD || unicode_is_control (c))
    return true;
  uint32_t parts[UNICODE_MAX_DECOMPOSITION] = { c };
  size_t n_parts = tokenizer->strip_accents ? unicode_decompose (c, parts) : 1;
  for (size_t i = 0; i < n_parts; i++) {
    uint32_t part = parts[i];
    if (tokenizer->strip_accents && unicode_is_nonspacing_mark (part))
      continue;
    if (tokenizer->lower_case)
      part = unicode_to_lower (part);
    bool alone = unicode_is_punctuation (part) || unicode_is_cjk (part);
    if (alone && !end_word (tokenizer, word, tokens))
      return false;
    append_character (word, part);
    if (alone && !end_word (tokenizer, word, tokens))
      return false;
  }
  return true;
}

static int encode (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                   bool first, struct engine_tokens *tokens, struct engine_error *error)
{
  struct word word;
  start_word (&word);
  for (size_t at = 0; at < length;) {
    uint32_t c;
    size_t n = utf8_decode (text + at, length - at, &c);
    if (n == 0) { /* not text: as U+FFFD, which the normaliser drops */
      c = 0xFFFD;
      n = 1;
    }
    if (!push_character (tokenizer, &word, c, tokens))
      return tokenizer_no_memory (error);
    at += n;
  }
  return end_word (tokenizer, &word, tokens) ? ENGINE_OK : tokenizer_no_memory (error);
}

const struct tokenizer_family tokenizer_wordpiece
    = { .model = "bert", .name = "wordpiece", .load = load, .encode = encode };
