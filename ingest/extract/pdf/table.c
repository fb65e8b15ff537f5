/* table.c: finds tables within one region of a page: rows of print with several fragments, near each other, whose
 * gaps stand under each other. Takes the fragments of a region and gives cells: words with their row of print and
 * column. table-rows.c makes rows of the table of them. */
#include "ingest/extract/pdf/document.h"

#include <string.h>

#define MAX_BINS 1200u
#define MAX_SINGLES 6u /* rows with one fragment between rows with several */
#define MAX_REGION_ROWS 400u
#define AIRY 3.0f       /* heights of a row, at most between two rows of a table */
#define AIRY_COLUMNS 3u /* at least, of a table whose rows stand far apart */
#define AIRY_ROWS 4u

/* A row of print. */
typedef struct {
  guint first, n; /* fragments, consecutive in the page */
  PdfBox box;
} Row;

static void table_free (gpointer data)
{
  PdfTable *table = data;
  g_array_unref (table->cells);
  g_free (table);
}

static gboolean is_mono (const PdfPage *page, const Row *row)
{
  for (guint i = 0; i < row->n; i++)
    if (!(PDF_LINE (page, row->first + i)->style & PDF_MONO))
      return FALSE;
  return TRUE;
}

/* The rows of the region that begins with fragment `first`, up to where reading is stopped by what can be in no table.
 * Sets *end to the fragment after the region. */
static GArray *region_rows (const PdfPage *page, guint first, guint *end)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  guint region = PDF_LINE (page, first)->region, i = first;
  while (i < page->lines->len && PDF_LINE (page, i)->region == region) {
    guint row_end = pdf_row_end (page, i);
    Row row = { i, 0, { 0 } };
    for (; i < row_end; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      if (line->dropped || line->contents)
        continue;
      if (row.n == 0) {
        row.first = i;
        row.box = line->box;
      }
      pdf_box_unite (&row.box, &line->box);
      row.n = i + 1 - row.first;
    }
    if (row.n)
      g_array_append_val (rows, row);
  }
  *end = i;
  return rows;
}

/* Whether the only fragment of a row fills the first gap of another row. (Later gaps may be those of a justified cell.) */
static gboolean bridges (const PdfPage *page, const Row *single, const Row *other)
{
  return single->box.x0 < PDF_LINE (page, other->first)->box.x1
         && single->box.x1 > PDF_LINE (page, other->first + 1)->box.x0;
}

/* Whether a row is in larger print than another: a heading, not a row of the same table. */
static gboolean is_larger (const PdfPage *page, const Row *row, const Row *other)
{
  return PDF_LINE (page, row->first)->size > 1.12f * PDF_LINE (page, other->first)->size;
}

/* Whether row `i` stands as far below the one above it as the second row of the table does below its first. */
static gboolean keeps_pace (const GArray *rows, guint from, guint i)
{
  const Row *first = &g_array_index (rows, Row, from), *row = &g_array_index (rows, Row, i);
  float pace = first[1].box.y1 - first->box.y1, distance = row->box.y1 - row[-1].box.y1;
  return row->n > 1 && row[-1].n > 1 && distance > 0.85f * pace && distance < 1.15f * pace;
}

/* The end of the rows from `from` on that may be one table. airy: rows may stand far apart if all of them do; set to
 * whether they did. */
static guint table_end (const PdfPage *page, const GArray *rows, guint from, gboolean *airy)
{
  gboolean may_be_airy = *airy;
  *airy = FALSE;
  guint last = from, full = from, limit = MIN (rows->len, from + MAX_REGION_ROWS);
  for (guint i = from + 1; i < limit; i++) {
    const Row *above = &g_array_index (rows, Row, i - 1), *row = &g_array_index (rows, Row, i);
    float height = MAX (PDF_LINE (page, row->first)->box.y1 - PDF_LINE (page, row->first)->box.y0, 4.0f);
    float gap = row->box.y0 - above->box.y1;
    if (is_mono (page, row) || is_larger (page, row, &g_array_index (rows, Row, last)))
      break;
    if (gap > 1.5f * height) {
      if (!may_be_airy || gap > AIRY * height || !keeps_pace (rows, from, i))
        break;
      *airy = TRUE;
    }
    /* Full rows have something in the first column; others only go on with the cells above. */
    gboolean first_column = row->box.x0 < PDF_LINE (page, g_array_index (rows, Row, full).first)->box.x1;
    if (row->n > 1 && first_column)
      last = full = i;
    else if (row->n > 1)
      last = i;
    else if (bridges (page, row, &g_array_index (rows, Row, full)) || i - last > MAX_SINGLES)
      break;
  }
  /* What hangs below the last row is the rest of its cells if it is not in the first column. */
  for (guint i = last + 1; i < limit && i <= last + MAX_SINGLES; i++) {
    const Row *above = &g_array_index (rows, Row, i - 1), *row = &g_array_index (rows, Row, i);
    float height = MAX (row->box.y1 - row->box.y0, 4.0f);
    if (row->box.y0 - above->box.y1 > 0.5f * height
        || row->box.x0 < PDF_LINE (page, g_array_index (rows, Row, full).first)->box.x1 || is_mono (page, row))
      return i;
    if (i + 1 == limit)
      return limit;
  }
  return last + 1;
}

/* ---- columns --------------------------------------------------------------------------------------------- */

typedef struct {
  guint n;                                                 /* columns; boundaries between them: n - 1 */
  float boundary[PDF_MAX_COLUMNS], width[PDF_MAX_COLUMNS]; /* of the white gap there, points */
  float left, right;
} Columns;

static guint column_of (const Columns *columns, const PdfBox *box)
{
  float x = (box->x0 + box->x1) / 2;
  guint c = 0;
  while (c + 1 < columns->n && x > columns->boundary[c])
    c++;
  return c;
}

/* Columns are what lies between the vertical stripes that are white in nearly all rows with several fragments. */
static Columns find_columns (const PdfPage *page, const Row *rows, guint n_rows, float min_gap)
{
  Columns columns = { .n = 1, .left = 1e9f, .right = -1e9f };
  guint multi = 0;
  for (guint r = 0; r < n_rows; r++) {
    columns.left = MIN (columns.left, rows[r].box.x0);
    columns.right = MAX (columns.right, rows[r].box.x1);
    multi += rows[r].n > 1;
  }
  float scale = MAX ((columns.right - columns.left) / (float)MAX_BINS, 0.5f);
  int change[MAX_BINS + 2] = { 0 };
  for (guint r = 0; r < n_rows; r++)
    for (guint i = 0; i < rows[r].n; i++) {
      const PdfBox *box = &PDF_LINE (page, rows[r].first + i)->box;
      change[CLAMP ((int)((box->x0 - columns.left) / scale), 0, (int)MAX_BINS)]++;
      change[CLAMP ((int)((box->x1 - columns.left) / scale), 0, (int)MAX_BINS)]--;
    }
  int cover = 0, tolerated = (int)(multi / 8), lowest = 0;
  gboolean white = FALSE;
  guint start = 0, low_start = 0, low_end = 0;
  for (guint b = 0; b <= MAX_BINS; b++) {
    cover += change[b];
    if (cover <= tolerated && columns.left + (float)b * scale < columns.right) {
      if (!white || cover < lowest) {
        start = white ? start : b;
        lowest = cover;
        low_start = b;
        low_end = b + 1;
      } else if (cover == lowest && low_end == b)
        low_end = b + 1;
      white = TRUE;
      continue;
    }
    if (white && start > 0 && (float)(b - start) * scale >= min_gap && b <= MAX_BINS
        && columns.left + (float)b * scale < columns.right && columns.n < PDF_MAX_COLUMNS) {
      columns.boundary[columns.n - 1] = columns.left + (float)(low_start + low_end) / 2 * scale;
      columns.width[columns.n - 1] = (float)(b - start) * scale;
      columns.n++;
    }
    white = FALSE;
  }
  return columns;
}

/* Whether a fragment runs over a boundary without a gap between words there. */
static gboolean crosses (const PdfPage *page, const PdfLine *line, const Columns *columns)
{
  for (guint c = 0; c + 1 < columns->n; c++) {
    float x = columns->boundary[c];
    if (line->box.x0 > x - 1 || line->box.x1 < x + 1)
      continue;
    gboolean gap = FALSE;
    for (guint i = 1; i < line->n; i++) {
      const PdfWord *left = PDF_WORD (page, line->first + i - 1), *right = PDF_WORD (page, line->first + i);
      gap |= left->box.x1 <= x + 1 && right->box.x0 >= x - 1 && right->box.x0 - left->box.x1 > 0.45f * line->size;
    }
    if (!gap)
      return TRUE;
  }
  return FALSE;
}

static gboolean violates (const PdfPage *page, const Row *row, const Columns *columns)
{
  for (guint i = 0; i < row->n; i++)
    if (crosses (page, PDF_LINE (page, row->first + i), columns))
      return TRUE;
  return FALSE;
}

/* ---- alignment ------------------------------------------------------------------------------------------- */

static int compare_floats (gconstpointer a, gconstpointer b)
{
  float left = *(const float *)a, right = *(const float *)b;
  return left < right ? -1 : left > right;
}

/* The most values that lie within `tolerance` of each other. Sorts them. */
static guint most_together (GArray *values, float tolerance)
{
  guint most = 0;
  g_array_sort (values, compare_floats);
  for (guint i = 0, j = 0; i < values->len; i++) {
    while (g_array_index (values, float, i) - g_array_index (values, float, j) > tolerance)
      j++;
    most = MAX (most, i - j + 1);
  }
  return most;
}

/* Whether the cells of most columns share their left edges, their right edges or their middles. Long cells that share
 * only the right edge are the ends of justified lines. */
static gboolean is_aligned (const PdfPage *page, const Row *rows, guint n_rows, const Columns *columns)
{
  GArray *edges[3];
  for (int e = 0; e < 3; e++)
    edges[e] = g_array_new (FALSE, FALSE, sizeof (float));
  guint stray = 0;
  for (guint c = 0; c < columns->n; c++) {
    float size = 4;
    guint words = 0;
    for (int e = 0; e < 3; e++)
      g_array_set_size (edges[e], 0);
    for (guint r = 0; r < n_rows; r++)
      for (guint i = 0, seen = 0; i < rows[r].n; i++) {
        const PdfLine *line = PDF_LINE (page, rows[r].first + i);
        if (column_of (columns, &line->box) != c)
          continue;
        float middle = (line->box.x0 + line->box.x1) / 2;
        /* Further fragments of a cell only tell where it ends. */
        if (seen++ == 0) {
          g_array_append_val (edges[0], line->box.x0);
          g_array_append_val (edges[1], line->box.x1);
          g_array_append_val (edges[2], middle);
        } else
          g_array_index (edges[1], float, edges[1]->len - 1) = line->box.x1;
        size = line->size;
        words += line->n;
      }
    guint best = 0, n = edges[0]->len;
    for (int e = 0; e < 3; e++)
      if (e != 1 || words <= 2 * n)
        best = MAX (best, most_together (edges[e], (e == 0 ? 0.45f : 0.25f) * size));
    stray += 20 * best < 11 * n;
  }
  for (int e = 0; e < 3; e++)
    g_array_unref (edges[e]);
  return 3 * stray < columns->n;
}

/* ---- is it one? ------------------------------------------------------------------------------------------ */

/* A bullet or a number before an item, or the number of an equation. */
static gboolean is_mark (const PdfPage *page, const PdfLine *line)
{
  const PdfWord *word = PDF_WORD (page, line->first);
  const char *text = page->text->str + word->start;
  char last = text[word->length - 1];
  if (line->n != 1 || word->length > 6 || g_ascii_isdigit (last))
    return FALSE;
  return text[0] == '(' || text[0] == '[' || strchr (".)]-*", last) || (guchar)last >= 0x80
         || (word->length == 1 && *text == 'o');
}

static gboolean is_bare_number (const PdfPage *page, const PdfLine *line)
{
  const PdfWord *word = PDF_WORD (page, line->first);
  return line->n == 1 && strspn (page->text->str + word->start, "0123456789") >= word->length;
}

/* Whether the rows make a table rather than running text, a list, or formulas. */
static gboolean is_table (const PdfPage *page, const Row *rows, guint n_rows, const Columns *columns)
{
  guint n = columns->n, multi = 0;
  for (guint r = 0; r < n_rows; r++)
    multi += rows[r].n > 1;
  if (n < 2 || multi < 2 || (multi < 3 && n < 3) || 3 * multi < n_rows)
    return FALSE;
  guint filled[PDF_MAX_COLUMNS] = { 0 }, words[PDF_MAX_COLUMNS] = { 0 };
  guint bytes = 0, n_cells = 0, marks = 0, numbers = 0, code = 0, violations = 0;
  float width[PDF_MAX_COLUMNS] = { 0 };
  for (guint r = 0; r < n_rows; r++) {
    violations += violates (page, &rows[r], columns);
    for (guint i = 0; i < rows[r].n; i++) {
      const PdfLine *line = PDF_LINE (page, rows[r].first + i);
      guint c = column_of (columns, &line->box);
      filled[c]++;
      words[c] += line->n;
      width[c] += line->box.x1 - line->box.x0;
      bytes += line->chars;
      n_cells++;
      marks += c == 0 && is_mark (page, line);
      numbers += c == 0 && is_bare_number (page, line);
      code += c == 1 && line->style & PDF_MONO;
    }
  }
  guint full = 0, prose = 0;
  gboolean last_is_prose = FALSE;
  for (guint c = 0; c < n; c++) {
    float from = c > 0 ? columns->boundary[c - 1] : columns->left,
          to = c + 1 < n ? columns->boundary[c] : columns->right;
    full += 5 * filled[c] >= 2 * multi;
    float fill = filled[c] ? width[c] / ((float)filled[c] * MAX (to - from, 1.0f)) : 0;
    last_is_prose = filled[c] > 2 && words[c] > 4 * filled[c] && fill > 0.62f && to - from > 0.2f * page->width;
    prose += last_is_prose;
  }
  /* Labels in a drawing leave most places empty. */
  if (n >= 5 && 5 * n_cells < 2 * n * n_rows)
    return FALSE;
  if (full < 2 || prose >= 2 || 4 * violations > n_rows || bytes < 3 * n_cells
      || !is_aligned (page, rows, n_rows, columns))
    return FALSE;
  /* Numbered lines of code or of text. */
  if (n == 2 && (last_is_prose || 2 * code > filled[1]) && 2 * numbers > filled[0])
    return FALSE;
  return !(2 * marks > filled[0] && n <= 3);
}

/* ---- cells ----------------------------------------------------------------------------------------------- */

static void add_cell (PdfTable *table, guint first, guint n, guint row, guint column)
{
  PdfCell cell = { first, n, row, column };
  g_array_append_val (table->cells, cell);
}

/* A fragment that has a gap where columns meet belongs to both of them. */
static void add_cells (const PdfPage *page, const PdfLine *line, guint row, const Columns *columns, PdfTable *table)
{
  guint start = line->first;
  for (guint i = 1; i < line->n; i++) {
    const PdfWord *left = PDF_WORD (page, line->first + i - 1), *right = PDF_WORD (page, line->first + i);
    gboolean meets = FALSE;
    for (guint c = 0; c + 1 < columns->n; c++)
      meets |= left->box.x1 <= columns->boundary[c] + 1 && right->box.x0 >= columns->boundary[c] - 1;
    if (!meets || right->box.x0 - left->box.x1 <= 0.45f * line->size)
      continue;
    PdfBox box = PDF_WORD (page, start)->box;
    pdf_box_unite (&box, &left->box);
    add_cell (table, start, line->first + i - start, row, column_of (columns, &box));
    start = line->first + i;
  }
  PdfBox box = PDF_WORD (page, start)->box;
  pdf_box_unite (&box, &PDF_WORD (page, line->first + line->n - 1)->box);
  add_cell (table, start, line->first + line->n - start, row, column_of (columns, &box));
}

static void add_table (PdfPage *page, const Row *rows, guint n_rows, const Columns *columns, GPtrArray *tables)
{
  PdfTable *table = g_new0 (PdfTable, 1);
  table->cells = g_array_new (FALSE, FALSE, sizeof (PdfCell));
  table->n_columns = columns->n;
  g_ptr_array_add (tables, table);
  for (guint r = 0; r < n_rows; r++)
    for (guint i = 0; i < rows[r].n; i++) {
      PdfLine *line = PDF_LINE (page, rows[r].first + i);
      if (line->dropped || line->contents)
        continue;
      line->table = (int)tables->len;
      add_cells (page, line, r, columns, table);
    }
}

/* Looks for a table that begins with row `from`. Returns the row to go on with. */
static guint try_table (PdfPage *page, const GArray *rows, guint from, gboolean airy, GPtrArray *tables)
{
  if (from + 1 < rows->len && is_larger (page, &g_array_index (rows, Row, from), &g_array_index (rows, Row, from + 1)))
    return from + 1;
  guint end = table_end (page, rows, from, &airy), first = from;
  if (end - from < 2)
    return from + 1;
  float size = MAX (PDF_LINE (page, g_array_index (rows, Row, from).first)->size, 4.0f);
  Columns columns = { 0 };
  /* Rows at the edges that do not keep to the columns belong to the text around the table. */
  for (int round = 0; round < 2; round++) {
    columns
        = find_columns (page, &g_array_index (rows, Row, first), end - first, (end - first < 3 ? 1.2f : 0.55f) * size);
    guint before = end - first;
    while (end - first >= 2 && violates (page, &g_array_index (rows, Row, end - 1), &columns))
      end--;
    while (end - first >= 2 && violates (page, &g_array_index (rows, Row, first), &columns))
      first++;
    if (end - first == before || end - first < 2)
      break;
  }
  if (end - first < 2 || (airy && (columns.n < AIRY_COLUMNS || end - first < AIRY_ROWS))
      || !is_table (page, &g_array_index (rows, Row, first), end - first, &columns))
    return airy ? try_table (page, rows, from, FALSE, tables) : from + 1;
  add_table (page, &g_array_index (rows, Row, first), end - first, &columns, tables);
  return end;
}

GPtrArray *pdf_find_tables (PdfPage *page)
{
  GPtrArray *tables = g_ptr_array_new_with_free_func (table_free);
  for (guint i = 0, end; i < page->lines->len; i = end) {
    GArray *rows = region_rows (page, i, &end);
    guint failures = 0;
    for (guint r = 0; r < rows->len && failures < MAX_REGION_ROWS;) {
      const Row *row = &g_array_index (rows, Row, r);
      guint next = row->n < 2 || is_mono (page, row) ? r + 1 : try_table (page, rows, r, TRUE, tables);
      failures += row->n > 1 && next == r + 1;
      r = next;
    }
    g_array_unref (rows);
  }
  return tables;
}
