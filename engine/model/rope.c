/* rope.c: a model's rotary tables, from its metadata and its factors. */
#include "engine/model/metadata_reader.h"
#include <math.h>
#include <stdlib.h>

struct yarn {
  float beta_fast, beta_slow; /* rotations over the original context: above, a pair is kept; below, interpolated */
  float original_tokens;
  float log_multiplier; /* of the magnitude that the model's scores undo */
};

/* The pair that makes `rotations` turns over the original context (YaRN, section 3.2). */
static float yarn_pair (const struct yarn *yarn, float rotations, uint32_t n_dims, float base)
{
  return (float)n_dims * logf (yarn->original_tokens / (rotations * 2 * (float)M_PI)) / (2 * logf (base));
}

static float yarn_magnitude (float factor, float multiplier)
{
  return factor > 1 ? 1 + 0.1f * multiplier * logf (factor) : 1;
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
  rope->magnitude *= yarn_magnitude (factor, 1) / yarn_magnitude (factor, yarn->log_multiplier);
}

static int read_yarn (struct engine_model *model, struct metadata_reader *reader, float factor, float base,
                      struct engine_error *error)
{
  uint32_t original = model->shape.context_tokens;
  metadata_read_u32 (reader, "rope.scaling.original_context_length", &original);
  struct yarn yarn = { 32, 1, (float)original, 0 };
  metadata_read_f32 (reader, "rope.scaling.yarn_beta_fast", &yarn.beta_fast);
  metadata_read_f32 (reader, "rope.scaling.yarn_beta_slow", &yarn.beta_slow);
  metadata_read_f32 (reader, "rope.scaling.yarn_log_multiplier", &yarn.log_multiplier);
  if (original == 0 || !(yarn.beta_fast > 0) || !(yarn.beta_slow > 0) || !(base > 1))
    return metadata_bad (reader, "rope.scaling.original_context_length", error);
  if (!(yarn.log_multiplier >= 0 && yarn.log_multiplier <= 100))
    return metadata_bad (reader, "rope.scaling.yarn_log_multiplier", error);
  apply_yarn (&model->ropes[ROPE_TABLE_GLOBAL], &yarn, factor, base);
  return ENGINE_OK;
}

/* Stretches the global table as the file says. */
static int read_scaling (struct engine_model *model, struct metadata_reader *reader, float base,
                         struct engine_error *error)
{
  struct rope *rope = &model->ropes[ROPE_TABLE_GLOBAL];
  struct gguf_string type;
  float factor = 1;
  if (!gguf_get_string (reader->gguf, metadata_key (reader, "rope.scaling.type"), &type))
    type = (struct gguf_string){ "linear", 6 };
  if (!metadata_read_f32 (reader, "rope.scaling.factor", &factor))
    metadata_read_f32 (reader, "rope.scale_linear", &factor);
  if (factor == 0)
    factor = 1; /* how converters write "none" */
  if (!(factor >= 0.01f && factor <= 1e6f))
    return metadata_bad (reader, "rope.scaling.factor", error);
  metadata_read_f32 (reader, "rope.scaling.attn_factor", &rope->magnitude);
  if (!(rope->magnitude > 0 && rope->magnitude < 1e6f))
    return metadata_bad (reader, "rope.scaling.attn_factor", error);

#define IS(word) (type.length == strlen (word) && memcmp (type.bytes, word, type.length) == 0)
  if (IS ("none") || IS ("longrope")) /* LongRoPE is in the factors */
    return ENGINE_OK;
  if (IS ("linear")) {
    for (uint32_t i = 0; i < rope->n_pairs; i++)
      rope->frequencies[i] /= factor;
    return ENGINE_OK;
  }
  if (IS ("yarn"))
    return read_yarn (model, reader, factor, base, error);
#undef IS
  return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                           "The model scales its positions by the method \"%.*s\", which this engine cannot run.",
                           (int)(type.length < 60 ? type.length : 60), type.bytes);
}

/* Frequencies base^(-i / n), divided by the factors if there are any. */
static int fill_table (struct engine_model *model, struct rope *rope, float base, const float *factors,
                       struct engine_error *error)
{
  rope->layout = model->arch->rope;
  rope->n_pairs = model->n_rope_pairs;
  rope->magnitude = 1;
  rope->frequencies = malloc (rope->n_pairs * sizeof *rope->frequencies);
  if (!rope->frequencies)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the model.");
  for (uint32_t i = 0; i < rope->n_pairs; i++) {
    double frequency = pow (base, -(double)i / rope->n_pairs);
    float by = factors ? factors[i] : 1;
    if (!(by > 0))
      return engine_error_set (
          error, ENGINE_ERROR_FORMAT,
          "A rotary factor of the model is not a positive number: the file is damaged or was converted wrongly.");
    rope->frequencies[i] = (float)(frequency / by);
  }
  return ENGINE_OK;
}

static int read_base (struct metadata_reader *reader, const char *suffix, float *base, struct engine_error *error)
{
  metadata_read_f32 (reader, suffix, base);
  return *base > 0 && *base < 1e30f ? ENGINE_OK : metadata_bad (reader, suffix, error);
}

/* The set of factors for contexts beyond the original length. */
static int read_long_rope (struct engine_model *model, struct metadata_reader *reader, float base,
                           struct engine_error *error)
{
  if (!model->weights.rope_factors_long)
    return ENGINE_OK;
  model->long_rope_tokens = model->shape.context_tokens;
  metadata_read_u32 (reader, "rope.scaling.original_context_length", &model->long_rope_tokens);
  int status = fill_table (model, &model->long_rope, base, model->weights.rope_factors_long, error);
  model->long_rope.magnitude = model->ropes[ROPE_TABLE_GLOBAL].magnitude;
  return status;
}

int model_read_rope (struct engine_model *model, struct engine_error *error)
{
  struct metadata_reader reader = { .gguf = model->gguf, .prefix = model->arch->name };
  const struct model_weights *weights = &model->weights;
  float base = 10000;
  if (model->arch->rope == ROPE_NONE)
    return ENGINE_OK;
  int status = read_base (&reader, "rope.freq_base", &base, error);
  if (status == ENGINE_OK)
    status = fill_table (model, &model->ropes[ROPE_TABLE_GLOBAL], base,
                         weights->rope_factors_short ? weights->rope_factors_short : weights->rope_factors, error);
  if (status == ENGINE_OK)
    status = read_scaling (model, &reader, base, error);
  if (status == ENGINE_OK)
    status = read_long_rope (model, &reader, base, error);
  if (status != ENGINE_OK || !(model->arch->window_rope_base > 0))
    return status;
  base = model->arch->window_rope_base;
  status = read_base (&reader, "rope.freq_base_swa", &base, error);
  return status == ENGINE_OK ? fill_table (model, &model->ropes[ROPE_TABLE_WINDOW], base, NULL, error) : status;
}

const struct rope *model_get_rope (const struct engine_model *model, enum rope_table table, uint32_t context_tokens)
{
  if (table == ROPE_TABLE_GLOBAL && model->long_rope.frequencies && context_tokens > model->long_rope_tokens)
    return &model->long_rope;
  return &model->ropes[table];
}
