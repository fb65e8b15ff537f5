/* format.h: the formats by name. The part of the format table that needs no parser, so that the library can use it;
 * how each is recognised by content and read stands in ingest/extract/formats.c, row by row the same. Internal. */
#ifndef LECTERN_FORMAT_H
#define LECTERN_FORMAT_H

#include <glib.h>

typedef enum {
  FORMAT_PDF,
  FORMAT_HTML,
  FORMAT_MARKDOWN,
  FORMAT_TEXT,
  FORMAT_DOCX,
  FORMAT_ODT,
  FORMAT_ODP,
  FORMAT_ODS,
  FORMAT_EPUB,
  FORMAT_PPTX,
  FORMAT_XLSX,
  FORMAT_OFFICE_97,
  FORMAT_MBOX,
  FORMAT_EML,
  FORMAT_MHTML,
  FORMAT_RTF,
  FORMAT_CSV,
  FORMAT_RST,
  FORMAT_CODE,
  FORMAT_DATA,
  FORMAT_COMPRESSED,
  N_FORMATS
} Format;

typedef struct {
  const char *type;           /* "pdf", …: LecternDraft.type */
  const char *extensions[64]; /* lower case, with the dot; NULL ends */
  guint64 max_bytes;          /* a larger file is not read */
  gboolean only_named;        /* read when it is asked for by name; folders are not searched for it */
} FormatName;

/* Raised when the readers give other text than before: what earlier ones have read is read anew by the next run. */
#define READER_REVISION 1u

extern const FormatName format_names[N_FORMATS];

/* The format that a file name promises, or -1. */
int format_from_path (const char *path);

#endif
