/* shape.c: a model's sizes and its rotary embedding, from the metadata. */
#include "engine/error.h"
#include "engine/model/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE (1u << 24) /* of any one dimension: products of two fit 64 bits, of a head count and a width 32 */

struct reader {
  const struct gguf *gguf;
  const char *prefix;
  char key[160];
};

static const char *key_of (struct reader *reader, const char *suffix)
{
  snprintf (reader->key, sizeof reader->key, "%s.%s", reader->prefix, suffix);
  return reader->key;
}

static bool read_u32 (struct reader *reader, const char *suffix, uint32_t *value)
{
  return gguf_get_u32 (reader->gguf, key_of (reader, suffix), value);
}

static bool read_f32 (struct reader *reader, const char *suffix, float *value)
{
  return gguf_get_f32 (reader->gguf, key_of (reader, suffix), value);
}

static int bad_size (struct reader *reader, const char *suffix, struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_FORMAT,
                           "The metadata %s is missing or out of range: the file is damaged or was converted wrongly.",
                           key_of (reader, suffix));
}

static int read_heads (struct reader *reader, struct model_shape *shape, struct engine_error *error)
{
  shape->n_kv_heads = shape->n_heads;
  enum gguf_kind kind;
  uint64_t n;
  if (gguf_get_array (reader->gguf, key_of (reader, "attention.head_count_kv"), &kind, &n))
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model's layers differ in their number of key/value heads, which this engine cannot run.");
  read_u32 (reader, "attention.head_count_kv", &shape->n_kv_heads);
  if (shape->n_kv_heads == 0 || shape->n_kv_heads > shape->n_heads || shape->n_heads % shape->n_kv_heads != 0)
    return bad_size (reader, "attention.head_count_kv", error);
  shape->head_dim = shape->n_embd / shape->n_heads;
  bool given = read_u32 (reader, "attention.key_length", &shape->head_dim);
  if (shape->head_dim == 0 || (!given && shape->n_embd % shape->n_heads != 0))
    return bad_size (reader, "attention.key_length", error);
  uint32_t value_length = shape->head_dim;
  read_u32 (reader, "attention.value_length", &value_length);
  if (value_length != shape->head_dim || shape->head_dim > MODEL_MAX_HEAD_DIM)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model's attention heads are %u and %u wide; this engine runs equal widths of at most %d.", shape->head_dim,
        value_length, MODEL_MAX_HEAD_DIM);
  shape->n_q = shape->n_heads * shape->head_dim;
  shape->n_kv = shape->n_kv_heads * shape->head_dim;
  return ENGINE_OK;
}

static int read_pooling (struct reader *reader, struct model_shape *shape, struct engine_error *error)
{
  enum { FILE_NONE, FILE_MEAN, FILE_CLS, FILE_LAST, FILE_RANK };
  uint32_t pooling = FILE_MEAN;
  read_u32 (reader, "pooling_type", &pooling);
  switch (pooling) {
  case FILE_NONE:
  case FILE_MEAN: shape->pooling = POOLING_MEAN; return ENGINE_OK;
  case FILE_CLS: shape->pooling = POOLING_CLS; return ENGINE_OK;
  case FILE_LAST: shape->pooling = POOLING_LAST; return ENGINE_OK;
  case FILE_RANK:
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "The model is a reranker, which this engine cannot run.");
  default: return bad_size (reader, "pooling_type", error);
  }
}

int model_read_shape (struct engine_model *model, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  struct reader reader = { .gguf = model->gguf, .prefix = model->arch->name };
  const struct {
    const char *suffix;
    uint32_t *value, max;
  } sizes[] = {
    { "block_count", &shape->n_layers, MODEL_MAX_LAYERS },  { "embedding_length", &shape->n_embd, MAX_SIZE },
    { "feed_forward_length", &shape->n_ff, MAX_SIZE },      { "attention.head_count", &shape->n_heads, 4096 },
    { "context_length", &shape->context_tokens, 1u << 28 },
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (!read_u32 (&reader, sizes[i].suffix, sizes[i].value) || *sizes[i].value == 0 || *sizes[i].value > sizes[i].max)
      return bad_size (&reader, sizes[i].suffix, error);
  const char *epsilon_key = model->arch->epsilon_key;
  if (!read_f32 (&reader, epsilon_key, &shape->norm_epsilon) || !(shape->norm_epsilon > 0 && shape->norm_epsilon < 1))
    return bad_size (&reader, epsilon_key, error);
  int status = read_heads (&reader, shape, error);
  if (status != ENGINE_OK)
    return status;

  const struct gguf_tensor *embeddings = gguf_find_tensor (model->gguf, "token_embd.weight");
  if (!embeddings || embeddings->ne[1] > 1u << 28)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The tensor token_embd.weight is missing or too large: the file is damaged.");
  shape->n_vocab = (uint32_t)embeddings->ne[1];
  if (model->tokenizer && tokenizer_get_n_vocab (model->tokenizer) > shape->n_vocab)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The vocabulary has %u tokens but the model has embeddings for %u: the file is damaged.",
                             tokenizer_get_n_vocab (model->tokenizer), shape->n_vocab);
  const struct gguf_tensor *types = gguf_find_tensor (model->gguf, "token_types.weight");
  shape->n_token_types = types && types->ne[1] <= 1024 ? (uint32_t)types->ne[1] : 1;

  if (model->arch->rope != ROPE_NONE) {
    uint32_t n_dims = shape->head_dim;
    read_u32 (&reader, "rope.dimension_count", &n_dims);
    if (n_dims < 2 || n_dims > shape->head_dim || n_dims % 2 != 0)
      return bad_size (&reader, "rope.dimension_count", error);
    model->rope.n_pairs = n_dims / 2;
  }
  return model->arch->role == ENGINE_ROLE_ENCODER ? read_pooling (&reader, shape, error) : ENGINE_OK;
}

/* ---- rotary embedding ------------------------------------------------------------------------------------ */

struct yarn {
  float beta_fast, beta_slow; /* rotations over the original context: above, a pair is kept; below, interpolated */
  float original_tokens;
};

/* The pair that makes `rotations` turns over the original context (YaRN, section 3.2). */
static float yarn_pair (const struct yarn *yarn, float rotations, uint32_t n_dims, float base)
{
  return (float)n_dims * logf (yarn->original_tokens / (rotations * 2 * (float)M_PI)) / (2 * logf (base));
}

static void apply_yarn (struct rope *rope, const struct yarn *yarn, float factor, float base)
{
  uint32_t n_dims = 2 * rope->n_pairs;
  float low = fmaxf (0, floorf (yarn_pair (yarn, yarn->beta_fast, n_dims, base)));
  float high = fminf ((float)n_dims - 1, ceilf (yarn_pair (yarn, yarn->beta_slow, n_dims, base)));
  for (uint32_t i = 0; i < rope->n_pairs; i++) {
    float ramp = ((float)i - low) / fmaxf (0.001f, high - low);
    float kept = 1 - fminf (1, fmaxf (0, ramp));
    rope->frequencies[i] *= kept + (1 - kept) / factor;
  }
  rope->magnitude *= factor > 1 ? 1 + 0.1f * logf (factor) : 1;
}

static int read_scaling (struct engine_model *model, struct reader *reader, float base, struct engine_error *error)
{
  struct rope *rope = &model->rope;
  struct gguf_string type;
  float factor = 1;
  if (!gguf_get_string (reader->gguf, key_of (reader, "rope.scaling.type"), &type))
    type = (struct gguf_string){ "linear", 6 };
  if (!read_f32 (reader, "rope.scaling.factor", &factor))
    read_f32 (reader, "rope.scale_linear", &factor);
  if (factor == 0)
    factor = 1; /* how converters write "none" */
  if (!(factor >= 0.01f && factor <= 1e6f))
    return bad_size (reader, "rope.scaling.factor", error);
  read_f32 (reader, "rope.scaling.attn_factor", &rope->magnitude);

#define IS(word) (type.length == strlen (word) && memcmp (type.bytes, word, type.length) == 0)
  if (IS ("none"))
    return ENGINE_OK;
  if (IS ("linear")) {
    for (uint32_t i = 0; i < rope->n_pairs; i++)
      rope->frequencies[i] /= factor;
    return ENGINE_OK;
  }
  if (IS ("yarn")) {
    uint32_t original = model->shape.context_tokens;
    read_u32 (reader, "rope.scaling.original_context_length", &original);
    struct yarn yarn = { 32, 1, (float)original };
    read_f32 (reader, "rope.scaling.yarn_beta_fast", &yarn.beta_fast);
    read_f32 (reader, "rope.scaling.yarn_beta_slow", &yarn.beta_slow);
    if (original == 0 || !(yarn.beta_fast > 0) || !(yarn.beta_slow > 0) || !(base > 1))
      return bad_size (reader, "rope.scaling.original_context_length", error);
    apply_yarn (rope, &yarn, factor, base);
    return ENGINE_OK;
  }
#undef IS
  return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                           "The model scales its positions by the method \"%.*s\", which this engine cannot run.",
                           (int)(type.length < 60 ? type.length : 60), type.bytes);
}

int model_read_rope (struct engine_model *model, struct engine_error *error)
{
  struct rope *rope = &model->rope;
  struct reader reader = { .gguf = model->gguf, .prefix = model->arch->name };
  rope->layout = model->arch->rope;
  rope->magnitude = 1;
  if (rope->layout == ROPE_NONE)
    return ENGINE_OK;
  float base = 10000;
  read_f32 (&reader, "rope.freq_base", &base);
  if (!(base > 0 && base < 1e30f))
    return bad_size (&reader, "rope.freq_base", error);
  rope->frequencies = malloc (rope->n_pairs * sizeof *rope->frequencies);
  if (!rope->frequencies)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the model.");
  for (uint32_t i = 0; i < rope->n_pairs; i++) {
    double frequency = pow (base, -(double)i / rope->n_pairs);
    float by = model->weights.rope_factors ? model->weights.rope_factors[i] : 1;
    if (!(by > 0))
      return engine_error_set (
          error, ENGINE_ERROR_FORMAT,
          "The tensor rope_freqs.weight holds a factor that is not positive: the file is damaged.");
    rope->frequencies[i] = (float)(frequency / by);
  }
  return read_scaling (model, &reader, base, error);
}
