#include "ingest/extract/mail/mime.h"

#include "ingest/extract/text/encoding.h"

#include <string.h>

#define MAX_BOUNDARY_BYTES 250 /* RFC 2046 allows 70 */

typedef struct {
  guint n_parts;
  gboolean cut;
} Parser;

/* The end of the line that begins at `at`: behind its line feed. */
static const guint8 *next_line (const guint8 *at, const guint8 *end)
{
  const guint8 *feed = memchr (at, '\n', (gsize)(end - at));
  return feed ? feed + 1 : end;
}

gboolean mime_is_field (const guint8 *line, gsize size)
{
  gsize at = 0;
  while (at < size && line[at] > ' ' && line[at] < 0x7F && line[at] != ':')
    at++;
  gsize name = at;
  while (at < size && (line[at] == ' ' || line[at] == '\t'))
    at++;
  return name > 0 && name < 200 && at < size && line[at] == ':';
}

gsize mime_measure_header (const guint8 *bytes, gsize size)
{
  const guint8 *end = bytes + size;
  gboolean first = TRUE;
  for (const guint8 *at = bytes; at < end; first = FALSE) {
    const guint8 *next = next_line (at, end);
    gsize left = (gsize)(end - at);
    if (*at == '\n' || (*at == '\r' && left >= 2 && at[1] == '\n'))
      return (gsize)(next - bytes);
    gboolean continues = !first && (*at == ' ' || *at == '\t');
    /* The line between two messages of a mailbox is sometimes left in. */
    gboolean separator = (left >= 5 && memcmp (at, "From ", 5) == 0) || (left >= 6 && memcmp (at, ">From ", 6) == 0);
    if (!continues && !separator && !mime_is_field (at, (gsize)(next - at)))
      return (gsize)(at - bytes);
    at = next;
  }
  return size;
}

static MimePart *part_new (const guint8 *bytes, gsize size, const char *default_type)
{
  MimePart *part = g_new0 (MimePart, 1);
  part->header = bytes;
  part->header_size = mime_measure_header (bytes, size);
  part->body = bytes + part->header_size;
  part->body_size = size - part->header_size;
  g_autofree char *type = mime_dup_field (part, "Content-Type");
  if (type) {
    type[strcspn (type, ";(\t ")] = '\0';
    for (char *at = type; *at; at++)
      *at = g_ascii_tolower (*at);
  }
  if (type && strchr (type, '/') && type[0] != '/')
    part->type = g_utf8_make_valid (type, -1);
  else
    part->type = g_strdup (type && strcmp (type, "html") == 0 ? "text/html" : default_type);
  return part;
}

/* How much of a line is the delimiter "--BOUNDARY": 0 none, 1 one between parts, 2 the last. */
static int delimiter (const guint8 *line, const guint8 *line_end, const char *boundary, gsize length)
{
  while (line_end > line && g_ascii_isspace (line_end[-1]))
    line_end--;
  gsize size = (gsize)(line_end - line);
  if (size < length + 2 || line[0] != '-' || line[1] != '-' || memcmp (line + 2, boundary, length) != 0)
    return 0;
  if (size == length + 2)
    return 1;
  return size == length + 4 && memcmp (line + 2 + length, "--", 2) == 0 ? 2 : 0;
}

/* The boundary that the body shows where the header names none: its first line that begins with "--". */
static char *guess_boundary (const MimePart *part)
{
  const guint8 *end = part->body + part->body_size;
  guint n = 0;
  for (const guint8 *at = part->body; at < end && n < 200; n++) {
    const guint8 *next = next_line (at, end), *line_end = next;
    while (line_end > at && g_ascii_isspace (line_end[-1]))
      line_end--;
    gsize size = (gsize)(line_end - at);
    if (size > 6 && size < MAX_BOUNDARY_BYTES && at[0] == '-' && at[1] == '-' && !memchr (at, ' ', size)
        && mime_is_field (next, (gsize)(end - next)))
      return g_strndup ((const char *)at + 2, size - 2);
    at = next;
  }
  return NULL;
}

static void split (Parser *parser, MimePart *part, guint depth);

static void add_part (Parser *parser, MimePart *parent, const guint8 *start, const guint8 *end, guint depth)
{
  if (parser->n_parts >= MIME_MAX_PARTS) {
    parser->cut = TRUE;
    return;
  }
  parser->n_parts++;
  /* The line end before a delimiter belongs to it. */
  if (end > start && end[-1] == '\n')
    end--;
  if (end > start && end[-1] == '\r')
    end--;
  gboolean digest = strcmp (parent->type, "multipart/digest") == 0;
  MimePart *part = part_new (start, (gsize)(end - start), digest ? "message/rfc822" : "text/plain");
  g_ptr_array_add (parent->parts, part);
  split (parser, part, depth + 1);
}

/* Finds the parts of a multipart. */
static void split (Parser *parser, MimePart *part, guint depth)
{
  if (!g_str_has_prefix (part->type, "multipart/"))
    return;
  if (depth >= MIME_MAX_DEPTH) {
    parser->cut = TRUE;
    return;
  }
  g_autofree char *named = mime_dup_parameter (part, "Content-Type", "boundary");
  g_autofree char *boundary = named && named[0] && strlen (named) <= MAX_BOUNDARY_BYTES ? g_strdup (named) : NULL;
  if (!boundary)
    boundary = guess_boundary (part);
  const guint8 *end = part->body + part->body_size, *start = NULL;
  part->parts = g_ptr_array_new_with_free_func ((GDestroyNotify)mime_part_free);
  gsize length = boundary ? strlen (boundary) : 0;
  gboolean closed = FALSE;
  for (const guint8 *at = part->body; boundary && at < end && !closed;) {
    const guint8 *next = next_line (at, end);
    int kind = *at == '-' ? delimiter (at, next, boundary, length) : 0;
    if (kind > 0) {
      if (start)
        add_part (parser, part, start, at, depth);
      start = next;
      closed = kind == 2;
    }
    at = next;
  }
  if (start && !closed)
    add_part (parser, part, start, end, depth);
  if (part->parts->len > 0)
    return;
  g_clear_pointer (&part->parts, g_ptr_array_unref);
  if (!start) {
    g_free (part->type);
    part->type = g_strdup ("text/plain");
  }
}

MimePart *mime_parse (const guint8 *bytes, gsize size, gboolean *cut)
{
  Parser parser = { 0 };
  MimePart *part = part_new (bytes, size, "text/plain");
  split (&parser, part, 0);
  if (cut && parser.cut)
    *cut = TRUE;
  return part;
}

void mime_part_free (MimePart *part)
{
  if (!part)
    return;
  if (part->parts)
    g_ptr_array_unref (part->parts); /* nested at most MIME_MAX_DEPTH deep */
  g_free (part->type);
  g_free (part);
}

char *mime_decode_text (const MimePart *part, gsize *length)
{
  gsize size;
  g_autofree guint8 *bytes = mime_decode_body (part, &size);
  g_autofree char *charset = mime_dup_parameter (part, "Content-Type", "charset");
  return encoding_decode (bytes, size, charset, length, NULL);
}
