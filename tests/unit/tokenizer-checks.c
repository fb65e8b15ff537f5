#include "tokenizer-checks.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/text_stream.h"
#include "engine/tokenizer/tokens.h"
#include "engine/tokenizer/utf8.h"

#define N(array) (sizeof (array) / sizeof *(array))

void check_ids (const struct tokenizer *tokenizer, const char *text, unsigned flags, const int32_t *ids, size_t n)
{
  struct engine_tokens tokens = { 0 };
  assert (tokenizer_encode (tokenizer, text, strlen (text), flags, &tokens, NULL) == ENGINE_OK);
  bool same = tokens.n == n && (n == 0 || memcmp (tokens.ids, ids, n * sizeof *ids) == 0);
  if (!same) {
    fprintf (stderr, "\"%s\" gives", text);
    for (size_t i = 0; i < tokens.n; i++)
      fprintf (stderr, " %d", tokens.ids[i]);
    fprintf (stderr, "\n");
    abort ();
  }
  engine_tokens_clear (&tokens);
}

void check_pair (const struct tokenizer *tokenizer, const char *query, const char *passage, size_t max_tokens,
                 const int32_t *ids, size_t n, size_t n_first)
{
  struct engine_tokens tokens = { 0 };
  uint8_t segments[100];
  memset (segments, 7, sizeof segments);
  assert (engine_tokens_append (&tokens, 77)); /* what is there stays */
  assert (tokenizer_encode_pair (tokenizer, query, strlen (query), passage, strlen (passage), max_tokens, &tokens,
                                 segments, NULL)
          == ENGINE_OK);
  assert (tokens.n == 1 + n && tokens.ids[0] == 77 && memcmp (tokens.ids + 1, ids, n * sizeof *ids) == 0);
  for (size_t i = 0; i < n; i++)
    assert (segments[i] == (i >= n_first));
  assert (segments[n] == 7);
  engine_tokens_clear (&tokens);
}

static uint32_t next_random (uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

static bool is_utf8 (const char *text, size_t n)
{
  for (size_t i = 0, step; i < n; i += step)
    if ((step = utf8_decode (text + i, n - i, NULL)) == 0)
      return false;
  return true;
}

/* Streams the ids, each of whose pieces has to be whole characters, into out[2000]. */
static void stream_ids (const struct tokenizer *tokenizer, const int32_t *ids, size_t n, char *out)
{
  struct engine_text_stream *stream;
  out[0] = '\0';
  assert (tokenizer_text_stream_new (tokenizer, &stream, NULL) == ENGINE_OK);
  for (size_t i = 0; i <= n; i++) {
    const char *piece = i < n ? tokenizer_text_stream_push (stream, ids[i]) : tokenizer_text_stream_finish (stream);
    assert (is_utf8 (piece, strlen (piece)) && strlen (out) + strlen (piece) < 2000);
    strcat (out, piece);
  }
  tokenizer_text_stream_free (stream);
}

static void check_round_trip (const struct tokenizer *tokenizer, const char *text, size_t n)
{
  struct engine_tokens tokens = { 0 };
  char *back, streamed[2000];
  size_t n_back;
  assert (tokenizer_encode (tokenizer, text, n, ENGINE_TOKENIZE_TEXT, &tokens, NULL) == ENGINE_OK);
  assert (tokenizer_decode (tokenizer, tokens.ids, tokens.n, false, &back, &n_back, NULL) == ENGINE_OK);
  assert (n_back == n && memcmp (back, text, n) == 0);
  stream_ids (tokenizer, tokens.ids, tokens.n, streamed);
  if (is_utf8 (text, n) && !memchr (text, '\0', n))
    assert (strlen (streamed) == n && memcmp (streamed, text, n) == 0);
  free (back);
  engine_tokens_clear (&tokens);
}

void check_round_trips (const struct tokenizer *tokenizer)
{
  static const char *const parts[]
      = { "a",    "b",    "ab",       " ",    "  ",  "\n",      "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\xA6\x89",
          "\xFF", "\xC3", "\xE2\x82", "\x80", "<s>", "<|end|>", "[tag]",    "\xED\xA0\x80" };
  uint64_t state = 1;
  for (int round = 0; round < 3000; round++) {
    char text[400];
    size_t n = 0;
    for (uint32_t i = next_random (&state) % 40; i > 0; i--) {
      const char *part = parts[next_random (&state) % N (parts)];
      memcpy (text + n, part, strlen (part));
      n += strlen (part);
    }
    check_round_trip (tokenizer, text, n);
    for (n = 0; n < next_random (&state) % 200; n++)
      text[n] = (char)(next_random (&state) % 256);
    if (!memmem (text, n, "\xE2\x96\x81", 3)) /* SentencePiece's space */
      check_round_trip (tokenizer, text, n);
  }
}

void check_streams (const struct tokenizer *tokenizer)
{
  uint64_t state = 2;
  for (int round = 0; round < 500; round++) {
    int32_t ids[50];
    char out[2000];
    size_t n = next_random (&state) % N (ids);
    for (size_t i = 0; i < n; i++)
      ids[i] = (int32_t)(next_random (&state) % tokenizer_get_n_vocab (tokenizer));
    stream_ids (tokenizer, ids, n, out);
  }
}

void check_long (const struct tokenizer *tokenizer, char letter)
{
  size_t n = 1 << 20;
  char *text = malloc (n);
  struct engine_tokens tokens = { 0 };
  memset (text, letter, n);
  clock_t start = clock ();
  assert (tokenizer_encode (tokenizer, text, n, ENGINE_TOKENIZE_READ_SPECIAL, &tokens, NULL) == ENGINE_OK);
  assert ((double)(clock () - start) / CLOCKS_PER_SEC < 30);
  engine_tokens_clear (&tokens);
  free (text);
}
