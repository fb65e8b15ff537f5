/* vec4.h: four floats at a time in plain vector extensions: the ABI's own registers, no instruction-set flags. */
#ifndef LECTERN_VEC4_H
#define LECTERN_VEC4_H

#include <stdint.h>
#include <string.h>

typedef float vec4 __attribute__ ((vector_size (16)));
typedef uint32_t vec4_bits __attribute__ ((vector_size (16)));

static inline vec4 vec4_load (const float *from)
{
  vec4 v;
  memcpy (&v, from, sizeof v);
  return v;
}

static inline void vec4_store (float *to, vec4 v)
{
  memcpy (to, &v, sizeof v);
}

static inline vec4 vec4_all (float x)
{
  return (vec4){ x, x, x, x };
}

static inline vec4 vec4_select (vec4_bits mask, vec4 if_set, vec4 if_clear)
{
  return (vec4)((mask & (vec4_bits)if_set) | (~mask & (vec4_bits)if_clear));
}

static inline float vec4_sum (vec4 v)
{
  return (v[0] + v[2]) + (v[1] + v[3]);
}

/* e^x to about 1e-7 relative; below -87 it is e^-87, above 88 e^88; NaN stays. Splits x into n ln 2 + r with
 * |r| <= ln 2 / 2 and takes the Taylor polynomial of r. */
static inline vec4 vec4_exp (vec4 x)
{
  const vec4 low = vec4_all (-87), high = vec4_all (88), magic = vec4_all (12582912.0f);
  x = vec4_select ((vec4_bits)(x < low), low, x);
  x = vec4_select ((vec4_bits)(x > high), high, x);
  vec4 shifted = x * 1.44269504089f + magic;
  vec4 n = shifted - magic;
  vec4 r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  vec4 p = vec4_all (1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  vec4_bits power = ((vec4_bits)shifted - (vec4_bits)magic + 127u) << 23;
  return p * (vec4)power;
}

#endif
