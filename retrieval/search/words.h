/* words.h: what a word is, for indexing and for queries alike.
 *
 * A text is walked run by run. A run is a *word* (letters, digits, marks), a *compound* (words joined inside by apostrophe,
 * hyphen, dot, underscore, or comma between digits: e-mail, foo_bar.c, 3.14, DC68-04130A), or a stretch of a script that is
 * written without spaces (Han, kana, Hangul, Thai, Lao, Khmer, Burmese), which is indexed by characters and bigrams.
 * Input may be any bytes: what is not UTF-8 separates words. */
#ifndef LECTERN_SEARCH_WORDS_H
#define LECTERN_SEARCH_WORDS_H

#include <glib.h>

G_BEGIN_DECLS

enum { LECTERN_WORD_MAX_PARTS = 12, LECTERN_WORD_MAX_BYTES = 96 };

typedef struct {
  const char *text;
  gsize length, pos;
} LecternWalker;

typedef struct {
  guint32 start, end; /* bytes in the text */
  gboolean ngram;     /* a stretch of a script without spaces; has one part */
  guint n_parts;      /* 1 unless a compound */
  struct {
    guint32 start, end;
    char joiner; /* the character before this part: 0 (first part), '\'', '-', '.', '_', ',' */
  } parts[LECTERN_WORD_MAX_PARTS];
} LecternWord;

/* FALSE at the end of the text. */
gboolean lectern_walker_next (LecternWalker *walker, LecternWord *word);

/* Whether part i is only a clitic at an apostrophe ("'s", "l'"): not indexed for itself. */
gboolean lectern_word_part_is_clitic (const LecternWalker *walker, const LecternWord *word, guint i);

/* Writes the compound without its joiners ("e-mail": "email"; decimal points stay) into `out`. Returns its length, or 0 if
 * the compound has no spelling of its own ("company's") or is too long. */
gsize lectern_word_join (const LecternWalker *walker, const LecternWord *word, char out[LECTERN_WORD_MAX_BYTES]);

/* Bytes of the character at `p`; 1 for bytes that are not UTF-8. */
gsize lectern_char_length (const char *p, gsize available);
gboolean lectern_char_is_ngram (const char *p, gsize available);

G_END_DECLS

#endif
