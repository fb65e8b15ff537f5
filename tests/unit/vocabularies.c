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

/* The place of the children of a node at `index`: all of them, by byte, have to be free. */
static uint32_t find_base (const bool *used, const bool *children)
{
  for (uint32_t base = 1;; base++) {
    bool is_free = true;
    for (uint32_t c = 0; c < 256; c++)
      is_free &= !children[c] || !used[base ^ c];
    if (is_free)
      return base;
  }
}

/* Writes the node of all rules that begin with prefix[0, depth). */
static void add_unit (const struct charsmap_rule *rules, const size_t *offsets, size_t n, const char *prefix,
                      size_t depth, uint32_t index, uint32_t *units, bool *used)
{
  bool children[256] = { false };
  uint32_t value = UINT32_MAX;
  for (size_t i = 0; i < n; i++)
    if (strncmp (rules[i].from, prefix, depth) == 0) {
      children[(uint8_t)rules[i].from[depth]] = true; /* 0: the rule ends here, and its value is the child */
      if (!rules[i].from[depth])
        value = (uint32_t)offsets[i];
    }
  uint32_t base = find_base (used, children);
  units[index] = (index ^ base) << 10 | (uint32_t)children[0] << 8 | (depth ? (uint8_t)prefix[depth - 1] : 0);
  for (uint32_t c = 0; c < 256; c++)
    used[base ^ c] |= children[c];
  if (children[0])
    units[base] = UINT32_C (1) << 31 | value;
  for (uint32_t c = 1; c < 256; c++)
    if (children[c]) {
      char longer[32];
      memcpy (longer, prefix, depth);
      longer[depth] = (char)c;
      add_unit (rules, offsets, n, longer, depth + 1, base ^ c, units, used);
    }
}

struct bytes make_charsmap (const struct charsmap_rule *rules, size_t n)
{
  enum { N_UNITS = 4096 };
  struct bytes bytes = { 0 }, replacements = { 0 };
  uint32_t *units = calloc (N_UNITS, sizeof *units);
  bool *used = calloc (N_UNITS, sizeof *used);
  size_t *offsets = calloc (n, sizeof *offsets);
  if (!units || !used || !offsets)
    abort ();
  for (size_t i = 0; i < n; i++) {
    offsets[i] = replacements.n;
    bytes_append (&replacements, rules[i].to, strlen (rules[i].to) + 1);
  }
  used[0] = true;
  add_unit (rules, offsets, n, "", 0, 0, units, used);
  bytes_append_le (&bytes, N_UNITS * sizeof *units, 4);
  for (size_t i = 0; i < N_UNITS; i++)
    bytes_append_le (&bytes, units[i], 4);
  bytes_append (&bytes, replacements.data, replacements.n);
  bytes_clear (&replacements);
  free (units);
  free (used);
  free (offsets);
  return bytes;
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
