/* mbox.h: the reader of mailboxes in one file: mboxo, mboxrd, mboxcl and mboxcl2 (RFC 4155 and what came before). Each
 * message is a section. */
#ifndef LECTERN_EXTRACT_MBOX_H
#define LECTERN_EXTRACT_MBOX_H

#include "ingest/extract/extractor.h"

int mbox_sniff (const Document *document);
Outcome mbox_extract (const Document *document, Writer *writer);

#endif
