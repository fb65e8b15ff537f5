/* metadata_reader.h: the metadata of one architecture, whose keys all begin with its name. */
#ifndef LECTERN_METADATA_READER_H
#define LECTERN_METADATA_READER_H

#include "engine/error.h"
#include "engine/model/model.h"
#include <stdio.h>
#include <string.h>

struct metadata_reader {
  const struct gguf *gguf;
  const char *prefix;
  char key[160];
};

/* The whole key, until the next call. */
static inline const char *metadata_key (struct metadata_reader *reader, const char *suffix)
{
  snprintf (reader->key, sizeof reader->key, "%s.%s", reader->prefix, suffix);
  return reader->key;
}

/* False, and *value as it was, where the key is absent or of another kind. */
static inline bool metadata_read_u32 (struct metadata_reader *reader, const char *suffix, uint32_t *value)
{
  return gguf_get_u32 (reader->gguf, metadata_key (reader, suffix), value);
}

static inline bool metadata_read_f32 (struct metadata_reader *reader, const char *suffix, float *value)
{
  return gguf_get_f32 (reader->gguf, metadata_key (reader, suffix), value);
}

static inline bool metadata_read_bool (struct metadata_reader *reader, const char *suffix, bool *value)
{
  return gguf_get_bool (reader->gguf, metadata_key (reader, suffix), value);
}

static inline int metadata_bad (struct metadata_reader *reader, const char *suffix, struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_FORMAT,
                           "The metadata %s is missing or out of range: the file is damaged or was converted wrongly.",
                           metadata_key (reader, suffix));
}

#endif
