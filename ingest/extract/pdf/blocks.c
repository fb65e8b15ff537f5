/* blocks.c: from lines of print to headings, paragraphs, list items, captions and code, in reading order. */
#include "ingest/extract/pdf/document.h"

#include <math.h>
#include <string.h>

#define MAX_BLOCK_BYTES 32768u /* a longer one is cut at a line end */
#define MAX_HEADING_WORDS 24u

/* The fragments of one line of print, as one. */
typedef struct {
  guint first, n; /* fragments, consecutive in reading order */
  PdfBox box;
  float size;
  guint style, chars, words;
  gboolean contents; /* a line of a table of contents */
} Print;

typedef struct {
  const PdfDocument *document;
  Writer *writer;
  const PdfPage *page;
  GArray *prints;     /* of Print: of this page; tables are single ones with n == 0 and first == table */
  LecternBlock *open; /* the block that may go on */
  Print first, last;  /* its first and last line */
  const PdfPage *last_page;
  gboolean soft_hyphen;
  gboolean single; /* it has one line so far */
  float code_left;
  GArray *list_left;     /* of float: the left edges of the nested lists that are open */
  GArray *heading_sizes; /* of float: descending */
  guint heading_lines;
  char *table_header; /* of the table that was emitted last, if nothing came after it */
  guint forms;        /* emitted so far */
} Blocks;

/* ---- what a line looks like ------------------------------------------------------------------------------ */

static char *print_text (const PdfPage *page, const Print *print)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < print->n; i++) {
    if (i)
      g_string_append_c (text, ' ');
    pdf_line_append_text (page, PDF_LINE (page, print->first + i), text);
  }
  return g_string_free (text, FALSE);
}

/* Bytes of the mark that begins a list item, blank included; 0: none. */
static gsize list_mark (const char *text)
{
  static const char *const bullets[]
      = { "•", "‣", "◦", "▪", "▫", "●", "○", "■", "□", "–", "—", "➢", "✓", "∙", "·", "-", "*", "⋆", "►", "▶" };
  for (guint i = 0; i < G_N_ELEMENTS (bullets); i++)
    if (g_str_has_prefix (text, bullets[i])) {
      gsize n = strlen (bullets[i]);
      return text[n] == ' ' && text[n + 1] ? n + 1 : 0;
    }
  gsize n = 0;
  gboolean bracket = text[0] == '(';
  n += bracket;
  gsize digits = strspn (text + n, "0123456789");
  if (digits > 0 && digits <= 3)
    n += digits;
  else if (g_ascii_isalpha (text[n]) && (text[n + 1] == ')' || (text[n + 1] == '.' && g_ascii_islower (text[n]))))
    n += 1;
  else if (bracket && strspn (text + n, "ivx") > 0)
    n += strspn (text + n, "ivx");
  else
    return 0;
  if (text[n] != ')' && (bracket || text[n] != '.'))
    return 0;
  n++;
  return text[n] == ' ' && text[n + 1] ? n + 1 : 0;
}

static gboolean is_caption (const char *text)
{
  static const char *const words[]
      = { "Figure",  "Fig.",   "FIGURE", "Table",  "TABLE",   "Tab.",      "Abbildung", "Abb.",  "Tabelle",
          "Tableau", "Figura", "Tabla",  "Tabela", "Listing", "Algorithm", "Figuur",    "Tabell" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (text, words[i])) {
      const char *p = text + strlen (words[i]);
      if (*p++ != ' ')
        return FALSE;
      gsize n = strspn (p, "0123456789.-IVX");
      if (n == 0)
        return FALSE;
      return p[n - 1] == '.' || p[n] == ':' || p[n] == '|' || p[n] == '\0';
    }
  return FALSE;
}

/* "2", "2.1", "A.3", "Chapter 4": how deep a numbered heading is; 0: not numbered. */
static int numbering_depth (const char *text)
{
  static const char *const words[] = { "Chapter ", "Appendix ", "Part ", "Kapitel ", "Chapitre ", "Section " };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (text, words[i]) && g_ascii_isalnum (text[strlen (words[i])]))
      return 1;
  const char *p = text;
  int depth = 0;
  gboolean letter = g_ascii_isupper (*p) && p[1] == '.';
  while (depth < 6) {
    gsize digits = strspn (p, "0123456789");
    if (letter && depth == 0)
      digits = 1;
    if (digits == 0 || digits > 3)
      break;
    depth++;
    p += digits;
    if (*p != '.')
      break;
    p++;
  }
  return depth > 0 && *p == ' ' && g_unichar_isalpha (g_utf8_get_char (p + 1)) ? depth : 0;
}

static gboolean ends_sentence (const char *text)
{
  gsize n = strlen (text);
  while (n > 0 && strchr (")]\"'", text[n - 1]))
    n--;
  if (n >= 3 && (memcmp (text + n - 3, "”", 3) == 0 || memcmp (text + n - 3, "’", 3) == 0))
    n -= 3;
  return n > 0 && strchr (".?!:", text[n - 1]) != NULL;
}

static gboolean begins_lower (const PdfPage *page, const Print *print)
{
  const PdfWord *word = PDF_WORD (page, PDF_LINE (page, print->first)->first);
  return g_unichar_islower (g_utf8_get_char (page->text->str + word->start));
}

/* Whether a line is bold from end to end: else a bold title only runs into the text. */
static gboolean is_bold (const PdfPage *page, const Print *print)
{
  const PdfLine *last = PDF_LINE (page, print->first + print->n - 1);
  return print->style & PDF_BOLD && PDF_WORD (page, PDF_LINE (page, print->first)->first)->style & PDF_BOLD
         && PDF_WORD (page, last->first + last->n - 1)->style & PDF_BOLD;
}

static const PdfOutlineEntry *find_outline (const PdfDocument *document, const char *text, int page)
{
  if (document->outline->len == 0)
    return NULL;
  g_autofree char *key = pdf_text_key (text);
  gsize length = strlen (key);
  if (length < 2)
    return NULL;
  for (guint i = 0; i < document->outline->len; i++) {
    const PdfOutlineEntry *entry = &g_array_index (document->outline, PdfOutlineEntry, i);
    if (entry->page != page)
      continue;
    gsize entry_length = strlen (entry->key);
    /* The print may have a number before the title that the outline lacks, or the other way round. */
    if ((length >= entry_length && length - entry_length <= 10 && entry_length >= 3
         && g_str_has_suffix (key, entry->key))
        || (entry_length > length && entry_length - length <= 10 && length >= 3 && g_str_has_suffix (entry->key, key)))
      return entry;
  }
  return NULL;
}

static gboolean mostly_letters (const char *text)
{
  guint letters = 0, others = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (g_unichar_isalpha (c))
      letters++;
    else if (c != ' ')
      others++;
  }
  return letters >= 2 && letters > others;
}

/* 0: no heading; else its level. */
static int heading_level (const Blocks *blocks, const char *text, const Print *print, gboolean alone)
{
  float body = blocks->document->body_size;
  const PdfOutlineEntry *entry = find_outline (blocks->document, text, blocks->page->number);
  gboolean larger = print->size > body * 1.09f, bold = is_bold (blocks->page, print);
  if (entry && (larger || bold || alone))
    return MIN (entry->level, 6);
  if (print->words > MAX_HEADING_WORDS || !mostly_letters (text) || print->style & PDF_MONO)
    return 0;
  int depth = numbering_depth (text);
  gsize n = strlen (text);
  gboolean open_end = n > 0 && strchr (".,;", text[n - 1]) != NULL;
  if (larger && (!open_end || print->size > body * 1.3f)) {
    if (depth)
      return depth;
    for (guint i = 0; i < blocks->heading_sizes->len; i++)
      if (print->size > g_array_index (blocks->heading_sizes, float, i) * 0.97f)
        return (int)MIN (i + 1, 6);
    return 6;
  }
  if (bold && alone && !open_end && print->size > body * 0.93f)
    return depth ? depth : (int)CLAMP (blocks->heading_sizes->len + 1, 2, 6);
  return 0;
}

/* ---- the open block -------------------------------------------------------------------------------------- */

/* Emits what the forms and comments of the pages before this one say. */
static void emit_forms (Blocks *blocks, int before_page)
{
  const GPtrArray *forms = blocks->document->forms;
  while (blocks->forms < forms->len && ((const LecternBlock *)forms->pdata[blocks->forms])->page < before_page)
    emit_block (blocks->writer, forms->pdata[blocks->forms++]);
}

/* Forms come after the block: a paragraph that goes on over the page is not cut by them. */
static void close_block (Blocks *blocks)
{
  if (blocks->open) {
    emit_block (blocks->writer, blocks->open);
    lectern_block_free (blocks->open);
    blocks->open = NULL;
  }
  emit_forms (blocks, blocks->page ? blocks->page->number : 0);
}

static void append_print (Blocks *blocks, const Print *print)
{
  LecternBlock *block = blocks->open;
  if (block->kind == LECTERN_BLOCK_CODE) {
    float advance = MAX (print->size * 0.5f, 1.0f);
    int indent = (int)CLAMP (lrintf ((print->box.x0 - blocks->code_left) / advance), 0, 40);
    g_autofree char *lead = g_strdup_printf ("%s%*s", *block->text ? "\n" : "", indent, "");
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

static void open_block (Blocks *blocks, LecternBlockKind kind, int level, const Print *print)
{
  close_block (blocks);
  blocks->open = pdf_block_new (kind, level, blocks->page->number);
  blocks->first = *print;
  blocks->single = TRUE;
  blocks->soft_hyphen = FALSE;
  blocks->code_left = print->box.x0;
  append_print (blocks, print);
}

/* How far right the print near a line of the same column reaches. */
static float column_right (const Blocks *blocks, guint at)
{
  const Print *print = &g_array_index (blocks->prints, Print, at);
  float right = print->box.x1;
  for (guint i = at > 8 ? at - 8 : 0; i < MIN (at + 9, blocks->prints->len); i++) {
    const Print *other = &g_array_index (blocks->prints, Print, i);
    if (other->n && other->box.x0 < print->box.x1 && print->box.x0 < other->box.x1
        && fabsf (other->size - print->size) < 0.15f * print->size)
      right = MAX (right, other->box.x1);
  }
  return right;
}

static gboolean same_look (const Print *a, const Print *b)
{
  return fabsf (a->size - b->size) < 0.13f * MAX (a->size, b->size);
}

/* Whether line `at` goes on with the open block, whose last line stands right before it on this page. */
static gboolean continues (const Blocks *blocks, guint at, const char *text)
{
  const Print *print = &g_array_index (blocks->prints, Print, at), *last = &blocks->last;
  const LecternBlock *block = blocks->open;
  float size = MAX (last->size, 4.0f);
  float distance = print->box.y1 - last->box.y1;
  if (!same_look (print, last) || strlen (block->text) > MAX_BLOCK_BYTES)
    return FALSE;
  if (block->kind == LECTERN_BLOCK_CODE)
    return distance > 0 && distance < 3.2f * size;
  gboolean within = block->kind != LECTERN_BLOCK_HEADING && begins_lower (blocks->page, print)
                    && !ends_sentence (block->text); /* a line that a bold title runs into */
  if ((print->style & PDF_BOLD) != (last->style & PDF_BOLD) && !within
      && (block->kind == LECTERN_BLOCK_HEADING || ((last->style & PDF_BOLD) && blocks->single && last->words < 12)))
    return FALSE;
  if (list_mark (text) > 0 && (block->kind == LECTERN_BLOCK_LIST_ITEM || ends_sentence (block->text)))
    return FALSE;
  gboolean sentence = ends_sentence (block->text);
  float right = column_right (blocks, at);
  if (distance <= 0) {
    /* The next column: only the middle of a sentence goes on there. */
    return block->kind != LECTERN_BLOCK_HEADING && block->kind != LECTERN_BLOCK_CAPTION && !sentence
           && print->box.x0 > last->box.x0 && begins_lower (blocks->page, print);
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
  if (sentence && short_line && !begins_lower (blocks->page, print))
    return FALSE;
  /* A line that ends early and another edge after it: the next paragraph, whatever the punctuation. */
  if (short_line && fabsf (indent) > 0.6f * size && !begins_lower (blocks->page, print))
    return FALSE;
  if (indent > 0.6f * size && indent < 6 * size) /* a first line's indentation, or a hanging one */
    return !sentence || (blocks->single && !short_line);
  if (indent < -0.6f * size)
    return blocks->single || !sentence;
  return TRUE;
}

/* Whether a paragraph goes on at the top of a new page. */
static gboolean continues_over (const Blocks *blocks, const Print *print)
{
  const LecternBlock *block = blocks->open;
  if (block->kind != LECTERN_BLOCK_PARAGRAPH && block->kind != LECTERN_BLOCK_LIST_ITEM)
    return FALSE;
  return !ends_sentence (block->text) && same_look (print, &blocks->last) && !(print->style & PDF_MONO)
         && begins_lower (blocks->page, print) && strlen (block->text) < MAX_BLOCK_BYTES
         && blocks->last_page->number + 1 == blocks->page->number;
}

static int list_level (Blocks *blocks, float left)
{
  GArray *edges = blocks->list_left;
  while (edges->len && g_array_index (edges, float, edges->len - 1) > left + 4)
    g_array_set_size (edges, edges->len - 1);
  if (!edges->len || g_array_index (edges, float, edges->len - 1) < left - 4)
    g_array_append_val (edges, left);
  return (int)MIN (edges->len, 6);
}

/* ---- the page -------------------------------------------------------------------------------------------- */

/* Whether white space separates a line from those around it, as it does a heading in the body's size. */
static gboolean stands_alone (const Blocks *blocks, guint at)
{
  const Print *print = &g_array_index (blocks->prints, Print, at);
  float usual = MAX (blocks->document->body_leading, 1.1f) * MAX (print->size, 4.0f);
  if (at > 0) {
    const Print *above = &g_array_index (blocks->prints, Print, at - 1);
    float distance = print->box.y1 - above->box.y1;
    if (above->n && distance > 0 && distance < usual * 1.12f && !(above->style & PDF_BOLD))
      return FALSE;
  }
  /* A bold title that goes on below before the text begins on the same line. */
  const Print *below = at + 1 < blocks->prints->len ? print + 1 : NULL;
  if (below && below->n && !(below->style & PDF_BOLD) && below->box.y1 > print->box.y1
      && below->box.y1 - print->box.y1 < usual * 1.12f
      && PDF_WORD (blocks->page, PDF_LINE (blocks->page, below->first)->first)->style & PDF_BOLD)
    return FALSE;
  float right = column_right (blocks, at);
  return print->box.x1 <= right - print->size || print->words <= 10;
}

static void place (Blocks *blocks, guint at)
{
  const Print *print = &g_array_index (blocks->prints, Print, at);
  g_autofree char *text = print_text (blocks->page, print);
  g_clear_pointer (&blocks->table_header, g_free);
  gboolean new_page = blocks->open && blocks->last_page != blocks->page;
  gboolean mono = (print->style & PDF_MONO) != 0;
  gboolean contents = print->contents || (blocks->open && blocks->last.contents);
  if (blocks->open && !new_page && !contents && mono == (blocks->open->kind == LECTERN_BLOCK_CODE)
      && continues (blocks, at, text)) {
    int level = mono ? 0 : heading_level (blocks, text, print, stands_alone (blocks, at));
    if ((level == 0) == (blocks->open->kind != LECTERN_BLOCK_HEADING)
        || (blocks->open->kind == LECTERN_BLOCK_LIST_ITEM && same_look (print, &blocks->first))) {
      blocks->single = FALSE;
      append_print (blocks, print);
      return;
    }
  }
  if (new_page && !contents && continues_over (blocks, print)) {
    blocks->single = FALSE;
    append_print (blocks, print);
    return;
  }
  if (print->contents) {
    /* A line without a number goes on with the next. */
    open_block (blocks, LECTERN_BLOCK_LIST_ITEM, list_level (blocks, print->box.x0), print);
    return;
  }
  if (mono) {
    open_block (blocks, LECTERN_BLOCK_CODE, 0, print);
    return;
  }
  if (is_caption (text)) {
    open_block (blocks, LECTERN_BLOCK_CAPTION, 0, print);
    return;
  }
  int level = heading_level (blocks, text, print, stands_alone (blocks, at));
  if (level) {
    g_array_set_size (blocks->list_left, 0);
    open_block (blocks, LECTERN_BLOCK_HEADING, level, print);
  } else if (list_mark (text)) {
    open_block (blocks, LECTERN_BLOCK_LIST_ITEM, list_level (blocks, print->box.x0), print);
  } else {
    if (blocks->list_left->len && print->box.x0 < g_array_index (blocks->list_left, float, 0) + 4)
      g_array_set_size (blocks->list_left, 0);
    open_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, print);
  }
}

/* The fragments of a row become one; a table stands where its first cell does. */
static void collect_prints (Blocks *blocks, guint n_tables)
{
  const PdfPage *page = blocks->page;
  g_autofree gboolean *seen = g_new0 (gboolean, n_tables + 1);
  g_array_set_size (blocks->prints, 0);
  for (guint i = 0; i < page->lines->len; i++) {
    const PdfLine *line = PDF_LINE (page, i);
    if (line->dropped || line->n == 0)
      continue;
    if (line->table) {
      if (!seen[line->table]) {
        Print table = { .first = (guint)line->table - 1, .n = 0 };
        g_array_append_val (blocks->prints, table);
        seen[line->table] = TRUE;
      }
      continue;
    }
    Print *last = blocks->prints->len ? &g_array_index (blocks->prints, Print, blocks->prints->len - 1) : NULL;
    if (last && last->n && last->first + last->n == i && PDF_LINE (page, i - 1)->row == line->row) {
      pdf_box_unite (&last->box, &line->box);
      last->size
          = (last->size * (float)last->chars + line->size * (float)line->chars) / (float)(last->chars + line->chars);
      last->style = line->chars > last->chars ? line->style : last->style;
      last->chars += line->chars;
      last->words += line->n;
      last->n++;
      continue;
    }
    Print print = { i, 1, line->box, line->size, line->style, line->chars, line->n, line->contents };
    g_array_append_val (blocks->prints, print);
  }
}

static int descending (gconstpointer a, gconstpointer b)
{
  float left = *(const float *)a, right = *(const float *)b;
  return left < right ? 1 : left > right ? -1 : 0;
}

/* The font sizes above the body's that short lines are set in, sizes that are nearly the same taken as one. */
static GArray *find_heading_sizes (const PdfDocument *document)
{
  GArray *sizes = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint p = 0; p < document->pages->len && sizes->len < 20000; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 0; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      if (!line->dropped && !line->table && line->size > document->body_size * 1.09f && line->n <= MAX_HEADING_WORDS
          && line->chars > 3)
        g_array_append_val (sizes, line->size);
    }
  }
  g_array_sort (sizes, descending);
  GArray *distinct = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < sizes->len; i++) {
    float size = g_array_index (sizes, float, i);
    if (!distinct->len || size < g_array_index (distinct, float, distinct->len - 1) * 0.94f)
      g_array_append_val (distinct, size);
  }
  g_array_unref (sizes);
  return distinct;
}

void pdf_emit_blocks (const PdfDocument *document, Writer *writer)
{
  Blocks blocks = { .document = document, .writer = writer };
  blocks.prints = g_array_new (FALSE, FALSE, sizeof (Print));
  blocks.list_left = g_array_new (FALSE, FALSE, sizeof (float));
  blocks.heading_sizes = find_heading_sizes (document);
  for (guint p = 0; p < document->pages->len; p++) {
    blocks.page = document->pages->pdata[p];
    GPtrArray *tables = pdf_find_tables (document->pages->pdata[p]);
    collect_prints (&blocks, tables->len);
    for (guint i = 0; i < blocks.prints->len; i++) {
      const Print *print = &g_array_index (blocks.prints, Print, i);
      if (print->n) {
        place (&blocks, i);
        continue;
      }
      close_block (&blocks);
      pdf_emit_table (document, blocks.page, tables->pdata[print->first], &blocks.table_header, writer);
    }
    g_ptr_array_unref (tables);
  }
  close_block (&blocks);
  emit_forms (&blocks, G_MAXINT);
  g_free (blocks.table_header);
  g_array_unref (blocks.prints);
  g_array_unref (blocks.list_left);
  g_array_unref (blocks.heading_sizes);
}
