/* query.h: what a person typed to an FTS5 expression.
 *
 * Every input gives a valid expression or none (n_terms 0: nothing in it can be searched for). Words become terms, quoted
 * stretches ("…", “…”, „…“, «…») phrases; function words are dropped unless quoted or alone. The expression is the OR of
 * all terms: which of them a passage must have is for ranking to decide (rank.h). User text only ever stands inside FTS5
 * string literals. */
#ifndef LECTERN_SEARCH_QUERY_H
#define LECTERN_SEARCH_QUERY_H

#include <glib.h>

#include "retrieval/search/normalise.h"

G_BEGIN_DECLS

enum { LECTERN_QUERY_MAX_TERMS = 96, LECTERN_QUERY_MAX_PHRASES = 8 };

typedef enum {
  LECTERN_QUERY_WORD,   /* a word, or a part of a compound */
  LECTERN_QUERY_JOINED, /* a compound in one piece; its parts are terms too */
  LECTERN_QUERY_BIGRAM, /* two characters of a script without spaces */
  LECTERN_QUERY_PHRASE, /* quoted; its words are terms too */
} LecternQueryKind;

typedef struct {
  LecternQueryKind kind;
  guint count; /* how often the query has it */
  guint whole; /* 1 + index of the JOINED term that stands for the compound of this part; 0: of none, or of several */
  char *key;   /* what makes two terms the same: kind and first stem */
} LecternQueryTerm;

typedef struct {
  char *match;       /* FTS5 expression; phrase i of it is terms[i]; NULL without terms */
  GArray *terms;     /* of LecternQueryTerm */
  gboolean strict;   /* the quoted phrases are a condition, not a preference */
  gboolean keywords; /* nothing was dropped: it is no sentence but the words to be found */
} LecternQuery;

/* `languages`: the distinct languages of the library ("" for unknown), NULL-terminated, at most 16 are used. */
LecternQuery *lectern_query_new (const char *text, gsize length, const char *const *languages,
                                 LecternNormaliser *normaliser);
void lectern_query_free (LecternQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternQuery, lectern_query_free)

G_END_DECLS

#endif
