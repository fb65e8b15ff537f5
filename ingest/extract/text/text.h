/* text.h: the reader of plain text. Encoding by encoding.h; paragraphs by empty lines; list items by their marks; headings
 * only where the text says so itself: a line underlined with "=" or "-", or a short numbered line that stands alone. */
#ifndef LECTERN_EXTRACT_TEXT_H
#define LECTERN_EXTRACT_TEXT_H

#include "ingest/extract/extractor.h"

int text_sniff (const Document *document);
Outcome text_extract (const Document *document, Writer *writer);

/* The blocks of text in UTF-8 that ends with a NUL. */
void text_emit_blocks (const char *text, Writer *writer);

#endif
