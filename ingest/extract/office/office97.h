/* office97.h: tells what a compound file (the container of Word, Excel and PowerPoint until 2003) holds. Documents in it are
 * not read, but a user is told what to do; newer documents with a password also come in one. */
#ifndef LECTERN_EXTRACT_OFFICE_OFFICE97_H
#define LECTERN_EXTRACT_OFFICE_OFFICE97_H

#include "ingest/extract/extractor.h"

int office97_sniff (const Document *document);
Outcome office97_extract (const Document *document, Writer *writer);

#endif
