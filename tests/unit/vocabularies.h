/* vocabularies.h: small tokenizers for tests, one of each family, as GGUF in memory. */
#ifndef LECTERN_VOCABULARIES_H
#define LECTERN_VOCABULARIES_H

#include "engine/tokenizer/tokenizer.h"
#include "gguf-writer.h"

/* token_type values */
enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, BYTE = 6 };

struct vocabulary_file {
  struct gguf_writer writer;
  struct bytes bytes;
  struct gguf *gguf;
  struct tokenizer *tokenizer;
  struct engine_error error;
};

struct vocabulary_token {
  const char *text;
  int32_t type;
  float score;
};

/* Adds tokens, types and scores to file->writer: first what `base` makes (256 byte tokens of either family; none for
 * WordPiece), then tokens[0, n). Ids of the latter start at the returned number. */
enum vocabulary_base { BASE_NONE, BASE_SPM, BASE_BPE };
int32_t vocabulary_file_add (struct vocabulary_file *file, enum vocabulary_base base,
                             const struct vocabulary_token *tokens, size_t n);
/* Rules as SentencePiece's precompiled_charsmap has them (engine/tokenizer/charsmap.h); the caller clears the bytes. */
struct charsmap_rule {
  const char *from, *to;
};
struct bytes make_charsmap (const struct charsmap_rule *rules, size_t n);

/* Opens what was written; the status of tokenizer_new(). */
int vocabulary_file_open (struct vocabulary_file *file);
void vocabulary_file_close (struct vocabulary_file *file);

#endif
