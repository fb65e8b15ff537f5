/* structure.h: the headings that a tagged PDF names. */
#ifndef LECTERN_EXTRACT_PDF_STRUCTURE_H
#define LECTERN_EXTRACT_PDF_STRUCTURE_H

#include "ingest/extract/pdf/document.h"

/* Appends the headings of the structure tree to `entries` (elements PdfOutlineEntry, whose keys are to be freed). */
void pdf_read_tagged_headings (PopplerDocument *source, GArray *entries);

#endif
