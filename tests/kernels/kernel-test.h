/* kernel-test.h: what the parts of the kernel test share: checks that say what they were about, random inputs, buffers
 * between guard pages, and calls that look at the registers. One process, one thread (but for matmul's own). */
#ifndef LECTERN_KERNEL_TEST_H
#define LECTERN_KERNEL_TEST_H

#include "engine/kernels/kernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char context[160]; /* what is being checked, for the message */

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf (stderr, "%s:%d: not true: %s (%s)\n", __FILE__, __LINE__, #condition, context);                         \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

/* CALL (f) (arguments...) is f (arguments...), and fails if f does not restore the registers that it must. */
#if defined(__x86_64__) || defined(__aarch64__)
extern void (*checked_target) (void) __attribute__ ((visibility ("hidden")));
void checked_call (void) __attribute__ ((visibility ("hidden")));
#define CALL(function) (checked_target = (void (*) (void)) (function), (__typeof__ (function))checked_call)
#else
#define CALL(function) (function)
#endif
void checked_call_failed (void) __attribute__ ((noreturn));

/* ---- inputs ---------------------------------------------------------------------------------------------- */

uint32_t random_u32 (void);
float random_f32 (void); /* -1 to 1 */

enum filling { FILL_RANDOM, FILL_MOST, FILL_LEAST, N_FILLINGS };

/* One row of n_items, a multiple of the type's block. */
void fill_weights (enum tensor_type type, uint8_t *w, size_t n_items, enum filling filling);
void fill_activations (float *x, size_t n_items, enum filling filling);

/* `bytes` usable ones between two pages that nobody may touch: at random they end at the second, or begin `skew` after
 * the first (tensors in a file are aligned to nothing that a vector unit likes). Other bytes between the pages hold a
 * pattern, which guarded_free() checks. */
struct guarded {
  uint8_t *pages, *bytes;
  size_t n_pages_bytes, n_bytes;
};

/* For emulators: qemu 7.2 reads 16 bytes where an FMA instruction has an operand of four in memory. */
extern bool without_guard_pages;

struct guarded guarded_new (size_t bytes, size_t skew);
void guarded_free (struct guarded *guarded);

/* ---- companions ------------------------------------------------------------------------------------------ */

/* Bytes of n rounded activations, and the rounding by that path. */
size_t companion_bytes (enum companion companion, size_t n_items);
void quantise (const struct kernels *kernels, enum companion companion, const float *x, void *out, size_t n_items);

/* Quantised types must be equal; float types add in an order of their own: near is enough. */
bool agree (enum companion companion, float a, float b, double magnitude);

/* ---- the parts ------------------------------------------------------------------------------------------- */

/* Paths under test: those that the machine runs, the reference first, and builds of others that only tests have. */
size_t list_paths (const struct kernels **paths, size_t max);
extern const struct kernels kernels_avxvnni_evex;

/* matmul() on the path that LECTERN_CPU names against the reference, for n_shapes random shapes. random-shapes.c. */
void check_random_shapes (unsigned n_shapes);

/* bench.c. Both print tables. */
void bench_kernels (const char *type_name); /* of that type, or NULL for all: every path, side by side */
void bench_matmul (void);                   /* on the path that LECTERN_CPU names */

#endif
