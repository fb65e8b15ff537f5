#include "app/json-writer.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct _JsonWriter {
  GString *text;
  GString *nesting; /* '{' or '[' per open value */
  gboolean needs_comma;
  gboolean after_key;
};

JsonWriter *json_writer_new (void)
{
  JsonWriter *writer = g_new0 (JsonWriter, 1);
  writer->text = g_string_new (NULL);
  writer->nesting = g_string_new (NULL);
  return writer;
}

void json_writer_free (JsonWriter *writer)
{
  if (!writer)
    return;
  g_string_free (writer->text, TRUE);
  g_string_free (writer->nesting, TRUE);
  g_free (writer);
}

const char *json_writer_get_text (const JsonWriter *writer)
{
  g_assert (writer->nesting->len == 0 && !writer->after_key);
  return writer->text->str;
}

void json_writer_reset (JsonWriter *writer)
{
  g_string_truncate (writer->text, 0);
  g_string_truncate (writer->nesting, 0);
  writer->needs_comma = writer->after_key = FALSE;
}

static void before_value (JsonWriter *writer)
{
  gboolean in_object = writer->nesting->len && writer->nesting->str[writer->nesting->len - 1] == '{';
  g_assert (in_object == writer->after_key);
  if (!writer->after_key && writer->needs_comma)
    g_string_append (writer->text, ", ");
  writer->after_key = FALSE;
  writer->needs_comma = TRUE;
}

static void begin (JsonWriter *writer, char bracket)
{
  before_value (writer);
  g_string_append_c (writer->text, bracket);
  g_string_append_c (writer->nesting, bracket);
  writer->needs_comma = FALSE;
}

static void end (JsonWriter *writer, char open, char close)
{
  g_assert (writer->nesting->len && writer->nesting->str[writer->nesting->len - 1] == open && !writer->after_key);
  g_string_truncate (writer->nesting, writer->nesting->len - 1);
  g_string_append_c (writer->text, close);
  writer->needs_comma = TRUE;
}

void json_writer_begin_object (JsonWriter *writer)
{
  begin (writer, '{');
}

void json_writer_end_object (JsonWriter *writer)
{
  end (writer, '{', '}');
}

void json_writer_begin_array (JsonWriter *writer)
{
  begin (writer, '[');
}

void json_writer_end_array (JsonWriter *writer)
{
  end (writer, '[', ']');
}

static void append_quoted (GString *text, const char *bytes, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid (bytes, (gssize)length);
  g_string_append_c (text, '"');
  for (const char *p = valid; *p; p++) {
    guchar c = (guchar)*p;
    switch (c) {
    case '"': g_string_append (text, "\\\""); break;
    case '\\': g_string_append (text, "\\\\"); break;
    case '\n': g_string_append (text, "\\n"); break;
    case '\r': g_string_append (text, "\\r"); break;
    case '\t': g_string_append (text, "\\t"); break;
    default:
      if (c < 0x20 || c == 0x7f)
        g_string_append_printf (text, "\\u%04x", c);
      else
        g_string_append_c (text, *p);
    }
  }
  g_string_append_c (text, '"');
}

void json_writer_key (JsonWriter *writer, const char *key)
{
  g_assert (writer->nesting->len && writer->nesting->str[writer->nesting->len - 1] == '{' && !writer->after_key);
  if (writer->needs_comma)
    g_string_append (writer->text, ", ");
  append_quoted (writer->text, key, strlen (key));
  g_string_append (writer->text, ": ");
  writer->after_key = TRUE;
}

void json_writer_bytes (JsonWriter *writer, const char *bytes, gsize length)
{
  before_value (writer);
  /* g_utf8_make_valid() stops at a NUL, which text from a model may hold. */
  if (!memchr (bytes, '\0', length)) {
    append_quoted (writer->text, bytes, length);
    return;
  }
  g_autoptr (GString) clean = g_string_sized_new (length + 8);
  for (gsize i = 0; i < length; i++)
    if (bytes[i])
      g_string_append_c (clean, bytes[i]);
    else
      g_string_append (clean, "\xef\xbf\xbd");
  append_quoted (writer->text, clean->str, clean->len);
}

void json_writer_string (JsonWriter *writer, const char *string)
{
  if (string)
    json_writer_bytes (writer, string, strlen (string));
  else
    json_writer_null (writer);
}

void json_writer_int (JsonWriter *writer, gint64 number)
{
  before_value (writer);
  g_string_append_printf (writer->text, "%" G_GINT64_FORMAT, number);
}

void json_writer_double (JsonWriter *writer, double number)
{
  if (!isfinite (number)) {
    json_writer_null (writer);
    return;
  }
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_ascii_formatd (buffer, sizeof buffer, formats[i], number);
    if (g_ascii_strtod (buffer, NULL) == number)
      break;
  }
  before_value (writer);
  g_string_append (writer->text, buffer);
}

void json_writer_float (JsonWriter *writer, float number)
{
  if (!isfinite (number)) {
    json_writer_null (writer);
    return;
  }
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  static const char *const formats[] = { "%.6g", "%.7g", "%.8g", "%.9g" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_ascii_formatd (buffer, sizeof buffer, formats[i], (double)number);
    if ((float)g_ascii_strtod (buffer, NULL) == number)
      break;
  }
  before_value (writer);
  g_string_append (writer->text, buffer);
}

void json_writer_boolean (JsonWriter *writer, gboolean value)
{
  before_value (writer);
  g_string_append (writer->text, value ? "true" : "false");
}

void json_writer_null (JsonWriter *writer)
{
  before_value (writer);
  g_string_append (writer->text, "null");
}

void json_writer_raw (JsonWriter *writer, const char *value)
{
  before_value (writer);
  g_string_append (writer->text, value);
}

void json_writer_member_string (JsonWriter *writer, const char *key, const char *string)
{
  json_writer_key (writer, key);
  json_writer_string (writer, string);
}

void json_writer_member_int (JsonWriter *writer, const char *key, gint64 number)
{
  json_writer_key (writer, key);
  json_writer_int (writer, number);
}

void json_writer_member_double (JsonWriter *writer, const char *key, double number)
{
  json_writer_key (writer, key);
  json_writer_double (writer, number);
}

void json_writer_member_boolean (JsonWriter *writer, const char *key, gboolean value)
{
  json_writer_key (writer, key);
  json_writer_boolean (writer, value);
}
