/* arena.h: one allocation, cut into aligned pieces whose sizes are known beforehand.
 *
 * The same function plans and hands out: with base NULL arena_take() only counts, so the bytes that are announced
 * and the bytes that are used cannot differ. */
#ifndef LECTERN_ARENA_H
#define LECTERN_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_ALIGNMENT 64

struct arena {
  char *base;    /* NULL: counting */
  uint64_t used; /* bytes; saturates at UINT64_MAX */
};

/* n_items of item_bytes each; NULL while counting. */
static inline void *arena_take (struct arena *arena, uint64_t n_items, uint64_t item_bytes)
{
  uint64_t bytes, end;
  char *piece = arena->base ? arena->base + arena->used : NULL;
  if (__builtin_mul_overflow (n_items, item_bytes, &bytes)
      || __builtin_add_overflow (bytes, ARENA_ALIGNMENT - 1, &bytes)
      || __builtin_add_overflow (arena->used, bytes / ARENA_ALIGNMENT * ARENA_ALIGNMENT, &end))
    end = UINT64_MAX / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
  arena->used = end;
  return piece;
}

#endif
