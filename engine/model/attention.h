/* attention.h: softmax (Q K^T * scale) V for grouped query heads, causal or over everything.
 *
 * Online softmax over tiles of positions (FlashAttention, arXiv 2205.14135), F32 sums. Work is cut into (kv head x
 * block of query rows): all query heads that share a K/V head read each of its tiles once. A row's result depends
 * neither on the number of threads nor on how the rows are cut. */
#ifndef LECTERN_ATTENTION_H
#define LECTERN_ATTENTION_H

#include "engine/model/kv_cache.h"

struct attention {
  const struct kv_cache *cache;
  const void *keys, *values; /* of one layer in the cache */
  uint32_t n_heads;
  uint32_t n_tokens;       /* queries */
  uint32_t first_position; /* of query 0; causal: query t sees positions [0, first_position + t] */
  uint32_t n_positions;    /* not causal: every query sees [0, n_positions) */
  bool causal;
  float scale;
  const float *q; /* [n_tokens][n_heads * head_dim] */
  float *out;     /* the same shape; may not overlap q */
  const atomic_bool *cancel;
};

/* When cancelled it returns early and `out` is undefined. */
void attention_run (struct pool *pool, const struct attention *attention);

#endif
