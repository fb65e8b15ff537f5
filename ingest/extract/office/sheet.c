#include "ingest/extract/office/sheet.h"

#include <string.h>

#define MAX_GAP 32 /* empty cells between two that are shown as such */

typedef struct {
  guint column;
  char *text;
} Cell;

struct _Sheet {
  Flow *flow;
  GArray *row;        /* of Cell: in work */
  GArray *first;      /* of Cell: a region's first row, until the next tells whether it is a header */
  gboolean in_table;  /* the region's first row with several cells has been read */
  guint first_column; /* of the region */
};

static void clear_cell (gpointer data)
{
  g_free (((Cell *)data)->text);
}

static GArray *new_row (void)
{
  GArray *row = g_array_new (FALSE, TRUE, sizeof (Cell));
  g_array_set_clear_func (row, clear_cell);
  return row;
}

Sheet *sheet_new (Flow *flow)
{
  Sheet *sheet = g_new0 (Sheet, 1);
  sheet->flow = flow;
  sheet->row = new_row ();
  sheet->first = new_row ();
  return sheet;
}

void sheet_free (Sheet *sheet)
{
  g_array_unref (sheet->row);
  g_array_unref (sheet->first);
  g_free (sheet);
}

void sheet_begin (Sheet *sheet, const char *name)
{
  flow_block (sheet->flow, LECTERN_BLOCK_HEADING, 1, name);
}

gboolean sheet_cell (Sheet *sheet, guint column, const char *text)
{
  FlowText clean = { g_string_new (NULL), FALSE };
  flow_text_append (&clean, text);
  Cell cell = { column, g_string_free (clean.string, FALSE) };
  if (cell.text[0] == '\0' || sheet->row->len >= FLOW_MAX_COLUMNS || sheet->flow->n_cells > FLOW_MAX_CELLS) {
    g_free (cell.text);
    return sheet->flow->n_cells <= FLOW_MAX_CELLS;
  }
  sheet->flow->n_cells++;
  g_array_append_val (sheet->row, cell);
  return TRUE;
}

static void put_row (Sheet *sheet, const GArray *row, gboolean header)
{
  g_autoptr (GString) line = g_string_new (NULL);
  guint column = sheet->first_column;
  for (guint i = 0; i < row->len; i++) {
    const Cell *cell = &g_array_index (row, Cell, i);
    guint gap = cell->column > column ? MIN (cell->column - column, MAX_GAP) : 0;
    for (; gap > 0; gap--)
      g_string_append (line, FLOW_CELL_SEPARATOR);
    g_string_append (line, cell->text);
    if (i + 1 < row->len)
      g_string_append (line, FLOW_CELL_SEPARATOR);
    column = cell->column + 1;
  }
  flow_block (sheet->flow, LECTERN_BLOCK_TABLE_ROW, header, line->str);
}

/* Labels above at least one value, or above as many cells if there are many. */
static gboolean is_header (const GArray *row, const GArray *below)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  for (guint i = 0; i < row->len; i++)
    g_ptr_array_add (texts, g_array_index (row, Cell, i).text);
  if (!flow_is_header_row ((const char *const *)texts->pdata, texts->len))
    return FALSE;
  gboolean number = FALSE;
  for (guint i = 0; i < below->len; i++)
    number |= flow_is_number (g_array_index (below, Cell, i).text);
  return number || (row->len >= 3 && below->len * 2 >= row->len);
}

static void put_first (Sheet *sheet, const GArray *below)
{
  if (sheet->first->len == 0)
    return;
  put_row (sheet, sheet->first, below && is_header (sheet->first, below));
  g_array_set_size (sheet->first, 0);
}

void sheet_end_row (Sheet *sheet)
{
  GArray *row = sheet->row;
  if (row->len == 0) {
    put_first (sheet, NULL);
    sheet->in_table = FALSE;
  } else if (!sheet->in_table && row->len == 1 && !flow_is_number (g_array_index (row, Cell, 0).text)) {
    flow_block (sheet->flow, LECTERN_BLOCK_PARAGRAPH, 0, g_array_index (row, Cell, 0).text);
  } else if (!sheet->in_table) {
    sheet->in_table = TRUE;
    sheet->first_column = g_array_index (row, Cell, 0).column;
    sheet->row = sheet->first;
    sheet->first = row;
  } else {
    put_first (sheet, row);
    put_row (sheet, row, FALSE);
  }
  g_array_set_size (sheet->row, 0);
}

void sheet_skip_row (Sheet *sheet)
{
  for (guint i = 0; i < sheet->row->len; i++)
    sheet->flow->hidden += flow_count_characters (g_array_index (sheet->row, Cell, i).text);
  g_array_set_size (sheet->row, 0);
}

void sheet_end (Sheet *sheet)
{
  g_array_set_size (sheet->row, 0);
  sheet_end_row (sheet);
}
