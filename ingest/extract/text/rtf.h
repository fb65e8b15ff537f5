/* rtf.h: the reader of Rich Text Format (specification 1.9.1). Headings by the style sheet's names and outline levels,
 * lists, tables row by row, footnotes; pictures, objects, running headers and comments are passed over, hidden and deleted
 * text is left out and reported. Groups nest without bound in files that are damaged: beyond RTF_MAX_DEPTH they share a
 * state. */
#ifndef LECTERN_EXTRACT_RTF_H
#define LECTERN_EXTRACT_RTF_H

#include "ingest/extract/extractor.h"

#define RTF_MAX_DEPTH 256

int rtf_sniff (const Document *document);
Outcome rtf_extract (const Document *document, Writer *writer);

#endif
