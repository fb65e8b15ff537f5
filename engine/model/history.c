#include "engine/model/history.h"
#include <string.h>

/* The input `back` rows before `row`; NULL before the text begins. */
static const float *input_of (const struct history *history, uint32_t row, uint32_t back)
{
  if (back > history->positions[row])
    return NULL;
  if (back <= row)
    return history->rows + (row - back) * history->stride;
  return history->before + (size_t)(history->n_taps - 1 - (back - row)) * history->n_channels;
}

void history_convolve (const struct history *history, const float *taps, uint32_t row, float *out)
{
  const uint32_t n_taps = history->n_taps;
  memset (out, 0, history->n_channels * sizeof *out);
  for (uint32_t k = 0; k < n_taps; k++) {
    const float *in = input_of (history, row, n_taps - 1 - k);
    for (uint32_t c = 0; in && c < history->n_channels; c++)
      out[c] += taps[(size_t)c * n_taps + k] * in[c];
  }
}

void history_advance (const struct history *history)
{
  const uint32_t n_kept = history->n_taps - 1;
  for (uint32_t i = 0; i < n_kept; i++) {
    float *to = history->before + (size_t)i * history->n_channels;
    const float *in = input_of (history, history->n_rows - 1, n_kept - 1 - i);
    if (in)
      memmove (to, in, history->n_channels * sizeof *to);
    else
      memset (to, 0, history->n_channels * sizeof *to);
  }
}
