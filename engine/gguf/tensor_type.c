/* tensor_type.c: the table of element types, and how the ones that run become F32. */
#include "engine/gguf/tensor_type.h"
#include "engine/gguf/block.h"
#include <assert.h>

/* type, name, items per block, what a block holds in bytes, runs */
#define TENSOR_TYPES(row)                                                                                              \
  row (F32, "F32", 1, 4, true)                                                                                         \
  row (F16, "F16", 1, 2, true)                                                                                         \
  row (Q4_0, "Q4_0", 32, 2 + 16, true)                                                                                 \
  row (Q4_1, "Q4_1", 32, 2 + 2 + 16, true)                                                                             \
  row (Q5_0, "Q5_0", 32, 2 + 4 + 16, true)                                                                             \
  row (Q5_1, "Q5_1", 32, 2 + 2 + 4 + 16, true)                                                                         \
  row (Q8_0, "Q8_0", 32, 2 + 32, true)                                                                                 \
  row (Q8_1, "Q8_1", 32, 2 + 2 + 32, false)                                                                            \
  row (Q2_K, "Q2_K", 256, 16 + 64 + 2 + 2, false)                                                                      \
  row (Q3_K, "Q3_K", 256, 32 + 64 + 12 + 2, false)                                                                     \
  row (Q4_K, "Q4_K", 256, 2 + 2 + 12 + 128, true)                                                                      \
  row (Q5_K, "Q5_K", 256, 2 + 2 + 12 + 32 + 128, true)                                                                 \
  row (Q6_K, "Q6_K", 256, 128 + 64 + 16 + 2, true)                                                                     \
  row (Q8_K, "Q8_K", 256, 4 + 256 + 32, false)                                                                         \
  row (IQ2_XXS, "IQ2_XXS", 256, 2 + 64, false)                                                                         \
  row (IQ2_XS, "IQ2_XS", 256, 2 + 64 + 8, false)                                                                       \
  row (IQ3_XXS, "IQ3_XXS", 256, 2 + 64 + 32, false)                                                                    \
  row (IQ1_S, "IQ1_S", 256, 2 + 32 + 16, false)                                                                        \
  row (IQ4_NL, "IQ4_NL", 32, 2 + 16, false)                                                                            \
  row (IQ3_S, "IQ3_S", 256, 2 + 64 + 8 + 32 + 4, false)                                                                \
  row (IQ2_S, "IQ2_S", 256, 2 + 64 + 8 + 8, false)                                                                     \
  row (IQ4_XS, "IQ4_XS", 256, 2 + 2 + 4 + 128, false)                                                                  \
  row (I8, "I8", 1, 1, false)                                                                                          \
  row (I16, "I16", 1, 2, false)                                                                                        \
  row (I32, "I32", 1, 4, false)                                                                                        \
  row (I64, "I64", 1, 8, false)                                                                                        \
  row (F64, "F64", 1, 8, false)                                                                                        \
  row (IQ1_M, "IQ1_M", 256, 32 + 16 + 8, false)                                                                        \
  row (BF16, "BF16", 1, 2, true)                                                                                       \
  row (TQ1_0, "TQ1_0", 256, 48 + 4 + 2, false)                                                                         \
  row (TQ2_0, "TQ2_0", 256, 64 + 2, false)                                                                             \
  row (MXFP4, "MXFP4", 32, 1 + 16, false)

#define TABLE_ROW(type, label, items, bytes, works) [TENSOR_##type] = { label, items, bytes, works },
static const struct tensor_type_info table[TENSOR_N_TYPES] = { TENSOR_TYPES (TABLE_ROW) };

/* What ggml's own assertions come to, written out a second time as bits per weight times 256. */
#define BITS(type, items, bytes) (8 * (bytes) * 256 / (items))
#define ASSERT_BITS(name, label, items, bytes, works)                                                                  \
  enum { bits_##name = BITS (name, items, bytes) };
TENSOR_TYPES (ASSERT_BITS)
_Static_assert (bits_F32 == 8192 && bits_F16 == 4096 && bits_BF16 == 4096 && bits_F64 == 16384, "floats");
_Static_assert (bits_I8 == 2048 && bits_I16 == 4096 && bits_I32 == 8192 && bits_I64 == 16384, "integers");
_Static_assert (bits_Q4_0 == 1152 && bits_Q4_1 == 1280 && bits_Q5_0 == 1408 && bits_Q5_1 == 1536, "blocks of 32");
_Static_assert (bits_Q8_0 == 2176 && bits_Q8_1 == 2304 && bits_IQ4_NL == 1152 && bits_MXFP4 == 1088, "blocks of 32");
_Static_assert (bits_Q2_K == 672 && bits_Q3_K == 880 && bits_Q4_K == 1152 && bits_Q5_K == 1408, "K-quants");
_Static_assert (bits_Q6_K == 1680 && bits_Q8_K == 2336, "K-quants");
_Static_assert (bits_IQ1_S == 400 && bits_IQ1_M == 448 && bits_IQ2_XXS == 528 && bits_IQ2_XS == 592, "I-quants");
_Static_assert (bits_IQ2_S == 656 && bits_IQ3_XXS == 784 && bits_IQ3_S == 880 && bits_IQ4_XS == 1088, "I-quants");
_Static_assert (bits_TQ1_0 == 432 && bits_TQ2_0 == 528, "ternary");

const struct tensor_type_info *tensor_type_get_info (uint32_t type)
{
  return type < TENSOR_N_TYPES && table[type].name ? &table[type] : NULL;
}

uint64_t tensor_type_row_bytes (enum tensor_type type, uint64_t n_items)
{
  const struct tensor_type_info *info = tensor_type_get_info (type);
  uint64_t bytes;
  if (!info || n_items % info->block_items != 0
      || __builtin_mul_overflow (n_items / info->block_items, (uint64_t) info->block_bytes, &bytes))
    return 0;
  return bytes;
}

static void small_blocks_to_f32 (const uint8_t *row, size_t block_bytes, float *out, size_t n_items,
                                 void (*unpack) (const uint8_t *, struct small_block *))
{
  struct small_block block;
  for (size_t i = 0; i < n_items; i += BLOCK_ITEMS, row += block_bytes) {
    unpack (row, &block);
    for (size_t j = 0; j < BLOCK_ITEMS; j++)
      out[i + j] = block.d * (float) block.q[j] + block.m;
  }
}

static void super_blocks_to_f32 (const uint8_t *row, size_t block_bytes, float *out, size_t n_items,
                                 void (*unpack) (const uint8_t *, struct super_block *))
{
  struct super_block block;
  for (size_t i = 0; i < n_items; i += SUPER_BLOCK_ITEMS, row += block_bytes) {
    unpack (row, &block);
    for (size_t j = 0; j < SUPER_BLOCK_ITEMS; j++)
      out[i + j] = block.d * (float) block.scale[j / 16] * (float) block.q[j]
                   - block.dmin * (float) block.minimum[j / 16];
  }
}

void tensor_type_to_f32 (enum tensor_type type, const void *row, float *out, size_t n_items)
{
  const uint8_t *bytes = row;
  switch (type) {
  case TENSOR_F32: memcpy (out, row, n_items * sizeof *out); break;
  case TENSOR_F16:
    for (size_t i = 0; i < n_items; i++)
      out[i] = load_f16 (bytes + 2 * i);
    break;
  case TENSOR_BF16:
    for (size_t i = 0; i < n_items; i++)
      out[i] = f32_of_bf16 (load_u16 (bytes + 2 * i));
    break;
  case TENSOR_Q4_0: small_blocks_to_f32 (bytes, 18, out, n_items, unpack_q4_0); break;
  case TENSOR_Q4_1: small_blocks_to_f32 (bytes, 20, out, n_items, unpack_q4_1); break;
  case TENSOR_Q5_0: small_blocks_to_f32 (bytes, 22, out, n_items, unpack_q5_0); break;
  case TENSOR_Q5_1: small_blocks_to_f32 (bytes, 24, out, n_items, unpack_q5_1); break;
  case TENSOR_Q8_0: small_blocks_to_f32 (bytes, 34, out, n_items, unpack_q8_0); break;
  case TENSOR_Q4_K: super_blocks_to_f32 (bytes, 144, out, n_items, unpack_q4_k); break;
  case TENSOR_Q5_K: super_blocks_to_f32 (bytes, 176, out, n_items, unpack_q5_k); break;
  case TENSOR_Q6_K: super_blocks_to_f32 (bytes, 210, out, n_items, unpack_q6_k); break;
  default: assert (!"a type that runs"); break;
  }
}
