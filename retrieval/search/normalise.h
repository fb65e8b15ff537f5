/* normalise.h: one word to the tokens that stand for it in the index.
 *
 * Unicode compatibility normalisation, lower case, the Snowball stemmer of the text's language, then diacritics are
 * dropped. A word whose plain spelling (without diacritics) stems differently has a second token, so that people who type
 * "informacion" find "información". One normaliser per thread: it holds stemmers and a cache. */
#ifndef LECTERN_SEARCH_NORMALISE_H
#define LECTERN_SEARCH_NORMALISE_H

#include <glib.h>

G_BEGIN_DECLS

enum { LECTERN_TOKEN_MAX_BYTES = 72 };

typedef struct _LecternNormaliser LecternNormaliser;

typedef struct {
  guint n; /* 0: the word is nothing but marks; else 1 or 2 distinct tokens */
  struct {
    guint length;
    char bytes[LECTERN_TOKEN_MAX_BYTES];
  } tokens[2];
} LecternTokens;

LecternNormaliser *lectern_normaliser_new (void);
void lectern_normaliser_free (LecternNormaliser *normaliser);

/* Index of a language (a BCP 47 primary tag) for lectern_normalise(); unknown and empty tags get the index that stems each
 * script by its most usual language. `length` -1: NUL-terminated. */
int lectern_normaliser_find_language (const char *tag, gssize length);

/* `word` is one word of the walker (words.h), at most LECTERN_WORD_MAX_BYTES are looked at. */
void lectern_normalise (LecternNormaliser *normaliser, int language, const char *word, gsize length,
                        LecternTokens *tokens);

G_END_DECLS

#endif
