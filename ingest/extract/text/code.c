#include "ingest/extract/text/code.h"

#include "ingest/extract/text/encoding.h"

#include <string.h>

/* Longer lines are data or were made by a program, and are left out. */
#define MAX_LINE_BYTES 2000
/* A file that is made of such lines for more than this share is not read at all. */
#define MAX_LONG_SHARE 0.5
/* A block with so many lines ends at the next empty line, with twice as many wherever it is. */
#define MAX_BLOCK_LINES 60

typedef struct {
  const char *text;
  gsize length; /* without white space at the end */
} Line;

int code_sniff (const Document *document)
{
  return encoding_is_binary (document->bytes, document->size) ? 0 : 1;
}

static Line *split_lines (const char *text, guint *n)
{
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (Line));
  for (const char *at = text; *at;) {
    gsize size = strcspn (at, "\n");
    Line line = { at, size };
    while (line.length > 0 && g_ascii_isspace (line.text[line.length - 1]))
      line.length--;
    g_array_append_val (lines, line);
    at += size + (at[size] == '\n');
  }
  *n = lines->len;
  return (Line *)(void *)g_array_free (g_steal_pointer (&lines), FALSE);
}

static gboolean has_prefix (const char *text, const char *end, const char *prefix)
{
  gsize length = strlen (prefix);
  return (gsize)(end - text) >= length && memcmp (text, prefix, length) == 0;
}

/* Adds a comment's line without its marks. */
static void append_comment (GString *out, const char *text, const char *end)
{
  static const char marks[] = "/*#;%\"'!<>- \t";
  while (text < end && strchr (marks, *text))
    text++;
  while (end > text && strchr (marks, end[-1]))
    end--;
  if (text == end)
    return;
  if (out->len > 0)
    g_string_append_c (out, ' ');
  g_string_append_len (out, text, end - text);
}

/* The comment that the file begins with, as one paragraph; returns how many lines it takes. */
static guint read_leading_comment (const Line *lines, guint n, GString *out)
{
  static const struct {
    const char *open, *close; /* close NULL: to the line's end */
  } forms[] = {
    { "/*", "*/" }, { "<!--", "-->" }, { "\"\"\"", "\"\"\"" }, { "--[[", "]]" }, { "//", NULL },
    { "#", NULL },  { "--", NULL },    { ";", NULL },          { "%", NULL },    { "'''", "'''" },
  };
  guint i = 0;
  while (i < n
         && (lines[i].length == 0 || (i == 0 && has_prefix (lines[0].text, lines[0].text + lines[0].length, "#!"))
             || has_prefix (lines[i].text, lines[i].text + lines[i].length, "<?xml")))
    i++;
  const char *close = NULL;
  gboolean line_comment = FALSE, any = FALSE;
  const char *open = NULL;
  for (guint k = 0; i < n && k < G_N_ELEMENTS (forms) && !any; k++)
    if (has_prefix (lines[i].text, lines[i].text + lines[i].length, forms[k].open)) {
      open = forms[k].open;
      close = forms[k].close;
      line_comment = !close;
      any = TRUE;
    }
  if (!any
      || (strcmp (open, "#") == 0
          && (has_prefix (lines[i].text, lines[i].text + lines[i].length, "#include")
              || has_prefix (lines[i].text, lines[i].text + lines[i].length, "#define")
              || has_prefix (lines[i].text, lines[i].text + lines[i].length, "#if")
              || has_prefix (lines[i].text, lines[i].text + lines[i].length, "#pragma"))))
    return 0;
  for (guint first = i; i < n; i++) {
    const char *text = lines[i].text, *end = text + lines[i].length;
    if (line_comment) {
      if (!has_prefix (text, end, open))
        break;
      append_comment (out, text, end);
      continue;
    }
    const char *from = i == first ? text + strlen (open) : text;
    const char *stop = g_strstr_len (from, end - from, close);
    append_comment (out, from, stop ? stop : end);
    if (stop)
      return i + 1;
  }
  return line_comment ? i : 0; /* a comment without its end is none */
}

/* Whether a block may end before this line: something begins at its first column that closes nothing. */
static gboolean begins_something (const Line *line)
{
  return line->length > 0 && !g_ascii_isspace (line->text[0]) && !strchr ("})]", line->text[0]);
}

static void emit_code (GString *out, Writer *writer)
{
  while (out->len > 0 && g_ascii_isspace (out->str[out->len - 1]))
    g_string_truncate (out, out->len - 1);
  if (out->len > 0)
    emit_block_text (writer, LECTERN_BLOCK_CODE, 0, out->str);
  g_string_truncate (out, 0);
}

Outcome code_extract (const Document *document, Writer *writer)
{
  if (encoding_is_binary (document->bytes, document->size))
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "The file holds binary data, not text.");
  gsize length;
  g_autofree char *text = encoding_decode (document->bytes, document->size, NULL, &length, NULL);
  guint n;
  g_autofree Line *lines = split_lines (text, &n);
  gsize in_long = 0;
  for (guint i = 0; i < n; i++)
    in_long += lines[i].length > MAX_LINE_BYTES ? lines[i].length : 0;
  if ((double)in_long > MAX_LONG_SHARE * (double)length)
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED,
                           "It was written by a program, for programs: its lines are too long to read.");
  g_autoptr (GString) out = g_string_new (NULL);
  guint i = read_leading_comment (lines, n, out);
  if (i > 0)
    emit_block_text (writer, LECTERN_BLOCK_PARAGRAPH, 0, out->str);
  g_string_truncate (out, 0);
  guint in_block = 0;
  for (; i < n; i++) {
    if (lines[i].length > MAX_LINE_BYTES)
      continue;
    gboolean after_empty = i > 0 && lines[i - 1].length == 0;
    if (in_block > 0
        && ((after_empty && (begins_something (&lines[i]) || in_block >= MAX_BLOCK_LINES))
            || in_block >= 2 * MAX_BLOCK_LINES)) {
      emit_code (out, writer);
      in_block = 0;
    }
    if (lines[i].length == 0 && in_block == 0)
      continue;
    g_string_append_len (out, lines[i].text, (gssize)lines[i].length);
    g_string_append_c (out, '\n');
    in_block++;
  }
  emit_code (out, writer);
  if (in_long > 0)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, in_long, "bytes in lines that are too long to read");
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The file holds no text.");
  return outcome_indexed ();
}
