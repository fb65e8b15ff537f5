/* spans.h: the stored form of a chunk's spans.
 *
 * One version byte, then per span LEB128 varints (signed ones zigzag): start - end of the previous span, length, page -
 * previous page, and x, y, width, height in 1/16 point, each as the difference to the previous span's. */
#ifndef LECTERN_LIBRARY_SPANS_H
#define LECTERN_LIBRARY_SPANS_H

#include "retrieval/retrieval.h"

/* Spans (of LecternSpan) as bytes; an empty array gives empty bytes. */
GByteArray *lectern_spans_encode (const GArray *spans);

/* Never fails: damaged bytes end the list early. Spans that do not lie within `text_length` bytes are left out. */
GArray *lectern_spans_decode (const guint8 *bytes, gsize length, gsize text_length);

#endif
