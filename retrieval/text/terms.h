/* terms.h: a text as folded, stemmed terms with their places, for comparing texts with one another.
 *
 * A termer interns terms: equal terms have equal ids, so that overlap is integer work. The search index has a tokenizer
 * of its own; the two need not agree, because ids never leave a termer. One thread at a time. */
#ifndef LECTERN_TEXT_TERMS_H
#define LECTERN_TEXT_TERMS_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LECTERN_TERM_STOP = 1 << 0,   /* a function word, or one letter of a cased script */
  LECTERN_TERM_NUMBER = 1 << 1, /* holds a digit; "1,000" and "1000" are one term, 3.5 and 35 are two */
  LECTERN_TERM_NAME = 1 << 2,   /* capitalised, and not (as far as can be told) because a sentence begins there */
} LecternTermFlags;

typedef struct {
  guint32 id;         /* from 0 in the order first seen */
  guint32 start, end; /* bytes of the text */
  guint32 flags;      /* LecternTermFlags */
} LecternTerm;

typedef struct _LecternTermer LecternTermer;

/* `language`: BCP 47 primary tag for stemming and stop words; NULL or unknown: neither. */
LecternTermer *lectern_termer_new (const char *language);
void lectern_termer_free (LecternTermer *termer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternTermer, lectern_termer_free)

/* Appends the terms of the text in order. Words of Chinese and Japanese, which have no spaces, become overlapping pairs of
 * characters. Invalid UTF-8 separates words. Linear time. */
void lectern_termer_add (LecternTermer *termer, const char *text, gssize length, GArray *terms);

guint lectern_termer_get_n_terms (LecternTermer *termer);              /* ids given so far */
const char *lectern_termer_get_term (LecternTermer *termer, guint id); /* borrowed */

G_END_DECLS

#endif
