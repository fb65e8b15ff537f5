/* mhtml.h: the reader of web pages saved in one file (RFC 2557): the page, then the frames that it shows. */
#ifndef LECTERN_EXTRACT_MHTML_H
#define LECTERN_EXTRACT_MHTML_H

#include "ingest/extract/extractor.h"

int mhtml_sniff (const Document *document);
Outcome mhtml_extract (const Document *document, Writer *writer);

#endif
