/* neon.h: what the aarch64 files share. Only files compiled with the dot product extension may include it.
 *
 * Two paths: `dotprod` (sdot: four columns of four rows an instruction) and `i8mm` (smmla: eight columns of two rows and
 * two tokens). i8mm takes all but its panel kernels from dotprod. Weights are unpacked to signed bytes with their offset
 * taken off, which sdot multiplies as they are; products stay exact integers until the end of a block, where the float
 * arithmetic is the reference's, operation by operation. */
#ifndef LECTERN_KERNELS_NEON_H
#define LECTERN_KERNELS_NEON_H

#include "engine/gguf/block.h"
#include "engine/kernels/kernels.h"
#include <arm_neon.h>

/* Panels are made of four parts of eight rows. */
enum { PART_ROWS = 8, PANEL_PARTS = PANEL_ROWS / PART_ROWS, PANEL_TOKENS_NEON = 4 };

#define INLINE static inline __attribute__ ((always_inline))

INLINE float load_f16_fast (const uint8_t *bytes)
{
  return vgetq_lane_f32 (vcvt_f32_f16 (vreinterpret_f16_u16 (vdup_n_u16 (load_u16 (bytes)))), 0);
}

/* Asks for the cache lines of n bytes, which need not be there. */
INLINE void fetch (const uint8_t *bytes, size_t n)
{
  for (size_t line = 0; line < n; line += 64)
    __builtin_prefetch (bytes + line, 0, 2);
}

/* Each quantised type's dot: in dotprod.c. */
#define DECLARE_NEON(type, name, block_bytes, has_minimum)                                                             \
  float dot_##name##_dotprod (const uint8_t *w, const void *x, size_t n_items);
SMALL_BLOCK_TYPES (DECLARE_NEON)
SUPER_BLOCK_TYPES (DECLARE_NEON)

/* In floats.c. */
extern const struct kernel_type f32_neon, f16_neon, bf16_neon;
void quantise_q8_neon (const float *x, struct q8_block *out, size_t n_items);
void quantise_q8_k_neon (const float *x, struct q8_k_block *out, size_t n_items);
float dot_f32_neon (const float *a, const float *b, size_t n);
void f32_to_f16_neon (const float *x, uint16_t *y, size_t n);
void f16_to_f32_neon (const uint16_t *x, float *y, size_t n);
void q8_0_to_f32_neon (const uint8_t *x, float *y, size_t n_items);

/* What the paths' tables have in common. */
#define FLOATS_NEON                                                                                                    \
  .quantise_q8 = quantise_q8_neon, .quantise_q8_k = quantise_q8_k_neon, .dot_f32 = dot_f32_neon,                       \
  .f32_to_f16 = f32_to_f16_neon, .f16_to_f32 = f16_to_f32_neon, .q8_0_to_f32 = q8_0_to_f32_neon

#endif
