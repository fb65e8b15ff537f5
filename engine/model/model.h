/* model.h: a model as the forward pass sees it: sizes, tables and typed pointers into the mapped file.
 *
 * Everything is resolved and checked once, in model_bind(): after it no code asks for a tensor by name, and every
 * matrix has exactly the shape that its comment gives ([rows][columns], a row is what one output is made from). */
#ifndef LECTERN_MODEL_H
#define LECTERN_MODEL_H

#include "engine/chat/chat_template.h"
#include "engine/engine.h"
#include "engine/gguf/gguf.h"
#include "engine/kernels/matmul.h"
#include "engine/model/arch_table.h"
#include "engine/tokenizer/tokenizer.h"

#define MODEL_MAX_LAYERS 1024
#define MODEL_MAX_HEAD_DIM 256 /* the attention's tiles are of this width */
#define MODEL_MAX_EXPERTS 512
#define MODEL_MAX_EXPERTS_USED 32
#define MODEL_MAX_STATE 256 /* of a state-space layer, per channel */

struct norm {
  const float *weight; /* NULL: the layer has no such norm */
  const float *bias;   /* NULL: none */
};

struct model_weights {
  struct matrix token_embd;           /* [vocab][embd] */
  struct matrix output;               /* [vocab][embd]; the same as token_embd when tied */
  const float *output_bias;           /* [vocab] */
  struct matrix position_embd;        /* [context][embd] */
  struct matrix token_types;          /* [types][embd]; data NULL: none */
  struct norm output_norm, embd_norm; /* [embd] */
  const float *rope_factors;          /* [rope pairs], NULL: none */
  const float *rope_factors_short, *rope_factors_long;
  struct matrix classifier, labels;  /* [classifier][embd], [labels][classifier]: a text's score */
  struct norm classifier_norm;       /* [classifier] between them */
  struct matrix dense_in, dense_out; /* [dense][embd], [vector][dense]: from a pooled vector to another */
  const float *classifier_bias, *labels_bias, *dense_in_bias;
};

/* What a family or a file does not have is NULL. */
struct layer_weights {
  struct norm attn_norm, ffn_norm;               /* [embd] before the mixer and the feed-forward net */
  struct norm attn_branch_norm, ffn_branch_norm; /* [embd] after them */
  struct norm attn_post_norm, ffn_post_norm;     /* [embd] after the residual sums */
  struct matrix q, k, v, o;                      /* [n_heads * head_dim][embd], [KV][embd] twice, [embd][Q] */
  const float *q_bias, *k_bias, *v_bias, *o_bias;
  const float *q_norm, *k_norm;             /* [head_dim] */
  const float *q_norm_heads, *k_norm_heads; /* [n_heads][head_dim], [n_kv_heads][head_dim] */
  struct matrix gate, up, down;             /* [ff][embd], [ff][embd], [embd][ff] */
  const float *up_bias, *down_bias;
  struct matrix router;                              /* [experts][embd] */
  struct matrix expert_gate, expert_up, expert_down; /* of the first expert, the others follow: as gate, up, down */
  struct matrix shared_router;                       /* [1][embd] */
  struct matrix shared_gate, shared_up, shared_down;
  struct matrix conv_in, conv_out; /* [3 embd][embd], [embd][embd] */
  const float *conv_taps;          /* [embd][taps] */
  struct matrix ssm_in, ssm_select, ssm_dt,
      ssm_out;                              /* [2 inner][embd], [dt + 2 state][inner], [inner][dt], [embd][inner] */
  const float *ssm_taps, *ssm_taps_bias;    /* [inner][taps], [inner] */
  const float *ssm_dt_bias, *ssm_a, *ssm_d; /* [inner], [inner][state], [inner] */
};

/* What mixes the tokens of a layer. */
enum mixer { MIXER_ATTENTION, MIXER_CONVOLUTION, MIXER_STATE_SPACE };

/* Rotary tables of a model; a layer uses one of them. */
enum rope_table { ROPE_TABLE_GLOBAL, ROPE_TABLE_WINDOW, ROPE_N_TABLES, ROPE_TABLE_NONE = ROPE_N_TABLES };

struct layer_shape {
  enum mixer mixer;
  uint32_t n_kv_heads, n_kv; /* 0 unless the mixer is attention; n_kv = n_kv_heads * head_dim */
  uint32_t kv_heads_before;  /* sum over the layers before it */
  uint32_t n_ff;             /* 0: no dense feed-forward net */
  bool has_experts;
  uint32_t window_tokens; /* 0: sees everything */
  enum rope_table rope;
  uint64_t state_before; /* floats of recurrent state in the layers before it */
};

enum pooling { POOLING_MEAN, POOLING_CLS, POOLING_LAST };

struct model_shape {
  uint32_t n_layers, n_embd, n_heads, head_dim, n_vocab, context_tokens, n_token_types;
  uint32_t n_q;                /* n_heads * head_dim */
  uint32_t n_kv_max, n_ff_max; /* the largest of any layer */
  uint32_t n_kv_heads_all;     /* sum over the layers */
  uint64_t n_state_all;        /* floats of recurrent state, over the layers */
  uint32_t n_experts, n_experts_used, n_expert_ff, n_shared_ff;
  bool experts_normalised;
  float expert_scale; /* on the sum of the chosen experts */
  uint32_t conv_taps; /* of a convolution or state-space layer */
  uint32_t ssm_inner, ssm_state, ssm_dt;
  bool ssm_norms; /* dt, B and C are normed (FalconMamba) */
  float norm_epsilon;
  float embedding_scale, residual_scale, attention_scale, logit_scale; /* factors, 1 where there are none */
  float attention_softcap, logit_softcap;                              /* x becomes c tanh (x / c); 0: none */
  float temperature_scale; /* queries grow by 1 + this * ln (1 + floor (position / temperature_tokens)); 0: no */
  uint32_t temperature_tokens;
  bool bidirectional; /* every token sees every other */
  enum activation activation;
  enum pooling pooling; /* of the tokens into one vector, or into what a classifier reads */
  enum activation classifier_activation;
  uint32_t n_classifier, n_labels; /* the classifier's output and inner sizes; 0 labels: it has one matrix alone */
  uint32_t n_dense, n_vector;      /* sizes of the vector on its way through the heads; n_vector is its last */
};

/* Rotary position embedding. Angle of pair i at position p: p * frequencies[i]; cosine and sine are multiplied by
 * `magnitude` (YaRN, arXiv 2309.00071; LongRoPE, arXiv 2402.13753; 1 otherwise). */
struct rope {
  enum rope_layout layout;
  uint32_t n_pairs;
  float *frequencies; /* owned; NULL: the table is not used */
  float magnitude;
};

struct engine_model {
  struct gguf *gguf;
  struct tokenizer *tokenizer;         /* NULL: none, or unknown */
  struct chat_template *chat_template; /* NULL: none */
  const struct arch *arch;             /* NULL: not in the table */
  struct model_shape shape;
  struct model_weights weights;
  struct layer_shape *layer_shapes; /* [n_layers] */
  struct layer_weights *layers;     /* [n_layers] */
  uint32_t n_rope_pairs;
  struct rope ropes[ROPE_N_TABLES];
  struct rope long_rope; /* replaces the global table in contexts over long_rope_tokens; else frequencies NULL */
  uint32_t long_rope_tokens;
  struct engine_model_info info;
  struct engine_error reason; /* why it does not run; status ENGINE_OK when it runs */
  char *path, *architecture, *name, *tensor_types;
};

/* engine_model_open() once the file is read; takes `gguf`, even after a failure. `path` is what messages call it. */
int model_open_gguf (struct gguf *gguf, const char *path, struct engine_model **model, struct engine_error *error);

/* FORMAT unless the numbers of model->arch that the file gives are of their kinds. */
int model_check_kinds (const struct engine_model *model, struct engine_error *error);

/* Reads the sizes of model->arch from the metadata. UNSUPPORTED for features that are not here, by name; FORMAT
 * for contradictions. */
int model_read_shape (struct engine_model *model, struct engine_error *error);

/* The part of it about the end of an encoder or reranker. model->info.role must be known. */
int model_read_pooling (struct engine_model *model, struct engine_error *error);

/* Bytes that an encoder takes besides the mapped file while it works on texts of n_tokens, at most the model's context; 0:
 * what it begins with. */
uint64_t encoder_get_bytes (const struct engine_model *model, uint32_t n_tokens);

/* Fills the rotary tables from the metadata and the bound factors. Same errors. */
int model_read_rope (struct engine_model *model, struct engine_error *error);

/* Resolves all tensors of model->arch. FORMAT for a missing tensor or a wrong shape; UNSUPPORTED for a type that the
 * kernels lack or a tensor that the family is not known to have. */
int model_bind (struct engine_model *model, struct engine_error *error);

/* The rotary table of a session or text of context_tokens. */
const struct rope *model_get_rope (const struct engine_model *model, enum rope_table table, uint32_t context_tokens);

#endif
