/* scan.h: pages that hold no text of their own: they are looked at, and read by text recognition where that is possible. */
#ifndef LECTERN_EXTRACT_PDF_SCAN_H
#define LECTERN_EXTRACT_PDF_SCAN_H

#include "ingest/extract/pdf/document.h"

/* Whether most of a page's characters stand for no letter that is known: its fonts lack the table that would tell. */
gboolean pdf_page_is_garbled (const PdfPage *page);

/* Recognises the pages with these numbers (int, from 1, ascending), adds those with text to the document in their place,
 * and reports each. Returns how many of them could be read. */
guint pdf_read_scans (PopplerDocument *source, const GArray *numbers, PdfDocument *document, Writer *writer);

/* The sentence for a document without any text. */
char *pdf_explain_no_text (PopplerDocument *source, int n_pages);

#endif
