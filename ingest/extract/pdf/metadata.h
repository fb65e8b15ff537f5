/* metadata.h: what a PDF says about itself. */
#ifndef LECTERN_EXTRACT_PDF_METADATA_H
#define LECTERN_EXTRACT_PDF_METADATA_H

#include "ingest/extract/pdf/document.h"

/* The document's own title if it is worth showing, else the largest print on its first pages, else its first heading
 * (which may be NULL). */
void pdf_emit_title (PopplerDocument *source, const PdfDocument *document, const char *first_heading, Writer *writer);
/* The language that the file's catalog declares, if it can be found. */
void pdf_emit_language (const Document *document, Writer *writer);
/* Who made it and on which day, as far as it tells. */
void pdf_emit_origin (PopplerDocument *source, Writer *writer);

#endif
