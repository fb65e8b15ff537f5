/* adapter.h: a LoRA file (arXiv 2106.09685), resolved against the model that it changes.
 *
 * A tensor W of the base becomes W + scale B A, where A is [rank][n_in] and B is [n_out][rank]; W itself is never touched.
 * The file is GGUF as llama.cpp's convert_lora_to_gguf.py writes it: "<name of W>.lora_a" and "<name of W>.lora_b", and
 * for experts one such pair after the other. Token embeddings are looked up, so there A lies transposed, [vocab][rank],
 * and a row of it is what B multiplies.
 *
 * W is known by where its bytes lie: the forward pass multiplies with views (the K of a fused QKV, one expert of many),
 * and a view's address tells which rows of B belong to it. */
#ifndef LECTERN_ADAPTER_H
#define LECTERN_ADAPTER_H

#include "engine/model/model.h"

#define ADAPTER_MAX_RANK 4096

struct adapter_pair {
  uintptr_t base; /* address of W */
  uint64_t base_bytes, base_row_bytes;
  struct matrix a, b; /* [rank][n_in] and [n_out][rank], of the first slab; the others follow */
  float scale;        /* alpha / rank; 1 if the file's alpha is 0 */
};

struct engine_adapter {
  struct gguf *gguf;
  const struct engine_model *model;
  struct adapter_pair *pairs; /* of what is multiplied; W are apart from each other */
  size_t n_pairs;
  struct adapter_pair embedding; /* a [vocab][rank], b [embd][rank]; a.data NULL: none */
};

/* engine_adapter_open() once the file is read; takes `gguf`, even after a failure. */
int adapter_new (const struct engine_model *model, struct gguf *gguf, struct engine_adapter **adapter,
                 struct engine_error *error);

bool adapter_is_lora (const struct gguf *gguf);
/* UNSUPPORTED, with a sentence that says what such a file is, for those who take it for a model. */
int adapter_explain (const struct gguf *gguf, struct engine_error *why);

#endif
