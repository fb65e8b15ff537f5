/* Documents made to exhaust a reader: each ends, within the limits that its reader names, and says what was left out. That
 * none takes quadratic time is the test's time limit to judge: each would take hours. */
#include "../fuzz/count-writer.h"
#include "ingest/extract/mail/eml.h"
#include "ingest/extract/mail/mbox.h"
#include "ingest/extract/mail/mime.h"
#include "ingest/extract/text/csv.h"
#include "ingest/extract/text/rtf.h"

#include <string.h>

typedef Outcome (*Reader) (const Document *document, Writer *writer);

static Writer read_all (Reader reader, const GString *text, LecternStatus status)
{
  Writer writer = { 0 };
  guint8 *exact = g_memdup2 (text->str, text->len);
  Document document = { exact, text->len, "hostile" };
  Outcome outcome = reader (&document, &writer);
  g_assert_cmpint (outcome.status, ==, status);
  g_free (outcome.reason);
  g_free (exact);
  return writer;
}

static void append_times (GString *text, const char *piece, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append (text, piece);
}

static void nested_parts (void)
{
  g_autoptr (GString) text = g_string_new ("From: a\nMessage-ID: <1>\n");
  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (text, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
  g_string_append (text, "\n\nThe innermost.\n");
  Writer writer = read_all (eml_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.n_cut, ==, 1);
}

static void nested_alike (void)
{
  g_autoptr (GString) text = g_string_new ("From: a\nMessage-ID: <1>\n");
  append_times (text, "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 100000);
  read_all (eml_extract, text, LECTERN_STATUS_INDEXED);
}

static void many_parts (void)
{
  g_autoptr (GString) text = g_string_new ("From: a\nContent-Type: multipart/mixed; boundary=b\n\n");
  append_times (text, "--b\n\nOne of many.\n", 100000);
  Writer writer = read_all (eml_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.n_cut, ==, 1);
  g_assert_cmpuint (writer.n_blocks, ==, MIME_MAX_PARTS + 1);
}

static void long_header (void)
{
  g_autoptr (GString) text = g_string_new ("Subject: =?utf-8?Q?");
  append_times (text, "=?x?Q?", 1000000);
  g_string_append (text, "\nFrom: a\n\nText.\n");
  read_all (eml_extract, text, LECTERN_STATUS_INDEXED);
}

static void many_messages (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  append_times (text, "From a@b Wed May  1 10:20:30 2024\nSubject: s\nContent-Length: 999999999\n\nText.\n\n", 100000);
  Writer writer = read_all (mbox_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.n_blocks, ==, 300000);
}

static void almost_separators (void)
{
  g_autoptr (GString) text = g_string_new ("From a@b Wed May  1 10:20:30 2024\nSubject: s\n\n");
  append_times (text, "\nFrom a@b Wed May  1 10:20:30 2024\n", 300000);
  read_all (mbox_extract, text, LECTERN_STATUS_INDEXED);
}

static void begin_lines (void)
{
  g_autoptr (GString) text = g_string_new ("From: a\n\n");
  append_times (text, "begin 644 a\n", 300000);
  read_all (eml_extract, text, LECTERN_STATUS_INDEXED);
}

static void braces (void)
{
  g_autoptr (GString) text = g_string_new ("{\\rtf1 ");
  append_times (text, "{", 1000000);
  g_string_append (text, "in the middle");
  append_times (text, "}", 1000000);
  g_string_append (text, " and behind}");
  Writer writer = read_all (rtf_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.text_bytes, ==, strlen ("in the middle and behind"));
}

static void lying_binary (void)
{
  g_autoptr (GString) text = g_string_new ("{\\rtf1 {\\pict\\bin2147483647 abc}\\bin12 Not hidden.}");
  Writer writer = read_all (rtf_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.text_bytes, ==, strlen ("Not hidden."));
}

static void columns (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  append_times (text, "x,", 1000000);
  g_string_append (text, "\n1,2\n");
  Writer writer = read_all (csv_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.n_cut, ==, 1);
  g_assert_cmpuint (writer.n_blocks, ==, 2);
}

static void open_quotes (void)
{
  g_autoptr (GString) text = g_string_new ("a,b\n");
  append_times (text, "1,\"x\n", 200000);
  Writer writer = read_all (csv_extract, text, LECTERN_STATUS_INDEXED);
  g_assert_cmpuint (writer.n_blocks, >, 100000);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  eml_warm_up ();
  g_test_add_func ("/bounds/mime/nested", nested_parts);
  g_test_add_func ("/bounds/mime/nested-alike", nested_alike);
  g_test_add_func ("/bounds/mime/many", many_parts);
  g_test_add_func ("/bounds/mime/long-header", long_header);
  g_test_add_func ("/bounds/mime/begin-lines", begin_lines);
  g_test_add_func ("/bounds/mbox/many", many_messages);
  g_test_add_func ("/bounds/mbox/almost-separators", almost_separators);
  g_test_add_func ("/bounds/rtf/braces", braces);
  g_test_add_func ("/bounds/rtf/lying-binary", lying_binary);
  g_test_add_func ("/bounds/csv/columns", columns);
  g_test_add_func ("/bounds/csv/open-quotes", open_quotes);
  return g_test_run ();
}
