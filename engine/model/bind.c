/* bind.c: tensor names to typed fields, once, with strict shapes. */
#include "engine/error.h"
#include "engine/model/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct binder {
  const struct gguf *gguf;
  const struct arch *arch;
  uint64_t sizes[DIM_N];
  const struct gguf_tensor **bound; /* every tensor that found its field */
  size_t n_bound;
};

static bool slot_is_matrix (const struct tensor_slot *slot)
{
  return slot->kind == SLOT_MATRIX;
}

static int check_tensor (const struct binder *binder, const struct tensor_slot *slot, const char *name,
                         const struct gguf_tensor *tensor, struct engine_error *error)
{
  const struct tensor_type_info *type = tensor_type_get_info ((uint32_t)tensor->type);
  uint64_t cols = binder->sizes[slot->n_cols], rows = binder->sizes[slot->n_rows];
  if (tensor->ne[0] != cols || tensor->ne[1] != rows || tensor->ne[2] != 1 || tensor->ne[3] != 1)
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The tensor %s has the shape %llu x %llu where the model's sizes ask for %llu x %llu: the file is "
        "damaged or was converted wrongly.",
        name, (unsigned long long)tensor->ne[0], (unsigned long long)tensor->ne[1], (unsigned long long)cols,
        (unsigned long long)rows);
  if (slot_is_matrix (slot) ? !type || !type->runs : tensor->type != TENSOR_F32)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The tensor %s is of the type %s, which this engine cannot compute with there: choose a "
                             "file quantised as Q4_K_M, Q8_0 or F16.",
                             name, type && type->name ? type->name : "unknown");
  return ENGINE_OK;
}

static int bind_slot (struct binder *binder, const struct tensor_slot *slot, const char *name, void *fields,
                      struct engine_error *error)
{
  bool required = binder->arch->groups & slot->required;
  if (!required && !(binder->arch->groups & slot->optional))
    return ENGINE_OK;
  const struct gguf_tensor *tensor = gguf_find_tensor (binder->gguf, name);
  if (!tensor) {
    if (!required)
      return ENGINE_OK;
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The tensor %s, which a %s model needs, is missing: the file is damaged or was converted wrongly.", name,
        binder->arch->name);
  }
  int status = check_tensor (binder, slot, name, tensor, error);
  if (status != ENGINE_OK)
    return status;
  char *field = (char *)fields + slot->offset;
  if (slot_is_matrix (slot)) {
    struct matrix matrix = { tensor->data, tensor->type, (uint32_t)tensor->ne[1], (uint32_t)tensor->ne[0] };
    memcpy (field, &matrix, sizeof matrix);
  } else {
    const float *vector = tensor->data;
    memcpy (field, &vector, sizeof vector);
  }
  binder->bound[binder->n_bound++] = tensor;
  return ENGINE_OK;
}

/* A tensor that no slot took would be left out of the computation: better no answer than a wrong one. */
static int check_all_bound (const struct binder *binder, struct engine_error *error)
{
  uint64_t n_tensors = gguf_get_n_tensors (binder->gguf);
  if (n_tensors == binder->n_bound)
    return ENGINE_OK;
  for (uint64_t i = 0; i < n_tensors; i++) { /* ends within n_bound + 1 rounds */
    const struct gguf_tensor *tensor = gguf_get_tensor (binder->gguf, i);
    size_t j = 0;
    while (j < binder->n_bound && binder->bound[j] != tensor)
      j++;
    if (j == binder->n_bound)
      return engine_error_set (
          error, ENGINE_ERROR_UNSUPPORTED,
          "The tensor %.*s belongs to a variant of the architecture %s that this engine cannot run.",
          (int)(tensor->name.length < 100 ? tensor->name.length : 100), tensor->name.bytes, binder->arch->name);
  }
  return ENGINE_OK;
}

static int bind_all (struct binder *binder, struct engine_model *model, struct engine_error *error)
{
  int status;
  for (size_t i = 0; i < n_model_slots; i++)
    if ((status = bind_slot (binder, &model_slots[i], model_slots[i].name, &model->weights, error)) != ENGINE_OK)
      return status;
  for (uint32_t layer = 0; layer < model->shape.n_layers; layer++)
    for (size_t i = 0; i < n_layer_slots; i++) {
      char name[96];
      snprintf (name, sizeof name, "blk.%u.%s", layer, layer_slots[i].name);
      if ((status = bind_slot (binder, &layer_slots[i], name, &model->layers[layer], error)) != ENGINE_OK)
        return status;
    }
  return check_all_bound (binder, error);
}

int model_bind (struct engine_model *model, struct engine_error *error)
{
  const struct model_shape *shape = &model->shape;
  struct binder binder = { .gguf = model->gguf, .arch = model->arch };
  const uint64_t sizes[DIM_N] = {
    [DIM_ONE] = 1,
    [DIM_EMBD] = shape->n_embd,
    [DIM_FF] = shape->n_ff,
    [DIM_Q] = shape->n_q,
    [DIM_KV] = shape->n_kv,
    [DIM_HEAD] = shape->head_dim,
    [DIM_VOCAB] = shape->n_vocab,
    [DIM_CONTEXT] = shape->context_tokens,
    [DIM_TOKEN_TYPES] = shape->n_token_types,
    [DIM_ROPE_PAIRS] = model->rope.n_pairs,
  };
  memcpy (binder.sizes, sizes, sizeof sizes);
  binder.bound = calloc (n_model_slots + (size_t)shape->n_layers * n_layer_slots, sizeof *binder.bound);
  model->layers = calloc (shape->n_layers, sizeof *model->layers);
  int status = binder.bound && model->layers
                   ? bind_all (&binder, model, error)
                   : engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the model.");
  free (binder.bound);
  if (status == ENGINE_OK && !model->weights.output.data)
    model->weights.output = model->weights.token_embd;
  return status;
}
