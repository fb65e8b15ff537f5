/* shape_pooling.c: how a model turns its tokens into one vector or one score, from the metadata. */
#include "engine/model/metadata_reader.h"
#include <string.h>

#define MAX_ROWS (1u << 20)

static bool is_one_of (struct gguf_string text, const char *const *words)
{
  for (; *words; words++)
    if (text.length == strlen (*words) && memcmp (text.bytes, *words, text.length) == 0)
      return true;
  return false;
}

static int refuse_function (struct gguf_string name, struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                           "The model uses the activation \"%.*s\", which this engine does not have.",
                           (int)(name.length < 60 ? name.length : 60), name.bytes);
}

/* Derivatives of an encoder family may differ from it in their feed-forward nets' activation. */
static int read_activation (struct metadata_reader *reader, enum activation *activation, struct engine_error *error)
{
  static const char *const silu[] = { "silu", "swish", "swiglu", NULL };
  static const char *const gelu[] = { "gelu", "geglu", NULL };
  static const char *const gelu_tanh[]
      = { "gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_python_tanh", NULL };
  struct gguf_string name;
  if (!gguf_get_string (reader->gguf, metadata_key (reader, "hidden_activation"), &name))
    return ENGINE_OK;
  if (is_one_of (name, silu))
    *activation = ACTIVATION_SILU;
  else if (is_one_of (name, gelu))
    *activation = ACTIVATION_GELU_ERF;
  else if (is_one_of (name, gelu_tanh))
    *activation = ACTIVATION_GELU_TANH;
  else
    return refuse_function (name, error);
  return ENGINE_OK;
}

static int read_classifier_activation (struct metadata_reader *reader, enum activation *activation,
                                       struct engine_error *error)
{
  static const char *const names[][2] = { [ACTIVATION_SILU] = { "silu" },
                                          [ACTIVATION_GELU_TANH] = { NULL },
                                          [ACTIVATION_GELU_ERF] = { "gelu" },
                                          [ACTIVATION_TANH] = { "tanh" } };
  struct gguf_string name;
  if (!gguf_get_string (reader->gguf, metadata_key (reader, "classifier.activation"), &name))
    return ENGINE_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is_one_of (name, names[i])) {
      *activation = (enum activation)i;
      return ENGINE_OK;
    }
  return refuse_function (name, error);
}

/* The numbers of pooling types in files. */
enum { FILE_NONE, FILE_MEAN, FILE_CLS, FILE_LAST, FILE_RANK };

static bool find_pooling (uint32_t number, enum pooling *pooling)
{
  switch (number) {
  case FILE_NONE: /* a vector for each token: their mean stands for the text */
  case FILE_MEAN: *pooling = POOLING_MEAN; return true;
  case FILE_CLS: *pooling = POOLING_CLS; return true;
  case FILE_LAST: *pooling = POOLING_LAST; return true;
  default: return false;
  }
}

static int read_pooling (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  uint32_t number = FILE_MEAN;
  metadata_read_u32 (reader, "pooling_type", &number);
  if (!find_pooling (number, &model->shape.pooling))
    return metadata_bad (reader, "pooling_type", error);
  return ENGINE_OK;
}

/* Where a classifier reads: the token that all others look at or that looks at all others, or the mean. */
static int read_classifier (struct engine_model *model, struct metadata_reader *reader, struct engine_error *error)
{
  struct model_shape *shape = &model->shape;
  uint32_t number = FILE_NONE;
  if (shape->n_labels == 0 && shape->n_classifier == 0)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model is a reranker without the tensors that score a text: it needs a newer conversion.");
  shape->pooling = model->arch->flags & ARCH_SCORES_MEAN ? POOLING_MEAN
                   : shape->bidirectional                ? POOLING_CLS
                                                         : POOLING_LAST;
  if (metadata_read_u32 (reader, "classifier.pooling_type", &number)
      && (number == FILE_NONE || !find_pooling (number, &shape->pooling)))
    return metadata_bad (reader, "classifier.pooling_type", error);
  return read_classifier_activation (reader, &shape->classifier_activation, error);
}

/* Rows of a tensor that may be absent; those of a damaged file are refused when the tensor is bound. */
static uint32_t count_rows (const struct engine_model *model, const char *name)
{
  const struct gguf_tensor *tensor = gguf_find_tensor (model->gguf, name);
  return tensor && tensor->ne[1] <= MAX_ROWS ? (uint32_t)tensor->ne[1] : 0;
}

static void count_heads (struct engine_model *model)
{
  struct model_shape *shape = &model->shape;
  const uint32_t n_classifier = count_rows (model, "cls.weight"), n_vector = count_rows (model, "dense_3.weight");
  shape->n_labels = count_rows (model, "cls.output.weight");
  shape->n_classifier = n_classifier || shape->n_labels == 0 ? n_classifier : shape->n_embd;
  shape->n_dense = count_rows (model, "dense_2.weight");
  shape->n_dense = shape->n_dense ? shape->n_dense : shape->n_embd;
  shape->n_vector = n_vector ? n_vector : shape->n_dense;
}

int model_read_pooling (struct engine_model *model, struct engine_error *error)
{
  struct metadata_reader reader = { .gguf = model->gguf, .prefix = model->arch->name };
  struct model_shape *shape = &model->shape;
  bool causal = !(model->arch->flags & ARCH_BIDIRECTIONAL);
  shape->activation = model->arch->activation;
  shape->classifier_activation = model->arch->classifier;
  count_heads (model);
  if (model->info.role != ENGINE_ROLE_GENERATOR)
    metadata_read_bool (&reader, "attention.causal", &causal);
  shape->bidirectional = !causal;
  int status = ENGINE_OK;
  if (model->arch->role == ENGINE_ROLE_ENCODER)
    status = read_activation (&reader, &shape->activation, error);
  if (status == ENGINE_OK && model->info.role == ENGINE_ROLE_ENCODER)
    status = read_pooling (model, &reader, error);
  if (status == ENGINE_OK && model->info.role == ENGINE_ROLE_RERANKER)
    status = read_classifier (model, &reader, error);
  return status;
}
