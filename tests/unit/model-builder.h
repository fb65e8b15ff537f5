/* model-builder.h: small models with random F32 weights, kept as named arrays for a test's own arithmetic and
 * written as GGUF for the engine. */
#ifndef LECTERN_MODEL_BUILDER_H
#define LECTERN_MODEL_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct builder_options {
  const char *arch;
  uint32_t n_layers, n_embd, n_heads, n_kv_heads, head_dim, n_ff, n_vocab, context_tokens;
  float rope_base;
  bool tied, rope_factors;
  const char *rope_scaling; /* NULL: the key is left out */
  float rope_factor;
  uint32_t original_context;
  uint32_t window;       /* sliding window of all layers; 0: none */
  uint32_t pooling;      /* encoders */
  uint32_t n_labels;     /* encoders: a classifier of so many labels behind a tanh layer */
  uint32_t n_dense;      /* encoders: heads that widen the vector to this and halve it again */
  const char *template;  /* tokenizer.chat_template.rerank; NULL: the key is left out */
  bool vocabulary;       /* a WordPiece vocabulary of letters (n_vocab must be at least 60) */
  const char *without;   /* leaves this tensor out */
  const char *misshapen; /* gives this tensor one row (or item) too many */
  const char *extra;     /* adds a tensor of this name */
  bool f16;              /* matrices as F16; the named arrays hold the rounded values */
  uint64_t seed;
};

struct builder_tensor {
  char name[64];
  uint32_t n_cols, n_rows; /* n_rows 0: a vector */
  float *values;
};

struct builder_model {
  struct builder_options options;
  struct builder_tensor *tensors;
  size_t n_tensors;
  char *path; /* of the GGUF, in the temporary folder */
};

/* Makes the model and writes its file. Aborts on failure. */
struct builder_model *builder_model_new (const struct builder_options *options);
/* Removes the file as well. */
void builder_model_free (struct builder_model *model);

/* The values of a tensor; NULL if the model does not have it. */
const float *builder_model_get (const struct builder_model *model, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* Reproducible noise: uniform in [-1, 1). */
float builder_random (uint64_t *state);

#endif
