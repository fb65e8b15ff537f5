#include "ingest/extract/text/text.h"

#include "ingest/extract/text/encoding.h"

#include <string.h>

/* A heading is shorter than this and stands on one line. */
#define MAX_HEADING_BYTES 120
/* Lines indented by this much all through, without being a list, are kept as they are. */
#define CODE_INDENT 4
/* A paragraph of so many lines with a wide gap in most of them is a table laid out with spaces. */
#define MIN_TABLE_LINES 3

typedef struct {
  const char *text;
  gsize length; /* without trailing white space */
  gsize indent;
} Line;

typedef struct {
  Writer *writer;
  GArray *lines; /* of Line: the run of lines between two empty ones */
  GString *out;
} Reader;

int text_sniff (const Document *document)
{
  return encoding_is_binary (document->bytes, document->size) ? 0 : 1;
}

static Line make_line (const char *text, gsize length)
{
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  Line line = { text, length, 0 };
  for (gsize i = 0; i < length && (text[i] == ' ' || text[i] == '\t'); i++)
    line.indent += text[i] == '\t' ? 8 - line.indent % 8 : 1;
  return line;
}

/* Appends a line's words, joined to what is there by a space; a hyphen at a line's end stays. */
static void append_words (GString *out, const char *text, gsize length)
{
  gboolean space = out->len > 0;
  for (gsize i = 0; i < length; i++) {
    if (g_ascii_isspace (text[i])) {
      space = out->len > 0;
      continue;
    }
    if (space)
      g_string_append_c (out, ' ');
    space = FALSE;
    g_string_append_c (out, text[i]);
  }
}

/* The length of a list mark at the line's beginning ("- ", "* ", "• ", "3. ", "b) "), with white space around it. */
static gsize list_mark (const Line *line)
{
  gsize start = 0, at;
  while (start < line->length && (line->text[start] == ' ' || line->text[start] == '\t'))
    start++;
  at = start;
  if (at < line->length && strchr ("-*+", line->text[at]))
    at++;
  else if (line->length - at >= 3 && memcmp (line->text + at, "\xE2\x80\xA2", 3) == 0)
    at += 3;
  else {
    while (at < line->length && at - start < 3 && g_ascii_isdigit (line->text[at]))
      at++;
    if (at == start && at < line->length && g_ascii_isalpha (line->text[at]))
      at++;
    if (at == start || at >= line->length || (line->text[at] != '.' && line->text[at] != ')'))
      return 0;
    if (line->text[at] == '.' && !g_ascii_isdigit (line->text[at - 1]))
      return 0; /* an initial, not a mark */
    at++;
  }
  gsize mark_end = at;
  while (at < line->length && (line->text[at] == ' ' || line->text[at] == '\t'))
    at++;
  return at > mark_end && at < line->length ? at : 0;
}

/* '=' or '-' if the line is an underline of at least three. */
static char underline_of (const Line *line)
{
  if (line->length < 3 || !strchr ("=-~^", line->text[0]))
    return 0;
  for (gsize i = 1; i < line->length; i++)
    if (line->text[i] != line->text[0])
      return 0;
  return line->text[0];
}

/* The level of a heading like "2.1 Cleaning the filter" or "Chapter 3"; 0: none. */
static int numbered_level (const Line *line)
{
  if (line->indent > 0 || line->length < 3 || line->length > MAX_HEADING_BYTES
      || strchr (".,;:", line->text[line->length - 1]))
    return 0;
  static const char *const words[]
      = { "Chapter ", "CHAPTER ", "Part ", "PART ", "Appendix ", "APPENDIX ", "Kapitel ", "Chapitre " };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (line->text, words[i]) && line->length < 60)
      return 1;
  int level = 0;
  gsize at = 0;
  while (at < line->length && g_ascii_isdigit (line->text[at])) {
    gsize digits = 0;
    while (at < line->length && g_ascii_isdigit (line->text[at])) {
      at++;
      digits++;
    }
    if (digits > 2)
      return 0;
    level++;
    if (at < line->length && line->text[at] == '.')
      at++;
  }
  if (level == 0 || at >= line->length || line->text[at] != ' ')
    return 0;
  gunichar first = g_utf8_get_char_validated (line->text + at + 1, (gssize)(line->length - at - 1));
  return first < (gunichar)-2 && g_unichar_isupper (first) ? MIN (level, 6) : 0;
}

static void emit (Reader *reader, LecternBlockKind kind, int level)
{
  if (reader->out->len > 0)
    emit_block_text (reader->writer, kind, level, reader->out->str);
  g_string_truncate (reader->out, 0);
}

static const Line *line_at (const Reader *reader, guint i)
{
  return &g_array_index (reader->lines, Line, i);
}

/* Lines that only make sense as they stand: all indented, or columns made with spaces. */
static gboolean is_laid_out (const Reader *reader)
{
  guint indented = 0, gaps = 0;
  for (guint i = 0; i < reader->lines->len; i++) {
    const Line *line = line_at (reader, i);
    indented += line->indent >= CODE_INDENT;
    gboolean gap = FALSE;
    gsize start = strspn (line->text, " \t");
    for (gsize at = start + 1; at + 3 < line->length && !gap; at++)
      gap = line->text[at] == '\t'
            || (line->text[at] == ' ' && line->text[at + 1] == ' ' && line->text[at + 2] == ' '
                && !strchr (".!?", line->text[at - 1]));
    gaps += gap;
  }
  guint n = reader->lines->len;
  return (n >= 2 && indented == n) || (n >= MIN_TABLE_LINES && gaps * 4 >= n * 3);
}

/* The run as it stands, less the indentation that all lines share. */
static void emit_laid_out (Reader *reader)
{
  gsize shared = G_MAXSIZE;
  for (guint i = 0; i < reader->lines->len; i++) {
    const Line *line = line_at (reader, i);
    shared = MIN (shared, strspn (line->text, " "));
  }
  for (guint i = 0; i < reader->lines->len; i++) {
    const Line *line = line_at (reader, i);
    g_string_append_len (reader->out, line->text + shared, (gssize)(line->length - shared));
    g_string_append_c (reader->out, '\n');
  }
  g_string_truncate (reader->out, reader->out->len - 1);
  emit (reader, LECTERN_BLOCK_CODE, 0);
}

/* Emits the run of lines as blocks. */
static void end_run (Reader *reader)
{
  GArray *lines = reader->lines;
  if (lines->len == 0)
    return;
  if (lines->len == 1 && numbered_level (line_at (reader, 0)) > 0) {
    append_words (reader->out, line_at (reader, 0)->text, line_at (reader, 0)->length);
    emit (reader, LECTERN_BLOCK_HEADING, numbered_level (line_at (reader, 0)));
  } else if (list_mark (line_at (reader, 0)) == 0 && underline_of (line_at (reader, MIN (1, lines->len - 1))) == 0
             && is_laid_out (reader)) {
    emit_laid_out (reader);
  } else {
    LecternBlockKind kind = LECTERN_BLOCK_PARAGRAPH;
    int level = 0;
    for (guint i = 0; i < lines->len; i++) {
      const Line *line = line_at (reader, i);
      char underline = i + 1 < lines->len ? underline_of (line_at (reader, i + 1)) : 0;
      if (underline && line->length <= MAX_HEADING_BYTES && !underline_of (line)) {
        emit (reader, kind, level);
        append_words (reader->out, line->text, line->length);
        emit (reader, LECTERN_BLOCK_HEADING, underline == '=' ? 1 : underline == '-' ? 2 : 3);
        kind = LECTERN_BLOCK_PARAGRAPH;
        level = 0;
        i++;
        continue;
      }
      if (underline_of (line)) { /* a rule */
        emit (reader, kind, level);
        kind = LECTERN_BLOCK_PARAGRAPH;
        level = 0;
        continue;
      }
      gsize mark = list_mark (line);
      /* In running text a line may begin with "- " or "3. " by chance, but not the first one. */
      if (mark > 0
          && (i == 0 || kind == LECTERN_BLOCK_LIST_ITEM || reader->out->len == 0
              || reader->out->str[reader->out->len - 1] == ':')) {
        emit (reader, kind, level);
        kind = LECTERN_BLOCK_LIST_ITEM;
        level = 1 + (int)MIN (line->indent / 2, 8) / 2;
        append_words (reader->out, line->text + mark, line->length - mark);
      } else {
        append_words (reader->out, line->text, line->length);
      }
    }
    emit (reader, kind, level);
  }
  g_array_set_size (lines, 0);
}

void text_emit_blocks (const char *text, Writer *writer)
{
  Reader reader = { writer, g_array_new (FALSE, FALSE, sizeof (Line)), g_string_new (NULL) };
  const char *ends = strchr (text, '\n') ? "\n\f" : "\r\f"; /* old Mac line ends */
  for (const char *at = text; *at;) {
    gsize size = strcspn (at, ends);
    Line line = make_line (at, size);
    if (line.length == 0)
      end_run (&reader);
    else
      g_array_append_val (reader.lines, line);
    at += size;
    if (*at == '\f')
      end_run (&reader);
    if (*at)
      at++;
  }
  end_run (&reader);
  g_array_free (reader.lines, TRUE);
  g_string_free (reader.out, TRUE);
}

Outcome text_extract (const Document *document, Writer *writer)
{
  if (encoding_is_binary (document->bytes, document->size))
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "The file holds binary data, not text.");
  g_autofree char *text = encoding_decode (document->bytes, document->size, NULL, NULL, NULL);
  text_emit_blocks (text, writer);
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The file holds no text.");
  return outcome_indexed ();
}
