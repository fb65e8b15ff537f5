/* gguf-private.h: what the parts of the GGUF reader share. */
#ifndef LECTERN_GGUF_PRIVATE_H
#define LECTERN_GGUF_PRIVATE_H

#include "engine/gguf/cursor.h"

/* One metadata entry. `value` borrows from the file: a scalar's bytes, a string's contents, or an array's items. */
struct gguf_entry {
  struct gguf_string key;
  enum gguf_kind kind, item_kind; /* item_kind only if kind is GGUF_ARRAY */
  uint64_t n_items;               /* of an array; the length of a string; else 1 */
  const uint8_t *value;
  size_t value_bytes;
  size_t *marks; /* arrays of strings: offset into `value` of every GGUF_MARK_ITEMS-th string */
};

#define GGUF_MARK_ITEMS 64

/* Names in byte order, for lookup and to find duplicates: sorting has no bad inputs, as hashing has. */
struct gguf_name {
  struct gguf_string name;
  uint64_t index;
};

struct gguf {
  uint32_t version;
  const uint8_t *bytes;
  size_t size;
  bool mapped; /* bytes are to be unmapped */
  uint64_t n_entries, n_tensors;
  struct gguf_entry *entries;
  struct gguf_tensor *tensors;
  struct gguf_name *entry_names, *tensor_names;
  struct gguf **parts; /* of a split model, from the second on; the tables above then cover all of them */
  size_t n_parts;
};

/* Bytes of a scalar of `kind`; 0 for strings, arrays and numbers outside the enum. */
size_t gguf_kind_bytes (uint32_t kind);

/* UINT64_MAX if absent. */
uint64_t gguf_find_name (const struct gguf_name *names, uint64_t n_names, const char *name);

/* Sorts the names; returns the first that occurs twice, or NULL. */
const struct gguf_name *gguf_sort_names (struct gguf_name *names, uint64_t n_names);

/* One file's bytes, which outlive the result or, if `mapped`, belong to it, even after a failure. */
int gguf_parse (const void *bytes, size_t size, bool mapped, struct gguf **gguf, struct engine_error *error);

/* Maps and reads one file, which may be a part. */
int gguf_open_file (const char *path, struct gguf **gguf, struct engine_error *error);

/* If *gguf, read from `path`, is a part of a split model, opens the others and puts the whole in its place. Closes *gguf
 * after a failure. */
int gguf_join_parts (const char *path, struct gguf **gguf, struct engine_error *error);

/* What bytes that do not begin with "GGUF" seem to be and what to do; never NULL. */
const char *gguf_explain_other (const uint8_t *bytes, size_t size);

/* Reads the value of `entry` (its key is set) from the cursor and checks it. */
int gguf_entry_read (struct gguf_entry *entry, struct cursor *cursor, struct engine_error *error);

/* For "%.*s" of a name in a message: untrusted names can be long. */
static inline int gguf_print_length (struct gguf_string name)
{
  return name.length < 80 ? (int)name.length : 80;
}

#endif
