#include "ingest/extract/mail/mime.h"

#include <string.h>

static int base64_value (guint8 c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* What is not of the alphabet is passed over; data may go on after padding. */
static gsize decode_base64 (const guint8 *in, gsize size, guint8 *out)
{
  gsize n = 0;
  guint32 bits = 0;
  guint n_bits = 0;
  for (gsize i = 0; i < size; i++) {
    int value = base64_value (in[i]);
    if (in[i] == '=')
      n_bits = 0;
    if (value < 0)
      continue;
    bits = bits << 6 | (guint32)value;
    n_bits += 6;
    if (n_bits >= 8) {
      n_bits -= 8;
      out[n++] = (guint8)(bits >> n_bits);
    }
  }
  return n;
}

static gsize decode_quoted_printable (const guint8 *in, gsize size, guint8 *out)
{
  gsize n = 0;
  for (gsize i = 0; i < size;) {
    if (in[i] == '=') {
      gsize at = i + 1;
      if (size - i >= 3 && g_ascii_isxdigit (in[i + 1]) && g_ascii_isxdigit (in[i + 2])) {
        out[n++] = (guint8)(g_ascii_xdigit_value ((char)in[i + 1]) << 4 | g_ascii_xdigit_value ((char)in[i + 2]));
        i += 3;
        continue;
      }
      while (at < size && (in[at] == ' ' || in[at] == '\t'))
        at++;
      if (at < size && in[at] == '\r')
        at++;
      if (at == size || in[at] == '\n') { /* a soft line break */
        i = MIN (at + 1, size);
        continue;
      }
    } else if (in[i] == ' ' || in[i] == '\t') {
      /* White space at a line's end came on the way. Each run is passed over once. */
      gsize at = i;
      while (at < size && (in[at] == ' ' || in[at] == '\t'))
        at++;
      if (!(at == size || in[at] == '\n' || (in[at] == '\r' && at + 1 < size && in[at + 1] == '\n'))) {
        memcpy (out + n, in + i, at - i);
        n += at - i;
      }
      i = at;
      continue;
    }
    out[n++] = in[i++];
  }
  return n;
}

/* One line of uuencoded data to out; how many bytes. */
static gsize decode_uu_line (const char *line, gsize length, guint8 *out)
{
  gsize wanted = length > 0 ? (gsize)((line[0] - 32) & 63) : 0, n = 0;
  for (gsize at = 1; n < wanted && at < length; at += 4) {
    guint32 bits = 0;
    for (gsize k = 0; k < 4; k++) /* spaces at the end may be lost */
      bits = bits << 6 | (at + k < length ? (guint32)((line[at + k] - 32) & 63) : 0);
    for (int shift = 16; shift >= 0 && n < wanted; shift -= 8)
      out[n++] = (guint8)(bits >> shift);
  }
  return n;
}

guint8 *mime_decode_uu (const char *text, gsize length, gsize *size, char **name, gsize *consumed)
{
  const char *end = text + length, *at = text + 6;
  gsize digits = 0;
  if (length < 12 || memcmp (text, "begin ", 6) != 0)
    return NULL;
  while (at < end && *at >= '0' && *at <= '7') {
    at++;
    digits++;
  }
  if (digits < 3 || digits > 4 || at >= end || *at != ' ')
    return NULL;
  at++;
  const char *line_end = memchr (at, '\n', (gsize)(end - at));
  /* The line after it must have the length that it says. */
  if (!line_end || line_end == at || line_end + 1 >= end)
    return NULL;
  g_autofree char *found = g_strstrip (g_strndup (at, (gsize)(line_end - at)));
  guint8 *out = g_malloc ((gsize)(end - line_end) + 64);
  gsize n = 0;
  gboolean first = TRUE, ended = FALSE;
  for (at = line_end + 1; at < end && !ended; first = FALSE) {
    const char *feed = memchr (at, '\n', (gsize)(end - at));
    const char *next = feed ? feed + 1 : end;
    gsize line = (gsize)((feed ? feed : end) - at);
    if (line > 0 && at[line - 1] == '\r')
      line--;
    if (line >= 3 && memcmp (at, "end", 3) == 0) {
      ended = TRUE;
    } else if (line > 0) {
      gsize says = (gsize)((at[0] - 32) & 63), needs = (says + 2) / 3 * 4;
      if (at[0] < 32 || at[0] > 96 || line > needs + 4 || (first && line < needs / 2 + 1))
        break;
      n += decode_uu_line (at, line, out + n);
    }
    at = next;
  }
  if (n == 0) {
    g_free (out);
    return NULL;
  }
  out[n] = '\0';
  *size = n;
  *name = g_steal_pointer (&found);
  *consumed = (gsize)(at - text);
  return out;
}

guint8 *mime_decode_body (const MimePart *part, gsize *size)
{
  g_autofree char *field = mime_dup_field (part, "Content-Transfer-Encoding");
  g_autofree char *encoding = field ? g_strstrip (g_ascii_strdown (field, -1)) : g_strdup ("");
  encoding[strcspn (encoding, "; \t")] = '\0';
  if (strstr (encoding, "uue")) {
    const char *text = (const char *)part->body;
    for (gsize at = 0; at < part->body_size;) {
      char *name = NULL;
      gsize consumed;
      guint8 *data = mime_decode_uu (text + at, part->body_size - at, size, &name, &consumed);
      g_free (name);
      if (data)
        return data;
      const char *feed = memchr (text + at, '\n', part->body_size - at);
      at = feed ? (gsize)(feed + 1 - text) : part->body_size;
    }
  }
  guint8 *out = g_malloc (part->body_size + 1);
  if (strcmp (encoding, "base64") == 0)
    *size = decode_base64 (part->body, part->body_size, out);
  else if (strcmp (encoding, "quoted-printable") == 0)
    *size = decode_quoted_printable (part->body, part->body_size, out);
  else {
    memcpy (out, part->body, part->body_size);
    *size = part->body_size;
  }
  out[*size] = '\0';
  return out;
}
