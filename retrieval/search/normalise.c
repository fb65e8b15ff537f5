#include "retrieval/search/normalise.h"

#include <libstemmer.h>
#include <string.h>

#include "retrieval/search/words.h"

enum { CACHE_SLOTS = 4096, CACHE_KEY_BYTES = 22, CACHE_TOKEN_BYTES = 22 };

typedef enum { LATIN, CYRILLIC, GREEK, ARABIC, ARMENIAN, DEVANAGARI, TAMIL, HEBREW, OTHER } Script;

/* The first language of a script is the one that its words get in a text of another script. */
static const struct {
  char tag[4];
  Script script;
  const char *algorithm;
} languages[] = {
  { "en", LATIN, "english" },     { "de", LATIN, "german" },      { "fr", LATIN, "french" },
  { "es", LATIN, "spanish" },     { "it", LATIN, "italian" },     { "pt", LATIN, "portuguese" },
  { "nl", LATIN, "dutch" },       { "sv", LATIN, "swedish" },     { "ru", CYRILLIC, "russian" },
  { "da", LATIN, "danish" },      { "no", LATIN, "norwegian" },   { "nb", LATIN, "norwegian" },
  { "nn", LATIN, "norwegian" },   { "fi", LATIN, "finnish" },     { "hu", LATIN, "hungarian" },
  { "ro", LATIN, "romanian" },    { "tr", LATIN, "turkish" },     { "ca", LATIN, "catalan" },
  { "eu", LATIN, "basque" },      { "ga", LATIN, "irish" },       { "id", LATIN, "indonesian" },
  { "lt", LATIN, "lithuanian" },  { "sr", LATIN, "serbian" },     { "ar", ARABIC, "arabic" },
  { "el", GREEK, "greek" },       { "hy", ARMENIAN, "armenian" }, { "hi", DEVANAGARI, "hindi" },
  { "ne", DEVANAGARI, "nepali" }, { "ta", TAMIL, "tamil" },       { "yi", HEBREW, "yiddish" },
};

typedef struct {
  guint32 hash; /* 0: empty */
  guint8 language, key_length, n;
  guint8 lengths[2];
  char key[CACHE_KEY_BYTES];
  char tokens[2][CACHE_TOKEN_BYTES];
} CacheSlot;

struct _LecternNormaliser {
  struct sb_stemmer *stemmers[G_N_ELEMENTS (languages)];
  CacheSlot *cache;
};

LecternNormaliser *lectern_normaliser_new (void)
{
  LecternNormaliser *normaliser = g_new0 (LecternNormaliser, 1);
  normaliser->cache = g_new0 (CacheSlot, CACHE_SLOTS);
  return normaliser;
}

void lectern_normaliser_free (LecternNormaliser *normaliser)
{
  if (!normaliser)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++)
    if (normaliser->stemmers[i])
      sb_stemmer_delete (normaliser->stemmers[i]);
  g_free (normaliser->cache);
  g_free (normaliser);
}

int lectern_normaliser_find_language (const char *tag, gssize length)
{
  gsize n = length < 0 ? strlen (tag) : (gsize)length;
  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++)
    if (strlen (languages[i].tag) == n && !memcmp (languages[i].tag, tag, n))
      return (int)i;
  return (int)G_N_ELEMENTS (languages);
}

static Script script_of (gunichar c)
{
  switch (g_unichar_get_script (c)) {
  case G_UNICODE_SCRIPT_LATIN: return LATIN;
  case G_UNICODE_SCRIPT_CYRILLIC: return CYRILLIC;
  case G_UNICODE_SCRIPT_GREEK: return GREEK;
  case G_UNICODE_SCRIPT_ARABIC: return ARABIC;
  case G_UNICODE_SCRIPT_ARMENIAN: return ARMENIAN;
  case G_UNICODE_SCRIPT_DEVANAGARI: return DEVANAGARI;
  case G_UNICODE_SCRIPT_TAMIL: return TAMIL;
  case G_UNICODE_SCRIPT_HEBREW: return HEBREW;
  default: return OTHER;
  }
}

/* Letters that Unicode does not decompose but people type without their mark. */
static const char *fold_letter (gunichar c)
{
  switch (c) {
  case 0x00DF: return "ss";
  case 0x00E6: return "ae";
  case 0x00F8: return "o";
  case 0x0111: return "d";
  case 0x00F0: return "d";
  case 0x00FE: return "th";
  case 0x0127: return "h";
  case 0x0131: return "i";
  case 0x0142: return "l";
  case 0x0153: return "oe";
  case 0x0167: return "t";
  default: return NULL;
  }
}

/* Marks that only colour a letter; vowel signs of Indic scripts are letters of their own. */
static gboolean is_diacritic (gunichar c)
{
  return (c >= 0x0300 && c <= 0x036F) || (c >= 0x0591 && c <= 0x05C7) || (c >= 0x064B && c <= 0x065F) || c == 0x0640
         || c == 0x0670;
}

/* Appends while it fits: long "words" (base64, rules of dashes) are cut at a character. */
static void append_char (char *out, gsize *n, gunichar c)
{
  if (*n + 6 < LECTERN_WORD_MAX_BYTES)
    *n += (gsize)g_unichar_to_utf8 (c, out + *n);
}

static gsize fold (const char *in, gsize length, char out[LECTERN_WORD_MAX_BYTES])
{
  gsize n = 0;
  for (const char *p = in; p < in + length;) {
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    gunichar c = g_utf8_get_char_validated (p, (gssize)(in + length - p));
    if (c == (gunichar)-1 || c == (gunichar)-2)
      break;
    p = g_utf8_next_char (p);
    const char *plain = c < 0x80 ? NULL : fold_letter (c);
    if (c < 0x80) {
      append_char (out, &n, c);
      continue;
    }
    if (plain) {
      for (; *plain; plain++)
        append_char (out, &n, (guchar)*plain);
      continue;
    }
    gsize n_parts = g_unichar_fully_decompose (c, FALSE, parts, G_N_ELEMENTS (parts));
    /* Hangul syllables decompose into jamo: those are not marks. */
    gboolean hangul = c >= 0xAC00 && c <= 0xD7A3;
    if (hangul) {
      append_char (out, &n, c);
      continue;
    }
    for (gsize i = 0; i < n_parts; i++)
      if (!is_diacritic (parts[i]))
        append_char (out, &n, parts[i]);
  }
  return n;
}

/* Compatibility forms, case and invisible characters; *script is that of the first letter. */
static gsize lower (const char *in, gsize length, int language, char out[LECTERN_WORD_MAX_BYTES], Script *script,
                    gboolean *has_digit)
{
  gboolean turkish = language < (int)G_N_ELEMENTS (languages) && !strcmp (languages[language].tag, "tr");
  g_autofree char *normal = g_utf8_normalize (in, (gssize)length, G_NORMALIZE_ALL_COMPOSE);
  gsize n = 0;
  *script = OTHER;
  for (const char *p = normal ? normal : ""; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (c == 0x00AD || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF || c == 0x0640)
      continue;
    if (turkish && c == 'I')
      c = 0x0131;
    else if (c == 0x0130)
      c = 'i';
    else
      c = g_unichar_tolower (c);
    if (*script == OTHER)
      *script = script_of (c);
    *has_digit |= g_unichar_isdigit (c);
    append_char (out, &n, c);
  }
  return n;
}

static gsize lower_ascii (const char *in, gsize length, int language, char out[LECTERN_WORD_MAX_BYTES],
                          gboolean *has_digit, gboolean *plain)
{
  length = MIN (length, LECTERN_WORD_MAX_BYTES - 1);
  for (gsize i = 0; i < length; i++) {
    if ((guchar)in[i] >= 0x80) {
      *plain = FALSE;
      return 0;
    }
    *has_digit |= !g_ascii_isalpha (in[i]);
    out[i] = g_ascii_tolower (in[i]);
  }
  *plain = TRUE;
  return length;
}

static gsize stem (LecternNormaliser *normaliser, int language, Script script, const char *in, gsize length,
                   char out[LECTERN_WORD_MAX_BYTES])
{
  gsize i = (gsize)language;
  if (i >= G_N_ELEMENTS (languages) || languages[i].script != script)
    for (i = 0; i < G_N_ELEMENTS (languages) && languages[i].script != script;)
      i++;
  if (i < G_N_ELEMENTS (languages) && length > 2) {
    if (!normaliser->stemmers[i])
      normaliser->stemmers[i] = sb_stemmer_new (languages[i].algorithm, "UTF_8");
    const sb_symbol *stemmed = normaliser->stemmers[i]
                                   ? sb_stemmer_stem (normaliser->stemmers[i], (const sb_symbol *)in, (int)length)
                                   : NULL;
    if (stemmed) {
      gsize n = MIN ((gsize)sb_stemmer_length (normaliser->stemmers[i]), LECTERN_WORD_MAX_BYTES - 1);
      if (n > 0) {
        memcpy (out, stemmed, n);
        return n;
      }
    }
  }
  memcpy (out, in, length);
  return length;
}

static void add_token (LecternTokens *tokens, const char *bytes, gsize length)
{
  if (length >= LECTERN_TOKEN_MAX_BYTES)
    for (length = LECTERN_TOKEN_MAX_BYTES - 1; length > 0 && ((guchar)bytes[length] & 0xC0) == 0x80;)
      length--;
  if (length == 0
      || (tokens->n == 1 && tokens->tokens[0].length == length && !memcmp (tokens->tokens[0].bytes, bytes, length)))
    return;
  memcpy (tokens->tokens[tokens->n].bytes, bytes, length);
  tokens->tokens[tokens->n++].length = (guint)length;
}

static void normalise (LecternNormaliser *normaliser, int language, const char *word, gsize length,
                       LecternTokens *tokens)
{
  char lowered[LECTERN_WORD_MAX_BYTES], stemmed[LECTERN_WORD_MAX_BYTES], folded[LECTERN_WORD_MAX_BYTES];
  gboolean has_digit = FALSE, plain;
  Script script = LATIN;
  gboolean turkish = language < (int)G_N_ELEMENTS (languages) && !strcmp (languages[language].tag, "tr");
  gsize n = lower_ascii (word, length, language, lowered, &has_digit, &plain), m;
  tokens->n = 0;
  if (!plain || (turkish && memchr (word, 'I', length))) {
    has_digit = FALSE;
    plain = FALSE;
    n = lower (word, length, language, lowered, &script, &has_digit);
  }
  if (has_digit) {
    m = fold (lowered, n, folded);
    add_token (tokens, folded, m);
    return;
  }
  m = stem (normaliser, language, script, lowered, n, stemmed);
  if (plain) {
    add_token (tokens, stemmed, m);
    return;
  }
  m = fold (stemmed, m, folded);
  add_token (tokens, folded, m);
  m = fold (lowered, n, folded);
  m = stem (normaliser, language, script, folded, m, stemmed);
  m = fold (stemmed, m, folded);
  add_token (tokens, folded, m);
}

static guint32 hash_key (int language, const char *word, gsize length)
{
  guint32 hash = 2166136261u ^ (guint32)language;
  for (gsize i = 0; i < length; i++)
    hash = (hash ^ (guchar)word[i]) * 16777619u;
  hash ^= hash >> 15;
  return hash ? hash : 1;
}

void lectern_normalise (LecternNormaliser *normaliser, int language, const char *word, gsize length,
                        LecternTokens *tokens)
{
  length = MIN (length, LECTERN_WORD_MAX_BYTES);
  if (length > CACHE_KEY_BYTES) {
    normalise (normaliser, language, word, length, tokens);
    return;
  }
  guint32 hash = hash_key (language, word, length);
  CacheSlot *slot = &normaliser->cache[hash % CACHE_SLOTS];
  if (slot->hash == hash && slot->language == language && slot->key_length == length
      && !memcmp (slot->key, word, length)) {
    tokens->n = slot->n;
    for (guint i = 0; i < slot->n; i++) {
      tokens->tokens[i].length = slot->lengths[i];
      memcpy (tokens->tokens[i].bytes, slot->tokens[i], slot->lengths[i]);
    }
    return;
  }
  normalise (normaliser, language, word, length, tokens);
  for (guint i = 0; i < tokens->n; i++)
    if (tokens->tokens[i].length > CACHE_TOKEN_BYTES)
      return;
  slot->hash = hash;
  slot->language = (guint8)language;
  slot->key_length = (guint8)length;
  slot->n = (guint8)tokens->n;
  memcpy (slot->key, word, length);
  for (guint i = 0; i < tokens->n; i++) {
    slot->lengths[i] = (guint8)tokens->tokens[i].length;
    memcpy (slot->tokens[i], tokens->tokens[i].bytes, tokens->tokens[i].length);
  }
}
