#include "ingest/extract/text/rst-inline.h"

#include <string.h>

/* A mark that is not closed within this many bytes is none. */
#define MAX_SPAN_BYTES 2000

static void append_clean (GString *out, const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    if ((guchar)text[i] > ' ')
      g_string_append_c (out, text[i]);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
}

/* Where `mark` stands next behind `at`, not after white space; NULL: nowhere near. */
static const char *find_close (const char *at, const char *end, const char *mark)
{
  gsize length = strlen (mark);
  const char *limit = at + MIN ((gsize)(end - at), MAX_SPAN_BYTES);
  for (const char *c = at + 1; c + length <= limit; c++)
    if (memcmp (c, mark, length) == 0 && !g_ascii_isspace (c[-1]))
      return c;
  return NULL;
}

/* What an interpreted text or a link says: "text <target>" is text; a target alone loses its "~" and "!". */
static void append_role (GString *out, const char *text, gsize length)
{
  const char *open = memchr (text, '<', length);
  if (open && open > text && text[length - 1] == '>')
    for (length = (gsize)(open - text); length > 0 && text[length - 1] == ' ';)
      length--;
  else if (open == text && length > 2 && text[length - 1] == '>') {
    text++;
    length -= 2;
  } else if (length > 1 && (text[0] == '~' || text[0] == '!')) {
    text++;
    length--;
  }
  append_clean (out, text, length);
}

/* The length of a role ("ref:" behind its first colon) that a "`" follows; 0: none. */
static gsize role_length (const char *at, const char *end)
{
  const char *c = at;
  while (c < end && c - at < 60 && (g_ascii_isalnum (*c) || strchr ("-_+.:", *c)))
    c++;
  return c < end && c > at && *c == '`' && c[-1] == ':' ? (gsize)(c - at) : 0;
}

void rst_append_inline (GString *out, const char *text, gsize length)
{
  const char *end = text + length;
  static const char *const marks[] = { "``", "**", "*", "|" };
  for (const char *at = text; at < end;) {
    gboolean opens = at == text || g_ascii_isspace (at[-1]) || strchr ("-:/'\"<([{", at[-1]);
    if (*at == '\\' && at + 1 < end) {
      if (!g_ascii_isspace (at[1]))
        append_clean (out, at + 1, 1);
      at += 2;
      continue;
    }
    if (opens && *at == ':') {
      gsize role = role_length (at + 1, end);
      if (role > 0)
        at += 1 + role;
    }
    gboolean done = FALSE;
    for (guint i = 0; opens && i < G_N_ELEMENTS (marks) && !done; i++) {
      gsize size = strlen (marks[i]);
      if ((gsize)(end - at) <= size || memcmp (at, marks[i], size) != 0 || g_ascii_isspace (at[size]))
        continue;
      const char *close = find_close (at + size, end, marks[i]);
      if (!close)
        continue;
      append_clean (out, at + size, (gsize)(close - at) - size);
      at = close + size;
      done = TRUE;
    }
    if (done)
      continue;
    if (*at == '`' && at + 1 < end) {
      const char *close = find_close (at + 1, end, "`");
      if (close) {
        append_role (out, at + 1, (gsize)(close - at) - 1);
        at = close + 1;
        while (at < end && *at == '_' && at - close < 3)
          at++;
        continue;
      }
    }
    /* A reference: word_ */
    if (*at == '_' && at > text && (g_ascii_isalnum (at[-1]) || at[-1] == ']')) {
      const char *next = at + 1;
      if (next < end && *next == '_')
        next++;
      if (next == end || g_ascii_isspace (*next) || strchr (".,;:!?)", *next)) {
        at = next;
        continue;
      }
    }
    append_clean (out, at, 1);
    at++;
  }
}
