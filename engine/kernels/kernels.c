/* kernels.c: which path runs, and the plain helpers that go through it. */
#include "engine/kernels/kernels.h"
#include "engine/kernels/matmul.h"
#include "engine/gguf/half.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_KERNELS_AVX2
#include <cpuid.h>
#endif
#ifdef HAVE_KERNELS_DOTPROD
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

static const struct kernels *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#ifdef HAVE_KERNELS_AVX2
/* The compiler's run-time support asks XGETBV too, so this is what the system saves as well as what the CPU has. clang 14
 * does not know "f16c" there: CPUID leaf 1 says it. */
static bool cpu_has_avx2 (void)
{
  unsigned a, b, c = 0, d;
  __builtin_cpu_init ();
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma") && __get_cpuid (1, &a, &b, &c, &d)
         && (c & bit_F16C);
}
#endif

#ifdef HAVE_KERNELS_AVXVNNI
/* CPUID leaf 7, subleaf 1; clang 14 has no name for it. */
static bool cpu_has_avxvnni (void)
{
  unsigned a, b, c, d;
  return cpu_has_avx2 () && __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}
#endif

#ifdef HAVE_KERNELS_AVX512
/* What Ice Lake and Zen 4 brought together; older AVX-512 takes the AVX2 path. */
static bool cpu_has_avx512 (void)
{
  return cpu_has_avx2 () && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
         && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512dq")
         && __builtin_cpu_supports ("avx512vnni") && __builtin_cpu_supports ("avx512vbmi");
}
#endif

#ifdef HAVE_KERNELS_DOTPROD
static bool cpu_has_dotprod (void)
{
  return getauxval (AT_HWCAP) & HWCAP_ASIMDDP;
}
#endif

#ifdef HAVE_KERNELS_I8MM
static bool cpu_has_i8mm (void)
{
  return cpu_has_dotprod () && (getauxval (AT_HWCAP2) & HWCAP2_I8MM);
}
#endif

size_t kernels_list (const struct kernels **paths, size_t max)
{
  size_t n = 0;
  if (n < max)
    paths[n++] = &kernels_c;
#ifdef HAVE_KERNELS_AVX2
  if (n < max && cpu_has_avx2 ())
    paths[n++] = &kernels_avx2;
#endif
#ifdef HAVE_KERNELS_AVXVNNI
  if (n < max && cpu_has_avxvnni ())
    paths[n++] = &kernels_avxvnni;
#endif
#ifdef HAVE_KERNELS_AVX512
  if (n < max && cpu_has_avx512 ())
    paths[n++] = &kernels_avx512;
#endif
#ifdef HAVE_KERNELS_DOTPROD
  if (n < max && cpu_has_dotprod ())
    paths[n++] = &kernels_dotprod;
#endif
#ifdef HAVE_KERNELS_I8MM
  if (n < max && cpu_has_i8mm ())
    paths[n++] = &kernels_i8mm;
#endif
  return n;
}

static void choose (void)
{
  const struct kernels *paths[8];
  const size_t n = kernels_list (paths, sizeof paths / sizeof paths[0]);
  const char *wanted = getenv ("LECTERN_CPU");
  chosen = paths[n - 1];
  for (size_t i = 0; wanted && i < n; i++)
    if (strcmp (paths[i]->name, wanted) == 0)
      chosen = paths[i];
}

const struct kernels *kernels_get (void)
{
  pthread_once (&once, choose);
  return chosen;
}

const struct row_kernels *row_kernels_get (void)
{
  return kernels_get ()->rows;
}

const char *kernels_get_path (void)
{
  return kernels_get ()->name;
}

float dot_f32 (const float *a, const float *b, size_t n)
{
  return kernels_get ()->dot_f32 (a, b, n);
}

void f32_to_f16 (const float *x, uint16_t *y, size_t n)
{
  kernels_get ()->f32_to_f16 (x, y, n);
}

void f16_to_f32 (const uint16_t *x, float *y, size_t n)
{
  kernels_get ()->f16_to_f32 (x, y, n);
}

void f32_to_q8_0 (const float *x, uint8_t *y, size_t n)
{
  const struct kernels *kernels = kernels_get ();
  struct q8_block block;
  for (; n >= 32; n -= 32, x += 32, y += 34) {
    kernels->quantise_q8 (x, &block, 32);
    const uint16_t d = f16_of_f32 (block.d);
    memcpy (y, &d, sizeof d);
    memcpy (y + sizeof d, block.q, sizeof block.q);
  }
}

void q8_0_to_f32 (const uint8_t *x, float *y, size_t n)
{
  kernels_get ()->q8_0_to_f32 (x, y, n);
}
