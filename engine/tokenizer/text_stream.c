#include "engine/tokenizer/text_stream.h"

#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/utf8.h"

static const char replacement[] = "\xEF\xBF\xBD";

struct engine_text_stream {
  struct detokenizer detokenizer;
  char held[4]; /* the beginning of a character */
  size_t n_held;
  char *text; /* room for the longest token: the token loop allocates nothing */
};

int tokenizer_text_stream_new (const struct tokenizer *tokenizer, struct engine_text_stream **stream,
                               struct engine_error *error)
{
  size_t longest = 0, length;
  for (uint32_t id = 0; id < tokenizer_get_n_vocab (tokenizer); id++) {
    tokenizer_get_piece (tokenizer, (int32_t)id, false, &length);
    if (length > longest)
      longest = length;
  }
  struct engine_text_stream *made = calloc (1, sizeof *made);
  /* Every byte may become a replacement character. */
  char *text = malloc (3 * (longest + sizeof made->held) + 1);
  if (!made || !text) {
    free (made);
    free (text);
    return tokenizer_no_memory (error);
  }
  made->text = text;
  detokenizer_init (&made->detokenizer, tokenizer, false);
  *stream = made;
  return ENGINE_OK;
}

void tokenizer_text_stream_free (struct engine_text_stream *stream)
{
  if (!stream)
    return;
  free (stream->text);
  free (stream);
}

static size_t put_replacement (char *text)
{
  memcpy (text, replacement, 3);
  return 3;
}

/* Takes one byte more into `held` and writes what is complete; returns how much was written. */
static size_t take_byte (struct engine_text_stream *stream, char byte, char *text)
{
  size_t n = 0;
  stream->held[stream->n_held++] = byte;
  for (;;) {
    if (stream->n_held == 0)
      return n;
    if (utf8_decode (stream->held, stream->n_held, NULL) == stream->n_held) {
      if (stream->held[0] == '\0')
        n += put_replacement (text + n);
      else {
        memcpy (text + n, stream->held, stream->n_held);
        n += stream->n_held;
      }
      stream->n_held = 0;
      return n;
    }
    if (utf8_incomplete_tail (stream->held, stream->n_held) == stream->n_held)
      return n;
    /* The last byte does not continue what was held: that is lost, and the byte may begin anew. */
    n += put_replacement (text + n);
    bool alone = stream->n_held == 1;
    stream->held[0] = byte;
    stream->n_held = alone ? 0 : 1;
  }
}

const char *tokenizer_text_stream_push (struct engine_text_stream *stream, int32_t id)
{
  size_t length, n = 0;
  const char *piece = detokenizer_next (&stream->detokenizer, id, &length);
  for (size_t i = 0; i < length; i++)
    n += take_byte (stream, piece[i], stream->text + n);
  stream->text[n] = '\0';
  return stream->text;
}

const char *tokenizer_text_stream_finish (struct engine_text_stream *stream)
{
  size_t n = stream->n_held ? put_replacement (stream->text) : 0;
  stream->n_held = 0;
  stream->text[n] = '\0';
  return stream->text;
}
