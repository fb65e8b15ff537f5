/* csv.h: the reader of tables in text (RFC 4180 and what is about): comma, semicolon, tab or bar, found by trying; a first
 * row that names the columns is the header. */
#ifndef LECTERN_EXTRACT_CSV_H
#define LECTERN_EXTRACT_CSV_H

#include "ingest/extract/extractor.h"

int csv_sniff (const Document *document);
Outcome csv_extract (const Document *document, Writer *writer);

#endif
