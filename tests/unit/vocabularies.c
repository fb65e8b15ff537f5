#include "vocabularies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_byte (enum vocabulary_base base, int byte, char name[8])
{
  if (base == BASE_SPM) {
    snprintf (name, 8, "<0x%02X>", (unsigned)byte);
    return;
  }
  /* GPT-2's printable characters for bytes. */
  int c = byte;
  if (byte <= 32)
    c = 256 + byte;
  else if (byte >= 127 && byte <= 160)
    c = 256 + 33 + byte - 127;
  else if (byte == 173)
    c = 256 + 67;
  if (c < 128)
    snprintf (name, 8, "%c", c);
  else
    snprintf (name, 8, "%c%c", 0xC0 | c >> 6, 0x80 | (c & 63));
}

int32_t vocabulary_file_add (struct vocabulary_file *file, enum vocabulary_base base,
                             const struct vocabulary_token *tokens, size_t n)
{
  size_t first = base == BASE_NONE ? 0 : 256, total = first + n;
  char (*names)[8] = calloc (256, sizeof *names);
  const char **texts = calloc (total + 1, sizeof *texts);
  int32_t *types = calloc (total + 1, sizeof *types);
  float *scores = calloc (total + 1, sizeof *scores);
  if (!names || !texts || !types || !scores)
    abort ();
  for (size_t i = 0; i < first; i++) {
    name_byte (base, (int)i, names[i]);
    texts[i] = names[i];
    types[i] = base == BASE_SPM ? BYTE : NORMAL;
  }
  for (size_t i = 0; i < n; i++) {
    texts[first + i] = tokens[i].text;
    types[first + i] = tokens[i].type;
    scores[first + i] = tokens[i].score;
  }
  gguf_writer_add_strings (&file->writer, "tokenizer.ggml.tokens", texts, total);
  gguf_writer_add_array (&file->writer, "tokenizer.ggml.token_type", GGUF_I32, types, total, total * sizeof *types);
  if (base == BASE_SPM)
    gguf_writer_add_array (&file->writer, "tokenizer.ggml.scores", GGUF_F32, scores, total, total * sizeof *scores);
  free (names);
  free (texts);
  free (types);
  free (scores);
  return (int32_t)first;
}

int vocabulary_file_open (struct vocabulary_file *file)
{
  file->bytes = gguf_writer_finish (&file->writer);
  int status = gguf_open_memory (file->bytes.data, file->bytes.n, &file->gguf, &file->error);
  return status == ENGINE_OK ? tokenizer_new (file->gguf, &file->tokenizer, &file->error) : status;
}

void vocabulary_file_close (struct vocabulary_file *file)
{
  tokenizer_free (file->tokenizer);
  gguf_close (file->gguf);
  bytes_clear (&file->bytes);
  gguf_writer_clear (&file->writer);
  memset (file, 0, sizeof *file);
}
