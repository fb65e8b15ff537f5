/* pptx.h: the reader of PowerPoint presentations (Office Open XML). */
#ifndef LECTERN_EXTRACT_OFFICE_PPTX_H
#define LECTERN_EXTRACT_OFFICE_PPTX_H

#include "ingest/extract/extractor.h"

int pptx_sniff (const Document *document);
Outcome pptx_extract (const Document *document, Writer *writer);

#endif
