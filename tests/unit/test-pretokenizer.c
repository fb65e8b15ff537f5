/* The table of pre-tokenizers: each row's cuts, long and hostile texts. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/tokenizer/pretokenizer.h"

#define N(array) (sizeof (array) / sizeof *(array))

/* Every row compiles and cuts without losing a byte. */
static void test_rows (void)
{
  static const char text[] = "I'll  go\r\n\r\n to 12345 pla\xC3\xA7"
                             "es... \t\xE4\xB8\xAD\xE6\x96\x87 \xFF\xFE x=1;\n  end  ";
  for (size_t i = 0; i < pretokenizer_n_rows; i++) {
    for (size_t j = 0; j < N (pretokenizer_rows[i].names) && pretokenizer_rows[i].names[j]; j++) {
      const char *name = pretokenizer_rows[i].names[j];
      struct pretokenizer *pretokenizer;
      struct pretokenizer_pieces pieces = { 0 };
      size_t total = 0;
      assert (pretokenizer_new ((struct gguf_string){ name, strlen (name) }, &pretokenizer, NULL) == ENGINE_OK);
      assert (pretokenizer_get_row (pretokenizer) == &pretokenizer_rows[i]);
      assert (pretokenizer_split (pretokenizer, text, strlen (text), &pieces, NULL) == ENGINE_OK);
      for (size_t k = 0; k < pieces.n; k++) {
        assert (pieces.lengths[k] > 0);
        total += pieces.lengths[k];
      }
      assert (total == strlen (text) && pieces.n > 3);
      pretokenizer_pieces_release (&pieces);
      pretokenizer_free (pretokenizer);
    }
  }
}

static const char *cut (const char *name, const char *text)
{
  static char out[1000];
  struct pretokenizer *pretokenizer;
  struct pretokenizer_pieces pieces = { 0 };
  assert (pretokenizer_new ((struct gguf_string){ name, strlen (name) }, &pretokenizer, NULL) == ENGINE_OK);
  assert (pretokenizer_split (pretokenizer, text, strlen (text), &pieces, NULL) == ENGINE_OK);
  out[0] = '\0';
  for (size_t i = 0, at = 0; i < pieces.n; at += pieces.lengths[i++]) {
    if (i)
      strcat (out, "|");
    strncat (out, text + at, pieces.lengths[i]);
  }
  pretokenizer_pieces_release (&pieces);
  pretokenizer_free (pretokenizer);
  return out;
}

static const struct {
  const char *name, *text, *cuts;
} cases[] = {
  { "default", "It's x=1234, $5", "It|'|s| x|=|123|4|,| |$|5" },
  { "gpt-2", "It's  12345 x!", "It|'s| | 12345| x|!" },
  { "gigachat", "It's  12345 x!", "It|'s| | 12345| x|!" },
  { "roberta-bpe", "It's 12 x!", "It|'s| 12| x|!" },
  { "llama-bpe", "It'S  12345 x!\n\n", "It|'S| | |123|45| x|!\n\n" },
  { "dbrx", "It's 12345\n", "It|'s| |123|45|\n" },
  { "glm4", "It's 12345\n", "It|'s| |123|45|\n" },
  { "qwen2", "a 12\n b", "a| |1|2|\n| b" },
  { "f2llmv2", "a 12\n b", "a| |1|2|\n| b" },
  { "k2-horizon",
    "xa\xCC\x81\xE2\x80\x8C"
    "b 1234",
    "xa\xCC\x81\xE2\x80\x8C"
    "b| |123|4" },
  { "ufakzeka", "it's 12", "it|'s| |1|2" },
  { "minicpm5", "It's 12345 x", "It|'s| |123|45| x" },
  { "jais-2", "a         b", "a|        | b" },
  { "bailingmoe", "a\n\nb12", "a|\n\n|b|1|2" },
  { "seed-coder", "a!\n\nb 12", "a|!|\n\n|b| |1|2" },
  { "exaone-moe", "ab c d\n\n1", "ab c d|\n\n|1" },
  { "qwen35", "xa\xCC\x81 12", "xa\xCC\x81| |1|2" },
  { "deepseek-llm", "a, 12\xE4\xB8\xAD\n  ", "a|,| |12|\xE4\xB8\xAD|\n|  " },
  { "deepseek-coder", "a 12\n", "a| |1|2|\n" },
  { "deepseek-v3", "a 1234 b", "a| |123|4| b" },
  { "falcon", "x=1234", "x|=|123|4" },
  { "starcoder", "a 12", "a| |1|2" },
  { "tekken", "HTMLParser 12", "HTMLParser| |1|2" },
  { "gpt-4o", "HTMLParser's a/b", "HTMLParser's| a|/b" },
  { "granite-embed-multi-97m", "HTMLParser's 1234", "HTMLParser's| |123|4" },
  { "tiny_aya", "12345 1234x Ab", "12|345| |123|4|x| Ab" },
  { "youtu",
    "\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82\xEA\xB0\x80"
    "a 12",
    "\xE4\xB8\xAD\xE6\x96\x87|\xE3\x80\x82|\xEA\xB0\x80|a| |1|2" },
  { "kimi-k2",
    "\xE4\xB8\xAD\xE6\x96\x87"
    "ab 1234",
    "\xE4\xB8\xAD\xE6\x96\x87|ab| |123|4" },
  { "superbpe", "of the 12345 it's", "of the |12|345| it's" },
  { "afmoe",
    "12345 \xE0\xB8\x81"
    "a\xE4\xB8\xAD",
    "12|345| \xE0\xB8\x81"
    "a|\xE4\xB8\xAD" },
  { "bloom", "Well, it's (12) x", "Well|,| it's| (|12|)| x" },
  { "viking", "Well, it's 12", "Well|,| it's| |1|2" },
  { "chameleon", "IMGIMGABZ a  12!", "IMGIMGABZ| a|  |1|2|!" },
  { "gemma4", "it's 12\n\n a", "it's 12|\n\n| a" },
  { "sarvam-moe", "it's\n12", "it's|\n|12" },
};

/* Every row of the table has a case. */
static void test_cuts (void)
{
  bool seen[100] = { false };
  assert (pretokenizer_n_rows <= N (seen));
  for (size_t i = 0; i < N (cases); i++) {
    const char *found = cut (cases[i].name, cases[i].text);
    if (strcmp (found, cases[i].cuts) != 0) {
      fprintf (stderr, "%s: \"%s\" is cut \"%s\"\n", cases[i].name, cases[i].text, found);
      abort ();
    }
    for (size_t row = 0; row < pretokenizer_n_rows; row++)
      for (size_t j = 0; j < N (pretokenizer_rows[row].names) && pretokenizer_rows[row].names[j]; j++)
        seen[row] |= strcmp (pretokenizer_rows[row].names[j], cases[i].name) == 0;
  }
  for (size_t row = 0; row < pretokenizer_n_rows; row++)
    assert (seen[row]);
}

/* No row takes long over a text of one kind of character. */
static void test_long (void)
{
  enum { LENGTH = 1 << 18 };
  static const char letters[] = "a A1\n'!";
  char *text = malloc (LENGTH + 1);
  for (size_t row = 0; row < pretokenizer_n_rows; row++) {
    const char *name = pretokenizer_rows[row].names[0];
    struct pretokenizer *pretokenizer;
    struct pretokenizer_pieces pieces = { 0 };
    assert (pretokenizer_new ((struct gguf_string){ name, strlen (name) }, &pretokenizer, NULL) == ENGINE_OK);
    for (size_t i = 0; letters[i]; i++) {
      memset (text, letters[i], LENGTH);
      text[LENGTH] = 'b';
      clock_t start = clock ();
      assert (pretokenizer_split (pretokenizer, text, LENGTH + 1, &pieces, NULL) == ENGINE_OK);
      double seconds = (double)(clock () - start) / CLOCKS_PER_SEC;
      if (seconds > 5) {
        fprintf (stderr, "%s: %.1f s for '%c'\n", name, seconds, letters[i]);
        abort ();
      }
    }
    pretokenizer_pieces_release (&pieces);
    pretokenizer_free (pretokenizer);
  }
  free (text);
}

int main (void)
{
  test_rows ();
  test_cuts ();
  test_long ();
  return 0;
}
