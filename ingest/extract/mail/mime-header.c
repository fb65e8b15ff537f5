#include "ingest/extract/mail/mime.h"

#include "ingest/extract/text/encoding.h"

#include <string.h>

/* Beyond this a header is not looked at, and a field is cut. */
#define MAX_HEADER_BYTES (256u << 10)
#define MAX_FIELD_BYTES (32u << 10)
#define MAX_SEGMENTS 100u
#define MAX_WORD_BYTES 2000 /* RFC 2047 allows 75 */

char *mime_dup_field (const MimePart *part, const char *name)
{
  const guint8 *at = part->header, *end = at + MIN (part->header_size, MAX_HEADER_BYTES);
  gsize length = strlen (name);
  while (at < end) {
    const guint8 *feed = memchr (at, '\n', (gsize)(end - at));
    const guint8 *next = feed ? feed + 1 : end;
    const guint8 *value = at + length;
    gboolean found = (gsize)(next - at) > length && g_ascii_strncasecmp ((const char *)at, name, length) == 0;
    while (found && value < next && (*value == ' ' || *value == '\t'))
      value++;
    if (!found || value >= next || *value != ':') {
      at = next;
      continue;
    }
    while (next < end && (*next == ' ' || *next == '\t')) {
      feed = memchr (next, '\n', (gsize)(end - next));
      next = feed ? feed + 1 : end;
    }
    g_autoptr (GString) text = g_string_new (NULL);
    for (value++; value < next && text->len < MAX_FIELD_BYTES; value++)
      if (*value != '\0' && *value != '\r' && *value != '\n')
        g_string_append_c (text, (char)*value);
    return g_strdup (g_strstrip (text->str));
  }
  return NULL;
}

/* ---- encoded words ---- */

typedef struct {
  const char *charset, *text, *end; /* of "=?charset?B?text?="; `end` is behind it */
  gsize charset_length, text_length;
  gboolean base64;
} EncodedWord;

static gboolean read_word (const char *at, EncodedWord *word)
{
  if (at[0] != '=' || at[1] != '?')
    return FALSE;
  word->charset = at + 2;
  const char *mark = strchr (word->charset, '?');
  if (!mark || mark == word->charset || mark - word->charset > 60 || !mark[1] || mark[2] != '?')
    return FALSE;
  word->charset_length = strcspn (word->charset, "?*"); /* RFC 2231: "*language" */
  char kind = g_ascii_toupper (mark[1]);
  word->base64 = kind == 'B';
  word->text = mark + 3;
  const char *close = g_strstr_len (word->text, MAX_WORD_BYTES, "?=");
  if ((kind != 'B' && kind != 'Q') || !close)
    return FALSE;
  word->text_length = (gsize)(close - word->text);
  word->end = close + 2;
  return TRUE;
}

/* The bytes that a word stands for. */
static void append_word (GByteArray *bytes, const EncodedWord *word)
{
  if (word->base64) {
    g_autofree char *text = g_strndup (word->text, word->text_length);
    gsize n = 0;
    g_autofree guint8 *data = g_base64_decode (text, &n);
    g_byte_array_append (bytes, data, (guint)n);
    return;
  }
  for (gsize i = 0; i < word->text_length; i++) {
    guint8 c = (guint8)word->text[i];
    if (c == '_') {
      c = ' ';
    } else if (c == '=' && word->text_length - i >= 3 && g_ascii_isxdigit (word->text[i + 1])
               && g_ascii_isxdigit (word->text[i + 2])) {
      c = (guint8)(g_ascii_xdigit_value (word->text[i + 1]) << 4 | g_ascii_xdigit_value (word->text[i + 2]));
      i += 2;
    }
    g_byte_array_append (bytes, &c, 1);
  }
}

static void append_decoded (GString *out, const guint8 *bytes, gsize size, const char *charset)
{
  gsize length;
  g_autofree char *text = encoding_decode (bytes, size, charset, &length, NULL);
  g_string_append_len (out, text, (gssize)length);
}

/* Words of one charset that follow each other are decoded together: a character may be cut between them. Bytes outside
 * of words that are no ASCII are taken in whatever encoding they are in. */
static char *decode_words (const char *value)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *at = value;
  while (*at) {
    EncodedWord word;
    const char *plain = at;
    while (*at && !read_word (at, &word))
      at++;
    append_decoded (out, (const guint8 *)plain, (gsize)(at - plain), NULL);
    while (*at && read_word (at, &word)) {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      g_autofree char *charset = g_strndup (word.charset, word.charset_length);
      for (gboolean more = TRUE; more;) {
        append_word (bytes, &word);
        at = word.end;
        EncodedWord next;
        const char *after = at + strspn (at, " \t");
        more = read_word (after, &next) && next.charset_length == strlen (charset)
               && g_ascii_strncasecmp (next.charset, charset, next.charset_length) == 0;
        if (more)
          word = next;
      }
      append_decoded (out, bytes->data, bytes->len, charset);
      const char *after = at + strspn (at, " \t");
      if (read_word (after, &word))
        at = after;
    }
  }
  /* White space as one space; no control characters. */
  GString *clean = g_string_sized_new (out->len);
  gboolean space = FALSE;
  for (const char *c = out->str; *c; c++) {
    if ((guchar)*c <= ' ' || *c == 0x7F) {
      space = clean->len > 0;
      continue;
    }
    if (space)
      g_string_append_c (clean, ' ');
    space = FALSE;
    g_string_append_c (clean, *c);
  }
  return g_string_free (clean, FALSE);
}

char *mime_dup_text_field (const MimePart *part, const char *name)
{
  g_autofree char *value = mime_dup_field (part, name);
  return value ? decode_words (value) : NULL;
}

/* ---- parameters ---- */

typedef struct {
  int index; /* of a continuation; -1: the parameter as a whole */
  gboolean extended;
  char *value;
} Segment;

static void segment_clear (gpointer data)
{
  Segment *segment = data;
  g_free (segment->value);
}

static int compare_segments (gconstpointer a, gconstpointer b)
{
  return ((const Segment *)a)->index - ((const Segment *)b)->index;
}

/* Reads a value at *at, quoted or not, and goes behind it. */
static char *read_value (const char **at)
{
  const char *text = *at;
  if (*text != '"') {
    gsize length = strcspn (text, ";");
    *at = text + length;
    return g_strchomp (g_strndup (text, length));
  }
  GString *value = g_string_new (NULL);
  for (text++; *text && *text != '"'; text++) {
    if (*text == '\\' && text[1])
      text++;
    g_string_append_c (value, *text);
  }
  *at = text + strcspn (text, ";");
  return g_string_free (value, FALSE);
}

/* What "name*1*" says, if its name is the one wanted. */
static gboolean read_key (const char *key, gsize length, const char *wanted, Segment *segment)
{
  gsize name = strlen (wanted);
  *segment = (Segment){ .index = -1 };
  if (length < name || g_ascii_strncasecmp (key, wanted, name) != 0)
    return FALSE;
  const char *rest = key + name, *end = key + length;
  if (rest < end && *rest == '*' && rest + 1 < end && g_ascii_isdigit (rest[1])) {
    int index = 0;
    for (rest++; rest < end && g_ascii_isdigit (*rest); rest++)
      index = MIN (index * 10 + (*rest - '0'), 10000);
    segment->index = index;
  }
  if (rest < end && *rest == '*') {
    segment->extended = TRUE;
    rest++;
  }
  return rest == end;
}

static void append_percent (GByteArray *bytes, const char *text, gboolean decode)
{
  for (; *text; text++) {
    guint8 c = (guint8)*text;
    if (decode && c == '%' && g_ascii_isxdigit (text[1]) && g_ascii_isxdigit (text[2])) {
      c = (guint8)(g_ascii_xdigit_value (text[1]) << 4 | g_ascii_xdigit_value (text[2]));
      text += 2;
    }
    g_byte_array_append (bytes, &c, 1);
  }
}

static char *join_segments (GArray *segments)
{
  if (segments->len == 0)
    return NULL;
  g_array_sort (segments, compare_segments);
  const Segment *first = &g_array_index (segments, Segment, 0);
  /* "name*" says more than "name", and both more than continuations that come along. */
  guint n = segments->len;
  if (first->index < 0) {
    for (guint i = 1; i < segments->len && !first->extended; i++)
      if (g_array_index (segments, Segment, i).index < 0 && g_array_index (segments, Segment, i).extended)
        first = &g_array_index (segments, Segment, i);
    if (!first->extended && n == 1)
      return decode_words (first->value);
    n = first->extended ? 1 : n;
  }
  g_autofree char *charset = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gboolean extended = FALSE;
  for (guint i = 0; i < n; i++) {
    const Segment *segment = n == 1 ? first : &g_array_index (segments, Segment, i);
    const char *value = segment->value;
    if (n > 1 && segment->index < 0)
      continue;
    if (segment->extended && !extended) {
      const char *quote = strchr (value, '\'');
      const char *second = quote ? strchr (quote + 1, '\'') : NULL;
      if (second) {
        charset = g_strndup (value, (gsize)(quote - value));
        value = second + 1;
      }
      extended = TRUE;
    }
    append_percent (bytes, value, segment->extended);
  }
  if (!extended) {
    g_autofree char *joined = g_strndup ((const char *)bytes->data, bytes->len);
    return decode_words (joined ? joined : ""); /* continuations may be empty, all of them */
  }
  return encoding_decode (bytes->data, bytes->len, charset, NULL, NULL);
}

char *mime_dup_parameter (const MimePart *part, const char *field, const char *parameter)
{
  g_autofree char *value = mime_dup_field (part, field);
  if (!value)
    return NULL;
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  g_array_set_clear_func (segments, segment_clear);
  const char *at = value + strcspn (value, ";");
  while (*at && segments->len < MAX_SEGMENTS) {
    at += strspn (at, "; \t");
    gsize length = strcspn (at, "=; \t");
    const char *key = at;
    at += length;
    at += strspn (at, " \t");
    if (*at != '=') {
      if (length == 0 && *at)
        at++;
      at += strcspn (at, ";");
      continue;
    }
    at++;
    at += strspn (at, " \t");
    char *text = read_value (&at);
    Segment segment;
    if (read_key (key, length, parameter, &segment)) {
      segment.value = text;
      g_array_append_val (segments, segment);
    } else {
      g_free (text);
    }
  }
  return join_segments (segments);
}

/* ---- dates ---- */

/* Reads a number of at most `digits` digits; -1: there is none. */
static int read_number (const char **at, guint digits)
{
  int value = g_ascii_isdigit (**at) ? 0 : -1;
  for (; digits > 0 && g_ascii_isdigit (**at); digits--, (*at)++)
    value = value * 10 + (**at - '0');
  return value;
}

/* The month, from 1, at *at; 0: none is named there. */
static int read_month (const char **at)
{
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int month = 0;
  for (int i = 0; i < 12 && month == 0; i++)
    if (g_ascii_strncasecmp (*at, months + 3 * i, 3) == 0)
      month = i + 1;
  while (g_ascii_isalpha (**at))
    (*at)++;
  return month;
}

char *mime_date_to_iso (const char *date)
{
  const char *at = date + strcspn (date, "0123456789"); /* past the day of the week */
  int day = read_number (&at, 2);
  at += strspn (at, " -");
  int month = read_month (&at);
  at += strspn (at, " -.,");
  int year = read_number (&at, 4);
  if (year >= 0 && year < 1000)
    year += year < 50 ? 2000 : 1900; /* RFC 5322, 4.3 */
  if (day < 1 || month == 0 || year < 1 || !g_date_valid_dmy ((GDateDay)day, (GDateMonth)month, (GDateYear)year))
    return NULL;
  GString *iso = g_string_new (NULL);
  g_string_printf (iso, "%04d-%02d-%02d", year, month, day);
  at += strspn (at, " ");
  int hour = read_number (&at, 2), minute = -1, second = 0;
  if (*at == ':') {
    at++;
    minute = read_number (&at, 2);
  }
  if (minute >= 0 && *at == ':') {
    at++;
    second = read_number (&at, 2);
  }
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return g_string_free (iso, FALSE);
  g_string_append_printf (iso, "T%02d:%02d:%02d", hour, minute, second);
  at += strspn (at, " ");
  char sign = *at;
  if (sign == '+' || sign == '-') {
    at++;
    int offset = read_number (&at, 4);
    if (offset >= 0 && offset <= 1400 && offset % 100 < 60)
      g_string_append_printf (iso, "%c%02d:%02d", sign, offset / 100, offset % 100);
  } else if (g_str_has_prefix (at, "GMT") || g_str_has_prefix (at, "UT") || *at == 'Z') {
    g_string_append_c (iso, 'Z');
  }
  return g_string_free (iso, FALSE);
}
