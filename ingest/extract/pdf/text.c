#include "ingest/extract/pdf/document.h"

#include <string.h>

LecternBlock *pdf_block_new (LecternBlockKind kind, int level, int page)
{
  LecternBlock *block = g_new0 (LecternBlock, 1);
  block->kind = kind;
  block->level = level;
  block->page = page;
  block->text = g_strdup ("");
  block->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  return block;
}

/* The word around `at` in lower case, without what is no letter, digit, hyphen or apostrophe at its ends. */
static char *bare_word (const char *word, gsize length)
{
  g_autofree char *lower = g_utf8_strdown (word, (gssize)length);
  char *start = lower, *end = lower + strlen (lower);
  while (*start && !g_unichar_isalnum (g_utf8_get_char (start)))
    start = g_utf8_next_char (start);
  while (end > start) {
    char *before = g_utf8_find_prev_char (start, end);
    if (!before || g_unichar_isalnum (g_utf8_get_char (before)))
      break;
    end = before;
  }
  return g_strndup (start, (gsize)(end - start));
}

void pdf_collect_words (GHashTable *lexicon, const PdfPage *page)
{
  for (guint i = 0; i < page->lines->len; i++) {
    const PdfLine *line = PDF_LINE (page, i);
    for (guint j = 0; j < line->n; j++) {
      const PdfWord *word = PDF_WORD (page, line->first + j);
      const char *text = page->text->str + word->start;
      /* The first and last word of a line may be halves. */
      if (word->length < 4 || word->length > 40 || (j == line->n - 1 && text[word->length - 1] == '-'))
        continue;
      if (j == 0 && i > 0)
        continue;
      char *bare = bare_word (text, word->length);
      if (strlen (bare) < 4 || g_hash_table_size (lexicon) > 200000)
        g_free (bare);
      else
        g_hash_table_add (lexicon, bare);
    }
  }
}

/* Prefixes that are written with a hyphen more often than not. */
static gboolean keeps_hyphen (const char *left)
{
  static const char *const prefixes[] = { "self", "non",  "well",  "high", "low", "so",    "two", "three",
                                          "four", "long", "short", "real", "one", "cross", "all", "half" };
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (strcmp (left, prefixes[i]) == 0)
      return TRUE;
  return FALSE;
}

typedef enum { JOIN_BLANK, JOIN_KEEP, JOIN_DISSOLVE } Join;

/* How the end of `text` and the word that follows it on the next line belong together. */
static Join join_of (const PdfDocument *document, const char *text, const char *next, gsize next_length)
{
  gsize length = strlen (text);
  if (length < 2 || text[length - 1] != '-')
    return JOIN_BLANK;
  const char *before = g_utf8_find_prev_char (text, text + length - 1);
  gunichar last = before ? g_utf8_get_char (before) : ' ', first = g_utf8_get_char (next);
  if (!g_unichar_isalnum (last))
    return JOIN_BLANK;
  if (!g_unichar_islower (first))
    return g_unichar_isalnum (first) ? JOIN_KEEP : JOIN_BLANK;
  if (!g_unichar_isalpha (last))
    return JOIN_KEEP;
  const char *start = text + length - 1;
  while (start > text && start[-1] != ' ')
    start--;
  g_autofree char *left = bare_word (start, (gsize)(text + length - 1 - start));
  g_autofree char *right = bare_word (next, next_length);
  g_autofree char *whole = g_strconcat (left, right, NULL);
  g_autofree char *hyphened = g_strconcat (left, "-", right, NULL);
  if (g_hash_table_contains (document->lexicon, whole))
    return JOIN_DISSOLVE;
  if (g_hash_table_contains (document->lexicon, hyphened) || keeps_hyphen (left) || strchr (left, '-'))
    return JOIN_KEEP;
  return JOIN_DISSOLVE;
}

void pdf_block_append_text (LecternBlock *block, const char *text)
{
  char *joined = g_strconcat (block->text, text, NULL);
  g_free (block->text);
  block->text = joined;
}

/* Whether word i of the line belongs to a run of at least four dots, as between a title and its page number. */
static gboolean is_leader (const PdfPage *page, const PdfLine *line, guint i)
{
  guint dots = 0;
  for (int step = -1; step <= 1; step += 2)
    for (gint64 j = step < 0 ? (gint64)i : (gint64)i + 1; j >= 0 && j < line->n && dots < 4; j += step) {
      const PdfWord *word = PDF_WORD (page, line->first + (guint)j);
      if (strspn (page->text->str + word->start, ".") < word->length)
        break;
      dots += word->length;
    }
  return dots >= 4 && page->text->str[PDF_WORD (page, line->first + i)->start] == '.'
         && strspn (page->text->str + PDF_WORD (page, line->first + i)->start, ".")
                >= PDF_WORD (page, line->first + i)->length;
}

gboolean pdf_line_has_leader (const PdfPage *page, const PdfLine *line)
{
  for (guint i = 0; i < line->n; i++)
    if (is_leader (page, line, i))
      return TRUE;
  return FALSE;
}

void pdf_block_append_line (LecternBlock *block, const PdfDocument *document, const PdfPage *page, const PdfLine *line,
                            gboolean after_soft_hyphen)
{
  GString *text = g_string_new (block->text);
  for (guint i = 0; i < line->n; i++) {
    const PdfWord *word = PDF_WORD (page, line->first + i);
    const char *bytes = page->text->str + word->start;
    /* The dots between a title and its page number say nothing. */
    if (is_leader (page, line, i))
      continue;
    if (text->len > 0 && text->str[text->len - 1] != '\n' && !(i == 0 && after_soft_hyphen)) {
      Join join = i == 0 ? join_of (document, text->str, bytes, word->length) : JOIN_BLANK;
      if (join == JOIN_DISSOLVE) {
        g_string_truncate (text, text->len - 1);
        LecternSpan *last
            = block->spans->len ? &g_array_index (block->spans, LecternSpan, block->spans->len - 1) : NULL;
        if (last && last->start + last->length > text->len)
          last->length = (guint32)text->len - last->start;
        if (last && last->length == 0)
          g_array_set_size (block->spans, block->spans->len - 1);
      } else if (join == JOIN_BLANK && text->str[text->len - 1] != ' ')
        g_string_append_c (text, ' ');
    }
    LecternSpan span = { (guint32)text->len,
                         word->length,
                         { page->number, word->shown.x0, word->shown.y0, word->shown.x1 - word->shown.x0,
                           word->shown.y1 - word->shown.y0 } };
    g_string_append_len (text, bytes, word->length);
    g_array_append_val (block->spans, span);
  }
  g_free (block->text);
  block->text = g_string_free (text, FALSE);
}

char *pdf_text_key (const char *text)
{
  GString *key = g_string_new (NULL);
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (g_unichar_isalnum (c))
      g_string_append_unichar (key, g_unichar_tolower (c));
  }
  return g_string_free (key, FALSE);
}
