#include "engine/model/fingerprint.h"

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

void fingerprint_model (const struct engine_model *model, uint8_t digest[HASH_BYTES])
{
  struct hash hash;
  size_t n_head;
  const void *head = gguf_get_head (model->gguf, &n_head);
  hash_init (&hash);
  add_u64 (&hash, gguf_get_file_bytes (model->gguf));
  hash_add (&hash, head, n_head);
  for (uint64_t i = 0; i < gguf_get_n_tensors (model->gguf); i++)
    add_tensor (&hash, gguf_get_tensor (model->gguf, i));
  hash_finish (&hash, digest);
}
