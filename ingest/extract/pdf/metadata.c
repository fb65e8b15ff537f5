/* metadata.c: what a document says about itself: title, author, date, language. Programs leave behind much that says
 * nothing; that is left out. */
#include "ingest/extract/pdf/metadata.h"

#include <string.h>

#define MAX_TITLE_BYTES 200u
#define MAX_LANGUAGE_BYTES 12u
#define CATALOG_NEAR_BYTES 4096u

/* ---- title ----------------------------------------------------------------------------------------------- */

static gboolean has_letter (const char *text)
{
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    if (g_unichar_isalpha (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

static gboolean title_is_worth (const char *title)
{
  static const char *const prefixes[]
      = { "microsoft word",  "microsoft powerpoint", "powerpoint pres", "untitled",  "unbenannt",   "sans titre",
          "sans nom",        "sin título",           "document",        "dokument1", "no job name", "slide 1",
          "folie 1",         "(anonymous)",          "(unspecified)",   "title",     "layout 1",    "print",
          "microsoft excel", "about:blank",          "file:",           "http:",     "https:" };
  static const char *const suffixes[] = { ".doc",  ".docx", ".pdf", ".dvi", ".tex", ".indd", ".ppt",  ".pptx", ".xls",
                                          ".xlsx", ".odt",  ".odp", ".qxd", ".rtf", ".fm",   ".ps",   ".eps",  ".txt",
                                          ".md",   ".html", ".htm", ".cdr", ".ai",  ".pub",  ".texi", ".qxp" };
  if (g_utf8_strlen (title, -1) < 3 || !has_letter (title))
    return FALSE;
  g_autofree char *lower = g_utf8_strdown (title, -1);
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (lower, prefixes[i])
        && (strlen (prefixes[i]) > 8 || strlen (lower) < strlen (prefixes[i]) + 4))
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (lower, suffixes[i]))
      return FALSE;
  /* One word with digits or underscores is the name of a file or a number of the publisher's. */
  return strchr (title, ' ') || !strpbrk (title, "_0123456789\\/");
}

/* The lines of the largest print on the first page with text, if it is larger than the body. */
static char *title_from_print (const PdfDocument *document)
{
  for (guint p = 0; p < MIN (document->pages->len, 2); p++) {
    const PdfPage *page = document->pages->pdata[p];
    float largest = 0;
    for (guint i = 0; i < page->lines->len; i++)
      if (!PDF_LINE (page, i)->dropped && PDF_LINE (page, i)->turn == page->turn && PDF_LINE (page, i)->chars >= 4)
        largest = MAX (largest, PDF_LINE (page, i)->size);
    if (largest < document->body_size * 1.15f)
      continue;
    GString *title = g_string_new (NULL);
    gboolean begun = FALSE;
    for (guint i = 0; i < page->lines->len && title->len < MAX_TITLE_BYTES; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      gboolean large = !line->dropped && line->turn == page->turn && line->size > largest * 0.95f;
      if (large && title->len)
        g_string_append_c (title, ' ');
      if (large)
        pdf_line_append_text (page, line, title);
      else if (begun)
        break;
      begun |= large;
    }
    if (title->len >= 4 && has_letter (title->str))
      return g_string_free (title, FALSE);
    g_string_free (title, TRUE);
  }
  return NULL;
}

void pdf_emit_title (PopplerDocument *source, const PdfDocument *document, const char *first_heading, Writer *writer)
{
  g_autofree char *meta = poppler_document_get_title (source);
  if (meta && title_is_worth (g_strstrip (meta))) {
    emit_title (writer, meta);
    return;
  }
  g_autofree char *printed = title_from_print (document);
  if (printed || first_heading)
    emit_title (writer, printed ? printed : first_heading);
}

/* ---- language -------------------------------------------------------------------------------------------- */

/* The value of /Lang in [at, end): a literal string or one in hexadecimal digits, of the shape of a language tag. */
static char *read_language (const guint8 *at, const guint8 *end)
{
  char tag[MAX_LANGUAGE_BYTES + 1];
  guint n = 0;
  while (at < end && (*at == ' ' || *at == '\r' || *at == '\n' || *at == '\t'))
    at++;
  if (at >= end || (*at != '(' && *at != '<'))
    return NULL;
  gboolean hexadecimal = *at++ == '<';
  while (at < end && *at != (hexadecimal ? '>' : ')') && n < MAX_LANGUAGE_BYTES) {
    int c = *at++;
    if (hexadecimal) {
      if (at >= end || g_ascii_xdigit_value ((char)c) < 0 || g_ascii_xdigit_value ((char)*at) < 0)
        return NULL;
      c = g_ascii_xdigit_value ((char)c) << 4 | g_ascii_xdigit_value ((char)*at++);
    }
    if (c == 0 || c == 0xfe || c == 0xff) /* UTF-16 with its mark */
      continue;
    if (!g_ascii_isalnum ((char)c) && c != '-' && c != '_')
      return NULL;
    tag[n++] = c == '_' ? '-' : (char)c;
  }
  tag[n] = '\0';
  gsize letters = 0;
  while (g_ascii_isalpha (tag[letters]))
    letters++;
  if (at >= end || *at != (hexadecimal ? '>' : ')') || letters < 2 || letters > 3
      || (tag[letters] && tag[letters] != '-'))
    return NULL;
  return g_strdup (tag);
}

/* Poppler does not tell the catalog's language: it is read from the file's bytes, near the word that names the catalog.
 * In files whose catalog is compressed or encrypted nothing is found. */
static char *find_language (const Document *document)
{
  const guint8 *bytes = document->bytes, *end = bytes + document->size;
  for (const guint8 *at = bytes; (at = memmem (at, (gsize)(end - at), "/Catalog", 8)); at += 8) {
    const guint8 *from = at - MIN ((gsize)(at - bytes), CATALOG_NEAR_BYTES);
    const guint8 *to = at + MIN ((gsize)(end - at), CATALOG_NEAR_BYTES);
    for (const guint8 *next = from; (next = memmem (next, (gsize)(at - next), " obj", 4)); next += 4)
      from = next;
    const guint8 *close = memmem (at, (gsize)(to - at), "endobj", 6);
    to = close ? close : to;
    const guint8 *found = memmem (from, (gsize)(to - from), "/Lang", 5);
    char *language = found ? read_language (found + 5, to) : NULL;
    if (language)
      return language;
  }
  return NULL;
}

void pdf_emit_language (const Document *document, Writer *writer)
{
  g_autofree char *language = find_language (document);
  if (language)
    emit_language (writer, language);
}

/* ---- author and date ------------------------------------------------------------------------------------- */

static void emit_document_author (PopplerDocument *source, Writer *writer)
{
  /* What programs write where nobody has given a name. */
  static const char *const nobody[] = { "user",          "admin",  "administrator", "root",
                                        "unknown",       "author", "anonymous",     "(anonymous)",
                                        "(unspecified)", "owner",  "default",       "unbekannt",
                                        "none",          "n/a",    "microsoft",     "microsoft office user",
                                        "windows user",  "pc",     "user1",         "test" };
  g_autofree char *author = poppler_document_get_author (source);
  if (!author || !has_letter (g_strstrip (author)))
    return;
  g_autofree char *lower = g_utf8_strdown (author, -1);
  for (guint i = 0; i < G_N_ELEMENTS (nobody); i++)
    if (strcmp (lower, nobody[i]) == 0)
      return;
  emit_author (writer, author);
}

static void emit_document_date (PopplerDocument *source, Writer *writer)
{
  GDateTime *date = poppler_document_get_creation_date_time (source);
  if (!date)
    date = poppler_document_get_modification_date_time (source);
  /* There were no PDF files before 1993; clocks that are not set say 1970 or 1980. */
  if (date && g_date_time_get_year (date) >= 1993 && g_date_time_get_year (date) < 2100) {
    g_autofree char *day = g_date_time_format (date, "%Y-%m-%d");
    emit_date (writer, day);
  }
  g_clear_pointer (&date, g_date_time_unref);
}

void pdf_emit_origin (PopplerDocument *source, Writer *writer)
{
  emit_document_author (source, writer);
  emit_document_date (source, writer);
}
