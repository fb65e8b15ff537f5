/* row_kernels.h: what happens to a row of activations between the matrix products. */
#ifndef LECTERN_ROW_KERNELS_H
#define LECTERN_ROW_KERNELS_H

#include <stddef.h>

/* Rows of any length and alignment; model/ops.h says what each does. Every path gives the same bits. */
struct row_kernels {
  void (*silu) (float *x, size_t n);
  void (*gelu_erf) (float *x, size_t n);
  void (*gelu_tanh) (float *x, size_t n);
  void (*rms_norm) (const float *x, const float *weight, size_t n, float epsilon, float *out);
  void (*layer_norm) (const float *x, const float *weight, const float *bias, size_t n, float epsilon, float *out);
  void (*add) (float *y, const float *x, size_t n);
  void (*add_scaled) (float *y, float factor, const float *x, size_t n);
  void (*multiply) (float *y, const float *x, size_t n);
  void (*scale) (float *x, float factor, size_t n);
};

/* Of the path in use. */
const struct row_kernels *row_kernels_get (void);

/* Of each path, for its table. */
extern const struct row_kernels row_kernels_c, row_kernels_avx2, row_kernels_avx512;

#endif
