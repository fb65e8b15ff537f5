/* forward.h: the forward pass through the layers of any family: what decoders and encoders share.
 *
 * A layer is a mixer (attention, short convolution or state space) and a feed-forward net (dense or experts), each with
 * its norms and its residual sum. Which of them a layer has is in its layer_shape and in which of its layer_weights are
 * not NULL; nothing here asks for a family. Nothing here allocates. */
#ifndef LECTERN_FORWARD_H
#define LECTERN_FORWARD_H

#include "engine/adapter/adapter_set.h"
#include "engine/model/arena.h"
#include "engine/model/kv_cache.h"

/* The feed-forward net runs over blocks of tokens, so that long texts stay affordable. */
#define FORWARD_FFN_TOKENS 512

/* Work memory for batches of at most n_tokens, and n_rows of what stays from layer to layer. What a model does not need is
 * NULL. */
struct forward_buffers {
  uint32_t n_tokens;
  uint32_t *positions;          /* [n_rows]: of each row in its text */
  float *x;                     /* [n_rows][embd]: the residual stream */
  float *h, *y;                 /* [n_tokens][embd]: what goes into a mixer or net, and what comes out */
  float *q, *attended;          /* [n_tokens][n_heads * head_dim] */
  float *k, *v;                 /* [n_tokens][KV] */
  float *wide;                  /* [n_tokens][3 embd or 2 inner]: what a convolution or state-space layer projects to */
  float *inner;                 /* [n_tokens][embd or inner] */
  float *select, *dt;           /* [n_tokens][dt + 2 state], [n_tokens][inner] */
  float *gate, *up;             /* [FORWARD_FFN_TOKENS][ff] */
  float *gathered, *expert_out; /* [FORWARD_FFN_TOKENS][embd]: one expert's tokens */
  float *router;                /* [FORWARD_FFN_TOKENS][experts] */
  uint16_t *experts;            /* [FORWARD_FFN_TOKENS][experts used] */
  float *expert_weights;        /* the same shape */
  uint32_t *expert_rows;        /* [FORWARD_FFN_TOKENS]: the tokens of the expert under way */
  float *cosines[ROPE_N_TABLES], *sines[ROPE_N_TABLES]; /* [n_rows][rope pairs] */
  void *matmul_scratch;
};

/* Takes the buffers from the arena; with a counting arena only their size comes out. */
struct forward_buffers forward_take_buffers (const struct engine_model *model, uint32_t n_tokens, uint32_t n_rows,
                                             struct arena *arena);

struct forward {
  const struct engine_model *model;
  struct pool *pool;
  struct kv_cache cache;
  bool cache_is_shared; /* the cache holds one layer, which all use in turn: nothing is kept (encoders) */
  float *state; /* [n_state_all] recurrent state after the tokens before the batch; afterwards that of its last text */
  const struct rope *ropes[ROPE_N_TABLES]; /* of this context length */
  struct adapter_set *adapters;            /* NULL: none */
  struct forward_buffers buffers;
  bool exact;
  const atomic_bool *cancel;

  /* The batch under way. */
  const int32_t *ids;
  const struct sequence *sequences; /* [n_sequences] its texts */
  uint32_t n_sequences;
  struct sequence whole;       /* what `sequences` are when the batch is of one text */
  uint32_t n_tokens, position; /* position of its first token in the cache */
  uint32_t first_row;          /* rows before it are not needed any further (a decoder's last layer computes one row) */
  const struct layer_shape *shape;
  const struct layer_weights *layer;
  const struct layer_weights *unclosed; /* the layer whose net's output, in y, x still lacks; NULL: none */
  struct kv_layer kv;
};

static inline bool forward_is_cancelled (const struct forward *forward)
{
  return forward->cancel && atomic_load_explicit (forward->cancel, memory_order_relaxed);
}

/* Begins a batch of one text: its n_tokens from `position` on. */
void forward_begin (struct forward *forward, uint32_t n_tokens, uint32_t position);

/* The same, and x becomes the (scaled) token embeddings, the rotary angles are made. */
void forward_embed (struct forward *forward, const int32_t *ids, uint32_t n_tokens, uint32_t position);

/* Begins a batch of several whole texts, which are not padded: `sequences` cover ids[n_tokens] in order, each at position
 * 0, and are borrowed until the next batch. Every text comes out as by itself, to the bit. */
void forward_embed_texts (struct forward *forward, const int32_t *ids, const struct sequence *sequences,
                          uint32_t n_sequences);

/* Runs layer `index` over the batch: rows from first_row on come out in x; keys, values and states of all rows are kept. */
void forward_run_layer (struct forward *forward, uint32_t index);

/* Completes x after a layer, with the output of its net, for rows from first_row on: where another batch comes before the
 * next layer. Otherwise that layer does it. */
void forward_close_layer (struct forward *forward);

/* Completes x after the last layer: the output of its net and the norm over it, for rows from first_row on. */
void forward_finish (struct forward *forward);

/* ---- steps, for the files of this folder ----------------------------------------------------------------- */

/* out[t * out_stride + r] = w * in[t * in_stride], with what the adapters add, for n rows t. */
void forward_multiply (const struct forward *forward, const struct matrix *w, const float *in, size_t in_stride,
                       uint32_t n, float *out, size_t out_stride);
/* Several such products at once, for which `call` lacks only what is the forward pass's own. With adapters, outputs are not
 * combined before these have been added. */
void forward_multiply_all (const struct forward *forward, struct matmul *call);
/* out[from first_row on] = w * in */
void forward_project (struct forward *forward, const struct matrix *w, const float *in, float *out, uint32_t first_row);
/* The first product of a mixer: out = w * h of all rows, where h is what forward_prepare_mixer() makes of x. */
void forward_project_first (struct forward *forward, const struct matrix *w, float *out);
/* As matmul's `prepare`, with the forward pass as data: completes x of a row and makes h of it. */
void forward_prepare_mixer (void *forward, uint32_t row);
void forward_prepare_ffn (struct forward *forward, uint32_t row);
void forward_norm (const struct forward *forward, const struct norm *norm, const float *x, float *out);

/* Mixers: from x to y, by way of h. */
void forward_attend (struct forward *forward);
void forward_convolve (struct forward *forward);
void forward_scan (struct forward *forward);
/* Feed-forward nets: from x and the mixer's y to the net's y, by way of h, for rows [first, first + n),
 * n <= FORWARD_FFN_TOKENS. */
void forward_run_dense (struct forward *forward, uint32_t first, uint32_t n);
void forward_run_experts (struct forward *forward, uint32_t first, uint32_t n);

#endif
