/* matmul.h: weight matrix times activations, the engine's one hot operation, and the thread pool it runs on. */
#ifndef LECTERN_MATMUL_H
#define LECTERN_MATMUL_H

#include "engine/gguf/tensor_type.h"
#include <stdatomic.h>

/* ---- thread pool ----------------------------------------------------------------------------------------- */

struct pool;

/* n_threads >= 1 counts the calling thread. NULL if threads cannot be made. Nothing spins while idle. */
struct pool *pool_new (int n_threads);
void pool_free (struct pool *pool);
int pool_get_n_threads (const struct pool *pool);

/* Runs work(data, i) once for each part i in [0, n_parts) on the pool's threads, the caller included, and returns when
 * all are done. Parts are handed out in order. One caller at a time. n_parts < 2^32 - 1. */
void pool_run (struct pool *pool, size_t n_parts, void (*work) (void *data, size_t part), void *data);

/* ---- matrix product -------------------------------------------------------------------------------------- */

/* A linear layer's weights: n_rows rows of n_cols, packed as the file holds them. */
struct matrix {
  const void *data;
  enum tensor_type type;
  uint32_t n_rows, n_cols;
};

/* Bytes of scratch that matmul() needs for at most n_tokens activations of n_cols. Its alignment does not matter. */
size_t matmul_scratch_bytes (uint32_t n_cols, uint32_t n_tokens);

enum { MATMUL_OUTPUTS_MAX = 4 };

/* out[t * out_stride + r] = sum over c of w[r][c] * x[t * x_stride + c], for t < n_tokens, r < w->n_rows. */
struct matmul_output {
  const struct matrix *w;
  float *out;
  size_t out_stride;
};

/* Products of one or more matrices, all with the same number of columns, and the same activations. Nothing is owned. */
struct matmul {
  const float *x;
  size_t x_stride;
  uint32_t n_tokens;
  struct matmul_output outputs[MATMUL_OUTPUTS_MAX]; /* x and out must not overlap */
  uint32_t n_outputs;

  /* NULL, or what makes x of a token; called once for each before it is read, on the pool's threads. */
  void (*prepare) (void *data, uint32_t token);
  /* NULL, or what becomes of two outputs of the same shape, called with tiles of them: [n_tokens][stride] of which n rows
   * from `row` on count. It leaves the result in `second`; the first output's `out` is work memory. */
  void (*combine) (void *data, float *first, float *second, size_t stride, uint32_t n_tokens, uint32_t row, uint32_t n);
  void *data; /* of both */

  bool exact;
  void *scratch;             /* matmul_scratch_bytes() */
  const atomic_bool *cancel; /* may be NULL */
};

/* Unless `exact`, activations are rounded to the type's companion (int8 blocks for quantised weights; F32 for F32, F16 and
 * BF16 weights). A token's results do not depend on the other tokens of the call, nor on the number of threads: prefill
 * and decode give the same bits. `cancel` is looked at between strips: when it turns true the call returns early and the
 * outputs are undefined. Types must be ones that run and the number of columns a multiple of their blocks. Besides scratch
 * it needs about 150 KB of stack. */
void matmul_run (struct pool *pool, const struct matmul *call);

/* What remains of a call whose outputs are there but were not combined, as more was to be added to them: their combination,
 * a token at a time. */
void matmul_combine (struct pool *pool, const struct matmul *call);

/* One matrix. */
void matmul (struct pool *pool, const struct matrix *w, const float *x, size_t x_stride, uint32_t n_tokens, float *out,
             size_t out_stride, bool exact, void *scratch, const atomic_bool *cancel);

/* Fills out[n_cols] with row `row` as F32 (embedding lookup). */
void matrix_get_row (const struct matrix *w, uint32_t row, float *out);

/* Name of the path chosen at run time. */
const char *kernels_get_path (void);

/* F32 helpers on the same paths. */
float dot_f32 (const float *a, const float *b, size_t n);
void f32_to_f16 (const float *x, uint16_t *y, size_t n);
void f16_to_f32 (const uint16_t *x, float *y, size_t n);
/* Q8_0 blocks, as the type of that name has them; n is a multiple of 32. */
void f32_to_q8_0 (const float *x, uint8_t *y, size_t n);
void q8_0_to_f32 (const uint8_t *x, float *y, size_t n);

#endif
