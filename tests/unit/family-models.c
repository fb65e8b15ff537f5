#include "tests/unit/family-models.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  LAYERS = 2,
  EMBD = FAMILY_EMBD,
  VOCAB = FAMILY_VOCAB,
  HEADS = 2,
  HEAD = 16,
  Q = HEADS * HEAD,
  KV = HEAD,
  FF = 64,
  EXPERTS = 4,
  INNER = 64,
  STATE = 8,
  DT = 4,
  TAPS = 3,
};

static const char *const arches[FAMILY_N] = {
  [FAMILY_LLAMA] = "llama", [FAMILY_LLAMA_TIED] = "llama", [FAMILY_PHI2] = "phi2",
  [FAMILY_PHI3] = "phi3",   [FAMILY_MIXTRAL] = "llama",    [FAMILY_QWEN2MOE] = "qwen2moe",
  [FAMILY_GEMMA] = "gemma", [FAMILY_LFM2] = "lfm2",        [FAMILY_MAMBA] = "mamba",
};

enum fill { MATRIX, NORM, BIAS, DECAY };

#define BIT(family) (1u << FAMILY_##family)
#define ALL (~0u)
#define TIED (BIT (LLAMA_TIED) | BIT (GEMMA) | BIT (LFM2) | BIT (MAMBA))
#define MOE (BIT (MIXTRAL) | BIT (QWEN2MOE))
#define FUSED (BIT (PHI2) | BIT (PHI3))
#define ATTENTION (ALL & ~BIT (MAMBA))
#define DENSE (ALL & ~(BIT (MAMBA) | MOE))

/* Rows 0: a vector; slabs 0: no third dimension. In LFM2's first layer a convolution stands for the attention. */
static const struct row {
  unsigned families;
  const char *name;
  enum fill fill;
  uint32_t n_cols, n_rows, n_slabs;
  enum { EVERY, CONVOLUTION, NOT_CONVOLUTION, MODEL } where;
} rows[] = {
  { ALL, "token_embd.weight", MATRIX, EMBD, VOCAB, 0, MODEL },
  { ALL & ~TIED, "output.weight", MATRIX, EMBD, VOCAB, 0, MODEL },
  { BIT (PHI2), "output.bias", BIAS, VOCAB, 0, 0, MODEL },
  { ALL & ~BIT (LFM2), "output_norm.weight", NORM, EMBD, 0, 0, MODEL },
  { BIT (LFM2), "token_embd_norm.weight", NORM, EMBD, 0, 0, MODEL },
  { BIT (PHI2), "output_norm.bias", BIAS, EMBD, 0, 0, MODEL },
  { ALL, "attn_norm.weight", NORM, EMBD, 0, 0, EVERY },
  { BIT (PHI2), "attn_norm.bias", BIAS, EMBD, 0, 0, EVERY },
  { FUSED, "attn_qkv.weight", MATRIX, EMBD, Q + 2 * KV, 0, EVERY },
  { BIT (PHI2), "attn_qkv.bias", BIAS, Q + 2 * KV, 0, 0, EVERY },
  { ATTENTION & ~FUSED, "attn_q.weight", MATRIX, EMBD, Q, 0, NOT_CONVOLUTION },
  { ATTENTION & ~FUSED, "attn_k.weight", MATRIX, EMBD, KV, 0, NOT_CONVOLUTION },
  { ATTENTION & ~FUSED, "attn_v.weight", MATRIX, EMBD, KV, 0, NOT_CONVOLUTION },
  { BIT (QWEN2MOE), "attn_q.bias", BIAS, Q, 0, 0, EVERY },
  { BIT (QWEN2MOE), "attn_k.bias", BIAS, KV, 0, 0, EVERY },
  { BIT (QWEN2MOE), "attn_v.bias", BIAS, KV, 0, 0, EVERY },
  { BIT (LFM2), "attn_q_norm.weight", NORM, HEAD, 0, 0, NOT_CONVOLUTION },
  { BIT (LFM2), "attn_k_norm.weight", NORM, HEAD, 0, 0, NOT_CONVOLUTION },
  { ATTENTION, "attn_output.weight", MATRIX, Q, EMBD, 0, NOT_CONVOLUTION },
  { BIT (PHI2), "attn_output.bias", BIAS, EMBD, 0, 0, EVERY },
  { BIT (LFM2), "shortconv.in_proj.weight", MATRIX, EMBD, 3 * EMBD, 0, CONVOLUTION },
  { BIT (LFM2), "shortconv.conv.weight", BIAS, TAPS, EMBD, 0, CONVOLUTION },
  { BIT (LFM2), "shortconv.out_proj.weight", MATRIX, EMBD, EMBD, 0, CONVOLUTION },
  { BIT (MAMBA), "ssm_in.weight", MATRIX, EMBD, 2 * INNER, 0, EVERY },
  { BIT (MAMBA), "ssm_conv1d.weight", BIAS, TAPS, INNER, 0, EVERY },
  { BIT (MAMBA), "ssm_conv1d.bias", BIAS, INNER, 0, 0, EVERY },
  { BIT (MAMBA), "ssm_x.weight", MATRIX, INNER, DT + 2 * STATE, 0, EVERY },
  { BIT (MAMBA), "ssm_dt.weight", MATRIX, DT, INNER, 0, EVERY },
  { BIT (MAMBA), "ssm_dt.bias", BIAS, INNER, 0, 0, EVERY },
  { BIT (MAMBA), "ssm_a", DECAY, STATE, INNER, 0, EVERY },
  { BIT (MAMBA), "ssm_d", NORM, INNER, 0, 0, EVERY },
  { BIT (MAMBA), "ssm_out.weight", MATRIX, INNER, EMBD, 0, EVERY },
  { ALL & ~(BIT (PHI2) | BIT (MAMBA)), "ffn_norm.weight", NORM, EMBD, 0, 0, EVERY },
  { DENSE & ~FUSED, "ffn_gate.weight", MATRIX, EMBD, FF, 0, EVERY },
  { DENSE & ~BIT (PHI3), "ffn_up.weight", MATRIX, EMBD, FF, 0, EVERY },
  { BIT (PHI3), "ffn_up.weight", MATRIX, EMBD, 2 * FF, 0, EVERY },
  { BIT (PHI2), "ffn_up.bias", BIAS, FF, 0, 0, EVERY },
  { DENSE, "ffn_down.weight", MATRIX, FF, EMBD, 0, EVERY },
  { BIT (PHI2), "ffn_down.bias", BIAS, EMBD, 0, 0, EVERY },
  { MOE, "ffn_gate_inp.weight", MATRIX, EMBD, EXPERTS, 0, EVERY },
  { MOE, "ffn_gate_exps.weight", MATRIX, EMBD, FF, EXPERTS, EVERY },
  { MOE, "ffn_up_exps.weight", MATRIX, EMBD, FF, EXPERTS, EVERY },
  { MOE, "ffn_down_exps.weight", MATRIX, FF, EMBD, EXPERTS, EVERY },
  { BIT (QWEN2MOE), "ffn_gate_inp_shexp.weight", MATRIX, EMBD, 1, 0, EVERY },
  { BIT (QWEN2MOE), "ffn_gate_shexp.weight", MATRIX, EMBD, FF, 0, EVERY },
  { BIT (QWEN2MOE), "ffn_up_shexp.weight", MATRIX, EMBD, FF, 0, EVERY },
  { BIT (QWEN2MOE), "ffn_down_shexp.weight", MATRIX, FF, EMBD, 0, EVERY },
};

static float pick (enum fill fill, uint32_t n_cols, uint64_t *state)
{
  const float x = builder_random (state);
  switch (fill) {
  case MATRIX: return x * 1.7f / sqrtf ((float)n_cols);
  case NORM: return 1 + .2f * x;
  case BIAS: return .2f * x;
  case DECAY: return -(.3f + fabsf (x));
  }
  abort ();
}

static void add_row (const struct row *row, int layer, uint64_t *state, struct gguf_writer *writer)
{
  char name[64];
  const uint64_t ne[] = { row->n_cols, row->n_rows, row->n_slabs };
  const size_t n = (size_t)row->n_cols * (row->n_rows ? row->n_rows : 1) * (row->n_slabs ? row->n_slabs : 1);
  float *values = malloc (n * sizeof *values);
  assert (values);
  for (size_t i = 0; i < n; i++)
    values[i] = pick (row->fill, row->n_cols, state);
  if (layer < 0)
    snprintf (name, sizeof name, "%s", row->name);
  else
    snprintf (name, sizeof name, "blk.%d.%s", layer, row->name);
  gguf_writer_add_tensor (writer, name, TENSOR_F32, row->n_slabs ? 3 : row->n_rows ? 2 : 1, ne, values, n * 4);
  free (values);
}

static void add_metadata (enum family family, struct gguf_writer *writer)
{
  static const struct {
    unsigned families;
    const char *suffix;
    uint32_t value;
  } sizes[] = {
    { ALL, "context_length", FAMILY_CONTEXT },
    { ALL, "embedding_length", EMBD },
    { ALL, "block_count", LAYERS },
    { ALL, "vocab_size", VOCAB },
    { ATTENTION & ~BIT (QWEN2MOE), "feed_forward_length", FF },
    { ATTENTION, "attention.head_count", HEADS },
    { ATTENTION & ~BIT (LFM2), "attention.head_count_kv", 1 },
    { ATTENTION, "attention.key_length", HEAD },
    { ATTENTION, "attention.value_length", HEAD },
    { ATTENTION, "rope.dimension_count", HEAD },
    { MOE, "expert_count", EXPERTS },
    { MOE, "expert_used_count", 2 },
    { BIT (QWEN2MOE), "expert_feed_forward_length", FF },
    { BIT (QWEN2MOE), "expert_shared_feed_forward_length", FF },
    { BIT (LFM2), "shortconv.l_cache", TAPS },
    { BIT (MAMBA), "ssm.conv_kernel", TAPS },
    { BIT (MAMBA), "ssm.inner_size", INNER },
    { BIT (MAMBA), "ssm.state_size", STATE },
    { BIT (MAMBA), "ssm.time_step_rank", DT },
  };
  static const char *const epsilons[] = { "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon" };
  static const uint32_t kv_heads[LAYERS] = { 0, 1 };
  const char *arch = arches[family];
  char key[96];
  gguf_writer_add_string (writer, "general.architecture", arch);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    snprintf (key, sizeof key, "%s.%s", arch, sizes[i].suffix);
    if (sizes[i].families & 1u << family)
      gguf_writer_add_u32 (writer, key, sizes[i].value);
  }
  for (size_t i = 0; i < 2; i++) {
    snprintf (key, sizeof key, "%s.%s", arch, epsilons[i]);
    gguf_writer_add_f32 (writer, key, 1e-5f);
  }
  if (family == FAMILY_LFM2)
    gguf_writer_add_array (writer, "lfm2.attention.head_count_kv", GGUF_U32, kv_heads, LAYERS, sizeof kv_heads);
}

const char *family_get_arch (enum family family)
{
  return arches[family];
}

struct bytes family_make_model (enum family family)
{
  struct gguf_writer writer = { 0 };
  uint64_t state = 40 + family;
  add_metadata (family, &writer);
  for (int layer = -1; layer < LAYERS; layer++)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      const bool convolves = family == FAMILY_LFM2 && layer == 0;
      if (!(rows[i].families & 1u << family) || (rows[i].where == MODEL) != (layer < 0)
          || (rows[i].where == CONVOLUTION && !convolves) || (rows[i].where == NOT_CONVOLUTION && convolves))
        continue;
      add_row (&rows[i], layer, &state, &writer);
    }
  struct bytes file = gguf_writer_finish (&writer);
  gguf_writer_clear (&writer);
  return file;
}
