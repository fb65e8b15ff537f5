/* encode-texts MODEL TEXT|SPECIAL|ADD: NUL-separated texts from standard input, the ids of each as a line on standard output.
 *
 * One process for many texts, for tests that compare tokenizers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/tokenizer.h"

static int encode_all (const struct tokenizer *tokenizer, unsigned flags)
{
  struct engine_tokens tokens = { 0 };
  struct engine_error error;
  char *text = NULL;
  size_t capacity = 0;
  ssize_t n;
  int status = 0;
  while (status == 0 && (n = getdelim (&text, &capacity, '\0', stdin)) > 0) {
    if (text[n - 1] == '\0')
      n--;
    tokens.n = 0;
    if (tokenizer_encode (tokenizer, text, (size_t)n, flags, &tokens, &error) != ENGINE_OK) {
      fprintf (stderr, "%s\n", error.message);
      status = 1;
    }
    for (size_t i = 0; i < tokens.n; i++)
      printf (i ? " %d" : "%d", tokens.ids[i]);
    putchar ('\n');
  }
  engine_tokens_clear (&tokens);
  free (text);
  return status;
}

int main (int argc, char **argv)
{
  struct gguf *gguf = NULL;
  struct tokenizer *tokenizer = NULL;
  struct engine_error error = { 0 };
  if (argc != 3) {
    fprintf (stderr, "usage: encode-texts MODEL TEXT|SPECIAL|ADD\n");
    return 2;
  }
  int status = 1;
  if (gguf_open (argv[1], &gguf, &error) != ENGINE_OK || tokenizer_new (gguf, &tokenizer, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message);
  else
    status = encode_all (tokenizer, strcmp (argv[2], "SPECIAL") == 0 ? ENGINE_TOKENIZE_READ_SPECIAL
                                    : strcmp (argv[2], "ADD") == 0   ? ENGINE_TOKENIZE_ADD_SPECIAL
                                                                     : ENGINE_TOKENIZE_TEXT);
  tokenizer_free (tokenizer);
  gguf_close (gguf);
  return status;
}
