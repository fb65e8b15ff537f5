#include "app/json-writer.h"
#include <math.h>

static void test_nesting (void)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_key (writer, "empty");
  json_writer_begin_array (writer);
  json_writer_end_array (writer);
  json_writer_key (writer, "list");
  json_writer_begin_array (writer);
  json_writer_int (writer, -1);
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "a\"b", NULL);
  json_writer_member_boolean (writer, "c", TRUE);
  json_writer_end_object (writer);
  json_writer_boolean (writer, FALSE);
  json_writer_end_array (writer);
  json_writer_end_object (writer);
  g_assert_cmpstr (json_writer_get_text (writer), ==,
                   "{\"empty\": [], \"list\": [-1, {\"a\\\"b\": null, \"c\": true}, false]}");
}

static void assert_string (const char *bytes, gsize length, const char *expected)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_bytes (writer, bytes, length);
  g_assert_cmpstr (json_writer_get_text (writer), ==, expected);
}

static void test_strings (void)
{
  assert_string ("", 0, "\"\"");
  assert_string ("a\n\t\r\x01\x7f\\\"", 8, "\"a\\n\\t\\r\\u0001\\u007f\\\\\\\"\"");
  assert_string ("caf\xc3\xa9 \xe2\x82\xac", 9, "\"caf\xc3\xa9 \xe2\x82\xac\"");
  assert_string ("caf\xe9", 4, "\"caf\xef\xbf\xbd\"");
  assert_string ("a\0b", 3,
                 "\"a\xef\xbf\xbd"
                 "b\"");
  assert_string ("\xe2\x82\0", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void assert_double (double number, const char *expected)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_double (writer, number);
  g_assert_cmpstr (json_writer_get_text (writer), ==, expected);
}

static void assert_float (float number, const char *expected)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_float (writer, number);
  g_assert_cmpstr (json_writer_get_text (writer), ==, expected);
}

static void test_numbers (void)
{
  assert_double (0, "0");
  assert_double (0.1, "0.1");
  assert_double (1.0 / 3.0, "0.3333333333333333");
  assert_double (0.1 + 0.2, "0.30000000000000004");
  assert_double (-1e300, "-1e+300");
  assert_double ((double)NAN, "null");
  assert_double ((double)-INFINITY, "null");
  assert_float (0.1f, "0.1");
  assert_float (72.024f, "72.024");
  assert_float (16777217.0f, "16777216");
  assert_float ((float)NAN, "null");
}

static void test_reset (void)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_int (writer, G_MAXINT64);
  json_writer_reset (writer);
  json_writer_int (writer, G_MININT64);
  g_assert_cmpstr (json_writer_get_text (writer), ==, "-9223372036854775808");
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-writer/nesting", test_nesting);
  g_test_add_func ("/json-writer/strings", test_strings);
  g_test_add_func ("/json-writer/numbers", test_numbers);
  g_test_add_func ("/json-writer/reset", test_reset);
  return g_test_run ();
}
