/* portable_rows.c: rows of activations in vectors of 4. */
#define LANES 4
#define ROW_KERNELS row_kernels_c
#include "engine/kernels/row_vectors.h"
