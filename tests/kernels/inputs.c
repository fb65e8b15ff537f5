/* inputs.c: random and extreme inputs, and buffers between guard pages. */
#include "tests/kernels/kernel-test.h"
#include "engine/gguf/half.h"
#include <sys/mman.h>
#include <unistd.h>

char context[160];
static uint64_t random_state = 1;

uint32_t random_u32 (void)
{
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 33) ^ (uint32_t)(random_state >> 20);
}

float random_f32 (void)
{
  return (float)(int32_t)random_u32 () * 0x1p-31f;
}

void checked_call_failed (void)
{
  fprintf (stderr, "a register that belongs to the caller was not restored (%s)\n", context);
  _exit (1);
}

/* Where a block keeps its factors, which must be sane numbers; all other bytes may be anything. */
static void put_factors (enum tensor_type type, uint8_t *block, uint16_t d, uint16_t m)
{
  static const struct {
    size_t d, m; /* in bytes from the start of the block */
  } places[TENSOR_N_TYPES] = {
    [TENSOR_Q4_1] = { 0, 2 },     [TENSOR_Q5_1] = { 0, 2 },    [TENSOR_Q4_K] = { 0, 2 },
    [TENSOR_Q5_K] = { 0, 2 },     [TENSOR_Q2_K] = { 80, 82 },  [TENSOR_Q3_K] = { 108, 108 },
    [TENSOR_Q6_K] = { 208, 208 }, [TENSOR_TQ1_0] = { 52, 52 }, [TENSOR_TQ2_0] = { 64, 64 },
  };
  if (type == TENSOR_MXFP4) { /* a power of two, so without a sign */
    block[0] = (uint8_t)(115 + d % 8);
  } else if (type == TENSOR_IQ1_M) { /* a nibble in each part of the scales */
    for (int i = 0; i < 4; i++)
      block[49 + 2 * i] = (uint8_t)((block[49 + 2 * i] & 15) | (d >> (4 * i) & 15) << 4);
  } else {
    memcpy (block + places[type].m, &m, 2);
    memcpy (block + places[type].d, &d, 2);
  }
}

void fill_weights (enum tensor_type type, uint8_t *w, size_t n_items, enum filling filling)
{
  const struct tensor_type_info *info = tensor_type_get_info (type);
  for (size_t i = 0; i < n_items / info->block_items; i++) {
    uint8_t *block = w + i * info->block_bytes;
    const float value = filling == FILL_RANDOM ? random_f32 () : filling == FILL_MOST ? 1.0f : -1.0f;
    const uint16_t half = f16_of_f32 (value);
    if (type == TENSOR_F32) {
      memcpy (block, &value, 4);
    } else if (type == TENSOR_F16) {
      memcpy (block, &half, 2);
    } else if (type == TENSOR_BF16) {
      const uint16_t brain = (uint16_t)(bits_of_f32 (value) >> 16);
      memcpy (block, &brain, 2);
    } else {
      for (size_t j = 0; j < info->block_bytes; j++)
        block[j] = filling == FILL_RANDOM ? (uint8_t)random_u32 () : filling == FILL_MOST ? 0xff : 0x80;
      put_factors (type, block, f16_of_f32 (0.01f * value), f16_of_f32 (0.02f * random_f32 ()));
    }
  }
}

void fill_activations (float *x, size_t n_items, enum filling filling)
{
  for (size_t i = 0; i < n_items; i++)
    x[i] = filling == FILL_RANDOM ? random_f32 () * (random_u32 () % 64 == 0 ? 30.0f : 1.0f)
           : filling == FILL_MOST ? 1.0f
                                  : -1.0f;
  if (filling == FILL_RANDOM && n_items >= 64) /* a block of zeros, and one too small to matter */
    for (size_t i = 0; i < 32; i++) {
      x[i] = 0;
      x[32 + i] = i % 2 ? 1e-38f : -1e-39f;
    }
}

enum { PATTERN = 0xa5 };
bool without_guard_pages;

struct guarded guarded_new (size_t bytes, size_t skew)
{
  const size_t page = (size_t)sysconf (_SC_PAGESIZE);
  const size_t inside = (bytes + skew + page - 1) / page * page;
  struct guarded guarded = { NULL, NULL, inside + 2 * page, bytes };
  guarded.pages = mmap (NULL, guarded.n_pages_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (guarded.pages == MAP_FAILED || mprotect (guarded.pages + page, inside, PROT_READ | PROT_WRITE) != 0)
    exit (1);
  if (without_guard_pages && mprotect (guarded.pages, guarded.n_pages_bytes, PROT_READ | PROT_WRITE) != 0)
    exit (1);
  memset (guarded.pages + page, PATTERN, inside);
  guarded.bytes = guarded.pages + page + (random_u32 () % 2 ? inside - bytes : skew);
  return guarded;
}

void guarded_free (struct guarded *guarded)
{
  const size_t page = (size_t)sysconf (_SC_PAGESIZE);
  const uint8_t *end = guarded->pages + guarded->n_pages_bytes - page;
  for (const uint8_t *byte = guarded->pages + page; byte < guarded->bytes; byte++)
    CHECK (*byte == PATTERN);
  for (const uint8_t *byte = guarded->bytes + guarded->n_bytes; byte < end; byte++)
    CHECK (*byte == PATTERN);
  munmap (guarded->pages, guarded->n_pages_bytes);
}

void quantise (const struct kernels *kernels, enum companion companion, const float *x, void *out, size_t n_items)
{
  if (companion == COMPANION_Q8)
    CALL (kernels->quantise_q8) (x, out, n_items);
  else if (companion == COMPANION_Q8_K)
    CALL (kernels->quantise_q8_k) (x, out, n_items);
  else
    memcpy (out, x, n_items * sizeof *x);
}

size_t companion_bytes (enum companion companion, size_t n_items)
{
  switch (companion) {
  case COMPANION_Q8: return n_items / 32 * sizeof (struct q8_block);
  case COMPANION_Q8_K: return n_items / 256 * sizeof (struct q8_k_block);
  case COMPANION_F32: break;
  }
  return n_items * sizeof (float);
}

bool agree (enum companion companion, float a, float b, double magnitude)
{
  return companion == COMPANION_F32 ? fabs ((double)a - (double)b) <= 1e-5 * magnitude + 1e-6 : a == b;
}
