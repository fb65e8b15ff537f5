/* recognizer.h: from the grey image of a page to words. Knows tesseract and nothing of PDF. */
#ifndef LECTERN_EXTRACT_OCR_RECOGNIZER_H
#define LECTERN_EXTRACT_OCR_RECOGNIZER_H

#include "ingest/extract/ocr/languages.h"

/* Rows of `stride` bytes, 0 black to 255 white. */
typedef struct {
  const guint8 *pixels;
  int width, height, stride, dpi;
} OcrImage;

/* In pixels from the top left corner. */
typedef struct {
  guint32 start, length;  /* in OcrPage.text, at least one byte, whole characters */
  guint32 x0, y0, x1, y1; /* y of the whole line of print, where it is straight */
  guint32 line;           /* ascends */
} OcrWord;

typedef struct {
  GString *text;      /* UTF-8: the words, one behind the other */
  GArray *words;      /* of OcrWord, in tesseract's order */
  guint32 confidence; /* mean of the words kept, % */
} OcrPage;

OcrPage *ocr_page_new (void);
void ocr_page_free (OcrPage *page);

/* Names the engine and its version for keys of the cache; NULL: it is not built in. */
const char *ocr_engine_version (void);

/* Recognises the image in the one of the languages that fits it best. What tesseract is not sure of is dropped: a page
 * of pictures has no words. NULL: it cannot be done (out of memory, data that tesseract refuses). Remembers what fitted
 * earlier pages of the same document and tries that first. */
OcrPage *ocr_recognize (const OcrImage *image, const OcrLanguage *const *languages, guint n_languages);

#endif
