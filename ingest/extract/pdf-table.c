/* pdf-table.c: tables by geometry: rows of short cells that stand under each other over several lines of print.
 * On pages in two columns each column is searched by itself. */
#include "ingest/extract/pdf-document.h"

#include <string.h>

#define MAX_FRAGMENTS 4000u /* a page with more is not searched */
#define MAX_COLUMNS 24u

typedef struct {
  guint line; /* index of the fragment */
  PdfBox box;
} Cell;

typedef struct {
  guint first, n; /* in the sorted cells */
  PdfBox box;
} Row;

static void table_free (gpointer data)
{
  PdfTable *table = data;
  g_array_unref (table->cells);
  g_array_unref (table->column_x);
  g_free (table);
}

static int compare_cells (gconstpointer a, gconstpointer b)
{
  const Cell *left = a, *right = b;
  float y_left = left->box.y0 + left->box.y1, y_right = right->box.y0 + right->box.y1;
  return y_left < y_right ? -1 : y_left > y_right;
}

static int compare_cells_x (gconstpointer a, gconstpointer b)
{
  const Cell *left = a, *right = b;
  return left->box.x0 < right->box.x0 ? -1 : left->box.x0 > right->box.x0;
}

/* Sorts the cells into rows, each from left to right. */
static GArray *find_rows (GArray *cells)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_array_sort (cells, compare_cells);
  for (guint i = 0; i < cells->len;) {
    Row row = { i, 0, g_array_index (cells, Cell, i).box };
    for (; i < cells->len; i++) {
      const PdfBox *box = &g_array_index (cells, Cell, i).box;
      if (row.n > 0 && !pdf_box_same_line (&row.box, box))
        break;
      if (row.n == 0 || box->y1 - box->y0 < 2 * (row.box.y1 - row.box.y0))
        pdf_box_unite (&row.box, box);
      row.n++;
    }
    qsort (&g_array_index (cells, Cell, row.first), row.n, sizeof (Cell), compare_cells_x);
    g_array_append_val (rows, row);
  }
  return rows;
}

/* The x ranges that the cells of the rows leave between white gaps. */
static GArray *find_columns (const GArray *cells, const Row *rows, guint n_rows)
{
  GArray *columns = g_array_new (FALSE, FALSE, sizeof (PdfBox));
  for (guint r = 0; r < n_rows; r++)
    for (guint i = 0; rows[r].n > 1 && i < rows[r].n; i++) {
      PdfBox box = g_array_index (cells, Cell, rows[r].first + i).box;
      for (guint c = 0; c < columns->len;) {
        const PdfBox *column = &g_array_index (columns, PdfBox, c);
        if (column->x0 < box.x1 && box.x0 < column->x1) {
          pdf_box_unite (&box, column);
          g_array_remove_index (columns, c);
        } else
          c++;
      }
      guint at = 0;
      while (at < columns->len && g_array_index (columns, PdfBox, at).x0 < box.x0)
        at++;
      g_array_insert_val (columns, at, box);
    }
  return columns;
}

static guint column_of (const GArray *columns, const PdfBox *box)
{
  guint best = 0;
  float best_overlap = -1e9f;
  for (guint c = 0; c < columns->len; c++) {
    const PdfBox *column = &g_array_index (columns, PdfBox, c);
    float overlap = MIN (column->x1, box->x1) - MAX (column->x0, box->x0);
    if (overlap > best_overlap) {
      best_overlap = overlap;
      best = c;
    }
  }
  return best;
}

/* A bullet or a number before an item, or the number of an equation. */
static gboolean is_mark (const PdfPage *page, const PdfLine *line)
{
  const PdfWord *word = PDF_WORD (page, line->first);
  const char *text = page->text->str + word->start;
  return line->n == 1
         && (word->length <= 3 || text[0] == '(' || text[0] == '[' || text[word->length - 1] == '.'
             || text[word->length - 1] == ')')
         && !(g_ascii_isdigit (text[word->length - 1])) && word->length <= 6;
}

/* Whether the rows make a table rather than columns of running text, a list, a contents page or formulas. */
static gboolean is_table (const PdfPage *page, const GArray *cells, const Row *rows, guint n_rows,
                          const GArray *columns)
{
  guint n = columns->len;
  if (n < 2 || n > MAX_COLUMNS || n_rows < 2 || (n_rows < 3 && n < 3))
    return FALSE;
  guint filled[MAX_COLUMNS] = { 0 }, words[MAX_COLUMNS] = { 0 }, bytes = 0, n_cells = 0, leaders = 0, marks = 0;
  float width[MAX_COLUMNS] = { 0 };
  for (guint r = 0; r < n_rows; r++) {
    for (guint i = 0; i < rows[r].n; i++) {
      const Cell *cell = &g_array_index (cells, Cell, rows[r].first + i);
      const PdfLine *line = PDF_LINE (page, cell->line);
      guint c = column_of (columns, &cell->box);
      filled[c]++;
      words[c] += line->n;
      width[c] += cell->box.x1 - cell->box.x0;
      bytes += line->chars;
      n_cells++;
      leaders += pdf_line_has_leader (page, line);
      marks += c == 0 && is_mark (page, line);
    }
  }
  guint full = 0, prose = 0;
  for (guint c = 0; c < n; c++) {
    const PdfBox *column = &g_array_index (columns, PdfBox, c);
    full += 2 * filled[c] >= n_rows;
    float fill = filled[c] ? width[c] / ((float)filled[c] * MAX (column->x1 - column->x0, 1.0f)) : 0;
    prose += filled[c] > 2 && words[c] > 4 * filled[c] && fill > 0.65f && column->x1 - column->x0 > 0.2f * page->width;
  }
  if (full < 2 || prose >= 2 || 3 * leaders > n_rows || bytes < 3 * n_cells)
    return FALSE;
  return !(2 * marks > filled[0] && n <= 3);
}

/* Rows from `from` on that may be one table: each close under the one before. Single fragments may stand between. */
static guint region_end (const GArray *cells, const GArray *rows, guint from, float page_width)
{
  guint end = from + 1, last = from;
  for (; end < rows->len; end++) {
    const Row *above = &g_array_index (rows, Row, end - 1), *row = &g_array_index (rows, Row, end);
    float height = MAX (row->box.y1 - row->box.y0, 4.0f);
    if (row->box.y0 - above->box.y1 > 1.6f * height)
      break;
    if (row->n > 1)
      last = end;
    else if (row->box.x1 - row->box.x0 > 0.45f * page_width || end - last > 3)
      break;
  }
  return last + 1;
}

static void add_tables (PdfPage *page, GArray *cells, float width, GPtrArray *tables)
{
  GArray *rows = find_rows (cells);
  for (guint r = 0; r < rows->len; r++) {
    if (g_array_index (rows, Row, r).n < 2)
      continue;
    guint end = region_end (cells, rows, r, width);
    const Row *first = &g_array_index (rows, Row, r);
    GArray *columns = find_columns (cells, first, end - r);
    if (is_table (page, cells, first, end - r, columns)) {
      PdfTable *table = g_new0 (PdfTable, 1);
      table->cells = g_array_new (FALSE, FALSE, sizeof (guint));
      table->column_x = g_array_ref (columns);
      table->n_columns = columns->len;
      g_ptr_array_add (tables, table);
      for (guint i = first->first; i < g_array_index (rows, Row, end - 1).first + g_array_index (rows, Row, end - 1).n;
           i++) {
        guint line = g_array_index (cells, Cell, i).line;
        g_array_append_val (table->cells, line);
        PDF_LINE (page, line)->table = (int)tables->len;
      }
    }
    g_array_unref (columns);
    r = end - 1;
  }
  g_array_unref (rows);
}

/* The x of the white gutter of a page in two columns, or 0. */
static float find_gutter (const PdfPage *page)
{
  float best_x = 0;
  guint best_crossing = G_MAXUINT;
  for (int step = 0; step <= 20; step++) {
    float x = page->width * (0.40f + 0.01f * (float)step);
    guint crossing = 0, left = 0, right = 0;
    for (guint i = 0; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      if (line->dropped || line->n < 4)
        continue;
      if (line->box.x1 <= x)
        left++;
      else if (line->box.x0 >= x)
        right++;
      else
        crossing++;
    }
    if (left >= 8 && right >= 8 && crossing * 4 < left + right && crossing < best_crossing) {
      best_crossing = crossing;
      best_x = x;
    }
  }
  return best_x;
}

GPtrArray *pdf_find_tables (PdfPage *page)
{
  GPtrArray *tables = g_ptr_array_new_with_free_func (table_free);
  if (page->lines->len > MAX_FRAGMENTS)
    return tables;
  float gutter = find_gutter (page);
  /* Left and right of the gutter, and what crosses it; without one everything is "crossing". */
  for (int side = 0; side < 3; side++) {
    if (side < 2 && gutter <= 0)
      continue;
    GArray *cells = g_array_new (FALSE, FALSE, sizeof (Cell));
    for (guint i = 0; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      if (line->dropped || line->n == 0 || line->style & PDF_MONO)
        continue;
      int belongs = gutter <= 0 ? 2 : line->box.x1 <= gutter ? 0 : line->box.x0 >= gutter ? 1 : 2;
      Cell cell = { i, line->box };
      if (belongs == side)
        g_array_append_val (cells, cell);
    }
    add_tables (page, cells, side < 2 ? page->width / 2 : page->width, tables);
    g_array_unref (cells);
  }
  return tables;
}

/* ---- rows ------------------------------------------------------------------------------------------------ */

static gboolean is_numeric (const PdfPage *page, const PdfLine *line)
{
  guint digits = 0, letters = 0;
  for (guint i = 0; i < line->n; i++) {
    const PdfWord *word = PDF_WORD (page, line->first + i);
    for (guint j = 0; j < word->length; j++) {
      digits += g_ascii_isdigit (page->text->str[word->start + j]);
      letters += g_ascii_isalpha (page->text->str[word->start + j]);
    }
  }
  return digits > letters;
}

typedef struct {
  LecternBlock *cell[MAX_COLUMNS];
  guint filled, numeric, bold, fragments;
  PdfBox box;
} TableRow;

static void row_clear (gpointer data)
{
  TableRow *row = data;
  for (guint c = 0; c < MAX_COLUMNS; c++)
    lectern_block_free (row->cell[c]);
}

static void append_words (LecternBlock **cell, const PdfPage *page, const PdfLine *line)
{
  static GHashTable *empty;
  if (!empty)
    empty = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const PdfDocument document = { .lexicon = empty };
  if (!*cell)
    *cell = pdf_block_new (LECTERN_BLOCK_TABLE_ROW, 0, page->number);
  pdf_block_append_line (*cell, &document, page, line, FALSE);
}

/* The cells of one line of print, or the continuation of the row above: its first column is empty and it holds less. */
static GArray *collect_rows (const PdfPage *page, const PdfTable *table)
{
  GArray *rows = g_array_new (FALSE, TRUE, sizeof (TableRow));
  g_array_set_clear_func (rows, row_clear);
  for (guint i = 0; i < table->cells->len;) {
    guint end = i;
    PdfBox box = PDF_LINE (page, g_array_index (table->cells, guint, i))->box;
    gboolean first_column = FALSE;
    for (; end < table->cells->len; end++) {
      const PdfLine *line = PDF_LINE (page, g_array_index (table->cells, guint, end));
      if (end > i && !pdf_box_same_line (&box, &line->box))
        break;
      pdf_box_unite (&box, &line->box);
      first_column |= column_of (table->column_x, &line->box) == 0;
    }
    TableRow *above = rows->len ? &g_array_index (rows, TableRow, rows->len - 1) : NULL;
    gboolean continues = above && !first_column && end - i < table->n_columns && above->cell[0]
                         && box.y0 - above->box.y1 < 0.6f * (box.y1 - box.y0);
    if (!continues) {
      g_array_set_size (rows, rows->len + 1);
      above = &g_array_index (rows, TableRow, rows->len - 1);
      above->box = box;
    }
    pdf_box_unite (&above->box, &box);
    for (; i < end; i++) {
      const PdfLine *line = PDF_LINE (page, g_array_index (table->cells, guint, i));
      append_words (&above->cell[MIN (column_of (table->column_x, &line->box), MAX_COLUMNS - 1)], page, line);
      above->fragments++;
      above->numeric += is_numeric (page, line);
      above->bold += (line->style & PDF_BOLD) != 0;
    }
  }
  return rows;
}

static gboolean first_is_header (const GArray *rows)
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
  return first->numeric == 0 && 3 * numeric > fragments;
}

void pdf_emit_table (const PdfPage *page, const PdfTable *table, Writer *writer)
{
  GArray *rows = collect_rows (page, table);
  gboolean header = rows->len > 0 && first_is_header (rows);
  for (guint r = 0; r < rows->len; r++) {
    const TableRow *row = &g_array_index (rows, TableRow, r);
    LecternBlock *block = pdf_block_new (LECTERN_BLOCK_TABLE_ROW, header && r == 0, page->number);
    GString *text = g_string_new (NULL);
    for (guint c = 0; c < table->n_columns && c < MAX_COLUMNS; c++) {
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
    emit_block (writer, block);
    lectern_block_free (block);
  }
  g_array_unref (rows);
}
