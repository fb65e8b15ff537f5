/* markdown.h: the reader of Markdown: cmark-gfm with tables, task lists, strikethrough and autolinks. */
#ifndef LECTERN_EXTRACT_MARKDOWN_H
#define LECTERN_EXTRACT_MARKDOWN_H

#include "ingest/extract/extractor.h"

void markdown_warm_up (void);
int markdown_sniff (const Document *document);
Outcome markdown_extract (const Document *document, Writer *writer);

#endif
