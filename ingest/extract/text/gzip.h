/* gzip.h: text compressed with gzip (manual.txt.gz, changelog.gz): unpacked within limits and read as what it holds. */
#ifndef LECTERN_EXTRACT_GZIP_H
#define LECTERN_EXTRACT_GZIP_H

#include "ingest/extract/extractor.h"

void gzip_warm_up (void);
int gzip_sniff (const Document *document);
Outcome gzip_extract (const Document *document, Writer *writer);

#endif
