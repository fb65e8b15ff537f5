#include "engine/tokenizer/tokens.h"

#include <stdlib.h>
#include <string.h>

bool engine_tokens_append (struct engine_tokens *tokens, int32_t id)
{
  if (tokens->n == tokens->capacity) {
    size_t capacity = tokens->capacity ? 2 * tokens->capacity : 64;
    if (capacity > SIZE_MAX / sizeof *tokens->ids)
      return false;
    int32_t *grown = realloc (tokens->ids, capacity * sizeof *grown);
    if (!grown)
      return false;
    tokens->ids = grown;
    tokens->capacity = capacity;
  }
  tokens->ids[tokens->n++] = id;
  return true;
}

void engine_tokens_clear (struct engine_tokens *tokens)
{
  free (tokens->ids);
  memset (tokens, 0, sizeof *tokens);
}
