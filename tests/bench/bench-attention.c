/* bench-attention.c: attention alone, at the shapes of known models: what a layer costs for a prompt, for one token behind
 * many, and for a few that are verified together.
 *
 *   bench-attention [-t THREADS] [-r RUNS] [-k KERNEL] [-w WORK] [FORMAT…]     formats f16, q8_0 and f32; all kernels unless one is named
 *
 * Prints the best of RUNS (of each layer, where there are several): milliseconds, billions of multiply-adds per second (those that are seen only, and both
 * products), and bytes of cache read per second. */
#include "engine/model/attention.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
  const char *model;
  uint32_t n_heads, n_kv_heads, head_dim;
  bool causal;
} models[] = {
  { "Qwen2.5-3B", 16, 2, 128, true },
  { "Llama-3.2-3B", 24, 8, 128, true },
  { "Phi-3-mini", 32, 32, 96, true },
  { "MiniLM-L6", 12, 12, 32, false },
};

static const struct {
  const char *what;
  uint32_t n_tokens, depth;
  bool causal;
} works[] = {
  { "prefill", 512, 0, true }, { "prefill", 2048, 0, true }, { "prefill", 512, 3584, true },
  { "decode", 1, 2047, true }, { "verify", 8, 2040, true },  { "text", 256, 0, false },
};

static double now_ms (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void *take (size_t bytes)
{
  void *memory = malloc (bytes);
  if (!memory) {
    fputs ("No memory left.\n", stderr);
    exit (1);
  }
  return memory;
}

static void fill (float *values, size_t n)
{
  for (size_t i = 0; i < n; i++)
    values[i] = (float)rand () / (float)RAND_MAX * 2 - 1;
}

/* Decoding walks through the layers: each call finds another layer's cache, which is in no near cache. */
enum { N_LAYERS = 16 };

static void measure (struct pool *pool, const struct attention_kernel *kernel, enum kv_format format, size_t m,
                     size_t w, int runs)
{
  const uint32_t n = models[m].head_dim, n_positions = works[w].n_tokens + works[w].depth;
  const uint32_t n_kv_heads = models[m].n_kv_heads, n_heads = models[m].n_heads;
  const uint32_t n_layers = works[w].n_tokens < 16 ? N_LAYERS : 1;
  const size_t n_items = (size_t)works[w].n_tokens * n_heads * n, n_kv = (size_t)n_kv_heads * n;
  struct kv_cache cache
      = { take (kv_cache_bytes (format, n, (uint64_t)n_layers * n_kv_heads, n_positions)), n, n_positions, format };
  float *q = take (n_items * sizeof *q), *out = take (n_items * sizeof *out), *row = take (n_kv * sizeof *row);
  fill (q, n_items);
  for (uint32_t layer = 0; layer < n_layers; layer++) {
    const struct kv_layer kv = kv_cache_get_layer (&cache, layer * n_kv_heads, n_kv_heads);
    for (uint32_t position = 0; position < n_positions; position++) {
      fill (row, n_kv);
      kv_layer_put (&kv, kv.keys, position, row);
      kv_layer_put (&kv, kv.values, position, row);
    }
  }
  const struct sequence text = { .n_rows = works[w].n_tokens, .position = works[w].depth };
  double best[N_LAYERS], sum = 0;
  for (uint32_t layer = 0; layer < n_layers; layer++)
    best[layer] = 1e30;
  for (int run = 0; run < runs; run++)
    for (uint32_t layer = 0; layer < n_layers; layer++) {
      const double start = now_ms ();
      attention_run (pool, &(struct attention){
                               .kernel = kernel,
                               .kv = kv_cache_get_layer (&cache, layer * n_kv_heads, n_kv_heads),
                               .n_heads = n_heads,
                               .sequences = &text,
                               .n_sequences = 1,
                               .n_rows = works[w].n_tokens,
                               .position = works[w].depth,
                               .before = ATTENTION_ALL,
                               .after = works[w].causal ? 0 : ATTENTION_ALL,
                               .scale = 0.1f,
                               .q = q,
                               .out = out,
                           });
      const double took = now_ms () - start;
      best[layer] = took < best[layer] ? took : best[layer];
    }
  for (uint32_t layer = 0; layer < n_layers; layer++)
    sum += best[layer];
  const double ms = sum / n_layers;
  double seen = 0; /* positions, by all tokens */
  for (uint32_t token = 0; token < works[w].n_tokens; token++)
    seen += works[w].causal ? works[w].depth + token + 1 : n_positions;
  const double macs = seen * n_heads * n * 2,
               bytes = 2.0 * (double)kv_format_row_bytes (format, n) * n_kv_heads * n_positions;
  printf ("%-18s %-13s %-5s %-7s %5u at %5u  %9.3f ms %8.1f GMAC/s %6.1f GB/s\n", kernel->name, models[m].model,
          format == KV_F16   ? "f16"
          : format == KV_F32 ? "f32"
                             : "q8_0",
          works[w].what, works[w].n_tokens, works[w].depth, ms, macs / ms / 1e6, bytes / ms / 1e6);
  fflush (stdout);
  free (cache.data);
  free (q);
  free (out);
  free (row);
}

static bool is_named (char **names, int n_names, const char *name)
{
  for (int i = 0; i < n_names; i++)
    if (strcmp (names[i], name) == 0)
      return true;
  return n_names == 0;
}

int main (int argc, char **argv)
{
  static const char *const formats[] = { [KV_F16] = "f16", [KV_F32] = "f32", [KV_Q8_0] = "q8_0" };
  const struct attention_kernel *kernels[8];
  const size_t n_kernels = attention_kernel_list (kernels, 8);
  const char *wanted = NULL, *work = NULL;
  int n_threads = 2, runs = 5, option;
  while ((option = getopt (argc, argv, "t:r:k:w:")) != -1)
    switch (option) {
    case 't': n_threads = atoi (optarg); break;
    case 'r': runs = atoi (optarg); break;
    case 'k': wanted = optarg; break;
    case 'w': work = optarg; break;
    default: return 2;
    }
  struct pool *pool = pool_new (n_threads);
  if (!pool)
    return 1;
  for (size_t m = 0; m < sizeof models / sizeof *models; m++)
    for (size_t w = 0; w < sizeof works / sizeof *works; w++)
      for (int format = KV_F16; format <= KV_Q8_0; format++)
        for (size_t k = 0; k < n_kernels; k++)
          if (works[w].causal == models[m].causal && is_named (argv + optind, argc - optind, formats[format])
              && (!work || strcmp (work, works[w].what) == 0) && (!wanted || strcmp (wanted, kernels[k]->name) == 0))
            measure (pool, kernels[k], (enum kv_format)format, m, w, runs);
  pool_free (pool);
  return 0;
}
