#include "engine/model/decoder.h"
#include "engine/model/ops.h"

/* Logits of the rows from first_row on. */
static void run_head (struct forward *forward, float *logits)
{
  const struct engine_model *model = forward->model;
  const struct model_shape *shape = &model->shape;
  const uint32_t n_rows = forward->n_tokens - forward->first_row;
  forward_finish (forward);
  forward_multiply (forward, &model->weights.output, forward->buffers.x + (size_t)forward->first_row * shape->n_embd,
                    shape->n_embd, n_rows, logits, shape->n_vocab);
  for (uint32_t i = 0; i < n_rows; i++, logits += shape->n_vocab) {
    if (model->weights.output_bias)
      add (logits, model->weights.output_bias, shape->n_vocab);
    scale (logits, shape->logit_scale, shape->n_vocab);
    if (shape->logit_softcap > 0)
      soft_cap (logits, shape->logit_softcap, shape->n_vocab);
  }
}

bool decoder_evaluate (struct forward *forward, const int32_t *ids, uint32_t n_tokens, uint32_t position,
                       uint32_t n_logits, float *logits)
{
  const uint32_t n_layers = forward->model->shape.n_layers;
  forward_embed (forward, ids, n_tokens, position);
  for (uint32_t i = 0; i < n_layers; i++) {
    if (i + 1 == n_layers) /* the last layer computes no more than what the head needs */
      forward->first_row = n_tokens - n_logits;
    forward_run_layer (forward, i);
    if (forward_is_cancelled (forward))
      return false;
  }
  if (n_logits > 0)
    run_head (forward, logits);
  return !forward_is_cancelled (forward);
}
