/* The KV cache by itself: what a value becomes, what it costs, and that rows keep apart. */
#include "engine/model/kv_cache.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_POSITIONS = 5, N_LAYERS = 2, MAX_WIDTH = 256 };

static const uint32_t layer_heads[N_LAYERS] = { 3, 1 };

/* ---- bytes ------------------------------------------------------------------------------------------------- */

static void test_row_bytes (void)
{
  static const struct {
    enum kv_format format;
    uint32_t head_dim;
    size_t bytes;
  } rows[] = {
    { KV_F16, 64, 128 },   { KV_F16, 80, 160 },   { KV_F32, 64, 256 },  { KV_F32, 80, 320 },
    { KV_Q8_0, 32, 34 },   { KV_Q8_0, 64, 68 },   { KV_Q8_0, 96, 102 }, { KV_Q8_0, 80, 102 },
    { KV_Q8_0, 128, 136 }, { KV_Q8_0, 256, 272 }, { KV_Q8_0, 8, 34 },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert (kv_format_row_bytes (rows[i].format, rows[i].head_dim) == rows[i].bytes);
    assert (kv_cache_bytes (rows[i].format, rows[i].head_dim, 7, 1000) == 14000 * rows[i].bytes);
  }
}

/* ---- values ------------------------------------------------------------------------------------------------ */

/* Half a step of the scale, and what the scale loses as a half (2^-11 of it, or half its smallest step). */
static float bound_of (enum kv_format format, const float *block, uint32_t n, float value)
{
  float most = 0;
  for (uint32_t i = 0; i < n; i++)
    most = fmaxf (most, fabsf (block[i]));
  switch (format) {
  case KV_F32: return 0;
  case KV_F16: return fmaxf (fabsf (value) * 0x1p-11f, 0x1p-25f);
  case KV_Q8_0: break;
  }
  const float d = most / 127;
  return (d / 2 + 127 * fmaxf (d * 0x1p-11f, 0x1p-25f)) * 1.0001f;
}

static void fill (float *row, uint32_t n, float size, uint64_t *state)
{
  for (uint32_t i = 0; i < n; i++)
    row[i] = builder_random (state) * size;
}

/* Every row goes in, in any order, and all come out of their own place. */
static void test_values (enum kv_format format, uint32_t head_dim, float size)
{
  const uint32_t width = (head_dim + 15) / 16 * 16, n_heads = layer_heads[0] + layer_heads[1];
  const uint64_t n_bytes = kv_cache_bytes (format, head_dim, n_heads, N_POSITIONS);
  struct kv_cache cache = { malloc (n_bytes), head_dim, N_POSITIONS, format };
  static float rows[N_LAYERS][2][N_POSITIONS][4 * MAX_WIDTH];
  float loaded[N_POSITIONS * MAX_WIDTH];
  uint64_t state = head_dim;
  assert (cache.data);
  for (int reverse = 0; reverse < 2; reverse++)
    for (uint32_t i = 0; i < N_LAYERS * 2 * N_POSITIONS; i++) {
      const uint32_t at = reverse ? N_LAYERS * 2 * N_POSITIONS - 1 - i : i;
      const uint32_t layer = at / (2 * N_POSITIONS), part = at / N_POSITIONS % 2, position = at % N_POSITIONS;
      const struct kv_layer kv = kv_cache_get_layer (&cache, layer ? layer_heads[0] : 0, layer_heads[layer]);
      float *row = rows[layer][part][position];
      fill (row, layer_heads[layer] * head_dim, size, &state);
      kv_layer_put (&kv, part ? kv.values : kv.keys, position, row);
    }
  for (uint32_t layer = 0; layer < N_LAYERS; layer++)
    for (uint32_t part = 0; part < 2; part++)
      for (uint32_t head = 0; head < layer_heads[layer]; head++) {
        const struct kv_layer kv = kv_cache_get_layer (&cache, layer ? layer_heads[0] : 0, layer_heads[layer]);
        memset (loaded, 0xff, sizeof loaded);
        const struct attention_rows stored = kv_layer_get_rows (&kv, part ? kv.values : kv.keys, head, 0, N_POSITIONS);
        assert (stored.n == N_POSITIONS && stored.width == width);
        for (uint32_t position = 0; position < N_POSITIONS; position++)
          attention_load_row (&stored, position, loaded + position * width);
        for (uint32_t position = 0; position < N_POSITIONS; position++)
          for (uint32_t d = 0; d < width; d++) {
            const float *row = rows[layer][part][position] + head * head_dim, got = loaded[position * width + d];
            const uint32_t block = d / 32 * 32, n = head_dim - block < 32 ? head_dim - block : 32;
            assert (d < head_dim ? fabsf (got - row[d]) <= bound_of (format, row + block, n, row[d]) : got == 0);
          }
      }
  free (cache.data);
}

/* The same bytes as ggml's rule gives: d = most / 127, q = round (x / d). */
static void test_q8_0_block (void)
{
  float row[32] = { 127, -127, 1, 0.4f, -0.6f, 63.6f };
  struct kv_cache cache = { malloc (68), 32, 1, KV_Q8_0 };
  assert (cache.data);
  const struct kv_layer kv = kv_cache_get_layer (&cache, 0, 1);
  kv_layer_put (&kv, kv.keys, 0, row);
  static const uint8_t expected[]
      = { 0x00, 0x3c, 127, 0x81, 1, 0, 0xff, 64, 0, 0 }; /* 1 as a half, then the integers */
  assert (memcmp (kv.keys, expected, sizeof expected) == 0);
  for (int i = 0; i < 32; i++)
    row[i] = i % 2 ? NAN : INFINITY; /* no defined values, but no undefined behaviour */
  kv_layer_put (&kv, kv.values, 0, row);
  memset (row, 0, sizeof row);
  kv_layer_put (&kv, kv.keys, 0, row);
  const struct attention_rows stored = kv_layer_get_rows (&kv, kv.keys, 0, 0, 1);
  attention_load_row (&stored, 0, row);
  for (int i = 0; i < 32; i++)
    assert (row[i] == 0);
  free (cache.data);
}

int main (void)
{
  static const enum kv_format formats[] = { KV_F16, KV_F32, KV_Q8_0 };
  static const uint32_t head_dims[] = { 8, 32, 64, 80, 96, 100, 128, 256 };
  static const float sizes[] = { 1e-6f, 1e-3f, 1, 300, 60000 };
  test_row_bytes ();
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
    for (size_t i = 0; i < sizeof head_dims / sizeof *head_dims; i++)
      for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
        test_values (formats[f], head_dims[i], sizes[j]);
  test_q8_0_block ();
  return 0;
}
