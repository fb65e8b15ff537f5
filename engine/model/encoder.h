/* encoder.h: what the files about encoders and rerankers share: batches of texts through a network, and what their tokens'
 * vectors become. */
#ifndef LECTERN_ENCODER_H
#define LECTERN_ENCODER_H

#include "engine/model/forward.h"

#define ENCODER_BATCH_TOKENS 1024 /* texts share a batch up to so many; a longer one has it for itself */
#define ENCODER_BATCH_TEXTS 128

/* Texts that run together, one after the other in `tokens`. */
struct encoder_batch {
  struct engine_tokens tokens;
  uint8_t *types; /* [types_capacity] the tokens' types */
  size_t types_capacity;
  struct sequence sequences[ENCODER_BATCH_TEXTS];
  uint32_t n_texts;
};

struct engine_encoder {
  struct forward forward;
  uint32_t dimensions;         /* of the vectors that are handed out */
  struct engine_tokens tokens; /* of the text that is being read */
  uint8_t *types;              /* [n_types_capacity] their types; where use_types is false all are 0 */
  size_t n_types_capacity;
  bool use_types;
  struct encoder_batch batch;
  /* Memory grows with the batches: room for n_reserved tokens. */
  void *memory;
  uint32_t n_reserved;
  struct forward_buffers buffers; /* of all rows; those of `forward` begin at the rows under way */
  float *pooled;                  /* [embd] */
  float *head, *out;              /* [the largest size of a vector in the heads] */
  void *head_scratch;             /* for matmul() */
  atomic_bool cancel;
};

/* Where the results of texts go: out[width] of each, in the order in which the texts were added. */
struct encoder_job {
  void (*finish) (struct engine_encoder *encoder, float *out); /* from encoder->pooled; undefined when cancelled */
  float *out;                                                  /* of the text that is the next to be finished */
  size_t width;
};

/* Room for a batch of n_tokens, at most the model's context or ENCODER_BATCH_TOKENS. On failure the encoder holds no memory
 * but stays usable. */
int encoder_reserve (struct engine_encoder *encoder, uint32_t n_tokens, struct engine_error *error);

/* Forgets the batch: that of a call that failed. */
void encoder_begin (struct engine_encoder *encoder);
/* Adds encoder->tokens, at least one and at most the context, to the batch. Where there is no room, the texts before run
 * first. CANCELLED, once, when that was asked for. */
int encoder_add (struct engine_encoder *encoder, struct encoder_job *job, struct engine_error *error);
/* Runs what is left. */
int encoder_finish (struct engine_encoder *encoder, struct encoder_job *job, struct engine_error *error);

/* Pooling and what follows it, see pooling.c: from the vectors of one text's tokens to encoder->pooled ... */
void encoder_pool (struct engine_encoder *encoder, const struct sequence *text);
/* ... and from there to the text's vector, of n_vector numbers, or its score. Undefined when cancelled. */
const float *encoder_run_dense (struct engine_encoder *encoder);
float encoder_run_classifier (struct engine_encoder *encoder);

#endif
