#include "ingest/extract/ocr/recognizer.h"

#include <string.h>

OcrPage *ocr_page_new (void)
{
  OcrPage *page = g_new0 (OcrPage, 1);
  page->text = g_string_new (NULL);
  page->words = g_array_new (FALSE, FALSE, sizeof (OcrWord));
  return page;
}

void ocr_page_free (OcrPage *page)
{
  if (!page)
    return;
  g_string_free (page->text, TRUE);
  g_array_unref (page->words);
  g_free (page);
}

#ifdef HAVE_TESSERACT

#include "retrieval/retrieval.h"

#include <tesseract/capi.h>

#define MAX_WORDS 50000u
#define MIN_WORD_CONFIDENCE 25.0f
#define MIN_LINE_CONFIDENCE 60.0f
#define MIN_PAGE_CONFIDENCE 50.0f
#define SURE_CONFIDENCE 85u   /* no other language is tried */
#define TRIALS 5              /* pages of a document that other languages are tried on */
#define STRAIGHT 1.8f         /* a line of print that is higher than this many of its words' heights is not straight */
#define DETECTED_BONUS 5u     /* of confidence, for the language that the text is in */
#define DETECT_MIN_BYTES 200u /* text to tell its language by */

/* One engine for each language, set up when it is first needed: given several at once, tesseract would open files. */
typedef struct {
  const OcrLanguage *language;
  TessBaseAPI *api; /* NULL: it could not be set up */
  guint won;        /* pages that it fitted best */
} Engine;

static Engine engines[OCR_MAX_CHOSEN + 1];
static guint n_engines;
static int trials = TRIALS;

const char *ocr_engine_version (void)
{
  return TessVersion ();
}

static Engine *engine_of (const OcrLanguage *language)
{
  for (guint i = 0; i < n_engines; i++)
    if (engines[i].language == language)
      return engines[i].api ? &engines[i] : NULL;
  if (n_engines == G_N_ELEMENTS (engines))
    return NULL;
  Engine *engine = &engines[n_engines++];
  engine->language = language;
  engine->api = TessBaseAPICreate ();
  if (TessBaseAPIInit5 (engine->api, (const char *)language->bytes, (int)language->size, language->name, OEM_LSTM_ONLY,
                        NULL, 0, NULL, NULL, 0, FALSE)
      != 0) {
    TessBaseAPIDelete (engine->api);
    engine->api = NULL;
    return NULL;
  }
  TessBaseAPISetPageSegMode (engine->api, PSM_AUTO);
  return engine;
}

/* ---- one language ---------------------------------------------------------------------------------------- */

typedef struct {
  OcrPage *page;
  guint first;        /* word of the line at hand */
  gsize first_byte;   /* of its text */
  float sum, weight;  /* of its confidences, by characters */
  float total, count; /* of all that is kept */
} Collector;

/* Ends a line: it is kept when most of it was read with confidence. */
static void end_line (Collector *collector)
{
  OcrPage *page = collector->page;
  guint n = page->words->len - collector->first;
  if (n > 0 && collector->sum < MIN_LINE_CONFIDENCE * collector->weight) {
    g_array_set_size (page->words, collector->first);
    g_string_truncate (page->text, collector->first_byte);
  } else {
    guint32 y0 = G_MAXUINT32, y1 = 0, highest = 0;
    for (guint i = 0; i < n; i++) {
      const OcrWord *word = &g_array_index (page->words, OcrWord, collector->first + i);
      y0 = MIN (y0, word->y0);
      y1 = MAX (y1, word->y1);
      highest = MAX (highest, word->y1 - word->y0);
    }
    for (guint i = 0; i < n && (float)(y1 - y0) < STRAIGHT * (float)highest; i++) {
      OcrWord *word = &g_array_index (page->words, OcrWord, collector->first + i);
      word->y0 = y0;
      word->y1 = y1;
    }
    collector->total += collector->sum;
    collector->count += collector->weight;
  }
  collector->first = page->words->len;
  collector->first_byte = page->text->len;
  collector->sum = collector->weight = 0;
}

static void add_word (Collector *collector, const char *text, float confidence, const int box[4], const OcrImage *image,
                      guint32 line)
{
  OcrPage *page = collector->page;
  gsize length = strlen (text);
  float characters = (float)g_utf8_strlen (text, (gssize)length);
  collector->sum += confidence * characters;
  collector->weight += characters;
  if (confidence < MIN_WORD_CONFIDENCE || page->words->len >= MAX_WORDS)
    return;
  OcrWord word = { (guint32)page->text->len,
                   (guint32)length,
                   (guint32)CLAMP (box[0], 0, image->width),
                   (guint32)CLAMP (box[1], 0, image->height),
                   (guint32)CLAMP (box[2], 0, image->width),
                   (guint32)CLAMP (box[3], 0, image->height),
                   line };
  if (word.x1 <= word.x0 || word.y1 <= word.y0)
    return;
  g_string_append_len (page->text, text, (gssize)length);
  g_array_append_val (page->words, word);
}

static void collect (TessBaseAPI *api, const OcrImage *image, OcrPage *page)
{
  TessResultIterator *iterator = TessBaseAPIGetIterator (api);
  if (!iterator)
    return;
  const TessPageIterator *place = TessResultIteratorGetPageIteratorConst (iterator);
  Collector collector = { .page = page };
  guint32 line = 0;
  do {
    if (TessPageIteratorIsAtBeginningOf (place, RIL_TEXTLINE)) {
      end_line (&collector);
      line++;
    }
    int box[4] = { 0 };
    char *text = TessResultIteratorGetUTF8Text (iterator, RIL_WORD);
    if (text && *text && g_utf8_validate (text, -1, NULL)
        && TessPageIteratorBoundingBox (place, RIL_WORD, &box[0], &box[1], &box[2], &box[3]))
      add_word (&collector, g_strstrip (text), TessResultIteratorConfidence (iterator, RIL_WORD), box, image, line);
    TessDeleteText (text);
  } while (TessResultIteratorNext (iterator, RIL_WORD));
  end_line (&collector);
  TessResultIteratorDelete (iterator);
  float mean = collector.count > 0 ? collector.total / collector.count : 0;
  if (mean < MIN_PAGE_CONFIDENCE) {
    g_array_set_size (page->words, 0);
    g_string_truncate (page->text, 0);
    mean = 0;
  }
  page->confidence = (guint32)CLAMP (mean + 0.5f, 0, 100);
}

static OcrPage *recognize_with (Engine *engine, const OcrImage *image)
{
  TessBaseAPISetImage (engine->api, image->pixels, image->width, image->height, 1, image->stride);
  TessBaseAPISetSourceResolution (engine->api, image->dpi);
  OcrPage *page = NULL;
  if (TessBaseAPIRecognize (engine->api, NULL) == 0) {
    page = ocr_page_new ();
    collect (engine->api, image, page);
  }
  TessBaseAPIClear (engine->api);
  return page;
}

/* ---- several --------------------------------------------------------------------------------------------- */

/* The language that the text itself shows to be in, if it is installed; or NULL. */
static const OcrLanguage *language_of (const OcrPage *page)
{
  if (page->text->len < DETECT_MIN_BYTES)
    return NULL;
  g_autoptr (GString) spaced = g_string_new (NULL);
  for (guint i = 0; i < page->words->len; i++) {
    const OcrWord *word = &g_array_index (page->words, OcrWord, i);
    g_string_append_len (spaced, page->text->str + word->start, word->length);
    g_string_append_c (spaced, ' ');
  }
  return ocr_languages_find (lectern_language_detect (spaced->str, (gssize)spaced->len));
}

/* Recognises the image in another language and keeps the better of both. */
static void try_language (const OcrLanguage *language, const OcrImage *image, OcrPage **best, Engine **engine,
                          guint bonus)
{
  Engine *other = engine_of (language);
  OcrPage *page = other ? recognize_with (other, image) : NULL;
  if (page
      && (guint64)(page->confidence + bonus) * page->text->len > (guint64)(*best)->confidence * (*best)->text->len) {
    ocr_page_free (*best);
    *best = g_steal_pointer (&page);
    *engine = other;
  }
  ocr_page_free (page);
}

OcrPage *ocr_recognize (const OcrImage *image, const OcrLanguage *const *languages, guint n_languages)
{
  Engine *engine = NULL;
  for (guint i = 0; i < n_engines; i++)
    if (engines[i].api && engines[i].won > 0 && (!engine || engines[i].won > engine->won))
      engine = &engines[i];
  for (guint i = 0; i < n_languages && !engine; i++)
    engine = engine_of (languages[i]);
  OcrPage *best = engine ? recognize_with (engine, image) : NULL;
  if (!best)
    return NULL;
  const OcrLanguage *first = engine->language, *shown = language_of (best);
  if (shown && shown != first)
    /* The words tell the language; its own data knows its letters. */
    try_language (shown, image, &best, &engine, DETECTED_BONUS);
  else if (!shown && best->confidence < SURE_CONFIDENCE && trials > 0 && n_languages > 1) {
    trials--;
    for (guint i = 0; i < n_languages; i++)
      if (languages[i] != first)
        try_language (languages[i], image, &best, &engine, 0);
  }
  if (best->words->len > 0)
    engine->won++;
  return best;
}

#else

const char *ocr_engine_version (void)
{
  return NULL;
}

OcrPage *ocr_recognize (const OcrImage *image, const OcrLanguage *const *languages, guint n_languages)
{
  return NULL;
}

#endif
