/* compressed.h: text compressed with gzip, bzip2, xz or zstd (changelog.gz, notes.md.xz, page.html.bz2): unpacked within
 * limits and read as what the name within says it is. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_COMPRESSED_H
#define LECTERN_EXTRACT_COMPRESSED_H

#include "ingest/extract/extractor.h"

int compressed_sniff (const Document *document);
Outcome compressed_extract (const Document *document, Writer *writer);

#endif
