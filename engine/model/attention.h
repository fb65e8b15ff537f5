/* attention.h: softmax (Q K^T * scale) V for grouped query heads, over all positions or a window around each query.
 *
 * Online softmax over tiles of positions (FlashAttention, arXiv 2205.14135), F32 sums. Work is cut into (kv head x
 * block of query rows): all query heads that share a K/V head read each of its tiles once, and tiles that no row of a
 * block sees are skipped. A row's result depends neither on the number of threads nor on how the rows are cut. */
#ifndef LECTERN_ATTENTION_H
#define LECTERN_ATTENTION_H

#include "engine/model/kv_cache.h"

#define ATTENTION_ALL UINT32_MAX

struct attention {
  struct kv_layer kv;
  uint32_t n_heads;
  uint32_t n_tokens;       /* queries */
  uint32_t first_position; /* of query 0 */
  uint32_t n_positions;    /* keys that there are */
  uint32_t before, after;  /* a query at p sees [p - before, p + after] of them; ATTENTION_ALL: no limit on that side */
  float scale;
  float softcap;  /* scores become softcap * tanh (score / softcap) (Gemma 2); 0: none */
  const float *q; /* [n_tokens][n_heads * head_dim] */
  float *out;     /* the same shape; may not overlap q */
  const atomic_bool *cancel;
};

/* When cancelled it returns early and `out` is undefined. */
void attention_run (struct pool *pool, const struct attention *attention);

#endif
