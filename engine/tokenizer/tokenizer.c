#include "engine/tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokenizer_private.h"

#define MAX_TOKENS ((uint32_t)1 << 24)
#define MAX_SPECIAL_BYTES ((size_t)16 << 20)

static const struct tokenizer_family *const families[]
    = { &tokenizer_spm, &tokenizer_unigram, &tokenizer_bpe, &tokenizer_gemma4, &tokenizer_wordpiece };

/* Tokens that end generation, by how they are written. */
static const char *const end_markers[] = {
  "<|eot_id|>",
  "<|eom_id|>",
  "<|eot|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "<|end_of_text|>",
  "</s>",
  "<eos>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<turn|>",
  "<|EOT|>",
  "<end_of_utterance>",
  "<｜end▁of▁sentence｜>",
  "<|END_OF_TURN_TOKEN|>",
  "<|fim_pad|>",
  "<|repo_name|>",
  "<|file_sep|>",
};

/* Further markers of turns that some files call user-defined. */
static const char *const turn_markers[]
    = { "<start_of_turn>", "[INST]", "[/INST]", "<s>", "<bos>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]" };

#define EACH_BYTE_4(n) (char)(n), (char)((n) + 1), (char)((n) + 2), (char)((n) + 3)
#define EACH_BYTE_16(n) EACH_BYTE_4 (n), EACH_BYTE_4 ((n) + 4), EACH_BYTE_4 ((n) + 8), EACH_BYTE_4 ((n) + 12)
#define EACH_BYTE_64(n) EACH_BYTE_16 (n), EACH_BYTE_16 ((n) + 16), EACH_BYTE_16 ((n) + 32), EACH_BYTE_16 ((n) + 48)
const char tokenizer_bytes[256] = { EACH_BYTE_64 (0), EACH_BYTE_64 (64), EACH_BYTE_64 (128), EACH_BYTE_64 (192) };

static bool equals (const struct token *token, const char *text)
{
  return token->length == strlen (text) && memcmp (token->bytes, text, token->length) == 0;
}

static bool begins (const struct token *token, const char *text)
{
  return token->length >= strlen (text) && memcmp (token->bytes, text, strlen (text)) == 0;
}

static bool ends (const struct token *token, const char *text)
{
  size_t n = strlen (text);
  return token->length >= n && memcmp (token->bytes + token->length - n, text, n) == 0;
}

static bool looks_like_marker (const struct token *token)
{
  if ((begins (token, "<|") && ends (token, "|>")) || (begins (token, "<｜") && ends (token, "｜>")))
    return true;
  for (size_t i = 0; i < sizeof turn_markers / sizeof *turn_markers; i++)
    if (equals (token, turn_markers[i]))
      return true;
  return false;
}

static bool looks_like_end (const struct token *token)
{
  if (token->length < 3 || !strchr ("<[_", token->bytes[0])) /* spares most tokens the search */
    return false;
  for (size_t i = 0; i < sizeof end_markers / sizeof *end_markers; i++)
    if (equals (token, end_markers[i]))
      return true;
  return false;
}

static int load_tokens (struct tokenizer *tokenizer, const struct gguf *gguf, struct engine_error *error)
{
  enum gguf_kind kind;
  uint64_t n, n_types;
  if (!gguf_get_array (gguf, "tokenizer.ggml.tokens", &kind, &n) || kind != GGUF_STRING || n == 0 || n > MAX_TOKENS)
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The model has no usable vocabulary (tokenizer.ggml.tokens); download or convert it again.");
  struct gguf_string *strings = calloc (n, sizeof *strings);
  int32_t *types = NULL;
  int status = ENGINE_OK;
  tokenizer->tokens = calloc (n, sizeof *tokenizer->tokens);
  tokenizer->n_vocab = (uint32_t)n;
  if (!strings || !tokenizer->tokens)
    status = tokenizer_no_memory (error);
  else if (!gguf_array_copy_strings (gguf, "tokenizer.ggml.tokens", strings, n))
    status = engine_error_set (error, ENGINE_ERROR_FORMAT, "The model's tokens cannot be read; download it again.");
  if (status == ENGINE_OK && gguf_get_array (gguf, "tokenizer.ggml.token_type", &kind, &n_types)) {
    types = calloc (n, sizeof *types);
    if (!types)
      status = tokenizer_no_memory (error);
    else if (n_types != n || !gguf_array_copy_i32 (gguf, "tokenizer.ggml.token_type", types, n))
      status = engine_error_set (error, ENGINE_ERROR_FORMAT,
                                 "The model's token types do not fit its %u tokens; the model file is damaged.",
                                 tokenizer->n_vocab);
  }
  for (uint64_t i = 0; i < n && status == ENGINE_OK; i++) {
    struct token *token = &tokenizer->tokens[i];
    if (strings[i].length > UINT32_MAX / 4)
      status = engine_error_set (error, ENGINE_ERROR_FORMAT, "Token %u of the model is too long.", (unsigned)i);
    token->bytes = strings[i].bytes;
    token->length = (uint32_t)strings[i].length;
    token->kind = TOKEN_NORMAL;
    if (types && types[i] >= 0 && types[i] < TOKEN_N_KINDS)
      token->kind = (uint8_t)types[i];
    /* "</s>" as an ordinary token is the end of HTML's <s>, not of the text. */
    token->is_end = looks_like_end (token) && (token->kind != TOKEN_NORMAL || looks_like_marker (token));
    if (token->is_end || (token->kind == TOKEN_USER_DEFINED && looks_like_marker (token)))
      token->kind = TOKEN_CONTROL;
  }
  free (strings);
  free (types);
  return status;
}

static int32_t read_id (const struct tokenizer *tokenizer, const struct gguf *gguf, const char *key, int32_t fallback)
{
  uint32_t id;
  if (!gguf_get_u32 (gguf, key, &id))
    return fallback >= 0 && (uint32_t)fallback < tokenizer->n_vocab ? fallback : -1;
  return id < tokenizer->n_vocab ? (int32_t)id : -1;
}

static void load_special_ids (struct tokenizer *tokenizer, const struct gguf *gguf)
{
  bool spm = tokenizer->family == &tokenizer_spm, wordpiece = tokenizer->family == &tokenizer_wordpiece;
  bool unigram = tokenizer->family == &tokenizer_unigram;
  tokenizer->bos = read_id (tokenizer, gguf, "tokenizer.ggml.bos_token_id", spm ? 1 : wordpiece ? 101 : -1);
  tokenizer->eos = read_id (tokenizer, gguf, "tokenizer.ggml.eos_token_id", spm ? 2 : unigram ? 1 : -1);
  tokenizer->unknown = read_id (tokenizer, gguf, "tokenizer.ggml.unknown_token_id",
                                spm         ? 0
                                : unigram   ? 2
                                : wordpiece ? 100
                                            : -1);
  tokenizer->separator = read_id (tokenizer, gguf, "tokenizer.ggml.seperator_token_id", wordpiece ? 102 : -1);
  /* Encoders name the ends of a text [CLS] and [SEP]. */
  if (wordpiece || tokenizer->bos < 0)
    tokenizer->bos = read_id (tokenizer, gguf, "tokenizer.ggml.cls_token_id", tokenizer->bos);
  if (tokenizer->eos < 0 && !wordpiece)
    tokenizer->eos = tokenizer->separator;
  tokenizer->add_bos
      = spm || wordpiece || (tokenizer->pretokenizer && pretokenizer_get_row (tokenizer->pretokenizer)->add_bos);
  tokenizer->add_eos = unigram;
  gguf_get_bool (gguf, "tokenizer.ggml.add_bos_token", &tokenizer->add_bos);
  gguf_get_bool (gguf, "tokenizer.ggml.add_eos_token", &tokenizer->add_eos);
  if (tokenizer->spaced && pretokenizer_get_row (tokenizer->pretokenizer)->add_bos)
    tokenizer->add_bos = true; /* Gemma 4's first files say otherwise and are wrong */
  if (tokenizer->pretokenizer)
    tokenizer->doubles_separator = pretokenizer_get_row (tokenizer->pretokenizer)->roberta;
  else if (unigram) /* XLM-RoBERTa begins with <s>; T5 and DeBERTa do not */
    tokenizer->doubles_separator
        = tokenizer->add_bos && tokenizer->bos >= 0 && equals (&tokenizer->tokens[tokenizer->bos], "<s>");
  const int32_t ends[] = { tokenizer->eos, read_id (tokenizer, gguf, "tokenizer.ggml.eot_token_id", -1),
                           read_id (tokenizer, gguf, "tokenizer.ggml.eom_token_id", -1) };
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (ends[i] >= 0)
      tokenizer->tokens[ends[i]].is_end = true;
}

/* Phi-3's tokenizer.json has "rstrip" on its special tokens, which GGUF does not record. */
static void load_strips (struct tokenizer *tokenizer, const struct gguf *gguf)
{
  static const char *const kept[] = { "<unk>", "<s>", "<|endoftext|>" };
  struct gguf_string architecture;
  if (tokenizer->family != &tokenizer_spm || !gguf_get_string (gguf, "general.architecture", &architecture)
      || architecture.length != 4 || memcmp (architecture.bytes, "phi3", 4) != 0)
    return;
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++) {
    struct token *token = &tokenizer->tokens[i];
    token->strips_after = token_is_special (token);
    for (size_t j = 0; j < sizeof kept / sizeof *kept; j++)
      if (equals (token, kept[j]))
        token->strips_after = false;
  }
}

static int load_specials (struct tokenizer *tokenizer, struct engine_error *error)
{
  size_t n_bytes = 0, n_specials = 0;
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++)
    if (token_is_special (&tokenizer->tokens[i])) {
      n_specials++;
      if (tokenizer->tokens[i].length <= SPECIAL_MAX_BYTES)
        n_bytes += tokenizer->tokens[i].length;
    }
  if (n_bytes > MAX_SPECIAL_BYTES)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The model has %zu special tokens, more than any tokenizer needs; the file is damaged.",
                             n_specials);
  if (!special_matcher_init (&tokenizer->specials, n_bytes) || !vocabulary_init (&tokenizer->written, n_specials))
    return tokenizer_no_memory (error);
  for (uint32_t i = 0; i < tokenizer->n_vocab; i++) {
    const struct token *token = &tokenizer->tokens[i];
    if (!token_is_special (token))
      continue;
    special_matcher_add (&tokenizer->specials, token->bytes, token->length, (int32_t)i,
                         token->kind != TOKEN_USER_DEFINED);
    vocabulary_add (&tokenizer->written, token->bytes, token->length, (int32_t)i);
  }
  return ENGINE_OK;
}

int tokenizer_new (const struct gguf *gguf, struct tokenizer **tokenizer, struct engine_error *error)
{
  struct gguf_string model, pre = { "", 0 };
  const struct tokenizer_family *family = NULL;
  if (!gguf_get_string (gguf, "tokenizer.ggml.model", &model))
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "The model has no tokenizer; use a model that has one.");
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (strlen (families[i]->model) == model.length && memcmp (families[i]->model, model.bytes, model.length) == 0)
      family = families[i];
  if (!family)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model's tokenizer \"%.*s\" is not known to this version; use a model of another family.",
        model.length > 60 ? 60 : (int)model.length, model.bytes);
  struct tokenizer *made = calloc (1, sizeof *made);
  if (!made)
    return tokenizer_no_memory (error);
  made->family = family;
  for (int i = 0; i < 256; i++)
    made->byte_ids[i] = -1;
  int status = load_tokens (made, gguf, error);
  if (status == ENGINE_OK)
    status = family->load (made, gguf, error);
  if (status != ENGINE_OK) {
    tokenizer_free (made);
    return status;
  }
  made->add_space_prefix = family == &tokenizer_spm;
  if (family == &tokenizer_spm || family == &tokenizer_unigram)
    gguf_get_bool (gguf, "tokenizer.ggml.add_space_prefix", &made->add_space_prefix);
  load_special_ids (made, gguf);
  load_strips (made, gguf);
  status = load_specials (made, error);
  if (status != ENGINE_OK) {
    tokenizer_free (made);
    return status;
  }
  if (family == &tokenizer_gemma4)
    snprintf (made->name, sizeof made->name, "%s/gemma4", family->name);
  else if (family == &tokenizer_bpe && gguf_get_string (gguf, "tokenizer.ggml.pre", &pre) && pre.length > 0)
    snprintf (made->name, sizeof made->name, "%s/%.*s", family->name, (int)pre.length, pre.bytes);
  else
    snprintf (made->name, sizeof made->name, "%s", family->name);
  *tokenizer = made;
  return ENGINE_OK;
}

void tokenizer_free (struct tokenizer *tokenizer)
{
  if (!tokenizer)
    return;
  free (tokenizer->tokens);
  free (tokenizer->arena);
  free (tokenizer->scores);
  trie_release (&tokenizer->trie);
  charsmap_release (&tokenizer->charsmap);
  vocabulary_release (&tokenizer->ordinary);
  vocabulary_release (&tokenizer->written);
  special_matcher_release (&tokenizer->specials);
  merge_table_release (&tokenizer->merges);
  pretokenizer_free (tokenizer->pretokenizer);
  free (tokenizer);
}

const char *tokenizer_get_name (const struct tokenizer *tokenizer)
{
  return tokenizer->name;
}

uint32_t tokenizer_get_n_vocab (const struct tokenizer *tokenizer)
{
  return tokenizer->n_vocab;
}

static const struct token *get_token (const struct tokenizer *tokenizer, int32_t id)
{
  return id >= 0 && (uint32_t)id < tokenizer->n_vocab ? &tokenizer->tokens[id] : NULL;
}

const char *tokenizer_get_piece (const struct tokenizer *tokenizer, int32_t id, bool with_special, size_t *length)
{
  const struct token *token = get_token (tokenizer, id);
  *length = 0;
  if (!token || (!with_special && (token->kind == TOKEN_CONTROL || token->kind == TOKEN_UNKNOWN)))
    return "";
  *length = token->length;
  return token->bytes;
}

int32_t tokenizer_find (const struct tokenizer *tokenizer, const char *text, size_t length)
{
  int32_t id = vocabulary_find (&tokenizer->written, text, length);
  return id >= 0 ? id : vocabulary_find (&tokenizer->ordinary, text, length);
}

int32_t tokenizer_get_bos (const struct tokenizer *tokenizer)
{
  return tokenizer->bos;
}

int32_t tokenizer_get_eos (const struct tokenizer *tokenizer)
{
  return tokenizer->eos;
}

int32_t tokenizer_get_separator (const struct tokenizer *tokenizer)
{
  return tokenizer->separator;
}

bool tokenizer_adds_bos (const struct tokenizer *tokenizer)
{
  return tokenizer->add_bos && tokenizer->bos >= 0;
}

bool tokenizer_is_special (const struct tokenizer *tokenizer, int32_t id)
{
  const struct token *token = get_token (tokenizer, id);
  return token && token_is_special (token);
}

bool tokenizer_is_control (const struct tokenizer *tokenizer, int32_t id)
{
  const struct token *token = get_token (tokenizer, id);
  return token && (token->kind == TOKEN_CONTROL || token->kind == TOKEN_UNKNOWN);
}

bool tokenizer_is_end (const struct tokenizer *tokenizer, int32_t id)
{
  const struct token *token = get_token (tokenizer, id);
  return token && token->is_end;
}

bool tokenizer_drops_first_space (const struct tokenizer *tokenizer)
{
  return tokenizer->add_space_prefix || tokenizer->family == &tokenizer_wordpiece;
}
