/* family-models.h: the smallest random F32 models of families that differ in which matrices they multiply with. */
#ifndef LECTERN_FAMILY_MODELS_H
#define LECTERN_FAMILY_MODELS_H

#include "tests/unit/gguf-writer.h"

enum family {
  FAMILY_LLAMA,
  FAMILY_LLAMA_TIED,
  FAMILY_PHI2,     /* fused QKV, a plain net */
  FAMILY_PHI3,     /* fused QKV, fused gate and up */
  FAMILY_MIXTRAL,  /* experts */
  FAMILY_QWEN2MOE, /* experts, and one that all share */
  FAMILY_GEMMA,    /* scaled embeddings */
  FAMILY_LFM2,     /* short convolutions */
  FAMILY_MAMBA,    /* state spaces */
  FAMILY_N
};

enum { FAMILY_VOCAB = 70, FAMILY_EMBD = 32, FAMILY_CONTEXT = 512 };

const char *family_get_arch (enum family family);
/* The whole file; the caller clears it. */
struct bytes family_make_model (enum family family);

#endif
