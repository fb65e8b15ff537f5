/* What the machine could do at most: bytes read from memory per second, and products of int8 per second.
 *
 *     bench-machine THREADS [PATH]      PATH: avx512-vnni, avx-vnni or avx2; without it the best that the CPU has
 *
 * Prints {"path","read_bytes_per_second","int8_macs_per_second"}, the best of several passes; products are null where there is
 * no such path. A product and its sum count as one. AVX2 has no instruction that does both in 32 bits: there a vpmaddubsw and
 * the vpaddw that sums it in 16 bits are counted, which is what no kernel can be faster than. */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { THREADS_MAX = 256, PASSES = 8, BLOCKS = 1 << 20 };
static const size_t bytes_per_thread = (size_t)256 << 20;

static double now_s (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- work of one thread, in units that are counted ------------------------------------------------------------ */

typedef uint64_t words __attribute__ ((vector_size (64)));

static volatile uint64_t sink;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__ ((target_clones ("avx512f", "avx2", "default")))
#endif
static double
read_memory (const void *memory)
{
  const words *w = memory;
  words sums[4] = { 0 };
  for (size_t i = 0; i < bytes_per_thread / sizeof *w; i += 4)
    for (size_t k = 0; k < 4; k++)
      sums[k] += w[i + k];
  sums[0] += sums[1] + sums[2] + sums[3];
  sink = sums[0][0] ^ sums[0][7];
  return (double)bytes_per_thread;
}

#if defined(__x86_64__)
#include <cpuid.h>

#define LOOP(...)                                                                                                      \
  for (int i = 0; i < BLOCKS; i++)                                                                                     \
  __asm__ volatile(__VA_ARGS__)

#define VNNI_512(n) "vpdpbusd %%zmm16, %%zmm17, %%zmm" #n "\n\t"
__attribute__ ((target ("avx512f,avx512vnni"))) static double multiply_avx512_vnni (const void *memory)
{
  LOOP (VNNI_512 (0) VNNI_512 (1) VNNI_512 (2) VNNI_512 (3) VNNI_512 (4) VNNI_512 (5) VNNI_512 (6) VNNI_512 (7)
            VNNI_512 (8) VNNI_512 (9) VNNI_512 (10) VNNI_512 (11) VNNI_512 (12) VNNI_512 (13) VNNI_512 (14)
                VNNI_512 (15)
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
          "xmm13", "xmm14", "xmm15");
  return (double)BLOCKS * 16 * 64;
}

#define VNNI_256(n) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #n "\n\t"
__attribute__ ((target ("avx2"))) static double multiply_avx_vnni (const void *memory)
{
  LOOP (VNNI_256 (0) VNNI_256 (1) VNNI_256 (2) VNNI_256 (3) VNNI_256 (4) VNNI_256 (5) VNNI_256 (6) VNNI_256 (7)
            VNNI_256 (8) VNNI_256 (9) VNNI_256 (10) VNNI_256 (11)
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11");
  return (double)BLOCKS * 12 * 32;
}

#define MADD(n, sum) "vpmaddubsw %%ymm14, %%ymm15, %%ymm" #n "\n\tvpaddw %%ymm" #n ", %%ymm" #sum ", %%ymm" #sum "\n\t"
__attribute__ ((target ("avx2"))) static double multiply_avx2 (const void *memory)
{
  LOOP (MADD (0, 6) MADD (1, 7) MADD (2, 8) MADD (3, 9) MADD (4, 10) MADD (5, 11) MADD (0, 12) MADD (1, 13)
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
          "xmm13");
  return (double)BLOCKS * 8 * 32;
}
#endif

/* ---- threads -------------------------------------------------------------------------------------------------- */

typedef double (*WorkFunc) (const void *memory);

struct worker {
  WorkFunc work;
  const void *memory;
  pthread_barrier_t *barrier;
  double done, started_s, ended_s;
};

static void *run_worker (void *data)
{
  struct worker *worker = data;
  pthread_barrier_wait (worker->barrier);
  worker->started_s = now_s ();
  worker->done = worker->work (worker->memory);
  worker->ended_s = now_s ();
  return NULL;
}

static double run_pass (WorkFunc work, int n_threads, char *memory)
{
  static struct worker workers[THREADS_MAX];
  pthread_t threads[THREADS_MAX];
  pthread_barrier_t barrier;
  double done = 0, started_s = INFINITY, ended_s = 0;
  pthread_barrier_init (&barrier, NULL, (unsigned)n_threads);
  for (int i = 0; i < n_threads; i++) {
    workers[i] = (struct worker){ work, memory ? memory + (size_t)i * bytes_per_thread : NULL, &barrier };
    if (pthread_create (&threads[i], NULL, run_worker, &workers[i]) != 0)
      exit (1);
  }
  for (int i = 0; i < n_threads; i++) {
    pthread_join (threads[i], NULL);
    done += workers[i].done;
    started_s = fmin (started_s, workers[i].started_s);
    ended_s = fmax (ended_s, workers[i].ended_s);
  }
  pthread_barrier_destroy (&barrier);
  return done / (ended_s - started_s);
}

static double measure (WorkFunc work, int n_threads, char *memory)
{
  double best = 0;
  for (int i = 0; i < PASSES; i++) {
    const double rate = run_pass (work, n_threads, memory);
    best = rate > best ? rate : best;
  }
  return best;
}

/* ---- paths ---------------------------------------------------------------------------------------------------- */

static WorkFunc choose (const char *wanted, const char **path)
{
#if defined(__x86_64__)
  static const struct {
    const char *name;
    WorkFunc work;
  } paths[] = { { "avx512-vnni", multiply_avx512_vnni }, { "avx-vnni", multiply_avx_vnni }, { "avx2", multiply_avx2 } };
  unsigned a = 0, b, c, d;
  __get_cpuid_count (7, 1, &a, &b, &c, &d); /* bit 4 of a is AVX-VNNI */
  const int has[] = { __builtin_cpu_supports ("avx512vnni") != 0,
                      __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma") && (a >> 4 & 1),
                      __builtin_cpu_supports ("avx2") != 0 };
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (has[i] && (!wanted || strcmp (wanted, paths[i].name) == 0)) {
      *path = paths[i].name;
      return paths[i].work;
    }
#endif
  *path = "none";
  return NULL;
}

int main (int argc, char **argv)
{
  const int n_threads = argc > 1 ? atoi (argv[1]) : 0;
  const char *path;
  if (n_threads < 1 || n_threads > THREADS_MAX) {
    fprintf (stderr, "usage: bench-machine THREADS [PATH]\n");
    return 2;
  }
  WorkFunc work = choose (argc > 2 ? argv[2] : NULL, &path);
  char *memory = aligned_alloc ((size_t)2 << 20, bytes_per_thread * (size_t)n_threads);
  if (!memory) {
    fprintf (stderr, "There is not enough memory to measure with.\n");
    return 1;
  }
  madvise (memory, bytes_per_thread * (size_t)n_threads, MADV_HUGEPAGE);
  memset (memory, 1, bytes_per_thread * (size_t)n_threads);
  printf ("{\"path\": \"%s\", \"read_bytes_per_second\": %.0f, ", path, measure (read_memory, n_threads, memory));
  if (work)
    printf ("\"int8_macs_per_second\": %.0f}\n", measure (work, n_threads, NULL));
  else
    printf ("\"int8_macs_per_second\": null}\n");
  free (memory);
  return 0;
}
