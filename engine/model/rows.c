#include "engine/model/rows.h"

#define ROWS_PER_PART 8

struct rows {
  uint32_t n_rows;
  void (*step) (void *data, uint32_t row);
  void *data;
};

static void run_part (void *data, size_t part)
{
  const struct rows *rows = data;
  uint32_t first = (uint32_t)part * ROWS_PER_PART;
  for (uint32_t row = first; row < rows->n_rows && row < first + ROWS_PER_PART; row++)
    rows->step (rows->data, row);
}

void rows_run (struct pool *pool, uint32_t n_rows, void (*step) (void *data, uint32_t row), void *data)
{
  struct rows rows = { n_rows, step, data };
  size_t n_parts = (n_rows + ROWS_PER_PART - 1) / ROWS_PER_PART;
  if (n_parts > 1)
    pool_run (pool, n_parts, run_part, &rows);
  else
    run_part (&rows, 0);
}
