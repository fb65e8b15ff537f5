/* encoder_batch.c: texts through an encoder (BERT, arXiv 1810.04805, and what came after it), or through a decoder whose
 * last token stands for the text.
 *
 * Short texts share a batch without padding, as matrix products over few tokens waste the machine. A long text of a model
 * that looks back only goes through each layer piece by piece, so that its memory is little more than the residual stream
 * and the keys and values of one layer. Either way a text's numbers are those that it has by itself, to the bit. */
#include "engine/error.h"
#include "engine/model/encoder.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <stdlib.h>
#include <string.h>

/* ---- forward pass ---------------------------------------------------------------------------------------- */

/* What BERT adds to the embeddings of the tokens: those of their positions and of their type, and a norm. */
static void embed_row (void *data, uint32_t row)
{
  const struct engine_encoder *encoder = data;
  const struct forward *forward = &encoder->forward;
  const struct model_weights *weights = &forward->model->weights;
  size_t n_embd = forward->model->shape.n_embd;
  float *x = forward->buffers.x + row * n_embd, *scratch = forward->buffers.h + row * n_embd;
  if (weights->position_embd.data) {
    matrix_get_row (&weights->position_embd, forward->buffers.positions[row], scratch);
    add (x, scratch, n_embd);
  }
  if (weights->token_types.data) {
    uint32_t type = encoder->batch.types[forward->position + row];
    matrix_get_row (&weights->token_types, type < weights->token_types.n_rows ? type : 0, scratch);
    add (x, scratch, n_embd);
  }
  if (weights->embd_norm.weight)
    forward_norm (forward, &weights->embd_norm, x, x);
}

/* The batch as a whole. */
static void run_texts (struct engine_encoder *encoder)
{
  struct forward *forward = &encoder->forward;
  const struct model_shape *shape = &forward->model->shape;
  const struct encoder_batch *batch = &encoder->batch;
  forward_embed_texts (forward, batch->tokens.ids, batch->sequences, batch->n_texts);
  rows_run (forward->pool, forward->n_tokens, embed_row, encoder);
  for (uint32_t i = 0; i < shape->n_layers && !forward_is_cancelled (forward); i++) {
    if (i + 1 == shape->n_layers && shape->pooling == POOLING_LAST && batch->n_texts == 1)
      forward->first_row = forward->n_tokens - 1; /* only that token is looked at afterwards */
    forward_run_layer (forward, i);
  }
  forward_finish (forward);
}

/* Lets the layers work on n rows from `first` on. */
static void choose_rows (struct engine_encoder *encoder, uint32_t first, uint32_t n)
{
  struct forward *forward = &encoder->forward;
  struct forward_buffers *buffers = &forward->buffers;
  *buffers = encoder->buffers;
  buffers->positions += first;
  buffers->x += (size_t)first * forward->model->shape.n_embd;
  for (size_t i = 0; i < ROPE_N_TABLES; i++)
    if (buffers->cosines[i]) {
      buffers->cosines[i] += (size_t)first * forward->model->n_rope_pairs;
      buffers->sines[i] += (size_t)first * forward->model->n_rope_pairs;
    }
  forward_begin (forward, n, first);
}

static void embed_piece (struct engine_encoder *encoder, uint32_t first, uint32_t n)
{
  choose_rows (encoder, first, n);
  forward_embed (&encoder->forward, encoder->batch.tokens.ids + first, n, first);
  rows_run (encoder->forward.pool, n, embed_row, encoder);
}

/* One text, in pieces of as many tokens as the buffers hold. */
static void run_pieces (struct engine_encoder *encoder)
{
  struct forward *forward = &encoder->forward;
  const struct model_shape *shape = &forward->model->shape;
  const uint32_t n = (uint32_t)encoder->batch.tokens.n, most = encoder->buffers.n_tokens;
  for (uint32_t first = 0; first < n; first += most)
    embed_piece (encoder, first, n - first < most ? n - first : most);
  for (uint32_t i = 0; i < shape->n_layers; i++)
    for (uint32_t first = 0; first < n && !forward_is_cancelled (forward); first += most) {
      choose_rows (encoder, first, n - first < most ? n - first : most);
      if (i + 1 == shape->n_layers && shape->pooling == POOLING_LAST) /* of the pieces before, keys and values are */
        forward->first_row = n - first <= most ? forward->n_tokens - 1 : forward->n_tokens;
      forward_run_layer (forward, i);
      forward_close_layer (forward);
    }
  const uint32_t first_row = shape->pooling == POOLING_LAST ? n - 1 : 0;
  choose_rows (encoder, 0, n);
  forward->first_row = first_row;
  forward_finish (forward);
}

/* ---- batches --------------------------------------------------------------------------------------------- */

static int run (struct engine_encoder *encoder, struct encoder_job *job, struct engine_error *error)
{
  struct encoder_batch *batch = &encoder->batch;
  const uint32_t n_tokens = (uint32_t)batch->tokens.n;
  int status = encoder_reserve (encoder, n_tokens, error);
  if (status != ENGINE_OK)
    return status;
  encoder->forward.buffers = encoder->buffers;
  if (n_tokens <= encoder->buffers.n_tokens)
    run_texts (encoder);
  else
    run_pieces (encoder);
  for (uint32_t i = 0; i < batch->n_texts && !forward_is_cancelled (&encoder->forward); i++) {
    encoder_pool (encoder, &batch->sequences[i]);
    job->finish (encoder, job->out);
    job->out += job->width;
  }
  encoder_begin (encoder);
  if (atomic_exchange (&encoder->cancel, false))
    return engine_error_set (error, ENGINE_ERROR_CANCELLED, "Reading the texts was cancelled.");
  return ENGINE_OK;
}

void encoder_begin (struct engine_encoder *encoder)
{
  encoder->batch.n_texts = 0;
  encoder->batch.tokens.n = 0;
}

static int check_tokens (const struct engine_encoder *encoder, struct engine_error *error)
{
  const struct engine_tokens *tokens = &encoder->tokens;
  for (size_t i = 0; i < tokens->n; i++)
    if (tokens->ids[i] < 0 || (uint32_t)tokens->ids[i] >= encoder->forward.model->shape.n_vocab)
      return engine_error_set (error, ENGINE_ERROR_FORMAT,
                               "The tokenizer gives the token %d, which the model does not have.", tokens->ids[i]);
  return ENGINE_OK;
}

/* Makes room for n tokens in all. */
static bool grow (struct encoder_batch *batch, size_t n)
{
  if (n > batch->types_capacity) {
    uint8_t *types = realloc (batch->types, n);
    if (!types)
      return false;
    batch->types = types;
    batch->types_capacity = n;
  }
  if (n > batch->tokens.capacity) {
    int32_t *ids = realloc (batch->tokens.ids, n * sizeof *ids);
    if (!ids)
      return false;
    batch->tokens.ids = ids;
    batch->tokens.capacity = n;
  }
  return true;
}

int encoder_add (struct engine_encoder *encoder, struct encoder_job *job, struct engine_error *error)
{
  struct encoder_batch *batch = &encoder->batch;
  const size_t n = encoder->tokens.n;
  int status = check_tokens (encoder, error);
  if (status == ENGINE_OK && batch->n_texts > 0
      && (batch->n_texts == ENCODER_BATCH_TEXTS || batch->tokens.n + n > ENCODER_BATCH_TOKENS))
    status = run (encoder, job, error);
  if (status != ENGINE_OK)
    return status;
  const size_t before = batch->tokens.n, n_room = before + n < ENCODER_BATCH_TOKENS ? ENCODER_BATCH_TOKENS : before + n;
  if (!grow (batch, n_room))
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a text.");
  memcpy (batch->tokens.ids + before, encoder->tokens.ids, n * sizeof *batch->tokens.ids);
  if (encoder->use_types)
    memcpy (batch->types + before, encoder->types, n);
  else
    memset (batch->types + before, 0, n);
  batch->tokens.n += n;
  batch->sequences[batch->n_texts++] = (struct sequence){ .first_row = (uint32_t)before, .n_rows = (uint32_t)n };
  return ENGINE_OK;
}

int encoder_finish (struct engine_encoder *encoder, struct encoder_job *job, struct engine_error *error)
{
  return encoder->batch.n_texts > 0 ? run (encoder, job, error) : ENGINE_OK;
}
