#include "engine/model/kv_cache.h"
#include <string.h>

enum { BLOCK_ITEMS = 32, BLOCK_BYTES = 34 };

size_t kv_format_row_bytes (enum kv_format format, uint32_t head_dim)
{
  switch (format) {
  case KV_F16: return head_dim * sizeof (uint16_t);
  case KV_F32: return head_dim * sizeof (float);
  case KV_Q8_0: break;
  }
  return (size_t)(head_dim + BLOCK_ITEMS - 1) / BLOCK_ITEMS * BLOCK_BYTES;
}

uint64_t kv_cache_bytes (enum kv_format format, uint32_t head_dim, uint64_t n_heads, uint64_t n_positions)
{
  return n_positions * n_heads * 2 * kv_format_row_bytes (format, head_dim);
}

struct kv_layer kv_cache_get_layer (const struct kv_cache *cache, uint32_t n_heads_before, uint32_t n_kv_heads)
{
  char *keys = cache->data + kv_cache_offset_bytes (cache, 2 * n_heads_before, 0);
  return (struct kv_layer){ cache, keys, keys + kv_cache_offset_bytes (cache, n_kv_heads, 0), n_kv_heads };
}

/* ---- Q8_0 ------------------------------------------------------------------------------------------------ */

static void put_q8_0 (uint8_t *to, const float *from, uint32_t head_dim)
{
  const uint32_t whole = head_dim / BLOCK_ITEMS * BLOCK_ITEMS;
  f32_to_q8_0 (from, to, whole);
  if (whole < head_dim) {
    float last[BLOCK_ITEMS] = { 0 };
    memcpy (last, from + whole, (head_dim - whole) * sizeof *last);
    f32_to_q8_0 (last, to + whole / BLOCK_ITEMS * BLOCK_BYTES, BLOCK_ITEMS);
  }
}

/* ---- any format ------------------------------------------------------------------------------------------ */

void kv_layer_put (const struct kv_layer *layer, char *keys_or_values, uint32_t position, const float *row)
{
  const struct kv_cache *cache = layer->cache;
  for (uint32_t head = 0; head < layer->n_kv_heads; head++, row += cache->head_dim) {
    char *to = keys_or_values + kv_cache_offset_bytes (cache, head, position);
    switch (cache->format) {
    case KV_F16: f32_to_f16 (row, (uint16_t *)to, cache->head_dim); break;
    case KV_F32: memcpy (to, row, cache->head_dim * sizeof *row); break;
    case KV_Q8_0: put_q8_0 ((uint8_t *)to, row, cache->head_dim); break;
    }
  }
}

struct attention_rows kv_layer_get_rows (const struct kv_layer *layer, const char *keys_or_values, uint32_t kv_head,
                                         uint32_t first, uint32_t n)
{
  static const enum tensor_type types[] = { [KV_F16] = TENSOR_F16, [KV_F32] = TENSOR_F32, [KV_Q8_0] = TENSOR_Q8_0 };
  const struct kv_cache *cache = layer->cache;
  return (struct attention_rows){
    .type = types[cache->format],
    .data = keys_or_values + kv_cache_offset_bytes (cache, kv_head, first),
    .row_bytes = kv_format_row_bytes (cache->format, cache->head_dim),
    .n = n,
    .head_dim = cache->head_dim,
    .width = (cache->head_dim + ATTENTION_LANES - 1) / ATTENTION_LANES * ATTENTION_LANES,
  };
}
