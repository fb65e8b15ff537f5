/* docx.h: the reader of Word documents (Office Open XML). */
#ifndef LECTERN_EXTRACT_OFFICE_DOCX_H
#define LECTERN_EXTRACT_OFFICE_DOCX_H

#include "ingest/extract/extractor.h"

int docx_sniff (const Document *document);
Outcome docx_extract (const Document *document, Writer *writer);

#endif
