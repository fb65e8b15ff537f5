/* rows.c: rows of activations in vectors of 16. */
#define LANES 16
#define ROW_KERNELS row_kernels_avx512
#include "engine/kernels/row_vectors.h"
