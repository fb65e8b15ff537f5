/* record.h: recognised pages as bytes, and the ones that were kept from earlier runs. What was kept was written by a
 * process that had parsed hostile bytes, so nothing in it is believed. */
#ifndef LECTERN_EXTRACT_OCR_RECORD_H
#define LECTERN_EXTRACT_OCR_RECORD_H

#include "ingest/extract/ocr/recognizer.h"
#include "ingest/reader/recognition.h"

void ocr_record_encode (const OcrPage *page, GByteArray *out);
/* NULL: the bytes are no page of this size. */
OcrPage *ocr_record_decode (const guint8 *bytes, gsize size, int width, int height);

/* Takes note of the records in a file that recognition_cache_get_fd() gave; -1: there are none. Once per process. */
void ocr_records_open (int fd);
/* The page kept under a key, or NULL. */
OcrPage *ocr_records_find (const guint8 key[RECOGNITION_KEY_BYTES], int width, int height);

#endif
