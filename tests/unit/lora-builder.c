#include "tests/unit/lora-builder.h"
#include "engine/gguf/half.h"
#include "engine/kernels/matmul.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_changed (const struct gguf_tensor *tensor)
{
  static const char *const others[] = { "norm", "conv1d", "shortconv.conv", "ssm_a", "position_embd", "token_types" };
  char name[64];
  snprintf (name, sizeof name, "%.*s", (int)tensor->name.length, tensor->name.bytes);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strstr (name, others[i]))
      return false;
  return tensor->n_dims >= 2;
}

/* The values as a file of the type holds them, which they become. */
static struct bytes encode (enum tensor_type type, float *values, size_t n_cols, size_t n)
{
  struct bytes bytes = { 0 };
  assert (n % n_cols == 0);
  for (size_t i = 0; i < n; i += type == TENSOR_Q8_0 ? 32 : 1) {
    const uint32_t bits = bits_of_f32 (values[i]);
    switch (type) {
    case TENSOR_F32: bytes_append (&bytes, &values[i], 4); break;
    case TENSOR_F16: bytes_append_le (&bytes, f16_of_f32 (values[i]), 2); break;
    case TENSOR_BF16: bytes_append_le (&bytes, bits >> 16, 2); break;
    case TENSOR_Q8_0: {
      float most = 0;
      for (size_t j = 0; j < 32; j++)
        most = fmaxf (most, fabsf (values[i + j]));
      bytes_append_le (&bytes, f16_of_f32 (most / 127), 2);
      for (size_t j = 0; j < 32; j++)
        bytes_append_le (&bytes, (uint8_t)lrintf (values[i + j] / most * 127), 1);
      break;
    }
    default: abort ();
    }
  }
  tensor_type_to_f32 (type, bytes.data, values, n);
  return bytes;
}

static void add_half (struct gguf_writer *writer, const char *base, char letter, enum tensor_type type, float *values,
                      const uint64_t ne[3], uint64_t *state)
{
  char name[80];
  const size_t n = (size_t)(ne[0] * ne[1] * ne[2]);
  for (size_t i = 0; i < n; i++)
    values[i] = .5f * builder_random (state);
  type = type == TENSOR_Q8_0 && ne[0] % 32 ? TENSOR_F32 : type;
  struct bytes data = encode (type, values, (size_t)ne[0], n);
  snprintf (name, sizeof name, "%s.lora_%c", base, letter);
  gguf_writer_add_tensor (writer, name, type, ne[2] > 1 ? 3 : 2, ne, data.data, data.n);
  bytes_clear (&data);
}

static void add_change (struct lora *lora, struct gguf_writer *writer, const char *base, const uint64_t *ne,
                        uint64_t *state)
{
  const bool is_embedding = strcmp (base, "token_embd.weight") == 0;
  const uint64_t rank = lora->options.rank, n_in = ne[is_embedding ? 1 : 0], n_out = ne[is_embedding ? 0 : 1];
  lora->changes = realloc (lora->changes, (lora->n_changes + 1) * sizeof *lora->changes);
  assert (lora->changes);
  struct lora_change *change = &lora->changes[lora->n_changes++];
  *change = (struct lora_change){ "", (uint32_t)rank, (uint32_t)n_in, (uint32_t)n_out, (uint32_t)ne[2], NULL, NULL };
  snprintf (change->base, sizeof change->base, "%s", base);
  change->a = calloc ((size_t)(rank * n_in * ne[2]), sizeof *change->a);
  change->b = calloc ((size_t)(rank * n_out * ne[2]), sizeof *change->b);
  assert (change->a && change->b);
  const uint64_t a_ne[] = { is_embedding ? rank : n_in, is_embedding ? n_in : rank, ne[2] };
  const uint64_t b_ne[] = { rank, n_out, ne[2] };
  add_half (writer, base, 'a', lora->options.a_type, change->a, a_ne, state);
  add_half (writer, base, 'b', lora->options.b_type, change->b, b_ne, state);
}

struct lora *lora_new (struct bytes model, const char *arch, const struct lora_options *options)
{
  struct lora *lora = calloc (1, sizeof *lora);
  struct gguf *gguf;
  struct gguf_writer writer = { 0 };
  uint64_t state = options->seed;
  assert (lora && gguf_open_memory (model.data, model.n, &gguf, NULL) == ENGINE_OK);
  lora->options = *options;
  gguf_writer_add_string (&writer, "general.architecture", arch);
  gguf_writer_add_string (&writer, "general.type", "adapter");
  gguf_writer_add_string (&writer, "adapter.type", "lora");
  gguf_writer_add_f32 (&writer, "adapter.lora.alpha", options->alpha);
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    const struct gguf_tensor *tensor = gguf_get_tensor (gguf, i);
    char name[64];
    snprintf (name, sizeof name, "%.*s", (int)tensor->name.length, tensor->name.bytes);
    if (!is_changed (tensor))
      continue;
    add_change (lora, &writer, name, tensor->ne, &state);
    if (options->tied_head && strcmp (name, "token_embd.weight") == 0)
      add_change (lora, &writer, "output.weight", tensor->ne, &state);
  }
  lora->file = gguf_writer_finish (&writer);
  gguf_writer_clear (&writer);
  gguf_close (gguf);
  return lora;
}

void lora_free (struct lora *lora)
{
  for (size_t i = 0; i < lora->n_changes; i++) {
    free (lora->changes[i].a);
    free (lora->changes[i].b);
  }
  free (lora->changes);
  bytes_clear (&lora->file);
  free (lora);
}

/* sums[slab][row][col] += scale B A */
static void merge_change (const struct lora_change *change, double scale, double *sums)
{
  const size_t rank = change->rank, n_in = change->n_in, n_out = change->n_out;
  if (strcmp (change->base, "token_embd.weight") == 0) {
    for (size_t id = 0; id < n_in; id++)
      for (size_t i = 0; i < n_out; i++)
        for (size_t k = 0; k < rank; k++)
          sums[id * n_out + i] += scale * (double)change->b[i * rank + k] * (double)change->a[id * rank + k];
    return;
  }
  for (size_t slab = 0; slab < change->n_slabs; slab++)
    for (size_t row = 0; row < n_out; row++)
      for (size_t col = 0; col < n_in; col++)
        for (size_t k = 0; k < rank; k++)
          sums[(slab * n_out + row) * n_in + col] += scale * (double)change->b[(slab * n_out + row) * rank + k]
                                                     * (double)change->a[(slab * rank + k) * n_in + col];
}

static void add_merged (struct gguf_writer *writer, const struct gguf_tensor *tensor, const char *name,
                        const struct lora *const *loras, const float *scales, size_t n_loras)
{
  const size_t n = (size_t)(tensor->nbytes / sizeof (float));
  double *sums = calloc (n, sizeof *sums);
  float *values = calloc (n, sizeof *values);
  assert (sums && values && tensor->type == TENSOR_F32);
  for (size_t i = 0; i < n; i++)
    sums[i] = (double)((const float *)tensor->data)[i];
  for (size_t i = 0; i < n_loras; i++)
    for (size_t j = 0; j < loras[i]->n_changes; j++) {
      const struct lora_options *options = &loras[i]->options;
      if (strcmp (loras[i]->changes[j].base, name) == 0)
        merge_change (&loras[i]->changes[j],
                      (double)scales[i] * (options->alpha != 0 ? (double)options->alpha / options->rank : 1), sums);
    }
  for (size_t i = 0; i < n; i++)
    values[i] = (float)sums[i];
  gguf_writer_add_tensor (writer, name, TENSOR_F32, tensor->n_dims, tensor->ne, values, tensor->nbytes);
  free (sums);
  free (values);
}

struct bytes lora_merge (struct bytes model, const struct lora *const *loras, const float *scales, size_t n_loras)
{
  enum { HEADER_BYTES = 24, COUNT_AT = 16 };
  struct gguf *gguf;
  struct gguf_writer writer = { 0 };
  assert (gguf_open_memory (model.data, model.n, &gguf, NULL) == ENGINE_OK);
  const uint8_t *tensors = (const uint8_t *)gguf_get_tensor (gguf, 0)->name.bytes - 8; /* after its length */
  bytes_append (&writer.metadata, model.data + HEADER_BYTES, (size_t)(tensors - model.data) - HEADER_BYTES);
  memcpy (&writer.n_entries, model.data + COUNT_AT, sizeof writer.n_entries);
  bool tied_head = false;
  for (size_t i = 0; i < n_loras; i++)
    tied_head |= loras[i]->options.tied_head;
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    const struct gguf_tensor *tensor = gguf_get_tensor (gguf, i);
    char name[64];
    snprintf (name, sizeof name, "%.*s", (int)tensor->name.length, tensor->name.bytes);
    add_merged (&writer, tensor, name, loras, scales, n_loras);
    /* The head stays what it was when the embeddings change. */
    if (strcmp (name, "token_embd.weight") == 0 && !gguf_find_tensor (gguf, "output.weight")
        && (tied_head || !gguf_find_tensor (gguf, "position_embd.weight")))
      add_merged (&writer, tensor, "output.weight", loras, scales, n_loras);
  }
  gguf_close (gguf);
  struct bytes file = gguf_writer_finish (&writer);
  gguf_writer_clear (&writer);
  return file;
}

char *lora_save (struct bytes bytes)
{
  const char *folder = getenv ("TMPDIR");
  char path[512];
  snprintf (path, sizeof path, "%s/lectern-test-XXXXXX", folder ? folder : "/tmp");
  int fd = mkstemp (path);
  assert (fd >= 0 && write (fd, bytes.data, bytes.n) == (ssize_t)bytes.n && close (fd) == 0);
  return strdup (path);
}
