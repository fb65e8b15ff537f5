/* hidden.h: text that nobody sees on the page. It is a way to speak to a model behind the reader's back, so it is kept
 * out of the text, and reported.
 *
 * Not found: dark text that a box or an image is painted over, on a page without any near-white word. Poppler gives
 * neither the order of painting nor the boxes, and to paint every page would double the time that a document takes. */
#ifndef LECTERN_EXTRACT_PDF_HIDDEN_H
#define LECTERN_EXTRACT_PDF_HIDDEN_H

#include "ingest/extract/extractor.h"
#include "ingest/extract/pdf/page.h"

/* Removes the words that cannot be seen from a page that is not arranged yet, and counts their characters. A page is
 * rendered for it (at low resolution) only when some of its words are near white; source NULL: never, and
 * all such words are removed. */
void pdf_remove_hidden (PopplerPage *source, PdfPage *page);
void pdf_report_hidden (const PdfPage *page, Writer *writer);

/* 0xRRGGBB: whether it would not show on white paper. */
gboolean pdf_color_is_light (guint32 color);

#endif
