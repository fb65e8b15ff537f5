/* tiny-generator.h: libraries and generators small enough to ask in a test: random weights, bytes as tokens, chatml. */
#ifndef LECTERN_TINY_GENERATOR_H
#define LECTERN_TINY_GENERATOR_H

#include "retrieval/retrieval.h"
#include <stdint.h>

enum { TINY_CONTEXT_TOKENS = 4096 };

typedef enum {
  TINY_LLAMA,
  TINY_LFM2, /* with recurrent state */
} TinyKind;

/* Writes dir/models/NAME; the path. */
char *tiny_generator_save (const char *dir, const char *name, TinyKind kind, uint64_t seed);

/* A document of these chunks (NULL-terminated), each a page of its own. */
void tiny_library_store (LecternLibrary *library, const char *path, const char *language, const char *const *chunks);

/* A new folder, and the end of it with all that is in it. */
char *tiny_dir_new (void);
void tiny_dir_remove (char *dir);

#endif
