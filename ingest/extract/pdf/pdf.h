/* pdf.h: the reader of PDF files, over poppler-glib. */
#ifndef LECTERN_EXTRACT_PDF_H
#define LECTERN_EXTRACT_PDF_H

#include "ingest/extract/extractor.h"

void pdf_warm_up (void);
int pdf_sniff (const Document *document);
Outcome pdf_extract (const Document *document, Writer *writer);

#endif
