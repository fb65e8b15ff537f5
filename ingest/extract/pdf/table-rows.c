/* table-rows.c: from the cells of a table to its rows. A row of print begins a row of the table, or goes on with
 * cells of the one above it: then its first column is empty and its words would not have fitted above, or it stands
 * closer than rows do. */
#include "ingest/extract/pdf/document.h"

#include <string.h>

#define MAX_HEADER_BYTES 60u /* of a cell of a header that is known by its contents only */

typedef struct {
  LecternBlock *cell[PDF_MAX_COLUMNS];
  PdfBox cell_box[PDF_MAX_COLUMNS]; /* of the last line of print in the cell */
  guint numeric, bold, fragments;
  float bottom; /* of the last line of print */
} TableRow;

/* A row of print. */
typedef struct {
  guint first, n; /* in PdfTable.cells */
  guint filled;   /* columns */
  gboolean first_column, numeric;
  float top, bottom;
} PrintRow;

typedef struct {
  const PdfDocument *document;
  const PdfPage *page;
  const PdfTable *table;
  GArray *print; /* of PrintRow */
  float right[PDF_MAX_COLUMNS];
  gboolean spaced; /* rows stand further apart than the lines within them */
  float least;     /* the least distance of lines of print */
} Assembly;

#define CELL(table, i) (&g_array_index ((table)->cells, PdfCell, i))

static void row_clear (gpointer data)
{
  TableRow *row = data;
  for (guint c = 0; c < PDF_MAX_COLUMNS; c++)
    lectern_block_free (row->cell[c]);
}

static gboolean is_numeric (const PdfPage *page, const PdfCell *cell)
{
  guint digits = 0, letters = 0;
  for (guint i = 0; i < cell->n; i++) {
    const PdfWord *word = PDF_WORD (page, cell->first + i);
    for (guint j = 0; j < word->length; j++) {
      digits += g_ascii_isdigit (page->text->str[word->start + j]);
      letters += g_ascii_isalpha (page->text->str[word->start + j]);
    }
  }
  return digits > letters;
}

static PdfBox cell_box (const PdfPage *page, const PdfCell *cell)
{
  PdfBox box = PDF_WORD (page, cell->first)->box;
  for (guint i = 1; i < cell->n; i++)
    pdf_box_unite (&box, &PDF_WORD (page, cell->first + i)->box);
  return box;
}

static void collect_print (Assembly *assembly)
{
  const PdfTable *table = assembly->table;
  for (guint i = 0; i < table->cells->len;) {
    PrintRow row = { .first = i, .top = 1e9f, .bottom = -1e9f, .numeric = FALSE };
    guint columns = 0;
    for (; i < table->cells->len && CELL (table, i)->row == CELL (table, row.first)->row; i++) {
      const PdfCell *cell = CELL (table, i);
      PdfBox box = cell_box (assembly->page, cell);
      row.n++;
      columns |= 1u << cell->column;
      row.numeric |= is_numeric (assembly->page, cell);
      row.top = MIN (row.top, box.y0);
      row.bottom = MAX (row.bottom, box.y1);
      assembly->right[cell->column] = MAX (assembly->right[cell->column], box.x1);
    }
    row.first_column = columns & 1u;
    for (guint c = columns; c; c &= c - 1)
      row.filled++;
    g_array_append_val (assembly->print, row);
  }
}

/* Whether the distances of the lines of print tell rows from lines within rows. */
static void find_spacing (Assembly *assembly)
{
  GArray *print = assembly->print;
  assembly->least = 1e9f;
  for (guint i = 1; i < print->len; i++) {
    float distance = g_array_index (print, PrintRow, i).bottom - g_array_index (print, PrintRow, i - 1).bottom;
    if (distance > 2)
      assembly->least = MIN (assembly->least, distance);
  }
  guint close = 0, close_full = 0, close_bare = 0, far = 0;
  for (guint i = 1; i < print->len; i++) {
    const PrintRow *row = &g_array_index (print, PrintRow, i);
    if (row->bottom - (row - 1)->bottom < 1.15f * assembly->least) {
      close++;
      close_full += row->filled == assembly->table->n_columns;
      close_bare += !row->first_column;
    } else
      far += row->first_column;
  }
  assembly->spaced = close > 0 && far > 1 && close_full == 0 && 3 * close_bare >= close;
}

/* Whether the first word of each cell would not have fitted at the end of what stands above it. */
static gboolean is_wrapped (const Assembly *assembly, const PrintRow *print, const TableRow *above)
{
  for (guint i = 0; i < print->n; i++) {
    const PdfCell *cell = CELL (assembly->table, print->first + i);
    if (!above->cell[cell->column])
      return FALSE;
    const PdfWord *word = PDF_WORD (assembly->page, cell->first);
    float room = assembly->right[cell->column] - above->cell_box[cell->column].x1;
    if (word->box.x1 - word->box.x0 + 0.2f * word->size < room)
      return FALSE;
  }
  return TRUE;
}

static gboolean begins_lower (const Assembly *assembly, const PrintRow *print)
{
  const PdfWord *word = PDF_WORD (assembly->page, CELL (assembly->table, print->first)->first);
  return g_unichar_islower (g_utf8_get_char (assembly->page->text->str + word->start));
}

static gboolean continues (const Assembly *assembly, const PrintRow *print, const TableRow *above)
{
  float distance = print->bottom - above->bottom, height = print->bottom - print->top;
  if (assembly->spaced)
    return distance < 1.15f * assembly->least;
  if (print->top - above->bottom > 0.6f * height)
    return FALSE;
  if (print->first_column) /* a long first cell */
    return print->filled == 1 && above->fragments > 1 && begins_lower (assembly, print)
           && is_wrapped (assembly, print, above);
  if (print->numeric && print->filled > 1) /* numbers do not wrap */
    return FALSE;
  if (!above->cell[0])
    return print->filled + 1 < assembly->table->n_columns || is_wrapped (assembly, print, above);
  return is_wrapped (assembly, print, above) || (!print->numeric && print->filled + 1 < assembly->table->n_columns);
}

static void append_cell (const Assembly *assembly, TableRow *row, const PdfCell *cell)
{
  const PdfPage *page = assembly->page;
  PdfLine line = { .first = cell->first, .n = cell->n };
  guint bold = 0;
  for (guint i = 0; i < cell->n; i++)
    bold += (PDF_WORD (page, cell->first + i)->style & PDF_BOLD) != 0;
  if (!row->cell[cell->column])
    row->cell[cell->column] = pdf_block_new (LECTERN_BLOCK_TABLE_ROW, 0, page->number);
  pdf_block_append_line (row->cell[cell->column], assembly->document, page, &line, FALSE);
  row->cell_box[cell->column] = cell_box (page, cell);
  row->fragments++;
  row->numeric += is_numeric (page, cell);
  row->bold += 2 * bold > cell->n;
}

static GArray *collect_rows (Assembly *assembly)
{
  GArray *rows = g_array_new (FALSE, TRUE, sizeof (TableRow));
  g_array_set_clear_func (rows, row_clear);
  for (guint i = 0; i < assembly->print->len; i++) {
    const PrintRow *print = &g_array_index (assembly->print, PrintRow, i);
    if (rows->len == 0 || !continues (assembly, print, &g_array_index (rows, TableRow, rows->len - 1)))
      g_array_set_size (rows, rows->len + 1);
    TableRow *row = &g_array_index (rows, TableRow, rows->len - 1);
    for (guint j = 0; j < print->n; j++)
      append_cell (assembly, row, CELL (assembly->table, print->first + j));
    row->bottom = print->bottom;
  }
  return rows;
}

/* The first row is a header if it is bold and the others are not, if it has no numbers where they have, or if a wider
 * gap, where a rule is drawn, sets it off. */
static gboolean first_is_header (const Assembly *assembly, const GArray *rows)
{
  const TableRow *first = &g_array_index (rows, TableRow, 0);
  guint numeric = 0, bold = 0, fragments = 0;
  for (guint r = 1; r < rows->len; r++) {
    const TableRow *row = &g_array_index (rows, TableRow, r);
    numeric += row->numeric;
    bold += row->bold;
    fragments += row->fragments;
  }
  if (rows->len < 2 || first->fragments < 2)
    return FALSE;
  if (first->bold == first->fragments && 2 * bold < fragments)
    return TRUE;
  if (first->numeric > 0)
    return FALSE;
  for (guint c = 0; c < assembly->table->n_columns; c++)
    if (first->cell[c] && strlen (first->cell[c]->text) > MAX_HEADER_BYTES)
      return FALSE;
  if (3 * numeric > fragments)
    return TRUE;
  const PrintRow *print = &g_array_index (assembly->print, PrintRow, 0);
  guint i = 1;
  while (i < assembly->print->len && (print + i - 1)->bottom < first->bottom)
    i++;
  if (i + 1 >= assembly->print->len)
    return FALSE;
  float gap = (print + i)->bottom - (print + i - 1)->bottom;
  for (guint j = i + 1; j < assembly->print->len; j++)
    if ((print + j)->bottom - (print + j - 1)->bottom > 0.9f * gap)
      return FALSE;
  return TRUE;
}

static LecternBlock *row_block (const Assembly *assembly, const TableRow *row, gboolean header)
{
  LecternBlock *block = pdf_block_new (LECTERN_BLOCK_TABLE_ROW, header, assembly->page->number);
  GString *text = g_string_new (NULL);
  guint n = 1; /* a title over a part of the table stands by itself */
  for (guint c = 1; c < assembly->table->n_columns; c++)
    if (row->cell[c])
      n = assembly->table->n_columns;
  for (guint c = 0; c < n; c++) {
    if (c)
      g_string_append (text, text->len && text->str[text->len - 1] == ' ' ? "| " : " | ");
    const LecternBlock *cell = row->cell[c];
    for (guint i = 0; cell && i < cell->spans->len; i++) {
      LecternSpan span = g_array_index (cell->spans, LecternSpan, i);
      span.start += (guint32)text->len;
      g_array_append_val (block->spans, span);
    }
    g_string_append (text, cell ? cell->text : "");
  }
  g_free (block->text);
  block->text = g_string_free (text, FALSE);
  return block;
}

void pdf_emit_table (const PdfDocument *document, const PdfPage *page, const PdfTable *table, char **header,
                     Writer *writer)
{
  Assembly assembly = { .document = document, .page = page, .table = table };
  assembly.print = g_array_new (FALSE, TRUE, sizeof (PrintRow));
  collect_print (&assembly);
  find_spacing (&assembly);
  GArray *rows = collect_rows (&assembly);
  for (guint r = 0; r < rows->len; r++) {
    gboolean first = r == 0 && first_is_header (&assembly, rows);
    LecternBlock *block = row_block (&assembly, &g_array_index (rows, TableRow, r), first);
    if (r == 0 && *header && strcmp (*header, block->text) == 0) {
      /* The table goes on on a new page and repeats its header. */
    } else
      emit_block (writer, block);
    if (r == 0) {
      g_free (*header);
      *header = first ? g_strdup (block->text) : NULL;
    }
    lectern_block_free (block);
  }
  g_array_unref (rows);
  g_array_unref (assembly.print);
}
