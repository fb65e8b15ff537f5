#include "ingest/extract/office/flow.h"

#include <string.h>

/* A table whose cells are longer on average is there for the layout. */
#define MAX_CELL_CHARACTERS 300
/* What a cell that spans rows repeats in each of them. */
#define MAX_REPEATED_BYTES 200

/* ---- text ------------------------------------------------------------------------------------------------ */

static gboolean is_space (gunichar c)
{
  return c <= ' ' || c == 0xA0 || c == 0x85 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F
         || c == 0x3000;
}

void flow_text_append (FlowText *text, const char *more)
{
  for (const char *at = more; *at;) {
    gunichar c = g_utf8_get_char (at);
    const char *next = g_utf8_next_char (at);
    if (c == 0xAD || c == 0x200B || c == 0xFEFF) {
      at = next; /* soft hyphens and zero-width spaces are no text */
      continue;
    }
    if (is_space (c)) {
      text->space = TRUE;
    } else {
      if (text->space && text->string->len > 0)
        g_string_append_c (text->string, ' ');
      text->space = FALSE;
      g_string_append_len (text->string, at, next - at);
    }
    at = next;
  }
}

gsize flow_count_characters (const char *text)
{
  gsize n = 0;
  for (; *text; text = g_utf8_next_char (text))
    n += !is_space (g_utf8_get_char (text));
  return n;
}

gboolean flow_title_is_good (const char *title)
{
  static const char *const defaults[] = { "untitled", "document", "microsoft word", "powerpoint",      "presentation",
                                          "unknown",  "title",    "slide 1",        "kein folientitel" };
  static const char *const endings[] = { ".doc",  ".docx", ".odt", ".dot", ".dotx", ".ppt",  ".pptx", ".xls",
                                         ".xlsx", ".odp",  ".ods", ".rtf", ".wpd",  ".indd", ".pdf",  ".tmp" };
  if (flow_count_characters (title) < 2)
    return FALSE;
  g_autofree char *folded = g_ascii_strdown (title, -1);
  g_strstrip (folded);
  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++) {
    gsize length = strlen (defaults[i]);
    if (g_str_has_prefix (folded, defaults[i]) && strspn (folded + length, "0123456789 ") == strlen (folded + length))
      return FALSE;
  }
  if (g_str_has_prefix (folded, "microsoft word - ") || strcmp (folded, "powerpoint presentation") == 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (folded, endings[i]))
      return FALSE;
  return TRUE;
}

static void append_letters (GString *label, guint number, char first)
{
  /* a … z, aa, bb, …: as word processors count. */
  for (guint i = 0; i <= (number - 1) / 26 && i < 8; i++)
    g_string_append_c (label, (char)(first + (number - 1) % 26));
}

static void append_roman (GString *label, guint number, gboolean upper)
{
  static const struct {
    guint value;
    const char *upper, *lower;
  } digits[] = { { 1000, "M", "m" }, { 900, "CM", "cm" }, { 500, "D", "d" },  { 400, "CD", "cd" }, { 100, "C", "c" },
                 { 90, "XC", "xc" }, { 50, "L", "l" },    { 40, "XL", "xl" }, { 10, "X", "x" },    { 9, "IX", "ix" },
                 { 5, "V", "v" },    { 4, "IV", "iv" },   { 1, "I", "i" } };
  for (guint i = 0; i < G_N_ELEMENTS (digits); i++)
    for (; number >= digits[i].value; number -= digits[i].value)
      g_string_append (label, upper ? digits[i].upper : digits[i].lower);
}

void flow_append_number (GString *label, char format, guint number)
{
  if (number > 0 && (format == 'a' || format == 'A'))
    append_letters (label, number, format);
  else if (number > 0 && number < 5000 && (format == 'i' || format == 'I'))
    append_roman (label, number, format == 'I');
  else
    g_string_append_printf (label, "%u", number);
}

/* ---- blocks ---------------------------------------------------------------------------------------------- */

typedef struct {
  GPtrArray *blocks; /* of LecternBlock; NULL: empty */
  guint n_columns;
  gboolean repeats_above;
} Cell;

typedef struct {
  GArray *cells; /* of Cell */
  gboolean header;
} Row;

struct _FlowTable {
  GArray *rows; /* of Row */
  gboolean first_row_is_header;
  guint outer_hold; /* Flow.hold around the table */
};

static void clear_cell (gpointer data)
{
  g_clear_pointer (&((Cell *)data)->blocks, g_ptr_array_unref);
}

static void clear_row (gpointer data)
{
  g_clear_pointer (&((Row *)data)->cells, g_array_unref);
}

static void free_table (gpointer data)
{
  FlowTable *table = data;
  g_array_unref (table->rows);
  g_free (table);
}

static void free_block (gpointer block)
{
  lectern_block_free (block);
}

void flow_init (Flow *flow, Writer *writer)
{
  *flow = (Flow){ .writer = writer };
  flow->tables = g_ptr_array_new_with_free_func (free_table);
  flow->held = g_ptr_array_new_with_free_func (free_block);
}

static LecternBlock *new_block (LecternBlockKind kind, int level, const char *text)
{
  LecternBlock *block = g_new0 (LecternBlock, 1);
  block->kind = kind;
  block->level = level;
  block->text = g_strdup (text);
  return block;
}

static void put_out (Flow *flow, LecternBlockKind kind, int level, const char *text)
{
  if (kind == LECTERN_BLOCK_HEADING && !flow->title)
    flow->title = g_strdup (text);
  flow->characters += flow_count_characters (text);
  if (flow->page == 0) {
    emit_block_text (flow->writer, kind, level, text);
  } else {
    LecternBlock block = { kind, level, flow->page, (char *)text, NULL };
    emit_block (flow->writer, &block);
  }
}

static void put_held (Flow *flow)
{
  for (guint i = 0; i < flow->held->len; i++) {
    const LecternBlock *block = g_ptr_array_index (flow->held, i);
    put_out (flow, block->kind, block->level, block->text);
  }
  g_ptr_array_set_size (flow->held, 0);
}

static Cell *current_cell (const Flow *flow)
{
  const FlowTable *table = g_ptr_array_index (flow->tables, flow->tables->len - 1);
  const Row *row = table->rows->len ? &g_array_index (table->rows, Row, table->rows->len - 1) : NULL;
  return row && row->cells && row->cells->len ? &g_array_index (row->cells, Cell, row->cells->len - 1) : NULL;
}

void flow_block (Flow *flow, LecternBlockKind kind, int level, const char *text)
{
  if (text[0] == '\0')
    return;
  Cell *cell;
  if (flow->hold > 0) {
    g_ptr_array_add (flow->held, new_block (kind, level, text));
  } else if (flow->tables->len == 0) {
    put_out (flow, kind, level, text);
    put_held (flow);
  } else if ((cell = current_cell (flow))) {
    if (!cell->blocks) {
      cell->blocks = g_ptr_array_new_with_free_func (free_block);
      flow->n_cells++;
    }
    g_ptr_array_add (cell->blocks, new_block (kind, level, text));
  } else { /* a table's caption, or text between rows */
    g_ptr_array_add (flow->held, new_block (kind, level, text));
  }
}

void flow_hold (Flow *flow)
{
  flow->hold++;
}

void flow_release (Flow *flow)
{
  flow->hold--;
}

void flow_finish (Flow *flow, gboolean titled)
{
  while (flow->tables->len > 0)
    flow_end_table (flow);
  put_held (flow);
  if (!titled && flow->title)
    emit_title (flow->writer, flow->title);
  if (flow->hidden > 0)
    emit_finding (flow->writer, LECTERN_FINDING_HIDDEN_TEXT, 0, flow->hidden, "marked as hidden in the document");
  if (flow->boilerplate > 0) {
    g_autofree char *detail = g_strdup_printf ("of %" G_GUINT64_FORMAT ": headers, footers, table of contents",
                                               flow->boilerplate + flow->characters);
    emit_finding (flow->writer, LECTERN_FINDING_BOILERPLATE, 0, flow->boilerplate, detail);
  }
  if (flow->n_cells > FLOW_MAX_CELLS)
    emit_finding (flow->writer, LECTERN_FINDING_CUT, 0, flow->n_cells, "tables beyond two million cells");
  g_clear_pointer (&flow->tables, g_ptr_array_unref);
  g_clear_pointer (&flow->held, g_ptr_array_unref);
  g_clear_pointer (&flow->title, g_free);
}

/* ---- tables ---------------------------------------------------------------------------------------------- */

void flow_begin_table (Flow *flow, gboolean first_row_is_header)
{
  FlowTable *table = g_new0 (FlowTable, 1);
  table->rows = g_array_new (FALSE, TRUE, sizeof (Row));
  g_array_set_clear_func (table->rows, clear_row);
  table->first_row_is_header = first_row_is_header;
  table->outer_hold = flow->hold;
  flow->hold = 0;
  g_ptr_array_add (flow->tables, table);
}

void flow_begin_row (Flow *flow, gboolean header)
{
  const FlowTable *table = g_ptr_array_index (flow->tables, flow->tables->len - 1);
  Row row = { .header = header };
  row.cells = g_array_new (FALSE, TRUE, sizeof (Cell));
  g_array_set_clear_func (row.cells, clear_cell);
  g_array_append_val (table->rows, row);
}

void flow_begin_cell (Flow *flow, guint n_columns, gboolean repeats_above)
{
  const FlowTable *table = g_ptr_array_index (flow->tables, flow->tables->len - 1);
  if (table->rows->len == 0)
    flow_begin_row (flow, FALSE);
  const Row *row = &g_array_index (table->rows, Row, table->rows->len - 1);
  if (row->cells->len >= FLOW_MAX_COLUMNS)
    return; /* what is in it goes to the last one */
  Cell cell = { NULL, CLAMP (n_columns, 1, FLOW_MAX_COLUMNS), repeats_above };
  g_array_append_val (row->cells, cell);
}

/* The cell's blocks in one line; "" if it has none. */
static char *dup_cell_text (const Cell *cell)
{
  GString *line = g_string_new (NULL);
  for (guint i = 0; cell->blocks && i < cell->blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (cell->blocks, i);
    if (line->len > 0)
      g_string_append (line,
                       block->kind == LECTERN_BLOCK_TABLE_ROW || block->kind == LECTERN_BLOCK_LIST_ITEM ? "; " : " ");
    g_string_append (line, block->text);
  }
  char *to = line->str; /* a table in the cell must not look like columns, nor code like rows */
  for (const char *from = line->str; *from;) {
    if (g_str_has_prefix (from, FLOW_CELL_SEPARATOR)) {
      *to++ = ',';
      from += strlen (FLOW_CELL_SEPARATOR) - 1;
    } else {
      *to++ = *from == '\n' ? ' ' : *from;
      from++;
    }
  }
  g_string_truncate (line, (gsize)(to - line->str));
  return g_string_free (line, FALSE);
}

static gboolean is_data_table (const FlowTable *table)
{
  gsize bytes = 0, n_cells = 0;
  guint n_columns = 0, n_rows = 0;
  gboolean header = FALSE;
  for (guint i = 0; i < table->rows->len; i++) {
    const Row *row = &g_array_index (table->rows, Row, i);
    guint used = 0;
    for (guint k = 0; k < row->cells->len; k++) {
      const Cell *cell = &g_array_index (row->cells, Cell, k);
      if (cell->blocks)
        used = k + 1;
      for (guint b = 0; cell->blocks && b < cell->blocks->len; b++) {
        const LecternBlock *block = g_ptr_array_index (cell->blocks, b);
        if (block->kind == LECTERN_BLOCK_HEADING || block->kind == LECTERN_BLOCK_CODE)
          return FALSE;
        bytes += strlen (block->text);
      }
      n_cells += cell->blocks != NULL;
    }
    n_rows += used > 0;
    n_columns = MAX (n_columns, used);
    header |= row->header;
  }
  if (n_columns < 2 && (n_rows < 3 || !header))
    return FALSE;
  return bytes / MAX (n_cells, 1) <= (gsize)(header ? 3 : 1) * MAX_CELL_CHARACTERS;
}

static void put_blocks (Flow *flow, const FlowTable *table)
{
  for (guint i = 0; i < table->rows->len; i++) {
    const Row *row = &g_array_index (table->rows, Row, i);
    for (guint k = 0; k < row->cells->len; k++) {
      const Cell *cell = &g_array_index (row->cells, Cell, k);
      for (guint b = 0; cell->blocks && b < cell->blocks->len; b++) {
        const LecternBlock *block = g_ptr_array_index (cell->blocks, b);
        flow_block (flow, block->kind, block->level, block->text);
      }
    }
  }
}

/* Whether a first row of labels is likely the header, not the first of a list of names and values. */
static gboolean has_numbers_or_many_columns (const FlowTable *table)
{
  guint n_columns = 0, n_numbers = 0;
  for (guint i = 1; i < table->rows->len; i++) {
    const Row *row = &g_array_index (table->rows, Row, i);
    n_columns = MAX (n_columns, row->cells->len);
    for (guint k = 0; k < row->cells->len; k++) {
      const Cell *cell = &g_array_index (row->cells, Cell, k);
      n_numbers += cell->blocks && flow_is_number (((LecternBlock *)g_ptr_array_index (cell->blocks, 0))->text);
    }
  }
  return n_columns >= 3 || n_numbers > 0;
}

static void put_rows (Flow *flow, const FlowTable *table)
{
  gboolean labels_first = table->first_row_is_header && has_numbers_or_many_columns (table);
  g_autoptr (GPtrArray) above = g_ptr_array_new_with_free_func (g_free); /* each column's text in the row before */
  gboolean explicit_header = FALSE, first = TRUE;
  for (guint i = 0; i < table->rows->len; i++)
    explicit_header |= g_array_index (table->rows, Row, i).header;
  for (guint i = 0; i < table->rows->len; i++) {
    const Row *row = &g_array_index (table->rows, Row, i);
    g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
    gboolean any = FALSE;
    for (guint k = 0; k < row->cells->len && texts->len < FLOW_MAX_COLUMNS; k++) {
      const Cell *cell = &g_array_index (row->cells, Cell, k);
      g_autofree char *text = dup_cell_text (cell);
      any |= text[0] != '\0';
      const char *upper = texts->len < above->len ? g_ptr_array_index (above, texts->len) : "";
      if (cell->repeats_above && text[0] == '\0' && strlen (upper) <= MAX_REPEATED_BYTES) {
        g_free (text);
        text = g_strdup (upper);
      }
      g_ptr_array_add (texts, g_steal_pointer (&text));
      for (guint n = 1; n < cell->n_columns && texts->len < FLOW_MAX_COLUMNS; n++)
        g_ptr_array_add (texts, g_strdup (""));
    }
    if (!any)
      continue;
    gboolean header = row->header;
    if (first && !explicit_header && labels_first)
      header = flow_is_header_row ((const char *const *)texts->pdata, texts->len);
    first = FALSE;
    g_autoptr (GString) line = g_string_new (NULL);
    guint used = texts->len;
    while (used > 0 && ((const char *)g_ptr_array_index (texts, used - 1))[0] == '\0')
      used--;
    for (guint k = 0; k < used; k++)
      g_string_append_printf (line, "%s%s", k ? FLOW_CELL_SEPARATOR : "", (const char *)g_ptr_array_index (texts, k));
    flow_block (flow, LECTERN_BLOCK_TABLE_ROW, header, line->str);
    g_clear_pointer (&above, g_ptr_array_unref);
    above = g_steal_pointer (&texts);
  }
}

void flow_end_table (Flow *flow)
{
  FlowTable *table = g_ptr_array_steal_index (flow->tables, flow->tables->len - 1);
  flow->hold = table->outer_hold;
  if (is_data_table (table))
    put_rows (flow, table);
  else
    put_blocks (flow, table);
  free_table (table);
  if (flow->tables->len == 0 && flow->hold == 0)
    put_held (flow);
}

gboolean flow_is_number (const char *text)
{
  gsize letters = 0, digits = 0;
  const char *first = text + strspn (text, "-+( ");
  for (const char *at = text; *at; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    letters += g_unichar_isalpha (c) != 0;
    digits += g_unichar_isdigit (c) != 0;
  }
  return digits > letters || (digits == letters && g_ascii_isdigit (*first)); /* also with a unit */
}

gboolean flow_is_header_row (const char *const *cells, guint n)
{
  guint n_labels = 0;
  for (guint i = 0; i < n; i++) {
    if (!cells[i] || !cells[i][0])
      continue;
    gboolean is_year = strlen (cells[i]) == 4 && strspn (cells[i], "0123456789") == 4;
    if ((flow_is_number (cells[i]) && !is_year) || strlen (cells[i]) > 150)
      return FALSE; /* a value, or a sentence */
    n_labels++;
  }
  return n_labels >= 2 && n_labels * 2 >= n;
}

/* ---- slides ---------------------------------------------------------------------------------------------- */

void flow_begin_slide (Flow *flow, int number)
{
  flow->page = number;
  flow->hold = 1;
}

void flow_end_slide (Flow *flow)
{
  while (flow->tables->len > 0)
    flow_end_table (flow);
  flow->hold = 0;
  for (guint i = 0; i < flow->held->len; i++) { /* the title is often drawn last */
    LecternBlock *block = g_ptr_array_index (flow->held, i);
    if (block->kind == LECTERN_BLOCK_HEADING) {
      g_ptr_array_insert (flow->held, 0, g_ptr_array_steal_index (flow->held, i));
      break;
    }
  }
  put_held (flow);
}
