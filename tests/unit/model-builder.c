#include "tests/unit/model-builder.h"
#include "engine/kernels/matmul.h"
#include "tests/unit/gguf-writer.h"
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

float builder_random (uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  uint64_t mixed = (*state ^ (*state >> 33)) * 0xff51afd7ed558ccdu;
  return (float)(mixed >> 40) * 0x1p-23f - 1;
}

struct making {
  struct builder_model *model;
  uint64_t state;
};

enum fill { FILL_MATRIX, FILL_NORM, FILL_BIAS, FILL_FACTORS };

static float pick (struct making *making, enum fill fill, uint32_t n_cols)
{
  float x = builder_random (&making->state);
  switch (fill) {
  case FILL_MATRIX: return x * 1.7f / sqrtf ((float)n_cols);
  case FILL_NORM: return 1 + 0.2f * x;
  case FILL_BIAS: return 0.2f * x;
  case FILL_FACTORS: return 2.5f + 1.5f * x;
  }
  abort ();
}

/* n_rows 0: a vector. */
__attribute__ ((format (printf, 5, 6))) static void put (struct making *making, enum fill fill, uint32_t n_cols,
                                                         uint32_t n_rows, const char *format, ...)
{
  struct builder_model *model = making->model;
  model->tensors = realloc (model->tensors, (model->n_tensors + 1) * sizeof *model->tensors);
  assert (model->tensors);
  struct builder_tensor *tensor = &model->tensors[model->n_tensors];
  va_list arguments;
  va_start (arguments, format);
  vsnprintf (tensor->name, sizeof tensor->name, format, arguments);
  va_end (arguments);
  const struct builder_options *options = &model->options;
  if (options->without && strcmp (tensor->name, options->without) == 0)
    return;
  if (options->misshapen && strcmp (tensor->name, options->misshapen) == 0)
    *(n_rows ? &n_rows : &n_cols) += 1;
  size_t n = (size_t)n_cols * (n_rows ? n_rows : 1);
  tensor->n_cols = n_cols;
  tensor->n_rows = n_rows;
  tensor->values = malloc (n * sizeof *tensor->values);
  assert (tensor->values);
  for (size_t i = 0; i < n; i++) {
    tensor->values[i] = pick (making, fill, strstr (tensor->name, "embd") ? 3 : n_cols);
    if (options->f16 && n_rows) {
      uint16_t half;
      f32_to_f16 (&tensor->values[i], &half, 1);
      f16_to_f32 (&half, &tensor->values[i], 1);
    }
  }
  model->n_tensors++;
}

static void put_decoder (struct making *making)
{
  const struct builder_options *o = &making->model->options;
  uint32_t nq = o->n_heads * o->head_dim, nkv = o->n_kv_heads * o->head_dim;
  put (making, FILL_MATRIX, o->n_embd, o->n_vocab, "token_embd.weight");
  put (making, FILL_NORM, o->n_embd, 0, "output_norm.weight");
  if (!o->tied)
    put (making, FILL_MATRIX, o->n_embd, o->n_vocab, "output.weight");
  if (o->rope_factors)
    put (making, FILL_FACTORS, o->head_dim / 2, 0, "rope_freqs.weight");
  for (uint32_t i = 0; i < o->n_layers; i++) {
    put (making, FILL_NORM, o->n_embd, 0, "blk.%u.attn_norm.weight", i);
    put (making, FILL_MATRIX, o->n_embd, nq, "blk.%u.attn_q.weight", i);
    put (making, FILL_MATRIX, o->n_embd, nkv, "blk.%u.attn_k.weight", i);
    put (making, FILL_MATRIX, o->n_embd, nkv, "blk.%u.attn_v.weight", i);
    if (strcmp (o->arch, "qwen2") == 0) {
      put (making, FILL_BIAS, nq, 0, "blk.%u.attn_q.bias", i);
      put (making, FILL_BIAS, nkv, 0, "blk.%u.attn_k.bias", i);
      put (making, FILL_BIAS, nkv, 0, "blk.%u.attn_v.bias", i);
    }
    if (strcmp (o->arch, "qwen3") == 0) {
      put (making, FILL_NORM, o->head_dim, 0, "blk.%u.attn_q_norm.weight", i);
      put (making, FILL_NORM, o->head_dim, 0, "blk.%u.attn_k_norm.weight", i);
    }
    put (making, FILL_MATRIX, nq, o->n_embd, "blk.%u.attn_output.weight", i);
    put (making, FILL_NORM, o->n_embd, 0, "blk.%u.ffn_norm.weight", i);
    put (making, FILL_MATRIX, o->n_embd, o->n_ff, "blk.%u.ffn_gate.weight", i);
    put (making, FILL_MATRIX, o->n_embd, o->n_ff, "blk.%u.ffn_up.weight", i);
    put (making, FILL_MATRIX, o->n_ff, o->n_embd, "blk.%u.ffn_down.weight", i);
  }
}

static void put_layer_norm (struct making *making, const char *name)
{
  uint32_t n_embd = making->model->options.n_embd;
  put (making, FILL_NORM, n_embd, 0, "%s.weight", name);
  put (making, FILL_BIAS, n_embd, 0, "%s.bias", name);
}

static void put_linear (struct making *making, uint32_t layer, const char *name, uint32_t n_cols, uint32_t n_rows)
{
  put (making, FILL_MATRIX, n_cols, n_rows, "blk.%u.%s.weight", layer, name);
  put (making, FILL_BIAS, n_rows, 0, "blk.%u.%s.bias", layer, name);
}

static void put_encoder (struct making *making)
{
  const struct builder_options *o = &making->model->options;
  char name[48];
  put (making, FILL_MATRIX, o->n_embd, o->n_vocab, "token_embd.weight");
  put (making, FILL_MATRIX, o->n_embd, o->context_tokens, "position_embd.weight");
  put (making, FILL_MATRIX, o->n_embd, 2, "token_types.weight");
  put_layer_norm (making, "token_embd_norm");
  for (uint32_t i = 0; i < o->n_layers; i++) {
    put_linear (making, i, "attn_q", o->n_embd, o->n_embd);
    put_linear (making, i, "attn_k", o->n_embd, o->n_embd);
    put_linear (making, i, "attn_v", o->n_embd, o->n_embd);
    put_linear (making, i, "attn_output", o->n_embd, o->n_embd);
    put_linear (making, i, "ffn_up", o->n_embd, o->n_ff);
    put_linear (making, i, "ffn_down", o->n_ff, o->n_embd);
    snprintf (name, sizeof name, "blk.%u.attn_output_norm", i);
    put_layer_norm (making, name);
    snprintf (name, sizeof name, "blk.%u.layer_output_norm", i);
    put_layer_norm (making, name);
  }
}

/* What an encoder or a decoder may end in. */
static void put_heads (struct making *making)
{
  const struct builder_options *o = &making->model->options;
  if (o->n_labels) {
    put (making, FILL_MATRIX, o->n_embd, o->n_embd, "cls.weight");
    put (making, FILL_BIAS, o->n_embd, 0, "cls.bias");
    put (making, FILL_MATRIX, o->n_embd, o->n_labels, "cls.output.weight");
    put (making, FILL_BIAS, o->n_labels, 0, "cls.output.bias");
  }
  if (o->n_dense) {
    put (making, FILL_MATRIX, o->n_embd, o->n_dense, "dense_2.weight");
    put (making, FILL_MATRIX, o->n_dense, o->n_dense / 2, "dense_3.weight");
  }
}

/* Five special tokens, then each letter at the start of a word and inside one, then words that no text here has. */
static void write_vocabulary (struct gguf_writer *writer, uint32_t n_vocab)
{
  static const char *const special[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
  enum { N_SPECIAL = 5, N_LETTERS = 26, KIND_NORMAL = 1, KIND_CONTROL = 3 };
  assert (n_vocab >= N_SPECIAL + 2 * N_LETTERS);
  char (*words)[16] = calloc (n_vocab, sizeof *words);
  const char **items = calloc (n_vocab, sizeof *items);
  int32_t *kinds = calloc (n_vocab, sizeof *kinds);
  assert (words && items && kinds);
  for (uint32_t i = 0; i < n_vocab; i++) {
    if (i < N_SPECIAL)
      snprintf (words[i], sizeof words[i], "%s", special[i]);
    else if (i < N_SPECIAL + N_LETTERS)
      snprintf (words[i], sizeof words[i], "\u2581%c", 'a' + (char)(i - N_SPECIAL));
    else if (i < N_SPECIAL + 2 * N_LETTERS)
      snprintf (words[i], sizeof words[i], "%c", 'a' + (char)(i - N_SPECIAL - N_LETTERS));
    else
      snprintf (words[i], sizeof words[i], "\u2581-%u", i);
    items[i] = words[i];
    kinds[i] = i < N_SPECIAL ? KIND_CONTROL : KIND_NORMAL;
  }
  gguf_writer_add_string (writer, "tokenizer.ggml.model", "bert");
  gguf_writer_add_string (writer, "tokenizer.ggml.pre", "bert-bge");
  gguf_writer_add_strings (writer, "tokenizer.ggml.tokens", items, n_vocab);
  gguf_writer_add_array (writer, "tokenizer.ggml.token_type", GGUF_I32, kinds, n_vocab, n_vocab * sizeof *kinds);
  gguf_writer_add_u32 (writer, "tokenizer.ggml.padding_token_id", 0);
  gguf_writer_add_u32 (writer, "tokenizer.ggml.unknown_token_id", 1);
  gguf_writer_add_u32 (writer, "tokenizer.ggml.cls_token_id", 2);
  gguf_writer_add_u32 (writer, "tokenizer.ggml.seperator_token_id", 3);
  gguf_writer_add_u32 (writer, "tokenizer.ggml.mask_token_id", 4);
  free (words);
  free (items);
  free (kinds);
}

static void write_metadata (const struct builder_options *o, struct gguf_writer *writer)
{
  const struct {
    const char *suffix;
    uint32_t value;
  } sizes[] = {
    { "context_length", o->context_tokens },
    { "embedding_length", o->n_embd },
    { "block_count", o->n_layers },
    { "feed_forward_length", o->n_ff },
    { "attention.head_count", o->n_heads },
    { "attention.head_count_kv", o->n_kv_heads },
    { "attention.key_length", o->head_dim },
    { "attention.value_length", o->head_dim },
    { "rope.scaling.original_context_length", o->original_context },
    { "attention.sliding_window", o->window },
    { "pooling_type", o->pooling },
  };
  const struct {
    const char *suffix;
    float value;
  } numbers[] = {
    { "attention.layer_norm_rms_epsilon", 1e-5f },
    { "attention.layer_norm_epsilon", 1e-5f },
    { "rope.freq_base", o->rope_base },
    { "rope.scaling.factor", o->rope_factor },
  };
  char key[96];
  gguf_writer_add_string (writer, "general.architecture", o->arch);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    snprintf (key, sizeof key, "%s.%s", o->arch, sizes[i].suffix);
    if (sizes[i].value > 0)
      gguf_writer_add_u32 (writer, key, sizes[i].value);
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    snprintf (key, sizeof key, "%s.%s", o->arch, numbers[i].suffix);
    if (numbers[i].value > 0)
      gguf_writer_add_f32 (writer, key, numbers[i].value);
  }
  if (o->rope_scaling) {
    snprintf (key, sizeof key, "%s.rope.scaling.type", o->arch);
    gguf_writer_add_string (writer, key, o->rope_scaling);
  }
  if (o->template)
    gguf_writer_add_string (writer, "tokenizer.chat_template.rerank", o->template);
}

static void write_tensor (const struct builder_tensor *tensor, bool f16, struct gguf_writer *writer)
{
  const uint64_t ne[] = { tensor->n_cols, tensor->n_rows };
  size_t n = (size_t)tensor->n_cols * (tensor->n_rows ? tensor->n_rows : 1);
  if (!f16 || !tensor->n_rows) {
    gguf_writer_add_tensor (writer, tensor->name, TENSOR_F32, tensor->n_rows ? 2 : 1, ne, tensor->values, n * 4);
    return;
  }
  uint16_t *halves = malloc (n * sizeof *halves);
  assert (halves);
  f32_to_f16 (tensor->values, halves, n);
  gguf_writer_add_tensor (writer, tensor->name, TENSOR_F16, 2, ne, halves, n * 2);
  free (halves);
}

struct builder_model *builder_model_new (const struct builder_options *options)
{
  struct builder_model *model = calloc (1, sizeof *model);
  assert (model);
  model->options = *options;
  struct making making = { model, options->seed };
  if (strcmp (options->arch, "bert") == 0)
    put_encoder (&making);
  else
    put_decoder (&making);
  put_heads (&making);
  if (options->extra)
    put (&making, FILL_NORM, options->head_dim, 0, "%s", options->extra);

  struct gguf_writer writer = { 0 };
  write_metadata (options, &writer);
  if (options->vocabulary)
    write_vocabulary (&writer, options->n_vocab);
  for (size_t i = 0; i < model->n_tensors; i++)
    write_tensor (&model->tensors[i], options->f16, &writer);
  const char *folder = getenv ("TMPDIR");
  char path[512];
  snprintf (path, sizeof path, "%s/lectern-test-XXXXXX", folder ? folder : "/tmp");
  int file = mkstemp (path);
  assert (file >= 0 && close (file) == 0);
  model->path = strdup (path);
  assert (model->path && gguf_writer_save (&writer, model->path));
  gguf_writer_clear (&writer);
  return model;
}

void builder_model_free (struct builder_model *model)
{
  unlink (model->path);
  for (size_t i = 0; i < model->n_tensors; i++)
    free (model->tensors[i].values);
  free (model->tensors);
  free (model->path);
  free (model);
}

const float *builder_model_get (const struct builder_model *model, const char *format, ...)
{
  char name[64];
  va_list arguments;
  va_start (arguments, format);
  vsnprintf (name, sizeof name, format, arguments);
  va_end (arguments);
  for (size_t i = 0; i < model->n_tensors; i++)
    if (strcmp (model->tensors[i].name, name) == 0)
      return model->tensors[i].values;
  return NULL;
}
