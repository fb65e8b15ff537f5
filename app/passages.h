/* passages.h: passages as JSON members and as text for people; search and ask share them. */
#ifndef LECTERN_PASSAGES_H
#define LECTERN_PASSAGES_H

#include "app/json-writer.h"
#include "retrieval/retrieval.h"

/* "hybrid", "keyword", "semantic"; NULL leaves *mode as it is. FALSE with USAGE_ERROR for other words. */
gboolean search_mode_from_string (const char *word, LecternSearchMode *mode, GError **error);

/* The spans' rectangles with neighbours on one line of print joined; in reading order, elements LecternRect. */
GArray *passage_dup_rectangles (const GArray *spans);

/* An array of {"page","x","y","width","height"}. */
void json_writer_rectangles (JsonWriter *writer, const GArray *spans);

/* A page number, null for formats without pages (0). */
void json_writer_member_page (JsonWriter *writer, const char *key, int page);

/* The members of a result, inside an object that the caller opened. */
void json_writer_result_members (JsonWriter *writer, const LecternResult *result);

/* The document's title, else its file name. */
char *passage_dup_title (const LecternResult *result);

/* "page 12", "pages 12–13", or "" for formats without pages. */
char *passage_dup_pages (const LecternResult *result);

/* About `length` characters of the text around the place where most words of `query` stand, cut at words with "…", white
 * space made single; never longer than twice that. */
char *passage_dup_snippet (const char *text, const char *query, guint length);

/* Writes text filled to the terminal, the words of `query` (may be NULL) in bold. */
void passage_print_marked (const char *text, const char *query, guint indent);

#endif
