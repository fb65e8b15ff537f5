#include "count-writer.h"

#include <stdlib.h>
#include <string.h>

static void check (gboolean holds)
{
  if (!holds)
    abort ();
}

static void check_text (const char *text)
{
  check (text && g_utf8_validate (text, -1, NULL));
}

void emit_title (Writer *writer, const char *title)
{
  check_text (title);
}

void emit_author (Writer *writer, const char *author)
{
  check_text (author);
}

void emit_date (Writer *writer, const char *date)
{
  check (strlen (date) >= 10 && date[4] == '-' && date[7] == '-');
}

void emit_language (Writer *writer, const char *language)
{
  check (language != NULL);
}

void emit_page_count (Writer *writer, int n_pages)
{}

void emit_warning (Writer *writer, const char *format, ...)
{}

void emit_finding (Writer *writer, LecternFindingKind kind, int page, guint64 amount, const char *detail)
{
  writer->n_cut += kind == LECTERN_FINDING_CUT;
}

/* Every byte is read, so that a sanitizer sees a range that is too long. */
void emit_attachment (Writer *writer, const char *name, const guint8 *bytes, gsize size)
{
  check_text (name);
  check (name[0] != '\0' && !strchr (name, '/') && size > 0);
  guint8 sum = 0;
  for (gsize i = 0; i < size; i++)
    sum ^= bytes[i];
  writer->n_attachments += 1 + (sum & 0);
}

void emit_block_text (Writer *writer, LecternBlockKind kind, int level, const char *text)
{
  check_text (text);
  check (kind < LECTERN_N_BLOCK_KINDS && (kind != LECTERN_BLOCK_HEADING || (level >= 1 && level <= 6)));
  writer->n_blocks += text[0] != '\0';
  writer->text_bytes += strlen (text);
}

void emit_block (Writer *writer, const LecternBlock *block)
{
  emit_block_text (writer, block->kind, block->level, block->text);
}

guint emit_count_blocks (Writer *writer)
{
  return writer->n_blocks;
}
