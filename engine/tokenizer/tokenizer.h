/* tokenizer.h: text to token ids and back, from the tokenizer.ggml.* metadata of a GGUF.
 *
 * Four algorithms (SentencePiece's BPE and Unigram, byte-level BPE, WordPiece) behind one vtable; which pre-tokenizer a
 * byte-level BPE uses is a table row. Ids are exactly those of the model's reference tokenizer. */
#ifndef LECTERN_TOKENIZER_H
#define LECTERN_TOKENIZER_H

#include "engine/engine.h"
#include "engine/gguf/gguf.h"

struct tokenizer;

/* Limits and deviations. Control tokens are read only with READ_SPECIAL; user-defined ones in any text, as the
 * reference implementations do, except those written like markers ("<|user|>", "[INST]", "</s>"): they count as
 * control tokens, so that text can never forge a turn. SPM and Unigram read a literal U+2581 as a space. Vocabularies
 * without a token for some byte leave it out (BPE) or turn it into the unknown token (SPM, Unigram). WordPiece loses case,
 * accents and spacing, and Unigram what its normalisation rules change. Otherwise tokens give back every byte of the text.
 */

/* UNSUPPORTED when the model's tokenizer is unknown (the message names it), FORMAT when its tables contradict each
 * other. The gguf must outlive the tokenizer. */
int tokenizer_new (const struct gguf *gguf, struct tokenizer **tokenizer, struct engine_error *error);
void tokenizer_free (struct tokenizer *tokenizer);

const char *tokenizer_get_name (const struct tokenizer *tokenizer); /* "spm", "unigram", "bpe/llama-bpe", "wordpiece" */
uint32_t tokenizer_get_n_vocab (const struct tokenizer *tokenizer);

/* Appends to `tokens`; on failure the list is as before. Any thread. RANGE for texts over 1 GiB. */
int tokenizer_encode (const struct tokenizer *tokenizer, const char *text, size_t length, unsigned flags,
                      struct engine_tokens *tokens, struct engine_error *error);

/* One stretch of a text, to be read with its own flags. */
struct tokenizer_span {
  size_t length;
  bool read_special; /* else special tokens written in it stay text */
};

/* As tokenizer_encode() over a text of several stretches, which lie one after the other and are `length` bytes in all:
 * words may grow together across the borders, as if the text were one, but no control token is read outside a
 * stretch that allows it or across its end. */
int tokenizer_encode_spans (const struct tokenizer *tokenizer, const char *text, size_t length,
                            const struct tokenizer_span *spans, size_t n_spans, bool add_special,
                            struct engine_tokens *tokens, struct engine_error *error);

/* A query and a passage as the one input of a cross-encoder (reranker), both as plain text:
 *
 *   BERT (WordPiece)        [CLS] query [SEP] passage [SEP]      segments 0 up to the first [SEP], 1 after it
 *   ModernBERT              [CLS] query [SEP] passage [SEP]      segments 0
 *   RoBERTa, XLM-RoBERTa    <s> query </s></s> passage </s>      segments 0
 *
 * (Devlin et al. 2018, section 4.1; Liu et al. 2019.) Appends at most max_tokens: a passage that is too long loses its
 * end, the last separator stays. `segments` (may be NULL) has room for max_tokens and gets the token type id of each
 * token that was appended. On failure the tokens are as before. RANGE when the query alone does not fit, UNSUPPORTED
 * when the model has no token that separates texts: it reads pairs by a prompt of its own. Any thread. */
int tokenizer_encode_pair (const struct tokenizer *tokenizer, const char *query, size_t query_length,
                           const char *passage, size_t passage_length, size_t max_tokens, struct engine_tokens *tokens,
                           uint8_t *segments, struct engine_error *error);

/* Bytes of one token: borrowed, *length bytes. Special (control) tokens give their written form when `with_special`,
 * else nothing. Ids out of range give nothing. */
const char *tokenizer_get_piece (const struct tokenizer *tokenizer, int32_t id, bool with_special, size_t *length);

int32_t tokenizer_find (const struct tokenizer *tokenizer, const char *text, size_t length); /* exact token, or -1 */
int32_t tokenizer_get_bos (const struct tokenizer *tokenizer);                               /* -1: none */
int32_t tokenizer_get_eos (const struct tokenizer *tokenizer);
int32_t tokenizer_get_separator (const struct tokenizer *tokenizer); /* [SEP]; -1: none */
/* Whether ADD_SPECIAL begins the text with BOS ([CLS]). */
bool tokenizer_adds_bos (const struct tokenizer *tokenizer);
/* Control, unknown and user-defined tokens: written as they stand, no part of words. */
bool tokenizer_is_special (const struct tokenizer *tokenizer, int32_t id);
/* Tokens that text cannot make: read only with READ_SPECIAL, hidden unless asked for. False for ids out of range. */
bool tokenizer_is_control (const struct tokenizer *tokenizer, int32_t id);
bool tokenizer_is_end (const struct tokenizer *tokenizer, int32_t id);

/* Whether the encoder adds a space at the start of the text and after special tokens, which the decoder must drop there
 * (SPM, WordPiece). */
bool tokenizer_drops_first_space (const struct tokenizer *tokenizer);

#endif
