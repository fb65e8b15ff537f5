#include "ingest/extract/pdf/pdf.h"
#include "ingest/extract/pdf/document.h"
#include "ingest/extract/pdf/forms.h"
#include "ingest/extract/pdf/hidden.h"
#include "ingest/extract/pdf/scan.h"
#include "ingest/extract/pdf/metadata.h"
#include "ingest/extract/pdf/structure.h"

#include <math.h>
#include <string.h>

#define MAX_PAGES 20000
#define MAX_OUTLINE_ENTRIES 50000u
#define MAX_OUTLINE_DEPTH 12
#define ENTRIES_ENOUGH 3u /* an outline with fewer is none: the tags are asked */
#define HEADER_WITHIN_BYTES 1024u

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
    pdf_page_free (pdf_page_read (page, 1, FALSE));
}

int pdf_sniff (const Document *document)
{
  gsize n = MIN (document->size, HEADER_WITHIN_BYTES);
  return memmem (document->bytes, n, "%PDF-", 5) ? 2 : 1;
}

/* ---- the outline ----------------------------------------------------------------------------------------- */

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

static GArray *read_outline (PopplerDocument *source, gboolean careful)
{
  GArray *outline = g_array_new (FALSE, FALSE, sizeof (PdfOutlineEntry));
  /* For measuring what is found without it. */
  gboolean ignored = g_strcmp0 (g_getenv ("LECTERN_PDF_OUTLINE"), "ignore") == 0;
  PopplerIndexIter *iter = ignored ? NULL : poppler_index_iter_new (source);
  if (iter) {
    add_outline (source, iter, 1, outline);
    poppler_index_iter_free (iter);
  }
  if (outline->len < ENTRIES_ENOUGH && !careful)
    pdf_read_tagged_headings (source, outline);
  g_array_sort (outline, compare_entries);
  return outline;
}

/* ---- the pages ------------------------------------------------------------------------------------------- */

#define SIZE_STEPS 400   /* of half a point */
#define LEADING_STEPS 40 /* of a twentieth of a font size, from 0.9 */

static void measure_body (PdfDocument *document)
{
  /* Programs may take more room than the text about them, in a size of their own. */
  guint64 sizes[SIZE_STEPS] = { 0 }, code_sizes[SIZE_STEPS] = { 0 }, leadings[LEADING_STEPS] = { 0 };
  guint64 chars = 0, code_chars = 0;
  for (guint p = 0; p < document->pages->len; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 0; i < page->lines->len; i++) {
      const PdfLine *line = PDF_LINE (page, i);
      guint step = (guint)CLAMP (lrintf (line->size * 2), 0, SIZE_STEPS - 1);
      gboolean code = (line->style & PDF_MONO) != 0;
      (code ? code_sizes : sizes)[step] += line->chars;
      *(code ? &code_chars : &chars) += line->chars;
    }
  }
  guint best = 0;
  for (guint i = 0; i < SIZE_STEPS && code_chars > 4 * chars; i++)
    sizes[i] += code_sizes[i];
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

/* Reads all pages. Returns how many could not be read. */
static int read_pages (PopplerDocument *source, int n_pages, PdfDocument *document, Writer *writer, guint *n_words)
{
  int damaged = 0;
  g_autoptr (GArray) scans = g_array_new (FALSE, FALSE, sizeof (int));
  for (int i = 0; i < n_pages; i++) {
    g_autoptr (SourcePage) source_page = poppler_document_get_page (source, i);
    if (!source_page) {
      damaged++;
      emit_finding (writer, LECTERN_FINDING_PAGE_DAMAGED, i + 1, 0, NULL);
      continue;
    }
    PdfPage *page = pdf_page_read (source_page, i + 1, document->careful);
    if (!document->careful)
      pdf_forms_read (source_page, page, document->forms);
    pdf_report_hidden (page, writer);
    if (page->words->len == 0 || pdf_page_is_garbled (page)) {
      g_array_append_val (scans, page->number);
      pdf_page_free (page);
      continue;
    }
    *n_words += page->words->len;
    pdf_collect_words (document->lexicon, page);
    g_ptr_array_add (document->pages, page);
  }
  *n_words += pdf_read_scans (source, scans, document, writer);
  return damaged;
}

static void entry_clear (gpointer data)
{
  g_free (((PdfOutlineEntry *)data)->key);
}

/* Says what is left out and where the order of reading is a guess. */
static void report_layout (const PdfDocument *document, Writer *writer)
{
  guint64 furniture = pdf_count_furniture (document), all = 0;
  for (guint p = 0; p < document->pages->len; p++) {
    const PdfPage *page = document->pages->pdata[p];
    all += (guint64)g_utf8_strlen (page->text->str, (gssize)page->text->len);
    if (page->doubtful)
      emit_finding (writer, LECTERN_FINDING_DOUBTFUL_ORDER, page->number, 0, NULL);
  }
  if (furniture == 0)
    return;
  g_autofree char *detail
      = g_strdup_printf ("running headers, footers and page numbers; of %" G_GUINT64_FORMAT " characters", all);
  emit_finding (writer, LECTERN_FINDING_BOILERPLATE, 0, furniture, detail);
}

static Outcome read_document (const Document *input, PopplerDocument *source, Writer *writer)
{
  int all_pages = poppler_document_get_n_pages (source), n_pages = MIN (all_pages, MAX_PAGES);
  if (all_pages <= 0)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "It has no pages.");
  emit_page_count (writer, all_pages);
  if (all_pages > MAX_PAGES)
    emit_warning (writer, "Only the first %d of %d pages are read.", MAX_PAGES, all_pages);

  PdfDocument document = { g_ptr_array_new_with_free_func ((GDestroyNotify)pdf_page_free),
                           g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL), read_outline (source, input->careful),
                           g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free), input->careful, 0, 0 };
  g_array_set_clear_func (document.outline, entry_clear);
  guint n_words = 0;
  int damaged = read_pages (source, n_pages, &document, writer, &n_words);
  Outcome outcome;
  g_autofree char *no_text = NULL;
  if (n_words == 0 && document.forms->len == 0 && document.careful)
    outcome = outcome_failed (LECTERN_STATUS_NO_TEXT_LAYER, "None of its %d pages holds text.", n_pages);
  else if (n_words == 0 && document.forms->len == 0)
    outcome = damaged == n_pages ? outcome_failed (LECTERN_STATUS_DAMAGED, "None of its %d pages can be read.", n_pages)
                                 : outcome_failed (LECTERN_STATUS_NO_TEXT_LAYER, "%s",
                                                   (no_text = pdf_explain_no_text (source, n_pages)));
  else {
    measure_body (&document);
    pdf_mark_furniture (&document);
    report_layout (&document, writer);
    pdf_mark_contents (&document);
    g_autofree char *first_heading = pdf_emit_blocks (&document, writer);
    pdf_emit_title (source, &document, first_heading, writer);
    pdf_emit_language (input, writer);
    pdf_emit_origin (source, writer);
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
    return read_document (input, source, writer);
  if (g_error_matches (error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
    return outcome_failed (LECTERN_STATUS_ENCRYPTED, "It is encrypted and opens only with its password.");
  if (pdf_sniff (input) < 2)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "It is not a PDF file, though its name says so.");
  return outcome_failed (LECTERN_STATUS_DAMAGED, "The PDF file is damaged beyond repair and cannot be opened.");
}
