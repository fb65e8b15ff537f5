/* kv_cache.h: keys and values of the tokens that a session has read.
 *
 * Laid out [layer][K or V][kv head][position][head_dim]: what one head's attention reads is one run of memory. Layers
 * may differ in their number of heads, and have none. */
#ifndef LECTERN_KV_CACHE_H
#define LECTERN_KV_CACHE_H

#include "engine/kernels/attention_tile.h"
#include "engine/model/model.h"

enum kv_format {
  KV_F16, /* IEEE half */
  KV_F32, /* exact */
  KV_Q8_0, /* ggml's Q8_0: blocks of 32, a half for the scale and a signed byte each: 8.5 bits per value. A head_dim that is
            * not a multiple of 32 is filled up with zeros to whole blocks. */
};

struct kv_cache {
  char *data; /* kv_cache_bytes() of it, owned by whoever made it */
  uint32_t head_dim, n_positions;
  enum kv_format format;
};

/* One layer's [n_kv_heads][n_positions][head_dim]. */
struct kv_layer {
  const struct kv_cache *cache;
  char *keys, *values;
  uint32_t n_kv_heads;
};

/* Rows of a batch that belong to one text, one after the other. The batch's rows lie one after the other in the cache too,
 * and so do those before them of a text that an earlier batch began. */
struct sequence {
  uint32_t first_row, n_rows;
  uint32_t position; /* of first_row in its text */
};

/* Of one head's vector of one position. */
size_t kv_format_row_bytes (enum kv_format format, uint32_t head_dim);

/* Bytes for n_positions tokens and n_heads key/value heads in all. */
uint64_t kv_cache_bytes (enum kv_format format, uint32_t head_dim, uint64_t n_heads, uint64_t n_positions);

struct kv_layer kv_cache_get_layer (const struct kv_cache *cache, uint32_t n_heads_before, uint32_t n_kv_heads);

/* Stores row[n_kv_heads * head_dim] of one token into the layer's keys or values. */
void kv_layer_put (const struct kv_layer *layer, char *keys_or_values, uint32_t position, const float *row);

/* Where one head's vector of a position lies in a layer's keys or values. */
static inline size_t kv_cache_offset_bytes (const struct kv_cache *cache, uint32_t kv_head, uint32_t position)
{
  return ((size_t)kv_head * cache->n_positions + position) * kv_format_row_bytes (cache->format, cache->head_dim);
}

/* n positions of one head from `first` on, of a layer's keys or values. */
struct attention_rows kv_layer_get_rows (const struct kv_layer *layer, const char *keys_or_values, uint32_t kv_head,
                                         uint32_t first, uint32_t n);

#endif
