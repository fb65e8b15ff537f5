/* unsigned_small.h: panels for `vpdpbusd` of weights in blocks of 32: the weights made unsigned, w + offset. The paths that
 * have the instruction include it. */
#ifndef LECTERN_KERNELS_UNSIGNED_SMALL_H
#define LECTERN_KERNELS_UNSIGNED_SMALL_H

#include "engine/kernels/avx2/load_small.h"

static const struct small_layout {
  int offset; /* makes the weights unsigned */
  int added;  /* of it, what unpack_small() leaves to be added */
} small_layouts[TENSOR_N_TYPES] = {
  [TENSOR_Q4_0] = { 8, 0 },     [TENSOR_Q4_1] = { 0, 0 },       [TENSOR_Q5_0] = { 16, 0 },     [TENSOR_Q5_1] = { 0, 0 },
  [TENSOR_Q8_0] = { 128, 128 }, [TENSOR_IQ4_NL] = { 128, 128 }, [TENSOR_MXFP4] = { 128, 128 },
};

struct small_panel {
  struct small_columns {
    uint8_t q[8][PANEL_ROWS][4]; /* four columns of each row */
    float d[PANEL_ROWS], m[PANEL_ROWS];
  } block[PANEL_COLS / 32];
};

_Static_assert(sizeof (struct small_panel) <= PANEL_BYTES_MAX, "a panel fits");

INLINE void pack_small (enum tensor_type type, const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items,
                        const uint8_t *next, uint8_t *panel)
{
  const __m256i offset = _mm256_set1_epi8 ((char)small_layouts[type].added);
  struct small_columns *block = ((struct small_panel *)panel)->block;
  for (; n_items >= 32; n_items -= 32, w += small_block_bytes[type], block++)
    for (size_t first = 0; first < PANEL_ROWS; first += 8) {
      __m256i rows[8];
      for (size_t r = 0; r < 8; r++) {
        const uint8_t *from = w + (first + r < n_rows ? first + r : 0) * row_bytes;
        fetch (next, small_block_bytes[type]);
        next += small_block_bytes[type];
        rows[r] = _mm256_add_epi8 (unpack_small (type, from), offset);
        block->d[first + r] = load_scale (type, from);
        if (small_has_minimum[type])
          block->m[first + r] = load_f16_fast (from + 2);
      }
      scatter_dwords (rows, block->q, first);
    }
}

#endif
