#include "retrieval/text/terms.h"
#include "retrieval/text/stopwords.h"

#include <libstemmer.h>
#include <string.h>

struct _LecternTermer {
  char *language;
  struct sb_stemmer *stemmer; /* NULL: none for the language */
  GHashTable *ids;            /* term to id + 1 */
  GPtrArray *terms;           /* by id; the table owns them */
  GHashTable *seen;           /* word as written in lower case to Entry: stems each word once */
};

typedef struct {
  guint32 id, flags;
} Entry;

LecternTermer *lectern_termer_new (const char *language)
{
  LecternTermer *termer = g_new0 (LecternTermer, 1);
  termer->language = g_strdup (language);
  termer->stemmer = language ? sb_stemmer_new (language, "UTF_8") : NULL;
  termer->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  termer->terms = g_ptr_array_new ();
  termer->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return termer;
}

void lectern_termer_free (LecternTermer *termer)
{
  if (!termer)
    return;
  if (termer->stemmer)
    sb_stemmer_delete (termer->stemmer);
  g_hash_table_destroy (termer->seen);
  g_ptr_array_unref (termer->terms);
  g_hash_table_destroy (termer->ids);
  g_free (termer->language);
  g_free (termer);
}

guint lectern_termer_get_n_terms (LecternTermer *termer)
{
  return termer->terms->len;
}

const char *lectern_termer_get_term (LecternTermer *termer, guint id)
{
  return g_ptr_array_index (termer->terms, id);
}

static guint32 intern (LecternTermer *termer, const char *term)
{
  gpointer found = g_hash_table_lookup (termer->ids, term);
  if (found)
    return GPOINTER_TO_UINT (found) - 1;
  char *copy = g_strdup (term);
  g_ptr_array_add (termer->terms, copy);
  g_hash_table_insert (termer->ids, copy, GUINT_TO_POINTER (termer->terms->len));
  return termer->terms->len - 1;
}

/* Lower case without the combining marks of European scripts (marks of Indic scripts are vowels and stay). */
static char *fold (const char *word)
{
  gboolean ascii = TRUE;
  for (const char *p = word; *p && ascii; p++)
    ascii = (guchar)*p < 0x80;
  if (ascii)
    return g_ascii_strdown (word, -1);
  g_autofree char *lower = g_utf8_casefold (word, -1);
  g_autofree char *decomposed = g_utf8_normalize (lower, -1, G_NORMALIZE_ALL);
  GString *out = g_string_sized_new (strlen (lower));
  for (const char *p = decomposed; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (c == 0x131) /* dotless i, so that it meets the folded I */
      c = 'i';
    if (c < 0x300 || c > 0x36f)
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

/* "1,000" means 1000: a comma before exactly three digits goes. */
static void squeeze_number (char *word)
{
  char *out = word;
  for (char *p = word; *p; p++) {
    gboolean thousands = *p == ',' && p > word && g_ascii_isdigit (p[-1]) && g_ascii_isdigit (p[1])
                         && g_ascii_isdigit (p[2]) && g_ascii_isdigit (p[3]) && !g_ascii_isdigit (p[4]);
    if (!thousands)
      *out++ = *p;
  }
  *out = 0;
}

static const Entry *make_entry (LecternTermer *termer, const char *lower)
{
  const Entry *found = g_hash_table_lookup (termer->seen, lower);
  if (found)
    return found;
  Entry entry = { 0 };
  gboolean digit = FALSE;
  for (const char *p = lower; *p; p++)
    digit |= g_ascii_isdigit (*p);
  g_autofree char *term = NULL;
  if (digit) {
    term = fold (lower);
    squeeze_number (term);
    entry.flags = LECTERN_TERM_NUMBER;
  } else {
    const char *stem = lower;
    if (termer->stemmer) {
      const sb_symbol *out = sb_stemmer_stem (termer->stemmer, (const sb_symbol *)lower, (int)strlen (lower));
      if (out)
        stem = (const char *)out;
    }
    term = fold (stem);
    gunichar first = g_utf8_get_char (lower);
    gboolean lone = !*g_utf8_next_char (lower) && (g_unichar_islower (first) || g_unichar_isupper (first));
    if (lone || lectern_stopword (termer->language, lower))
      entry.flags = LECTERN_TERM_STOP;
  }
  entry.id = intern (termer, term);
  Entry *copy = g_memdup2 (&entry, sizeof entry);
  g_hash_table_insert (termer->seen, g_strdup (lower), copy);
  return copy;
}

/* ---- words ----------------------------------------------------------------------------------------------- */

enum { MAX_WORD_BYTES = 120 };

typedef enum { CLASS_NONE, CLASS_WORD, CLASS_WIDE } Class;

static Class class_of (gunichar c)
{
  if (c < 0x80)
    return g_ascii_isalnum (c) ? CLASS_WORD : CLASS_NONE;
  /* Thai, Lao and Khmer have no spaces either. */
  if ((c >= 0x3005 && c <= 0x3007) || (c >= 0x3041 && c <= 0x30fe && c != 0x30fb) || (c >= 0x3400 && c <= 0x9fff)
      || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3134f) || (c >= 0xff66 && c <= 0xff9f)
      || (c >= 0x0e01 && c <= 0x0eff && c != 0x0e3f) || (c >= 0x1780 && c <= 0x17d3))
    return CLASS_WIDE;
  return g_unichar_isalnum (c) || g_unichar_ismark (c) ? CLASS_WORD : CLASS_NONE;
}

typedef struct {
  const char *text, *p, *end;
} Cursor;

/* The character at `at` and its length; 0 at the end and for invalid bytes. */
static gunichar peek (const Cursor *cursor, const char *at, gsize *length)
{
  *length = 1;
  if (at >= cursor->end)
    return 0;
  guchar byte = (guchar)*at;
  if (byte < 0x80)
    return byte;
  gunichar c = g_utf8_get_char_validated (at, cursor->end - at);
  if (c == (gunichar)-1 || c == (gunichar)-2)
    return 0;
  *length = g_utf8_skip[byte];
  return c;
}

/* Whether a number goes on over the mark at `at` ("3.5", "1,000", "10:30", "1/2"). */
static gboolean joins_digits (const Cursor *cursor, const char *at)
{
  return at > cursor->text && at + 1 < cursor->end && strchr (".,:/", *at) && g_ascii_isdigit (at[-1])
         && g_ascii_isdigit (at[1]);
}

static void emit (LecternTermer *termer, const Cursor *cursor, const char *start, const char *end, guint32 extra,
                  GArray *terms)
{
  gsize n = (gsize)(end - start);
  if (n > MAX_WORD_BYTES) {
    n = MAX_WORD_BYTES;
    while (n && ((guchar)start[n] & 0xc0) == 0x80)
      n--;
  }
  char buffer[MAX_WORD_BYTES + 1];
  gboolean ascii = TRUE;
  for (gsize i = 0; i < n; i++) {
    buffer[i] = g_ascii_tolower (start[i]);
    ascii &= (guchar)start[i] < 0x80;
  }
  buffer[n] = 0;
  const Entry *entry;
  if (ascii) {
    entry = make_entry (termer, buffer);
  } else {
    g_autofree char *composed = g_utf8_normalize (buffer, -1, G_NORMALIZE_ALL_COMPOSE);
    g_autofree char *lower = g_utf8_strdown (composed ? composed : buffer, -1);
    entry = make_entry (termer, lower);
  }
  LecternTerm term
      = { entry->id, (guint32)(start - cursor->text), (guint32)(end - cursor->text), entry->flags | extra };
  if (term.flags & (LECTERN_TERM_STOP | LECTERN_TERM_NUMBER))
    term.flags &= ~(guint32)LECTERN_TERM_NAME;
  g_array_append_val (terms, term);
}

static void read_wide (LecternTermer *termer, Cursor *cursor, GArray *terms)
{
  const char *previous = NULL, *here = cursor->p;
  gsize length;
  guint n = 0;
  while (class_of (peek (cursor, here, &length)) == CLASS_WIDE) {
    if (previous)
      emit (termer, cursor, previous, here + length, 0, terms);
    previous = here;
    here += length;
    n++;
  }
  if (n == 1)
    emit (termer, cursor, cursor->p, here, 0, terms);
  cursor->p = here;
}

/* Whether the last mark before `start` (spaces, quotes and brackets apart) ends a sentence or a cell. */
static gboolean begins_sentence (const Cursor *cursor, const char *start)
{
  const char *p = start;
  while (p > cursor->text && start - p < 8 && strchr (" \t\"'([*", p[-1]))
    p--;
  if (p == cursor->text || strchr (".!?:;\n|", p[-1]))
    return TRUE;
  const char *last = p - 1;
  while (last > cursor->text && p - last < 4 && ((guchar)*last & 0xc0) == 0x80)
    last--;
  gsize length;
  gunichar c = peek (cursor, last, &length);
  return c >= 0x80 && class_of (c) == CLASS_NONE;
}

static void read_word (LecternTermer *termer, Cursor *cursor, GArray *terms)
{
  const char *start = cursor->p, *here = start;
  gsize length;
  gunichar first = peek (cursor, start, &length);
  gboolean upper = g_unichar_isupper (first), all_upper = upper;
  guint n = 0;
  for (;;) {
    gunichar c = peek (cursor, here, &length);
    if (class_of (c) == CLASS_WORD) {
      all_upper &= !g_unichar_islower (c);
      here += length;
      n++;
    } else if (c && c < 0x80 && joins_digits (cursor, here)) {
      here += 1;
    } else {
      break;
    }
  }
  guint32 extra = upper && ((all_upper && n > 1) || !begins_sentence (cursor, start)) ? LECTERN_TERM_NAME : 0;
  emit (termer, cursor, start, here, extra, terms);
  cursor->p = here;
}

void lectern_termer_add (LecternTermer *termer, const char *text, gssize length, GArray *terms)
{
  Cursor cursor = { text, text, text + (length < 0 ? strlen (text) : (gsize)length) };
  while (cursor.p < cursor.end) {
    gsize n;
    switch (class_of (peek (&cursor, cursor.p, &n))) {
    case CLASS_WORD: read_word (termer, &cursor, terms); break;
    case CLASS_WIDE: read_wide (termer, &cursor, terms); break;
    case CLASS_NONE: cursor.p += n; break;
    }
  }
}
