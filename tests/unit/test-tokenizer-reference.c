/* Real vocabularies against the ids that their reference tokenizers gave: SHARED/tokenizers/NAME.{gguf,inp,out}.
 * Exit status 77 when they are not there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/detokenize.h"

static const char separator[] = "\n__ggml_vocab_test__\n";

static const struct {
  const char *name, *tokenizer;
  bool round_trips;
} vocabularies[] = {
  { "llama-spm", "spm", true },
  { "phi-3", "spm", true },
  { "llama-bpe", "bpe/llama-bpe", true },
  { "gpt-2", "bpe/gpt-2", true },
  { "falcon", "bpe/falcon", true },
  { "qwen2", "bpe/qwen2", true },
  { "deepseek-llm", "bpe/deepseek-llm", true },
  { "deepseek-coder", "bpe/deepseek-coder", true },
  { "command-r", "bpe/command-r", true },
  { "bert-bge", "wordpiece", false },
};

static char *read_file (const char *folder, const char *name, const char *suffix)
{
  char path[4096];
  snprintf (path, sizeof path, "%s/tokenizers/%s.%s", folder, name, suffix);
  FILE *file = fopen (path, "rb");
  if (!file)
    return NULL;
  char *text = calloc (1, 1 << 20);
  size_t n = fread (text, 1, (1 << 20) - 1, file);
  text[n] = '\0';
  fclose (file);
  return text;
}

/* The number of differences for one string; *ids moves on to the next line. */
static int compare (const char *name, const struct tokenizer *tokenizer, const char *text, size_t length,
                    const char **ids, bool round_trips)
{
  struct engine_tokens tokens = { 0 };
  struct engine_error error;
  int bad = 0;
  if (tokenizer_encode (tokenizer, text, length, ENGINE_TOKENIZE_TEXT, &tokens, &error) != ENGINE_OK) {
    fprintf (stderr, "%s: %s\n", name, error.message);
    return 1;
  }
  size_t n = 0;
  while (**ids && **ids != '\n') {
    char *end;
    long id = strtol (*ids, &end, 10);
    if (end == *ids)
      break;
    bad |= n >= tokens.n || tokens.ids[n] != id;
    n++;
    *ids = end;
    while (**ids == ' ')
      ++*ids;
  }
  bad |= n != tokens.n;
  if (**ids == '\n')
    ++*ids;
  if (bad)
    fprintf (stderr, "%s: other ids for \"%.*s\"\n", name, (int)length, text);
  char *back;
  size_t n_back;
  if (tokenizer_decode (tokenizer, tokens.ids, tokens.n, false, &back, &n_back, &error) != ENGINE_OK)
    return 1;
  if (round_trips && (n_back != length || memcmp (back, text, length) != 0)) {
    fprintf (stderr, "%s: \"%.*s\" comes back as \"%s\"\n", name, (int)length, text, back);
    bad = 1;
  }
  free (back);
  engine_tokens_clear (&tokens);
  return bad;
}

/* 0 or the number of differences; -1 when the vocabulary is not there. */
static int check (const char *folder, size_t row, int *n_strings)
{
  const char *name = vocabularies[row].name;
  char path[4096], *input = read_file (folder, name, "inp"), *output = read_file (folder, name, "out");
  struct gguf *gguf = NULL;
  struct tokenizer *tokenizer = NULL;
  struct engine_error error;
  int bad = 0;
  snprintf (path, sizeof path, "%s/tokenizers/%s.gguf", folder, name);
  if (!input || !output || gguf_open (path, &gguf, &error) != ENGINE_OK) {
    free (input);
    free (output);
    return -1;
  }
  if (tokenizer_new (gguf, &tokenizer, &error) != ENGINE_OK) {
    fprintf (stderr, "%s: %s\n", name, error.message);
    bad = 1;
  } else {
    if (strcmp (tokenizer_get_name (tokenizer), vocabularies[row].tokenizer) != 0)
      bad = 1;
    const char *ids = output;
    for (char *text = input; text;) {
      char *end = strstr (text, separator);
      bad += compare (name, tokenizer, text, end ? (size_t)(end - text) : strlen (text), &ids,
                      vocabularies[row].round_trips);
      ++*n_strings;
      text = end ? end + strlen (separator) : NULL;
    }
  }
  tokenizer_free (tokenizer);
  gguf_close (gguf);
  free (input);
  free (output);
  return bad;
}

int main (int argc, char **argv)
{
  int bad = 0, n_checked = 0, n_strings = 0;
  for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++) {
    int found = check (argc > 1 ? argv[1] : "../shared", i, &n_strings);
    if (found < 0) {
      printf ("%s: not there, skipped\n", vocabularies[i].name);
      continue;
    }
    n_checked++;
    bad += found;
    printf ("%s: %d differences\n", vocabularies[i].name, found);
  }
  printf ("%d vocabularies, %d strings, %d differences\n", n_checked, n_strings, bad);
  return n_checked == 0 ? 77 : bad ? 1 : 0;
}
