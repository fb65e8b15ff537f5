/* mime.h: messages in MIME (RFC 2045 to 2049, 2231, 5322). Internal to ingest/extract/.
 *
 * A tree of parts is made of ranges of the bytes given; nothing is copied before it is asked for, so a mailbox of any size
 * costs what its largest message costs. This is our own rather than GMime, which would copy every part and bring GnuPG's
 * libraries into a process that is meant to hold nothing but a parser; charsets come from text/encoding.h, which opens
 * its converters before the process is locked down.
 *
 * What is damaged is taken as mail programs take it: headers end at the first line that is none; a part without its end
 * goes to the end of what it is in; a multipart without a boundary has the one that its first "--" line shows, and one
 * that has none at all is plain text. */
#ifndef LECTERN_EXTRACT_MIME_H
#define LECTERN_EXTRACT_MIME_H

#include <glib.h>

/* What is nested deeper is not looked into, and of one message no more parts are looked at. */
#define MIME_MAX_DEPTH 32
#define MIME_MAX_PARTS 10000

typedef struct _MimePart MimePart;
struct _MimePart {
  const guint8 *header, *body; /* ranges of the message; `body` as it was sent */
  gsize header_size, body_size;
  char *type;       /* "text/plain", …: lower case; the default where the header names none */
  GPtrArray *parts; /* of MimePart, in order; NULL: this one is no multipart, or is one beyond the limits */
};

/* Never fails. `bytes` must outlive the tree. *cut (may be NULL) is set if something lies beyond the limits. */
MimePart *mime_parse (const guint8 *bytes, gsize size, gboolean *cut);
void mime_part_free (MimePart *part);

/* The size of the header at the beginning of `bytes`, with the empty line that ends it. */
gsize mime_measure_header (const guint8 *bytes, gsize size);
/* Whether a line has the form of a header field ("Name: …"); `size` may go beyond the line. */
gboolean mime_is_field (const guint8 *line, gsize size);

/* A field as it stands, unfolded, of the first that has this name; NULL: there is none. The caller frees it. */
char *mime_dup_field (const MimePart *part, const char *name);
/* The same as text: encoded words and charsets decoded, white space normalised, UTF-8. */
char *mime_dup_text_field (const MimePart *part, const char *name);
/* A parameter ("charset") of a field ("Content-Type") as text; continuations and charsets as in RFC 2231. */
char *mime_dup_parameter (const MimePart *part, const char *field, const char *parameter);
/* The moment of a Date field as ISO 8601; NULL if it is none. */
char *mime_date_to_iso (const char *date);

/* The body without its transfer encoding. The caller frees it; a NUL that *size does not count ends it. */
guint8 *mime_decode_body (const MimePart *part, gsize *size);
/* The same as text in UTF-8, by its charset. */
char *mime_decode_text (const MimePart *part, gsize *length);

/* uuencoded data that begins at the line `text` ("begin 644 NAME"). The caller frees it and *name; *consumed is how far
 * it goes. NULL: no such data begins here. */
guint8 *mime_decode_uu (const char *text, gsize length, gsize *size, char **name, gsize *consumed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MimePart, mime_part_free)

#endif
