#include "engine/model/arch_table.h"
#include "engine/model/model.h"
#include <string.h>

#define PRE_NORMS (GROUP_ATTN_NORM | GROUP_FFN_NORM)
#define DECODER (GROUP_ATTENTION | PRE_NORMS | GROUP_LAST_NORM | GROUP_HEAD | GROUP_ROPE_FACTORS)
#define LLAMA (DECODER | GROUP_FFN_GATED | GROUP_OPTIONAL_BIAS)
#define GEMMA (DECODER | GROUP_FFN_GATED | GROUP_BRANCH_NORMS)
#define BERT (GROUP_ATTENTION | GROUP_POST_NORMS | GROUP_EMBD_NORM | GROUP_EMBD_NORM_BIAS | GROUP_TOKEN_TYPES)

static const struct arch arches[] = {
  { .name = "llama",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NORM,
    .groups = LLAMA,
    .flags = ARCH_EXPERTS_NORMALISED | ARCH_WINDOWED },
  { .name = "mistral3",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NORM,
    .groups = LLAMA,
    .flags = ARCH_EXPERTS_NORMALISED | ARCH_WINDOWED },
  { .name = "smollm3", .role = ENGINE_ROLE_GENERATOR, .rope = ROPE_NORM, .groups = LLAMA, .nope_period = 4 },
  { .name = "granite", .role = ENGINE_ROLE_GENERATOR, .rope = ROPE_NORM, .groups = LLAMA, .flags = ARCH_ROPE_SWITCH },
  { .name = "granitemoe",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NORM,
    .groups = LLAMA,
    .flags = ARCH_ROPE_SWITCH | ARCH_EXPERTS_NORMALISED },
  { .name = "qwen2",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .groups = DECODER | GROUP_FFN_GATED | GROUP_QKV_BIAS },
  { .name = "qwen2moe",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .groups = DECODER | GROUP_FFN_GATED | GROUP_QKV_BIAS | GROUP_SHARED_EXPERT },
  { .name = "qwen3",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .groups = DECODER | GROUP_FFN_GATED | GROUP_QK_NORM },
  { .name = "qwen3moe",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .groups = DECODER | GROUP_FFN_GATED | GROUP_QK_NORM,
    .flags = ARCH_EXPERTS_NORMALISED },
  { .name = "phi2",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU_TANH,
    .groups = (DECODER & ~GROUP_FFN_NORM) | GROUP_NORM_BIAS | GROUP_QKV_BIAS | GROUP_OUTPUT_BIAS | GROUP_FFN_PLAIN
              | GROUP_FFN_BIAS | GROUP_HEAD_BIAS,
    .flags = ARCH_PARALLEL },
  { .name = "phi3",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .groups = DECODER | GROUP_FFN_FUSED | GROUP_LONG_ROPE,
    .flags = ARCH_WINDOWED },
  { .name = "stablelm",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .norm = NORM_LAYER,
    .groups
    = DECODER | GROUP_NORM_BIAS | GROUP_FFN_NORM_BIAS | GROUP_OPTIONAL_BIAS | GROUP_QK_NORM_PER_HEAD | GROUP_FFN_GATED,
    .flags = ARCH_PARALLEL | ARCH_NORMS_OPTIONAL },
  { .name = "gemma",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .activation = ACTIVATION_GELU_TANH,
    .groups = DECODER | GROUP_FFN_GATED,
    .flags = ARCH_SCALES_EMBEDDINGS },
  { .name = "gemma2",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .activation = ACTIVATION_GELU_TANH,
    .groups = GEMMA,
    .flags = ARCH_SCALES_EMBEDDINGS | ARCH_WINDOWED,
    .window_tokens = 4096,
    .window_period = 2,
    .attention_softcap = 50,
    .logit_softcap = 30,
    .n_layers_embd_scaled = 46 },
  { .name = "gemma3",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .activation = ACTIVATION_GELU_TANH,
    .groups = GEMMA | GROUP_QK_NORM,
    .flags = ARCH_SCALES_EMBEDDINGS | ARCH_WINDOWED,
    .window_period = 6,
    .window_rope_base = 10000,
    .n_layers_embd_scaled = 62 },
  { .name = "lfm2",
    .role = ENGINE_ROLE_GENERATOR,
    .rope = ROPE_NEOX,
    .groups = GROUP_ATTENTION | GROUP_QK_NORM | GROUP_CONVOLUTION | PRE_NORMS | GROUP_FFN_GATED
              | GROUP_LAST_NORM_AT_EMBD | GROUP_HEAD },
  { .name = "mamba",
    .role = ENGINE_ROLE_GENERATOR,
    .groups = GROUP_STATE_SPACE | GROUP_ATTN_NORM | GROUP_LAST_NORM | GROUP_HEAD },
  { .name = "bert",
    .role = ENGINE_ROLE_ENCODER,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU_ERF,
    .groups = BERT | GROUP_QKV_BIAS | GROUP_OUTPUT_BIAS | GROUP_FFN_PLAIN | GROUP_FFN_BIAS | GROUP_POSITIONS,
    .flags = ARCH_BIDIRECTIONAL },
};

#define MODEL(field) offsetof (struct model_weights, field)
#define LAYER(field) offsetof (struct layer_weights, field)

/* One part, of rows or of a vector; three parts of a fused tensor. */
#define NO_PART                                                                                                        \
  {                                                                                                                    \
    DIM_N, 0                                                                                                           \
  }
#define ROWS(rows, field)                                                                                              \
  {                                                                                                                    \
    { rows, field }, NO_PART, NO_PART                                                                                  \
  }
#define VECTOR(field) ROWS (DIM_ONE, field)

const struct tensor_slot model_slots[] = {
  { "token_embd.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_VOCAB, MODEL (token_embd)), ~0u, 0 },
  { "output_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (MODEL (output_norm.weight)), GROUP_LAST_NORM, 0 },
  { "output_norm.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (MODEL (output_norm.bias)), GROUP_NORM_BIAS, 0 },
  { "output.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_VOCAB, MODEL (output)), 0, GROUP_HEAD },
  { "output.bias", SLOT_VECTOR, DIM_VOCAB, VECTOR (MODEL (output_bias)), GROUP_HEAD_BIAS, 0 },
  { "rope_freqs.weight", SLOT_VECTOR, DIM_ROPE_PAIRS, VECTOR (MODEL (rope_factors)), 0, GROUP_ROPE_FACTORS },
  { "rope_factors_short.weight", SLOT_VECTOR, DIM_ROPE_PAIRS, VECTOR (MODEL (rope_factors_short)), 0, GROUP_LONG_ROPE },
  { "rope_factors_long.weight", SLOT_VECTOR, DIM_ROPE_PAIRS, VECTOR (MODEL (rope_factors_long)), 0, GROUP_LONG_ROPE },
  { "position_embd.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_CONTEXT, MODEL (position_embd)), GROUP_POSITIONS, 0 },
  { "token_types.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_TOKEN_TYPES, MODEL (token_types)), 0, GROUP_TOKEN_TYPES },
  { "token_embd_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (MODEL (output_norm.weight)), GROUP_LAST_NORM_AT_EMBD, 0 },
  { "token_embd_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (MODEL (embd_norm.weight)), GROUP_EMBD_NORM, 0 },
  { "token_embd_norm.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (MODEL (embd_norm.bias)), GROUP_EMBD_NORM_BIAS, 0 },
};
const size_t n_model_slots = sizeof model_slots / sizeof *model_slots;

const struct tensor_slot layer_slots[] = {
  { "attn_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (attn_norm.weight)), GROUP_ATTN_NORM, 0 },
  { "attn_norm.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (attn_norm.bias)), GROUP_NORM_BIAS, 0 },
  { "attn_qkv.weight",
    SLOT_MATRIX,
    DIM_EMBD,
    { { DIM_Q, LAYER (q) }, { DIM_KV, LAYER (k) }, { DIM_KV, LAYER (v) } },
    0,
    GROUP_ATTENTION },
  { "attn_qkv.bias",
    SLOT_VECTOR,
    DIM_ONE,
    { { DIM_Q, LAYER (q_bias) }, { DIM_KV, LAYER (k_bias) }, { DIM_KV, LAYER (v_bias) } },
    0,
    GROUP_QKV_BIAS | GROUP_OPTIONAL_BIAS },
  { "attn_q.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_Q, LAYER (q)), GROUP_ATTENTION, 0 },
  { "attn_k.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_KV, LAYER (k)), GROUP_ATTENTION, 0 },
  { "attn_v.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_KV, LAYER (v)), GROUP_ATTENTION, 0 },
  { "attn_q.bias", SLOT_VECTOR, DIM_Q, VECTOR (LAYER (q_bias)), GROUP_QKV_BIAS, GROUP_OPTIONAL_BIAS },
  { "attn_k.bias", SLOT_VECTOR, DIM_KV, VECTOR (LAYER (k_bias)), GROUP_QKV_BIAS, GROUP_OPTIONAL_BIAS },
  { "attn_v.bias", SLOT_VECTOR, DIM_KV, VECTOR (LAYER (v_bias)), GROUP_QKV_BIAS, GROUP_OPTIONAL_BIAS },
  { "attn_q_norm.weight", SLOT_VECTOR, DIM_HEAD, VECTOR (LAYER (q_norm)), GROUP_QK_NORM, 0 },
  { "attn_k_norm.weight", SLOT_VECTOR, DIM_HEAD, VECTOR (LAYER (k_norm)), GROUP_QK_NORM, 0 },
  { "attn_q_norm.weight", SLOT_VECTOR, DIM_HEAD, ROWS (DIM_HEADS, LAYER (q_norm_heads)), 0, GROUP_QK_NORM_PER_HEAD },
  { "attn_k_norm.weight", SLOT_VECTOR, DIM_HEAD, ROWS (DIM_KV_HEADS, LAYER (k_norm_heads)), 0, GROUP_QK_NORM_PER_HEAD },
  { "attn_output.weight", SLOT_MATRIX, DIM_Q, ROWS (DIM_EMBD, LAYER (o)), GROUP_ATTENTION, 0 },
  { "attn_output.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (o_bias)), GROUP_OUTPUT_BIAS, GROUP_OPTIONAL_BIAS },
  { "shortconv.in_proj.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_CONV_IN, LAYER (conv_in)), GROUP_CONVOLUTION, 0 },
  { "shortconv.conv.weight", SLOT_VECTOR, DIM_CONV_TAPS, ROWS (DIM_EMBD, LAYER (conv_taps)), GROUP_CONVOLUTION, 0 },
  { "shortconv.out_proj.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_EMBD, LAYER (conv_out)), GROUP_CONVOLUTION, 0 },
  { "ssm_in.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_SSM_IN, LAYER (ssm_in)), GROUP_STATE_SPACE, 0 },
  { "ssm_conv1d.weight", SLOT_VECTOR, DIM_CONV_TAPS, ROWS (DIM_SSM_INNER, LAYER (ssm_taps)), GROUP_STATE_SPACE, 0 },
  { "ssm_conv1d.bias", SLOT_VECTOR, DIM_SSM_INNER, VECTOR (LAYER (ssm_taps_bias)), GROUP_STATE_SPACE, 0 },
  { "ssm_x.weight", SLOT_MATRIX, DIM_SSM_INNER, ROWS (DIM_SSM_SELECT, LAYER (ssm_select)), GROUP_STATE_SPACE, 0 },
  { "ssm_dt.weight", SLOT_MATRIX, DIM_SSM_DT, ROWS (DIM_SSM_INNER, LAYER (ssm_dt)), GROUP_STATE_SPACE, 0 },
  { "ssm_dt.bias", SLOT_VECTOR, DIM_SSM_INNER, VECTOR (LAYER (ssm_dt_bias)), GROUP_STATE_SPACE, 0 },
  { "ssm_a", SLOT_VECTOR, DIM_SSM_STATE, ROWS (DIM_SSM_INNER, LAYER (ssm_a)), GROUP_STATE_SPACE, 0 },
  { "ssm_d", SLOT_VECTOR, DIM_SSM_INNER, VECTOR (LAYER (ssm_d)), GROUP_STATE_SPACE, 0 },
  { "ssm_out.weight", SLOT_MATRIX, DIM_SSM_INNER, ROWS (DIM_EMBD, LAYER (ssm_out)), GROUP_STATE_SPACE, 0 },
  { "post_attention_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (attn_branch_norm.weight)), GROUP_BRANCH_NORMS,
    0 },
  { "attn_output_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (attn_post_norm.weight)), GROUP_POST_NORMS, 0 },
  { "attn_output_norm.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (attn_post_norm.bias)), GROUP_POST_NORMS, 0 },
  { "ffn_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (ffn_norm.weight)), GROUP_FFN_NORM, 0 },
  { "ffn_norm.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (ffn_norm.bias)), GROUP_FFN_NORM_BIAS, 0 },
  { "ffn_up.weight",
    SLOT_MATRIX,
    DIM_EMBD,
    { { DIM_FF, LAYER (gate) }, { DIM_FF, LAYER (up) }, NO_PART },
    GROUP_FFN_FUSED,
    0 },
  { "ffn_gate.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_FF, LAYER (gate)), GROUP_FFN_GATED, 0 },
  { "ffn_up.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_FF, LAYER (up)), GROUP_FFN_GATED | GROUP_FFN_PLAIN, 0 },
  { "ffn_up.bias", SLOT_VECTOR, DIM_FF, VECTOR (LAYER (up_bias)), GROUP_FFN_BIAS, 0 },
  { "ffn_down.weight", SLOT_MATRIX, DIM_FF, ROWS (DIM_EMBD, LAYER (down)),
    GROUP_FFN_GATED | GROUP_FFN_FUSED | GROUP_FFN_PLAIN, 0 },
  { "ffn_down.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (down_bias)), GROUP_FFN_BIAS, 0 },
  { "ffn_gate_inp.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_EXPERTS, LAYER (router)), GROUP_EXPERTS, 0 },
  { "ffn_gate_exps.weight", SLOT_EXPERTS, DIM_EMBD, ROWS (DIM_EXPERT_FF, LAYER (expert_gate)), GROUP_EXPERTS, 0 },
  { "ffn_up_exps.weight", SLOT_EXPERTS, DIM_EMBD, ROWS (DIM_EXPERT_FF, LAYER (expert_up)), GROUP_EXPERTS, 0 },
  { "ffn_down_exps.weight", SLOT_EXPERTS, DIM_EXPERT_FF, ROWS (DIM_EMBD, LAYER (expert_down)), GROUP_EXPERTS, 0 },
  { "ffn_gate_inp_shexp.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_ONE, LAYER (shared_router)), GROUP_SHARED_EXPERT, 0 },
  { "ffn_gate_shexp.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_SHARED_FF, LAYER (shared_gate)), GROUP_SHARED_EXPERT, 0 },
  { "ffn_up_shexp.weight", SLOT_MATRIX, DIM_EMBD, ROWS (DIM_SHARED_FF, LAYER (shared_up)), GROUP_SHARED_EXPERT, 0 },
  { "ffn_down_shexp.weight", SLOT_MATRIX, DIM_SHARED_FF, ROWS (DIM_EMBD, LAYER (shared_down)), GROUP_SHARED_EXPERT, 0 },
  { "post_ffw_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (ffn_branch_norm.weight)), GROUP_BRANCH_NORMS, 0 },
  { "layer_output_norm.weight", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (ffn_post_norm.weight)), GROUP_POST_NORMS, 0 },
  { "layer_output_norm.bias", SLOT_VECTOR, DIM_EMBD, VECTOR (LAYER (ffn_post_norm.bias)), GROUP_POST_NORMS, 0 },
};
const size_t n_layer_slots = sizeof layer_slots / sizeof *layer_slots;

const struct arch *arch_get (size_t index)
{
  return index < sizeof arches / sizeof *arches ? &arches[index] : NULL;
}

const struct arch *arch_find (const char *name)
{
  const struct arch *arch;
  for (size_t i = 0; (arch = arch_get (i)) != NULL; i++)
    if (strcmp (arch->name, name) == 0)
      return arch;
  return NULL;
}
