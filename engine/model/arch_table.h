/* arch_table.h: the network families that the engine runs, as data.
 *
 * Two tables. `arch` rows name a family and say which variant of each step it takes; `tensor_slot` rows say which
 * tensors a family has, of which shape, and where the forward pass finds them. The forward passes ask for fields
 * and flags, never for a family's name: a new llama-like family is one arch row, and slots for what only it has. */
#ifndef LECTERN_ARCH_TABLE_H
#define LECTERN_ARCH_TABLE_H

#include "engine/engine.h"
#include <stddef.h>

/* How rotary embeddings pair the dimensions of a head: NORM turns (2i, 2i+1), NEOX turns (i, i + n/2). */
enum rope_layout { ROPE_NONE, ROPE_NORM, ROPE_NEOX };

/* Bits that tie families to tensors. */
enum tensor_group {
  GROUP_DECODER = 1 << 0,       /* pre-norm, RMSNorm, gated SiLU, language-model head */
  GROUP_ENCODER = 1 << 1,       /* BERT: learned positions, post-LayerNorm, GELU */
  GROUP_QKV_BIAS = 1 << 2,      /* biases on Q, K and V that must be there */
  GROUP_OPTIONAL_BIAS = 1 << 3, /* attention biases that some files of the family have */
  GROUP_QK_NORM = 1 << 4,       /* RMSNorm over each head of Q and K before RoPE */
};

struct arch {
  const char *name; /* general.architecture, and the prefix of its metadata keys */
  enum engine_role role;
  enum rope_layout rope;
  const char *epsilon_key; /* of its norms, after the prefix */
  unsigned groups;
};

/* NULL for an unknown name. */
const struct arch *arch_find (const char *name);
/* Row `index` of the table, NULL past its end. */
const struct arch *arch_get (size_t index);

/* Sizes that a tensor's dimensions are checked against. DIM_ONE: the tensor is a vector. */
enum dimension {
  DIM_ONE,
  DIM_EMBD,
  DIM_FF,
  DIM_Q,
  DIM_KV,
  DIM_HEAD,
  DIM_VOCAB,
  DIM_CONTEXT,
  DIM_TOKEN_TYPES,
  DIM_ROPE_PAIRS,
  DIM_N
};

enum slot_kind {
  SLOT_MATRIX, /* struct matrix, any type that the kernels can multiply with */
  SLOT_VECTOR, /* const float *, F32 in the file */
};

struct tensor_slot {
  const char *name; /* a layer's tensors without their "blk.N." */
  enum slot_kind kind;
  size_t offset;                 /* of the field in struct layer_weights, or in struct model_weights */
  enum dimension n_cols, n_rows; /* ne[0], ne[1] */
  unsigned required, optional;   /* groups whose families must or may have it */
};

extern const struct tensor_slot model_slots[];
extern const size_t n_model_slots;
extern const struct tensor_slot layer_slots[];
extern const size_t n_layer_slots;

#endif
