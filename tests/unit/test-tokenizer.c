/* Tokenizers over small vocabularies: each family, special tokens, streaming, damaged files, long inputs. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/tokens.h"
#include "tokenizer-checks.h"

#define N(array) (sizeof (array) / sizeof *(array))

enum {
  SPM_UNKNOWN = 256,
  SPM_BOS,
  SPM_EOS,
  SPM_SPACE,
  SPM_A,
  SPM_B,
  SPM_AB,
  SPM_SPACE_A,
  SPM_ABAB,
  SPM_BA,
  SPM_TAG,
  SPM_MARKER,
  SPM_E_ACUTE
};
static const struct vocabulary_token spm_tokens[] = {
  { "<unk>", UNKNOWN, 0 },
  { "<s>", CONTROL, 0 },
  { "</s>", CONTROL, 0 },
  { "\xE2\x96\x81", NORMAL, -9 },
  { "a", NORMAL, -8 },
  { "b", NORMAL, -7 },
  { "ab", NORMAL, -2 },
  { "\xE2\x96\x81"
    "a",
    NORMAL, -1 },
  { "abab", NORMAL, -3 },
  { "ba", NORMAL, -2 },
  { "[tag]", USER_DEFINED, 0 },
  { "<|end|>", USER_DEFINED, 0 },
  { "\xC3\xA9", NORMAL, -5 },
};

static void open_spm (struct vocabulary_file *file, bool space_prefix)
{
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.model", "llama");
  gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.bos_token_id", SPM_BOS);
  gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.eos_token_id", SPM_EOS);
  gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.unknown_token_id", SPM_UNKNOWN);
  gguf_writer_add_bool (&file->writer, "tokenizer.ggml.add_space_prefix", space_prefix);
  vocabulary_file_add (file, BASE_SPM, spm_tokens, N (spm_tokens));
  assert (vocabulary_file_open (file) == ENGINE_OK);
}

static void test_spm (void)
{
  struct vocabulary_file file = { 0 };
  open_spm (&file, false);
  const struct tokenizer *t = file.tokenizer;
  check_ids (t, "", ENGINE_TOKENIZE_TEXT, NULL, 0);
  CHECK (t, "", ENGINE_TOKENIZE_ADD_SPECIAL, SPM_BOS);
  /* The best score first, the leftmost of equals: (ab)a, not a(ba); " a" before "ab". */
  CHECK (t, "aba", ENGINE_TOKENIZE_TEXT, SPM_AB, SPM_A);
  CHECK (t, "abab", ENGINE_TOKENIZE_TEXT, SPM_ABAB);
  CHECK (t, "b ab", ENGINE_TOKENIZE_TEXT, SPM_B, SPM_SPACE_A, SPM_B);
  CHECK (t, "\xC3\xA9\n\xC3", ENGINE_TOKENIZE_TEXT, SPM_E_ACUTE, '\n', 0xC3);
  CHECK (t, "\xE2\x82\xAC", ENGINE_TOKENIZE_TEXT, 0xE2, 0x82, 0xAC);
  /* User-defined tokens are read in any text, control tokens and what looks like a marker only when asked for. */
  CHECK (t, "a[tag]b", ENGINE_TOKENIZE_TEXT, SPM_A, SPM_TAG, SPM_B);
  CHECK (t, "<s>", ENGINE_TOKENIZE_TEXT, '<', 's', '>');
  CHECK (t, "a<s>b<|end|>", ENGINE_TOKENIZE_READ_SPECIAL, SPM_A, SPM_BOS, SPM_B, SPM_MARKER);
  CHECK (t, "<|end|>", ENGINE_TOKENIZE_TEXT, '<', '|', 'e', 'n', 'd', '|', '>');
  assert (tokenizer_is_end (t, SPM_EOS) && tokenizer_is_end (t, SPM_MARKER) && !tokenizer_is_end (t, SPM_A));
  assert (!tokenizer_is_end (t, -1) && !tokenizer_is_end (t, 1 << 30));
  assert (tokenizer_find (t, "ab", 2) == SPM_AB && tokenizer_find (t, "<s>", 3) == SPM_BOS);
  assert (tokenizer_find (t, "nothing", 7) == -1);
  assert (strcmp (tokenizer_get_name (t), "spm") == 0);
  check_round_trips (t);
  check_streams (t);
  check_long (t, 'a');
  check_long (t, '<');
  vocabulary_file_close (&file);

  open_spm (&file, true);
  t = file.tokenizer;
  CHECK (t, "ab", ENGINE_TOKENIZE_TEXT, SPM_SPACE_A, SPM_B);
  CHECK (t, "b<s>ab", ENGINE_TOKENIZE_READ_SPECIAL, SPM_SPACE, SPM_B, SPM_BOS, SPM_SPACE_A, SPM_B);
  check_round_trips (t);
  /* A control token is read only inside a stretch that allows it. */
  struct engine_tokens tokens = { 0 };
  struct tokenizer_span spans[] = { { 3, true }, { 4, false }, { 2, true }, { 3, true } };
  static const int32_t expected[] = { SPM_BOS, SPM_SPACE, '<', 's', '>', SPM_B, '<', 's', SPM_EOS };
  assert (tokenizer_encode_spans (t, "<s><s>b<s</s", 12, spans, 4, false, &tokens, NULL) == ENGINE_OK);
  assert (tokens.n >= 8 && memcmp (tokens.ids, expected, 8 * sizeof *expected) == 0);
  for (size_t i = 1; i < tokens.n; i++)
    assert (!tokenizer_is_control (t, tokens.ids[i]));
  engine_tokens_clear (&tokens);
  vocabulary_file_close (&file);
}

enum { BPE_AB = 256, BPE_ABAB, BPE_BA, BPE_SPACE_A, BPE_END, BPE_TAG, BPE_TAG_LONG };
static const struct vocabulary_token bpe_tokens[] = {
  { "ab", NORMAL, 0 },
  { "abab", NORMAL, 0 },
  { "ba", NORMAL, 0 },
  { "\xC4\xA0"
    "a",
    NORMAL, 0 },
  { "<|end|>", CONTROL, 0 },
  { "[tag]", USER_DEFINED, 0 },
  { "[tag]s", USER_DEFINED, 0 },
};
static const char *const bpe_merges[] = { "b a", "a b", "\xC4\xA0 a", "ab ab", "no such", "broken" };

static void open_bpe (struct vocabulary_file *file, const char *pre)
{
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.pre", pre);
  gguf_writer_add_strings (&file->writer, "tokenizer.ggml.merges", bpe_merges, N (bpe_merges));
  gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.eos_token_id", BPE_END);
  gguf_writer_add_bool (&file->writer, "tokenizer.ggml.add_eos_token", true);
  vocabulary_file_add (file, BASE_BPE, bpe_tokens, N (bpe_tokens));
}

static void test_bpe (void)
{
  struct vocabulary_file file = { 0 };
  open_bpe (&file, "qwen2");
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  const struct tokenizer *t = file.tokenizer;
  assert (strcmp (tokenizer_get_name (t), "bpe/qwen2") == 0);
  CHECK (t, "aba", ENGINE_TOKENIZE_TEXT, 'a', BPE_BA); /* the first merge of the list wins */
  CHECK (t, "ab ab", ENGINE_TOKENIZE_TEXT, BPE_AB, ' ', BPE_AB);
  CHECK (t, " a", ENGINE_TOKENIZE_ADD_SPECIAL, BPE_SPACE_A, BPE_END);
  CHECK (t, "a[tag]s[tag]", ENGINE_TOKENIZE_TEXT, 'a', BPE_TAG_LONG, BPE_TAG);
  CHECK (t, "<|end|>", ENGINE_TOKENIZE_READ_SPECIAL, BPE_END);
  CHECK (t, "<|end|>", ENGINE_TOKENIZE_TEXT, '<', '|', 'e', 'n', 'd', '|', '>');
  CHECK (t, "\xFF\xC3", ENGINE_TOKENIZE_TEXT, 0xFF, 0xC3);
  check_round_trips (t);
  check_streams (t);
  check_long (t, 'a');
  check_long (t, ' ');
  vocabulary_file_close (&file);
}

/* Gemma 4: merges over characters, U+2581 for the space, tokens for bytes, and line ends that no merge makes. */
static void test_spaced (void)
{
  enum { NEWLINES = 256, SPACE, LETTER_A, LETTER_B, PAIR, SPACED_PAIR, ACROSS, BOS, TAG };
  static const struct vocabulary_token tokens[] = {
    { "\n\n", NORMAL, 0 },
    { "\xE2\x96\x81", NORMAL, 0 },
    { "a", NORMAL, 0 },
    { "b", NORMAL, 0 },
    { "ab", NORMAL, 0 },
    { "\xE2\x96\x81"
      "ab",
      NORMAL, 0 },
    { "b\xE2\x96\x81"
      "ab",
      NORMAL, 0 },
    { "<bos>", CONTROL, 0 },
    { "[tag]", USER_DEFINED, 0 },
  };
  static const char across[] = "b \xE2\x96\x81"
                               "ab";
  static const char *const merges[] = { "a b", "\xE2\x96\x81 ab", across };
  static const struct {
    const char *model, *pre, *name;
    bool begins;
  } kinds[] = { { "gemma4", NULL, "bpe/gemma4", true },
                { "gpt2", "gemma4", "bpe/gemma4", true },
                { "gpt2", "mmbert", "bpe/mmbert", true },
                { "gpt2", "sarvam-moe", "bpe/sarvam-moe", false } };
  for (size_t i = 0; i < N (kinds); i++) {
    struct vocabulary_file file = { 0 };
    gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", kinds[i].model);
    if (kinds[i].pre)
      gguf_writer_add_string (&file.writer, "tokenizer.ggml.pre", kinds[i].pre);
    gguf_writer_add_strings (&file.writer, "tokenizer.ggml.merges", merges, N (merges));
    gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.bos_token_id", BOS);
    gguf_writer_add_bool (&file.writer, "tokenizer.ggml.add_bos_token", false);
    vocabulary_file_add (&file, BASE_SPM, tokens, N (tokens));
    assert (vocabulary_file_open (&file) == ENGINE_OK);
    const struct tokenizer *t = file.tokenizer;
    assert (strcmp (tokenizer_get_name (t), kinds[i].name) == 0);
    assert (tokenizer_adds_bos (t) == kinds[i].begins); /* whatever the file says */
    CHECK (t, "ab ab", ENGINE_TOKENIZE_TEXT, PAIR, SPACED_PAIR);
    CHECK (t, "bb ab", ENGINE_TOKENIZE_TEXT, LETTER_B, ACROSS); /* words are no borders */
    CHECK (t,
           "b\xE2\x96\x81"
           "ab",
           ENGINE_TOKENIZE_TEXT, ACROSS);
    CHECK (t, "a\n\nb", ENGINE_TOKENIZE_TEXT, LETTER_A, NEWLINES, LETTER_B);
    CHECK (t, "\xC3\xA9[tag]\xFF", ENGINE_TOKENIZE_TEXT, 0xC3, 0xA9, TAG, 0xFF);
    check_round_trips (t);
    check_streams (t);
    check_long (t, 'a');
    check_long (t, ' ');
    vocabulary_file_close (&file);
  }
}

static void test_wordpiece (void)
{
  enum { PAD, UNK, CLS, SEP, THE, CAFE, RUN, NING, COMMA, HAN, STRASSE, EM_DASH };
  static const struct vocabulary_token tokens[] = {
    { "[PAD]", CONTROL, 0 },
    { "[UNK]", CONTROL, 0 },
    { "[CLS]", CONTROL, 0 },
    { "[SEP]", CONTROL, 0 },
    { "\xE2\x96\x81the", NORMAL, 0 },
    { "\xE2\x96\x81"
      "cafe",
      NORMAL, 0 },
    { "\xE2\x96\x81run", NORMAL, 0 },
    { "ning", NORMAL, 0 },
    { "\xE2\x96\x81,", NORMAL, 0 },
    { "\xE2\x96\x81\xE4\xB8\xAD", NORMAL, 0 },
    { "\xE2\x96\x81stra\xC3\x9F"
      "e",
      NORMAL, 0 },
    { "\xE2\x96\x81\xE2\x80\x94", NORMAL, 0 },
  };
  struct vocabulary_file file = { 0 };
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "bert");
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.cls_token_id", CLS);
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.seperator_token_id", SEP);
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.unknown_token_id", UNK);
  vocabulary_file_add (&file, BASE_NONE, tokens, N (tokens));
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  const struct tokenizer *t = file.tokenizer;
  CHECK (t, "The CAF\xC3\x89", ENGINE_TOKENIZE_ADD_SPECIAL, CLS, THE, CAFE, SEP);
  CHECK (t, "cafe\xCC\x81,the", ENGINE_TOKENIZE_TEXT, CAFE, COMMA, THE);
  CHECK (t, "running runner", ENGINE_TOKENIZE_TEXT, RUN, NING, UNK);
  CHECK (t,
         "the\xE4\xB8\xAD"
         "the",
         ENGINE_TOKENIZE_TEXT, THE, HAN, THE);
  CHECK (t,
         "Stra\xC3\x9F"
         "e\xE2\x80\x94\xC2\xA0the\x01\xFF",
         ENGINE_TOKENIZE_TEXT, STRASSE, EM_DASH, THE);
  CHECK (t, "the[SEP]", ENGINE_TOKENIZE_READ_SPECIAL, THE, SEP);
  CHECK (t, "[SEP]", ENGINE_TOKENIZE_TEXT, UNK, UNK, UNK);
  assert (tokenizer_get_separator (t) == SEP && tokenizer_get_bos (t) == CLS);
  char *text;
  assert (tokenizer_decode (t, (const int32_t[]){ CLS, THE, RUN, NING, COMMA, SEP }, 6, false, &text, NULL, NULL) == 0);
  assert (strcmp (text, "the running ,") == 0);
  free (text);
  check_streams (t);
  check_long (t, 'a');
  check_long (t, ',');
  vocabulary_file_close (&file);
}

static void test_pairs (void)
{
  enum { UNK, CLS, SEP, THE, CAFE };
  static const struct vocabulary_token bert[] = {
    { "[UNK]", CONTROL, 0 },
    { "[CLS]", CONTROL, 0 },
    { "[SEP]", CONTROL, 0 },
    { "\xE2\x96\x81the", NORMAL, 0 },
    { "\xE2\x96\x81"
      "cafe",
      NORMAL, 0 },
  };
  struct vocabulary_file file = { 0 };
  struct engine_tokens tokens = { 0 };
  struct engine_error error;
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "bert");
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.cls_token_id", CLS);
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.seperator_token_id", SEP);
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.unknown_token_id", UNK);
  vocabulary_file_add (&file, BASE_NONE, bert, N (bert));
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  const struct tokenizer *t = file.tokenizer;
  CHECK_PAIR (t, "the cafe", "cafe the", 99, 4, CLS, THE, CAFE, SEP, CAFE, THE, SEP);
  CHECK_PAIR (t, "the cafe", "cafe the", 6, 4, CLS, THE, CAFE, SEP, CAFE, SEP);
  CHECK_PAIR (t, "the cafe", "cafe the", 5, 4, CLS, THE, CAFE, SEP, SEP);
  CHECK_PAIR (t, "the", "", 9, 3, CLS, THE, SEP, SEP);
  CHECK_PAIR (t, "[SEP]", "the", 9, 5, CLS, UNK, UNK, UNK, SEP, THE, SEP); /* plain text */
  assert (tokenizer_encode_pair (t, "the cafe", 8, "the", 3, 4, &tokens, NULL, &error) == ENGINE_ERROR_RANGE);
  assert (tokenizer_encode_pair (t, "the", 3, "the", 3, 0, &tokens, NULL, &error) == ENGINE_ERROR_RANGE);
  assert (tokens.n == 0);
  vocabulary_file_close (&file);

  /* ModernBERT and RoBERTa: byte-level BPE whose BOS and EOS are the encoder's. */
  static const struct {
    const char *pre;
    bool doubled;
  } encoders[]
      = { { "modern-bert", false }, { "roberta-bpe", true }, { "jina-v1-en", true }, { "jina-v2-code", true } };
  static const struct vocabulary_token ends[] = { { "[CLS]", CONTROL, 0 }, { "[SEP]", CONTROL, 0 } };
  for (size_t i = 0; i < N (encoders); i++) {
    gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "gpt2");
    gguf_writer_add_string (&file.writer, "tokenizer.ggml.pre", encoders[i].pre);
    gguf_writer_add_strings (&file.writer, "tokenizer.ggml.merges", bpe_merges, N (bpe_merges));
    gguf_writer_add_u32 (&file.writer, i ? "tokenizer.ggml.bos_token_id" : "tokenizer.ggml.cls_token_id", 256);
    gguf_writer_add_u32 (&file.writer, i ? "tokenizer.ggml.eos_token_id" : "tokenizer.ggml.seperator_token_id", 257);
    gguf_writer_add_bool (&file.writer, "tokenizer.ggml.add_bos_token", true);
    gguf_writer_add_bool (&file.writer, "tokenizer.ggml.add_eos_token", true);
    vocabulary_file_add (&file, BASE_BPE, ends, N (ends));
    assert (vocabulary_file_open (&file) == ENGINE_OK);
    CHECK (file.tokenizer, "ax", ENGINE_TOKENIZE_ADD_SPECIAL, 256, 'a', 'x', 257);
    if (encoders[i].doubled)
      CHECK_PAIR (file.tokenizer, "x", "y", 9, 9, 256, 'x', 257, 257, 'y', 257);
    else
      CHECK_PAIR (file.tokenizer, "x", "y", 9, 9, 256, 'x', 257, 'y', 257);
    vocabulary_file_close (&file);
  }

  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.merges", bpe_merges, N (bpe_merges));
  vocabulary_file_add (&file, BASE_BPE, ends, N (ends));
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  assert (tokenizer_encode_pair (file.tokenizer, "x", 1, "y", 1, 9, &tokens, NULL, &error) == ENGINE_ERROR_UNSUPPORTED);
  vocabulary_file_close (&file);
}

static void test_unknown_pretokenizer (void)
{
  struct vocabulary_file file = { 0 };
  open_bpe (&file, "martian");
  assert (vocabulary_file_open (&file) == ENGINE_ERROR_UNSUPPORTED && strstr (file.error.message, "martian"));
  vocabulary_file_close (&file);
}

static void check_refused (struct vocabulary_file *file, int status)
{
  int found = vocabulary_file_open (file);
  assert (found == status && file->error.status == status && file->error.message[0]);
  vocabulary_file_close (file);
}

static void test_damaged (void)
{
  struct vocabulary_file file = { 0 };
  float scores[3] = { 0 };
  int32_t types[3] = { 1, 1, 1 };
  static const char *const texts[] = { "a", "b" };
  check_refused (&file, ENGINE_ERROR_UNSUPPORTED); /* no tokenizer at all */
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "rwkv");
  check_refused (&file, ENGINE_ERROR_UNSUPPORTED);
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "llama");
  check_refused (&file, ENGINE_ERROR_FORMAT); /* no tokens */
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "llama");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  check_refused (&file, ENGINE_ERROR_FORMAT); /* no scores */
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "llama");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.scores", GGUF_F32, scores, 3, sizeof scores);
  check_refused (&file, ENGINE_ERROR_FORMAT); /* too many scores */
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "llama");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.scores", GGUF_F32, scores, 2, 2 * sizeof *scores);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.token_type", GGUF_I32, types, 3, sizeof types);
  check_refused (&file, ENGINE_ERROR_FORMAT); /* too many types */
  types[1] = BYTE;
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "llama");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.scores", GGUF_F32, scores, 2, 2 * sizeof *scores);
  gguf_writer_add_array (&file.writer, "tokenizer.ggml.token_type", GGUF_I32, types, 2, 2 * sizeof *types);
  check_refused (&file, ENGINE_ERROR_FORMAT); /* a byte token "b" */
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  check_refused (&file, ENGINE_ERROR_FORMAT); /* no merges */

  /* Ids beyond the vocabulary mean none; a vocabulary without bytes still gives an answer. */
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.bos_token_id", 4000000000u);
  gguf_writer_add_bool (&file.writer, "tokenizer.ggml.add_bos_token", true);
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.merges", bpe_merges, N (bpe_merges));
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.tokens", texts, 2);
  assert (vocabulary_file_open (&file) == ENGINE_OK && tokenizer_get_bos (file.tokenizer) == -1);
  CHECK (file.tokenizer, "abc\xFF", ENGINE_TOKENIZE_ADD_SPECIAL, 0, 1);
  vocabulary_file_close (&file);
}

/* Special tokens that are prefixes of each other, over a text of that one letter. */
static void test_hostile_specials (void)
{
  enum { COUNT = 300 };
  static char texts[COUNT][COUNT + 2];
  struct vocabulary_token tokens[COUNT];
  struct vocabulary_file file = { 0 };
  for (int i = 0; i < COUNT; i++) {
    memset (texts[i], 'a', (size_t)i + 1);
    tokens[i] = (struct vocabulary_token){ texts[i], USER_DEFINED, 0 };
  }
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.merges", bpe_merges, N (bpe_merges));
  vocabulary_file_add (&file, BASE_BPE, tokens, COUNT);
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  check_long (file.tokenizer, 'a');
  vocabulary_file_close (&file);
}

int main (void)
{
  test_spm ();
  test_bpe ();
  test_spaced ();
  test_wordpiece ();
  test_pairs ();
  test_unknown_pretokenizer ();
  test_damaged ();
  test_hostile_specials ();
  return 0;
}
