/* blocks.h: a part of a page to blocks, in document order. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_HTML_BLOCKS_H
#define LECTERN_EXTRACT_HTML_BLOCKS_H

#include "ingest/extract/extractor.h"
#include "ingest/extract/html/main-content.h"

void html_blocks_emit (const HtmlMain *main, Writer *writer);

/* All text below a node, white space normalised. The caller frees it. */
char *html_dup_text (xmlNode *node);

#endif
