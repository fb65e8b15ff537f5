/* Vectors of real tokenizers (tests/data/tokenizers/README.md): against the part of the vocabulary that lies beside them, and
 * against the whole one where SHARED/tokenizers has it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer-checks.h"

#define MAX_IDS 200

static const char *const names[] = { "llama-bpe", "qwen2" };

struct excerpt {
  uint32_t n_vocab;
  char pre[50];
  int32_t bos; /* -1: none */
  const char **tokens;
  int32_t *types;
  const char **merges;
  size_t n_merges;
};

/* Turns the file's escapes back, in place. */
static void unescape (char *text)
{
  char *to = text;
  for (; *text; text++) {
    if (*text != '\\') {
      *to++ = *text;
      continue;
    }
    text++;
    assert (strchr ("ntr\\", *text) && *text);
    *to++ = *text == 'n' ? '\n' : *text == 't' ? '\t' : *text == 'r' ? '\r' : '\\';
  }
  *to = '\0';
}

static void read_token (struct excerpt *excerpt, char *line, int32_t type)
{
  char *end;
  unsigned long id = strtoul (line, &end, 10);
  assert (*end == ' ' && id < excerpt->n_vocab);
  excerpt->tokens[id] = end + 1;
  excerpt->types[id] = type;
}

/* The vocabulary's lines; the strings stay in `lines`, of which each ends with NUL. */
static void read_vocabulary (struct excerpt *excerpt, char **lines, size_t n_lines)
{
  excerpt->bos = -1;
  for (size_t i = 0; i < n_lines; i++) {
    char *line = lines[i];
    if (sscanf (line, "vocabulary %u", &excerpt->n_vocab) == 1) {
      excerpt->tokens = calloc (excerpt->n_vocab, sizeof *excerpt->tokens);
      excerpt->types = calloc (excerpt->n_vocab, sizeof *excerpt->types);
      assert (excerpt->tokens && excerpt->types);
      for (uint32_t id = 0; id < excerpt->n_vocab; id++)
        excerpt->tokens[id] = "";
    } else if (strncmp (line, "token ", 6) == 0) {
      read_token (excerpt, line + 6, NORMAL);
    } else if (strncmp (line, "special ", 8) == 0) {
      read_token (excerpt, line + 8, CONTROL);
    } else if (strncmp (line, "merge ", 6) == 0) {
      excerpt->merges = realloc (excerpt->merges, (excerpt->n_merges + 1) * sizeof *excerpt->merges);
      assert (excerpt->merges);
      excerpt->merges[excerpt->n_merges++] = line + 6;
    } else if (sscanf (line, "pre %49s", excerpt->pre) != 1) {
      sscanf (line, "bos %d", &excerpt->bos);
    }
  }
}

static void open_excerpt (struct vocabulary_file *file, char **lines, size_t n_lines)
{
  struct excerpt excerpt = { 0 };
  read_vocabulary (&excerpt, lines, n_lines);
  assert (excerpt.n_vocab > 100000 && excerpt.n_merges > 300);
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.pre", excerpt.pre);
  gguf_writer_add_strings (&file->writer, "tokenizer.ggml.tokens", excerpt.tokens, excerpt.n_vocab);
  gguf_writer_add_array (&file->writer, "tokenizer.ggml.token_type", GGUF_I32, excerpt.types, excerpt.n_vocab,
                         excerpt.n_vocab * sizeof *excerpt.types);
  gguf_writer_add_strings (&file->writer, "tokenizer.ggml.merges", excerpt.merges, excerpt.n_merges);
  if (excerpt.bos >= 0)
    gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.bos_token_id", (uint32_t)excerpt.bos);
  assert (vocabulary_file_open (file) == ENGINE_OK);
  free (excerpt.tokens);
  free (excerpt.types);
  free (excerpt.merges);
}

static size_t read_ids (const char *text, int32_t ids[MAX_IDS])
{
  size_t n = 0;
  for (char *end; *text; text = end) {
    long id = strtol (text, &end, 10);
    if (end == text)
      break;
    assert (n < MAX_IDS);
    ids[n++] = (int32_t)id;
  }
  return n;
}

static int check_vectors (const struct tokenizer *tokenizer, char **lines, size_t n_lines)
{
  const char *text = NULL;
  int n_vectors = 0;
  for (size_t i = 0; i < n_lines; i++) {
    int32_t ids[MAX_IDS];
    if (strncmp (lines[i], "text ", 5) == 0) {
      text = lines[i] + 5;
    } else if (strncmp (lines[i], "ids", 3) == 0) {
      check_ids (tokenizer, text, ENGINE_TOKENIZE_TEXT, ids, read_ids (lines[i] + 3, ids));
      n_vectors++;
    } else if (strncmp (lines[i], "special-ids", 11) == 0) {
      check_ids (tokenizer, text, ENGINE_TOKENIZE_ADD_SPECIAL | ENGINE_TOKENIZE_READ_SPECIAL, ids,
                 read_ids (lines[i] + 11, ids));
      n_vectors++;
    }
  }
  return n_vectors;
}

static void check_file (const char *folder, const char *shared, const char *name)
{
  char path[4096], *text = NULL, *lines[10000];
  size_t capacity = 0, n_lines = 0;
  snprintf (path, sizeof path, "%s/%s.txt", folder, name);
  FILE *file = fopen (path, "r");
  assert (file);
  assert (getdelim (&text, &capacity, '\0', file) > 0);
  fclose (file);
  for (char *line = text, *end; (end = strchr (line, '\n')); line = end + 1) {
    *end = '\0';
    assert (n_lines < sizeof lines / sizeof *lines);
    if (strncmp (line, "text ", 5) == 0)
      unescape (line + 5);
    lines[n_lines++] = line;
  }
  struct vocabulary_file excerpt = { 0 };
  open_excerpt (&excerpt, lines, n_lines);
  int n = check_vectors (excerpt.tokenizer, lines, n_lines);
  assert (n > 30);
  vocabulary_file_close (&excerpt);
  struct gguf *gguf;
  struct tokenizer *tokenizer;
  snprintf (path, sizeof path, "%s/tokenizers/%s.gguf", shared, name);
  if (gguf_open (path, &gguf, NULL) == ENGINE_OK) {
    assert (tokenizer_new (gguf, &tokenizer, NULL) == ENGINE_OK);
    assert (check_vectors (tokenizer, lines, n_lines) == n);
    tokenizer_free (tokenizer);
    gguf_close (gguf);
    printf ("%s: %d vectors, excerpt and whole vocabulary\n", name, n);
  } else {
    printf ("%s: %d vectors, excerpt; the whole vocabulary is not there\n", name, n);
  }
  free (text);
}

int main (int argc, char **argv)
{
  assert (argc == 3); /* the folder of the vectors, and SHARED */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    check_file (argv[1], argv[2], names[i]);
  return 0;
}
