#include "ingest/extract/text/csv.h"

#include "ingest/extract/text/encoding.h"

#include <string.h>

#define CELL_SEPARATOR " | "
#define LOOK_BYTES 65536
#define LOOK_ROWS 50
#define MAX_CELLS 4096u /* of one row; what follows is left out and reported */
#define MAX_ROWS 1000000u
#define MAX_CELL_BYTES 65536u /* a quoted cell that goes on longer is one whose end is missing */
#define MAX_TEXT_BYTES (G_GUINT64_CONSTANT (160) << 20)
#define MAX_HEADER_CELL_BYTES 80

typedef struct {
  const char *at, *end;
  char delimiter;
  gboolean quotes;
} Cursor;

int csv_sniff (const Document *document)
{
  return encoding_is_binary (document->bytes, document->size) ? 0 : 1;
}

/* A quoted cell: its text, and the cursor behind its closing quote. FALSE: it has none within MAX_CELL_BYTES. */
static gboolean read_quoted (Cursor *cursor, GString *cell)
{
  const char *limit = cursor->at + MIN ((gsize)(cursor->end - cursor->at), MAX_CELL_BYTES);
  for (const char *at = cursor->at + 1; at < limit; at++) {
    if (*at == '"' && at + 1 < cursor->end && at[1] == '"') {
      g_string_append_c (cell, '"');
      at++;
    } else if (*at == '"') {
      cursor->at = at + 1;
      return TRUE;
    } else {
      g_string_append_c (cell, *at);
    }
  }
  g_string_truncate (cell, 0);
  return FALSE;
}

/* Reads one cell with white space normalised; TRUE if another follows in the row. At the row's end goes behind it. */
static gboolean read_cell (Cursor *cursor, GString *cell)
{
  g_string_truncate (cell, 0);
  while (cursor->at < cursor->end && *cursor->at == ' ' && cursor->delimiter != ' ')
    cursor->at++;
  if (cursor->quotes && cursor->at < cursor->end && *cursor->at == '"' && !read_quoted (cursor, cell))
    cursor->quotes = FALSE; /* from here on they mean nothing, so that no quote is looked for twice */
  while (cursor->at < cursor->end && *cursor->at != cursor->delimiter && *cursor->at != '\n' && *cursor->at != '\r')
    g_string_append_c (cell, *cursor->at++);
  gsize kept = 0;
  gboolean space = FALSE;
  for (gsize i = 0; i < cell->len; i++) {
    if ((guchar)cell->str[i] <= ' ') {
      space = kept > 0;
      continue;
    }
    if (space)
      cell->str[kept++] = ' '; /* there was at least one */
    space = FALSE;
    cell->str[kept++] = cell->str[i];
  }
  g_string_truncate (cell, kept);
  if (cursor->at < cursor->end && *cursor->at == cursor->delimiter) {
    cursor->at++;
    return TRUE;
  }
  if (cursor->at < cursor->end && *cursor->at == '\r')
    cursor->at++;
  if (cursor->at < cursor->end && *cursor->at == '\n')
    cursor->at++;
  return FALSE;
}

/* How well the first rows fall into columns with this delimiter: the share of rows that have as many cells as most, times
 * a little for more columns; 0: into one column. */
static double judge (const char *text, gsize length, char delimiter)
{
  Cursor cursor = { text, text + MIN (length, LOOK_BYTES), delimiter, TRUE };
  gboolean whole = length <= LOOK_BYTES;
  guint counts[LOOK_ROWS], n_rows = 0;
  g_autoptr (GString) cell = g_string_new (NULL);
  while (cursor.at < cursor.end && n_rows < LOOK_ROWS) {
    guint n = 1;
    gboolean any = FALSE;
    while (read_cell (&cursor, cell)) {
      n++;
      any |= cell->len > 0;
    }
    if (cursor.at >= cursor.end && !whole && n_rows > 0)
      break; /* cut by the look */
    if (any || cell->len > 0)
      counts[n_rows++] = n;
  }
  guint best = 0, best_count = 0;
  for (guint i = 0; i < n_rows; i++) {
    guint same = 0;
    for (guint k = 0; k < n_rows; k++)
      same += counts[k] == counts[i];
    if (counts[i] > 1 && same > best) {
      best = same;
      best_count = counts[i];
    }
  }
  return n_rows == 0 ? 0 : (double)best / n_rows * (1 + 0.02 * MIN (best_count, 10));
}

static char find_delimiter (const char *text, gsize length, const char *name)
{
  if (length >= 5 && g_ascii_strncasecmp (text, "sep=", 4) == 0 && (guchar)text[4] >= ' ' && (guchar)text[4] < 0x80)
    return text[4];
  static const char candidates[] = ",;\t|";
  const char *dot = name ? strrchr (name, '.') : NULL;
  char found = dot && (g_ascii_strcasecmp (dot, ".tsv") == 0 || g_ascii_strcasecmp (dot, ".tab") == 0) ? '\t' : ',';
  double best = judge (text, length, found) * 1.2;
  for (const char *c = candidates; *c; c++) {
    double value = judge (text, length, *c);
    if (value > best) {
      best = value;
      found = *c;
    }
  }
  return found;
}

static gboolean is_number (const char *cell)
{
  gboolean digit = FALSE;
  for (const char *at = cell; *at; at++) {
    digit |= g_ascii_isdigit (*at);
    if (!g_ascii_isdigit (*at) && !strchr ("+-.,:/%eE $", *at))
      return FALSE;
  }
  return digit;
}

/* Whether the first row names the columns: short, different names, none of them a number or missing, above a row that is
 * not all alike. */
static gboolean has_header (Cursor cursor)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) cell = g_string_new (NULL);
  guint n = 0;
  gboolean more = TRUE;
  cursor.end = cursor.at + MIN ((gsize)(cursor.end - cursor.at), LOOK_BYTES);
  while (more && n < MAX_CELLS) {
    more = read_cell (&cursor, cell);
    gboolean corner = n == 0 && cell->len == 0; /* above row names */
    if (!corner
        && (cell->len == 0 || cell->len > MAX_HEADER_CELL_BYTES || is_number (cell->str)
            || !g_hash_table_add (names, g_strdup (cell->str))))
      return FALSE;
    n++;
  }
  return n > 1 && cursor.at < cursor.end;
}

Outcome csv_extract (const Document *document, Writer *writer)
{
  if (encoding_is_binary (document->bytes, document->size))
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "The file holds binary data, not text.");
  gsize length;
  g_autofree char *text = encoding_decode (document->bytes, document->size, NULL, &length, NULL);
  Cursor cursor = { text, text + length, find_delimiter (text, length, document->name), TRUE };
  if (length >= 5 && g_ascii_strncasecmp (text, "sep=", 4) == 0) {
    const char *feed = memchr (text, '\n', length);
    cursor.at = feed ? feed + 1 : cursor.end;
  }
  while (cursor.at < cursor.end && (*cursor.at == '\n' || *cursor.at == '\r'))
    cursor.at++;
  gboolean header = has_header (cursor);
  g_autoptr (GString) cell = g_string_new (NULL);
  g_autoptr (GString) row = g_string_new (NULL);
  guint n_rows = 0;
  guint64 n_cut_cells = 0, text_bytes = 0;
  while (cursor.at < cursor.end && n_rows < MAX_ROWS && text_bytes < MAX_TEXT_BYTES) {
    g_string_truncate (row, 0);
    gsize kept = 0; /* without empty cells at the end */
    guint n = 0;
    for (gboolean more = TRUE; more; n++) {
      more = read_cell (&cursor, cell);
      if (n >= MAX_CELLS) {
        n_cut_cells += cell->len > 0;
        continue;
      }
      if (n > 0)
        g_string_append (row, CELL_SEPARATOR);
      g_string_append_len (row, cell->str, (gssize)cell->len);
      if (cell->len > 0)
        kept = row->len;
    }
    g_string_truncate (row, kept);
    if (kept == 0)
      continue;
    emit_block_text (writer, LECTERN_BLOCK_TABLE_ROW, header && n_rows == 0, row->str);
    text_bytes += kept;
    n_rows++;
  }
  if (n_cut_cells > 0)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, n_cut_cells, "cells in rows of more than 4096");
  if (cursor.at < cursor.end)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, (guint64)(cursor.end - cursor.at),
                  "bytes of a table with too many rows");
  if (n_rows == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The table is empty.");
  return outcome_indexed ();
}
