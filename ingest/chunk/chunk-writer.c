#include "ingest/chunk/chunk-writer.h"

#include <string.h>

static const LecternSection *section_at (const LecternChunkWriter *writer, int index)
{
  return index < 0 ? NULL : g_ptr_array_index (writer->sections, (guint)index);
}

static gboolean encloses (const LecternChunkWriter *writer, int outer, int inner)
{
  while (inner > outer)
    inner = section_at (writer, inner)->parent;
  return inner == outer;
}

static int common_section (const LecternChunkWriter *writer, const LecternPiece *pieces, guint n)
{
  int section = pieces[n - 1].section;
  gboolean body_only = FALSE;
  for (guint i = 0; i < n; i++)
    body_only |= !pieces[i].heading;
  for (guint i = 0; i < n; i++) {
    if (body_only && pieces[i].heading)
      continue;
    while (section >= 0 && !encloses (writer, section, pieces[i].section))
      section = section_at (writer, section)->parent;
  }
  return section;
}

/* Whether two spans stand next to each other on one line of print. */
static gboolean joins (const LecternRect *a, const LecternRect *b)
{
  if (a->page != b->page)
    return FALSE;
  float top = MAX (a->y, b->y), bottom = MIN (a->y + a->height, b->y + b->height);
  /* An exponent keeps a rectangle of its own: one around both would reach into the line above. */
  float height = MAX (a->height, b->height);
  float gap = b->x - (a->x + a->width);
  return bottom - top >= 0.6f * height && gap <= 1.5f * MAX (a->height, b->height) && gap >= -a->height;
}

static void unite (LecternRect *a, const LecternRect *b)
{
  float right = MAX (a->x + a->width, b->x + b->width), bottom = MAX (a->y + a->height, b->y + b->height);
  a->x = MIN (a->x, b->x);
  a->y = MIN (a->y, b->y);
  a->width = right - a->x;
  a->height = bottom - a->y;
}

/* Adds the block's spans within [start, end), which now stand at `offset` in the chunk. */
static void add_spans (LecternChunk *chunk, const LecternBlock *block, guint32 start, guint32 end, guint32 offset)
{
  if (!block->spans)
    return;
  const LecternSpan *spans = (const LecternSpan *)(void *)block->spans->data;
  guint low = 0, high = block->spans->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (spans[middle].start + spans[middle].length <= start)
      low = middle + 1;
    else
      high = middle;
  }
  for (guint i = low; i < block->spans->len && spans[i].start < end; i++) {
    LecternSpan span = spans[i];
    guint32 from = MAX (span.start, start), to = MIN (span.start + span.length, end);
    if (from >= to)
      continue;
    if (to - from < span.length) { /* a part of a word or, in CJK, of a line: the share of its width */
      float unit = span.rect.width / (float)span.length;
      span.rect.x += unit * (float)(from - span.start);
      span.rect.width = unit * (float)(to - from);
    }
    span.start = offset + (from - start);
    span.length = to - from;
    LecternSpan *last = chunk->spans->len ? &g_array_index (chunk->spans, LecternSpan, chunk->spans->len - 1) : NULL;
    if (last && joins (&last->rect, &span.rect)) {
      last->length = span.start + span.length - last->start;
      unite (&last->rect, &span.rect);
    } else {
      g_array_append_val (chunk->spans, span);
    }
  }
}

static void see_page (LecternChunk *chunk, int page)
{
  if (page <= 0)
    return;
  chunk->page = chunk->page ? MIN (chunk->page, page) : page;
  chunk->page_last = MAX (chunk->page_last, page);
}

static const char *separator (const LecternBlock *before, const LecternBlock *block)
{
  if (before->kind == block->kind && (block->kind == LECTERN_BLOCK_LIST_ITEM || block->kind == LECTERN_BLOCK_TABLE_ROW))
    return "\n";
  return before->kind == LECTERN_BLOCK_HEADING ? "\n" : "\n\n";
}

void lectern_chunk_writer_write (LecternChunkWriter *writer, const LecternPiece *pieces, guint n_pieces)
{
  g_return_if_fail (n_pieces > 0);
  LecternChunk *chunk = lectern_chunk_new ();
  chunk->section = common_section (writer, pieces, n_pieces);
  g_autoptr (GString) text = g_string_new (NULL);
  const LecternPiece *before = NULL;

  for (guint h = 0; h < pieces[0].n_header; h++) {
    const LecternBlock *row = g_ptr_array_index (writer->blocks, pieces[0].header_first + h);
    g_string_append (text, row->text);
    g_string_append_c (text, '\n');
  }
  for (guint i = 0; i < n_pieces; i++) {
    const LecternPiece *piece = &pieces[i];
    const LecternBlock *block = g_ptr_array_index (writer->blocks, piece->block);
    gboolean last = i + 1 == n_pieces;
    if (piece->heading && encloses (writer, piece->section, chunk->section) && !(last && text->len == 0))
      continue;
    guint32 from = piece->start;
    if (before && before->block == piece->block)
      from = before->end;
    else if (before)
      g_string_append (text, separator (g_ptr_array_index (writer->blocks, before->block), block));
    guint32 offset = (guint32)text->len;
    g_string_append_len (text, block->text + from, piece->end - from);
    guint n_spans = chunk->spans->len;
    add_spans (chunk, block, from, piece->end, offset);
    if (block->spans && block->spans->len > 0) {
      for (guint s = n_spans ? n_spans - 1 : 0; s < chunk->spans->len; s++)
        see_page (chunk, g_array_index (chunk->spans, LecternSpan, s).rect.page);
    } else {
      see_page (chunk, block->page);
    }
    before = piece;
  }
  g_free (chunk->text);
  chunk->n_tokens = lectern_count_tokens (text->str, (gssize)text->len);
  chunk->text = g_string_free (g_steal_pointer (&text), FALSE);
  g_ptr_array_add (writer->chunks, chunk);
}
