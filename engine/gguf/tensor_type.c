/* tensor_type.c: the table of element types, and how the ones that run become F32. */
#include "engine/gguf/tensor_type.h"
#include "engine/gguf/unpack_iq.h"
#include "engine/gguf/unpack_k.h"
#include "engine/gguf/unpack_small.h"
#include <assert.h>

/* The types that are not in blocks, or that nothing multiplies: type, bytes of an item, runs; type, items and bytes. */
#define FLAT_TYPES(row)                                                                                                \
  row (F32, 4, true)                                                                                                   \
  row (F16, 2, true)                                                                                                   \
  row (BF16, 2, true)                                                                                                  \
  row (F64, 8, false)                                                                                                  \
  row (I8, 1, false)                                                                                                   \
  row (I16, 2, false)                                                                                                  \
  row (I32, 4, false)                                                                                                  \
  row (I64, 8, false)
#define COMPANION_TYPES(row)                                                                                           \
  row (Q8_1, 32, 2 + 2 + 32)                                                                                           \
  row (Q8_K, 256, 4 + 256 + 32)

#define FLAT_ROW(type, bytes, works) [TENSOR_##type] = { #type, 1, bytes, works },
#define COMPANION_ROW(type, items, bytes) [TENSOR_##type] = { #type, items, bytes, false },
#define SMALL_ROW(type, name, bytes, has_minimum) [TENSOR_##type] = { #type, BLOCK_ITEMS, bytes, true },
#define SUPER_ROW(type, name, bytes, has_minimum) [TENSOR_##type] = { #type, SUPER_BLOCK_ITEMS, bytes, true },
static const struct tensor_type_info table[TENSOR_N_TYPES] = {
  FLAT_TYPES (FLAT_ROW)
  COMPANION_TYPES (COMPANION_ROW)
  SMALL_BLOCK_TYPES (SMALL_ROW)
  SUPER_BLOCK_TYPES (SUPER_ROW)
};

/* What ggml's own assertions come to, written out a second time as bits per weight times 256. */
#define BITS(type, items, bytes) enum { bits_##type = 8 * (bytes) * 256 / (items) };
#define FLAT_BITS(type, bytes, works) BITS (type, 1, bytes)
#define SMALL_BITS(type, name, bytes, has_minimum) BITS (type, BLOCK_ITEMS, bytes)
#define SUPER_BITS(type, name, bytes, has_minimum) BITS (type, SUPER_BLOCK_ITEMS, bytes)
FLAT_TYPES (FLAT_BITS)
COMPANION_TYPES (BITS)
SMALL_BLOCK_TYPES (SMALL_BITS)
SUPER_BLOCK_TYPES (SUPER_BITS)
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
      out[i + j] = block.d * (float)block.q[j] + block.m;
  }
}

static void super_blocks_to_f32 (const uint8_t *row, size_t block_bytes, float *out, size_t n_items,
                                 void (*unpack) (const uint8_t *, struct super_block *))
{
  struct super_block block;
  for (size_t i = 0; i < n_items; i += SUPER_BLOCK_ITEMS, row += block_bytes) {
    unpack (row, &block);
    for (size_t j = 0; j < SUPER_BLOCK_ITEMS; j++)
      out[i + j] = block.d * (float)block.scale[j / 16] * (float)block.q[j]
                   - block.dmin * (float)block.minimum[j / 16];
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
#define SMALL_CASE(type, name, bytes_of_block, has_minimum)                                                            \
  case TENSOR_##type: small_blocks_to_f32 (bytes, bytes_of_block, out, n_items, unpack_##name); break;
#define SUPER_CASE(type, name, bytes_of_block, has_minimum)                                                            \
  case TENSOR_##type: super_blocks_to_f32 (bytes, bytes_of_block, out, n_items, unpack_##name); break;
    SMALL_BLOCK_TYPES (SMALL_CASE)
    SUPER_BLOCK_TYPES (SUPER_CASE)
  default: assert (!"a type that runs"); break;
  }
}
