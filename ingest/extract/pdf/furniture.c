/* furniture.c: what is printed on every page and belongs to none: running headers, footers, page numbers. They are
 * known by the same text, digits aside, at the same height on several pages near each other. */
#include "ingest/extract/pdf/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EDGE_LINES 3u      /* lines of print looked at, from the top and from the bottom */
#define MARGIN_SHARE 0.17f /* of the page's height, at the top and at the bottom */
#define NEAR_PAGES 6       /* a repetition counts within so many pages */
#define GROUP_GAP 1.8f     /* font sizes; fragments nearer than this are judged together */
#define HEIGHT_BUCKET 6.0f /* points */

static gboolean is_roman (const char *text)
{
  return *text && strspn (text, "ivxlcIVXLC") == strlen (text) && strlen (text) < 8;
}

/* A bare page number, perhaps with dashes or "Page" around it. */
static gboolean is_page_number (const char *text)
{
  g_autofree char *bare = g_strdup (text);
  g_strdelimit (bare, "-|/[]()", ' ');
  g_strstrip (bare);
  if (g_ascii_strncasecmp (bare, "page ", 5) == 0)
    memmove (bare, bare + 5, strlen (bare) - 4);
  gsize digits = strspn (bare, "0123456789");
  return (digits > 0 && digits <= 5 && bare[digits] == '\0') || is_roman (bare);
}

/* The text with every run of digits (and a lone Roman number) made "#". */
static void append_normalised (const PdfPage *page, const PdfLine *line, GString *out)
{
  for (guint i = 0; i < line->n; i++) {
    const PdfWord *word = PDF_WORD (page, line->first + i);
    g_autofree char *text = g_strndup (page->text->str + word->start, word->length);
    if (is_roman (text))
      g_string_append_c (out, '#');
    else
      for (const char *p = text; *p; p++) {
        if (!g_ascii_isdigit (*p))
          g_string_append_c (out, *p);
        else if (!out->len || out->str[out->len - 1] != '#')
          g_string_append_c (out, '#');
      }
    g_string_append_c (out, ' ');
  }
}

/* Fragments of one row without a wide gap between them. */
typedef struct {
  guint page, first, end;
  int bucket;
  char *key, *text;
} Candidate;

static guint group_end (const PdfPage *page, guint at)
{
  guint row_end = pdf_row_end (page, at), end = at + 1;
  while (end < row_end
         && PDF_LINE (page, end)->box.x0 - PDF_LINE (page, end - 1)->box.x1 < GROUP_GAP * PDF_LINE (page, end)->size)
    end++;
  return end;
}

static gboolean is_dropped (const PdfDocument *document, const Candidate *candidate)
{
  return PDF_LINE ((PdfPage *)document->pages->pdata[candidate->page], candidate->first)->dropped;
}

static void drop (const PdfDocument *document, const Candidate *candidate)
{
  for (guint i = candidate->first; i < candidate->end; i++)
    PDF_LINE ((PdfPage *)document->pages->pdata[candidate->page], i)->dropped = TRUE;
}

static void candidate_clear (gpointer data)
{
  g_free (((Candidate *)data)->key);
  g_free (((Candidate *)data)->text);
}

static int compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *left = a, *right = b;
  int order = strcmp (left->key, right->key);
  if (order)
    return order;
  return left->page < right->page ? -1 : left->page > right->page;
}

static int compare_floats (gconstpointer a, gconstpointer b)
{
  float left = *(const float *)a, right = *(const float *)b;
  return left < right ? -1 : left > right;
}

/* The middle of a line on the page; negative for print that runs up or down it. */
static float height_of (const PdfLine *line, const PdfPage *page)
{
  const PdfBox *shown = &PDF_WORD (page, line->first)->shown;
  if (line->turn == PDF_TURN_NONE)
    return (line->box.y0 + line->box.y1) / 2;
  return line->turn == PDF_TURN_LEFT ? (shown->y0 + shown->y1) / 2 : -1;
}

/* Fragments at the edges of the page: among the outermost lines of print, and in its margins. */
static void collect (const PdfPage *page, guint index, GArray *candidates)
{
  if (page->lines->len == 0)
    return;
  GArray *middles = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < page->lines->len; i++) {
    float middle = height_of (PDF_LINE (page, i), page);
    if (middle >= 0)
      g_array_append_val (middles, middle);
  }
  if (middles->len == 0) {
    g_array_unref (middles);
    return;
  }
  g_array_sort (middles, compare_floats);
  float top = g_array_index (middles, float, 0), bottom = g_array_index (middles, float, middles->len - 1);
  float low = top, high = bottom;
  guint rows = 1;
  for (guint i = 1; i < middles->len && rows < EDGE_LINES; i++)
    if (g_array_index (middles, float, i) > low + 4) {
      low = g_array_index (middles, float, i);
      rows++;
    }
  rows = 1;
  for (guint i = middles->len; i-- > 0 && rows < EDGE_LINES;)
    if (g_array_index (middles, float, i) < high - 4) {
      high = g_array_index (middles, float, i);
      rows++;
    }
  g_array_unref (middles);
  for (guint i = 0, end; i < page->lines->len; i = end) {
    const PdfLine *line = PDF_LINE (page, i);
    end = group_end (page, i);
    float middle = height_of (line, page);
    if (middle < 0)
      continue;
    gboolean at_top = middle <= low + 2 && middle < MARGIN_SHARE * page->height;
    gboolean at_bottom = middle >= high - 2 && middle > (1 - MARGIN_SHARE) * page->height;
    if (!at_top && !at_bottom)
      continue;
    GString *key = g_string_new (NULL), *text = g_string_new (NULL);
    for (guint j = i; j < end; j++) {
      append_normalised (page, PDF_LINE (page, j), key);
      if (j > i)
        g_string_append_c (text, ' ');
      pdf_line_append_text (page, PDF_LINE (page, j), text);
    }
    Candidate candidate = {
      index, i, end, (int)lrintf (middle / HEIGHT_BUCKET), g_string_free (key, FALSE), g_string_free (text, FALSE)
    };
    g_array_append_val (candidates, candidate);
  }
}

/* Whether a number is all that its row holds, apart from furniture: else it numbers a section or stands in a table. */
static gboolean stands_alone (const PdfDocument *document, const Candidate *candidate)
{
  const PdfPage *page = document->pages->pdata[candidate->page];
  guint row = PDF_LINE (page, candidate->first)->row;
  for (guint i = candidate->first; i-- > 0 && PDF_LINE (page, i)->row == row;)
    if (!PDF_LINE (page, i)->dropped)
      return FALSE;
  for (guint i = candidate->end; i < page->lines->len && PDF_LINE (page, i)->row == row; i++)
    if (!PDF_LINE (page, i)->dropped)
      return FALSE;
  return TRUE;
}

/* Marks what is repeated; numbers, in a second pass, where nothing else is left beside them. */
static void mark_repeated (const PdfDocument *document, const GArray *candidates, gboolean numbers)
{
  for (guint i = 0; i < candidates->len; i++) {
    const Candidate *candidate = &g_array_index (candidates, Candidate, i);
    gboolean number = is_page_number (candidate->text);
    if (number != numbers || (number && !stands_alone (document, candidate)))
      continue;
    guint same = 1;
    for (int step = -1; step <= 1; step += 2)
      for (gint64 j = (gint64)i + step; j >= 0 && j < candidates->len; j += step) {
        const Candidate *other = &g_array_index (candidates, Candidate, j);
        if (strcmp (other->key, candidate->key) != 0 || ABS ((int)other->page - (int)candidate->page) > NEAR_PAGES)
          break;
        if (other->page != candidate->page && ABS (other->bucket - candidate->bucket) <= 1)
          same++;
      }
    const PdfLine *line = PDF_LINE ((PdfPage *)document->pages->pdata[candidate->page], candidate->first);
    if (same >= 3 || (same >= 2 && document->pages->len <= 4 && line->size <= document->body_size * 1.05f)
        || (number && same >= 2))
      drop (document, candidate);
  }
}

/* What stands beside a dropped line at a height where most pages have furniture is furniture, too: the title of a short
 * chapter, a number in Roman digits. */
static void mark_beside (const PdfDocument *document, const GArray *candidates)
{
  GHashTable *heights = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < candidates->len; i++) {
    const Candidate *candidate = &g_array_index (candidates, Candidate, i);
    if (is_dropped (document, candidate)) {
      gpointer key = GINT_TO_POINTER (candidate->bucket + 100000);
      g_hash_table_insert (heights, key, GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (heights, key)) + 1));
    }
  }
  for (guint i = 0; i < candidates->len; i++) {
    const Candidate *candidate = &g_array_index (candidates, Candidate, i);
    const PdfPage *page = document->pages->pdata[candidate->page];
    const PdfLine *line = PDF_LINE (page, candidate->first);
    guint here = GPOINTER_TO_UINT (g_hash_table_lookup (heights, GINT_TO_POINTER (candidate->bucket + 100000)));
    if (line->dropped || here * 2 < document->pages->len || here < 3 || line->size > document->body_size * 1.15f)
      continue;
    gboolean beside = is_page_number (candidate->text);
    for (guint j = 0; j < page->lines->len && !beside; j++)
      beside = PDF_LINE (page, j)->dropped && pdf_box_same_line (&PDF_LINE (page, j)->box, &line->box);
    if (beside)
      drop (document, candidate);
  }
  g_hash_table_unref (heights);
}

/* The first (or last) word of a text as a number; 0: it is none. */
static int number_at (const char *text, gboolean last)
{
  const char *word = last ? strrchr (text, ' ') : text;
  word = word ? word + last : text;
  gsize digits = strspn (word, "0123456789");
  return digits > 0 && digits <= 5 && (word[digits] == ' ' || word[digits] == '\0') ? atoi (word) : 0;
}

/* The number of a page may stand elsewhere on a page that begins a chapter: alone, and what running headers and footers of
 * other pages make it. */
static void mark_expected_numbers (const PdfDocument *document, const GArray *candidates)
{
  GHashTable *offsets = g_hash_table_new (NULL, NULL); /* of printed numbers against pages, to how often */
  gpointer best = NULL;
  guint best_count = 0;
  for (guint i = 0; i < candidates->len; i++) {
    const Candidate *candidate = &g_array_index (candidates, Candidate, i);
    for (int last = 0; last < 2 && is_dropped (document, candidate); last++) {
      int number = number_at (candidate->text, last),
          page = ((PdfPage *)document->pages->pdata[candidate->page])->number;
      if (number == 0 || (last && !strchr (candidate->text, ' ')))
        continue;
      gpointer key = GINT_TO_POINTER (number - page);
      guint count = GPOINTER_TO_UINT (g_hash_table_lookup (offsets, key)) + 1;
      g_hash_table_insert (offsets, key, GUINT_TO_POINTER (count));
      if (count > best_count) {
        best_count = count;
        best = key;
      }
    }
  }
  g_hash_table_unref (offsets);
  for (guint i = 0; best_count >= 3 && i < candidates->len; i++) {
    const Candidate *candidate = &g_array_index (candidates, Candidate, i);
    int page = ((PdfPage *)document->pages->pdata[candidate->page])->number;
    if (!is_dropped (document, candidate) && is_page_number (candidate->text) && stands_alone (document, candidate)
        && number_at (candidate->text, FALSE) == page + GPOINTER_TO_INT (best))
      drop (document, candidate);
  }
}

static gboolean is_all_dropped (const PdfPage *page)
{
  for (guint i = 0; i < page->lines->len; i++)
    if (!PDF_LINE (page, i)->dropped)
      return FALSE;
  return TRUE;
}

/* Where most pages hold nothing else, it is the text after all: labels, forms, slides. */
static void restore_bare_pages (PdfDocument *document)
{
  guint bare = 0;
  for (guint i = 0; i < document->pages->len; i++)
    bare += is_all_dropped (document->pages->pdata[i]);
  for (guint i = 0; 3 * bare > document->pages->len && i < document->pages->len; i++) {
    PdfPage *page = document->pages->pdata[i];
    if (is_all_dropped (page))
      for (guint j = 0; j < page->lines->len; j++)
        PDF_LINE (page, j)->dropped = FALSE;
  }
}

void pdf_mark_furniture (PdfDocument *document)
{
  if (document->pages->len < 2)
    return;
  GArray *candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  g_array_set_clear_func (candidates, candidate_clear);
  for (guint i = 0; i < document->pages->len; i++)
    collect (document->pages->pdata[i], i, candidates);
  g_array_sort (candidates, compare_candidates);
  mark_repeated (document, candidates, FALSE);
  mark_repeated (document, candidates, TRUE);
  mark_beside (document, candidates);
  mark_expected_numbers (document, candidates);
  restore_bare_pages (document);
  g_array_unref (candidates);
}

guint64 pdf_count_furniture (const PdfDocument *document)
{
  guint64 n = 0;
  for (guint p = 0; p < document->pages->len; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 0; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      for (guint j = 0; line->dropped && j < line->n; j++) {
        const PdfWord *word = PDF_WORD (page, line->first + j);
        n += (guint64)g_utf8_strlen (page->text->str + word->start, (gssize)word->length);
      }
    }
  }
  return n;
}
