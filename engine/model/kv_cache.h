/* kv_cache.h: keys and values of the tokens that a session has read, as IEEE half (F32 when exact).
 *
 * Laid out [layer][K or V][kv head][position][head_dim]: what one head's attention reads is one run of memory. */
#ifndef LECTERN_KV_CACHE_H
#define LECTERN_KV_CACHE_H

#include "engine/model/model.h"

struct kv_cache {
  char *data; /* kv_cache_bytes() of it, owned by whoever made it */
  uint32_t n_kv_heads, head_dim;
  uint32_t n_positions;
  bool exact;
};

/* Bytes for n_positions tokens over all layers. */
uint64_t kv_cache_bytes (const struct model_shape *shape, uint64_t n_positions, bool exact);

struct kv_cache kv_cache_at (void *data, const struct model_shape *shape, uint32_t n_positions, bool exact);

/* One layer's [n_kv_heads][n_positions][head_dim]. */
void *kv_cache_get_keys (const struct kv_cache *cache, uint32_t layer);
void *kv_cache_get_values (const struct kv_cache *cache, uint32_t layer);

/* Stores row[n_kv_heads * head_dim] of one token into a layer's keys or values. */
void kv_cache_put (const struct kv_cache *cache, void *keys_or_values, uint32_t position, const float *row);

/* Where one head's vector of a position lies in a layer's keys or values. */
static inline size_t kv_cache_offset_bytes (const struct kv_cache *cache, uint32_t kv_head, uint32_t position)
{
  size_t item_bytes = cache->exact ? sizeof (float) : sizeof (uint16_t);
  return ((size_t)kv_head * cache->n_positions + position) * cache->head_dim * item_bytes;
}

#endif
