/* contents.c: finds tables of contents. Their lines never become headings; those that repeat a heading of the body
 * or of the outline are left out, since the heading itself is read. */
#include "ingest/extract/pdf/document.h"

#include <string.h>

#define MAX_ENTRY_BYTES 300u

typedef struct {
  guint first, end; /* fragments */
  gboolean leader, number, title;
} Row;

static gboolean is_page_label (const char *text, gsize length)
{
  return length > 0 && length <= 6
         && (strspn (text, "0123456789") >= length || strspn (text, "ivxlc") >= length
             || (g_ascii_isalpha (text[0]) && text[1] == '-' && length > 2
                 && strspn (text + 2, "0123456789") >= length - 2));
}

static const PdfWord *last_word (const PdfPage *page, const PdfLine *line)
{
  return PDF_WORD (page, line->first + line->n - 1);
}

/* Whether the row ends in a page number that stands by itself. */
static gboolean ends_in_number (const PdfPage *page, const Row *row)
{
  const PdfLine *line = PDF_LINE (page, row->end - 1);
  const PdfWord *word = last_word (page, line);
  return is_page_label (page->text->str + word->start, word->length)
         && (row->leader || (line->n == 1 && row->end - row->first > 1));
}

static gboolean is_title (const char *key)
{
  static const char *const titles[] = { "contents",      "tableofcontents",  "inhalt",        "inhaltsverzeichnis",
                                        "sommaire",      "tabledesmatières", "índice",        "contenido",
                                        "conteúdo",      "sumário",          "indice",        "inhoud",
                                        "innehåll",      "indhold",          "innhold",       "sisällys",
                                        "spistreści",    "briefcontents",    "содержание",    "оглавление",
                                        "shortcontents", "summarycontents",  "listoffigures", "listoftables" };
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    if (strcmp (key, titles[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Letters and digits of the words of a row, without its leaders and page number. */
static char *row_key (const PdfPage *page, const Row *row, gboolean without_number)
{
  GString *text = g_string_new (NULL);
  for (guint i = row->first; i < row->end; i++) {
    const PdfLine *line = PDF_LINE (page, i);
    guint n = line->n - (without_number && row->number && i + 1 == row->end);
    for (guint j = 0; j < n && text->len < MAX_ENTRY_BYTES; j++) {
      const PdfWord *word = PDF_WORD (page, line->first + j);
      g_string_append_len (text, page->text->str + word->start, word->length);
    }
  }
  char *key = pdf_text_key (text->str);
  g_string_free (text, TRUE);
  return key;
}

static GArray *collect_rows (const PdfPage *page)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  for (guint i = 0; i < page->lines->len;) {
    Row row = { .first = i, .end = pdf_row_end (page, i) };
    for (; i < row.end; i++)
      row.leader |= pdf_line_has_leader (page, PDF_LINE (page, i));
    row.number = ends_in_number (page, &row);
    if (!PDF_LINE (page, row.first)->dropped)
      g_array_append_val (rows, row);
  }
  return rows;
}

/* Marks the lines of the contents on a page. Returns whether there are any. */
static gboolean mark_page (PdfPage *page, gboolean goes_on)
{
  GArray *rows = collect_rows (page);
  guint leaders = 0, numbers = 0, first = G_MAXUINT, last = 0, title = G_MAXUINT;
  for (guint i = 0; i < rows->len; i++) {
    Row *row = &g_array_index (rows, Row, i);
    if (title == G_MAXUINT && row->end - row->first <= 2 && PDF_LINE (page, row->first)->chars < 40) {
      g_autofree char *key = row_key (page, row, FALSE);
      if (is_title (key))
        title = i;
    }
    leaders += row->leader && row->number;
    numbers += row->number;
    if (row->number) {
      first = MIN (first, i);
      last = i;
    }
  }
  gboolean found
      = leaders >= 3 || (title != G_MAXUINT && numbers >= 3) || (goes_on && 2 * numbers >= rows->len && numbers > 0);
  if (found && title != G_MAXUINT && title < last)
    first = title;
  /* A page of text with a few leaders, in a form for instance, is none. */
  if (found && 2 * numbers < last - first + 1)
    for (guint i = 0; i < rows->len; i++) {
      const Row *row = &g_array_index (rows, Row, i);
      for (guint j = row->first; j < row->end && row->leader; j++)
        PDF_LINE (page, j)->contents = TRUE;
    }
  else if (found)
    for (guint i = first; i <= last; i++) {
      const Row *row = &g_array_index (rows, Row, i);
      for (guint j = row->first; j < row->end; j++)
        PDF_LINE (page, j)->contents = TRUE;
    }
  g_array_unref (rows);
  return found;
}

/* An entry without its number, for titles that are printed or listed without one. */
static const char *bare_title (const char *key)
{
  const char *bare = key + strspn (key, "0123456789");
  return strlen (bare) >= 4 ? bare : key;
}

/* The titles of headings: of the outline, and what is printed larger than the body or bold outside the contents. */
static GHashTable *collect_titles (const PdfDocument *document)
{
  GHashTable *titles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < document->outline->len; i++) {
    const char *key = g_array_index (document->outline, PdfOutlineEntry, i).key;
    g_hash_table_add (titles, g_strdup (bare_title (key)));
  }
  for (guint p = 0; p < document->pages->len; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 0; i < page->lines->len;) {
      Row row = { .first = i, .end = pdf_row_end (page, i) };
      const PdfLine *line = PDF_LINE (page, row.end - 1);
      if (!line->contents && !line->dropped && (line->style & PDF_BOLD || line->size > 1.09f * document->body_size)
          && row.end - row.first <= 3) {
        g_autofree char *key = row_key (page, &row, FALSE);
        g_hash_table_add (titles, g_strdup (bare_title (key)));
      }
      i = row.end;
    }
  }
  return titles;
}

static void drop (PdfPage *page, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    PDF_LINE (page, i)->dropped = TRUE;
}

/* The title of the contents goes, too: without a heading the entries that are left belong to no section. */
static void drop_repetitions (PdfPage *page, GHashTable *titles)
{
  GString *entry = g_string_new (NULL);
  guint entry_first = G_MAXUINT;
  for (guint i = 0; i < page->lines->len;) {
    Row row = { .first = i, .end = pdf_row_end (page, i) };
    for (guint j = i; j < row.end; j++)
      row.leader |= pdf_line_has_leader (page, PDF_LINE (page, j));
    row.number = ends_in_number (page, &row);
    i = row.end;
    if (!PDF_LINE (page, row.first)->contents || PDF_LINE (page, row.first)->dropped)
      continue;
    g_autofree char *key = row_key (page, &row, TRUE);
    if (is_title (key)) {
      drop (page, row.first, row.end);
      continue;
    }
    g_string_append (entry, key);
    entry_first = MIN (entry_first, row.first);
    gboolean known = g_hash_table_contains (titles, bare_title (entry->str));
    if (!row.number && !known && entry->len < MAX_ENTRY_BYTES)
      continue; /* the entry goes on on the next line */
    if (known || g_hash_table_contains (titles, bare_title (key)))
      drop (page, entry_first, row.end);
    g_string_truncate (entry, 0);
    entry_first = G_MAXUINT;
  }
  g_string_free (entry, TRUE);
}

void pdf_mark_contents (PdfDocument *document)
{
  gboolean any = FALSE, goes_on = FALSE;
  for (guint p = 0; p < document->pages->len; p++) {
    goes_on = mark_page (document->pages->pdata[p], goes_on);
    any |= goes_on;
  }
  if (!any)
    return;
  GHashTable *titles = collect_titles (document);
  for (guint p = 0; p < document->pages->len; p++)
    drop_repetitions (document->pages->pdata[p], titles);
  g_hash_table_unref (titles);
}
