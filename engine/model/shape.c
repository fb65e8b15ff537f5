/* shape.c: a model's sizes, and those of each layer, from the metadata. */
#include "engine/model/metadata_reader.h"
#include <math.h>
#include <stdlib.h>

#define MAX_SIZE (1u << 24) /* of any one dimension: products of two fit 64 bits, of a head count and a width 32 */
#define MAX_HEADS 4096

/* ---- helpers --------------------------------------------------------------------------------------------- */

static bool has_group (const struct engine_model *model, unsigned groups)
{
  return model->arch->groups & groups;
}

/* A number that may be given once or for each layer. values[n_layers]; false where it is absent, damaged or over max. */
static bool read_per_layer (struct metadata_reader *reader, const char *suffix, uint32_t max, uint32_t *values,
                            uint32_t n_layers)
{
  enum gguf_kind kind;
  uint64_t n;
  uint32_t value = 0;
  if (gguf_get_array (reader->gguf, metadata_key (reader, suffix), &kind, &n)) {
    if (!gguf_array_copy_i32 (reader->gguf, reader->key, (int32_t *)values, n_layers))
      return false;
  } else if (metadata_read_u32 (reader, suffix, &value)) {
    for (uint32_t i = 0; i < n_layers; i++)
      values[i] = value;
  } else
    return false;
  for (uint32_t i = 0; i < n_layers; i++)
    if (values[i] > max)
      return false;
  return true;
}

/* A factor that must be a positive, finite number where it is given. */
static int read_factor (struct metadata_reader *reader, const char *suffix, float *value, struct engine_error *error)
{
  if (metadata_read_f32 (reader, suffix, value) && !(*value > 0 && *value < 1e9f))
    return metadata_bad (reader, suffix, error);
  return ENGINE_OK;
}

/* ---- what all layers share ------------------------------------------------------------------------------- */

static int read_sizes (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  const struct {
    const char *suffix;
    uint32_t *value, max;
  } sizes[] = {
    { "block_count", &shape->n_layers, MODEL_MAX_LAYERS },
    { "embedding_length", &shape->n_embd, MAX_SIZE },
    { "context_length", &shape->context_tokens, 1u << 28 },
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (!metadata_read_u32 (reader, sizes[i].suffix, sizes[i].value) || *sizes[i].value == 0
        || *sizes[i].value > sizes[i].max)
      return metadata_bad (reader, sizes[i].suffix, error);
  const char *epsilon_key
      = model->arch->norm == NORM_RMS ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  if (!metadata_read_f32 (reader, epsilon_key, &shape->norm_epsilon)
      || !(shape->norm_epsilon > 0 && shape->norm_epsilon < 1))
    return metadata_bad (reader, epsilon_key, error);

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
  return ENGINE_OK;
}

static int read_heads (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  if (!has_group (model, GROUP_ATTENTION))
    return ENGINE_OK;
  if (!metadata_read_u32 (reader, "attention.head_count", &shape->n_heads) || shape->n_heads == 0
      || shape->n_heads > MAX_HEADS)
    return metadata_bad (reader, "attention.head_count", error);
  shape->head_dim = shape->n_embd / shape->n_heads;
  bool given = metadata_read_u32 (reader, "attention.key_length", &shape->head_dim);
  if (shape->head_dim == 0 || (!given && shape->n_embd % shape->n_heads != 0))
    return metadata_bad (reader, "attention.key_length", error);
  uint32_t value_length = shape->head_dim;
  metadata_read_u32 (reader, "attention.value_length", &value_length);
  if (value_length != shape->head_dim || shape->head_dim > MODEL_MAX_HEAD_DIM)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model's attention heads are %u and %u wide; this engine runs equal widths of at most %d.", shape->head_dim,
        value_length, MODEL_MAX_HEAD_DIM);
  shape->n_q = shape->n_heads * shape->head_dim;
  if (model->arch->rope == ROPE_NONE)
    return ENGINE_OK;
  uint32_t n_dims = shape->head_dim;
  metadata_read_u32 (reader, "rope.dimension_count", &n_dims);
  if (n_dims < 2 || n_dims > shape->head_dim || n_dims % 2 != 0)
    return metadata_bad (reader, "rope.dimension_count", error);
  model->n_rope_pairs = n_dims / 2;
  return ENGINE_OK;
}

static int read_scales (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  const struct arch *arch = model->arch;
  float per_head = shape->n_layers == arch->n_layers_embd_scaled ? (float)shape->n_embd / (float)shape->n_heads
                                                                 : (float)shape->head_dim;
  shape->attention_scale = per_head > 0 ? 1 / sqrtf (per_head) : 1;
  shape->embedding_scale = arch->flags & ARCH_SCALES_EMBEDDINGS ? sqrtf ((float)shape->n_embd) : 1;
  shape->residual_scale = 1;
  shape->attention_softcap = arch->attention_softcap;
  shape->logit_softcap = arch->logit_softcap;
  float logit_divisor = 1, temperature_scale = 0;
  const struct {
    const char *suffix;
    float *value;
  } factors[] = {
    { "attention.scale", &shape->attention_scale },
    { "embedding_scale", &shape->embedding_scale },
    { "residual_scale", &shape->residual_scale },
    { "logit_scale", &logit_divisor },
    { "attn_logit_softcapping", &shape->attention_softcap },
    { "final_logit_softcapping", &shape->logit_softcap },
    { "attention.temperature_scale", &temperature_scale },
  };
  for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
    int status = read_factor (reader, factors[i].suffix, factors[i].value, error);
    if (status != ENGINE_OK)
      return status;
  }
  shape->logit_scale = 1 / logit_divisor;
  shape->temperature_scale = temperature_scale;
  if (temperature_scale > 0) {
    metadata_read_u32 (reader, "rope.scaling.original_context_length", &shape->temperature_tokens);
    metadata_read_u32 (reader, "attention.temperature_length", &shape->temperature_tokens);
    if (shape->temperature_tokens == 0)
      return metadata_bad (reader, "attention.temperature_length", error);
  }
  return ENGINE_OK;
}

static int read_experts (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  metadata_read_u32 (reader, "expert_count", &shape->n_experts);
  if (shape->n_experts == 0)
    return ENGINE_OK;
  enum { GATING_UNSAID, GATING_SOFTMAX };
  uint32_t gating = GATING_UNSAID;
  metadata_read_u32 (reader, "expert_gating_func", &gating);
  if (gating > GATING_SOFTMAX)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model chooses its experts by a function (number %u) that this engine does not have.",
                             gating);
  metadata_read_u32 (reader, "expert_used_count", &shape->n_experts_used);
  if (shape->n_experts_used == 0 || shape->n_experts_used > shape->n_experts)
    return metadata_bad (reader, "expert_used_count", error);
  if (shape->n_experts > MODEL_MAX_EXPERTS || shape->n_experts_used > MODEL_MAX_EXPERTS_USED)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model has %u experts and uses %u of them at a time; this engine runs at most %d and %d.", shape->n_experts,
        shape->n_experts_used, MODEL_MAX_EXPERTS, MODEL_MAX_EXPERTS_USED);
  uint32_t dense = 0;
  metadata_read_u32 (reader, "feed_forward_length", &dense);
  shape->n_expert_ff = shape->n_shared_ff = dense;
  metadata_read_u32 (reader, "expert_feed_forward_length", &shape->n_expert_ff);
  metadata_read_u32 (reader, "expert_shared_feed_forward_length", &shape->n_shared_ff);
  if (shape->n_expert_ff == 0 || shape->n_expert_ff > MAX_SIZE)
    return metadata_bad (reader, "expert_feed_forward_length", error);
  if (has_group (model, GROUP_SHARED_EXPERT) && (shape->n_shared_ff == 0 || shape->n_shared_ff > MAX_SIZE))
    return metadata_bad (reader, "expert_shared_feed_forward_length", error);
  shape->experts_normalised = model->arch->flags & ARCH_EXPERTS_NORMALISED;
  metadata_read_bool (reader, "expert_weights_norm", &shape->experts_normalised);
  shape->expert_scale = 1;
  float scale = 0; /* how converters write "none" */
  if (metadata_read_f32 (reader, "expert_weights_scale", &scale) && scale != 0)
    shape->expert_scale = scale;
  return ENGINE_OK;
}

static int read_recurrence (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  const char *taps_key = has_group (model, GROUP_CONVOLUTION) ? "shortconv.l_cache" : "ssm.conv_kernel";
  if (!has_group (model, GROUP_CONVOLUTION | GROUP_STATE_SPACE))
    return ENGINE_OK;
  if (!metadata_read_u32 (reader, taps_key, &shape->conv_taps) || shape->conv_taps < 2 || shape->conv_taps > 64)
    return metadata_bad (reader, taps_key, error);
  if (!has_group (model, GROUP_STATE_SPACE))
    return ENGINE_OK;
  const struct {
    const char *suffix;
    uint32_t *value, max;
  } sizes[] = {
    { "ssm.inner_size", &shape->ssm_inner, MAX_SIZE },
    { "ssm.state_size", &shape->ssm_state, MODEL_MAX_STATE },
    { "ssm.time_step_rank", &shape->ssm_dt, MAX_SIZE },
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (!metadata_read_u32 (reader, sizes[i].suffix, sizes[i].value) || *sizes[i].value == 0
        || *sizes[i].value > sizes[i].max)
      return metadata_bad (reader, sizes[i].suffix, error);
  metadata_read_bool (reader, "ssm.dt_b_c_rms", &shape->ssm_norms);
  return ENGINE_OK;
}

/* ---- layers ---------------------------------------------------------------------------------------------- */

struct layer_lists {
  uint32_t n_kv_heads[MODEL_MAX_LAYERS], n_ff[MODEL_MAX_LAYERS];
  int32_t windowed[MODEL_MAX_LAYERS];
};

/* Which layers have a sliding window: all, all but one of each period, or as a list says. */
static int read_windows (struct engine_model *model, struct metadata_reader *reader, struct layer_lists *lists,
                         struct engine_error *error)
{
  const struct arch *arch = model->arch;
  uint32_t n_layers = model->shape.n_layers, period = arch->window_period, window = arch->window_tokens;
  if (!(arch->flags & ARCH_WINDOWED))
    return ENGINE_OK;
  metadata_read_u32 (reader, "attention.sliding_window", &window);
  enum gguf_kind kind;
  uint64_t n;
  if (gguf_get_array (reader->gguf, metadata_key (reader, "attention.sliding_window_pattern"), &kind, &n)) {
    if (!gguf_array_copy_i32 (reader->gguf, reader->key, lists->windowed, n_layers))
      return metadata_bad (reader, "attention.sliding_window_pattern", error);
  } else {
    metadata_read_u32 (reader, "attention.sliding_window_pattern", &period);
    uint32_t global = period && !(arch->flags & ARCH_WINDOW_FIRST_GLOBAL) ? period - 1 : 0;
    for (uint32_t i = 0; i < n_layers; i++)
      lists->windowed[i] = period == 0 || i % period != global;
  }
  for (uint32_t i = 0; i < n_layers; i++)
    model->layer_shapes[i].window_tokens = lists->windowed[i] ? window : 0;
  return ENGINE_OK;
}

static enum mixer find_mixer (const struct engine_model *model, uint32_t n_kv_heads)
{
  if (has_group (model, GROUP_STATE_SPACE))
    return MIXER_STATE_SPACE;
  return has_group (model, GROUP_CONVOLUTION) && n_kv_heads == 0 ? MIXER_CONVOLUTION : MIXER_ATTENTION;
}

static uint64_t count_state (const struct model_shape *shape, enum mixer mixer)
{
  switch (mixer) {
  case MIXER_CONVOLUTION: return (uint64_t)(shape->conv_taps - 1) * shape->n_embd;
  case MIXER_STATE_SPACE: return (uint64_t)(shape->conv_taps - 1 + shape->ssm_state) * shape->ssm_inner;
  case MIXER_ATTENTION: break;
  }
  return 0;
}

static void choose_rope (struct engine_model *model, struct metadata_reader *reader, uint32_t i)
{
  const struct arch *arch = model->arch;
  struct layer_shape *layer = &model->layer_shapes[i];
  bool rotated = true;
  if (arch->flags & ARCH_ROPE_SWITCH)
    metadata_read_bool (reader, "rope.scaling.finetuned", &rotated);
  if (arch->rope == ROPE_NONE || !rotated || (arch->nope_period && i % arch->nope_period == arch->nope_period - 1))
    layer->rope = ROPE_TABLE_NONE;
  else if (layer->window_tokens && arch->window_rope_base > 0)
    layer->rope = ROPE_TABLE_WINDOW;
  else
    layer->rope = ROPE_TABLE_GLOBAL;
}

/* Sizes that no layer uses are held against no tensor: memory must not be taken for them. */
static void forget_unused (struct engine_model *model)
{
  struct model_shape *shape = &model->shape;
  bool has_experts = false;
  for (uint32_t i = 0; i < shape->n_layers; i++)
    has_experts = has_experts || model->layer_shapes[i].has_experts;
  if (!has_experts)
    shape->n_experts = shape->n_experts_used = shape->n_expert_ff = 0;
  if (!has_experts || !has_group (model, GROUP_SHARED_EXPERT))
    shape->n_shared_ff = 0;
  if (shape->n_kv_heads_all == 0)
    shape->n_q = 0;
}

static int fill_layers (struct engine_model *model, struct metadata_reader *reader, struct layer_lists *lists,
                        struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  uint32_t n_layers = shape->n_layers, n_dense = 0, expert_period = 0;
  bool has_ffn = has_group (model, GROUP_FFN_GATED | GROUP_FFN_FUSED | GROUP_FFN_PLAIN);
  for (uint32_t i = 0; i < n_layers; i++)
    lists->n_kv_heads[i] = shape->n_heads;
  if (has_group (model, GROUP_ATTENTION)
      && !read_per_layer (reader, "attention.head_count_kv", shape->n_heads, lists->n_kv_heads, n_layers)
      && gguf_has_key (reader->gguf, metadata_key (reader, "attention.head_count_kv")))
    return metadata_bad (reader, "attention.head_count_kv", error);
  if (!read_per_layer (reader, "feed_forward_length", MAX_SIZE, lists->n_ff, n_layers) && has_ffn
      && shape->n_experts == 0)
    return metadata_bad (reader, "feed_forward_length", error);
  metadata_read_u32 (reader, "leading_dense_block_count", &n_dense);
  metadata_read_u32 (reader, "moe_every_n_layers", &expert_period);
  int status = read_windows (model, reader, lists, error);
  for (uint32_t i = 0; i < n_layers && status == ENGINE_OK; i++) {
    struct layer_shape *layer = &model->layer_shapes[i];
    layer->mixer = find_mixer (model, lists->n_kv_heads[i]);
    if (layer->mixer == MIXER_ATTENTION) {
      layer->n_kv_heads = lists->n_kv_heads[i];
      if (layer->n_kv_heads == 0 || shape->n_heads % layer->n_kv_heads != 0)
        return metadata_bad (reader, "attention.head_count_kv", error);
    }
    layer->n_kv = layer->n_kv_heads * shape->head_dim;
    layer->kv_heads_before = shape->n_kv_heads_all;
    layer->has_experts = shape->n_experts > 0 && i >= n_dense && (expert_period <= 1 || i % expert_period == 1);
    layer->n_ff = has_ffn && !layer->has_experts ? lists->n_ff[i] : 0;
    if (has_ffn && !layer->has_experts && layer->n_ff == 0)
      return metadata_bad (reader, "feed_forward_length", error);
    layer->state_before = shape->n_state_all;
    choose_rope (model, reader, i);
    shape->n_kv_heads_all += layer->n_kv_heads;
    shape->n_state_all += count_state (shape, layer->mixer);
    shape->n_kv_max = layer->n_kv > shape->n_kv_max ? layer->n_kv : shape->n_kv_max;
    shape->n_ff_max = layer->n_ff > shape->n_ff_max ? layer->n_ff : shape->n_ff_max;
  }
  forget_unused (model);
  return status;
}

static int read_layers (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct layer_lists *lists = calloc (1, sizeof *lists);
  model->layer_shapes = calloc (model->shape.n_layers, sizeof *model->layer_shapes);
  int status = lists && model->layer_shapes
                   ? fill_layers (model, reader, lists, error)
                   : engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the model.");
  free (lists);
  return status;
}

int model_read_shape (struct engine_model *model, struct engine_error *error)
{
  struct metadata_reader reader = { .gguf = model->gguf, .prefix = model->arch->name };
  int (*const steps[]) (struct engine_model *, struct metadata_reader *, struct engine_error *)
      = { read_sizes, read_heads, read_scales, read_experts, read_recurrence, read_layers };
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    int status = steps[i](model, &reader, error);
    if (status != ENGINE_OK)
      return status;
  }
  return model_read_pooling (model, error);
}
