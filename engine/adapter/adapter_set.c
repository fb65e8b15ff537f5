#include "engine/adapter/adapter_set.h"
#include "engine/error.h"
#include "engine/model/arena.h"
#include "engine/model/memory.h"
#include "engine/model/ops.h"
#include "engine/model/rows.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_TOKENS 256 /* work memory is for so many at once */

struct use {
  const struct adapter_pair *pair;
  float scale;  /* the caller's times the pair's */
  size_t order; /* in which the adapters were given: sums are in this order */
};

struct adapter_set {
  struct use *uses, *embeddings; /* uses by address of the base tensor */
  size_t n_uses, n_embeddings;
  uint32_t n_block;
  float *inner; /* [n_block][largest rank] */
  float *delta; /* [n_block][most rows of any base tensor] */
  void *scratch;
};

/* ---- making ---------------------------------------------------------------------------------------------- */

struct sizes {
  uint32_t rank, n_rows, n_cols; /* the largest of each */
  size_t n_uses, n_embeddings;
};

static void count_pair (const struct adapter_pair *pair, struct sizes *sizes)
{
  const uint32_t rank = pair->b.n_cols, n_rows = pair->b.n_rows, n_cols = pair->a.n_cols;
  sizes->rank = rank > sizes->rank ? rank : sizes->rank;
  sizes->n_rows = n_rows > sizes->n_rows ? n_rows : sizes->n_rows;
  sizes->n_cols = n_cols > sizes->n_cols ? n_cols : sizes->n_cols;
  sizes->n_cols = rank > sizes->n_cols ? rank : sizes->n_cols;
}

static struct sizes count_sizes (const struct engine_adapter *const *adapters, const float *scales, size_t n_adapters)
{
  struct sizes sizes = { 0 };
  for (size_t i = 0; i < n_adapters; i++) {
    if (scales[i] == 0)
      continue;
    for (size_t j = 0; j < adapters[i]->n_pairs; j++)
      count_pair (&adapters[i]->pairs[j], &sizes);
    sizes.n_uses += adapters[i]->n_pairs;
    if (adapters[i]->embedding.a.data) {
      count_pair (&adapters[i]->embedding, &sizes);
      sizes.n_embeddings++;
    }
  }
  return sizes;
}

/* Cuts the set's memory, itself first; with a counting arena only its size comes out. */
static struct adapter_set *lay_out (const struct sizes *sizes, uint32_t n_block, struct arena *arena)
{
  struct adapter_set *set = arena_take (arena, 1, sizeof *set);
  struct adapter_set made = {
    .n_block = n_block,
    .uses = arena_take (arena, sizes->n_uses, sizeof *made.uses),
    .embeddings = arena_take (arena, sizes->n_embeddings, sizeof *made.embeddings),
    .inner = arena_take (arena, (uint64_t)n_block * sizes->rank, sizeof *made.inner),
    .delta = arena_take (arena, (uint64_t)n_block * sizes->n_rows, sizeof *made.delta),
    .scratch = arena_take (arena, matmul_scratch_bytes (sizes->n_cols, n_block), 1),
  };
  if (set)
    *set = made;
  return set;
}

static int compare_uses (const void *left, const void *right)
{
  const struct use *a = left, *b = right;
  if (a->pair->base != b->pair->base)
    return a->pair->base < b->pair->base ? -1 : 1;
  return (a->order > b->order) - (a->order < b->order);
}

static void fill (struct adapter_set *set, const struct engine_adapter *const *adapters, const float *scales,
                  size_t n_adapters)
{
  for (size_t i = 0; i < n_adapters; i++) {
    const struct adapter_pair *embedding = &adapters[i]->embedding;
    if (scales[i] == 0)
      continue;
    for (size_t j = 0; j < adapters[i]->n_pairs; j++) {
      const struct adapter_pair *pair = &adapters[i]->pairs[j];
      set->uses[set->n_uses++] = (struct use){ pair, scales[i] * pair->scale, i };
    }
    if (embedding->a.data)
      set->embeddings[set->n_embeddings++] = (struct use){ embedding, scales[i] * embedding->scale, i };
  }
  if (set->n_uses > 0)
    qsort (set->uses, set->n_uses, sizeof *set->uses, compare_uses);
}

int adapter_set_new (const struct engine_model *model, const struct engine_adapter *const *adapters,
                     const float *scales, size_t n_adapters, uint32_t n_tokens, struct adapter_set **set,
                     struct engine_error *error)
{
  for (size_t i = 0; i < n_adapters; i++) {
    if (adapters[i]->model != model)
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "The adapter was opened for another model than the one that it is used with.");
    if (!isfinite (scales[i]))
      return engine_error_set (error, ENGINE_ERROR_RANGE, "An adapter's scale must be a finite number.");
  }
  const struct sizes sizes = count_sizes (adapters, scales, n_adapters);
  const uint32_t n_block = n_tokens < BLOCK_TOKENS ? n_tokens : BLOCK_TOKENS;
  if (sizes.n_uses + sizes.n_embeddings == 0) {
    *set = NULL;
    return ENGINE_OK;
  }
  struct arena arena = { 0 };
  lay_out (&sizes, n_block, &arena);
  const struct memory_limits limits = memory_read_limits ("");
  int status = memory_check (&limits, model, "Applying the adapters", arena.used, 0, 1, error);
  if (status != ENGINE_OK)
    return status;
  char *memory = aligned_alloc (ARENA_ALIGNMENT, arena.used);
  if (!memory)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "Applying the adapters needs %.1f MB of memory, which the system refuses.",
                             (double)arena.used / 1e6);
  arena = (struct arena){ .base = memory };
  struct adapter_set *made = lay_out (&sizes, n_block, &arena);
  fill (made, adapters, scales, n_adapters);
  *set = made;
  return ENGINE_OK;
}

void adapter_set_free (struct adapter_set *set)
{
  free (set); /* the start of its one block of memory */
}

/* ---- applying -------------------------------------------------------------------------------------------- */

/* out[row] += scale * delta[row] */
struct sum {
  const float *delta;
  float scale;
  float *out;
  size_t n_items, out_stride;
};

static void add_row (void *data, uint32_t row)
{
  const struct sum *sum = data;
  add_scaled (sum->out + row * sum->out_stride, sum->scale, sum->delta + row * sum->n_items, sum->n_items);
}

static void add_delta (const struct adapter_set *set, struct pool *pool, const struct matrix *b, float scale,
                       uint32_t n_tokens, float *out, size_t out_stride, bool exact, const atomic_bool *cancel)
{
  matmul (pool, b, set->inner, b->n_cols, n_tokens, set->delta, b->n_rows, exact, set->scratch, cancel);
  if (cancel && atomic_load_explicit (cancel, memory_order_relaxed))
    return; /* what was added is undefined */
  struct sum sum = { set->delta, scale, out, b->n_rows, out_stride };
  rows_run (pool, n_tokens, add_row, &sum);
}

static const void *skip_rows (const struct matrix *matrix, uint64_t n_rows)
{
  return (const char *)matrix->data + n_rows * tensor_type_row_bytes (matrix->type, matrix->n_cols);
}

/* The first use whose base tensor ends behind `address`. */
static size_t find_use (const struct adapter_set *set, uintptr_t address)
{
  size_t low = 0, high = set->n_uses;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const struct adapter_pair *pair = set->uses[middle].pair;
    if (pair->base + pair->base_bytes > address)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

void adapter_set_project (const struct adapter_set *set, struct pool *pool, const struct matrix *w, const float *x,
                          size_t x_stride, uint32_t n_tokens, float *out, size_t out_stride, bool exact,
                          const atomic_bool *cancel)
{
  const uintptr_t address = (uintptr_t)w->data;
  for (size_t i = find_use (set, address); i < set->n_uses && set->uses[i].pair->base <= address; i++) {
    const struct use *use = &set->uses[i];
    const struct adapter_pair *pair = use->pair;
    const uint64_t row = (address - pair->base) / pair->base_row_bytes, slab = row / pair->b.n_rows;
    struct matrix a = pair->a, b = pair->b;
    a.data = skip_rows (&pair->a, slab * pair->a.n_rows);
    b.data = skip_rows (&pair->b, row);
    b.n_rows = w->n_rows;
    for (uint32_t first = 0; first < n_tokens; first += set->n_block) {
      const uint32_t n = n_tokens - first < set->n_block ? n_tokens - first : set->n_block;
      matmul (pool, &a, x + first * x_stride, x_stride, n, set->inner, a.n_rows, exact, set->scratch, cancel);
      add_delta (set, pool, &b, use->scale, n, out + first * out_stride, out_stride, exact, cancel);
    }
  }
}

void adapter_set_embed (const struct adapter_set *set, struct pool *pool, const int32_t *ids, uint32_t n_tokens,
                        float factor, float *out, bool exact, const atomic_bool *cancel)
{
  for (size_t i = 0; i < set->n_embeddings; i++) {
    const struct adapter_pair *pair = set->embeddings[i].pair;
    const size_t rank = pair->b.n_cols, n_embd = pair->b.n_rows;
    for (uint32_t first = 0; first < n_tokens; first += set->n_block) {
      const uint32_t n = n_tokens - first < set->n_block ? n_tokens - first : set->n_block;
      for (uint32_t t = 0; t < n; t++)
        matrix_get_row (&pair->a, (uint32_t)ids[first + t], set->inner + t * rank);
      add_delta (set, pool, &pair->b, set->embeddings[i].scale * factor, n, out + first * n_embd, n_embd, exact,
                 cancel);
    }
  }
}
