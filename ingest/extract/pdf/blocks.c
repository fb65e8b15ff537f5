/* blocks.c: from lines of print to headings, paragraphs, list items, captions and code, in reading order. What a line is is told
 * by headings.c and marks.c; here it is told where a block ends. */
#include "ingest/extract/pdf/print.h"

#include <math.h>
#include <string.h>

#define MAX_BLOCK_BYTES 32768u /* a longer one is cut at a line end */

typedef struct {
  const PdfDocument *document;
  Writer *writer;
  const PdfPage *page;
  const GArray *prints; /* of PdfPrint: of this page */
  LecternBlock *open;   /* the block that may go on */
  PdfPrint first, last; /* its first and last line */
  const PdfPage *last_page;
  gboolean soft_hyphen;
  gboolean single;                             /* it has one line so far */
  float code_left, code_advance, code_leading; /* of the open block of code, points */
  GArray *list_left;                           /* of float: the left edges of the nested lists that are open */
  char *table_header;                          /* of the table that was emitted last, if nothing came after it */
  guint forms;                                 /* emitted so far */
  GPtrArray *notes;                            /* of LecternBlock: footnotes that wait for the end of the open block */
  char *first_heading;
} Blocks;

/* ---- the open block -------------------------------------------------------------------------------------- */

/* Emits what the forms and comments of the pages before this one say. */
static void emit_forms (Blocks *blocks, int before_page)
{
  const GPtrArray *forms = blocks->document->forms;
  while (blocks->forms < forms->len && ((const LecternBlock *)forms->pdata[blocks->forms])->page < before_page)
    emit_block (blocks->writer, forms->pdata[blocks->forms++]);
}

/* Footnotes and forms come after the block: a paragraph that goes on over the page is not cut by them. */
static void close_block (Blocks *blocks)
{
  if (blocks->open) {
    emit_block (blocks->writer, blocks->open);
    if (blocks->open->kind == LECTERN_BLOCK_HEADING && !blocks->first_heading)
      blocks->first_heading = g_strdup (blocks->open->text);
    lectern_block_free (blocks->open);
    blocks->open = NULL;
  }
  for (guint i = 0; i < blocks->notes->len; i++)
    emit_block (blocks->writer, blocks->notes->pdata[i]);
  g_ptr_array_set_size (blocks->notes, 0);
  emit_forms (blocks, blocks->page ? blocks->page->number : 0);
}

static void append_print (Blocks *blocks, const PdfPrint *print)
{
  LecternBlock *block = blocks->open;
  if (block->kind == LECTERN_BLOCK_CODE) {
    /* A blank line is one more. */
    gboolean begun = *block->text != '\0';
    gboolean blank = begun && print->box.y1 - blocks->last.box.y1 > 1.7f * blocks->code_leading;
    int indent = (int)CLAMP (lrintf ((print->box.x0 - blocks->code_left) / blocks->code_advance), 0, 60);
    g_autofree char *lead = g_strdup_printf ("%s%s%*s", begun ? "\n" : "", blank ? "\n" : "", indent, "");
    pdf_block_append_text (block, lead);
  }
  for (guint i = 0; i < print->n; i++) {
    const PdfLine *line = PDF_LINE (blocks->page, print->first + i);
    pdf_block_append_line (block, blocks->document, blocks->page, line, i == 0 && blocks->soft_hyphen);
    blocks->soft_hyphen = (line->style & PDF_SOFT_HYPHEN) != 0;
  }
  blocks->last = *print;
  blocks->last_page = blocks->page;
}

static void open_block (Blocks *blocks, LecternBlockKind kind, int level, const PdfPrint *print)
{
  close_block (blocks);
  blocks->open = pdf_block_new (kind, level, blocks->page->number);
  blocks->first = *print;
  blocks->single = TRUE;
  blocks->soft_hyphen = FALSE;
  append_print (blocks, print);
}

static gboolean same_look (const PdfPrint *a, const PdfPrint *b)
{
  return fabsf (a->size - b->size) < 0.13f * MAX (a->size, b->size);
}

/* Where the lines of code from `at` on begin at the left, how wide their characters are and how far apart they stand: the
 * first line may be indented more than those after it. */
static void measure_code (Blocks *blocks, guint at)
{
  const PdfPrint *print = PDF_PRINT (blocks->prints, at);
  const PdfWord *longest = pdf_print_first_word (blocks->page, print);
  blocks->code_left = print->box.x0;
  blocks->code_leading = 3.2f * print->size;
  for (guint i = at; i < blocks->prints->len; i++) {
    const PdfPrint *line = PDF_PRINT (blocks->prints, i);
    float distance = i > at ? line->box.y1 - line[-1].box.y1 : 1;
    if (line->kind == PDF_PRINT_TABLE || !(line->style & PDF_MONO) || line->level || !same_look (line, print)
        || distance <= 0 || distance >= 3.2f * print->size)
      break;
    blocks->code_left = MIN (blocks->code_left, line->box.x0);
    if (i > at)
      blocks->code_leading = MIN (blocks->code_leading, MAX (distance, print->size));
    const PdfLine *fragment = PDF_LINE (blocks->page, line->first);
    for (guint j = 0; j < fragment->n; j++)
      if (PDF_WORD (blocks->page, fragment->first + j)->length > longest->length)
        longest = PDF_WORD (blocks->page, fragment->first + j);
  }
  glong n = g_utf8_strlen (blocks->page->text->str + longest->start, (gssize)longest->length);
  float advance = (longest->box.x1 - longest->box.x0) / (float)MAX (n, 1);
  blocks->code_advance = CLAMP (advance, 0.4f * print->size, 0.8f * print->size);
  blocks->code_advance = MAX (blocks->code_advance, 1.0f);
}

/* Whether line `at` goes on with the open block, whose last line stands right before it on this page. */
static gboolean continues (const Blocks *blocks, guint at, const char *text)
{
  const PdfPrint *print = PDF_PRINT (blocks->prints, at), *last = &blocks->last;
  const LecternBlock *block = blocks->open;
  float size = MAX (last->size, 4.0f);
  float distance = print->box.y1 - last->box.y1;
  if (!same_look (print, last) || strlen (block->text) > MAX_BLOCK_BYTES)
    return FALSE;
  if (block->kind == LECTERN_BLOCK_CODE)
    return distance > 0 && distance < 3.2f * size;
  gboolean within = block->kind != LECTERN_BLOCK_HEADING && pdf_print_begins_lower (blocks->page, print)
                    && !pdf_ends_sentence (block->text); /* a line that a bold title runs into */
  if ((print->style & PDF_BOLD) != (last->style & PDF_BOLD) && !within
      && (block->kind == LECTERN_BLOCK_HEADING || ((last->style & PDF_BOLD) && blocks->single && last->words < 12)))
    return FALSE;
  if (pdf_list_mark (text) > 0 && (block->kind == LECTERN_BLOCK_LIST_ITEM || pdf_ends_sentence (block->text)))
    return FALSE;
  gboolean sentence = pdf_ends_sentence (block->text);
  float right = pdf_print_column_right (blocks->prints, at);
  if (distance <= 0) {
    /* The next column: only the middle of a sentence goes on there. */
    return block->kind != LECTERN_BLOCK_HEADING && block->kind != LECTERN_BLOCK_CAPTION && !sentence
           && print->box.x0 > last->box.x0 && pdf_print_begins_lower (blocks->page, print);
  }
  if (distance > MAX (blocks->document->body_leading * 1.22f, 1.25f) * size)
    return FALSE;
  if (print->box.x0 > last->box.x1 || print->box.x1 < last->box.x0)
    return FALSE;
  if (block->kind == LECTERN_BLOCK_HEADING)
    return distance < 1.5f * size;
  float indent = print->box.x0 - last->box.x0;
  gboolean short_line = last->box.x1 < right - 0.2f * (right - MIN (last->box.x0, print->box.x0));
  if (block->kind == LECTERN_BLOCK_LIST_ITEM) {
    /* Under the text of its item, not back at the mark. */
    if (print->box.x0 < blocks->first.box.x0 + 0.3f * size
        && (sentence || print->box.x0 < blocks->first.box.x0 - 0.5f * size))
      return FALSE;
    return !(sentence && short_line) || print->box.x0 > blocks->first.box.x0 + 0.3f * size;
  }
  if (sentence && short_line && !pdf_print_begins_lower (blocks->page, print))
    return FALSE;
  /* A line that ends early and another edge after it: the next paragraph, whatever the punctuation. */
  if (short_line && fabsf (indent) > 0.6f * size && !pdf_print_begins_lower (blocks->page, print))
    return FALSE;
  if (indent > 0.6f * size && indent < 6 * size) /* a first line's indentation, or a hanging one */
    return !sentence || (blocks->single && !short_line);
  if (indent < -0.6f * size)
    return blocks->single || !sentence;
  return TRUE;
}

/* Whether a paragraph goes on at the top of a new page. */
static gboolean continues_over (const Blocks *blocks, const PdfPrint *print)
{
  const LecternBlock *block = blocks->open;
  if (block->kind != LECTERN_BLOCK_PARAGRAPH && block->kind != LECTERN_BLOCK_LIST_ITEM)
    return FALSE;
  return !pdf_ends_sentence (block->text) && same_look (print, &blocks->last) && !(print->style & PDF_MONO)
         && pdf_print_begins_lower (blocks->page, print) && strlen (block->text) < MAX_BLOCK_BYTES
         && blocks->last_page->number + 1 == blocks->page->number;
}

static int list_level (Blocks *blocks, const PdfPrint *print)
{
  GArray *edges = blocks->list_left;
  const float left = print->box.x0;
  if (left > blocks->last.box.x1 || print->box.x1 < blocks->last.box.x0) /* another column */
    g_array_set_size (edges, 0);
  while (edges->len && g_array_index (edges, float, edges->len - 1) > left + 4)
    g_array_set_size (edges, edges->len - 1);
  if (!edges->len || g_array_index (edges, float, edges->len - 1) < left - 4)
    g_array_append_val (edges, left);
  return (int)MIN (edges->len, 6);
}

/* ---- the page -------------------------------------------------------------------------------------------- */

static gboolean looks_like_caption (const Blocks *blocks, const PdfPrint *print)
{
  return print->size < 0.97f * blocks->document->body_size
         || pdf_print_first_word (blocks->page, print)->style & PDF_BOLD;
}

static void place (Blocks *blocks, guint at)
{
  const PdfPrint *print = PDF_PRINT (blocks->prints, at);
  g_autofree char *text = pdf_print_text (blocks->page, print);
  g_clear_pointer (&blocks->table_header, g_free);
  gboolean new_page = blocks->open && blocks->last_page != blocks->page;
  gboolean code = !print->level && (print->style & PDF_MONO);
  gboolean contents = print->contents || (blocks->open && blocks->last.contents);
  gboolean heading = blocks->open && blocks->open->kind == LECTERN_BLOCK_HEADING;
  gboolean goes_on = FALSE;
  if (!blocks->open || contents)
    goes_on = FALSE;
  else if (print->level || heading)
    goes_on = print->level && heading && !new_page && print->goes_on;
  else if (new_page)
    goes_on = continues_over (blocks, print);
  else
    goes_on = code == (blocks->open->kind == LECTERN_BLOCK_CODE) && continues (blocks, at, text);
  if (goes_on) {
    blocks->single = FALSE;
    append_print (blocks, print);
    return;
  }
  if (print->level) {
    g_array_set_size (blocks->list_left, 0);
    open_block (blocks, LECTERN_BLOCK_HEADING, print->level, print);
  } else if (print->contents) {
    /* A line without a number goes on with the next. */
    open_block (blocks, LECTERN_BLOCK_LIST_ITEM, list_level (blocks, print), print);
  } else if (code) {
    measure_code (blocks, at);
    open_block (blocks, LECTERN_BLOCK_CODE, 0, print);
  } else if (pdf_is_caption (text, looks_like_caption (blocks, print))) {
    open_block (blocks, LECTERN_BLOCK_CAPTION, 0, print);
  } else if (pdf_list_mark (text)) {
    open_block (blocks, LECTERN_BLOCK_LIST_ITEM, list_level (blocks, print), print);
  } else {
    if (blocks->list_left->len && print->box.x0 < g_array_index (blocks->list_left, float, 0) + 4)
      g_array_set_size (blocks->list_left, 0);
    open_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, print);
  }
}

static void emit_page (Blocks *blocks, GPtrArray *tables)
{
  for (guint i = 0; i < blocks->prints->len; i++) {
    const PdfPrint *print = PDF_PRINT (blocks->prints, i);
    if (print->note)
      continue;
    if (print->kind != PDF_PRINT_TABLE) {
      place (blocks, i);
      continue;
    }
    close_block (blocks);
    pdf_emit_table (blocks->document, blocks->page, tables->pdata[print->first], &blocks->table_header, blocks->writer);
  }
  /* Not before the paragraph that the page ends in, which may go on on the next. */
  pdf_collect_footnotes (blocks->document, blocks->page, blocks->prints, blocks->notes);
}

char *pdf_emit_blocks (const PdfDocument *document, Writer *writer)
{
  g_autoptr (GPtrArray) tables = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
  g_autoptr (GPtrArray) prints = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  for (guint p = 0; p < document->pages->len; p++) {
    GPtrArray *found = pdf_find_tables (document->pages->pdata[p]);
    g_ptr_array_add (tables, found);
    g_ptr_array_add (prints, pdf_collect_prints (document->pages->pdata[p], found->len));
  }
  pdf_mark_headings (document, prints);
  for (guint p = 0; p < prints->len; p++)
    pdf_mark_footnotes (document, document->pages->pdata[p], prints->pdata[p]);
  Blocks blocks = { .document = document, .writer = writer };
  blocks.list_left = g_array_new (FALSE, FALSE, sizeof (float));
  blocks.notes = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free);
  for (guint p = 0; p < document->pages->len; p++) {
    blocks.page = document->pages->pdata[p];
    blocks.prints = prints->pdata[p];
    emit_page (&blocks, tables->pdata[p]);
  }
  close_block (&blocks);
  emit_forms (&blocks, G_MAXINT);
  g_free (blocks.table_header);
  g_array_unref (blocks.list_left);
  g_ptr_array_unref (blocks.notes);
  return blocks.first_heading;
}
