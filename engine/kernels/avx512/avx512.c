/* avx512.c: the table of the AVX-512 path. */
#include "engine/kernels/avx512/avx512.h"

#define BLOCK_ROW(type, name, block_bytes, has_minimum) [TENSOR_##type] = &name##_avx512,
const struct kernels kernels_avx512 = {
  .name = "avx512",
  .rows = &row_kernels_avx512,
  .types = {
    [TENSOR_F32] = &f32_avx512,
    [TENSOR_F16] = &f16_avx512,
    [TENSOR_BF16] = &bf16_avx512,
    SMALL_BLOCK_TYPES (BLOCK_ROW)
    SUPER_BLOCK_TYPES (BLOCK_ROW)
  },
  .dot_rows = {
    [TENSOR_Q4_K] = dot_rows_q4_k_avx512,
    [TENSOR_Q5_K] = dot_rows_q5_k_avx512,
    [TENSOR_Q6_K] = dot_rows_q6_k_avx512,
  },
  /* The float steps, one in 32 products, are then vectors. */
  .panel_tokens_min = { [COMPANION_F32] = 4, [COMPANION_Q8] = 1 },
  HELPERS_AVX2,
  .attention = &attention_avx512,
};
