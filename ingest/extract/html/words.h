/* words.h: words that say what a part of a page is for. Internal to ingest/extract/.
 *
 * Authors of pages name their parts (class and id attributes), and what stands around an article begins with the same few
 * words on most pages ("Share", "Read also", "Photo:"). Both are looked up in one table of words in several languages,
 * each with the groups that it belongs to. A word is only a hint: what it is worth is learnt (block-model.h). */
#ifndef LECTERN_EXTRACT_HTML_WORDS_H
#define LECTERN_EXTRACT_HTML_WORDS_H

#include <glib.h>

typedef enum {
  WORDS_COMMENT,
  WORDS_SHARE,
  WORDS_RELATED,
  WORDS_META, /* by-line, date, tags */
  WORDS_PICTURE,
  WORDS_ADVERT, /* also newsletters, subscriptions */
  WORDS_NAVIGATION,
  WORDS_FOOTER, /* also legal notices, cookies, dialogs */
  WORDS_SIDE,
  WORDS_AUTHOR,
  WORDS_HEAD,
  WORDS_CONTENT,
  N_WORD_GROUPS
} WordGroup;

/* Makes the look-up table; later calls do nothing. The others call it, too. */
void words_warm_up (void);

/* A set of groups, bit 1 << group: of the words in the value of a class or id attribute, cut at what is no letter and
 * where a capital follows a small letter. */
guint32 words_of_name (const char *value);

/* The same of a few words at the beginning of a text (at most `n_words`). */
guint32 words_of_text (const char *text, guint n_words);

#endif
