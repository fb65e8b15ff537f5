/* stopwords.h: function words that carry no meaning for search and overlap. */
#ifndef LECTERN_TEXT_STOPWORDS_H
#define LECTERN_TEXT_STOPWORDS_H

#include <glib.h>

G_BEGIN_DECLS

/* Whether `folded_word` (lower case; with its diacritics or without them) is a function word of `language` ("en", "de",
 * "fr", "es", "it", "pt", "nl", "sv", "ru", "tr"). FALSE for other languages and for NULL. Any thread; one hash look-up. */
gboolean lectern_stopword (const char *language, const char *folded_word);

/* Whether there is a table for `language`. */
gboolean lectern_stopwords_has_language (const char *language);

/* The table of `language` as words separated by single spaces, NULL if there is none. */
const char *lectern_stopwords_get (const char *language);

G_END_DECLS

#endif
