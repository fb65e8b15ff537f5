/* recognition.h: pages whose text was recognised, as they are kept between runs. Internal to ingest/.
 *
 * Recognising a page takes seconds, so each one is kept as soon as it is done, in a file of its document. The document's
 * own reader wrote what is in there (as FRAME_RECOGNIZED_PAGE), and no other document's reader is ever given it: a
 * hostile document can deceive only itself.
 *
 * A file: RECOGNITION_MAGIC, then records: RecognitionRecord, payload (ocr/record.h). Native byte order: a cache is not
 * carried to another machine. A reader stops at the first record that does not hold together. */
#ifndef LECTERN_RECOGNITION_H
#define LECTERN_RECOGNITION_H

#include "ingest/ingest.h"

#define RECOGNITION_MAGIC "LecternOCR\0\0\0\0\0\2" /* the last byte: version */
#define RECOGNITION_MAGIC_BYTES 16u
#define RECOGNITION_KEY_BYTES 32u /* SHA-256 of the page's image, the languages and the engine's version */
#define RECOGNITION_RECORD_MARK 0x50434f52u
#define RECOGNITION_MAX_PAYLOAD (8u << 20)
#define RECOGNITION_MAX_FILE_BYTES (128u << 20)

typedef struct {
  guint32 mark, payload_bytes;
  guint8 key[RECOGNITION_KEY_BYTES];
} RecognitionRecord;

/* The cache of one document while it is read. Never fails: without a cache pages are recognised again. */
typedef struct _RecognitionCache RecognitionCache;

/* path NULL: nothing is kept. */
RecognitionCache *recognition_cache_new (const char *path);
/* Drops what is older when the folder holds more than its share. */
void recognition_cache_free (RecognitionCache *cache);
/* The document's file, read-only, for its reader; -1: nothing is kept of it. The cache owns it. */
int recognition_cache_get_fd (const RecognitionCache *cache);
void recognition_cache_add (RecognitionCache *cache, const guint8 key[RECOGNITION_KEY_BYTES], const guint8 *payload,
                            gsize payload_bytes);

#endif
