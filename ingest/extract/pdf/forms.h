/* forms.h: what a page says outside its contents: the values of form fields and the texts of comments. */
#ifndef LECTERN_EXTRACT_PDF_FORMS_H
#define LECTERN_EXTRACT_PDF_FORMS_H

#include "ingest/extract/pdf/page.h"

/* Appends to `blocks` (of LecternBlock, which the array owns) one paragraph for each value, "Label: value" or the value
 * alone, first the fields, then the comments, each in the file's order. Every word has a span with the rectangle of the
 * field or comment. page: the same page as read from its contents; what already stands there is not repeated. Left out:
 * what is empty or hidden, passwords, buttons that are not checked. */
void pdf_forms_read (PopplerPage *source, const PdfPage *page, GPtrArray *blocks);

#endif
