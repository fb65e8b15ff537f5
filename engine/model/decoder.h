/* decoder.h: the forward pass of decoder models (pre-norm transformer with RoPE and a gated feed-forward net). */
#ifndef LECTERN_DECODER_H
#define LECTERN_DECODER_H

#include "engine/model/arena.h"
#include "engine/model/kv_cache.h"

#define DECODER_BATCH_TOKENS 256 /* of one pass during prefill */

/* Work memory for batches of at most n_tokens. */
struct decoder_buffers {
  uint32_t n_tokens;
  float *x, *h;           /* [n_tokens][embd]: the residual stream, and what goes into or comes out of a block */
  float *q, *attended;    /* [n_tokens][n_heads * head_dim] */
  float *k, *v;           /* [n_tokens][n_kv_heads * head_dim] */
  float *gate, *up;       /* [n_tokens][ff] */
  float *cosines, *sines; /* [n_tokens][rope pairs] */
  float *logits;          /* [vocab] */
  void *matmul_scratch;
};

/* Takes the buffers from the arena; with a counting arena only their size comes out. */
struct decoder_buffers decoder_take_buffers (const struct engine_model *model, uint32_t n_tokens, struct arena *arena);

struct decoder {
  const struct engine_model *model;
  struct pool *pool;
  struct kv_cache cache;
  struct decoder_buffers buffers;
  bool exact;
  const atomic_bool *cancel;
};

/* Evaluates n_tokens (1 to buffers.n_tokens) valid ids at `position`, whose predecessors are in the cache, and puts
 * their keys and values there. `want_logits`: fills buffers.logits with those after the last token. False when cancelled:
 * then cache entries from `position` on and the logits are undefined. */
bool decoder_evaluate (struct decoder *decoder, const int32_t *ids, uint32_t n_tokens, uint32_t position,
                       bool want_logits);

#endif
