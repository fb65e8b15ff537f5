/* model.c: opening a file and describing it. */
#include "engine/model/model.h"
#include "engine/adapter/adapter.h"
#include "engine/error.h"
#include "engine/model/kv_cache.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory (struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to open the model.");
}

static char *dup_string (const struct gguf *gguf, const char *key)
{
  struct gguf_string value = { "", 0 };
  gguf_get_string (gguf, key, &value);
  return strndup (value.bytes, value.length < 4096 ? value.length : 4096);
}

/* "Q4_K 168, Q6_K 29": most frequent first. */
static char *describe_types (const struct gguf *gguf)
{
  uint64_t counts[TENSOR_N_TYPES] = { 0 };
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    uint32_t type = (uint32_t)gguf_get_tensor (gguf, i)->type;
    if (type < TENSOR_N_TYPES)
      counts[type]++;
  }
  char text[TENSOR_N_TYPES * 32] = "";
  size_t length = 0;
  for (;;) {
    uint32_t most = 0;
    for (uint32_t type = 1; type < TENSOR_N_TYPES; type++)
      if (counts[type] > counts[most])
        most = type;
    if (counts[most] == 0)
      return strdup (text);
    const struct tensor_type_info *info = tensor_type_get_info (most);
    length += (size_t)snprintf (text + length, sizeof text - length, "%s%s %llu", length ? ", " : "",
                                info && info->name ? info->name : "?", (unsigned long long)counts[most]);
    counts[most] = 0;
  }
}

static uint64_t count_parameters (const struct gguf *gguf)
{
  uint64_t n = 0;
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    const struct gguf_tensor *tensor = gguf_get_tensor (gguf, i);
    n += tensor->ne[0] * tensor->ne[1] * tensor->ne[2] * tensor->ne[3];
  }
  return n;
}

static uint32_t get_size (const struct engine_model *model, const char *suffix)
{
  char key[512];
  uint32_t value = 0;
  if (snprintf (key, sizeof key, "%.400s.%s", model->architecture, suffix) > 0)
    gguf_get_u32 (model->gguf, key, &value);
  return value;
}

/* What any GGUF tells, known architecture or not. */
static int describe (struct engine_model *model, const char *path, struct engine_error *error)
{
  const struct gguf *gguf = model->gguf;
  model->path = strdup (path);
  model->architecture = dup_string (gguf, "general.architecture");
  model->name = dup_string (gguf, "general.name");
  model->tensor_types = describe_types (gguf);
  if (!model->path || !model->architecture || !model->name || !model->tensor_types)
    return no_memory (error);
  struct engine_model_info *info = &model->info;
  *info = (struct engine_model_info){
    .path = model->path,
    .architecture = model->architecture,
    .name = model->name,
    .tensor_types = model->tensor_types,
    .tokenizer = "",
    .chat_template = "",
    .reason = "",
    .file_bytes = gguf_get_file_bytes (gguf),
    .n_parameters = count_parameters (gguf),
    .context_tokens = get_size (model, "context_length"),
    .n_layers = get_size (model, "block_count"),
    .n_embd = get_size (model, "embedding_length"),
    .n_heads = get_size (model, "attention.head_count"),
    .n_kv_heads = get_size (model, "attention.head_count_kv"),
    .gguf_version = gguf_get_version (gguf),
    .n_tensors = gguf_get_n_tensors (gguf),
  };
  if (info->n_kv_heads == 0)
    info->n_kv_heads = info->n_heads;
  enum gguf_kind kind;
  uint64_t n_vocab = 0;
  if (gguf_get_array (gguf, "tokenizer.ggml.tokens", &kind, &n_vocab) && n_vocab <= UINT32_MAX)
    info->n_vocab = (uint32_t)n_vocab;
  else
    info->n_vocab = get_size (model, "vocab_size");
  return ENGINE_OK;
}

/* Remembers why the model does not run: only the first reason counts. Anything but UNSUPPORTED is passed on. */
static int note_reason (struct engine_model *model, int status, const struct engine_error *why,
                        struct engine_error *error)
{
  if (status == ENGINE_OK)
    return ENGINE_OK;
  if (status != ENGINE_ERROR_UNSUPPORTED) {
    if (error)
      *error = *why;
    return status;
  }
  if (model->reason.status == ENGINE_OK)
    model->reason = *why;
  return ENGINE_OK;
}

static int open_tokenizer (struct engine_model *model, struct engine_error *error)
{
  struct gguf_string kind;
  if (!gguf_get_string (model->gguf, "tokenizer.ggml.model", &kind) || kind.length == 0
      || (kind.length == 8 && memcmp (kind.bytes, "no_vocab", 8) == 0))
    return ENGINE_OK;
  struct engine_error why = { 0 };
  int status = tokenizer_new (model->gguf, &model->tokenizer, &why);
  if ((status = note_reason (model, status, &why, error)) != ENGINE_OK)
    return status;
  if (model->tokenizer) {
    model->info.tokenizer = tokenizer_get_name (model->tokenizer);
    status = chat_template_new (model->gguf, model->tokenizer, &model->chat_template, error);
    if (model->chat_template)
      model->info.chat_template = chat_template_describe (model->chat_template);
  }
  return status;
}

static int prepare_network (struct engine_model *model, struct engine_error *error)
{
  if (!model->arch && !*model->architecture)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The file does not name its architecture (general.architecture): convert it again.");
  if (!model->arch)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The architecture \"%.60s\" is not one that this engine can run.", model->architecture);
  int status = model_check_kinds (model, error);
  if (status == ENGINE_OK)
    status = model_read_shape (model, error);
  if (status == ENGINE_OK)
    status = model_bind (model, error);
  if (status == ENGINE_OK)
    status = model_read_rope (model, error);
  if (status == ENGINE_OK && model->info.role != ENGINE_ROLE_GENERATOR && !model->tokenizer)
    status = engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                               "The file holds no tokenizer, without which it cannot read text.");
  return status;
}

/* The role that the file's tensors make it fit for. */
static enum engine_role find_role (const struct engine_model *model)
{
  if (gguf_explain_contents (model->gguf))
    return ENGINE_ROLE_NONE;
  enum { POOLING_RANK = 4 };
  const uint32_t pooling = get_size (model, "pooling_type"); /* of a decoder: it was trained on as an encoder */
  if (pooling == POOLING_RANK || gguf_find_tensor (model->gguf, "cls.output.weight")
      || (model->arch && model->arch->role == ENGINE_ROLE_ENCODER && gguf_find_tensor (model->gguf, "cls.weight")))
    return ENGINE_ROLE_RERANKER;
  if (model->arch && pooling > 0)
    return ENGINE_ROLE_ENCODER;
  if (model->arch)
    return model->arch->role;
  return gguf_find_tensor (model->gguf, "output_norm.weight") ? ENGINE_ROLE_GENERATOR : ENGINE_ROLE_NONE;
}

static int open_network (struct engine_model *model, struct engine_error *error)
{
  struct engine_model_info *info = &model->info;
  struct engine_error why = { 0 };
  int status;
  model->arch = arch_find (model->architecture);
  info->role = find_role (model);
  const char *contents = gguf_explain_contents (model->gguf);
  if (adapter_is_lora (model->gguf))
    status = adapter_explain (model->gguf, &why);
  else if (contents)
    status = engine_error_set (&why, ENGINE_ERROR_UNSUPPORTED, "%s", contents);
  else
    status = prepare_network (model, &why);
  bool ready = status == ENGINE_OK;
  if ((status = note_reason (model, status, &why, error)) != ENGINE_OK)
    return status;
  if (ready) {
    info->n_vocab = model->shape.n_vocab;
    info->n_kv_heads = model->shape.head_dim ? model->shape.n_kv_max / model->shape.head_dim : 0;
    info->recurrent = model->shape.n_state_all > 0;
    if (info->role == ENGINE_ROLE_GENERATOR)
      info->kv_bytes_per_token = kv_cache_bytes (KV_F16, model->shape.head_dim, model->shape.n_kv_heads_all, 1);
  }
  info->runs = model->reason.status == ENGINE_OK;
  info->reason = model->reason.message;
  return ENGINE_OK;
}

int model_open_gguf (struct gguf *gguf, const char *path, struct engine_model **model, struct engine_error *error)
{
  struct engine_model *opened = calloc (1, sizeof *opened);
  if (!opened) {
    gguf_close (gguf);
    return no_memory (error);
  }
  opened->gguf = gguf;
  int status = describe (opened, path, error);
  if (status == ENGINE_OK)
    status = open_tokenizer (opened, error);
  if (status == ENGINE_OK)
    status = open_network (opened, error);
  if (status != ENGINE_OK) {
    engine_model_close (opened);
    return status;
  }
  *model = opened;
  return ENGINE_OK;
}

int engine_model_open (const char *path, struct engine_model **model, struct engine_error *error)
{
  struct gguf *gguf;
  int status = gguf_open (path, &gguf, error);
  return status == ENGINE_OK ? model_open_gguf (gguf, path, model, error) : status;
}

void engine_model_close (struct engine_model *model)
{
  if (!model)
    return;
  chat_template_free (model->chat_template);
  tokenizer_free (model->tokenizer);
  gguf_close (model->gguf);
  free (model->layers);
  free (model->layer_shapes);
  for (size_t i = 0; i < ROPE_N_TABLES; i++)
    free (model->ropes[i].frequencies);
  free (model->long_rope.frequencies);
  free (model->path);
  free (model->architecture);
  free (model->name);
  free (model->tensor_types);
  free (model);
}

const struct engine_model_info *engine_model_get_info (const struct engine_model *model)
{
  return &model->info;
}
