#include "engine/model/kv_cache.h"
#include <string.h>

uint64_t kv_cache_bytes (const struct model_shape *shape, uint64_t n_positions, bool exact)
{
  return n_positions * shape->n_layers * 2 * shape->n_kv * (exact ? sizeof (float) : sizeof (uint16_t));
}

struct kv_cache kv_cache_at (void *data, const struct model_shape *shape, uint32_t n_positions, bool exact)
{
  return (struct kv_cache){ data, shape->n_kv_heads, shape->head_dim, n_positions, exact };
}

static char *get_half (const struct kv_cache *cache, size_t index)
{
  return cache->data + index * kv_cache_offset_bytes (cache, cache->n_kv_heads, 0);
}

void *kv_cache_get_keys (const struct kv_cache *cache, uint32_t layer)
{
  return get_half (cache, 2 * (size_t)layer);
}

void *kv_cache_get_values (const struct kv_cache *cache, uint32_t layer)
{
  return get_half (cache, 2 * (size_t)layer + 1);
}

void kv_cache_put (const struct kv_cache *cache, void *keys_or_values, uint32_t position, const float *row)
{
  for (uint32_t head = 0; head < cache->n_kv_heads; head++, row += cache->head_dim) {
    char *to = (char *)keys_or_values + kv_cache_offset_bytes (cache, head, position);
    if (cache->exact)
      memcpy (to, row, cache->head_dim * sizeof *row);
    else
      f32_to_f16 (row, (uint16_t *)to, cache->head_dim);
  }
}
