#include "engine/model/arch_table.h"
#include "engine/model/model.h"
#include <string.h>

static const struct arch arches[] = {
  { "llama", ENGINE_ROLE_GENERATOR, ROPE_NORM, "attention.layer_norm_rms_epsilon",
    GROUP_DECODER | GROUP_OPTIONAL_BIAS },
  { "qwen2", ENGINE_ROLE_GENERATOR, ROPE_NEOX, "attention.layer_norm_rms_epsilon", GROUP_DECODER | GROUP_QKV_BIAS },
  { "qwen3", ENGINE_ROLE_GENERATOR, ROPE_NEOX, "attention.layer_norm_rms_epsilon", GROUP_DECODER | GROUP_QK_NORM },
  { "bert", ENGINE_ROLE_ENCODER, ROPE_NONE, "attention.layer_norm_epsilon", GROUP_ENCODER },
};

#define MODEL(field) offsetof (struct model_weights, field)
#define LAYER(field) offsetof (struct layer_weights, field)

const struct tensor_slot model_slots[] = {
  { "token_embd.weight", SLOT_MATRIX, MODEL (token_embd), DIM_EMBD, DIM_VOCAB, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "output_norm.weight", SLOT_VECTOR, MODEL (output_norm), DIM_EMBD, DIM_ONE, GROUP_DECODER, 0 },
  { "output.weight", SLOT_MATRIX, MODEL (output), DIM_EMBD, DIM_VOCAB, 0, GROUP_DECODER },
  { "rope_freqs.weight", SLOT_VECTOR, MODEL (rope_factors), DIM_ROPE_PAIRS, DIM_ONE, 0, GROUP_DECODER },
  { "position_embd.weight", SLOT_MATRIX, MODEL (position_embd), DIM_EMBD, DIM_CONTEXT, GROUP_ENCODER, 0 },
  { "token_types.weight", SLOT_MATRIX, MODEL (token_types), DIM_EMBD, DIM_TOKEN_TYPES, 0, GROUP_ENCODER },
  { "token_embd_norm.weight", SLOT_VECTOR, MODEL (embd_norm), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
  { "token_embd_norm.bias", SLOT_VECTOR, MODEL (embd_norm_bias), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
};
const size_t n_model_slots = sizeof model_slots / sizeof *model_slots;

const struct tensor_slot layer_slots[] = {
  { "attn_norm.weight", SLOT_VECTOR, LAYER (attn_norm), DIM_EMBD, DIM_ONE, GROUP_DECODER, 0 },
  { "attn_q.weight", SLOT_MATRIX, LAYER (q), DIM_EMBD, DIM_Q, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "attn_k.weight", SLOT_MATRIX, LAYER (k), DIM_EMBD, DIM_KV, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "attn_v.weight", SLOT_MATRIX, LAYER (v), DIM_EMBD, DIM_KV, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "attn_q.bias", SLOT_VECTOR, LAYER (q_bias), DIM_Q, DIM_ONE, GROUP_QKV_BIAS | GROUP_ENCODER, GROUP_OPTIONAL_BIAS },
  { "attn_k.bias", SLOT_VECTOR, LAYER (k_bias), DIM_KV, DIM_ONE, GROUP_QKV_BIAS | GROUP_ENCODER, GROUP_OPTIONAL_BIAS },
  { "attn_v.bias", SLOT_VECTOR, LAYER (v_bias), DIM_KV, DIM_ONE, GROUP_QKV_BIAS | GROUP_ENCODER, GROUP_OPTIONAL_BIAS },
  { "attn_q_norm.weight", SLOT_VECTOR, LAYER (q_norm), DIM_HEAD, DIM_ONE, GROUP_QK_NORM, 0 },
  { "attn_k_norm.weight", SLOT_VECTOR, LAYER (k_norm), DIM_HEAD, DIM_ONE, GROUP_QK_NORM, 0 },
  { "attn_output.weight", SLOT_MATRIX, LAYER (o), DIM_Q, DIM_EMBD, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "attn_output.bias", SLOT_VECTOR, LAYER (o_bias), DIM_EMBD, DIM_ONE, GROUP_ENCODER, GROUP_OPTIONAL_BIAS },
  { "ffn_norm.weight", SLOT_VECTOR, LAYER (ffn_norm), DIM_EMBD, DIM_ONE, GROUP_DECODER, 0 },
  { "ffn_gate.weight", SLOT_MATRIX, LAYER (gate), DIM_EMBD, DIM_FF, GROUP_DECODER, 0 },
  { "ffn_up.weight", SLOT_MATRIX, LAYER (up), DIM_EMBD, DIM_FF, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "ffn_down.weight", SLOT_MATRIX, LAYER (down), DIM_FF, DIM_EMBD, GROUP_DECODER | GROUP_ENCODER, 0 },
  { "ffn_up.bias", SLOT_VECTOR, LAYER (up_bias), DIM_FF, DIM_ONE, GROUP_ENCODER, 0 },
  { "ffn_down.bias", SLOT_VECTOR, LAYER (down_bias), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
  { "attn_output_norm.weight", SLOT_VECTOR, LAYER (attn_output_norm), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
  { "attn_output_norm.bias", SLOT_VECTOR, LAYER (attn_output_norm_bias), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
  { "layer_output_norm.weight", SLOT_VECTOR, LAYER (layer_output_norm), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
  { "layer_output_norm.bias", SLOT_VECTOR, LAYER (layer_output_norm_bias), DIM_EMBD, DIM_ONE, GROUP_ENCODER, 0 },
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
