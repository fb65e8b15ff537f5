#include "engine/tokenizer/detokenize.h"

#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/no_memory.h"

void detokenizer_init (struct detokenizer *detokenizer, const struct tokenizer *tokenizer, bool with_special)
{
  *detokenizer = (struct detokenizer){ tokenizer, with_special, tokenizer_drops_first_space (tokenizer) };
}

const char *detokenizer_next (struct detokenizer *detokenizer, int32_t id, size_t *length)
{
  const struct tokenizer *tokenizer = detokenizer->tokenizer;
  const char *piece = tokenizer_get_piece (tokenizer, id, detokenizer->with_special, length);
  if (tokenizer_is_special (tokenizer, id)) {
    detokenizer->drop_space = tokenizer_drops_first_space (tokenizer);
    return piece;
  }
  if (*length > 0) {
    if (detokenizer->drop_space && piece[0] == ' ') {
      piece++;
      --*length;
    }
    detokenizer->drop_space = false;
  }
  return piece;
}

int tokenizer_decode (const struct tokenizer *tokenizer, const int32_t *ids, size_t n_ids, bool with_special,
                      char **text, size_t *length, struct engine_error *error)
{
  struct detokenizer detokenizer;
  size_t total = 0, n;
  detokenizer_init (&detokenizer, tokenizer, with_special);
  for (size_t i = 0; i < n_ids; i++) {
    detokenizer_next (&detokenizer, ids[i], &n);
    if (n > SIZE_MAX / 2 - total)
      return tokenizer_no_memory (error);
    total += n;
  }
  char *made = malloc (total + 1);
  if (!made)
    return tokenizer_no_memory (error);
  detokenizer_init (&detokenizer, tokenizer, with_special);
  total = 0;
  for (size_t i = 0; i < n_ids; i++) {
    const char *piece = detokenizer_next (&detokenizer, ids[i], &n);
    memcpy (made + total, piece, n);
    total += n;
  }
  made[total] = '\0';
  *text = made;
  if (length)
    *length = total;
  return ENGINE_OK;
}
