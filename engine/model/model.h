/* model.h: a model as the forward passes see it: sizes, tables and typed pointers into the mapped file.
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

struct model_weights {
  struct matrix token_embd;                              /* [vocab][embd] */
  struct matrix output;                                  /* [vocab][embd]; the same as token_embd when tied */
  struct matrix position_embd;                           /* [context][embd] */
  struct matrix token_types;                             /* [types][embd]; data NULL: none */
  const float *output_norm, *embd_norm, *embd_norm_bias; /* [embd] */
  const float *rope_factors;                             /* [rope pairs], NULL: none */
};

/* Vectors that a family or a file does not have are NULL. */
struct layer_weights {
  struct matrix q, k, v, o;     /* [n_heads * head_dim][embd], [n_kv_heads * head_dim][embd] twice, [embd][Q] */
  struct matrix gate, up, down; /* [ff][embd], [ff][embd], [embd][ff] */
  const float *attn_norm, *ffn_norm, *q_norm, *k_norm;
  const float *q_bias, *k_bias, *v_bias, *o_bias, *up_bias, *down_bias;
  const float *attn_output_norm, *attn_output_norm_bias, *layer_output_norm, *layer_output_norm_bias;
};

enum pooling { POOLING_MEAN, POOLING_CLS, POOLING_LAST };

struct model_shape {
  uint32_t n_layers, n_embd, n_heads, n_kv_heads, head_dim, n_ff, n_vocab, context_tokens, n_token_types;
  uint32_t n_q, n_kv; /* n_heads * head_dim, n_kv_heads * head_dim */
  float norm_epsilon;
  enum pooling pooling;
};

/* Rotary position embedding. Angle of pair i at position p: p * frequencies[i]; cosine and sine are multiplied by
 * `magnitude` (YaRN, arXiv 2309.00071; 1 otherwise). */
struct rope {
  enum rope_layout layout;
  uint32_t n_pairs;
  float *frequencies; /* owned */
  float magnitude;
};

struct engine_model {
  struct gguf *gguf;
  struct tokenizer *tokenizer;               /* NULL: none, or unknown */
  const struct chat_template *chat_template; /* NULL: none */
  const struct arch *arch;                   /* NULL: not in the table */
  struct model_shape shape;
  struct model_weights weights;
  struct layer_weights *layers; /* [n_layers] */
  struct rope rope;
  struct engine_model_info info;
  struct engine_error reason; /* why it does not run; status ENGINE_OK when it runs */
  char *path, *architecture, *name, *tensor_types;
};

/* Reads the sizes of model->arch from the metadata. UNSUPPORTED for features that are not here, by name; FORMAT
 * for contradictions. */
int model_read_shape (struct engine_model *model, struct engine_error *error);

/* Fills model->rope from the metadata and the bound factors. Same errors. */
int model_read_rope (struct engine_model *model, struct engine_error *error);

/* Resolves all tensors of model->arch. FORMAT for a missing tensor or a wrong shape; UNSUPPORTED for a type that the
 * kernels lack or a tensor that the family is not known to have. */
int model_bind (struct engine_model *model, struct engine_error *error);

#endif
