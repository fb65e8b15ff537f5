/* SentencePiece's unigram model over small vocabularies: the best sum of scores, normalisation, damaged rules. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/charsmap.h"
#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/trie.h"
#include "tokenizer-checks.h"

#define N(array) (sizeof (array) / sizeof *(array))

enum { BOS, EOS, UNK, MASK, SPACE, A, B, AB, SPACE_AB, ABAB, BA, E_ACUTE, FI, DOT, DOTS, TAG, UNUSED_AB, FIRST_BYTE };
static const struct vocabulary_token tokens[] = {
  { "<s>", CONTROL, 0 },
  { "</s>", CONTROL, 0 },
  { "<unk>", UNKNOWN, 0 },
  { "<mask>", USER_DEFINED, 0 },
  { "\xE2\x96\x81", NORMAL, -4 },
  { "a", NORMAL, -3 },
  { "b", NORMAL, -3 },
  { "ab", NORMAL, -2 },
  { "\xE2\x96\x81"
    "ab",
    NORMAL, -2.5F },
  { "abab", NORMAL, -4.5F },
  { "ba", NORMAL, -1 },
  { "\xC3\xA9", NORMAL, -5 },
  { "fi", NORMAL, -6 },
  { ".", NORMAL, -3 },
  { "...", NORMAL, -9 },
  { "[tag]", USER_DEFINED, 0 },
  { "abab\xC3\xA9", 5, 0 }, /* unused: no text gives it */
};
static const struct charsmap_rule rules[] = {
  { "\t", " " },
  { "\n", " " },
  { "\xEF\xAC\x81", "fi" },
  { "e\xCC\x81", "\xC3\xA9" },
  { "\xE2\x80\x8B", "" },
  { "\xE2\x80\xA6", "..." },
  { "\xC2\xA8", " \xCC\x88" },
  { "A", "a" },
  { "AB", "ba" }, /* longer than the rule before */
};

struct options {
  bool prefix, merge_spaces, bos, bytes, charsmap;
};

static void open_unigram (struct vocabulary_file *file, struct options options)
{
  enum { N_BYTES = 256 };
  const char *texts[N (tokens) + N_BYTES];
  int32_t types[N (texts)];
  float scores[N (texts)] = { 0 };
  char names[N_BYTES][8];
  size_t n = N (tokens);
  for (size_t i = 0; i < n; i++) {
    texts[i] = tokens[i].text;
    types[i] = tokens[i].type;
    scores[i] = tokens[i].score;
  }
  for (size_t i = 0; i < N_BYTES && options.bytes; i++, n++) {
    snprintf (names[i], sizeof names[i], "<0x%02zX>", i);
    texts[n] = names[i];
    types[n] = BYTE;
  }
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.model", "t5");
  gguf_writer_add_strings (&file->writer, "tokenizer.ggml.tokens", texts, n);
  gguf_writer_add_array (&file->writer, "tokenizer.ggml.token_type", GGUF_I32, types, n, n * sizeof *types);
  gguf_writer_add_array (&file->writer, "tokenizer.ggml.scores", GGUF_F32, scores, n, n * sizeof *scores);
  gguf_writer_add_bool (&file->writer, "tokenizer.ggml.add_space_prefix", options.prefix);
  gguf_writer_add_bool (&file->writer, "tokenizer.ggml.remove_extra_whitespaces", options.merge_spaces);
  if (options.bos) {
    gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.bos_token_id", BOS);
    gguf_writer_add_bool (&file->writer, "tokenizer.ggml.add_bos_token", true);
  }
  if (options.charsmap) {
    struct bytes map = make_charsmap (rules, N (rules));
    gguf_writer_add_array (&file->writer, "tokenizer.ggml.precompiled_charsmap", GGUF_I8, map.data, map.n, map.n);
    bytes_clear (&map);
  }
  assert (vocabulary_file_open (file) == ENGINE_OK);
}

static void test_best_sum (void)
{
  struct vocabulary_file file = { 0 };
  open_unigram (&file, (struct options){ 0 });
  const struct tokenizer *t = file.tokenizer;
  assert (strcmp (tokenizer_get_name (t), "unigram") == 0);
  check_ids (t, "", ENGINE_TOKENIZE_TEXT, NULL, 0);
  CHECK (t, "ab", ENGINE_TOKENIZE_TEXT, AB);       /* -2, not -6 */
  CHECK (t, "aba", ENGINE_TOKENIZE_TEXT, A, BA);   /* -4, not -5: no greedy longest match */
  CHECK (t, "abab", ENGINE_TOKENIZE_TEXT, AB, AB); /* -4, not -4.5 */
  CHECK (t, "...", ENGINE_TOKENIZE_TEXT, DOTS);    /* -9 both ways: the longest that begins first stays */
  CHECK (t, "abab\xC3\xA9", ENGINE_TOKENIZE_TEXT, AB, AB, E_ACUTE);
  CHECK (t, "axyb", ENGINE_TOKENIZE_TEXT, A, UNK, B); /* a row of unknown characters is one token */
  CHECK (t, "\xFF\xE6\xBC\xA2", ENGINE_TOKENIZE_TEXT, UNK);
  CHECK (t, "a<mask>b[tag]", ENGINE_TOKENIZE_TEXT, A, MASK, B, TAG);
  CHECK (t, "</s>", ENGINE_TOKENIZE_READ_SPECIAL, EOS);
  CHECK (t, "a</s>", ENGINE_TOKENIZE_TEXT, A, UNK);
  CHECK (t, "a", ENGINE_TOKENIZE_ADD_SPECIAL, A, EOS); /* T5 ends texts and does not begin them */
  CHECK_PAIR (t, "a", "b", 9, 9, A, EOS, B, EOS);
  assert (!tokenizer_adds_bos (t) && tokenizer_is_end (t, EOS));
  check_streams (t);
  check_long (t, 'a');
  check_long (t, 'x');
  check_long (t, ' ');
  vocabulary_file_close (&file);
}

static void test_spaces (void)
{
  struct vocabulary_file file = { 0 };
  open_unigram (&file, (struct options){ .prefix = true, .merge_spaces = true, .bos = true });
  const struct tokenizer *t = file.tokenizer;
  CHECK (t, "ab", ENGINE_TOKENIZE_TEXT, SPACE_AB);
  CHECK (t, "  ab   ab  ", ENGINE_TOKENIZE_TEXT, SPACE_AB, SPACE_AB);
  check_ids (t, "   ", ENGINE_TOKENIZE_TEXT, NULL, 0);
  CHECK (t, "a <mask> ab", ENGINE_TOKENIZE_TEXT, SPACE, A, MASK, SPACE_AB);
  CHECK (t, "b", ENGINE_TOKENIZE_ADD_SPECIAL, BOS, SPACE, B, EOS);
  CHECK_PAIR (t, "ab", "b", 9, 9, BOS, SPACE_AB, EOS, EOS, SPACE, B, EOS); /* XLM-RoBERTa */
  CHECK_PAIR (t, "ab", "b", 6, 9, BOS, SPACE_AB, EOS, EOS, SPACE, EOS);
  char *text;
  assert (tokenizer_decode (t, (const int32_t[]){ BOS, SPACE_AB, SPACE_AB, EOS }, 4, false, &text, NULL, NULL) == 0);
  assert (strcmp (text, "ab ab") == 0);
  free (text);
  vocabulary_file_close (&file);

  open_unigram (&file, (struct options){ .merge_spaces = true });
  CHECK (file.tokenizer, " ab  ab ", ENGINE_TOKENIZE_TEXT, AB, SPACE_AB);
  vocabulary_file_close (&file);
  open_unigram (&file, (struct options){ .prefix = true });
  CHECK (file.tokenizer, "  ab ", ENGINE_TOKENIZE_TEXT, SPACE, SPACE, SPACE_AB, SPACE);
  CHECK (file.tokenizer, " ", ENGINE_TOKENIZE_TEXT, SPACE, SPACE);
  CHECK (file.tokenizer,
         "a\xE2\x96\x81"
         "ab",
         ENGINE_TOKENIZE_TEXT, SPACE, A, SPACE_AB);
  vocabulary_file_close (&file);
}

static void test_bytes (void)
{
  struct vocabulary_file file = { 0 };
  for (int prefix = 0; prefix < 2; prefix++) {
    open_unigram (&file, (struct options){ .prefix = prefix, .bytes = true });
    const struct tokenizer *t = file.tokenizer;
    if (!prefix) {
      CHECK (t, "a\xE6\xBC\xA2", ENGINE_TOKENIZE_TEXT, A, FIRST_BYTE + 0xE6, FIRST_BYTE + 0xBC, FIRST_BYTE + 0xA2);
      CHECK (t, "\xFFxa", ENGINE_TOKENIZE_TEXT, FIRST_BYTE + 0xFF, FIRST_BYTE + 'x', A);
    }
    check_round_trips (t);
    check_streams (t);
    check_long (t, 'x');
    vocabulary_file_close (&file);
  }
}

static void test_rules (void)
{
  struct vocabulary_file file = { 0 };
  open_unigram (&file, (struct options){ .prefix = true, .merge_spaces = true, .charsmap = true });
  const struct tokenizer *t = file.tokenizer;
  CHECK (t, "\t\xEF\xAC\x81\n", ENGINE_TOKENIZE_TEXT, SPACE, FI);
  CHECK (t, "ae\xCC\x81", ENGINE_TOKENIZE_TEXT, SPACE, A, E_ACUTE);
  CHECK (t, "ae", ENGINE_TOKENIZE_TEXT, SPACE, A, UNK);
  CHECK (t,
         "a\xE2\x80\x8B"
         "b",
         ENGINE_TOKENIZE_TEXT, SPACE_AB);
  CHECK (t, "a\xE2\x80\xA6", ENGINE_TOKENIZE_TEXT, SPACE, A, DOTS);
  CHECK (t, "a \xC2\xA8", ENGINE_TOKENIZE_TEXT, SPACE, A, SPACE, UNK);
  CHECK (t, "ABAb", ENGINE_TOKENIZE_TEXT, SPACE, BA, AB);
  check_streams (t);
  check_long (t, 'A');
  vocabulary_file_close (&file);
}

/* One rule file after the other, each damaged in its own way. */
static void check_charsmap (const void *bytes, size_t n, bool opens)
{
  static const char *const texts[] = { "a", "b" };
  static const float scores[] = { -1, -2 };
  struct vocabulary_file file = { 0 };
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "t5");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.scores", GGUF_F32, scores, 2, sizeof scores);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.precompiled_charsmap", GGUF_U8, bytes, n, n);
  int status = vocabulary_file_open (&file);
  assert (status == (opens ? ENGINE_OK : ENGINE_ERROR_FORMAT));
  if (opens)
    CHECK (file.tokenizer, "a\tb", ENGINE_TOKENIZE_TEXT, 0, 1);
  else
    assert (strstr (file.error.message, "precompiled_charsmap"));
  vocabulary_file_close (&file);
}

static void test_damaged_rules (void)
{
  static const struct charsmap_rule tab = { "\t", "" };
  struct bytes good = make_charsmap (&tab, 1), bad = { 0 };
  uint8_t *copy = malloc (good.n + 1000);
  memcpy (copy, good.data, good.n);
  check_charsmap (copy, good.n, true);
  check_charsmap (copy, 3, false);
  check_charsmap (copy, good.n / 2, false); /* the array does not end */
  memset (copy + good.n, 'x', 1000);
  check_charsmap (copy, good.n + 10, false); /* a replacement does not end */
  copy[good.n + 999] = 0;
  check_charsmap (copy, good.n + 1000, false); /* one is too long */
  copy[0] += 1;
  check_charsmap (copy, good.n, false); /* half a unit */
  bytes_clear (&good);
  free (copy);

  /* Offsets and values that point anywhere are followed nowhere. */
  uint64_t state = 3;
  for (int round = 0; round < 2000; round++) {
    enum { N_UNITS = 64 };
    struct charsmap map = { 0 };
    bad.n = 0;
    bytes_append_le (&bad, 4 * N_UNITS, 4);
    for (int i = 0; i < N_UNITS; i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bytes_append_le (&bad, round % 2 ? state >> 32 : (state >> 32 & 0x1FF) | (state >> 50 & 63) << 10, 4);
    }
    bytes_append (&bad, "ab", 3);
    map.bytes = bad.data;
    map.n_units = N_UNITS;
    map.replacements = (const char *)bad.data + bad.n - 3;
    map.replacements_length = 3;
    for (int c = 1; c < 256; c++) {
      char text[3] = { (char)c, (char)(c * 7), (char)round };
      const char *replacement = "";
      size_t n = 0, step = charsmap_find (&map, text, sizeof text, &replacement, &n);
      assert (step <= sizeof text && n <= 2 && strlen (replacement) == n);
    }
  }
  bytes_clear (&bad);
}

static void test_damaged_scores (void)
{
  static const char *const texts[] = { "a", "b", "c" };
  static const float scores[] = { NAN, INFINITY, -1 };
  struct vocabulary_file file = { 0 };
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "t5");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 3);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.scores", GGUF_F32, scores, 3, sizeof scores);
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  CHECK (file.tokenizer, "abcab", ENGINE_TOKENIZE_TEXT, 2, 2,
         2); /* the unknown token is 2 where nothing says another */
  vocabulary_file_close (&file);
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "t5");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 3);
  assert (vocabulary_file_open (&file) == ENGINE_ERROR_FORMAT);
  vocabulary_file_close (&file);
}

static void test_trie (void)
{
  char longest[TRIE_MAX_BYTES + 2];
  memset (longest, 'z', sizeof longest);
  struct trie_entry entries[] = {
    { "b", 1, 1 },
    { "ab", 2, 2 },
    { "ab", 2, 7 },
    { "abc", 3, 3 },
    { "", 0, 4 },
    { longest, TRIE_MAX_BYTES, 5 },
    { longest, TRIE_MAX_BYTES + 1, 6 },
  };
  struct trie trie;
  assert (trie_init (&trie, entries, N (entries)));
  uint32_t a = trie_step (&trie, 0, 'a'), b = trie_step (&trie, 0, 'b'), ab = trie_step (&trie, a, 'b');
  assert (a && b && ab && !trie_step (&trie, 0, 'c') && !trie_step (&trie, b, 'a'));
  assert (trie.nodes[0].id == -1 && trie.nodes[a].id == -1 && trie.nodes[b].id == 1 && trie.nodes[ab].id == 7);
  assert (trie.nodes[trie_step (&trie, ab, 'c')].id == 3);
  uint32_t node = 0;
  for (int i = 0; i < TRIE_MAX_BYTES; i++)
    assert ((node = trie_step (&trie, node, 'z')));
  assert (trie.nodes[node].id == 5 && !trie_step (&trie, node, 'z'));
  assert (trie.n_nodes == 1 + 4 + TRIE_MAX_BYTES);
  trie_release (&trie);
  assert (trie_init (&trie, NULL, 0) && !trie_step (&trie, 0, 'a'));
  trie_release (&trie);
}

int main (void)
{
  test_trie ();
  test_best_sum ();
  test_spaces ();
  test_bytes ();
  test_rules ();
  test_damaged_rules ();
  test_damaged_scores ();
  return 0;
}
