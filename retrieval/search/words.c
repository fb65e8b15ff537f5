#include "retrieval/search/words.h"

#include <string.h>

typedef enum { SEPARATOR, LETTER, DIGIT, NGRAM, INVISIBLE, JOINER } CharClass;

static const struct {
  gunichar first, last;
} ngram_ranges[] = {
  { 0x0E00, 0x0EFF },                                                               /* Thai, Lao */
  { 0x1000, 0x109F },                                                               /* Burmese */
  { 0x1100, 0x11FF },                                                               /* Hangul jamo */
  { 0x1780, 0x17FF },                                                               /* Khmer */
  { 0x3005, 0x3007 }, { 0x3040, 0x30FA }, { 0x30FC, 0x318F },   { 0x31F0, 0x31FF }, /* kana, bopomofo, jamo */
  { 0x3400, 0x4DBF }, { 0x4E00, 0x9FFF }, { 0xA960, 0xA97F },   { 0xAC00, 0xD7FB },
  { 0xF900, 0xFAFF }, { 0xFF66, 0xFF9F }, { 0x20000, 0x3FFFF },
};

static gboolean is_ngram (gunichar c)
{
  if (c < ngram_ranges[0].first)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (ngram_ranges); i++)
    if (c >= ngram_ranges[i].first && c <= ngram_ranges[i].last)
      return TRUE;
  return FALSE;
}

/* The character at `p`: its length, and the joiner that it stands for if it is one. */
static CharClass classify (const char *p, gsize available, gsize *length, char *joiner)
{
  guchar byte = (guchar)*p;
  *length = 1;
  if (byte < 0x80) {
    if (g_ascii_isalpha (byte))
      return LETTER;
    if (g_ascii_isdigit (byte))
      return DIGIT;
    if (byte == '\'' || byte == '-' || byte == '.' || byte == '_' || byte == ',') {
      *joiner = (char)byte;
      return JOINER;
    }
    return SEPARATOR;
  }
  gunichar c = g_utf8_get_char_validated (p, (gssize)available);
  if (c == (gunichar)-1 || c == (gunichar)-2)
    return SEPARATOR;
  *length = (gsize)g_unichar_to_utf8 (c, NULL);
  switch (c) {
  case 0x2018:
  case 0x2019:
  case 0x02BC:
  case 0xFF07: *joiner = '\''; return JOINER;
  case 0x2010:
  case 0x2011: *joiner = '-'; return JOINER;
  case 0x00AD:
  case 0x200B:
  case 0x200C:
  case 0x200D:
  case 0x2060:
  case 0xFEFF: return INVISIBLE;
  default: break;
  }
  gboolean ngram = is_ngram (c);
  switch (g_unichar_type (c)) {
  case G_UNICODE_DECIMAL_NUMBER: return DIGIT;
  case G_UNICODE_UPPERCASE_LETTER:
  case G_UNICODE_LOWERCASE_LETTER:
  case G_UNICODE_TITLECASE_LETTER:
  case G_UNICODE_MODIFIER_LETTER:
  case G_UNICODE_OTHER_LETTER:
  case G_UNICODE_LETTER_NUMBER:
  case G_UNICODE_OTHER_NUMBER:
  case G_UNICODE_SPACING_MARK:
  case G_UNICODE_NON_SPACING_MARK:
  case G_UNICODE_ENCLOSING_MARK: return ngram ? NGRAM : LETTER;
  default: return SEPARATOR;
  }
}

gsize lectern_char_length (const char *p, gsize available)
{
  gsize length;
  char joiner;
  classify (p, available, &length, &joiner);
  return length;
}

gboolean lectern_char_is_ngram (const char *p, gsize available)
{
  gsize length;
  char joiner;
  return classify (p, available, &length, &joiner) == NGRAM;
}

/* Advances over one part; *last is the class of its last visible character. */
static gsize skip_part (const LecternWalker *walker, gsize pos, CharClass *last)
{
  while (pos < walker->length) {
    gsize length;
    char joiner;
    CharClass class = classify (walker->text + pos, walker->length - pos, &length, &joiner);
    if (class == LETTER || class == DIGIT)
      *last = class;
    else if (class != INVISIBLE)
      break;
    pos += length;
  }
  return pos;
}

gboolean lectern_walker_next (LecternWalker *walker, LecternWord *word)
{
  gsize pos = walker->pos, length = 0;
  CharClass class = SEPARATOR;
  char joiner = 0;
  for (; pos < walker->length; pos += length) {
    class = classify (walker->text + pos, walker->length - pos, &length, &joiner);
    if (class == LETTER || class == DIGIT || class == NGRAM)
      break;
  }
  if (pos >= walker->length) {
    walker->pos = walker->length;
    return FALSE;
  }
  word->start = (guint32)pos;
  word->n_parts = 1;
  word->parts[0].start = (guint32)pos;
  word->parts[0].joiner = 0;
  word->ngram = class == NGRAM;
  if (word->ngram) {
    while (pos < walker->length
           && (class = classify (walker->text + pos, walker->length - pos, &length, &joiner)) == NGRAM)
      pos += length;
    word->parts[0].end = (guint32)pos;
  } else {
    CharClass last = class;
    pos = skip_part (walker, pos, &last);
    word->parts[0].end = (guint32)pos;
    while (pos < walker->length && word->n_parts < LECTERN_WORD_MAX_PARTS) {
      gsize next = pos;
      CharClass after;
      if (classify (walker->text + next, walker->length - next, &length, &joiner) != JOINER)
        break;
      char first_joiner = joiner;
      next += length;
      while (first_joiner == '_' && next < walker->length && walker->text[next] == '_')
        next++;
      if (next >= walker->length)
        break;
      after = classify (walker->text + next, walker->length - next, &length, &joiner);
      if (!(after == LETTER || after == DIGIT) || (first_joiner == ',' && !(last == DIGIT && after == DIGIT)))
        break;
      word->parts[word->n_parts].start = (guint32)next;
      word->parts[word->n_parts].joiner = first_joiner;
      pos = skip_part (walker, next, &last);
      word->parts[word->n_parts].end = (guint32)pos;
      word->n_parts++;
    }
    /* C++, C#: the only names whose sign is the word. */
    if (word->n_parts == 1 && pos - word->start == 1) {
      const char *rest = walker->text + pos;
      gsize left = walker->length - pos;
      if (left >= 2 && rest[0] == '+' && rest[1] == '+' && !(left > 2 && rest[2] == '+'))
        word->parts[0].end = (guint32)(pos += 2);
      else if (left >= 1 && rest[0] == '#' && !(left > 1 && (g_ascii_isalnum (rest[1]) || rest[1] == '#')))
        word->parts[0].end = (guint32)(pos += 1);
    }
  }
  word->end = (guint32)pos;
  walker->pos = pos;
  return TRUE;
}

gboolean lectern_word_part_is_clitic (const LecternWalker *walker, const LecternWord *word, guint i)
{
  gsize length = word->parts[i].end - word->parts[i].start;
  if (word->n_parts < 2 || length > 2 || g_ascii_isdigit (walker->text[word->parts[i].start]))
    return FALSE;
  if (i == 0)
    return word->parts[1].joiner == '\'' && word->parts[1].end - word->parts[1].start > 2;
  return word->parts[i].joiner == '\'' && i + 1 == word->n_parts;
}

gsize lectern_word_join (const LecternWalker *walker, const LecternWord *word, char out[LECTERN_WORD_MAX_BYTES])
{
  gsize n = 0;
  guint last = word->n_parts;
  if (last > 1 && lectern_word_part_is_clitic (walker, word, last - 1))
    last--;
  if (last < 2)
    return 0;
  for (guint i = 0; i < last; i++) {
    gsize length = word->parts[i].end - word->parts[i].start;
    char joiner = word->parts[i].joiner;
    if (n + length + 1 >= LECTERN_WORD_MAX_BYTES)
      return 0;
    if (i > 0 && (joiner == '.' || joiner == ',') && g_ascii_isdigit (walker->text[word->parts[i - 1].end - 1])
        && g_ascii_isdigit (walker->text[word->parts[i].start]) && !(joiner == ',' && length == 3))
      out[n++] = joiner;
    memcpy (out + n, walker->text + word->parts[i].start, length);
    n += length;
  }
  return n;
}
