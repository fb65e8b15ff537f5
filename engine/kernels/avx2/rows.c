/* rows.c: rows of activations in vectors of 8. */
#define LANES 8
#define ROW_KERNELS row_kernels_avx2
#include "engine/kernels/row_vectors.h"
