/* fuzz-query.c: whatever is typed, searching never fails, and no result holds less than it must. */
#include "retrieval/retrieval.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static LecternLibrary *make_library (void)
{
  static const char *const rows[][2] = {
    { "en", "The fox cleaned the drain filter of the e-mail server DC68-04130A, version 3.14, with foo_bar.c." },
    { "de", "Die Häuser in der Straße sind nicht die unsrigen." },
    { "zh", "洗衣机的排水过滤器需要每个月清洗一次。" },
    { "", "AND OR NOT NEAR title body heading a b c 1 2 3" },
  };
  LecternLibrary *library = lectern_library_open_memory (NULL);
  for (gsize i = 0; library && i < G_N_ELEMENTS (rows); i++) {
    LecternDraft *draft = lectern_draft_new ();
    LecternChunk *chunk = lectern_chunk_new ();
    draft->path = g_strdup_printf ("/%d", (int)i);
    draft->hash = g_strdup (draft->path);
    draft->language = *rows[i][0] ? g_strdup (rows[i][0]) : NULL;
    chunk->text = g_strdup (rows[i][1]);
    g_ptr_array_add (draft->chunks, chunk);
    if (!lectern_library_store (library, draft, NULL, NULL))
      abort ();
    lectern_draft_free (draft);
  }
  return library;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static LecternLibrary *library;
  g_autoptr (GError) error = NULL;
  if (!library && !(library = make_library ()))
    abort ();
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (GPtrArray) results = lectern_search (library, text, NULL, NULL, &error);
  if (!results || error)
    abort ();
  for (guint i = 0; i < results->len; i++) {
    const LecternResult *result = g_ptr_array_index (results, i);
    if (result->rank != i + 1 || !result->path || !result->text || !result->heading || !result->spans)
      abort ();
  }
  return 0;
}
