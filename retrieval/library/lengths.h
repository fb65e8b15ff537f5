/* lengths.h: how many words the passages of a content have, for length normalisation in ranking.
 *
 * FTS5 keeps such counts too, but one row per passage; reading them for every match would cost more than the match. Stored
 * per content: one version byte, then LEB128 varints: words of the title, then per chunk those of its heading path and text. */
#ifndef LECTERN_LIBRARY_LENGTHS_H
#define LECTERN_LIBRARY_LENGTHS_H

#include <glib.h>

typedef struct {
  guint32 title, heading, body;
} LecternLengths;

/* Positions that the tokenizer gives the text: words, parts of compounds, characters of scripts without spaces. */
guint32 lectern_count_words (const char *text);

/* An encoder in progress: the title first, then each chunk. */
GByteArray *lectern_lengths_begin (const char *title);
void lectern_lengths_add (GByteArray *bytes, const char *heading, const char *text);

/* Appends exactly `n_chunks` LecternLengths; what is missing in damaged bytes is taken as 1. */
void lectern_lengths_decode (const guint8 *bytes, gsize length, guint n_chunks, GArray *lengths);

#endif
