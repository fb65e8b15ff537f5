/* cursor.h: the one bounded cursor that all of a GGUF file is read through. Values are little-endian and copied out;
 * after a failed read the cursor has not moved. */
#ifndef LECTERN_CURSOR_H
#define LECTERN_CURSOR_H

#include "engine/gguf/gguf.h"
#include <string.h>

struct cursor {
  const uint8_t *bytes;
  size_t size, pos; /* pos <= size always */
};

static inline size_t cursor_get_left (const struct cursor *cursor)
{
  return cursor->size - cursor->pos;
}

/* *bytes borrows the next n bytes. */
static inline bool cursor_take (struct cursor *cursor, uint64_t n, const uint8_t **bytes)
{
  if (n > cursor_get_left (cursor))
    return false;
  *bytes = cursor->bytes + cursor->pos;
  cursor->pos += (size_t)n;
  return true;
}

static inline uint64_t load_le (const uint8_t *bytes, size_t n_bytes)
{
  uint64_t value = 0;
  for (size_t i = 0; i < n_bytes; i++)
    value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static inline bool cursor_read_u32 (struct cursor *cursor, uint32_t *value)
{
  const uint8_t *bytes;
  if (!cursor_take (cursor, 4, &bytes))
    return false;
  *value = (uint32_t)load_le (bytes, 4);
  return true;
}

static inline bool cursor_read_u64 (struct cursor *cursor, uint64_t *value)
{
  const uint8_t *bytes;
  if (!cursor_take (cursor, 8, &bytes))
    return false;
  *value = load_le (bytes, 8);
  return true;
}

/* A 64-bit length and as many bytes. */
static inline bool cursor_read_string (struct cursor *cursor, struct gguf_string *string)
{
  struct cursor next = *cursor;
  uint64_t length;
  const uint8_t *bytes;
  if (!cursor_read_u64 (&next, &length) || !cursor_take (&next, length, &bytes))
    return false;
  string->bytes = (const char *)bytes;
  string->length = (size_t)length;
  *cursor = next;
  return true;
}

#endif
