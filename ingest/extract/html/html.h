/* html.h: the reader of web pages: libxml2's HTML parser, the main content (main-content.h), blocks. */
#ifndef LECTERN_EXTRACT_HTML_H
#define LECTERN_EXTRACT_HTML_H

#include "ingest/extract/extractor.h"

void html_warm_up (void);
int html_sniff (const Document *document);
Outcome html_extract (const Document *document, Writer *writer);

#endif
