/* text_stream.h: engine_text_stream over a tokenizer: text as it is generated, only in whole characters.
 *
 * Bytes that could still become a character are held back. What can become none is given as U+FFFD, so that the
 * stream is always valid UTF-8. Special tokens are left out. */
#ifndef LECTERN_TOKENIZER_TEXT_STREAM_H
#define LECTERN_TOKENIZER_TEXT_STREAM_H

#include "engine/tokenizer/tokenizer.h"

/* The tokenizer must outlive the stream. NO_MEMORY is the only error. */
int tokenizer_text_stream_new (const struct tokenizer *tokenizer, struct engine_text_stream **stream,
                               struct engine_error *error);
void tokenizer_text_stream_free (struct engine_text_stream *stream);
/* NUL-terminated (NUL characters of the text are given as U+FFFD), borrowed until the next call. */
const char *tokenizer_text_stream_push (struct engine_text_stream *stream, int32_t id);
const char *tokenizer_text_stream_finish (struct engine_text_stream *stream);

#endif
