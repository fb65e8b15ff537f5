/* languages.h: the languages that tesseract is installed for. Their data is mapped once, before any document; a child
 * that reads a document opens no files. */
#ifndef LECTERN_EXTRACT_OCR_LANGUAGES_H
#define LECTERN_EXTRACT_OCR_LANGUAGES_H

#include <glib.h>

#define OCR_MAX_CHOSEN 3u

typedef struct {
  char *name;          /* as tesseract has it: "eng", "chi_sim" */
  const guint8 *bytes; /* of NAME.traineddata, mapped read-only */
  gsize size;
} OcrLanguage;

/* Looks into $TESSDATA_PREFIX, or else the folders where distributions put the data, and maps what is there. Cheap: the
 * files are not read. */
void ocr_languages_load (void);
guint ocr_languages_count (void);

/* The installed language for a BCP 47 tag ("de", "pt-BR", "zh-Hant"), or NULL. */
const OcrLanguage *ocr_languages_find (const char *tag);
/* tesseract's name for a tag, installed or not: what the package tesseract-ocr-NAME is called after; or NULL. */
const char *ocr_languages_name (const char *tag);

/* Chooses up to OCR_MAX_CHOSEN of the installed languages to try, likeliest first: those of `tags` (some may be NULL),
 * the user's, English, then any. Returns how many. */
guint ocr_languages_choose (const char *const *tags, guint n_tags, const OcrLanguage *chosen[OCR_MAX_CHOSEN]);

#endif
