/* bind.c: tensor names to typed fields, once, with strict shapes. */
#include "engine/error.h"
#include "engine/model/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct binder {
  const struct gguf *gguf;
  const struct arch *arch;
  unsigned groups; /* of the layer or, for the model's own tensors, of the family */
  uint64_t sizes[DIM_N];
  const struct gguf_tensor **bound; /* every tensor that found its fields */
  size_t n_bound;
};

/* Whether something is in the field already. */
static bool is_filled (const struct tensor_slot *slot, size_t part, const void *fields)
{
  const void *first; /* both kinds of field begin with their data */
  memcpy (&first, (const char *)fields + slot->parts[part].offset, sizeof first);
  return first != NULL;
}

static uint64_t count_rows (const struct binder *binder, const struct tensor_slot *slot)
{
  uint64_t n_rows = 0;
  for (size_t i = 0; i < SLOT_PARTS && slot->parts[i].n_rows != DIM_N; i++)
    n_rows += binder->sizes[slot->parts[i].n_rows];
  return n_rows;
}

static int check_tensor (const struct binder *binder, const struct tensor_slot *slot, const char *name,
                         const struct gguf_tensor *tensor, struct engine_error *error)
{
  const struct tensor_type_info *type = tensor_type_get_info ((uint32_t)tensor->type);
  uint64_t cols = binder->sizes[slot->n_cols], rows = count_rows (binder, slot);
  uint64_t slabs = slot->kind == SLOT_EXPERTS ? binder->sizes[DIM_EXPERTS] : 1;
  if (slot->n_cols == DIM_ONE) { /* the parts of a vector */
    cols = rows;
    rows = 1;
  }
  if (tensor->ne[0] != cols || tensor->ne[1] != rows || tensor->ne[2] != slabs || tensor->ne[3] != 1)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The tensor %s has the shape %llu x %llu x %llu where the model's sizes ask for %llu x "
                             "%llu x %llu: the file is "
                             "damaged or was converted wrongly.",
                             name, (unsigned long long)tensor->ne[0], (unsigned long long)tensor->ne[1],
                             (unsigned long long)tensor->ne[2], (unsigned long long)cols, (unsigned long long)rows,
                             (unsigned long long)slabs);
  char number[16];
  snprintf (number, sizeof number, "%u", (unsigned)tensor->type);
  if (slot->kind != SLOT_VECTOR ? !type || !type->runs : tensor->type != TENSOR_F32)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The tensor %s is of the type %s, which this engine cannot compute with there: choose a "
                             "file quantised as Q4_K_M, Q8_0 or F16.",
                             name, type ? type->name : number);
  return ENGINE_OK;
}

/* Rows of a fused tensor lie one after the other: its parts are views. */
static void fill_fields (const struct binder *binder, const struct tensor_slot *slot, const struct gguf_tensor *tensor,
                         void *fields)
{
  const uint64_t row_bytes
      = slot->n_cols == DIM_ONE ? sizeof (float) : tensor_type_row_bytes (tensor->type, binder->sizes[slot->n_cols]);
  uint64_t first_row = 0;
  for (size_t i = 0; i < SLOT_PARTS && slot->parts[i].n_rows != DIM_N; i++) {
    const uint64_t n_rows = binder->sizes[slot->parts[i].n_rows];
    const void *data = (const char *)tensor->data + first_row * row_bytes;
    char *field = (char *)fields + slot->parts[i].offset;
    if (slot->kind == SLOT_VECTOR)
      memcpy (field, &data, sizeof data);
    else {
      struct matrix matrix = { data, tensor->type, (uint32_t)n_rows, (uint32_t)tensor->ne[0] };
      memcpy (field, &matrix, sizeof matrix);
    }
    first_row += n_rows;
  }
}

static int bind_slot (struct binder *binder, const struct tensor_slot *slot, const char *name, void *fields,
                      struct engine_error *error)
{
  bool required = binder->groups & slot->required;
  if ((!required && !(binder->groups & slot->optional)) || is_filled (slot, 0, fields))
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
  fill_fields (binder, slot, tensor, fields);
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

static bool has_tensor (const struct binder *binder, uint32_t layer, const char *suffix)
{
  char name[96];
  snprintf (name, sizeof name, "blk.%u.%s", layer, suffix);
  return gguf_find_tensor (binder->gguf, name) != NULL;
}

/* What one layer of the family has: a layer holds one mixer, and either experts or a dense net. */
static unsigned find_groups (const struct binder *binder, const struct layer_shape *shape, uint32_t layer)
{
  const unsigned attention = GROUP_ATTENTION | GROUP_QKV_BIAS | GROUP_OUTPUT_BIAS | GROUP_OPTIONAL_BIAS | GROUP_QK_NORM
                             | GROUP_QK_NORM_PER_HEAD;
  unsigned groups = binder->arch->groups;
  if (shape->mixer != MIXER_ATTENTION)
    groups &= ~attention;
  if (shape->mixer != MIXER_CONVOLUTION)
    groups &= ~GROUP_CONVOLUTION;
  if (shape->mixer != MIXER_STATE_SPACE)
    groups &= ~GROUP_STATE_SPACE;
  if (shape->has_experts)
    groups = (groups & ~(GROUP_FFN_GATED | GROUP_FFN_FUSED | GROUP_FFN_PLAIN | GROUP_FFN_BIAS)) | GROUP_EXPERTS
             | (groups & GROUP_FFN_PLAIN ? 0 : GROUP_EXPERT_GATES);
  else
    groups &= ~GROUP_SHARED_EXPERT;
  if (binder->arch->flags & ARCH_NORMS_OPTIONAL) {
    if (!has_tensor (binder, layer, "attn_norm.weight"))
      groups &= ~(GROUP_ATTN_NORM | GROUP_NORM_BIAS);
    if (!has_tensor (binder, layer, "ffn_norm.weight"))
      groups &= ~(GROUP_FFN_NORM | GROUP_FFN_NORM_BIAS);
  }
  return groups;
}

static int bind_all (struct binder *binder, struct engine_model *model, struct engine_error *error)
{
  int status;
  binder->groups = binder->arch->groups;
  for (size_t i = 0; i < n_model_slots; i++)
    if ((status = bind_slot (binder, &model_slots[i], model_slots[i].name, &model->weights, error)) != ENGINE_OK)
      return status;
  for (uint32_t layer = 0; layer < model->shape.n_layers; layer++) {
    const struct layer_shape *shape = &model->layer_shapes[layer];
    binder->groups = find_groups (binder, shape, layer);
    binder->sizes[DIM_KV] = shape->n_kv;
    binder->sizes[DIM_KV_HEADS] = shape->n_kv_heads;
    binder->sizes[DIM_FF] = shape->n_ff;
    for (size_t i = 0; i < n_layer_slots; i++) {
      char name[96];
      snprintf (name, sizeof name, "blk.%u.%s", layer, layer_slots[i].name);
      if ((status = bind_slot (binder, &layer_slots[i], name, &model->layers[layer], error)) != ENGINE_OK)
        return status;
    }
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
    [DIM_Q] = shape->n_q,
    [DIM_HEAD] = shape->head_dim,
    [DIM_HEADS] = shape->n_heads,
    [DIM_VOCAB] = shape->n_vocab,
    [DIM_CONTEXT] = shape->context_tokens,
    [DIM_TOKEN_TYPES] = shape->n_token_types,
    [DIM_ROPE_PAIRS] = model->n_rope_pairs,
    [DIM_EXPERTS] = shape->n_experts,
    [DIM_EXPERT_FF] = shape->n_expert_ff,
    [DIM_SHARED_FF] = shape->n_shared_ff,
    [DIM_CONV_TAPS] = shape->conv_taps,
    [DIM_CONV_IN] = 3ull * shape->n_embd,
    [DIM_SSM_INNER] = shape->ssm_inner,
    [DIM_SSM_IN] = 2ull * shape->ssm_inner,
    [DIM_SSM_STATE] = shape->ssm_state,
    [DIM_SSM_DT] = shape->ssm_dt,
    [DIM_SSM_SELECT] = shape->ssm_dt + 2ull * shape->ssm_state,
    [DIM_CLASSIFIER] = shape->n_classifier,
    [DIM_LABELS] = shape->n_labels,
    [DIM_DENSE] = shape->n_dense,
    [DIM_VECTOR] = shape->n_vector,
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
