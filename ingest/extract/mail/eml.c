#include "ingest/extract/mail/eml.h"

#include "ingest/extract/html/html.h"
#include "ingest/extract/mail/message.h"

#include <string.h>

#define LOOK_BYTES 65536

void eml_warm_up (void)
{
  html_warm_up ();
}

/* Where the message begins: Apple Mail puts its length on a line before it. */
static const guint8 *skip_length_line (const Document *document, gsize *size)
{
  const guint8 *bytes = document->bytes;
  gsize at = 0, left = document->size;
  guint64 says = 0;
  while (at < left && at < 12 && g_ascii_isdigit (bytes[at]))
    says = says * 10 + (guint64)(bytes[at++] - '0');
  gsize digits = at;
  while (at < left && at < 24 && (bytes[at] == ' ' || bytes[at] == '\r'))
    at++;
  *size = left;
  if (digits == 0 || at >= left || bytes[at] != '\n')
    return bytes;
  at++;
  *size = (gsize)MIN (says, left - at); /* a property list follows */
  return bytes + at;
}

int eml_sniff (const Document *document)
{
  gsize size;
  const guint8 *bytes = skip_length_line (document, &size);
  gsize look = MIN (size, LOOK_BYTES);
  if (look == 0 || !mime_is_field (bytes, look))
    return 0;
  MimePart head = { .header = bytes, .header_size = mime_measure_header (bytes, look) };
  static const char *const fields[] = { "From", "Date", "Message-ID", "Received", "MIME-Version", "Subject", "To" };
  guint n = 0;
  gboolean sent = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    g_autofree char *value = mime_dup_field (&head, fields[i]);
    n += value != NULL;
    sent |= value && (i == 2 || i == 3);
  }
  return sent && n >= 3 ? 2 : n >= 1 ? 1 : 0;
}

Outcome eml_extract (const Document *document, Writer *writer)
{
  gsize size;
  const guint8 *bytes = skip_length_line (document, &size);
  MessageRun run = message_run_new ();
  g_autoptr (MimePart) message = mime_parse (bytes, size, &run.cut);
  g_autofree char *subject = mime_dup_text_field (message, "Subject");
  g_autofree char *from = mime_dup_text_field (message, "From");
  g_autofree char *date_field = mime_dup_field (message, "Date");
  g_autofree char *date = date_field ? mime_date_to_iso (date_field) : NULL;
  if (subject && subject[0])
    emit_title (writer, subject);
  if (from && from[0])
    emit_author (writer, from);
  if (date)
    emit_date (writer, date);
  gboolean open = message_emit (message, &run, writer);
  message_run_report (&run, writer);
  if (!open)
    return outcome_failed (LECTERN_STATUS_ENCRYPTED, "The message is encrypted.");
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The message holds no text.");
  return outcome_indexed ();
}
