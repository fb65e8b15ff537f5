/* encoding-guess.h: the encoding of a text that does not say it and is not UTF-8, by how its bytes stand together. Internal
 * to ingest/extract/text/. */
#ifndef LECTERN_EXTRACT_ENCODING_GUESS_H
#define LECTERN_EXTRACT_ENCODING_GUESS_H

#include <glib.h>

/* Looks at the first 64 KiB. The name as iconv knows it, static: the Japanese, Chinese and Korean encodings, those of
 * Cyrillic, Greek and Hebrew. NULL: none of these for sure, as in all Latin scripts. */
const char *encoding_guess (const guint8 *bytes, gsize size);

#endif
