#include "engine/model/fingerprint.h"
#include "engine/gguf/half.h"

enum { SAMPLE_BYTES = 256, N_SAMPLES = 4 };

static void add_u64 (struct hash *hash, uint64_t value)
{
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++)
    bytes[i] = (uint8_t)(value >> (8 * i));
  hash_add (hash, bytes, sizeof bytes);
}

static void add_tensor (struct hash *hash, const struct gguf_tensor *tensor)
{
  add_u64 (hash, tensor->name.length);
  hash_add (hash, tensor->name.bytes, tensor->name.length);
  add_u64 (hash, (uint64_t)tensor->type);
  for (int i = 0; i < GGUF_MAX_DIMS; i++)
    add_u64 (hash, tensor->ne[i]);
  const uint8_t *bytes = tensor->data;
  if (tensor->nbytes <= SAMPLE_BYTES * N_SAMPLES) {
    hash_add (hash, bytes, (size_t)tensor->nbytes);
    return;
  }
  const uint64_t last = tensor->nbytes - SAMPLE_BYTES;
  for (uint64_t i = 0; i < N_SAMPLES; i++)
    hash_add (hash, bytes + last / (N_SAMPLES - 1) * i, SAMPLE_BYTES);
}

static void add_gguf (struct hash *hash, const struct gguf *gguf)
{
  size_t n_head;
  const void *head = gguf_get_head (gguf, &n_head);
  add_u64 (hash, gguf_get_file_bytes (gguf));
  hash_add (hash, head, n_head);
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++)
    add_tensor (hash, gguf_get_tensor (gguf, i));
}

void fingerprint_model (const struct engine_model *model, uint8_t digest[HASH_BYTES])
{
  struct hash hash;
  hash_init (&hash);
  add_gguf (&hash, model->gguf);
  hash_finish (&hash, digest);
}

void fingerprint_adapters (const struct engine_adapter *const *adapters, const float *scales, size_t n_adapters,
                           uint8_t digest[HASH_BYTES])
{
  struct hash hash;
  bool any = false;
  hash_init (&hash);
  for (size_t i = 0; i < n_adapters; i++)
    if (scales[i] != 0) {
      any = true;
      add_u64 (&hash, bits_of_f32 (scales[i]));
      add_gguf (&hash, adapters[i]->gguf);
    }
  memset (digest, 0, HASH_BYTES);
  if (any)
    hash_finish (&hash, digest);
}
