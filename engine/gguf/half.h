/* half.h: 16-bit floats in portable arithmetic, and unaligned loads of them out of a file's bytes. */
#ifndef LECTERN_HALF_H
#define LECTERN_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of_f32 (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline float f32_of_bits (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline float f32_of_bf16 (uint16_t value)
{
  return f32_of_bits ((uint32_t)value << 16);
}

/* IEEE 754 binary16. A subnormal is its integer times 2^-24, which F32 holds exactly. */
static inline float f32_of_f16 (uint16_t half)
{
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3ff;
  if (exponent == 0)
    return f32_of_bits (sign | bits_of_f32 ((float)fraction * 0x1p-24f));
  if (exponent == 31) /* infinities; NaNs become quiet, as the instruction makes them */
    return f32_of_bits (sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0));
  return f32_of_bits (sign | (exponent + 112) << 23 | fraction << 13);
}

/* Rounds to nearest, ties to even. */
static inline uint16_t f16_of_f32 (float value)
{
  const uint32_t bits = bits_of_f32 (value), magnitude = bits & 0x7fffffff;
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  if (magnitude > 0x7f800000)
    return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x477ff000) /* 65520 and more round to infinity */
    return (uint16_t)(sign | 0x7c00);
  if (magnitude < 0x38800000) { /* below 2^-14: adding 0.5 leaves multiples of 2^-24 in the low bits, rounded */
    const uint32_t rounded = bits_of_f32 (f32_of_bits (magnitude) + 0.5f);
    return (uint16_t)(sign | (rounded - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return (uint16_t)(sign | (rounded - 0x38000000) >> 13);
}

static inline uint16_t load_u16 (const uint8_t *bytes)
{
  uint16_t value;
  memcpy (&value, bytes, sizeof value);
  return value;
}

static inline float load_f16 (const uint8_t *bytes)
{
  return f32_of_f16 (load_u16 (bytes));
}

#endif
