/* tokenizer_private.h: what the files of engine/tokenizer/ share. */
#ifndef LECTERN_TOKENIZER_PRIVATE_H
#define LECTERN_TOKENIZER_PRIVATE_H

#include "engine/tokenizer/charsmap.h"
#include "engine/tokenizer/merger.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/special.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/trie.h"
#include "engine/tokenizer/vocabulary.h"

/* tokenizer.ggml.token_type */
enum token_kind {
  TOKEN_UNDEFINED,
  TOKEN_NORMAL,
  TOKEN_UNKNOWN,
  TOKEN_CONTROL,
  TOKEN_USER_DEFINED,
  TOKEN_UNUSED,
  TOKEN_BYTE,
  TOKEN_N_KINDS
};

struct token {
  const char *bytes; /* what it stands for in text; for special tokens, how it is written */
  uint32_t length;
  uint8_t kind;
  bool is_end;
  bool strips_after; /* the white space that follows it in text belongs to it */
};

/* Buffers of one call, so that words do not allocate. Start from {0}. */
struct tokenizer_work {
  struct merger merger;
  struct pretokenizer_pieces pieces;
  char *text;
  size_t text_capacity;
  struct unigram_state *states; /* unigram */
  size_t states_capacity;
};

struct tokenizer_family {
  const char *model; /* tokenizer.ggml.model */
  const char *name;
  /* Prepares the tables from tokenizer->tokens, whose bytes still are as the file has them. */
  int (*load) (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error);
  /* Text without special tokens; `first`: it begins the text or follows a special token. */
  int (*encode) (const struct tokenizer *tokenizer, struct tokenizer_work *work, const char *text, size_t length,
                 bool first, struct engine_tokens *tokens, struct engine_error *error);
};

struct tokenizer {
  const struct tokenizer_family *family;
  char name[64];
  struct token *tokens;
  uint32_t n_vocab;
  char *arena;                /* bytes of the tokens that differ from the file */
  struct vocabulary ordinary; /* by bytes */
  struct vocabulary written;  /* special tokens by how they are written */
  struct special_matcher specials;
  int32_t bos, eos, unknown, separator; /* -1: none */
  bool add_bos, add_eos;
  bool doubles_separator; /* between the texts of a pair, as RoBERTa has it */
  bool add_space_prefix;
  float *scores;                     /* spm, unigram */
  int32_t byte_ids[256];             /* spm, unigram, bpe; -1: none */
  bool cuts_at_spaces;               /* spm: no token goes on after a space that follows something else */
  struct trie trie;                  /* unigram */
  struct charsmap charsmap;          /* unigram */
  double unknown_score;              /* unigram */
  bool has_all_bytes;                /* unigram: there is a token for each byte */
  bool merge_spaces;                 /* unigram: SentencePiece's remove_extra_whitespaces */
  struct merge_table merges;         /* bpe */
  struct pretokenizer *pretokenizer; /* bpe */
  bool spaced;                       /* bpe: characters and U+2581, not GPT-2's bytes */
  bool lower_case, strip_accents;    /* wordpiece */
};

extern const struct tokenizer_family tokenizer_spm, tokenizer_unigram, tokenizer_bpe, tokenizer_gemma4,
    tokenizer_wordpiece;

extern const char tokenizer_bytes[256]; /* every byte, for tokens that stand for one */

/* Makes room for `length` bytes in work->text; false when out of memory. */
bool tokenizer_work_reserve (struct tokenizer_work *work, size_t length);

/* What ADD_SPECIAL ends a text with: [SEP], EOS, or -1 for nothing. */
int32_t tokenizer_get_last (const struct tokenizer *tokenizer);

static inline bool token_is_special (const struct token *token)
{
  return token->kind == TOKEN_CONTROL || token->kind == TOKEN_UNKNOWN || token->kind == TOKEN_USER_DEFINED;
}

/* sentencepiece.c. FORMAT when there is not one score per token. */
int tokenizer_load_scores (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error);
/* Byte tokens ("<0x0A>") stand for their byte from here on. FORMAT when one is written otherwise. */
int tokenizer_load_byte_tokens (struct tokenizer *tokenizer, struct engine_error *error);
/* Copies text[0, length) with each U+2581 turned into a space; returns how much was written, never more than `length`. */
size_t tokenizer_unspace (const char *text, size_t length, char *to);
/* Copies the tokens' bytes into tokenizer->arena with U+2581 turned into a space, special tokens excepted, and fills
 * tokenizer->ordinary with the others. */
int tokenizer_load_spaced (struct tokenizer *tokenizer, struct engine_error *error);

#endif
