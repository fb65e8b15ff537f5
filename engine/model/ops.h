/* ops.h: what happens to one token's activations between the matrix products. All F32; nothing allocates. */
#ifndef LECTERN_OPS_H
#define LECTERN_OPS_H

#include "engine/model/model.h"

/* out = x / rms (x) * weight; out may be x. weight NULL: ones. */
void rms_norm (const float *x, const float *weight, size_t n, float epsilon, float *out);
/* out = (x - mean) / deviation * weight + bias; out may be x. bias NULL: none. */
void layer_norm (const float *x, const float *weight, const float *bias, size_t n, float epsilon, float *out);

/* y += x */
void add (float *y, const float *x, size_t n);
/* y += factor * x */
void add_scaled (float *y, float factor, const float *x, size_t n);
/* y *= x */
void multiply (float *y, const float *x, size_t n);
/* x *= factor; nothing happens when it is 1 */
void scale (float *x, float factor, size_t n);
/* x = factor * tanh (x / factor) */
void soft_cap (float *x, float factor, size_t n);
/* x = silu (x) = x sigmoid (x); x (1 + erf (x / sqrt 2)) / 2 to 4e-7; the latter's approximation by tanh; or tanh. */
void activate (enum activation activation, float *x, size_t n);
/* Divides by the Euclidean length; the zero vector stays. */
void l2_normalize (float *x, size_t n);

/* Cosines and sines of one position, [n_pairs] each. */
void rope_angles (const struct rope *rope, uint32_t position, float *cosines, float *sines);
/* Turns the first 2 * n_pairs dimensions of each of the n_heads heads in x[n_heads][head_dim]. */
void rope_apply (const struct rope *rope, const float *cosines, const float *sines, float *x, uint32_t n_heads,
                 uint32_t head_dim);

#endif
