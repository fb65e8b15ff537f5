/* rst-inline.h: inline markup of reStructuredText. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_RST_INLINE_H
#define LECTERN_EXTRACT_RST_INLINE_H

#include <glib.h>

/* Appends text without its marks: "``code``" is code, ":ref:`text <target>`" is text, "*word*" is word. White space is one
 * space, and none at the beginning of `out`. */
void rst_append_inline (GString *out, const char *text, gsize length);

#endif
