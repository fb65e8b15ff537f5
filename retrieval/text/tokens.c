#include "retrieval/retrieval.h"

#include <string.h>

/* Costs in 1/64 token, fitted to two byte-level BPE vocabularies of 150 000 and 128 000 tokens: within 10 % on English, Chinese,
 * Russian and Arabic text, 15 to 25 % too few on German, Spanish and Turkish. Words of one piece are the rule up to six letters;
 * what is longer splits every five or so. */
enum {
  UNIT = 64,
  CJK_COST = 51,
  OTHER_COST = 27,
  DIGIT_COST = 38,
  PUNCTUATION_COST = 50,
  ACCENT_COST = 40,
  RUN_FREE = 6,
  RUN_COST = 14
};

typedef enum { KIND_SPACE, KIND_LETTER, KIND_DIGIT, KIND_MARK, KIND_WIDE, KIND_OTHER } Kind;

static Kind kind_of (gunichar c)
{
  if (c < 0x80) {
    if (g_ascii_isalpha (c))
      return KIND_LETTER;
    return g_ascii_isdigit (c) ? KIND_DIGIT : c <= ' ' || c == 0x7f ? KIND_SPACE : KIND_MARK;
  }
  if (c < 0x250)
    return c < 0xc0 ? (c == 0xa0 ? KIND_SPACE : KIND_MARK) : KIND_LETTER;
  if ((c >= 0x2e80 && c < 0xd7b0) || (c >= 0xf900 && c < 0xfb00) || (c >= 0x20000 && c < 0x32000))
    return KIND_WIDE;
  if (c >= 0x2000 && c < 0x2e80)
    return g_unichar_isspace (c) ? KIND_SPACE : KIND_MARK;
  return KIND_OTHER;
}

guint lectern_count_tokens (const char *text, gssize length)
{
  const char *p = text, *end = text + (length < 0 ? strlen (text) : (gsize)length);
  guint64 cost = 0;
  guint run = 0, same = 0; /* letters so far in this word; repeats of one mark */
  gunichar last = 0;
  while (p < end) {
    guchar byte = (guchar)*p;
    gunichar c = byte < 0x80 ? byte : g_utf8_get_char_validated (p, end - p);
    gboolean broken = c == (gunichar)-1 || c == (gunichar)-2;
    p += broken ? 1 : g_utf8_skip[byte];
    if (broken)
      c = 0xfffd;
    Kind kind = kind_of (c);
    same = c == last ? same + 1 : 0;
    last = c;
    if (kind != KIND_LETTER)
      run = 0;
    switch (kind) {
    case KIND_SPACE: cost += c == '\n' ? UNIT / 2 : 0; break;
    case KIND_LETTER:
      run++;
      cost += run == 1 ? UNIT : run > RUN_FREE ? RUN_COST : 0;
      /* Accented letters break the pieces that vocabularies know. */
      cost += c >= 0x80 ? ACCENT_COST : 0;
      break;
    case KIND_DIGIT: cost += DIGIT_COST; break;
    case KIND_MARK: cost += same == 0 ? PUNCTUATION_COST : PUNCTUATION_COST / 6; break;
    case KIND_WIDE: cost += CJK_COST; break;
    case KIND_OTHER: cost += OTHER_COST; break;
    }
  }
  return (guint)MIN ((cost + UNIT - 1) / UNIT, G_MAXUINT);
}
