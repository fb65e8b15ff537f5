#include "ingest/extract/mail/message-text.h"

#include "ingest/extract/text/text.h"

#include <string.h>

#define MAX_QUOTE_DEPTH 20

/* The quote marks at a line's beginning: "> > ", ">>", "> ". Returns their length, and how many in *depth. */
static gsize quote_marks (const char *line, gsize length, guint *depth)
{
  gsize at = 0, end = 0;
  *depth = 0;
  while (at < length && *depth < MAX_QUOTE_DEPTH) {
    if (line[at] == '>') {
      (*depth)++;
      end = ++at;
    } else if (line[at] == ' ' && *depth > 0 && at + 1 < length && line[at + 1] == '>') {
      at++;
    } else {
      break;
    }
  }
  if (end > 0 && end < length && line[end] == ' ')
    end++;
  return end;
}

/* ">From " and ">>From " as they were before the mailbox. */
static gboolean is_escaped_from (const char *line, gsize length)
{
  gsize marks = 0;
  while (marks < length && line[marks] == '>')
    marks++;
  return marks > 0 && length - marks >= 5 && memcmp (line + marks, "From ", 5) == 0;
}

void message_text_emit (const char *text, gsize length, MessageTextForm form, Writer *writer)
{
  g_autoptr (GString) out = g_string_sized_new (length + 64);
  guint open_depth = 0;
  gboolean blank = TRUE, flows = FALSE; /* the line before was empty; ended in a soft break */
  for (const char *at = text, *end = text + length; at < end;) {
    const char *feed = memchr (at, '\n', (gsize)(end - at));
    gsize size = (gsize)((feed ? feed : end) - at);
    const char *line = at, *next = feed ? feed + 1 : end;
    if (size > 0 && line[size - 1] == '\r')
      size--;
    if (form.mailbox && is_escaped_from (line, size)) {
      line++;
      size--;
    }
    guint depth;
    gsize marks = quote_marks (line, size, &depth);
    line += marks;
    size -= marks;
    if (form.flowed && depth == 0 && size > 0 && line[0] == ' ') { /* space-stuffed */
      line++;
      size--;
    }
    gboolean signature = size == 3 && memcmp (line, "-- ", 3) == 0;
    gboolean empty = size == 0 || signature;
    if (depth != open_depth && !blank) {
      g_string_append (out, flows ? "\n\n" : "\n");
      blank = TRUE;
      flows = FALSE;
    }
    open_depth = depth;
    if (empty) {
      g_string_append (out, flows ? "\n\n" : "\n");
      blank = TRUE;
      flows = FALSE;
    } else {
      if (blank)
        for (guint i = 0; i < depth; i++)
          g_string_append (out, i + 1 < depth ? ">" : "> ");
      gboolean soft = form.flowed && line[size - 1] == ' ';
      g_string_append_len (out, line, (gssize)(soft && form.delete_space ? size - 1 : size));
      if (!soft)
        g_string_append_c (out, '\n');
      flows = soft;
      blank = FALSE;
    }
    at = next;
  }
  text_emit_blocks (out->str, writer);
}
