#include "ingest/extract/ocr/record.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Before the words and the text. */
typedef struct {
  guint32 confidence, n_words, text_bytes;
} Head;

void ocr_record_encode (const OcrPage *page, GByteArray *out)
{
  Head head = { page->confidence, page->words->len, (guint32)page->text->len };
  g_byte_array_append (out, (const guint8 *)&head, sizeof head);
  g_byte_array_append (out, (const guint8 *)page->words->data, page->words->len * (guint)sizeof (OcrWord));
  g_byte_array_append (out, (const guint8 *)page->text->str, (guint)page->text->len);
}

static gboolean starts_character (const char *text, gsize size, gsize at)
{
  return at >= size || ((guchar)text[at] & 0xc0) != 0x80;
}

OcrPage *ocr_record_decode (const guint8 *bytes, gsize size, int width, int height)
{
  Head head;
  if (size < sizeof head)
    return NULL;
  memcpy (&head, bytes, sizeof head);
  gsize left = size - sizeof head;
  if (head.confidence > 100 || head.n_words > left / sizeof (OcrWord)
      || head.text_bytes != left - head.n_words * sizeof (OcrWord))
    return NULL;
  const char *text = (const char *)bytes + size - head.text_bytes;
  if (!g_utf8_validate_len (text, head.text_bytes, NULL))
    return NULL;
  OcrPage *page = ocr_page_new ();
  page->confidence = head.confidence;
  g_string_append_len (page->text, text, (gssize)head.text_bytes);
  guint32 line = 0;
  for (guint32 i = 0; i < head.n_words; i++) {
    OcrWord word;
    memcpy (&word, bytes + sizeof head + i * sizeof word, sizeof word);
    if (word.start > head.text_bytes || word.length == 0 || word.length > head.text_bytes - word.start
        || !starts_character (text, head.text_bytes, word.start)
        || !starts_character (text, head.text_bytes, (gsize)word.start + word.length) || word.x0 >= word.x1
        || word.y0 >= word.y1 || word.x1 > (guint32)width || word.y1 > (guint32)height || word.line < line) {
      ocr_page_free (page);
      return NULL;
    }
    line = word.line;
    g_array_append_val (page->words, word);
  }
  return page;
}

/* ---- those of earlier runs ------------------------------------------------------------------------------- */

static GHashTable *records; /* key (in the mapped file) → where its record begins in it */
static const guint8 *mapped;

static guint hash_key (gconstpointer key)
{
  guint hash;
  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean same_key (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, RECOGNITION_KEY_BYTES) == 0;
}

void ocr_records_open (int fd)
{
  struct stat information;
  if (fd < 0 || records || fstat (fd, &information) != 0 || information.st_size < (off_t)RECOGNITION_MAGIC_BYTES
      || information.st_size > (off_t)RECOGNITION_MAX_FILE_BYTES)
    return;
  gsize size = (gsize)information.st_size, at = RECOGNITION_MAGIC_BYTES;
  void *bytes = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED || memcmp (bytes, RECOGNITION_MAGIC, RECOGNITION_MAGIC_BYTES) != 0)
    return;
  mapped = bytes;
  records = g_hash_table_new (hash_key, same_key);
  while (size - at >= sizeof (RecognitionRecord)) {
    RecognitionRecord record;
    memcpy (&record, mapped + at, sizeof record);
    if (record.mark != RECOGNITION_RECORD_MARK || record.payload_bytes > RECOGNITION_MAX_PAYLOAD
        || record.payload_bytes > size - at - sizeof record)
      break;
    g_hash_table_insert (records, (gpointer)(mapped + at + G_STRUCT_OFFSET (RecognitionRecord, key)),
                         GSIZE_TO_POINTER (at));
    at += sizeof record + record.payload_bytes;
  }
}

OcrPage *ocr_records_find (const guint8 key[RECOGNITION_KEY_BYTES], int width, int height)
{
  gsize at = records ? GPOINTER_TO_SIZE (g_hash_table_lookup (records, key)) : 0;
  if (at == 0)
    return NULL;
  RecognitionRecord record;
  memcpy (&record, mapped + at, sizeof record);
  return ocr_record_decode (mapped + at + sizeof record, record.payload_bytes, width, height);
}
