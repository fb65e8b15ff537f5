#include "ingest/extract/pdf/pdf.h"
#include "ingest/extract/pdf/document.h"
#include "ingest/extract/pdf/forms.h"

#include <math.h>
#include <string.h>

#define MAX_PAGES 20000
#define MAX_OUTLINE_ENTRIES 50000u
#define MAX_OUTLINE_DEPTH 12
#define HEADER_WITHIN_BYTES 1024u
#define MAX_IMAGE_PAGES 200 /* looked at to tell a scan */

/* Poppler has automatic pointers only in later versions; names of our own work with all of them. */
typedef PopplerDocument SourceDocument;
typedef PopplerPage SourcePage;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SourceDocument, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SourcePage, g_object_unref)

/* A page with one word, so that every child finds fontconfig and poppler's tables ready. */
static const char warm_up_document[]
    = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
      "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
      "4 0 obj<</Length 31>>stream\nBT /F 9 Tf 9 50 Td (abc) Tj ET \nendstream endobj\n"
      "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n";

void pdf_warm_up (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (warm_up_document, sizeof warm_up_document - 1);
  /* Kept: poppler reads its folders of encodings again when the last document is gone. */
  static SourceDocument *source;
  source = poppler_document_new_from_bytes (bytes, NULL, NULL);
  g_autoptr (SourcePage) page = source ? poppler_document_get_page (source, 0) : NULL;
  if (page)
    pdf_page_free (pdf_page_read (page, 1));
}

int pdf_sniff (const Document *document)
{
  gsize n = MIN (document->size, HEADER_WITHIN_BYTES);
  return memmem (document->bytes, n, "%PDF-", 5) ? 2 : 1;
}

/* ---- the document's own word ----------------------------------------------------------------------------- */

static void add_outline (PopplerDocument *source, PopplerIndexIter *iter, int depth, GArray *outline)
{
  if (!iter || depth > MAX_OUTLINE_DEPTH)
    return;
  do {
    PopplerAction *action = poppler_index_iter_get_action (iter);
    if (action && action->any.title && outline->len < MAX_OUTLINE_ENTRIES) {
      PdfOutlineEntry entry = { pdf_text_key (action->any.title), depth, 0 };
      if (action->type == POPPLER_ACTION_GOTO_DEST && action->goto_dest.dest) {
        const PopplerDest *dest = action->goto_dest.dest;
        if (dest->type == POPPLER_DEST_NAMED && dest->named_dest) {
          PopplerDest *found = poppler_document_find_dest (source, dest->named_dest);
          entry.page = found ? found->page_num : 0;
          if (found)
            poppler_dest_free (found);
        } else
          entry.page = dest->page_num;
      }
      g_array_append_val (outline, entry);
    }
    if (action)
      poppler_action_free (action);
    PopplerIndexIter *child = poppler_index_iter_get_child (iter);
    add_outline (source, child, depth + 1, outline);
    poppler_index_iter_free (child);
  } while (outline->len < MAX_OUTLINE_ENTRIES && poppler_index_iter_next (iter));
}

static int compare_entries (gconstpointer a, gconstpointer b)
{
  return ((const PdfOutlineEntry *)a)->page - ((const PdfOutlineEntry *)b)->page;
}

static GArray *read_outline (PopplerDocument *source)
{
  GArray *outline = g_array_new (FALSE, FALSE, sizeof (PdfOutlineEntry));
  PopplerIndexIter *iter = poppler_index_iter_new (source);
  if (iter) {
    add_outline (source, iter, 1, outline);
    poppler_index_iter_free (iter);
  }
  g_array_sort (outline, compare_entries);
  return outline;
}

/* Titles that programs leave behind say nothing. */
static gboolean title_is_worth (const char *title)
{
  static const char *const prefixes[]
      = { "Microsoft Word", "Microsoft PowerPoint", "untitled", "Untitled",    "PowerPoint Pres",
          "Document",       "No Job Name",          "Slide 1",  "(anonymous)", "(unspecified)",
          "title" };
  static const char *const suffixes[] = { ".doc", ".docx", ".pdf", ".dvi", ".tex", ".indd", ".ppt", ".pptx",
                                          ".xls", ".xlsx", ".odt", ".qxd", ".rtf", ".fm",   ".ps" };
  if (g_utf8_strlen (title, -1) < 3)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (title, prefixes[i]))
      return FALSE;
  g_autofree char *lower = g_ascii_strdown (title, -1);
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (lower, suffixes[i]))
      return FALSE;
  for (const char *p = title; *p; p = g_utf8_next_char (p))
    if (g_unichar_isalpha (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

/* The lines of the largest print on the first page with text, if it is larger than the body. */
static char *title_from_print (const PdfDocument *document)
{
  for (guint p = 0; p < MIN (document->pages->len, 2); p++) {
    const PdfPage *page = document->pages->pdata[p];
    float largest = 0;
    for (guint i = 0; i < page->lines->len; i++)
      if (!PDF_LINE (page, i)->dropped && PDF_LINE (page, i)->chars >= 4)
        largest = MAX (largest, PDF_LINE (page, i)->size);
    if (largest < document->body_size * 1.15f)
      continue;
    GString *title = g_string_new (NULL);
    gboolean begun = FALSE;
    for (guint i = 0; i < page->lines->len && title->len < 200; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      gboolean large = !line->dropped && line->size > largest * 0.95f;
      if (large && title->len)
        g_string_append_c (title, ' ');
      if (large)
        pdf_line_append_text (page, line, title);
      else if (begun)
        break;
      begun |= large;
    }
    if (title->len >= 4 && title_is_worth (title->str))
      return g_string_free (title, FALSE);
    g_string_free (title, TRUE);
  }
  return NULL;
}

static void emit_document_title (PopplerDocument *source, const PdfDocument *document, Writer *writer)
{
  g_autofree char *meta = poppler_document_get_title (source);
  if (meta)
    g_strstrip (meta);
  if (meta && title_is_worth (meta)) {
    emit_title (writer, meta);
    return;
  }
  g_autofree char *printed = title_from_print (document);
  if (printed)
    emit_title (writer, printed);
}

/* ---- the pages ------------------------------------------------------------------------------------------- */

#define SIZE_STEPS 400   /* of half a point */
#define LEADING_STEPS 40 /* of a twentieth of a font size, from 0.9 */

static void measure_body (PdfDocument *document)
{
  guint64 sizes[SIZE_STEPS] = { 0 }, leadings[LEADING_STEPS] = { 0 };
  for (guint p = 0; p < document->pages->len; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 0; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      sizes[(guint)CLAMP (lrintf (line->size * 2), 0, SIZE_STEPS - 1)] += line->chars;
    }
  }
  guint best = 0;
  for (guint i = 0; i < SIZE_STEPS; i++)
    if (sizes[i] > sizes[best])
      best = i;
  document->body_size = MAX ((float)best / 2, 1.0f);
  for (guint p = 0; p < document->pages->len; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 1; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i), *above = PDF_LINE (page, i - 1);
      float leading = (line->box.y1 - above->box.y1) / document->body_size;
      if (fabsf (line->size - document->body_size) < 0.6f && fabsf (line->box.x0 - above->box.x0) < 3 * line->size
          && line->n > 3 && leading >= 0.9f && leading < 2.85f)
        leadings[(guint)((leading - 0.9f) * 20)]++;
    }
  }
  best = 6; /* 1.2, if nothing tells */
  for (guint i = 0; i < LEADING_STEPS; i++)
    if (leadings[i] > leadings[best])
      best = i;
  document->body_leading = 0.925f + 0.05f * (float)best;
}

/* Counts the pages that hold an image, among the first ones. */
static int count_image_pages (PopplerDocument *source, int n_pages)
{
  int found = 0;
  for (int i = 0; i < MIN (n_pages, MAX_IMAGE_PAGES); i++) {
    g_autoptr (SourcePage) page = poppler_document_get_page (source, i);
    GList *images = page ? poppler_page_get_image_mapping (page) : NULL;
    found += images != NULL;
    poppler_page_free_image_mapping (images);
  }
  return found;
}

static Outcome no_text (PopplerDocument *source, int n_pages)
{
  int images = count_image_pages (source, n_pages);
  if (images == 0)
    return outcome_failed (LECTERN_STATUS_NO_TEXT_LAYER, "None of its %d %s holds text.", n_pages,
                           n_pages == 1 ? "page" : "pages");
  if (n_pages > MAX_IMAGE_PAGES)
    return outcome_failed (LECTERN_STATUS_NO_TEXT_LAYER,
                           "None of its %d pages holds text; they look like scans, which need text recognition first.",
                           n_pages);
  return outcome_failed (LECTERN_STATUS_NO_TEXT_LAYER,
                         "None of its %d %s holds text; %d %s, so it needs text recognition first.", n_pages,
                         n_pages == 1 ? "page" : "pages", images, images == 1 ? "is an image" : "are images");
}

/* Reads all pages. Returns how many could not be read. */
static int read_pages (PopplerDocument *source, int n_pages, PdfDocument *document, Writer *writer, guint *n_words)
{
  int damaged = 0;
  for (int i = 0; i < n_pages; i++) {
    g_autoptr (SourcePage) source_page = poppler_document_get_page (source, i);
    if (!source_page) {
      if (damaged++ < 5)
        emit_warning (writer, "Page %d is damaged and left out.", i + 1);
      continue;
    }
    PdfPage *page = pdf_page_read (source_page, i + 1);
    pdf_forms_read (source_page, page, document->forms);
    if (page->words->len == 0) {
      pdf_page_free (page);
      continue;
    }
    *n_words += page->words->len;
    pdf_collect_words (document->lexicon, page);
    g_ptr_array_add (document->pages, page);
  }
  return damaged;
}

static void entry_clear (gpointer data)
{
  g_free (((PdfOutlineEntry *)data)->key);
}

static Outcome read_document (PopplerDocument *source, Writer *writer)
{
  int all_pages = poppler_document_get_n_pages (source), n_pages = MIN (all_pages, MAX_PAGES);
  if (all_pages <= 0)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "It has no pages.");
  emit_page_count (writer, all_pages);
  if (all_pages > MAX_PAGES)
    emit_warning (writer, "Only the first %d of %d pages are read.", MAX_PAGES, all_pages);

  PdfDocument document = { g_ptr_array_new_with_free_func ((GDestroyNotify)pdf_page_free),
                           g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL), read_outline (source),
                           g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free), 0, 0 };
  g_array_set_clear_func (document.outline, entry_clear);
  guint n_words = 0;
  int damaged = read_pages (source, n_pages, &document, writer, &n_words);
  Outcome outcome;
  if (n_words == 0 && document.forms->len == 0)
    outcome = damaged == n_pages ? outcome_failed (LECTERN_STATUS_DAMAGED, "None of its %d pages can be read.", n_pages)
                                 : no_text (source, n_pages);
  else {
    measure_body (&document);
    pdf_mark_furniture (&document);
    pdf_mark_contents (&document);
    emit_document_title (source, &document, writer);
    pdf_emit_blocks (&document, writer);
    outcome = outcome_indexed ();
  }
  g_ptr_array_unref (document.pages);
  g_hash_table_unref (document.lexicon);
  g_array_unref (document.outline);
  g_ptr_array_unref (document.forms);
  return outcome;
}

Outcome pdf_extract (const Document *input, Writer *writer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (input->bytes, input->size);
  g_autoptr (SourceDocument) source = poppler_document_new_from_bytes (bytes, NULL, &error);
  if (source)
    return read_document (source, writer);
  if (g_error_matches (error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
    return outcome_failed (LECTERN_STATUS_ENCRYPTED, "It is encrypted and opens only with its password.");
  if (pdf_sniff (input) < 2)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "It is not a PDF file, though its name says so.");
  return outcome_failed (LECTERN_STATUS_DAMAGED, "The PDF file is damaged beyond repair and cannot be opened.");
}
