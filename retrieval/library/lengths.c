#include "retrieval/library/lengths.h"

#include <string.h>

#include "retrieval/search/words.h"

enum { LENGTHS_VERSION = 1 };

guint32 lectern_count_words (const char *text)
{
  LecternWalker walker = { text, strlen (text), 0 };
  LecternWord word;
  guint32 n = 0;
  while (lectern_walker_next (&walker, &word)) {
    if (!word.ngram) {
      n += word.n_parts;
      continue;
    }
    for (gsize pos = word.start; pos < word.end; n++)
      pos += lectern_char_length (text + pos, word.end - pos);
  }
  return n;
}

static void put (GByteArray *bytes, guint32 value)
{
  do {
    guint8 byte = (guint8)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    g_byte_array_append (bytes, &byte, 1);
    value >>= 7;
  } while (value);
}

static guint32 get (const guint8 **p, const guint8 *end)
{
  guint32 value = 0;
  for (guint shift = 0; shift < 28 && *p < end; shift += 7) {
    guint8 byte = *(*p)++;
    value |= (guint32)(byte & 0x7F) << shift;
    if (!(byte & 0x80))
      return value;
  }
  return 1;
}

GByteArray *lectern_lengths_begin (const char *title)
{
  guint8 version = LENGTHS_VERSION;
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, &version, 1);
  put (bytes, lectern_count_words (title));
  return bytes;
}

void lectern_lengths_add (GByteArray *bytes, const char *heading, const char *text)
{
  put (bytes, lectern_count_words (heading));
  put (bytes, lectern_count_words (text));
}

void lectern_lengths_decode (const guint8 *bytes, gsize length, guint n_chunks, GArray *lengths)
{
  static const guint8 none[] = { LENGTHS_VERSION };
  if (!bytes || length == 0 || bytes[0] != LENGTHS_VERSION) {
    bytes = none;
    length = 1;
  }
  const guint8 *p = bytes + 1, *end = bytes + length;
  guint32 title = get (&p, end);
  for (guint i = 0; i < n_chunks; i++) {
    LecternLengths chunk = { .title = title };
    chunk.heading = get (&p, end);
    chunk.body = get (&p, end);
    g_array_append_val (lengths, chunk);
  }
}
