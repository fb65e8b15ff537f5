/* xlsx.h: the reader of Excel workbooks (Office Open XML). */
#ifndef LECTERN_EXTRACT_OFFICE_XLSX_H
#define LECTERN_EXTRACT_OFFICE_XLSX_H

#include "ingest/extract/extractor.h"

int xlsx_sniff (const Document *document);
Outcome xlsx_extract (const Document *document, Writer *writer);

#endif
