/* encoder.h: what the files about encoders and rerankers share: one text at a time through a network, and what its
 * tokens' vectors become. */
#ifndef LECTERN_ENCODER_H
#define LECTERN_ENCODER_H

#include "engine/model/forward.h"

struct engine_encoder {
  struct forward forward;
  uint32_t dimensions;         /* of the vectors that are handed out */
  struct engine_tokens tokens; /* of the text under way */
  uint8_t *types;              /* [n_types_capacity] their token types; where use_types is false all are 0 */
  size_t n_types_capacity;
  bool use_types;
  /* Memory grows with the texts: room for `forward.buffers.n_tokens` tokens. */
  void *memory;
  float *pooled;      /* [embd] */
  float *head, *out;  /* [the largest size of a vector in the heads] */
  void *head_scratch; /* for matmul() */
  atomic_bool cancel;
};

/* Room for a text of n_tokens, at most the model's context. On failure the encoder holds no memory but stays usable. */
int encoder_reserve (struct engine_encoder *encoder, uint32_t n_tokens, struct engine_error *error);

/* Pooling and what follows it, see pooling.c: from the tokens' vectors in forward.buffers.x to encoder->pooled ... */
void encoder_pool (struct engine_encoder *encoder);
/* ... and from there to the text's vector, of n_vector numbers, or its score. Undefined when cancelled. */
const float *encoder_run_dense (struct engine_encoder *encoder);
float encoder_run_classifier (struct engine_encoder *encoder);

/* Runs encoder->tokens, at least one and at most the context, through the network and pools them. The network looks at
 * encoder->cancel, which stays as it is. */
int encoder_run (struct engine_encoder *encoder, struct engine_error *error);

/* CANCELLED, once, when that was asked for. */
int encoder_check_cancel (struct engine_encoder *encoder, struct engine_error *error);

#endif
