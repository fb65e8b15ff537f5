#include "engine/tokenizer/pretokenizer.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/utf8.h"

/* The patterns need a few steps per character; what needs more is an attack on the matcher. */
#define MATCH_LIMIT ((uint32_t)1 << 24)

/* Set in a length: not UTF-8, no pattern looks at it. */
#define RAW ((uint32_t)1 << 31)

struct pretokenizer {
  const struct pretokenizer_row *row;
  pcre2_code *codes[PRETOKENIZER_MAX_PATTERNS];
  pcre2_match_context *context;
  size_t n_codes;
};

static const struct pretokenizer_row *find_row (struct gguf_string pre)
{
  if (pre.length == 0)
    pre = (struct gguf_string){ "default", strlen ("default") };
  for (size_t i = 0; i < pretokenizer_n_rows; i++) {
    const struct pretokenizer_row *row = &pretokenizer_rows[i];
    for (size_t j = 0; j < sizeof row->names / sizeof *row->names && row->names[j]; j++)
      if (strlen (row->names[j]) == pre.length && memcmp (row->names[j], pre.bytes, pre.length) == 0)
        return row;
  }
  return NULL;
}

int pretokenizer_new (struct gguf_string pre, struct pretokenizer **pretokenizer, struct engine_error *error)
{
  const struct pretokenizer_row *row = find_row (pre);
  if (!row)
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The model's pre-tokenizer \"%.*s\" (tokenizer.ggml.pre) is not known to this version; use a "
        "model of another family.",
        pre.length > 60 ? 60 : (int)pre.length, pre.bytes);
  struct pretokenizer *made = calloc (1, sizeof *made);
  if (!made)
    return tokenizer_no_memory (error);
  made->row = row;
  made->context = pcre2_match_context_create (NULL);
  if (!made->context)
    goto no_memory;
  pcre2_set_match_limit (made->context, MATCH_LIMIT);
  for (; made->n_codes < PRETOKENIZER_MAX_PATTERNS && row->patterns[made->n_codes]; made->n_codes++) {
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled = pcre2_compile ((PCRE2_SPTR)row->patterns[made->n_codes], PCRE2_ZERO_TERMINATED,
                                          PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
    if (!compiled)
      goto no_memory; /* the table's patterns are tested, so that this is all that can be wrong */
    made->codes[made->n_codes] = compiled;
    /* Where the system forbids writable code pages there is no JIT; the interpreter gives the same result. */
    pcre2_jit_compile (compiled, PCRE2_JIT_COMPLETE);
  }
  *pretokenizer = made;
  return ENGINE_OK;
no_memory:
  pretokenizer_free (made);
  return tokenizer_no_memory (error);
}

void pretokenizer_free (struct pretokenizer *pretokenizer)
{
  if (!pretokenizer)
    return;
  for (size_t i = 0; i < PRETOKENIZER_MAX_PATTERNS; i++)
    pcre2_code_free (pretokenizer->codes[i]);
  pcre2_match_context_free (pretokenizer->context);
  free (pretokenizer);
}

const struct pretokenizer_row *pretokenizer_get_row (const struct pretokenizer *pretokenizer)
{
  return pretokenizer->row;
}

void pretokenizer_pieces_release (struct pretokenizer_pieces *pieces)
{
  free (pieces->lengths);
  free (pieces->spare);
  memset (pieces, 0, sizeof *pieces);
}

/* Appends to the spare list. */
static bool append (struct pretokenizer_pieces *pieces, size_t length)
{
  if (length == 0)
    return true;
  if (pieces->n_spare == pieces->spare_capacity) {
    size_t capacity = pieces->spare_capacity ? 2 * pieces->spare_capacity : 256;
    uint32_t *grown = realloc (pieces->spare, capacity * sizeof *grown);
    if (!grown)
      return false;
    pieces->spare = grown;
    pieces->spare_capacity = capacity;
  }
  pieces->spare[pieces->n_spare++] = (uint32_t)length;
  return true;
}

static void swap (struct pretokenizer_pieces *pieces)
{
  uint32_t *lengths = pieces->lengths;
  size_t capacity = pieces->capacity;
  pieces->lengths = pieces->spare;
  pieces->capacity = pieces->spare_capacity;
  pieces->n = pieces->n_spare;
  pieces->spare = lengths;
  pieces->spare_capacity = capacity;
  pieces->n_spare = 0;
}

static bool cut_invalid (struct pretokenizer_pieces *pieces, const char *text, size_t length)
{
  size_t at = 0, start = 0;
  while (at < length) {
    size_t n = (uint8_t)text[at] < 0x80 ? 1 : utf8_decode (text + at, length - at, NULL);
    if (n) {
      at += n;
      continue;
    }
    size_t bad = at;
    while (at < length && utf8_decode (text + at, length - at, NULL) == 0)
      at++;
    if (!append (pieces, bad - start) || !append (pieces, (at - bad) | RAW))
      return false;
    start = at;
  }
  return append (pieces, at - start);
}

/* Digits as they are read: 12|345|678. */
static bool append_grouped (struct pretokenizer_pieces *pieces, const char *text, size_t length)
{
  size_t n_characters = 0, start = 0;
  for (size_t i = 0; i < length; i++)
    n_characters += ((uint8_t)text[i] & 0xC0) != 0x80;
  for (size_t i = 0; i < length; i++) {
    if (((uint8_t)text[i] & 0xC0) == 0x80)
      continue;
    if (n_characters-- % 3 == 0) {
      if (!append (pieces, i - start))
        return false;
      start = i;
    }
  }
  return append (pieces, length - start);
}

/* Applies one pattern to one piece. */
static int cut_piece (const struct pretokenizer *pretokenizer, size_t pattern, pcre2_match_data *match,
                      struct pretokenizer_pieces *pieces, const char *text, size_t length, struct engine_error *error)
{
  const pcre2_code *code = pretokenizer->codes[pattern];
  bool grouped = pretokenizer->row->grouped == (int)pattern + 1;
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer (match);
  size_t at = 0;
  while (at < length) {
    int found = pcre2_match (code, (PCRE2_SPTR)text, length, at, PCRE2_NO_UTF_CHECK, match, pretokenizer->context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
      found = pcre2_match (code, (PCRE2_SPTR)text, length, at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match,
                           pretokenizer->context);
    if (found == PCRE2_ERROR_NOMATCH)
      break;
    if (found == PCRE2_ERROR_NOMEMORY)
      return tokenizer_no_memory (error);
    if (found < 0)
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "The text could not be cut into words (PCRE2 error %d); leave out its unusual parts.",
                               found);
    if (range[1] <= at) /* no pattern of the table matches nothing */
      break;
    if (!append (pieces, range[0] - at)
        || !(grouped ? append_grouped (pieces, text + range[0], range[1] - range[0])
                     : append (pieces, range[1] - range[0])))
      return tokenizer_no_memory (error);
    at = range[1];
  }
  return append (pieces, length - at) ? ENGINE_OK : tokenizer_no_memory (error);
}

int pretokenizer_split (const struct pretokenizer *pretokenizer, const char *text, size_t length,
                        struct pretokenizer_pieces *pieces, struct engine_error *error)
{
  int status = ENGINE_OK;
  pieces->n = pieces->n_spare = 0;
  if (length > PRETOKENIZER_MAX_BYTES)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The text is longer than 1 GiB; split it.");
  if (!cut_invalid (pieces, text, length))
    return tokenizer_no_memory (error);
  swap (pieces);
  pcre2_match_data *match = pcre2_match_data_create (1, NULL);
  if (!match)
    return tokenizer_no_memory (error);
  for (size_t i = 0; i < pretokenizer->n_codes && status == ENGINE_OK; i++) {
    size_t at = 0;
    for (size_t j = 0; j < pieces->n && status == ENGINE_OK; j++) {
      size_t n = pieces->lengths[j] & ~RAW;
      if (pieces->lengths[j] & RAW)
        status = append (pieces, pieces->lengths[j]) ? ENGINE_OK : tokenizer_no_memory (error);
      else
        status = cut_piece (pretokenizer, i, match, pieces, text + at, n, error);
      at += n;
    }
    swap (pieces);
  }
  pcre2_match_data_free (match);
  for (size_t j = 0; j < pieces->n; j++)
    pieces->lengths[j] &= ~RAW;
  return status;
}
