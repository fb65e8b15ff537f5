/* findings.h: storing what indexing noticed about a content. Internal to retrieval/. */
#ifndef LECTERN_FINDINGS_H
#define LECTERN_FINDINGS_H

#include "retrieval/library/library-private.h"

/* Adds the findings of a content that has none. Within a transaction. */
gboolean lectern_findings_store (sqlite3 *db, const GPtrArray *findings, gint64 content, GError **error);

#endif
