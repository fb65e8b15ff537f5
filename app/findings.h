/* findings.h: what indexing noticed about a document, as JSON and in print. */
#ifndef LECTERN_APP_FINDINGS_H
#define LECTERN_APP_FINDINGS_H

#include "app/json-writer.h"
#include "retrieval/retrieval.h"

/* [{"kind","page","amount","detail"}]; page is null for the whole document. */
void findings_write_json (JsonWriter *writer, const GPtrArray *findings);
/* A sentence a line, each behind `prefix`. */
void findings_print (const GPtrArray *findings, gboolean only_problems, const char *prefix);

#endif
