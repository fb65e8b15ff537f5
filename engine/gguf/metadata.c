/* metadata.c: the values of a GGUF file's metadata: checked while the file is opened, converted when asked for. */
#include "engine/gguf/gguf-private.h"
#include "engine/error.h"
#include <stdlib.h>

size_t gguf_kind_bytes (uint32_t kind)
{
  static const uint8_t bytes[GGUF_N_KINDS] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,   [GGUF_U16] = 2, [GGUF_I16] = 2, [GGUF_U32] = 4, [GGUF_I32] = 4,
    [GGUF_F32] = 4, [GGUF_BOOL] = 1, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
  };
  return kind < GGUF_N_KINDS ? bytes[kind] : 0;
}

static bool all_bools (const uint8_t *values, size_t n)
{
  uint8_t bits = 0;
  for (size_t i = 0; i < n; i++)
    bits |= values[i];
  return bits <= 1;
}

static int fail_damaged (const struct gguf_entry *entry, const char *what, struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_FORMAT, "Metadata \"%.*s\" of the GGUF file is damaged: %s.",
                           gguf_print_length (entry->key), entry->key.bytes, what);
}

static int read_string_array (struct gguf_entry *entry, struct cursor *cursor, struct engine_error *error)
{
  if (entry->n_items > cursor_get_left (cursor) / 8)
    return fail_damaged (entry, "it claims more strings than the file can hold", error);
  entry->marks = calloc ((size_t)entry->n_items / GGUF_MARK_ITEMS + 1, sizeof *entry->marks);
  if (!entry->marks)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the table of the GGUF file.");
  const size_t start = cursor->pos;
  for (uint64_t i = 0; i < entry->n_items; i++) {
    struct gguf_string string;
    if (i % GGUF_MARK_ITEMS == 0)
      entry->marks[i / GGUF_MARK_ITEMS] = cursor->pos - start;
    if (!cursor_read_string (cursor, &string))
      return fail_damaged (entry, "a string in it goes beyond the end of the file", error);
  }
  entry->value_bytes = cursor->pos - start;
  return ENGINE_OK;
}

static int read_array (struct gguf_entry *entry, struct cursor *cursor, struct engine_error *error)
{
  uint32_t item_kind;
  if (!cursor_read_u32 (cursor, &item_kind) || !cursor_read_u64 (cursor, &entry->n_items))
    return fail_damaged (entry, "the file ends inside it", error);
  entry->value = cursor->bytes + cursor->pos;
  if (item_kind == GGUF_ARRAY)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "Metadata \"%.*s\" of the GGUF file is an array of arrays, which cannot be read.",
                             gguf_print_length (entry->key), entry->key.bytes);
  if (item_kind >= GGUF_N_KINDS)
    return fail_damaged (entry, "its items are of an unknown kind", error);
  entry->item_kind = (enum gguf_kind)item_kind;
  if (item_kind == GGUF_STRING)
    return read_string_array (entry, cursor, error);
  const size_t item_bytes = gguf_kind_bytes (item_kind);
  if (entry->n_items > cursor_get_left (cursor) / item_bytes)
    return fail_damaged (entry, "it claims more items than the file can hold", error);
  entry->value_bytes = (size_t)entry->n_items * item_bytes;
  cursor->pos += entry->value_bytes;
  if (item_kind == GGUF_BOOL && !all_bools (entry->value, entry->value_bytes))
    return fail_damaged (entry, "a boolean is neither 0 nor 1", error);
  return ENGINE_OK;
}

int gguf_entry_read (struct gguf_entry *entry, struct cursor *cursor, struct engine_error *error)
{
  uint32_t kind;
  if (!cursor_read_u32 (cursor, &kind))
    return fail_damaged (entry, "the file ends inside it", error);
  if (kind >= GGUF_N_KINDS)
    return fail_damaged (entry, "it is of an unknown kind", error);
  entry->kind = (enum gguf_kind)kind;
  entry->n_items = 1;
  if (kind == GGUF_ARRAY)
    return read_array (entry, cursor, error);
  if (kind == GGUF_STRING) {
    struct gguf_string string;
    if (!cursor_read_string (cursor, &string))
      return fail_damaged (entry, "the file ends inside it", error);
    entry->value = (const uint8_t *)string.bytes;
    entry->value_bytes = string.length;
    entry->n_items = string.length;
    return ENGINE_OK;
  }
  entry->value_bytes = gguf_kind_bytes (kind);
  if (!cursor_take (cursor, entry->value_bytes, &entry->value))
    return fail_damaged (entry, "the file ends inside it", error);
  if (kind == GGUF_BOOL && !all_bools (entry->value, 1))
    return fail_damaged (entry, "a boolean is neither 0 nor 1", error);
  return ENGINE_OK;
}

/* ---- conversions ----------------------------------------------------------------------------------------- */

/* An integer of any width as sign and magnitude, so that each getter can check its own range. */
struct integer {
  bool negative;
  uint64_t bits; /* two's complement in 64 bits */
};

static bool load_integer (enum gguf_kind kind, const uint8_t *bytes, struct integer *value)
{
  const size_t n_bytes = gguf_kind_bytes (kind);
  const bool is_signed = kind == GGUF_I8 || kind == GGUF_I16 || kind == GGUF_I32 || kind == GGUF_I64;
  if (!is_signed && kind != GGUF_U8 && kind != GGUF_U16 && kind != GGUF_U32 && kind != GGUF_U64)
    return false;
  value->bits = load_le (bytes, n_bytes);
  value->negative = is_signed && (value->bits >> (8 * n_bytes - 1)) != 0;
  if (value->negative && n_bytes < 8)
    value->bits |= UINT64_MAX << (8 * n_bytes);
  return true;
}

static bool load_float (enum gguf_kind kind, const uint8_t *bytes, float *value)
{
  if (kind == GGUF_F32) {
    const uint32_t bits = (uint32_t)load_le (bytes, 4);
    memcpy (value, &bits, sizeof bits);
    return true;
  }
  if (kind == GGUF_F64) {
    const uint64_t bits = load_le (bytes, 8);
    double wide;
    memcpy (&wide, &bits, sizeof bits);
    if (wide > 3.4028234663852886e38 || wide < -3.4028234663852886e38)
      return false;
    *value = (float)wide;
    return true;
  }
  return false;
}

static const struct gguf_entry *find_entry (const struct gguf *gguf, const char *key)
{
  const uint64_t index = gguf_find_name (gguf->entry_names, gguf->n_entries, key);
  return index < gguf->n_entries ? &gguf->entries[index] : NULL;
}

static const struct gguf_entry *find_array (const struct gguf *gguf, const char *key)
{
  const struct gguf_entry *entry = find_entry (gguf, key);
  return entry && entry->kind == GGUF_ARRAY ? entry : NULL;
}

bool gguf_has_key (const struct gguf *gguf, const char *key)
{
  return find_entry (gguf, key) != NULL;
}

bool gguf_get_u64 (const struct gguf *gguf, const char *key, uint64_t *value)
{
  const struct gguf_entry *entry = find_entry (gguf, key);
  struct integer integer;
  if (!entry || !load_integer (entry->kind, entry->value, &integer) || integer.negative)
    return false;
  *value = integer.bits;
  return true;
}

bool gguf_get_u32 (const struct gguf *gguf, const char *key, uint32_t *value)
{
  uint64_t wide;
  if (!gguf_get_u64 (gguf, key, &wide) || wide > UINT32_MAX)
    return false;
  *value = (uint32_t)wide;
  return true;
}

bool gguf_get_f32 (const struct gguf *gguf, const char *key, float *value)
{
  const struct gguf_entry *entry = find_entry (gguf, key);
  return entry && load_float (entry->kind, entry->value, value);
}

bool gguf_get_bool (const struct gguf *gguf, const char *key, bool *value)
{
  const struct gguf_entry *entry = find_entry (gguf, key);
  if (!entry || entry->kind != GGUF_BOOL)
    return false;
  *value = entry->value[0] != 0;
  return true;
}

bool gguf_get_string (const struct gguf *gguf, const char *key, struct gguf_string *value)
{
  const struct gguf_entry *entry = find_entry (gguf, key);
  if (!entry || entry->kind != GGUF_STRING)
    return false;
  *value = (struct gguf_string){ (const char *)entry->value, entry->value_bytes };
  return true;
}

bool gguf_get_array (const struct gguf *gguf, const char *key, enum gguf_kind *item_kind, uint64_t *n_items)
{
  const struct gguf_entry *entry = find_array (gguf, key);
  if (!entry)
    return false;
  *item_kind = entry->item_kind;
  *n_items = entry->n_items;
  return true;
}

bool gguf_array_get_string (const struct gguf *gguf, const char *key, uint64_t index, struct gguf_string *value)
{
  const struct gguf_entry *entry = find_array (gguf, key);
  if (!entry || entry->item_kind != GGUF_STRING || index >= entry->n_items)
    return false;
  struct cursor cursor = { entry->value, entry->value_bytes, entry->marks[index / GGUF_MARK_ITEMS] };
  struct gguf_string string = { NULL, 0 };
  for (uint64_t i = 0; i <= index % GGUF_MARK_ITEMS; i++)
    if (!cursor_read_string (&cursor, &string))
      return false;
  *value = string;
  return true;
}

bool gguf_array_copy_strings (const struct gguf *gguf, const char *key, struct gguf_string *items, uint64_t n_items)
{
  const struct gguf_entry *entry = find_array (gguf, key);
  if (!entry || entry->item_kind != GGUF_STRING || entry->n_items != n_items)
    return false;
  struct cursor cursor = { entry->value, entry->value_bytes, 0 };
  for (uint64_t i = 0; i < n_items; i++)
    if (!cursor_read_string (&cursor, &items[i]))
      return false;
  return true;
}

bool gguf_array_copy_f32 (const struct gguf *gguf, const char *key, float *items, uint64_t n_items)
{
  const struct gguf_entry *entry = find_array (gguf, key);
  if (!entry || entry->n_items != n_items)
    return false;
  const size_t item_bytes = gguf_kind_bytes (entry->item_kind);
  for (uint64_t i = 0; i < n_items; i++)
    if (!load_float (entry->item_kind, entry->value + i * item_bytes, &items[i]))
      return false;
  return entry->item_kind == GGUF_F32 || entry->item_kind == GGUF_F64;
}

bool gguf_array_copy_i32 (const struct gguf *gguf, const char *key, int32_t *items, uint64_t n_items)
{
  const struct gguf_entry *entry = find_array (gguf, key);
  if (!entry || entry->n_items != n_items || entry->item_kind == GGUF_STRING)
    return false;
  const size_t item_bytes = gguf_kind_bytes (entry->item_kind);
  const enum gguf_kind kind = entry->item_kind == GGUF_BOOL ? GGUF_U8 : entry->item_kind;
  for (uint64_t i = 0; i < n_items; i++) {
    struct integer integer;
    if (!load_integer (kind, entry->value + i * item_bytes, &integer))
      return false;
    if (integer.negative ? integer.bits < (uint64_t)INT32_MIN : integer.bits > INT32_MAX)
      return false;
    items[i] = (int32_t)(uint32_t)integer.bits;
  }
  return kind != GGUF_F32 && kind != GGUF_F64;
}
