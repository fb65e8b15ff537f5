/* pretokenizer.h: cutting text into the words that byte-level BPE merges within.
 *
 * Which cuts a vocabulary was trained with is named by tokenizer.ggml.pre. Each name is a table row: a list of
 * patterns, applied one after the other to the pieces that the one before left; what matches becomes a piece, and so
 * does what lies between matches. Bytes that are not UTF-8 are pieces of their own. */
#ifndef LECTERN_TOKENIZER_PRETOKENIZER_H
#define LECTERN_TOKENIZER_PRETOKENIZER_H

#include "engine/engine.h"
#include "engine/gguf/gguf.h"

#define PRETOKENIZER_MAX_PATTERNS 6

struct pretokenizer_row {
  const char *names[12]; /* values of tokenizer.ggml.pre; unused ones NULL */
  const char *patterns[PRETOKENIZER_MAX_PATTERNS];
  bool ignore_merges; /* a word that is a token as it stands is not merged */
  bool add_bos;       /* when tokenizer.ggml.add_bos_token is absent */
  bool spaced;  /* tokens hold characters, with U+2581 for the space, not GPT-2's bytes; BOS then is not optional */
  int grouped;  /* 1 + the pattern whose matches are cut into threes from their end; 0: none */
  bool roberta; /* pairs have two separators between their texts */
};

extern const struct pretokenizer_row pretokenizer_rows[];
extern const size_t pretokenizer_n_rows;

struct pretokenizer;

/* UNSUPPORTED, with its name, when `pre` is not in the table. An empty name is "default". */
int pretokenizer_new (struct gguf_string pre, struct pretokenizer **pretokenizer, struct engine_error *error);
void pretokenizer_free (struct pretokenizer *pretokenizer);
const struct pretokenizer_row *pretokenizer_get_row (const struct pretokenizer *pretokenizer);

/* Lengths in bytes of consecutive pieces; start from {0}, reused from call to call. */
struct pretokenizer_pieces {
  uint32_t *lengths, *spare;
  size_t n, n_spare, capacity, spare_capacity;
};
void pretokenizer_pieces_release (struct pretokenizer_pieces *pieces);

#define PRETOKENIZER_MAX_BYTES ((size_t)1 << 30)

/* Cuts text[0, length), at most PRETOKENIZER_MAX_BYTES; the lengths add up to `length`. Any thread. */
int pretokenizer_split (const struct pretokenizer *pretokenizer, const char *text, size_t length,
                        struct pretokenizer_pieces *pieces, struct engine_error *error);

#endif
