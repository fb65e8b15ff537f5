/* attention_tile.c: which attention kernel runs, and the reference: four lanes in plain vector extensions. */
#include "engine/kernels/attention_tile.h"
#include "engine/gguf/half.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/matmul.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- choice ---------------------------------------------------------------------------------------------- */

static const struct attention_kernel *chosen_exact, *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const struct attention_kernel *kernel_of (const struct kernels *path)
{
  return path->attention ? path->attention : &attention_c;
}

#ifdef HAVE_KERNELS_AVX512_BF16
static bool cpu_has_bf16 (void)
{
  __builtin_cpu_init ();
  return __builtin_cpu_supports ("avx512bf16");
}
#endif

static void choose (void)
{
  const struct kernels *path = kernels_get ();
  chosen = chosen_exact = kernel_of (path);
#ifdef HAVE_KERNELS_AVX512_BF16
  const char *wanted = getenv ("LECTERN_CPU");
  if (path == &kernels_avx512 && cpu_has_bf16 () && !(wanted && strcmp (wanted, path->name) == 0))
    chosen = &attention_bf16;
#endif
}

const struct attention_kernel *attention_kernel_get (bool exact)
{
  pthread_once (&once, choose);
  return exact ? chosen_exact : chosen;
}

size_t attention_kernel_list (const struct attention_kernel **kernels, size_t max)
{
  const struct kernels *paths[8];
  const size_t n_paths = kernels_list (paths, sizeof paths / sizeof paths[0]);
  size_t n = 0;
  for (size_t i = 0; i < n_paths && n < max; i++)
    if (i == 0 || paths[i]->attention)
      kernels[n++] = kernel_of (paths[i]);
#ifdef HAVE_KERNELS_AVX512_BF16
  if (paths[n_paths - 1] == &kernels_avx512 && n < max && cpu_has_bf16 ())
    kernels[n++] = &attention_bf16;
#endif
  return n;
}

/* ---- rows ------------------------------------------------------------------------------------------------ */

static void load_q8_0 (const uint8_t *from, uint32_t n_items, float *to)
{
  enum { BLOCK_ITEMS = 32, BLOCK_BYTES = 34 };
  const uint32_t whole = n_items / BLOCK_ITEMS * BLOCK_ITEMS;
  q8_0_to_f32 (from, to, whole);
  if (whole < n_items) {
    float last[BLOCK_ITEMS];
    q8_0_to_f32 (from + whole / BLOCK_ITEMS * BLOCK_BYTES, last, BLOCK_ITEMS);
    memcpy (to + whole, last, (n_items - whole) * sizeof *last);
  }
}

void attention_load_row (const struct attention_rows *rows, uint32_t index, float *to)
{
  const char *from = (const char *)rows->data + index * rows->row_bytes;
  if (rows->type == TENSOR_F32)
    memcpy (to, from, rows->head_dim * sizeof *to);
  else if (rows->type == TENSOR_F16)
    f16_to_f32 ((const uint16_t *)from, to, rows->head_dim);
  else
    load_q8_0 ((const uint8_t *)from, rows->head_dim, to);
  memset (to + rows->head_dim, 0, (rows->width - rows->head_dim) * sizeof *to);
}

/* ---- reference ------------------------------------------------------------------------------------------- */

#define INLINE static inline __attribute__ ((always_inline))
#define LANES 4
#define BLOCK_ROWS 2
#define BLOCK_VECTORS 4

typedef float vec __attribute__ ((vector_size (16)));
typedef uint32_t vec_bits __attribute__ ((vector_size (16)));

INLINE vec vec_load (const float *from)
{
  vec v;
  memcpy (&v, from, sizeof v);
  return v;
}

INLINE void vec_store (float *to, vec v)
{
  memcpy (to, &v, sizeof v);
}

INLINE vec vec_all (float x)
{
  return (vec){ x, x, x, x };
}

INLINE vec vec_fma (vec a, vec b, vec c)
{
  return a * b + c;
}

INLINE vec vec_select (vec_bits mask, vec if_set, vec if_clear)
{
  return (vec)((mask & (vec_bits)if_set) | (~mask & (vec_bits)if_clear));
}

INLINE vec vec_max (vec a, vec b)
{
  return vec_select ((vec_bits)(a > b), a, b);
}

INLINE float vec_largest (vec v)
{
  float most = v[0];
  for (int i = 1; i < LANES; i++)
    most = v[i] > most ? v[i] : most;
  return most;
}

INLINE vec vec_keep (vec v, uint32_t index, uint32_t begin, uint32_t end, vec other)
{
  const vec_bits lane = (vec_bits){ 0, 1, 2, 3 } + index;
  return vec_select ((vec_bits)(lane >= begin) & (vec_bits)(lane < end), v, other);
}

INLINE vec vec_keep_sign (vec v, vec x)
{
  return (vec)((vec_bits)v | ((vec_bits)x & 0x80000000u));
}

INLINE void transpose_keys (const float *rows, size_t stride, uint32_t *to)
{
  for (size_t i = 0; i < LANES; i++)
    for (size_t r = 0; r < ATTENTION_LANES; r++)
      memcpy (to + i * ATTENTION_TILE + r, rows + r * stride + i, sizeof *to);
}

INLINE void transpose_halves (const uint16_t *const *rows, size_t at, uint32_t *to)
{
  for (size_t i = 0; i < 8; i++)
    for (size_t r = 0; r < ATTENTION_LANES; r++) {
      const float item = f32_of_f16 (rows[r][at + i]);
      memcpy (to + i * ATTENTION_TILE + r, &item, sizeof *to);
    }
}

#include "engine/kernels/attention_f32.h"
#include "engine/kernels/attention_loops.h"

ATTENTION_F32 (attention_c, "c")
