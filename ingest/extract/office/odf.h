/* odf.h: the readers of OpenDocument text, presentations and spreadsheets (ISO/IEC 26300). */
#ifndef LECTERN_EXTRACT_OFFICE_ODF_H
#define LECTERN_EXTRACT_OFFICE_ODF_H

#include "ingest/extract/extractor.h"

int odt_sniff (const Document *document);
int odp_sniff (const Document *document);
int ods_sniff (const Document *document);
Outcome odf_extract (const Document *document, Writer *writer); /* any of them, and templates */

#endif
