/* tokenizer.h: text to token ids and back, from the tokenizer.ggml.* metadata of a GGUF.
 *
 * Three algorithms (SentencePiece BPE with byte fallback, byte-level BPE, WordPiece) behind one vtable; which
 * pre-tokenizer a byte-level BPE uses is a table row. Ids are exactly those of the model's reference tokenizer. */
#ifndef LECTERN_TOKENIZER_H
#define LECTERN_TOKENIZER_H

#include "engine/engine.h"
#include "engine/gguf/gguf.h"

struct tokenizer;

/* UNSUPPORTED when the model's tokenizer is unknown (the message names it), FORMAT when its tables contradict each
 * other. The gguf must outlive the tokenizer. */
int tokenizer_new (const struct gguf *gguf, struct tokenizer **tokenizer, struct engine_error *error);
void tokenizer_free (struct tokenizer *tokenizer);

const char *tokenizer_get_name (const struct tokenizer *tokenizer); /* "spm", "bpe/llama-bpe", "wordpiece" */
uint32_t tokenizer_get_n_vocab (const struct tokenizer *tokenizer);

int tokenizer_encode (const struct tokenizer *tokenizer, const char *text, size_t length, unsigned flags,
                      struct engine_tokens *tokens, struct engine_error *error);

/* Bytes of one token: borrowed, *length bytes. Special (control) tokens give their written form when `with_special`,
 * else nothing. Ids out of range give nothing. */
const char *tokenizer_get_piece (const struct tokenizer *tokenizer, int32_t id, bool with_special, size_t *length);

int32_t tokenizer_find (const struct tokenizer *tokenizer, const char *text, size_t length); /* exact token, or -1 */
int32_t tokenizer_get_bos (const struct tokenizer *tokenizer);                               /* -1: none */
int32_t tokenizer_get_eos (const struct tokenizer *tokenizer);
bool tokenizer_is_end (const struct tokenizer *tokenizer, int32_t id);

/* Whether ids written as text keep a leading space that the encoder added and the decoder must drop (SPM). */
bool tokenizer_drops_first_space (const struct tokenizer *tokenizer);

#endif
