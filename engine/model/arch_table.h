/* arch_table.h: the network families that the engine runs, as data.
 *
 * Two tables. `arch` rows name a family and say which variant of each step it takes; `tensor_slot` rows say which
 * tensors a family has, of which shape, and where the forward pass finds them. The forward pass asks for fields
 * and flags, never for a family's name: a new family is one arch row, and slots for what only it has. */
#ifndef LECTERN_ARCH_TABLE_H
#define LECTERN_ARCH_TABLE_H

#include "engine/engine.h"
#include <stddef.h>

/* How rotary embeddings pair the dimensions of a head: NORM turns (2i, 2i+1), NEOX turns (i, i + n/2). */
enum rope_layout { ROPE_NONE, ROPE_NORM, ROPE_NEOX };

enum norm_kind { NORM_RMS, NORM_LAYER };

enum activation {
  ACTIVATION_SILU,
  ACTIVATION_GELU_TANH, /* the approximation with tanh: what most decoders were trained with */
  ACTIVATION_GELU_ERF,  /* the exact form */
  ACTIVATION_TANH,      /* classifiers only */
};

/* Bits that tie families to tensors. A layer's bits follow from its family's and from what kind of layer it is. */
enum tensor_group {
  GROUP_ATTENTION = 1 << 0,          /* Q, K, V and output projections */
  GROUP_QKV_BIAS = 1 << 1,           /* biases on Q, K and V that must be there */
  GROUP_OUTPUT_BIAS = 1 << 2,        /* a bias on the attention's output projection that must be there */
  GROUP_OPTIONAL_BIAS = 1 << 3,      /* any of these biases that some files of the family have */
  GROUP_QK_NORM = 1 << 4,            /* a norm over each head of Q and K before RoPE, the same for all heads */
  GROUP_QK_NORM_PER_HEAD = 1 << 5,   /* some files: such norms with weights of each head's own */
  GROUP_ATTN_NORM = 1 << 6,          /* a norm before the attention, or what stands in its place */
  GROUP_FFN_NORM = 1 << 7,           /* a norm before the feed-forward net */
  GROUP_NORM_BIAS = 1 << 8,          /* biases of the norm before the attention and of the last norm */
  GROUP_FFN_NORM_BIAS = 1 << 9,      /* the bias of the norm before the feed-forward net */
  GROUP_BRANCH_NORMS = 1 << 10,      /* norms after each of the two, before the residual sum */
  GROUP_POST_NORMS = 1 << 11,        /* norms after each residual sum (the original Transformer, BERT) */
  GROUP_FFN_GATED = 1 << 12,         /* gate, up, down */
  GROUP_FFN_FUSED = 1 << 13,         /* gate and up in one matrix, down */
  GROUP_FFN_PLAIN = 1 << 14,         /* up, down */
  GROUP_FFN_BIAS = 1 << 15,          /* biases on up and down */
  GROUP_EXPERTS = 1 << 16,           /* a router, and up, down of each expert */
  GROUP_SHARED_EXPERT = 1 << 17,     /* an expert that every token goes through, behind a gate of its own */
  GROUP_CONVOLUTION = 1 << 18,       /* gated short convolution (LFM2) */
  GROUP_STATE_SPACE = 1 << 19,       /* selective state space (Mamba, arXiv 2312.00752) */
  GROUP_LAST_NORM = 1 << 20,         /* a norm over the last layer's output, "output_norm" */
  GROUP_LAST_NORM_AT_EMBD = 1 << 21, /* the same under the name "token_embd_norm" (LFM2) */
  GROUP_EMBD_NORM = 1 << 22,         /* a norm over the embeddings */
  GROUP_EMBD_NORM_BIAS = 1 << 23,    /* its bias */
  GROUP_HEAD = 1 << 24,              /* a language-model head, which may be tied to the embeddings */
  GROUP_HEAD_BIAS = 1 << 25,         /* its bias */
  GROUP_ROPE_FACTORS = 1 << 26,      /* some files: factors on the rotary wavelengths (Llama 3) */
  GROUP_LONG_ROPE = 1 << 27,         /* some files: two sets of them, for short and for long contexts (LongRoPE) */
  GROUP_POSITIONS = 1 << 28,         /* learned positions */
  GROUP_TOKEN_TYPES = 1 << 29,       /* some files: embeddings of the segment that a token belongs to */
  GROUP_EXPERT_GATES = 1 << 30,      /* the experts' nets are gated */
};

enum arch_flag {
  ARCH_PARALLEL = 1 << 0, /* attention and feed-forward net read the same norm where the latter has none of its own */
  ARCH_SCALES_EMBEDDINGS = 1 << 1,   /* embeddings are multiplied by the square root of their size */
  ARCH_BIDIRECTIONAL = 1 << 2,       /* every token sees every other */
  ARCH_NORMS_OPTIONAL = 1 << 3,      /* a layer may lack its norm before the attention or the feed-forward net */
  ARCH_EXPERTS_NORMALISED = 1 << 4,  /* the chosen experts' probabilities are scaled to a sum of 1 */
  ARCH_WINDOWED = 1 << 5,            /* attention.sliding_window means what it says */
  ARCH_ROPE_SWITCH = 1 << 6,         /* rope.scaling.finetuned says whether there is a rotary embedding at all */
  ARCH_WINDOW_FIRST_GLOBAL = 1 << 7, /* of each window_period layers the first is global, else the last */
  ARCH_LABELS_SOFTMAX = 1 << 8,      /* a classifier's score is the first label's probability, not its logit */
  ARCH_SCORES_MEAN = 1 << 9,         /* a classifier reads the mean of all tokens */
};

struct arch {
  const char *name; /* general.architecture, and the prefix of its metadata keys */
  enum engine_role role;
  enum rope_layout rope;
  enum norm_kind norm;
  enum activation activation;
  enum activation classifier; /* between the two matrices of a head that scores the text */
  unsigned groups, flags;
  /* Defaults, where the file does not say. */
  uint32_t window_tokens;  /* of the sliding window; 0: none */
  uint32_t window_period;  /* one of so many layers is global; 0: none is */
  float window_rope_base;  /* rotary base of the layers with a window; 0: as the others */
  float attention_softcap; /* 0: none */
  float logit_softcap;     /* 0: none */
  /* Facts that no key tells. */
  uint32_t nope_period;          /* the last of so many layers has no rotary embedding; 0: all have it */
  uint32_t n_layers_embd_scaled; /* the size whose scores are scaled by n_embd / n_heads, not by the width of a head */
};

/* NULL for an unknown name. */
const struct arch *arch_find (const char *name);
/* Row `index` of the table, NULL past its end. */
const struct arch *arch_get (size_t index);

/* Sizes that a tensor's dimensions are checked against. DIM_ONE: the tensor has no such dimension. */
enum dimension {
  DIM_ONE,
  DIM_EMBD,
  DIM_FF,
  DIM_Q,
  DIM_KV,
  DIM_HEAD,
  DIM_HEADS,
  DIM_KV_HEADS,
  DIM_VOCAB,
  DIM_CONTEXT,
  DIM_TOKEN_TYPES,
  DIM_ROPE_PAIRS,
  DIM_EXPERTS,
  DIM_EXPERT_FF,
  DIM_SHARED_FF,
  DIM_CONV_TAPS,
  DIM_CONV_IN, /* 3 embd */
  DIM_SSM_INNER,
  DIM_SSM_IN, /* 2 inner */
  DIM_SSM_STATE,
  DIM_SSM_DT,
  DIM_SSM_SELECT, /* dt + 2 state */
  DIM_CLASSIFIER, /* between the classifier's matrices */
  DIM_LABELS,     /* of the classifier */
  DIM_DENSE,      /* between the matrices that a pooled vector goes through */
  DIM_VECTOR,     /* of the vector after them */
  DIM_N
};

enum slot_kind {
  SLOT_MATRIX,  /* struct matrix, any type that the kernels can multiply with */
  SLOT_EXPERTS, /* the same for each of DIM_EXPERTS experts: the field is that of the first */
  SLOT_VECTOR,  /* const float *, F32 in the file, one- or two-dimensional */
};

#define SLOT_PARTS 3

struct tensor_slot {
  const char *name; /* a layer's tensors without their "blk.N." */
  enum slot_kind kind;
  enum dimension n_cols; /* ne[0]; of a SLOT_VECTOR of one dimension with several parts: DIM_ONE */
  struct {
    enum dimension n_rows;
    size_t offset;             /* of the field in struct layer_weights, or in struct model_weights */
  } parts[SLOT_PARTS];         /* the rows, one after the other; n_rows of unused parts is DIM_N */
  unsigned required, optional; /* groups whose families must or may have it */
};

/* Slots are tried in order; a field that an earlier slot has filled is left alone, so that a fused tensor stands before
 * the ones that it replaces. */
extern const struct tensor_slot model_slots[];
extern const size_t n_model_slots;
extern const struct tensor_slot layer_slots[];
extern const size_t n_layer_slots;

#endif
