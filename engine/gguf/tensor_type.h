/* tensor_type.h: the table of tensor element types (ggml's numbering): one row each, sizes asserted. */
#ifndef LECTERN_TENSOR_TYPE_H
#define LECTERN_TENSOR_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tensor_type {
  TENSOR_F32 = 0, TENSOR_F16 = 1, TENSOR_Q4_0 = 2, TENSOR_Q4_1 = 3, TENSOR_Q5_0 = 6, TENSOR_Q5_1 = 7, TENSOR_Q8_0 = 8,
  TENSOR_Q8_1 = 9, TENSOR_Q2_K = 10, TENSOR_Q3_K = 11, TENSOR_Q4_K = 12, TENSOR_Q5_K = 13, TENSOR_Q6_K = 14,
  TENSOR_Q8_K = 15, TENSOR_IQ2_XXS = 16, TENSOR_IQ2_XS = 17, TENSOR_IQ3_XXS = 18, TENSOR_IQ1_S = 19, TENSOR_IQ4_NL = 20,
  TENSOR_IQ3_S = 21, TENSOR_IQ2_S = 22, TENSOR_IQ4_XS = 23, TENSOR_I8 = 24, TENSOR_I16 = 25, TENSOR_I32 = 26,
  TENSOR_I64 = 27, TENSOR_F64 = 28, TENSOR_IQ1_M = 29, TENSOR_BF16 = 30, TENSOR_TQ1_0 = 34, TENSOR_TQ2_0 = 35,
  TENSOR_MXFP4 = 39, TENSOR_N_TYPES = 40
};

struct tensor_type_info {
  const char *name;
  uint32_t block_items;  /* weights per block */
  uint32_t block_bytes;
  bool runs;             /* the kernels can multiply with it */
};

/* NULL for numbers outside the table and for the retired ones inside it. */
const struct tensor_type_info *tensor_type_get_info (uint32_t type);

/* Bytes of one row of n_items, or 0 if n_items is no multiple of the block. */
uint64_t tensor_type_row_bytes (enum tensor_type type, uint64_t n_items);

/* Dequantises n_items (a multiple of the block) of a type that runs. Reference arithmetic. */
void tensor_type_to_f32 (enum tensor_type type, const void *row, float *out, size_t n_items);

#endif
