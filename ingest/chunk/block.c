#include "ingest/ingest.h"

static const char *const kind_words[LECTERN_N_BLOCK_KINDS] = {
  [LECTERN_BLOCK_HEADING] = "heading",     [LECTERN_BLOCK_PARAGRAPH] = "paragraph",
  [LECTERN_BLOCK_LIST_ITEM] = "list item", [LECTERN_BLOCK_TABLE_ROW] = "table row",
  [LECTERN_BLOCK_CODE] = "code",           [LECTERN_BLOCK_CAPTION] = "caption",
};

const char *lectern_block_kind_to_string (LecternBlockKind kind)
{
  g_return_val_if_fail ((unsigned)kind < LECTERN_N_BLOCK_KINDS, NULL);
  return kind_words[kind];
}

void lectern_block_free (LecternBlock *block)
{
  if (!block)
    return;
  g_free (block->text);
  g_clear_pointer (&block->spans, g_array_unref);
  g_free (block);
}

void lectern_attachment_free (LecternAttachment *attachment)
{
  if (!attachment)
    return;
  g_free (attachment->name);
  g_clear_pointer (&attachment->bytes, g_bytes_unref);
  g_free (attachment);
}

void lectern_extraction_free (LecternExtraction *extraction)
{
  if (!extraction)
    return;
  g_free (extraction->error);
  g_free (extraction->type);
  g_free (extraction->title);
  g_free (extraction->language);
  g_free (extraction->author);
  g_free (extraction->date);
  g_clear_pointer (&extraction->blocks, g_ptr_array_unref);
  g_clear_pointer (&extraction->warnings, g_ptr_array_unref);
  g_clear_pointer (&extraction->findings, g_ptr_array_unref);
  g_clear_pointer (&extraction->attachments, g_ptr_array_unref);
  g_free (extraction);
}
