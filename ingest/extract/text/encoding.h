/* encoding.h: bytes of unknown encoding to UTF-8. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_ENCODING_H
#define LECTERN_EXTRACT_ENCODING_H

#include <glib.h>

/* Loads the converters that documents ask for, while the program may still open files. Later calls do nothing. */
void encoding_warm_up (void);

/* Decodes all bytes. In this order: a byte order mark; UTF-16 by its zero bytes; UTF-8 if there are non-ASCII bytes and
 * (nearly) all are well formed; the `declared` encoding (a WHATWG label such as "latin1" or "gb2312", or NULL); without one,
 * or if it is ASCII or UTF-8 and the bytes are not, what encoding_guess() says; UTF-8 if well formed; windows-1252. What
 * cannot be decoded becomes U+FFFD; zero bytes are left out. Never fails. *used (may be NULL) gets the name of the encoding,
 * static. The caller frees the text; *length (may be NULL) is without its NUL. */
char *encoding_decode (const guint8 *bytes, gsize size, const char *declared, gsize *length, const char **used);

/* Whether the bytes are no text in any encoding: control characters that text does not have, in a look at the first 64 KiB. */
gboolean encoding_is_binary (const guint8 *bytes, gsize size);

#endif
