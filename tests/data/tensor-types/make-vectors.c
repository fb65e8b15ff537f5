/* make-vectors.c: asks libggml what blocks mean and writes vectors.txt. Run by make.sh, not by the build.
 *
 * Everything comes through ggml's public functions, ggml_get_type_traits() and ggml_quantize_chunk(), looked up at run
 * time so that no header of it is needed. */
#include "random-blocks.h"
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct ggml_type_traits {
  const char *type_name;
  int64_t block_items, block_items_interleave;
  size_t block_bytes;
  bool is_quantized;
  void (*to_float) (const void *x, float *y, int64_t n);
  void (*from_float) (const float *x, void *y, int64_t n);
};

static void print_hex (const char *label, const void *bytes, size_t n)
{
  printf ("%s ", label);
  for (size_t i = 0; i < n; i++)
    printf ("%02x", ((const uint8_t *)bytes)[i]);
  printf ("\n");
}

static float random_normal (uint64_t *state)
{
  double sum = 0;
  for (int i = 0; i < 12; i++)
    sum += (double)random_byte (state) / 255;
  return (float)(sum - 6);
}

int main (int argc, char **argv)
{
  void *library = dlopen ("libggml-base.so.0", RTLD_NOW);
  if (!library)
    return fprintf (stderr, "%s\n", dlerror ()), 1;
  const struct ggml_type_traits *(*get_traits) (int) = dlsym (library, "ggml_get_type_traits");
  size_t (*quantize) (int, const float *, void *, int64_t, int64_t, int64_t, const float *)
      = dlsym (library, "ggml_quantize_chunk");
  if (!get_traits || !quantize)
    return 1;
  for (int i = 1; i < argc; i++) {
    const int type = atoi (argv[i]);
    const struct ggml_type_traits *traits = get_traits (type);
    const size_t n_items = (size_t)traits->block_items;
    printf ("type %d %s %zu %zu\n", type, traits->type_name, n_items, traits->block_bytes);

    uint64_t state = (uint64_t)type, digest = DIGEST_START;
    for (int b = 0; b < N_RANDOM_BLOCKS; b++) {
      uint8_t block[BLOCK_BYTES_MAX];
      float weights[BLOCK_ITEMS_MAX];
      fill_random_block (&state, block, traits->block_bytes);
      traits->to_float (block, weights, (int64_t)n_items);
      digest = add_to_digest (digest, weights, n_items);
    }
    printf ("digest %016llx\n", (unsigned long long)digest);

    const size_t n_blocks = n_items == 256 ? 1 : 2;
    float x[BLOCK_ITEMS_MAX], importance[BLOCK_ITEMS_MAX], weights[BLOCK_ITEMS_MAX];
    uint8_t blocks[2 * BLOCK_BYTES_MAX];
    for (size_t j = 0; j < n_blocks * n_items; j++) {
      x[j] = 0.02f * random_normal (&state);
      importance[j] = 1;
    }
    quantize (type, x, blocks, 0, 1, (int64_t)(n_blocks * n_items), importance);
    traits->to_float (blocks, weights, (int64_t)(n_blocks * n_items));
    for (size_t b = 0; b < n_blocks; b++) {
      print_hex ("block", blocks + b * traits->block_bytes, traits->block_bytes);
      print_hex ("weights", weights + b * n_items, n_items * sizeof (float));
    }
  }
  return 0;
}
