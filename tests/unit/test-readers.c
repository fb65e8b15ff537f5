/* The readers of flowing formats on data: each file of a folder, NAME.html and the like, must give the blocks written in
 * NAME.expected, one a line: "kind level: text", with line breaks as "\n" and a title or language first. With REGENERATE
 * set in the environment the .expected files are written instead, to be read by a person before they are committed. */
#include "ingest/extract/html/html.h"
#include "ingest/extract/mail/eml.h"
#include "ingest/extract/mail/mbox.h"
#include "ingest/extract/mail/mhtml.h"
#include "ingest/extract/text/code.h"
#include "ingest/extract/text/csv.h"
#include "ingest/extract/text/markdown.h"
#include "ingest/extract/text/rst.h"
#include "ingest/extract/text/rtf.h"
#include "ingest/extract/text/text.h"

#include <string.h>

struct _Writer {
  GString *out;
  guint n_blocks;
};

void emit_title (Writer *writer, const char *title)
{
  g_string_append_printf (writer->out, "title: %s\n", title);
}

void emit_language (Writer *writer, const char *language)
{
  g_string_append_printf (writer->out, "language: %s\n", language);
}

void emit_author (Writer *writer, const char *author)
{
  g_string_append_printf (writer->out, "author: %s\n", author);
}

void emit_date (Writer *writer, const char *iso_date)
{
  g_string_append_printf (writer->out, "date: %s\n", iso_date);
}

void emit_finding (Writer *writer, LecternFindingKind kind, int page, guint64 amount, const char *detail)
{
  g_string_append_printf (writer->out, "%s %" G_GUINT64_FORMAT ": %s\n", lectern_finding_kind_to_string (kind), amount,
                          detail ? detail : "");
}

void emit_page_count (Writer *writer, int n_pages)
{
  g_assert_not_reached ();
}

void emit_block_text (Writer *writer, LecternBlockKind kind, int level, const char *text)
{
  if (text[0] == '\0')
    return;
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *joined = g_strjoinv ("\\n", lines);
  g_string_append_printf (writer->out, "%s %d: %s\n", lectern_block_kind_to_string (kind), level, joined);
  writer->n_blocks++;
}

void emit_block (Writer *writer, const LecternBlock *block)
{
  emit_block_text (writer, block->kind, block->level, block->text);
}

void emit_warning (Writer *writer, const char *format, ...)
{}

void emit_attachment (Writer *writer, const char *name, const guint8 *bytes, gsize size)
{
  g_autofree char *hash = g_compute_checksum_for_data (G_CHECKSUM_SHA256, bytes, size);
  g_string_append_printf (writer->out, "attachment: %s, %" G_GSIZE_FORMAT " bytes, %.8s\n", name, size, hash);
}

guint emit_count_blocks (Writer *writer)
{
  return writer->n_blocks;
}

static void read_one (gconstpointer data)
{
  const char *path = data;
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  /* Without the NUL that GLib puts behind it, so that reading past the end is seen. */
  guint8 *exact = g_malloc (MAX (size, 1));
  memcpy (exact, bytes, size);
  g_autofree char *name = g_path_get_basename (path);
  Document document = { exact, size, name };
  Writer writer = { g_string_new (NULL), 0 };
  Outcome outcome;
  switch (format_from_path (path)) {
  case FORMAT_HTML:
    g_assert_cmpint (html_sniff (&document), >=, 1);
    outcome = html_extract (&document, &writer);
    break;
  case FORMAT_MARKDOWN:
    g_assert_cmpint (markdown_sniff (&document), ==, 1);
    outcome = markdown_extract (&document, &writer);
    break;
  case FORMAT_EML:
    g_assert_cmpint (eml_sniff (&document), >=, 1);
    outcome = eml_extract (&document, &writer);
    break;
  case FORMAT_MBOX:
    g_assert_cmpint (mbox_sniff (&document), ==, 2);
    outcome = mbox_extract (&document, &writer);
    break;
  case FORMAT_MHTML:
    g_assert_cmpint (mhtml_sniff (&document), >=, 1);
    outcome = mhtml_extract (&document, &writer);
    break;
  case FORMAT_RTF:
    g_assert_cmpint (rtf_sniff (&document), ==, 2);
    outcome = rtf_extract (&document, &writer);
    break;
  case FORMAT_RST: outcome = rst_extract (&document, &writer); break;
  case FORMAT_CODE:
  case FORMAT_DATA: outcome = code_extract (&document, &writer); break;
  case FORMAT_CSV: outcome = csv_extract (&document, &writer); break;
  default: outcome = text_extract (&document, &writer); break;
  }
  if (outcome.status != LECTERN_STATUS_INDEXED)
    g_string_append_printf (writer.out, "status: %s: %s\n", lectern_status_to_string (outcome.status), outcome.reason);
  g_autofree char *expected_path = g_strconcat (path, ".expected", NULL);
  g_autofree char *expected = NULL;
  if (g_getenv ("REGENERATE"))
    g_assert_true (g_file_set_contents (expected_path, writer.out->str, -1, NULL));
  g_assert_true (g_file_get_contents (expected_path, &expected, NULL, NULL));
  g_assert_cmpstr (writer.out->str, ==, expected);
  g_string_free (writer.out, TRUE);
  g_free (outcome.reason);
  g_free (exact);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  GDir *dir = g_dir_open (argv[1], 0, NULL);
  g_assert_nonnull (dir);
  guint n = 0;
  for (const char *name; (name = g_dir_read_name (dir));) {
    if (g_str_has_suffix (name, ".expected"))
      continue;
    g_autofree char *test = g_strconcat ("/reader/", name, NULL);
    g_test_add_data_func_full (test, g_build_filename (argv[1], name, NULL), read_one, g_free);
    n++;
  }
  g_dir_close (dir);
  g_assert_cmpuint (n, >, 0);
  return g_test_run ();
}
