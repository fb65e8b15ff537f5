#include "engine/model/kv_cache.h"
#include <string.h>

uint64_t kv_cache_bytes (enum kv_format format, uint32_t head_dim, uint64_t n_heads, uint64_t n_positions)
{
  return n_positions * n_heads * 2 * head_dim * (format == KV_F32 ? sizeof (float) : sizeof (uint16_t));
}

struct kv_layer kv_cache_get_layer (const struct kv_cache *cache, uint32_t n_heads_before, uint32_t n_kv_heads)
{
  char *keys = cache->data + kv_cache_offset_bytes (cache, 2 * n_heads_before, 0);
  return (struct kv_layer){ cache, keys, keys + kv_cache_offset_bytes (cache, n_kv_heads, 0), n_kv_heads };
}

void kv_layer_put (const struct kv_layer *layer, char *keys_or_values, uint32_t position, const float *row)
{
  const struct kv_cache *cache = layer->cache;
  for (uint32_t head = 0; head < layer->n_kv_heads; head++, row += cache->head_dim) {
    char *to = keys_or_values + kv_cache_offset_bytes (cache, head, position);
    if (cache->format == KV_F32)
      memcpy (to, row, cache->head_dim * sizeof *row);
    else
      f32_to_f16 (row, (uint16_t *)to, cache->head_dim);
  }
}
