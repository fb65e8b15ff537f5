#include "ingest/extract/text/encoding.h"

#include "ingest/extract/text/encoding-guess.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define LOOK_BYTES 65536
#define REPLACEMENT "\xEF\xBF\xBD"

/* Labels that pages use, as the WHATWG Encoding Standard maps them, with the name that iconv knows. The single-byte
 * Latin labels mean windows-1252 there, which is decoded here without iconv. */
typedef struct {
  const char *label, *name;
} Label;

static const Label labels[] = {
  { "utf-8", "UTF-8" },
  { "utf8", "UTF-8" },
  { "us-ascii", "UTF-8" }, /* what is not ASCII disproves it */
  { "ascii", "UTF-8" },
  { "iso-8859-1", "windows-1252" },
  { "iso8859-1", "windows-1252" },
  { "iso_8859-1", "windows-1252" },
  { "latin1", "windows-1252" },
  { "l1", "windows-1252" },
  { "windows-1252", "windows-1252" },
  { "cp1252", "windows-1252" },
  { "x-cp1252", "windows-1252" },
  { "iso-8859-2", "ISO-8859-2" },
  { "latin2", "ISO-8859-2" },
  { "iso-8859-3", "ISO-8859-3" },
  { "iso-8859-4", "ISO-8859-4" },
  { "iso-8859-5", "ISO-8859-5" },
  { "iso-8859-6", "ISO-8859-6" },
  { "iso-8859-7", "ISO-8859-7" },
  { "iso-8859-8", "ISO-8859-8" },
  { "iso-8859-9", "WINDOWS-1254" },
  { "windows-1254", "WINDOWS-1254" },
  { "iso-8859-10", "ISO-8859-10" },
  { "iso-8859-13", "ISO-8859-13" },
  { "iso-8859-15", "ISO-8859-15" },
  { "iso-8859-16", "ISO-8859-16" },
  { "koi8-r", "KOI8-R" },
  { "koi8-u", "KOI8-U" },
  { "ibm866", "IBM866" },
  { "cp866", "IBM866" },
  { "windows-1250", "WINDOWS-1250" },
  { "windows-1251", "WINDOWS-1251" },
  { "cp1251", "WINDOWS-1251" },
  { "windows-1253", "WINDOWS-1253" },
  { "windows-1255", "WINDOWS-1255" },
  { "windows-1256", "WINDOWS-1256" },
  { "windows-1257", "WINDOWS-1257" },
  { "windows-1258", "WINDOWS-1258" },
  { "windows-874", "WINDOWS-874" },
  { "tis-620", "WINDOWS-874" },
  { "gb2312", "GB18030" },
  { "gbk", "GB18030" },
  { "gb18030", "GB18030" },
  { "big5", "BIG5-HKSCS" },
  { "big5-hkscs", "BIG5-HKSCS" },
  { "euc-jp", "EUC-JP" },
  { "iso-2022-jp", "ISO-2022-JP" },
  { "shift_jis", "CP932" },
  { "shift-jis", "CP932" },
  { "sjis", "CP932" },
  { "windows-31j", "CP932" },
  { "euc-kr", "CP949" },
  { "ks_c_5601-1987", "CP949" },
  { "utf-16", "UTF-16LE" },
  { "utf-16le", "UTF-16LE" },
  { "utf-16be", "UTF-16BE" },
};

static iconv_t open_converters[G_N_ELEMENTS (labels)];
static gboolean warm;

void encoding_warm_up (void)
{
  if (warm)
    return;
  warm = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    open_converters[i] = (iconv_t)-1;
    gboolean needs_none = strcmp (labels[i].name, "windows-1252") == 0 || strcmp (labels[i].name, "UTF-8") == 0;
    if (!needs_none && (i == 0 || strcmp (labels[i].name, labels[i - 1].name) != 0))
      open_converters[i] = iconv_open ("UTF-8", labels[i].name);
  }
}

static iconv_t find_converter (const char *name)
{
  encoding_warm_up ();
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    if (open_converters[i] != (iconv_t)-1 && strcmp (labels[i].name, name) == 0)
      return open_converters[i];
  return (iconv_t)-1;
}

static const char *find_label (const char *declared)
{
  g_autofree char *label = declared ? g_strstrip (g_ascii_strdown (declared, -1)) : NULL;
  for (guint i = 0; label && i < G_N_ELEMENTS (labels); i++)
    if (strcmp (labels[i].label, label) == 0)
      return labels[i].name;
  return NULL;
}

static char *decode_1252 (const guint8 *bytes, gsize size, gsize *length)
{
  /* 0x80 to 0x9F; the five that windows-1252 leaves open are the C1 controls, as browsers have it. */
  static const gunichar high[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
  };
  GString *text = g_string_sized_new (size + size / 16);
  for (gsize i = 0; i < size; i++) {
    guint8 c = bytes[i];
    if (c == 0)
      continue;
    if (c < 0x80)
      g_string_append_c (text, (char)c);
    else
      g_string_append_unichar (text, c < 0xA0 ? high[c - 0x80] : c);
  }
  *length = text->len;
  return g_string_free (text, FALSE);
}

static char *decode_utf8 (const guint8 *bytes, gsize size, gsize *length)
{
  GString *text = g_string_sized_new (size);
  while (size > 0) {
    const char *end;
    g_utf8_validate ((const char *)bytes, (gssize)size, &end);
    gsize valid = (gsize)(end - (const char *)bytes);
    g_string_append_len (text, (const char *)bytes, (gssize)valid);
    bytes += valid;
    size -= valid;
    if (size > 0 && *bytes == 0) {
      bytes++;
      size--;
    } else if (size > 0) {
      g_string_append (text, REPLACEMENT);
      do {
        bytes++;
        size--;
      } while (size > 0 && (*bytes & 0xC0) == 0x80);
    }
  }
  *length = text->len;
  return g_string_free (text, FALSE);
}

static char *decode_iconv (iconv_t converter, const guint8 *bytes, gsize size, gsize *length)
{
  GString *text = g_string_sized_new (size + size / 2);
  char *in = (char *)bytes;
  gsize in_left = size;
  iconv (converter, NULL, NULL, NULL, NULL);
  while (in_left > 0) {
    char buffer[4096], *out = buffer;
    gsize out_left = sizeof buffer;
    gsize result = iconv (converter, &in, &in_left, &out, &out_left);
    int problem = result == (gsize)-1 ? errno : 0;
    g_string_append_len (text, buffer, (gssize)(sizeof buffer - out_left));
    if (problem == EILSEQ || problem == EINVAL) {
      g_string_append (text, REPLACEMENT);
      in++;
      in_left--;
    } else if (problem != 0 && problem != E2BIG) {
      break;
    }
  }
  gsize kept = 0;
  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] != '\0')
      text->str[kept++] = text->str[i];
  g_string_truncate (text, kept);
  *length = text->len;
  return g_string_free (text, FALSE);
}

/* UTF-16 without a mark: one of the two bytes of most characters is zero. */
static const char *guess_utf16 (const guint8 *bytes, gsize size)
{
  gsize look = MIN (size, LOOK_BYTES) & ~(gsize)1, even = 0, odd = 0;
  for (gsize i = 0; i < look; i += 2) {
    even += bytes[i] == 0;
    odd += bytes[i + 1] == 0;
  }
  if (look >= 4 && odd > look / 4 && even < look / 64 + 1)
    return "UTF-16LE";
  if (look >= 4 && even > look / 4 && odd < look / 64 + 1)
    return "UTF-16BE";
  return NULL;
}

typedef enum { UTF8_ASCII, UTF8_YES, UTF8_NO } Utf8Verdict;

/* A few broken bytes among many well-formed sequences still mean UTF-8. */
static Utf8Verdict judge_utf8 (const guint8 *bytes, gsize size)
{
  gsize good = 0, bad = 0;
  for (gsize i = 0; i < size;) {
    if (bytes[i] < 0x80) {
      i++;
      continue;
    }
    gsize need = bytes[i] >= 0xF0 ? 4 : bytes[i] >= 0xE0 ? 3 : 2;
    need = MIN (need, size - i);
    gunichar c = bytes[i] >= 0xC2 ? g_utf8_get_char_validated ((const char *)bytes + i, (gssize)need) : (gunichar)-1;
    if (c == (gunichar)-1 || c == (gunichar)-2) {
      bad++;
      i++;
    } else {
      good++;
      i += need;
    }
  }
  return good + bad == 0 ? UTF8_ASCII : bad * 20 <= good ? UTF8_YES : UTF8_NO;
}

char *encoding_decode (const guint8 *bytes, gsize size, const char *declared, gsize *length, const char **used)
{
  gsize own_length;
  const char *own_used, *name = NULL;
  length = length ? length : &own_length;
  used = used ? used : &own_used;
  if (size >= 3 && memcmp (bytes, "\xEF\xBB\xBF", 3) == 0) {
    name = "UTF-8";
    bytes += 3;
    size -= 3;
  } else if (size >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE) {
    name = "UTF-16LE";
    bytes += 2;
    size -= 2;
  } else if (size >= 2 && bytes[0] == 0xFE && bytes[1] == 0xFF) {
    name = "UTF-16BE";
    bytes += 2;
    size -= 2;
  } else if (!(name = guess_utf16 (bytes, size))) {
    const char *label = find_label (declared);
    if (label && g_str_has_prefix (label, "UTF-"))
      label = NULL; /* the bytes tell; and a declaration of UTF-16 itself could be read as ASCII */
    Utf8Verdict verdict = judge_utf8 (bytes, size);
    const char *guess = label || verdict == UTF8_YES ? NULL : encoding_guess (bytes, size);
    switch (verdict) {
    case UTF8_YES: name = "UTF-8"; break;
    case UTF8_ASCII: name = label ? label : guess ? guess : "UTF-8"; break;
    case UTF8_NO: name = label ? label : guess ? guess : "windows-1252"; break;
    }
  }
  *used = name;
  if (strcmp (name, "UTF-8") == 0)
    return decode_utf8 (bytes, size, length);
  iconv_t converter = find_converter (name);
  if (converter != (iconv_t)-1)
    return decode_iconv (converter, bytes, size, length);
  *used = "windows-1252";
  return decode_1252 (bytes, size, length);
}

gboolean encoding_is_binary (const guint8 *bytes, gsize size)
{
  gsize look = MIN (size, LOOK_BYTES), controls = 0;
  if (look == 0 || guess_utf16 (bytes, size)
      || (look >= 2 && ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF))))
    return FALSE;
  for (gsize i = 0; i < look; i++) {
    guint8 c = bytes[i];
    controls += c == 0 ? 10 : c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1B && c != 0x08;
  }
  return controls > look / 100;
}
