/* code.h: the reader of source code and of data in text (JSON, YAML, XML …): the comment at the top is a paragraph, the
 * rest is code, cut at empty lines where something begins. */
#ifndef LECTERN_EXTRACT_CODE_H
#define LECTERN_EXTRACT_CODE_H

#include "ingest/extract/extractor.h"

int code_sniff (const Document *document);
Outcome code_extract (const Document *document, Writer *writer);

#endif
