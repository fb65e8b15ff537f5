#include "ingest/extract/text/gzip.h"

#include "ingest/extract/text/text.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_BYTES ((gsize)256 << 20)
/* Text is packed to a twentieth at best; what unpacks to more than this beyond the first bytes is a bomb. */
#define MAX_RATIO 200
#define FREE_BYTES ((gsize)32 << 20)
#define STEP_BYTES ((gsize)1 << 20)

void gzip_warm_up (void)
{
  g_type_ensure (G_TYPE_ZLIB_DECOMPRESSOR);
}

int gzip_sniff (const Document *document)
{
  return document->size > 18 && memcmp (document->bytes, "\x1F\x8B\x08", 3) == 0 ? 1 : 0;
}

typedef enum { GZIP_WHOLE, GZIP_CUT, GZIP_DAMAGED } GzipState;

/* All members one after the other. */
static GByteArray *unpack (const Document *document, GzipState *state)
{
  g_autoptr (GZlibDecompressor) decompressor = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  GByteArray *out = g_byte_array_new ();
  gsize at = 0, length = 0;
  *state = GZIP_WHOLE;
  while (at < document->size) {
    gsize limit = MIN (MAX_BYTES, MAX (FREE_BYTES, at * MAX_RATIO));
    if (length >= limit) {
      *state = GZIP_CUT;
      break;
    }
    g_byte_array_set_size (out, (guint)(length + STEP_BYTES));
    gsize read = 0, written = 0;
    g_autoptr (GError) error = NULL;
    GConverterResult result
        = g_converter_convert (G_CONVERTER (decompressor), document->bytes + at, document->size - at,
                               out->data + length, STEP_BYTES, G_CONVERTER_INPUT_AT_END, &read, &written, &error);
    if (result == G_CONVERTER_ERROR) {
      *state = GZIP_DAMAGED;
      break;
    }
    at += read;
    length += written;
    if (result == G_CONVERTER_FINISHED) {
      if (document->size - at < 18 || memcmp (document->bytes + at, "\x1F\x8B\x08", 3) != 0)
        break;
      g_converter_reset (G_CONVERTER (decompressor));
    } else if (read == 0 && written == 0) {
      *state = GZIP_DAMAGED;
      break;
    }
  }
  g_byte_array_set_size (out, (guint)length);
  return out;
}

Outcome gzip_extract (const Document *document, Writer *writer)
{
  GzipState state;
  g_autoptr (GByteArray) bytes = unpack (document, &state);
  if (bytes->len == 0)
    return state == GZIP_DAMAGED
               ? outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: nothing of it could be unpacked.")
               : outcome_failed (LECTERN_STATUS_EMPTY, "There is nothing in it.");
  gsize length = strlen (document->name);
  g_autofree char *name = g_strndup (document->name, length > 3 ? length - 3 : length);
  Document inner = { bytes->data, bytes->len, name };
  int format = format_of_document (&inner);
  if (format == FORMAT_GZIP)
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "It is compressed more than once.");
  Outcome outcome = format >= 0 ? format_readers[format].extract (&inner, writer) : text_extract (&inner, writer);
  if (state == GZIP_CUT)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, 0, "what it unpacks to beyond 256 MiB, or 200 times its size");
  else if (state == GZIP_DAMAGED)
    emit_warning (writer, "The file is damaged: only what comes before the damage was read.");
  return outcome;
}
