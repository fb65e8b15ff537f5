#include "retrieval/library/spans.h"

#include <math.h>
#include <string.h>

enum { SPANS_VERSION = 1, UNITS_PER_POINT = 16, N_FIELDS = 7 };

static void put (GByteArray *out, gint64 value)
{
  guint64 zigzag = ((guint64)value << 1) ^ (guint64)(value >> 63);
  guint8 byte;
  do {
    byte = (guint8)(zigzag & 0x7F);
    zigzag >>= 7;
    if (zigzag)
      byte |= 0x80;
    g_byte_array_append (out, &byte, 1);
  } while (zigzag);
}

static gboolean get (const guint8 **p, const guint8 *end, gint64 *value)
{
  guint64 zigzag = 0;
  for (guint shift = 0; shift < 63 && *p < end; shift += 7) {
    guint8 byte = *(*p)++;
    zigzag |= (guint64)(byte & 0x7F) << shift;
    if (!(byte & 0x80)) {
      *value = (gint64)(zigzag >> 1) ^ -(gint64)(zigzag & 1);
      return TRUE;
    }
  }
  return FALSE;
}

static gint64 to_units (float points)
{
  return isfinite (points) ? (gint64)lrintf (CLAMP (points, -1e6f, 1e6f) * UNITS_PER_POINT) : 0;
}

GByteArray *lectern_spans_encode (const GArray *spans)
{
  GByteArray *out = g_byte_array_new ();
  guint8 version = SPANS_VERSION;
  gint64 last[N_FIELDS] = { 0 };
  if (!spans || spans->len == 0)
    return out;
  g_byte_array_append (out, &version, 1);
  for (guint i = 0; i < spans->len; i++) {
    const LecternSpan *span = &g_array_index (spans, LecternSpan, i);
    gint64 now[N_FIELDS] = { (gint64)span->start + span->length,
                             span->length,
                             span->rect.page,
                             to_units (span->rect.x),
                             to_units (span->rect.y),
                             to_units (span->rect.width),
                             to_units (span->rect.height) };
    put (out, (gint64)span->start - last[0]);
    put (out, now[1]);
    for (int f = 2; f < N_FIELDS; f++)
      put (out, now[f] - last[f]);
    memcpy (last, now, sizeof last);
  }
  return out;
}

GArray *lectern_spans_decode (const guint8 *bytes, gsize length, gsize text_length)
{
  GArray *spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  gint64 last[N_FIELDS] = { 0 };
  if (!bytes || length == 0 || bytes[0] != SPANS_VERSION)
    return spans;
  for (const guint8 *p = bytes + 1, *end = bytes + length; p < end;) {
    gint64 field[N_FIELDS];
    for (int f = 0; f < N_FIELDS; f++) {
      if (!get (&p, end, &field[f]) || field[f] < -G_MAXINT32 || field[f] > G_MAXINT32)
        return spans;
      if (f >= 2)
        field[f] += last[f];
      if (field[f] < -(gint64)G_MAXINT32 || field[f] > G_MAXINT32)
        return spans;
    }
    gint64 start = last[0] + field[0];
    memcpy (last + 1, field + 1, sizeof last - sizeof *last);
    last[0] = start + field[1];
    if (start < 0 || field[1] < 0 || (guint64)last[0] > text_length)
      continue;
    LecternSpan span = { .start = (guint32)start,
                         .length = (guint32)field[1],
                         .rect = { .page = (int)field[2],
                                   .x = (float)field[3] / UNITS_PER_POINT,
                                   .y = (float)field[4] / UNITS_PER_POINT,
                                   .width = (float)field[5] / UNITS_PER_POINT,
                                   .height = (float)field[6] / UNITS_PER_POINT } };
    g_array_append_val (spans, span);
  }
  return spans;
}
