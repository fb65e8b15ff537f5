/* epub.h: the reader of electronic books (EPUB 2 and 3). */
#ifndef LECTERN_EXTRACT_OFFICE_EPUB_H
#define LECTERN_EXTRACT_OFFICE_EPUB_H

#include "ingest/extract/extractor.h"

void epub_warm_up (void);
int epub_sniff (const Document *document);
Outcome epub_extract (const Document *document, Writer *writer);

#endif
