#include "ingest/extract/pdf/scan.h"
#include "ingest/extract/ocr/ocr.h"

#include <cairo.h>
#include <math.h>
#include <string.h>

#define DPI 300.0
#define MIN_DPI 20.0
#define MAX_PIXELS 25e6 /* a larger page is recognised at less than 300 dpi */
#define MAX_SIDE 20000.0
#define LOOK_DPI 24.0       /* enough to see whether there is anything */
#define INK_CONTRAST 48     /* darker than the paper by this much */
#define INK_SHARE 0.0001    /* of the pixels: less is a blank page */
#define SAMPLE_BYTES 20000u /* text that the document's language is told by */
#define MAX_IMAGE_PAGES 200 /* looked at to tell a scan */
#define MAX_TURN_TRIES 3    /* pages without words that are also looked at from the other sides */
#define GARBLED_MIN_CHARACTERS 20u

typedef PopplerPage SourcePage;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SourcePage, g_object_unref)

gboolean pdf_page_is_garbled (const PdfPage *page)
{
  return page->n_characters >= GARBLED_MIN_CHARACTERS && page->n_unmapped * 2 > page->n_characters;
}

/* ---- the image ------------------------------------------------------------------------------------------- */

/* Renders a page in grey. NULL pixels: it cannot be. Free the pixels. */
static OcrImage render (PopplerPage *source, double dpi)
{
  OcrImage image = { 0 };
  double width = 0, height = 0;
  poppler_page_get_size (source, &width, &height);
  if (!(width > 0) || !(height > 0) || !isfinite (width) || !isfinite (height))
    return image;
  double scale = dpi / 72;
  scale = MIN (scale, sqrt (MAX_PIXELS / width / height));
  scale = MIN (scale, MAX_SIDE / MAX (width, height));
  if (scale * 72 < MIN_DPI)
    return image;
  image.width = MAX ((int)ceil (width * scale), 1);
  image.height = MAX ((int)ceil (height * scale), 1);
  image.dpi = (int)lrint (scale * 72);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, image.width, image.height);
  cairo_t *cairo = cairo_create (surface);
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_scale (cairo, scale, scale);
  poppler_page_render (source, cairo);
  cairo_destroy (cairo);
  cairo_surface_flush (surface);
  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS) {
    const guint8 *data = cairo_image_surface_get_data (surface);
    int stride = cairo_image_surface_get_stride (surface);
    guint8 *grey = g_malloc ((gsize)image.width * (gsize)image.height), *to = grey;
    for (int y = 0; y < image.height; y++)
      for (int x = 0; x < image.width; x++) {
        guint32 pixel;
        memcpy (&pixel, data + (gsize)y * (gsize)stride + (gsize)x * 4, sizeof pixel);
        *to++ = (guint8)((((pixel >> 16) & 255) * 77 + ((pixel >> 8) & 255) * 150 + (pixel & 255) * 29) >> 8);
      }
    image.pixels = grey;
    image.stride = image.width;
  }
  cairo_surface_destroy (surface);
  return image;
}

/* Whether next to nothing is darker or, on dark paper, lighter than the paper. */
static gboolean is_blank (const OcrImage *image)
{
  guint64 counts[256] = { 0 }, ink = 0;
  gsize n = (gsize)image->width * (gsize)image->height;
  for (gsize i = 0; i < n; i++)
    counts[image->pixels[i]]++;
  int paper = 0;
  for (int i = 0; i < 256; i++)
    if (counts[i] > counts[paper])
      paper = i;
  for (int i = 0; i < 256; i++)
    if (ABS (i - paper) > INK_CONTRAST)
      ink += counts[i];
  return (double)ink < INK_SHARE * (double)n;
}

static guint count_images (PopplerPage *source)
{
  GList *images = poppler_page_get_image_mapping (source);
  guint n = g_list_length (images);
  poppler_page_free_image_mapping (images);
  return n;
}

/* ---- recognition ----------------------------------------------------------------------------------------- */

static void make_key (const OcrImage *image, const OcrLanguage *const *languages, guint n,
                      guint8 key[RECOGNITION_KEY_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GString) head = g_string_new (NULL);
  g_string_append_printf (head, "%s %d %d %d", ocr_engine_version (), image->width, image->height, image->dpi);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (head, " %s %" G_GSIZE_FORMAT, languages[i]->name, languages[i]->size);
  g_checksum_update (checksum, (const guchar *)head->str, (gssize)head->len + 1);
  g_checksum_update (checksum, image->pixels, (gssize)image->stride * image->height);
  gsize key_bytes = RECOGNITION_KEY_BYTES;
  g_checksum_get_digest (checksum, key, &key_bytes);
}

/* What stands in form fields and comments is known from the file; the image shows it, too. */
static gboolean is_in_form (const PdfBox *box, int number, const GPtrArray *forms)
{
  float x = (box->x0 + box->x1) / 2, y = (box->y0 + box->y1) / 2;
  for (guint i = 0; i < forms->len; i++) {
    const LecternBlock *block = forms->pdata[i];
    for (guint j = 0; block->page == number && j < block->spans->len; j++) {
      const LecternRect *rect = &g_array_index (block->spans, LecternSpan, j).rect;
      if (x >= rect->x && x <= rect->x + rect->width && y >= rect->y && y <= rect->y + rect->height)
        return TRUE;
    }
  }
  return FALSE;
}

static int compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* From the page as it was turned to be read to the page as it is. */
static void turn_word (PdfWord *word, guint quarters, const PdfPage *page)
{
  const float w = page->width, h = page->height;
  const PdfBox box = word->box;
  switch (quarters) {
  case 1:
    word->box = (PdfBox){ box.y0, h - box.x1, box.y1, h - box.x0 };
    word->turn = PDF_TURN_UP;
    break;
  case 2:
    word->box = (PdfBox){ w - box.x1, h - box.y1, w - box.x0, h - box.y0 };
    word->turn = PDF_TURN_OVER;
    break;
  case 3:
    word->box = (PdfBox){ w - box.y1, box.x0, w - box.y0, box.x1 };
    word->turn = PDF_TURN_DOWN;
    break;
  default: break;
  }
}

/* Takes the recognised words over as if they had been printed, in points. Lines whose height is about the usual one are
 * of one font: what differs is which of their letters have ascenders. */
static void take_words (PdfPage *page, const OcrPage *recognized, const OcrImage *image, const GPtrArray *forms)
{
  float to_points = page->width / (float)image->width;
  g_autoptr (GArray) heights = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < recognized->words->len; i++) {
    const OcrWord *word = &g_array_index (recognized->words, OcrWord, i);
    float height = (float)(word->y1 - word->y0) * to_points;
    g_array_append_val (heights, height);
  }
  g_array_sort (heights, compare_floats);
  float usual = heights->len ? g_array_index (heights, float, heights->len / 2) : 0;
  guint32 line = 0;
  for (guint i = 0; i < recognized->words->len; i++) {
    const OcrWord *from = &g_array_index (recognized->words, OcrWord, i);
    float height = (float)(from->y1 - from->y0) * to_points;
    if (height > usual * 0.7f && height < usual * 1.3f)
      height = usual;
    PdfWord word = { .start = (guint32)page->text->len,
                     .length = from->length,
                     .box = { (float)from->x0 * to_points, (float)from->y0 * to_points, (float)from->x1 * to_points,
                              (float)from->y1 * to_points },
                     .size = roundf (height * 2) / 2,
                     .style = i == 0 || from->line != line ? PDF_BREAK : 0 };
    turn_word (&word, recognized->quarters, page);
    if (from->length == 0 || is_in_form (&word.box, page->number, forms)) /* tesseract gives empty words, too */
      continue;
    line = from->line;
    g_string_append_len (page->text, recognized->text->str + from->start, from->length);
    g_array_append_val (page->words, word);
  }
  if (page->words->len == 0)
    return;
  pdf_page_turn (page);
  pdf_page_arrange (page);
  pdf_page_turn_back (page);
}

/* The image turned by quarters, clockwise. Free the pixels. */
static OcrImage turn_image (const OcrImage *image, int quarters)
{
  gboolean sideways = quarters & 1;
  OcrImage turned
      = { NULL, sideways ? image->height : image->width, sideways ? image->width : image->height, 0, image->dpi };
  turned.stride = turned.width;
  guint8 *pixels = g_malloc ((gsize)turned.width * (gsize)turned.height), *to = pixels;
  for (int y = 0; y < turned.height; y++)
    for (int x = 0; x < turned.width; x++) {
      int from_x = quarters == 1 ? y : quarters == 2 ? image->width - 1 - x : image->width - 1 - y;
      int from_y = quarters == 1 ? image->height - 1 - x : quarters == 2 ? image->height - 1 - y : x;
      *to++ = image->pixels[(gsize)from_y * (gsize)image->stride + (gsize)from_x];
    }
  turned.pixels = pixels;
  return turned;
}

/* Whether what was recognised stands on its side: most words are higher than wide. */
static gboolean is_sideways (const OcrPage *page)
{
  guint n = 0, high = 0;
  for (guint i = 0; i < page->words->len; i++) {
    const OcrWord *word = &g_array_index (page->words, OcrWord, i);
    n += word->length >= 3;
    high += word->length >= 3 && word->y1 - word->y0 > word->x1 - word->x0;
  }
  return 2 * high > n;
}

/* Recognises a page that may have been laid on the scanner the wrong way round. A page that holds no words any way
 * takes four times as long, so that is found out for some pages of a document only. */
static OcrPage *recognize_turned (const OcrImage *image, const OcrLanguage *const *languages, guint n)
{
  static int tries = MAX_TURN_TRIES;
  OcrPage *best = ocr_recognize (image, languages, n);
  if (!best || tries <= 0 || (best->words->len > 0 && !is_sideways (best)))
    return best;
  gboolean found = FALSE;
  for (int quarters = 1; quarters < 4; quarters++) {
    OcrImage turned = turn_image (image, quarters);
    OcrPage *page = ocr_recognize (&turned, languages, n);
    g_free ((guint8 *)turned.pixels);
    if (page && page->words->len > 0 && !is_sideways (page)
        && (!found || page->confidence * page->text->len > best->confidence * best->text->len)) {
      ocr_page_free (best);
      best = g_steal_pointer (&page);
      best->quarters = (guint32)quarters;
      found = TRUE;
    }
    ocr_page_free (page);
  }
  tries -= found ? 0 : 1;
  return best;
}

/* The page as it was kept, or recognised now. NULL: it cannot be. Either way the library hears that work goes on. */
static OcrPage *recognize (const OcrImage *image, const OcrLanguage *const *languages, guint n, Writer *writer)
{
  guint8 key[RECOGNITION_KEY_BYTES];
  make_key (image, languages, n, key);
  OcrPage *page = ocr_records_find (key, image->width, image->height);
  if (page) {
    emit_recognized_page (writer, NULL, NULL, 0);
    return page;
  }
  page = recognize_turned (image, languages, n);
  if (page) {
    g_autoptr (GByteArray) record = g_byte_array_new ();
    ocr_record_encode (page, record);
    emit_recognized_page (writer, key, record->data, record->len);
  }
  return page;
}

/* Whether a page without images shows nothing either; a small picture of it tells. */
static gboolean is_empty (PopplerPage *source)
{
  OcrImage image = render (source, LOOK_DPI);
  gboolean blank = image.pixels && is_blank (&image);
  g_free ((guint8 *)image.pixels);
  return blank;
}

static PdfPage *read_scan (PopplerPage *source, int number, const OcrLanguage *const *languages, guint n_languages,
                           const GPtrArray *forms, Writer *writer)
{
  if (count_images (source) == 0 && is_empty (source)) {
    emit_recognized_page (writer, NULL, NULL, 0);
    return NULL;
  }
  OcrImage image = render (source, DPI);
  g_autofree guint8 *pixels = (guint8 *)image.pixels;
  if (!pixels) {
    emit_finding (writer, LECTERN_FINDING_PAGE_WITHOUT_TEXT, number, count_images (source), "too large to recognise");
    return NULL;
  }
  if (is_blank (&image)) {
    emit_recognized_page (writer, NULL, NULL, 0);
    return NULL;
  }
  OcrPage *recognized = recognize (&image, languages, n_languages, writer);
  PdfPage *page = pdf_page_new (source, number);
  if (recognized)
    take_words (page, recognized, &image, forms);
  if (page->words->len > 0)
    emit_finding (writer, LECTERN_FINDING_PAGE_RECOGNIZED, number, recognized->confidence, NULL);
  else if (!recognized || recognized->words->len == 0)
    emit_finding (writer, LECTERN_FINDING_PAGE_WITHOUT_TEXT, number, count_images (source),
                  recognized ? "no text was recognised" : "text recognition failed");
  ocr_page_free (recognized);
  if (page->words->len > 0)
    return page;
  pdf_page_free (page);
  return NULL;
}

/* Reports a page that nobody will recognise, unless it is blank. */
static void report_page (PopplerPage *source, int number, Writer *writer)
{
  guint images = count_images (source);
  if (images == 0 && is_empty (source))
    return;
  emit_finding (writer, LECTERN_FINDING_PAGE_WITHOUT_TEXT, number, images, NULL);
}

/* What the document's other pages are written in; NULL if that does not tell. */
static const char *language_of (const PdfDocument *document)
{
  g_autoptr (GString) sample = g_string_new (NULL);
  for (guint p = 0; p < document->pages->len && sample->len < SAMPLE_BYTES; p++) {
    const PdfPage *page = document->pages->pdata[p];
    for (guint i = 0; i < page->lines->len && sample->len < SAMPLE_BYTES; i++) {
      pdf_line_append_text (page, PDF_LINE (page, i), sample);
      g_string_append_c (sample, '\n');
    }
  }
  return lectern_language_detect (sample->str, (gssize)sample->len);
}

static int compare_pages (gconstpointer a, gconstpointer b)
{
  return (*(const PdfPage *const *)a)->number - (*(const PdfPage *const *)b)->number;
}

guint pdf_read_scans (PopplerDocument *source, const GArray *numbers, PdfDocument *document, Writer *writer)
{
  const OcrLanguage *languages[OCR_MAX_CHOSEN];
  const char *tag = language_of (document);
  guint n_languages = ocr_get_state () == OCR_READY ? ocr_languages_choose (&tag, 1, languages) : 0, n_read = 0;
  for (guint i = 0; i < numbers->len; i++) {
    int number = g_array_index (numbers, int, i);
    g_autoptr (SourcePage) page_source = poppler_document_get_page (source, number - 1);
    if (!page_source)
      continue;
    PdfPage *page = NULL;
    if (document->careful)
      emit_finding (writer, LECTERN_FINDING_PAGE_WITHOUT_TEXT, number, 0, NULL);
    else if (n_languages > 0)
      page = read_scan (page_source, number, languages, n_languages, document->forms, writer);
    else
      report_page (page_source, number, writer);
    if (page) {
      pdf_collect_words (document->lexicon, page);
      g_ptr_array_add (document->pages, page);
      n_read++;
    }
  }
  if (n_read > 0)
    g_ptr_array_sort (document->pages, compare_pages);
  return n_read;
}

/* ---- without any text ------------------------------------------------------------------------------------ */

/* What the user can do about it. */
static char *explain_remedy (void)
{
  switch (ocr_get_state ()) {
  case OCR_READY: return g_strdup ("text recognition found none on them");
  case OCR_FORBIDDEN: return g_strdup ("text recognition was turned off (--no-ocr)");
  case OCR_NOT_BUILT: return g_strdup ("they need text recognition first, which this Lectern was built without");
  case OCR_NO_LANGUAGE:
  default: break;
  }
  const char *name = NULL;
  const char *const *locales = g_get_language_names ();
  for (guint i = 0; locales[i] && !name; i++)
    name = ocr_languages_name (locales[i]);
  return g_strdup_printf ("they need text recognition: install the package tesseract-ocr-%s (or the one of their "
                          "language), then remove the document and add it again",
                          name ? name : "eng");
}

char *pdf_explain_no_text (PopplerDocument *source, int n_pages)
{
  int images = 0;
  for (int i = 0; i < MIN (n_pages, MAX_IMAGE_PAGES); i++) {
    g_autoptr (SourcePage) page = poppler_document_get_page (source, i);
    images += page && count_images (page) > 0;
  }
  const char *pages = n_pages == 1 ? "page" : "pages";
  if (images == 0)
    return g_strdup_printf ("None of its %d %s holds text.", n_pages, pages);
  g_autofree char *remedy = explain_remedy ();
  if (n_pages > MAX_IMAGE_PAGES)
    return g_strdup_printf ("None of its %d pages holds text; they look like scans, and %s.", n_pages, remedy);
  return g_strdup_printf ("None of its %d %s holds text; %d %s, and %s.", n_pages, pages, images,
                          images == 1 ? "is an image" : "are images", remedy);
}
