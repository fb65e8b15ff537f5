#include "engine/tokenizer/merger.h"

#include <stdlib.h>
#include <string.h>

struct merger_candidate {
  uint64_t order; /* priority << 32 | left, so that one comparison decides */
  int32_t right;
  int32_t id;
  uint32_t length; /* of both symbols when this was pushed: a mismatch later means that it is out of date */
};

void merger_release (struct merger *merger)
{
  free (merger->symbols);
  free (merger->heap);
  memset (merger, 0, sizeof *merger);
}

void merger_start (struct merger *merger)
{
  merger->n_symbols = 0;
}

bool merger_append (struct merger *merger, const char *bytes, uint32_t length, int32_t id)
{
  if (merger->n_symbols == merger->symbols_capacity) {
    size_t capacity = merger->symbols_capacity ? 2 * merger->symbols_capacity : 64;
    struct merger_symbol *grown = realloc (merger->symbols, capacity * sizeof *grown);
    if (!grown)
      return false;
    merger->symbols = grown;
    merger->symbols_capacity = capacity;
  }
  int32_t index = (int32_t)merger->n_symbols++;
  merger->symbols[index] = (struct merger_symbol){ bytes, length, id, index - 1, index + 1 };
  return true;
}

static bool push (struct merger *merger, struct merger_candidate candidate)
{
  if (merger->n_heap == merger->heap_capacity) {
    size_t capacity = merger->heap_capacity ? 2 * merger->heap_capacity : 64;
    struct merger_candidate *grown = realloc (merger->heap, capacity * sizeof *grown);
    if (!grown)
      return false;
    merger->heap = grown;
    merger->heap_capacity = capacity;
  }
  size_t i = merger->n_heap++;
  while (i > 0 && merger->heap[(i - 1) / 2].order > candidate.order) {
    merger->heap[i] = merger->heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  merger->heap[i] = candidate;
  return true;
}

static struct merger_candidate pop (struct merger *merger)
{
  struct merger_candidate top = merger->heap[0], last = merger->heap[--merger->n_heap];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= merger->n_heap)
      break;
    if (child + 1 < merger->n_heap && merger->heap[child + 1].order < merger->heap[child].order)
      child++;
    if (merger->heap[child].order >= last.order)
      break;
    merger->heap[i] = merger->heap[child];
    i = child;
  }
  merger->heap[i] = last;
  return top;
}

static bool consider (struct merger *merger, int32_t left, int32_t right, merger_find_func find, const void *context)
{
  if (left < 0 || right < 0)
    return true;
  const struct merger_symbol *l = &merger->symbols[left], *r = &merger->symbols[right];
  uint32_t priority;
  int32_t id;
  if (!find (context, l, r, &priority, &id))
    return true;
  return push (merger, (struct merger_candidate){ .order = (uint64_t)priority << 32 | (uint32_t)left,
                                                  .right = right,
                                                  .id = id,
                                                  .length = l->length + r->length });
}

bool merger_run (struct merger *merger, merger_find_func find, const void *context)
{
  size_t n = merger->n_symbols;
  merger->n_heap = 0;
  if (n == 0)
    return true;
  merger->symbols[n - 1].next = -1;
  for (size_t i = 1; i < n; i++)
    if (!consider (merger, (int32_t)i - 1, (int32_t)i, find, context))
      return false;
  while (merger->n_heap > 0) {
    struct merger_candidate best = pop (merger);
    int32_t left_index = (int32_t)(uint32_t)best.order;
    struct merger_symbol *left = &merger->symbols[left_index], *right = &merger->symbols[best.right];
    if (left->length == 0 || right->length == 0 || left->next != best.right
        || left->length + right->length != best.length)
      continue;
    left->length += right->length;
    left->id = best.id;
    left->next = right->next;
    right->length = 0;
    if (left->next >= 0)
      merger->symbols[left->next].previous = left_index;
    if (!consider (merger, left->previous, left_index, find, context)
        || !consider (merger, left_index, left->next, find, context))
      return false;
  }
  return true;
}
