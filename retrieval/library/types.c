#include "retrieval/retrieval.h"

G_DEFINE_QUARK (lectern - error - quark, lectern_error)

static const char *const status_words[] = {
  [LECTERN_STATUS_INDEXED] = "indexed",       [LECTERN_STATUS_UNCHANGED] = "unchanged",
  [LECTERN_STATUS_ENCRYPTED] = "encrypted",   [LECTERN_STATUS_NO_TEXT_LAYER] = "no text layer",
  [LECTERN_STATUS_DAMAGED] = "damaged",       [LECTERN_STATUS_EMPTY] = "empty",
  [LECTERN_STATUS_TOO_LARGE] = "too large",   [LECTERN_STATUS_UNSUPPORTED] = "unsupported",
  [LECTERN_STATUS_UNREADABLE] = "unreadable", [LECTERN_STATUS_TIMED_OUT] = "timed out",
};
G_STATIC_ASSERT (G_N_ELEMENTS (status_words) == LECTERN_N_STATUSES);

const char *lectern_status_to_string (LecternStatus status)
{
  return (guint)status < LECTERN_N_STATUSES ? status_words[status] : "unknown";
}

gboolean lectern_status_from_string (const char *word, LecternStatus *status)
{
  for (guint i = 0; i < LECTERN_N_STATUSES; i++)
    if (!g_strcmp0 (status_words[i], word)) {
      *status = (LecternStatus)i;
      return TRUE;
    }
  return FALSE;
}

LecternChunk *lectern_chunk_new (void)
{
  LecternChunk *chunk = g_new0 (LecternChunk, 1);
  chunk->section = -1;
  chunk->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  return chunk;
}

void lectern_chunk_free (LecternChunk *chunk)
{
  if (!chunk)
    return;
  g_free (chunk->text);
  g_clear_pointer (&chunk->spans, g_array_unref);
  g_free (chunk);
}

static void section_free (gpointer data)
{
  LecternSection *section = data;
  g_free (section->title);
  g_free (section);
}

LecternDraft *lectern_draft_new (void)
{
  LecternDraft *draft = g_new0 (LecternDraft, 1);
  draft->sections = g_ptr_array_new_with_free_func (section_free);
  draft->chunks = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_chunk_free);
  draft->warnings = g_ptr_array_new_with_free_func (g_free);
  draft->findings = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_finding_free);
  return draft;
}

void lectern_draft_free (LecternDraft *draft)
{
  if (!draft)
    return;
  g_free (draft->path);
  g_free (draft->hash);
  g_free (draft->error);
  g_free (draft->title);
  g_free (draft->type);
  g_free (draft->language);
  g_free (draft->author);
  g_free (draft->date);
  g_clear_pointer (&draft->sections, g_ptr_array_unref);
  g_clear_pointer (&draft->chunks, g_ptr_array_unref);
  g_clear_pointer (&draft->warnings, g_ptr_array_unref);
  g_clear_pointer (&draft->findings, g_ptr_array_unref);
  g_free (draft);
}

void lectern_document_free (LecternDocument *document)
{
  if (!document)
    return;
  g_free (document->path);
  g_free (document->title);
  g_free (document->type);
  g_free (document->language);
  g_free (document->error);
  g_free (document->hash);
  g_free (document->author);
  g_free (document->date);
  g_free (document);
}

void lectern_library_status_free (LecternLibraryStatus *status)
{
  if (!status)
    return;
  g_free (status->health);
  g_free (status);
}

void lectern_result_free (LecternResult *result)
{
  if (!result)
    return;
  g_free (result->path);
  g_free (result->title);
  g_free (result->text);
  g_strfreev (result->heading);
  g_clear_pointer (&result->spans, g_array_unref);
  g_free (result);
}
