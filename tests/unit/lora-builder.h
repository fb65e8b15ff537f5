/* lora-builder.h: random adapters for a model file in memory, and the same model with them merged into its weights. */
#ifndef LECTERN_LORA_BUILDER_H
#define LECTERN_LORA_BUILDER_H

#include "tests/unit/gguf-writer.h"

struct lora_options {
  uint32_t rank;
  float alpha;
  enum tensor_type a_type, b_type; /* F32, F16, BF16 or Q8_0, where the rows allow it; else F32 */
  bool tied_head;                  /* also changes "output.weight" of a model that has none of its own */
  uint64_t seed;
};

/* What happens to one base tensor: values as the engine reads them, slab after slab. */
struct lora_change {
  char base[64];
  uint32_t rank, n_in, n_out, n_slabs;
  float *a, *b; /* [slabs][rank][n_in], [slabs][n_out][rank]; of token_embd: a [n_in][rank], n_in the vocabulary */
};

struct lora {
  struct lora_options options;
  struct lora_change *changes;
  size_t n_changes;
  struct bytes file;
};

/* Changes everything in the model (F32 matrices) that is multiplied, and the token embeddings. Aborts on failure. */
struct lora *lora_new (struct bytes model, const char *arch, const struct lora_options *options);
void lora_free (struct lora *lora);

/* The model's file with scales[i] * loras[i] added in double precision; the caller clears it. */
struct bytes lora_merge (struct bytes model, const struct lora *const *loras, const float *scales, size_t n_loras);

/* Writes the bytes into the temporary folder; the path is malloc'ed. */
char *lora_save (struct bytes bytes);

#endif
