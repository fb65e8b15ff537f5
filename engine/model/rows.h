/* rows.h: the same step for every token of a batch, spread over the pool when the batch is worth it. */
#ifndef LECTERN_ROWS_H
#define LECTERN_ROWS_H

#include "engine/kernels/matmul.h"

/* Runs step(data, row) for each row in [0, n_rows); rows must be independent. */
void rows_run (struct pool *pool, uint32_t n_rows, void (*step) (void *data, uint32_t row), void *data);

#endif
