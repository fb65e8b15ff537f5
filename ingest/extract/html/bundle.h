/* bundle.h: a page with the pages that can be its frames (ingest/folder/saved-page.h). Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_HTML_BUNDLE_H
#define LECTERN_EXTRACT_HTML_BUNDLE_H

#include <glib.h>

typedef struct {
  char *name; /* "": the page itself */
  const guint8 *bytes;
  gsize size;
  gboolean used;
} BundlePart;

gboolean bundle_is (const guint8 *bytes, gsize size);

/* Of BundlePart, the page first; what is cut short or lies about its size ends the list. A page that is no bundle is the only
 * part of its own. The bytes stay the caller's. */
GArray *bundle_new (const guint8 *bytes, gsize size);

/* The part that a frame's address means, by its last path segment; NULL if there is none, or it was used. Marks it as used. */
BundlePart *bundle_take (GArray *parts, const char *address);

#endif
