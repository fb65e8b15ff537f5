/* sandbox.h: how a reader is locked up, in two steps. */
#ifndef LECTERN_EXTRACT_SANDBOX_H
#define LECTERN_EXTRACT_SANDBOX_H

#include "ingest/reader/frame.h"

/* In the parent of all readers, after everything they need from disk was loaded: gives up files, TCP, capabilities and
 * tracing for itself and all its children, and prepares what each child enters later. No threads yet. */
void sandbox_prepare (void);

/* In the child, before it looks at the document: closes every descriptor but 0 to 2 and the two given, and enters the rest.
 * What this system does not have is left out. *protections says what holds. FALSE: the limits could not be set. */
gboolean sandbox_enter (const Request *request, int document_fd, int answer_fd, ProtectionsFrame *protections);

#endif
