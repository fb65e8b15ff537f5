#include "ingest/extract/text/encoding-guess.h"

#include <string.h>

#define LOOK_BYTES 65536
/* Fewer characters of two bytes, or letters beyond ASCII, say too little. */
#define MIN_PAIRS 4
#define MIN_LETTERS 8

/* Japanese in mail: ASCII throughout, with escape sequences before and after each run of characters. */
static gboolean is_iso_2022_jp (const guint8 *bytes, gsize size)
{
  gsize n = 0;
  for (gsize i = 0; i < size; i++) {
    if (bytes[i] >= 0x80)
      return FALSE;
    n += bytes[i] == 0x1B && size - i > 2 && bytes[i + 1] == '$' && (bytes[i + 2] == 'B' || bytes[i + 2] == '@');
  }
  return n > 0;
}

/* ---- characters of two bytes ----------------------------------------------------------------------------- */

/* Shift_JIS: Japanese has kana in every sentence, which stand behind 0x82 and 0x83. */
static gboolean is_shift_jis (const guint8 *bytes, gsize size)
{
  gsize pairs = 0, kana = 0, half_width = 0, wrong = 0;
  for (gsize i = 0; i < size; i++) {
    guint8 lead = bytes[i];
    if (lead < 0x80)
      continue;
    if (lead >= 0xA1 && lead <= 0xDF) {
      half_width++;
      continue;
    }
    if (size - i < 2)
      break;
    guint8 trail = bytes[i + 1];
    if (lead == 0x80 || lead == 0xA0 || lead > 0xFC || trail < 0x40 || trail == 0x7F || trail > 0xFC) {
      wrong++;
      continue;
    }
    pairs++;
    kana += (lead == 0x82 && trail >= 0x9F && trail <= 0xF1) || (lead == 0x83 && trail <= 0x96);
    i++;
  }
  return pairs >= MIN_PAIRS && kana * 5 >= pairs && half_width * 4 <= pairs && wrong * 100 <= pairs;
}

/* EUC: both bytes from 0xA1 on. The Japanese, the Chinese and the Korean set have kana at the same place, which only
 * Japanese uses; Korean syllables end at 0xC8, while Chinese characters go on, sorted by their sound, to 0xD7. */
static const char *guess_euc (const guint8 *bytes, gsize size)
{
  gsize pairs = 0, wrong = 0, kana = 0, signs = 0, syllables = 0, common = 0;
  for (gsize i = 0; i < size; i++) {
    guint8 lead = bytes[i];
    if (lead < 0x80)
      continue;
    if (size - i < 2)
      break;
    guint8 trail = bytes[i + 1];
    if (lead < 0xA1 || lead == 0xFF || trail < 0xA1 || trail == 0xFF) {
      /* In GBK the second byte can be a smaller one: a pair all the same, if a rare one. */
      gboolean rare = lead >= 0x81 && lead <= 0xFE && trail >= 0x40 && trail != 0x7F && trail != 0xFF;
      wrong++;
      i += rare ? 1 : 0;
      continue;
    }
    pairs++;
    kana += lead == 0xA4 || lead == 0xA5;
    signs += lead <= 0xA3;
    syllables += lead >= 0xB0 && lead <= 0xC8;
    common += lead >= 0xB0 && lead <= 0xD7;
    i++;
  }
  gsize characters = pairs - signs;
  if (pairs < MIN_PAIRS || wrong * 50 > pairs || characters == 0)
    return NULL;
  if (kana * 5 >= characters)
    return wrong * 100 <= pairs ? "EUC-JP" : NULL;
  if (syllables * 100 >= characters * 95)
    return "CP949";
  return common * 100 >= characters * 85 ? "GB18030" : NULL;
}

/* Big5: the second byte is a small one in four of ten; nearly all that is written stands behind 0xA4 to 0xC6. In a Latin
 * script, letters beyond ASCII and what follows them can look the same, but do not stand one pair behind the other. */
static gboolean is_big5 (const guint8 *bytes, gsize size)
{
  gsize pairs = 0, wrong = 0, common = 0, adjacent = 0, end = 0;
  for (gsize i = 0; i < size; i++) {
    guint8 lead = bytes[i];
    if (lead < 0x80)
      continue;
    if (size - i < 2)
      break;
    guint8 trail = bytes[i + 1];
    if (lead < 0xA1 || lead > 0xF9 || trail < 0x40 || (trail > 0x7E && trail < 0xA1) || trail == 0xFF) {
      wrong++;
      continue;
    }
    pairs++;
    common += lead <= 0xC6;
    adjacent += pairs > 1 && end == i;
    end = i + 2;
    i++;
  }
  return pairs >= MIN_PAIRS && wrong * 100 <= pairs && common * 100 >= pairs * 95 && adjacent * 2 >= pairs;
}

/* ---- alphabets of one byte ------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *frequent; /* the bytes of the ten small letters written most: two of three in Russian */
  guint8 small[2][2];   /* ranges of small letters, first and last */
  guint8 capital[2];
} Alphabet;

static const Alphabet alphabets[] = {
  { "WINDOWS-1251", "\xEE\xE5\xE0\xE8\xED\xF2\xF1\xF0\xE2\xEB", { { 0xE0, 0xFF } }, { 0xC0, 0xDF } },
  { "KOI8-R", "\xCF\xC5\xC1\xC9\xCE\xD4\xD3\xD2\xD7\xCC", { { 0xC0, 0xDF } }, { 0xE0, 0xFF } },
  { "ISO-8859-5", "\xDE\xD5\xD0\xD8\xDD\xE2\xE1\xE0\xD2\xDB", { { 0xD0, 0xEF } }, { 0xB0, 0xCF } },
  { "IBM866", "\xAE\xA5\xA0\xA8\xAD\xE2\xE1\xE0\xA2\xAB", { { 0xA0, 0xAF }, { 0xE0, 0xEF } }, { 0x80, 0x9F } },
  { "WINDOWS-1253", "\xE1\xEF\xE9\xE5\xF4\xF3\xED\xE7\xF5\xF1", { { 0xDC, 0xFE } }, { 0xC1, 0xD9 } },
  { "WINDOWS-1255", "\xE9\xE5\xE4\xEC\xE0\xF8\xFA\xEE\xE1\xF9", { { 0xE0, 0xFA } }, { 0xFF, 0xFF } },
};

/* How many letters of a thousand are frequent ones; a capital behind a small letter counts against it. */
static int rate_alphabet (const Alphabet *alphabet, const guint8 *bytes, gsize size)
{
  gint64 letters = 0, frequent = 0;
  gboolean after_small = FALSE;
  for (gsize i = 0; i < size; i++) {
    guint8 c = bytes[i];
    gboolean small = FALSE;
    for (guint r = 0; r < 2; r++)
      small |= alphabet->small[r][0] && c >= alphabet->small[r][0] && c <= alphabet->small[r][1];
    gboolean capital = c >= alphabet->capital[0] && c <= alphabet->capital[1];
    letters += c >= 0x80;
    if (small && strchr (alphabet->frequent, c))
      frequent++;
    if (capital && after_small)
      frequent -= 2;
    after_small = small;
  }
  return letters ? (int)(MAX (frequent, 0) * 1000 / letters) : 0;
}

/* Whether words are written in bytes beyond ASCII from end to end. In Latin scripts they are single letters in a word. */
static gboolean has_foreign_words (const guint8 *bytes, gsize size)
{
  gsize all = 0, in_words = 0, high = 0;
  gboolean mixed = FALSE;
  for (gsize i = 0; i <= size; i++) {
    guint8 c = i < size ? bytes[i] : ' ';
    if (c >= 0x80) {
      high++;
    } else if (g_ascii_isalpha (c)) {
      mixed = TRUE;
    } else {
      all += high;
      in_words += !mixed && high >= 3 ? high : 0;
      high = 0;
      mixed = FALSE;
    }
  }
  return all >= MIN_LETTERS && in_words * 10 >= all * 7;
}

static const char *guess_alphabet (const guint8 *bytes, gsize size)
{
  int best = 0, second = 0;
  const char *name = NULL;
  if (!has_foreign_words (bytes, size))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (alphabets); i++) {
    int rating = rate_alphabet (&alphabets[i], bytes, size);
    if (rating > best) {
      second = best;
      best = rating;
      name = alphabets[i].name;
    } else {
      second = MAX (second, rating);
    }
  }
  if (best < 420 || best - second < 100)
    return NULL;
  /* Four Ukrainian letters stand where the Russian code has parts of boxes. */
  if (strcmp (name, "KOI8-R") == 0 && (memchr (bytes, 0xA6, size) || memchr (bytes, 0xA7, size)))
    return "KOI8-U";
  return name;
}

const char *encoding_guess (const guint8 *bytes, gsize size)
{
  size = MIN (size, LOOK_BYTES);
  if (is_iso_2022_jp (bytes, size))
    return "ISO-2022-JP";
  if (is_shift_jis (bytes, size))
    return "CP932";
  const char *name = guess_euc (bytes, size);
  if (!name && is_big5 (bytes, size))
    name = "BIG5-HKSCS";
  return name ? name : guess_alphabet (bytes, size);
}
