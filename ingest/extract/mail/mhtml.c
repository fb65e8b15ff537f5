#include "ingest/extract/mail/mhtml.h"

#include "ingest/extract/html/html.h"
#include "ingest/extract/mail/mime.h"

#include <string.h>

#define LOOK_BYTES 65536
#define MAX_FRAMES 50u

int mhtml_sniff (const Document *document)
{
  gsize look = MIN (document->size, LOOK_BYTES);
  if (look == 0 || !mime_is_field (document->bytes, look))
    return 0;
  MimePart head = { .header = document->bytes, .header_size = mime_measure_header (document->bytes, look) };
  g_autofree char *type = mime_dup_field (&head, "Content-Type");
  g_autofree char *location = mime_dup_field (&head, "Snapshot-Content-Location");
  g_autofree char *from = mime_dup_field (&head, "From");
  gboolean saved = location || (from && (strstr (from, "Saved by") || strstr (from, "Saved from")));
  gboolean related = type && g_ascii_strncasecmp (type, "multipart/related", 17) == 0;
  return related && saved ? 2 : type ? 1 : 0;
}

static gboolean is_page (const MimePart *part)
{
  return strcmp (part->type, "text/html") == 0 || strcmp (part->type, "application/xhtml+xml") == 0;
}

static void collect_pages (const MimePart *part, GPtrArray *pages)
{
  if (is_page (part))
    g_ptr_array_add (pages, (gpointer)part);
  for (guint i = 0; part->parts && i < part->parts->len; i++)
    collect_pages (g_ptr_array_index (part->parts, i), pages);
}

/* A Content-ID without its brackets, or a Content-Location. */
static char *dup_address (const MimePart *part, gboolean id)
{
  char *text = mime_dup_field (part, id ? "Content-ID" : "Content-Location");
  if (text && id && text[0] == '<') {
    text[strcspn (text, ">")] = '\0';
    memmove (text, text + 1, strlen (text));
  }
  if (text && text[0] == '\0')
    g_clear_pointer (&text, g_free);
  return text;
}

/* The page that the header names as the one to begin with, or else the first. */
static guint find_root (const MimePart *message, const GPtrArray *pages)
{
  g_autofree char *start = mime_dup_parameter (message, "Content-Type", "start");
  if (start)
    g_strdelimit (start, "<>", ' ');
  for (guint i = 0; start && i < pages->len; i++) {
    g_autofree char *id = dup_address (g_ptr_array_index (pages, i), TRUE);
    if (id && strcmp (id, g_strstrip (start)) == 0)
      return i;
  }
  return 0;
}

/* Whether the page shows a frame with this address: it stands in an <iframe> or <frame>. */
static gboolean shows_frame (const char *page, const MimePart *frame)
{
  for (int id = 0; id < 2; id++) {
    g_autofree char *address = dup_address (frame, id == 1);
    if (!address)
      continue;
    g_autofree char *escaped = g_markup_escape_text (address, -1);
    guint n = 0;
    for (const char *at = strstr (page, escaped); at && n < 1000; at = strstr (at + 1, escaped), n++) {
      const char *open = at;
      while (open > page && at - open < 4096 && *open != '<')
        open--;
      if (g_ascii_strncasecmp (open, "<iframe", 7) == 0 || g_ascii_strncasecmp (open, "<frame", 6) == 0)
        return TRUE;
    }
  }
  return FALSE;
}

static Outcome emit_page (const MimePart *part, HtmlExtent extent, Writer *writer)
{
  gsize size;
  g_autofree guint8 *bytes = mime_decode_body (part, &size);
  g_autofree char *charset = mime_dup_parameter (part, "Content-Type", "charset");
  Document page = { bytes, size, "page.html" };
  return html_extract_within (&page, charset, extent, writer);
}

Outcome mhtml_extract (const Document *document, Writer *writer)
{
  gboolean cut = FALSE;
  g_autoptr (MimePart) message = mime_parse (document->bytes, document->size, &cut);
  g_autoptr (GPtrArray) pages = g_ptr_array_new ();
  collect_pages (message, pages);
  if (pages->len == 0)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "There is no page in it.");
  guint root = find_root (message, pages);
  const MimePart *first = g_ptr_array_index (pages, root);
  Outcome outcome = emit_page (first, HTML_MAIN_CONTENT, writer);
  if (outcome.status == LECTERN_STATUS_TOO_LARGE)
    return outcome;
  g_free (outcome.reason);
  g_autofree char *text = mime_decode_text (first, NULL);
  guint n_frames = 0;
  for (guint i = 0; i < pages->len && n_frames < MAX_FRAMES; i++) {
    const MimePart *frame = g_ptr_array_index (pages, i);
    if (i == root || !shows_frame (text, frame))
      continue;
    n_frames++;
    Outcome inner = emit_page (frame, HTML_PART_OF_PAGE, writer);
    g_free (inner.reason);
  }
  if (cut)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, 0, "parts of the saved page that are nested too deep or too many");
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The page holds no text.");
  return outcome_indexed ();
}
