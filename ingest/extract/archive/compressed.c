#include "ingest/extract/archive/compressed.h"

#include "ingest/extract/archive/container.h"

#include <string.h>

/* Text is packed to a twentieth at best; what unpacks to more than 200 times its size beyond the first 32 MiB is a bomb. */
static const ContainerLimits limits = {
  .max_entries = 1,
  .max_entry_bytes = G_GUINT64_CONSTANT (256) << 20,
  .max_total_bytes = G_GUINT64_CONSTANT (256) << 20,
  .max_ratio = 200,
};

int compressed_sniff (const Document *document)
{
  return container_is_compressed (document->bytes, document->size) ? 1 : 0;
}

Outcome compressed_extract (const Document *document, Writer *writer)
{
  Outcome outcome = { 0 };
  gboolean cut = FALSE, damaged = FALSE;
  gsize size = 0;
  g_autofree char *bytes
      = container_decompress (document->bytes, document->size, &limits, &size, &cut, &damaged, &outcome);
  if (!bytes)
    return outcome;
  const char *dot = strrchr (document->name, '.');
  g_autofree char *name = g_strndup (document->name, dot ? (gsize)(dot - document->name) : strlen (document->name));
  Document inner = { (const guint8 *)bytes, size, name };
  int format = format_of_document (&inner);
  outcome = format_read (format >= 0 ? format : FORMAT_TEXT, &inner, writer);
  if (cut)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, 0, "what it unpacks to beyond 256 MiB, or 200 times its size");
  if (damaged)
    emit_warning (writer, "The file is damaged: only what comes before the damage was read.");
  return outcome;
}
