/* history.h: causal depthwise convolution over the tokens of a text, whose last inputs are kept from batch to batch. Before
 * a text's first token there are zeros, whatever else is in the batch. */
#ifndef LECTERN_HISTORY_H
#define LECTERN_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/* A batch's inputs rows[n_rows][stride], of which the first n_channels of each row count, and the n_taps - 1 inputs
 * before it: before[n_taps - 1][n_channels]. */
struct history {
  const float *rows;
  size_t stride;
  const uint32_t *positions; /* [n_rows] of the rows in their texts */
  float *before;
  uint32_t n_rows, n_channels, n_taps;
};

/* out[c] = sum over k of taps[c][k] * the input of n_taps - 1 - k rows before `row`. */
void history_convolve (const struct history *history, const float *taps, uint32_t row, float *out);

/* Lets `before` hold the last n_taps - 1 inputs. */
void history_advance (const struct history *history);

#endif
