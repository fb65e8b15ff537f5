/* ocr.h: whether text can be recognised in this process. */
#ifndef LECTERN_EXTRACT_OCR_OCR_H
#define LECTERN_EXTRACT_OCR_OCR_H

#include "ingest/extract/ocr/record.h"

typedef enum {
  OCR_READY,
  OCR_FORBIDDEN,   /* by the user */
  OCR_NOT_BUILT,   /* without tesseract */
  OCR_NO_LANGUAGE, /* no data of any language is installed */
} OcrState;

/* Once, before any document and any thread. Tesseract starts threads unless OMP_THREAD_LIMIT is 1 when the program
 * starts; where it is not, this starts the program again with it. */
void ocr_warm_up (char **argv);

/* In a child, before its document: whether the user wants recognition, and what is kept of earlier runs (or -1). */
void ocr_begin (gboolean wanted, int records_fd);
OcrState ocr_get_state (void);

#endif
