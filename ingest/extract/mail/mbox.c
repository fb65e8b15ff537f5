#include "ingest/extract/mail/mbox.h"

#include "ingest/extract/mail/message.h"

#include <string.h>

#define MAX_MESSAGES 200000u

/* Whether a line is the one before a message: "From ", then somewhere a time of day, and behind it a header. */
static gboolean is_separator (const guint8 *at, const guint8 *end)
{
  if ((gsize)(end - at) < 6 || memcmp (at, "From ", 5) != 0)
    return FALSE;
  const guint8 *look_end = at + MIN ((gsize)(end - at), 1000);
  const guint8 *feed = memchr (at, '\n', (gsize)(look_end - at));
  if (!feed)
    return FALSE;
  gboolean time = FALSE;
  for (const guint8 *c = at + 5; c + 2 < feed && !time; c++)
    time = *c == ':' && g_ascii_isdigit (c[-1]) && g_ascii_isdigit (c[1]) && g_ascii_isdigit (c[2]);
  const guint8 *line = feed + 1;
  if ((gsize)(end - line) > 6 && memcmp (line, ">From ", 6) == 0) /* what UUCP left */
    return time;
  return time && mime_is_field (line, (gsize)(end - line));
}

int mbox_sniff (const Document *document)
{
  const guint8 *at = document->bytes, *end = at + document->size;
  while (at < end && (*at == '\n' || *at == '\r'))
    at++;
  return is_separator (at, end) ? 2 : 0;
}

/* Where the message that begins at `start` (behind its separator) ends. What Content-Length says is believed only if a
 * message begins just there, or nothing more comes. */
static const guint8 *find_end (const guint8 *start, const guint8 *end)
{
  gsize header = mime_measure_header (start, (gsize)(end - start));
  MimePart head = { .header = start, .header_size = header };
  g_autofree char *says = mime_dup_field (&head, "Content-Length");
  guint64 length = says ? g_ascii_strtoull (says, NULL, 10) : 0;
  if (says && length > 0 && length <= (guint64)(end - start) - header) {
    const guint8 *at = start + header + length;
    for (guint i = 0; i < 4 && at < end && (*at == '\n' || *at == '\r'); i++)
      at++;
    if (at == end || (at[-1] == '\n' && is_separator (at, end)))
      return at;
  }
  gboolean blank = header == 0 || start[header - 1] == '\n';
  for (const guint8 *at = start + header; at < end;) {
    if (blank && *at == 'F' && is_separator (at, end))
      return at;
    blank = *at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n');
    const guint8 *feed = memchr (at, '\n', (gsize)(end - at));
    at = feed ? feed + 1 : end;
  }
  return end;
}

Outcome mbox_extract (const Document *document, Writer *writer)
{
  const guint8 *at = document->bytes, *end = at + document->size;
  MessageRun run = message_run_new ();
  run.mailbox = TRUE;
  guint n = 0;
  while (at < end && n < MAX_MESSAGES && run.text_bytes > 0) {
    if (*at == '\n' || *at == '\r') {
      at++;
      continue;
    }
    const guint8 *start = at;
    if (is_separator (at, end)) {
      const guint8 *feed = memchr (at, '\n', (gsize)(end - at));
      start = feed ? feed + 1 : end;
    }
    const guint8 *message_end = find_end (start, end);
    g_autoptr (MimePart) message = mime_parse (start, (gsize)(message_end - start), &run.cut);
    g_autofree char *subject = message_dup_subject (message);
    emit_block_text (writer, LECTERN_BLOCK_HEADING, 1, subject);
    message_emit (message, &run, writer);
    n++;
    at = message_end;
  }
  if (at < end)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, (guint64)(end - at), "the rest of a mailbox with too many messages");
  message_run_report (&run, writer);
  if (run.n_encrypted > 0)
    emit_warning (writer, "Of %u of the messages only the headers could be read: they are encrypted.", run.n_encrypted);
  if (n > 0 && run.n_encrypted == n)
    return outcome_failed (LECTERN_STATUS_ENCRYPTED, "The messages are encrypted.");
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The mailbox is empty.");
  return outcome_indexed ();
}
