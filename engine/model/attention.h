/* attention.h: softmax (Q K^T * scale) V for grouped query heads, over all positions of a text or a window around each
 * query. Several texts can share a batch, without padding: no query sees another text.
 *
 * Online softmax over tiles of positions (FlashAttention, arXiv 2205.14135), F32 sums. Work is cut into (kv head x
 * block of query rows): all query heads that share a K/V head read each of its tiles once, and tiles that no row of a
 * block sees are skipped. Tiles lie at multiples of their size, whatever the queries: a row's result depends neither on
 * the number of threads, nor on how the rows are cut, nor on the other rows and texts of the call. */
#ifndef LECTERN_ATTENTION_H
#define LECTERN_ATTENTION_H

#include "engine/model/kv_cache.h"

#define ATTENTION_ALL UINT32_MAX

struct attention {
  const struct attention_kernel *kernel;
  struct kv_layer kv;
  uint32_t n_heads;
  const struct sequence *sequences; /* of all rows of the batch, in their order */
  uint32_t n_sequences;
  uint32_t first_row, n_rows; /* queries are the rows [first_row, n_rows) of the batch; its keys are in the cache */
  uint32_t position;          /* of row 0 in the cache */
  uint32_t before, after;     /* a query at p sees [p - before, p + after] of its text; ATTENTION_ALL: no limit there */
  float scale;
  float softcap;  /* scores become softcap * tanh (score / softcap) (Gemma 2); 0: none */
  const float *q; /* [n_rows][n_heads * head_dim] */
  float *out;     /* the same shape; may not overlap q */
  const atomic_bool *cancel;
};

/* When cancelled it returns early and `out` is undefined. It needs about 240 KB of each thread's stack. */
void attention_run (struct pool *pool, const struct attention *attention);

#endif
