/* eml.h: the reader of single mails (RFC 5322, MIME), also as Apple Mail stores them (.emlx). Attachments are documents of
 * their own. */
#ifndef LECTERN_EXTRACT_EML_H
#define LECTERN_EXTRACT_EML_H

#include "ingest/extract/extractor.h"

void eml_warm_up (void);
int eml_sniff (const Document *document);
Outcome eml_extract (const Document *document, Writer *writer);

#endif
