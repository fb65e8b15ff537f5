/* metadata_kinds.c: the model's numbers are of the kind that their keys ask for. A getter cannot tell a key that is
 * absent, for which there is a default, from one that holds nonsense; this can. */
#include "engine/error.h"
#include "engine/model/model.h"
#include <math.h>
#include <stdio.h>

static const struct {
  const char *suffix;
  bool is_float;
} keys[] = {
  { "context_length", false },
  { "embedding_length", false },
  { "block_count", false },
  { "feed_forward_length", false },
  { "vocab_size", false },
  { "pooling_type", false },
  { "classifier.pooling_type", false },
  { "moe_every_n_layers", false },
  { "attention.head_count", false },
  { "attention.head_count_kv", false },
  { "attention.key_length", false },
  { "attention.value_length", false },
  { "attention.sliding_window", false },
  { "expert_count", false },
  { "expert_used_count", false },
  { "rope.dimension_count", false },
  { "rope.scaling.original_context_length", false },
  { "attention.sliding_window_pattern", false },
  { "attention.temperature_length", false },
  { "expert_feed_forward_length", false },
  { "expert_shared_feed_forward_length", false },
  { "expert_gating_func", false },
  { "leading_dense_block_count", false },
  { "shortconv.l_cache", false },
  { "ssm.conv_kernel", false },
  { "ssm.inner_size", false },
  { "ssm.state_size", false },
  { "ssm.time_step_rank", false },
  { "attention.temperature_scale", true },
  { "expert_weights_scale", true },
  { "rope.freq_base_swa", true },
  { "rope.scaling.yarn_log_multiplier", true },
  { "attention.layer_norm_epsilon", true },
  { "attention.layer_norm_rms_epsilon", true },
  { "attention.scale", true },
  { "attn_logit_softcapping", true },
  { "final_logit_softcapping", true },
  { "embedding_scale", true },
  { "residual_scale", true },
  { "logit_scale", true },
  { "rope.freq_base", true },
  { "rope.scale_linear", true },
  { "rope.scaling.factor", true },
  { "rope.scaling.attn_factor", true },
  { "rope.scaling.yarn_beta_fast", true },
  { "rope.scaling.yarn_beta_slow", true },
};

int model_check_kinds (const struct engine_model *model, struct engine_error *error)
{
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    char key[160];
    enum gguf_kind kind;
    uint64_t n;
    uint32_t u32;
    float f32;
    snprintf (key, sizeof key, "%.60s.%s", model->arch->name, keys[i].suffix);
    /* An array has a number for each layer; whoever reads the key says whether that is possible. */
    if (!gguf_has_key (model->gguf, key) || gguf_get_array (model->gguf, key, &kind, &n))
      continue;
    if (keys[i].is_float ? !gguf_get_f32 (model->gguf, key, &f32) || !isfinite (f32)
                         : !gguf_get_u32 (model->gguf, key, &u32))
      return engine_error_set (error, ENGINE_ERROR_FORMAT,
                               "The metadata %s is no %s: the file is damaged or was converted wrongly.", key,
                               keys[i].is_float ? "finite fraction" : "whole number from 0 up");
  }
  return ENGINE_OK;
}
