/* adapter.c: opening an adapter: every tensor finds its base, or the file is refused. */
#include "engine/adapter/adapter.h"
#include "engine/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 128 /* of a tensor, with its NUL */
#define SUFFIX_BYTES 7 /* ".lora_a" */

/* ---- what kind of file ----------------------------------------------------------------------------------- */

static bool says (const struct gguf *gguf, const char *key, const char *value)
{
  struct gguf_string found;
  return gguf_get_string (gguf, key, &found) && found.length == strlen (value)
         && memcmp (found.bytes, value, found.length) == 0;
}

static bool ends_in (struct gguf_string name, const char *suffix)
{
  return name.length > SUFFIX_BYTES && memcmp (name.bytes + name.length - SUFFIX_BYTES, suffix, SUFFIX_BYTES) == 0;
}

bool adapter_is_lora (const struct gguf *gguf)
{
  return says (gguf, "general.type", "adapter") && says (gguf, "adapter.type", "lora");
}

int adapter_explain (const struct gguf *gguf, struct engine_error *why)
{
  struct gguf_string arch = { "", 0 };
  uint64_t rank = 0;
  gguf_get_string (gguf, "general.architecture", &arch);
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    const struct gguf_tensor *tensor = gguf_get_tensor (gguf, i);
    if (ends_in (tensor->name, ".lora_b") && tensor->ne[0] > rank)
      rank = tensor->ne[0];
  }
  return engine_error_set (why, ENGINE_ERROR_UNSUPPORTED,
                           "The file is an adapter (LoRA for %.*s, rank %llu), not a model of its own: use it with its "
                           "base model.",
                           (int)(arch.length < 60 ? arch.length : 60), arch.bytes, (unsigned long long)rank);
}

static int check_metadata (const struct engine_model *model, const struct gguf *gguf, float *alpha,
                           struct engine_error *error)
{
  struct gguf_string arch = { "", 0 };
  enum gguf_kind kind;
  uint64_t n_items;
  if (!says (gguf, "general.type", "adapter"))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The file is not an adapter: its general.type is not \"adapter\".");
  if (!says (gguf, "adapter.type", "lora"))
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The adapter is of another kind than LoRA, the only one that this engine can apply.");
  gguf_get_string (gguf, "general.architecture", &arch);
  if (!says (gguf, "general.architecture", model->architecture))
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The adapter is for the architecture \"%.*s\" but the model is a %.60s: choose the model "
                             "that it was trained on.",
                             (int)(arch.length < 60 ? arch.length : 60), arch.bytes, model->architecture);
  if (gguf_get_array (gguf, "adapter.alora.invocation_tokens", &kind, &n_items))
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The adapter is to be switched on by certain tokens (aLoRA), which this engine cannot do.");
  *alpha = 0;
  if (gguf_has_key (gguf, "adapter.lora.alpha")
      && (!gguf_get_f32 (gguf, "adapter.lora.alpha", alpha) || !isfinite (*alpha)))
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The metadata adapter.lora.alpha is not a number: the file is damaged or was converted wrongly.");
  return ENGINE_OK;
}

/* ---- tensors --------------------------------------------------------------------------------------------- */

/* Whether the forward pass multiplies with the base tensor of this name, which the model has. */
static bool is_multiplied (const char *name)
{
  static const char prefix[] = "blk.";
  if (strcmp (name, "output.weight") == 0)
    return true;
  if (strncmp (name, prefix, sizeof prefix - 1) != 0)
    return false;
  name += sizeof prefix - 1;
  name += strspn (name, "0123456789");
  for (size_t i = 0; *name == '.' && i < n_layer_slots; i++)
    if (layer_slots[i].kind != SLOT_VECTOR && strcmp (layer_slots[i].name, name + 1) == 0)
      return true;
  return false;
}

/* The model's tensor of this name; a head that is tied to the embeddings can be changed without them. */
static const struct gguf_tensor *find_base (const struct engine_model *model, const char *name)
{
  const struct gguf_tensor *tensor = gguf_find_tensor (model->gguf, name);
  if (!tensor && strcmp (name, "output.weight") == 0 && (model->arch->groups & GROUP_HEAD))
    tensor = gguf_find_tensor (model->gguf, "token_embd.weight");
  return tensor;
}

static int check_type (const struct gguf_tensor *half, const char *name, struct engine_error *error)
{
  const struct tensor_type_info *type = tensor_type_get_info ((uint32_t)half->type);
  if (type && type->runs)
    return ENGINE_OK;
  return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                           "The adapter's change of %s is of the type %s, which this engine cannot compute with: "
                           "convert the adapter as F32, F16 or Q8_0.",
                           name, type && type->name ? type->name : "unknown");
}

static int fill_pair (struct adapter_pair *pair, const struct gguf_tensor *base, const struct gguf_tensor *a,
                      const struct gguf_tensor *b, const char *name, bool is_embedding, float alpha,
                      struct engine_error *error)
{
  const uint64_t rank = b->ne[0], n_in = is_embedding ? base->ne[1] : base->ne[0];
  const uint64_t n_out = is_embedding ? base->ne[0] : base->ne[1], n_slabs = base->ne[2];
  const uint64_t a_cols = is_embedding ? rank : n_in, a_rows = is_embedding ? n_in : rank;
  if (rank > ADAPTER_MAX_RANK)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The adapter's change of %s has the rank %llu, but this engine applies ranks up to %d.",
                             name, (unsigned long long)rank, ADAPTER_MAX_RANK);
  if (a->ne[0] != a_cols || a->ne[1] != a_rows || b->ne[1] != n_out || a->ne[2] != n_slabs || b->ne[2] != n_slabs
      || a->ne[3] != 1 || b->ne[3] != 1)
    return engine_error_set (
        error, ENGINE_ERROR_FORMAT,
        "The adapter's change of %s (%llu x %llu x %llu by %llu x %llu x %llu) does not fit the model's tensor of "
        "%llu x %llu x %llu: choose the model that it was trained on.",
        name, (unsigned long long)a->ne[0], (unsigned long long)a->ne[1], (unsigned long long)a->ne[2],
        (unsigned long long)b->ne[0], (unsigned long long)b->ne[1], (unsigned long long)b->ne[2],
        (unsigned long long)base->ne[0], (unsigned long long)base->ne[1], (unsigned long long)n_slabs);
  int status = check_type (a, name, error);
  if (status == ENGINE_OK)
    status = check_type (b, name, error);
  if (status != ENGINE_OK)
    return status;
  *pair = (struct adapter_pair){
    .base = (uintptr_t)base->data,
    .base_bytes = base->nbytes,
    .base_row_bytes = tensor_type_row_bytes (base->type, base->ne[0]),
    .a = { a->data, a->type, (uint32_t)a_rows, (uint32_t)a_cols },
    .b = { b->data, b->type, (uint32_t)n_out, (uint32_t)rank },
    .scale = alpha != 0 ? alpha / (float)rank : 1,
  };
  return ENGINE_OK;
}

/* One lora_a with its lora_b; `name` is that of the base tensor. */
static int add_pair (struct engine_adapter *adapter, const struct gguf_tensor *a, const char *name, float alpha,
                     struct engine_error *error)
{
  char other[NAME_BYTES + SUFFIX_BYTES];
  const bool is_embedding = strcmp (name, "token_embd.weight") == 0;
  snprintf (other, sizeof other, "%s.lora_b", name);
  const struct gguf_tensor *b = gguf_find_tensor (adapter->gguf, other), *base = find_base (adapter->model, name);
  if (!b)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The adapter holds only one half of its change of %s: it is damaged.", name);
  if (!base)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The adapter changes the tensor %s, which the model does not have: choose the model that it was trained on.",
        name);
  if (!is_embedding && !is_multiplied (name))
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The adapter changes the tensor %s, where this engine cannot apply LoRA.", name);
  struct adapter_pair *pair = is_embedding ? &adapter->embedding : &adapter->pairs[adapter->n_pairs];
  int status = fill_pair (pair, base, a, b, name, is_embedding, alpha, error);
  if (status == ENGINE_OK && !is_embedding)
    adapter->n_pairs++;
  return status;
}

static int add_tensor (struct engine_adapter *adapter, const struct gguf_tensor *tensor, float alpha,
                       struct engine_error *error)
{
  char name[NAME_BYTES];
  const bool is_a = ends_in (tensor->name, ".lora_a"), is_b = ends_in (tensor->name, ".lora_b");
  const size_t length = tensor->name.length - (is_a || is_b ? SUFFIX_BYTES : 0);
  if ((!is_a && !is_b) || length >= sizeof name || memchr (tensor->name.bytes, '\0', tensor->name.length))
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The adapter's tensor %.*s is not part of a LoRA: this engine can only add products of "
                             "two matrices, not replace tensors.",
                             (int)(tensor->name.length < 100 ? tensor->name.length : 100), tensor->name.bytes);
  memcpy (name, tensor->name.bytes, length);
  name[length] = '\0';
  if (is_a)
    return add_pair (adapter, tensor, name, alpha, error);
  char other[NAME_BYTES + SUFFIX_BYTES];
  snprintf (other, sizeof other, "%s.lora_a", name);
  if (!gguf_find_tensor (adapter->gguf, other))
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "The adapter holds only one half of its change of %s: it is damaged.", name);
  return ENGINE_OK;
}

static int resolve (struct engine_adapter *adapter, struct engine_error *error)
{
  float alpha;
  const uint64_t n_tensors = gguf_get_n_tensors (adapter->gguf);
  int status = check_metadata (adapter->model, adapter->gguf, &alpha, error);
  if (status != ENGINE_OK)
    return status;
  if (n_tensors == 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The adapter holds no tensors: there is nothing to apply.");
  adapter->pairs = calloc ((size_t)n_tensors, sizeof *adapter->pairs);
  if (!adapter->pairs)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the adapter.");
  for (uint64_t i = 0; i < n_tensors && status == ENGINE_OK; i++)
    status = add_tensor (adapter, gguf_get_tensor (adapter->gguf, i), alpha, error);
  return status;
}

int adapter_new (const struct engine_model *model, struct gguf *gguf, struct engine_adapter **adapter,
                 struct engine_error *error)
{
  struct engine_adapter *made = calloc (1, sizeof *made);
  if (!made) {
    gguf_close (gguf);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the adapter.");
  }
  made->model = model;
  made->gguf = gguf;
  int status = resolve (made, error);
  if (status != ENGINE_OK) {
    engine_adapter_close (made);
    return status;
  }
  *adapter = made;
  return ENGINE_OK;
}

int engine_adapter_open (const struct engine_model *model, const char *path, struct engine_adapter **adapter,
                         struct engine_error *error)
{
  struct gguf *gguf;
  if (!model->info.runs)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "%s", model->info.reason);
  int status = gguf_open (path, &gguf, error);
  return status == ENGINE_OK ? adapter_new (model, gguf, adapter, error) : status;
}

void engine_adapter_close (struct engine_adapter *adapter)
{
  if (!adapter)
    return;
  gguf_close (adapter->gguf);
  free (adapter->pairs);
  free (adapter);
}
