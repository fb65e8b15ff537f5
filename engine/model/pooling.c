/* pooling.c: from the vectors of a text's tokens to one vector (Reimers and Gurevych, arXiv 1908.10084) or one score. */
#include "engine/model/encoder.h"
#include "engine/model/ops.h"
#include <math.h>
#include <string.h>

void encoder_pool (struct engine_encoder *encoder, const struct sequence *text)
{
  const struct model_shape *shape = &encoder->forward.model->shape;
  const size_t n_embd = shape->n_embd, n = text->n_rows;
  const float *x = encoder->buffers.x + text->first_row * n_embd;
  switch (shape->pooling) {
  case POOLING_CLS: memcpy (encoder->pooled, x, n_embd * sizeof *x); break;
  case POOLING_LAST: memcpy (encoder->pooled, x + (n - 1) * n_embd, n_embd * sizeof *x); break;
  case POOLING_MEAN:
    memset (encoder->pooled, 0, n_embd * sizeof *x);
    for (size_t row = 0; row < n; row++)
      add (encoder->pooled, x + row * n_embd, n_embd);
    scale (encoder->pooled, 1 / (float)n, n_embd);
    break;
  }
}

/* out = w in + bias; a head without the matrix passes `in` through. */
static const float *project (struct engine_encoder *encoder, const struct matrix *w, const float *bias, const float *in,
                             float *out)
{
  const struct forward *forward = &encoder->forward;
  if (!w->data)
    return in;
  matmul (forward->pool, w, in, w->n_cols, 1, out, w->n_rows, forward->exact, encoder->head_scratch, forward->cancel);
  if (bias)
    add (out, bias, w->n_rows);
  return out;
}

const float *encoder_run_dense (struct engine_encoder *encoder)
{
  const struct model_weights *weights = &encoder->forward.model->weights;
  const float *inner = project (encoder, &weights->dense_in, weights->dense_in_bias, encoder->pooled, encoder->head);
  return project (encoder, &weights->dense_out, NULL, inner, encoder->out);
}

/* The probability of the first of n labels. */
static float soften (const float *logits, uint32_t n)
{
  float best = logits[0], total = 0;
  for (uint32_t i = 1; i < n; i++)
    best = fmaxf (best, logits[i]);
  for (uint32_t i = 0; i < n; i++)
    total += expf (logits[i] - best);
  return expf (logits[0] - best) / total;
}

float encoder_run_classifier (struct engine_encoder *encoder)
{
  const struct engine_model *model = encoder->forward.model;
  const struct model_weights *weights = &model->weights;
  const struct model_shape *shape = &model->shape;
  const float *inner = encoder->pooled;
  if (weights->classifier.data) {
    inner = project (encoder, &weights->classifier, weights->classifier_bias, inner, encoder->head);
    activate (shape->classifier_activation, encoder->head, shape->n_classifier);
    if (weights->classifier_norm.weight)
      layer_norm (inner, weights->classifier_norm.weight, weights->classifier_norm.bias, shape->n_classifier,
                  shape->norm_epsilon, encoder->head);
  }
  const float *logits = project (encoder, &weights->labels, weights->labels_bias, inner, encoder->out);
  return model->arch->flags & ARCH_LABELS_SOFTMAX && shape->n_labels > 1 ? soften (logits, shape->n_labels) : logits[0];
}
