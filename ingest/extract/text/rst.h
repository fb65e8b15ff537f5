/* rst.h: the reader of reStructuredText (docutils): sections by the order of their underlines, lists, literal blocks, grid
 * and simple tables, directives; roles and marks of inline markup are taken off. */
#ifndef LECTERN_EXTRACT_RST_H
#define LECTERN_EXTRACT_RST_H

#include "ingest/extract/extractor.h"

int rst_sniff (const Document *document);
Outcome rst_extract (const Document *document, Writer *writer);

#endif
