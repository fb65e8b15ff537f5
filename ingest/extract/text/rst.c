#include "ingest/extract/text/rst.h"

#include "ingest/extract/text/encoding.h"
#include "ingest/extract/text/rst-inline.h"

#include <string.h>

#define MAX_COLUMNS 256u
#define MAX_TITLE_BYTES 400
#define TAB_WIDTH 8

typedef struct {
  const char *text; /* behind the indentation */
  gsize length;     /* of that, without white space at the end; 0: an empty line */
  guint indent;
} Line;

typedef struct {
  Writer *writer;
  Line *lines;
  guint n;
  char styles[6][2]; /* an underline's character, and whether there is an overline, in order of levels */
  int n_styles;
  gboolean has_title;
  GString *out;
} Reader;

int rst_sniff (const Document *document)
{
  return encoding_is_binary (document->bytes, document->size) ? 0 : 1;
}

static gboolean is_empty (const Reader *reader, guint i)
{
  return i >= reader->n || reader->lines[i].length == 0;
}

static gboolean starts (const Line *line, const char *word)
{
  gsize length = strlen (word);
  return line->length >= length && memcmp (line->text, word, length) == 0;
}

static void emit (Reader *reader, LecternBlockKind kind, int level)
{
  GString *out = reader->out;
  while (out->len > 0 && (out->str[out->len - 1] == ' ' || out->str[out->len - 1] == '\n'))
    g_string_truncate (out, out->len - 1);
  emit_block_text (reader->writer, kind, level, out->str);
  g_string_truncate (out, 0);
}

/* The character of a line that is a row of one sign; 0: it is something else. */
static char adornment (const Line *line)
{
  if (line->length < 2 || !g_ascii_ispunct (line->text[0]))
    return 0;
  for (gsize i = 1; i < line->length; i++)
    if (line->text[i] != line->text[0])
      return 0;
  return line->text[0];
}

/* ---- sections ---- */

static void emit_section (Reader *reader, const Line *title, char sign, gboolean overline)
{
  int level = 0;
  while (level < reader->n_styles && (reader->styles[level][0] != sign || reader->styles[level][1] != (char)overline))
    level++;
  if (level == reader->n_styles && level < (int)G_N_ELEMENTS (reader->styles)) {
    reader->styles[level][0] = sign;
    reader->styles[level][1] = (char)overline;
    reader->n_styles++;
  }
  rst_append_inline (reader->out, title->text, title->length);
  if (!reader->has_title && reader->out->len > 0) {
    emit_title (reader->writer, reader->out->str);
    reader->has_title = TRUE;
  }
  emit (reader, LECTERN_BLOCK_HEADING, MIN (level + 1, 6));
}

/* A section title at line i, with its adornment; where it ends, or i. */
static guint read_section (Reader *reader, guint i)
{
  const Line *line = &reader->lines[i];
  char sign = line->indent == 0 ? adornment (line) : 0;
  if (sign && i + 2 < reader->n && line->length >= 3 && !is_empty (reader, i + 1)
      && adornment (&reader->lines[i + 2]) == sign && reader->lines[i + 2].length == line->length
      && reader->lines[i + 2].indent == 0) {
    emit_section (reader, &reader->lines[i + 1], sign, TRUE);
    return i + 3;
  }
  if (!sign && line->indent == 0 && i + 1 < reader->n && line->length <= MAX_TITLE_BYTES) {
    const Line *under = &reader->lines[i + 1];
    char below = under->indent == 0 ? adornment (under) : 0;
    glong width = g_utf8_strlen (line->text, (gssize)line->length);
    if (below && ((glong)under->length >= width || (under->length >= 4 && (glong)under->length + 2 >= width))) {
      emit_section (reader, line, below, FALSE);
      return i + 2;
    }
  }
  return i;
}

/* ---- blocks that stand as they are ---- */

/* The lines from i on that are indented by at least `indent`, with empty ones between them; *end is behind them. */
static void read_literal (Reader *reader, guint i, guint indent, guint *end)
{
  guint shared = G_MAXUINT, last = i;
  for (guint k = i; k < reader->n && (is_empty (reader, k) || reader->lines[k].indent >= indent); k++)
    if (!is_empty (reader, k)) {
      shared = MIN (shared, reader->lines[k].indent);
      last = k + 1;
    }
  for (guint k = i; k < last; k++) {
    const Line *line = &reader->lines[k];
    if (line->length > 0) {
      for (guint space = shared; space < MIN (line->indent, shared + 200); space++)
        g_string_append_c (reader->out, ' ');
      g_string_append_len (reader->out, line->text, (gssize)line->length);
    }
    if (reader->out->len > 0)
      g_string_append_c (reader->out, '\n');
  }
  emit (reader, LECTERN_BLOCK_CODE, 0);
  *end = MAX (last, i);
}

/* ---- tables ---- */

static gboolean is_grid_rule (const Line *line)
{
  if (line->length < 3 || line->text[0] != '+' || line->text[line->length - 1] != '+')
    return FALSE;
  return strspn (line->text, "+-=") >= line->length;
}

static void emit_cells (Reader *reader, GString **cells, guint n, gboolean header)
{
  gboolean any = FALSE;
  for (guint i = 0; i < n; i++) {
    if (i > 0)
      g_string_append (reader->out, " | ");
    while (cells[i]->len > 0 && cells[i]->str[cells[i]->len - 1] == ' ')
      g_string_truncate (cells[i], cells[i]->len - 1);
    any |= cells[i]->len > 0;
    g_string_append_len (reader->out, cells[i]->str, (gssize)cells[i]->len);
    g_string_truncate (cells[i], 0);
  }
  if (any)
    emit (reader, LECTERN_BLOCK_TABLE_ROW, header);
  g_string_truncate (reader->out, 0);
}

static void append_cell (GString *cell, const char *text, gsize length)
{
  if (cell->len > 0 && cell->str[cell->len - 1] != ' ')
    g_string_append_c (cell, ' ');
  gsize lead = 0;
  while (lead < length && text[lead] == ' ')
    lead++;
  rst_append_inline (cell, text + lead, length - lead);
}

/* Rows between rules, cells between bars. A cell that spans columns is the first of them. */
static guint read_grid_table (Reader *reader, guint i)
{
  GString *cells[MAX_COLUMNS];
  guint n = 0, end = i, last_header = 0;
  for (guint k = i; k < reader->n && !is_empty (reader, k); k++) {
    const Line *line = &reader->lines[k];
    if (line->text[0] != '+' && line->text[0] != '|')
      break;
    if (is_grid_rule (line) && memchr (line->text, '=', line->length))
      last_header = k;
    end = k + 1;
  }
  for (guint k = i; k < end; k++) {
    const Line *line = &reader->lines[k];
    if (is_grid_rule (line)) {
      emit_cells (reader, cells, n, k <= last_header);
      continue;
    }
    guint column = 0;
    for (gsize at = 1; at < line->length && column < MAX_COLUMNS; column++) {
      const char *bar = memchr (line->text + at, '|', line->length - at);
      gsize stop = bar ? (gsize)(bar - line->text) : line->length;
      if (column == n)
        cells[n++] = g_string_new (NULL);
      append_cell (cells[column], line->text + at, stop - at);
      at = stop + 1;
    }
  }
  emit_cells (reader, cells, n, FALSE);
  for (guint k = 0; k < n; k++)
    g_string_free (cells[k], TRUE);
  return end;
}

static gboolean is_simple_rule (const Line *line)
{
  return line->length >= 3 && line->text[0] == '=' && memchr (line->text, ' ', line->length)
         && strspn (line->text, "= ") >= line->length;
}

static gsize byte_of_column (const char *text, gsize length, gsize column)
{
  gsize at = 0;
  for (; column > 0 && at < length; column--) {
    at++;
    while (at < length && ((guchar)text[at] & 0xC0) == 0x80)
      at++;
  }
  return at;
}

/* Columns where the rule has its "=". A row whose first cell is empty goes on from the one above. */
static guint read_simple_table (Reader *reader, guint i)
{
  gsize from[MAX_COLUMNS];
  guint n = 0, rules = 1, end = 0, header_end = 0;
  const Line *rule = &reader->lines[i];
  for (gsize at = 0; at < rule->length && n < MAX_COLUMNS; at++)
    if (rule->text[at] == '=' && (at == 0 || rule->text[at - 1] == ' '))
      from[n++] = at;
  for (guint k = i + 1; k < reader->n && end == 0; k++) {
    if (!is_simple_rule (&reader->lines[k]))
      continue;
    rules++;
    if (rules == 2 && !is_empty (reader, k + 1))
      header_end = k;
    else
      end = k + 1;
  }
  if (end == 0)
    return i;
  GString *cells[MAX_COLUMNS];
  for (guint c = 0; c < n; c++)
    cells[c] = g_string_new (NULL);
  for (guint k = i + 1; k < end; k++) {
    const Line *line = &reader->lines[k];
    gboolean is_rule = is_simple_rule (line) || adornment (line) == '-';
    guint offset = line->indent > rule->indent ? line->indent - rule->indent : 0;
    gboolean goes_on = line->length > 0 && n > 1 && offset >= from[1];
    if (!goes_on || is_rule)
      emit_cells (reader, cells, n, k <= header_end);
    if (is_rule || line->length == 0)
      continue;
    for (guint c = 0; c < n; c++) {
      gsize start = from[c] > offset ? byte_of_column (line->text, line->length, from[c] - offset) : 0;
      gsize stop = line->length;
      if (c + 1 < n)
        stop = from[c + 1] > offset ? byte_of_column (line->text, line->length, from[c + 1] - offset) : 0;
      if (start < stop)
        append_cell (cells[c], line->text + start, stop - start);
    }
  }
  for (guint c = 0; c < n; c++)
    g_string_free (cells[c], TRUE);
  return end;
}

/* ---- directives and other explicit markup ---- */

static guint skip_indented (const Reader *reader, guint i, guint indent)
{
  guint end = i;
  for (guint k = i; k < reader->n && (is_empty (reader, k) || reader->lines[k].indent > indent); k++)
    if (!is_empty (reader, k))
      end = k + 1;
  return end;
}

static gboolean is_option (const Line *line)
{
  return line->length > 2 && line->text[0] == ':' && memchr (line->text + 1, ':', line->length - 1);
}

/* Options (":width: 3") at the head of a directive are data about it. */
static guint skip_options (const Reader *reader, guint i, guint indent)
{
  while (i < reader->n && !is_empty (reader, i) && reader->lines[i].indent > indent && is_option (&reader->lines[i]))
    i++;
  return i;
}

typedef enum { DIRECTIVE_TEXT, DIRECTIVE_CODE, DIRECTIVE_CAPTION, DIRECTIVE_DROPPED } DirectiveKind;

static DirectiveKind directive_kind (const char *name)
{
  static const struct {
    const char *name;
    DirectiveKind kind;
  } kinds[] = {
    { "code-block", DIRECTIVE_CODE },
    { "code", DIRECTIVE_CODE },
    { "sourcecode", DIRECTIVE_CODE },
    { "parsed-literal", DIRECTIVE_CODE },
    { "math", DIRECTIVE_CODE },
    { "doctest", DIRECTIVE_CODE },
    { "testcode", DIRECTIVE_CODE },
    { "productionlist", DIRECTIVE_CODE },
    { "prompt", DIRECTIVE_CODE },
    { "figure", DIRECTIVE_CAPTION },
    { "image", DIRECTIVE_DROPPED },
    { "toctree", DIRECTIVE_DROPPED },
    { "contents", DIRECTIVE_DROPPED },
    { "include", DIRECTIVE_DROPPED },
    { "literalinclude", DIRECTIVE_DROPPED },
    { "raw", DIRECTIVE_DROPPED },
    { "index", DIRECTIVE_DROPPED },
    { "highlight", DIRECTIVE_DROPPED },
    { "default-role", DIRECTIVE_DROPPED },
    { "role", DIRECTIVE_DROPPED },
    { "meta", DIRECTIVE_DROPPED },
    { "module", DIRECTIVE_DROPPED },
    { "currentmodule", DIRECTIVE_DROPPED },
    { "automodule", DIRECTIVE_DROPPED },
    { "autoclass", DIRECTIVE_DROPPED },
    { "autofunction", DIRECTIVE_DROPPED },
    { "sectnum", DIRECTIVE_DROPPED },
    { "testsetup", DIRECTIVE_DROPPED },
    { "csv-table", DIRECTIVE_CODE },
    { "graphviz", DIRECTIVE_DROPPED },
  };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].name, name) == 0)
      return kinds[i].kind;
  return DIRECTIVE_TEXT;
}

/* What begins with ".. " at line i: returns where to go on. What a directive holds as text is read as the rest is, as its
 * lines follow. */
static guint read_explicit (Reader *reader, guint i)
{
  const Line *line = &reader->lines[i];
  const char *text = line->text + 2;
  gsize length = line->length - 2, lead = 0;
  while (lead < length && text[lead] == ' ')
    lead++;
  text += lead;
  length -= lead;
  if (length > 0 && text[0] == '[') { /* a footnote or a citation */
    const char *close = memchr (text, ']', length);
    gsize label = close ? (gsize)(close - text) + 1 : 0;
    rst_append_inline (reader->out, text + label, length - label);
    guint k = i + 1;
    for (; !is_empty (reader, k) && reader->lines[k].indent > line->indent; k++) {
      g_string_append_c (reader->out, ' ');
      rst_append_inline (reader->out, reader->lines[k].text, reader->lines[k].length);
    }
    emit (reader, LECTERN_BLOCK_PARAGRAPH, 0);
    return k;
  }
  const char *colons
      = length > 0 && text[0] != '_' && text[0] != '|' ? g_strstr_len (text, (gssize)length, "::") : NULL;
  if (!colons || memchr (text, ' ', (gsize)(colons - text)))
    return skip_indented (reader, i + 1, line->indent); /* a comment, a target, a substitution */
  g_autofree char *name = g_strndup (text, (gsize)(colons - text));
  const char *argument = colons + 2;
  gsize argument_length = length - (gsize)(argument - text);
  DirectiveKind kind = directive_kind (name);
  if (kind == DIRECTIVE_DROPPED)
    return skip_indented (reader, i + 1, line->indent);
  guint body = skip_options (reader, i + 1, line->indent), end;
  if (kind == DIRECTIVE_CODE) {
    while (body < reader->n && is_empty (reader, body))
      body++;
    read_literal (reader, body, line->indent + 1, &end);
    return end;
  }
  if (kind == DIRECTIVE_CAPTION) {
    while (body < reader->n && is_empty (reader, body))
      body++;
    for (; !is_empty (reader, body) && reader->lines[body].indent > line->indent; body++) {
      g_string_append_c (reader->out, ' ');
      rst_append_inline (reader->out, reader->lines[body].text, reader->lines[body].length);
    }
    g_strchug (reader->out->str);
    reader->out->len = strlen (reader->out->str);
    emit (reader, LECTERN_BLOCK_CAPTION, 0);
    return body;
  }
  /* The argument of a note is the beginning of its text; of a table or a topic it is its title; of "function" a name. */
  while (argument_length > 0 && *argument == ' ') {
    argument++;
    argument_length--;
  }
  rst_append_inline (reader->out, argument, argument_length);
  if (body == i + 1)
    for (; !is_empty (reader, body) && reader->lines[body].indent > line->indent; body++) {
      g_string_append_c (reader->out, ' ');
      rst_append_inline (reader->out, reader->lines[body].text, reader->lines[body].length);
    }
  gboolean table = strstr (name, "table") != NULL;
  emit (reader, table ? LECTERN_BLOCK_CAPTION : LECTERN_BLOCK_PARAGRAPH, 0);
  return body;
}

/* ---- paragraphs and lists ---- */

/* The length of a list mark with the space behind it; 0: none. */
static gsize list_mark (const Line *line)
{
  gsize at = 0;
  if (line->length >= 3 && strchr ("-*+", line->text[0]) && line->text[1] == ' ')
    return 2;
  if (starts (line, "\xE2\x80\xA2 "))
    return 4;
  gboolean paren = line->length > 0 && line->text[0] == '(';
  at += paren;
  gsize first = at;
  while (at < line->length && at - first < 4 && (g_ascii_isdigit (line->text[at]) || line->text[at] == '#'))
    at++;
  if (at == first && at < line->length && g_ascii_isalpha (line->text[at]) && (paren || line->indent > 0))
    at++;
  if (at == first || at + 2 > line->length || !strchr (paren ? ")" : ".)", line->text[at]) || line->text[at + 1] != ' ')
    return 0;
  return at + 2;
}

/* ":Author: Ada" at the head of the document says something of it. */
static void read_field (Reader *reader, const Line *line)
{
  const char *close = memchr (line->text + 1, ':', line->length - 1);
  g_autofree char *name = g_strndup (line->text + 1, (gsize)(close - line->text) - 1);
  g_autofree char *value = g_strstrip (g_strndup (close + 1, line->length - (gsize)(close + 1 - line->text)));
  if (value[0] == '\0')
    return;
  if (g_ascii_strcasecmp (name, "author") == 0)
    emit_author (reader->writer, value);
  else if (g_ascii_strcasecmp (name, "date") == 0 && strlen (value) == 10 && value[4] == '-' && value[7] == '-')
    emit_date (reader->writer, value);
}

static guint read_paragraph (Reader *reader, guint i)
{
  const Line *first = &reader->lines[i];
  gsize mark = list_mark (first);
  if (is_option (first) && first->indent == 0 && emit_count_blocks (reader->writer) <= 3)
    read_field (reader, first);
  LecternBlockKind kind = mark > 0 ? LECTERN_BLOCK_LIST_ITEM : LECTERN_BLOCK_PARAGRAPH;
  int level = mark > 0 ? 1 + (int)MIN (first->indent / 2, 8) : 0;
  guint k = i, indent = first->indent;
  for (; !is_empty (reader, k); k++) {
    const Line *line = &reader->lines[k];
    if (k > i
        && (line->indent < indent || (mark > 0 && list_mark (line) > 0) || (is_option (first) && is_option (line))))
      break;
    if (k > i && line->indent == 0 && starts (line, ".. "))
      break;
    if (reader->out->len > 0)
      g_string_append_c (reader->out, ' ');
    gsize skip = k > i ? 0 : mark > 0 ? mark : is_option (line) ? 1 : 0; /* ":Name: value" */
    rst_append_inline (reader->out, line->text + skip, line->length - skip);
  }
  GString *out = reader->out;
  gboolean literal = out->len >= 2 && g_str_has_suffix (out->str, "::");
  if (literal)
    g_string_truncate (out, out->len - 1 - (out->len == 2 || out->str[out->len - 3] == ' '));
  emit (reader, kind, level);
  guint next = k;
  while (literal && next < reader->n && is_empty (reader, next))
    next++;
  if (literal && next < reader->n && reader->lines[next].indent > indent)
    read_literal (reader, next, indent + 1, &k);
  return k;
}

static Line *split_lines (char *text, guint *n)
{
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (Line));
  for (const char *at = text; *at;) {
    gsize size = strcspn (at, "\n");
    Line line = { at, size, 0 };
    while (line.length > 0 && (guchar)line.text[line.length - 1] <= ' ')
      line.length--;
    while (line.length > 0 && (guchar)line.text[0] <= ' ') {
      line.indent += line.text[0] == '\t' ? TAB_WIDTH - line.indent % TAB_WIDTH : 1;
      line.text++;
      line.length--;
    }
    g_array_append_val (lines, line);
    at += size + (at[size] == '\n');
  }
  *n = lines->len;
  return (Line *)(void *)g_array_free (g_steal_pointer (&lines), FALSE);
}

Outcome rst_extract (const Document *document, Writer *writer)
{
  if (encoding_is_binary (document->bytes, document->size))
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "The file holds binary data, not text.");
  g_autofree char *text = encoding_decode (document->bytes, document->size, NULL, NULL, NULL);
  Reader reader = { .writer = writer, .out = g_string_new (NULL) };
  reader.lines = split_lines (text, &reader.n);
  for (guint i = 0; i < reader.n;) {
    const Line *line = &reader.lines[i];
    if (line->length == 0) {
      i++;
      continue;
    }
    guint next = read_section (&reader, i);
    if (next == i && is_grid_rule (line))
      next = read_grid_table (&reader, i);
    if (next == i && is_simple_rule (line))
      next = read_simple_table (&reader, i);
    if (next == i && (starts (line, ".. ") || (line->length == 2 && starts (line, ".."))))
      next = read_explicit (&reader, i);
    if (next == i && adornment (line) && line->length >= 4)
      next = i + 1; /* a transition */
    if (next == i && starts (line, ">>> ")) {
      guint end = i;
      while (!is_empty (&reader, end))
        g_string_append_printf (reader.out, "%.*s\n", (int)MIN (reader.lines[end].length, 1u << 20),
                                reader.lines[end].text),
            end++;
      emit (&reader, LECTERN_BLOCK_CODE, 0);
      next = end;
    }
    i = next > i ? next : read_paragraph (&reader, i);
  }
  g_free (reader.lines);
  g_string_free (reader.out, TRUE);
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The file holds no text.");
  return outcome_indexed ();
}
