/* Form fields and comments of PDF files, through lectern-extract (argv[1]). */
#include "ingest/ingest.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static char *folder;
static LecternExtractor *extractor;

/* A file of one page of 600 × 800 points whose contents are object 4; its annotations are objects 6, 7, … (NULL ends).
 * page: further entries of the page; text: what its contents print at (100, 700), from the bottom. */
static LecternExtraction *G_GNUC_NULL_TERMINATED read_annotated (const char *page, const char *text, ...)
{
  GPtrArray *objects = g_ptr_array_new_with_free_func (g_free);
  GString *references = g_string_new (NULL);
  g_autofree char *contents = g_strdup_printf ("BT /R 10 Tf 100 700 Td (%s) Tj ET ", text);
  va_list annotations;
  va_start (annotations, text);
  for (const char *annotation; (annotation = va_arg (annotations, const char *));) {
    g_ptr_array_add (objects, g_strdup_printf ("<</Type/Annot/P 3 0 R %s>>", annotation));
    g_string_append_printf (references, "%u 0 R ", 5 + objects->len);
  }
  va_end (annotations);
  const char *fixed[]
      = { g_strdup_printf ("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]/DA(/Helv 0 Tf 0 g)>>>>", references->str),
          g_strdup ("<</Type/Pages/Count 1/Kids[3 0 R]>>"),
          g_strdup_printf ("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Annots[%s]%s"
                           "/Resources<</Font<</R 5 0 R>>>>>>",
                           references->str, page),
          g_strdup_printf ("<</Length %u>>stream\n%s\nendstream", (guint)strlen (contents), contents),
          g_strdup ("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>") };
  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++)
    g_ptr_array_insert (objects, (int)i, (gpointer)fixed[i]);
  GString *out = g_string_new ("%PDF-1.4\n"), *table = g_string_new (NULL);
  for (guint i = 0; i < objects->len; i++) {
    g_string_append_printf (table, "%010u 00000 n \n", (guint)out->len);
    g_string_append_printf (out, "%u 0 obj\n%s\nendobj\n", i + 1, (const char *)objects->pdata[i]);
  }
  gsize start = out->len;
  g_string_append_printf (out,
                          "xref\n0 %u\n0000000000 65535 f \n%strailer<</Size %u/Root 1 0 R>>\nstartxref\n%u\n%%%%EOF\n",
                          objects->len + 1, table->str, objects->len + 1, (guint)start);
  g_autofree char *path = g_build_filename (folder, "form.pdf", NULL);
  g_assert_true (g_file_set_contents (path, out->str, (gssize)out->len, NULL));
  g_string_free (out, TRUE);
  g_string_free (table, TRUE);
  g_string_free (references, TRUE);
  g_ptr_array_unref (objects);
  g_autoptr (GError) error = NULL;
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, NULL, NULL, &error);
  g_assert_no_error (error);
  g_unlink (path);
  return extraction;
}

/* The texts of all blocks, one a line. */
static void expect_texts (const LecternExtraction *extraction, const char *expected)
{
  GString *texts = g_string_new (NULL);
  for (guint i = 0; i < extraction->blocks->len; i++)
    g_string_append_printf (texts, "%s\n", ((const LecternBlock *)extraction->blocks->pdata[i])->text);
  g_assert_cmpstr (texts->str, ==, expected);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  g_string_free (texts, TRUE);
}

static void expect_rect (const LecternExtraction *extraction, guint i, float x, float y, float width, float height)
{
  const LecternBlock *block = extraction->blocks->pdata[i];
  g_assert_cmpuint (block->spans->len, >, 0);
  for (guint j = 0; j < block->spans->len; j++) {
    const LecternRect *rect = &g_array_index (block->spans, LecternSpan, j).rect;
    g_assert_cmpint (rect->page, ==, 1);
    g_assert_cmpfloat (fabsf (rect->x - x), <, 0.5f);
    g_assert_cmpfloat (fabsf (rect->y - y), <, 0.5f);
    g_assert_cmpfloat (fabsf (rect->width - width), <, 0.5f);
    g_assert_cmpfloat (fabsf (rect->height - height), <, 0.5f);
  }
}

#define WIDGET "/Subtype/Widget/Rect[100 500 200 520]"

static void test_fields (void)
{
  g_autoptr (LecternExtraction) extraction = read_annotated (
      "", "Order form", "/FT/Tx/T(f1)/TU(Name of the company:)/V(Pump\\r  Works Ltd)" WIDGET,
      "/FT/Tx/T(street_name)/V<FEFF004D00FC006800 6C0065>/Subtype/Widget/Rect[100 400 200 420]", /* UTF-16: Mühle */
      "/FT/Tx/T(field7)/V(Blue)" WIDGET, "/FT/Tx/TU(Empty)/V( )" WIDGET, "/FT/Tx/TU(Secret)/Ff 8192/V(xyzzy)" WIDGET,
      "/FT/Ch/TU(Colour)/Ff 131072/Opt[(Red)(Green)]/V(Green)" WIDGET, NULL);
  expect_texts (extraction,
                "Order form\nName of the company: Pump Works Ltd\nstreet name: Mühle\nBlue\nColour: Green\n");
  expect_rect (extraction, 1, 100, 280, 100, 20);
  expect_rect (extraction, 2, 100, 380, 100, 20);
  const LecternBlock *block = extraction->blocks->pdata[2];
  g_assert_cmpuint (block->spans->len, ==, 3);
  const LecternSpan *last = &g_array_index (block->spans, LecternSpan, 2);
  g_assert_cmpuint (last->start, ==, strlen ("street name: "));
  g_assert_cmpuint (last->length, ==, strlen ("Mühle"));
}

#define STATES "/AP<</N<</Yes 4 0 R/Off 4 0 R>>>>"

static void test_buttons (void)
{
  g_autoptr (LecternExtraction) extraction = read_annotated (
      "", "", "/FT/Btn/TU(Send by courier)/V/Yes/AS/Yes" STATES WIDGET,
      "/FT/Btn/TU(Insured)/V/Off/AS/Off" STATES WIDGET, "/FT/Btn/TU(Print this form)/Ff 65536" WIDGET, NULL);
  expect_texts (extraction, "Send by courier\n");
}

static void test_comments (void)
{
  g_autoptr (LecternExtraction) extraction = read_annotated (
      "", "The valve must be closed.", "/Subtype/Text/Rect[10 10 30 30]/Contents(Ask the plumber about this.)",
      "/Subtype/FreeText/DA(/Helv 9 Tf 0 g)/Rect[50 50 900 70]/Contents(Checked in May)",
      "/Subtype/Text/F 2/Rect[10 10 30 30]/Contents(Hidden remark)",
      "/Subtype/Text/F 32/Rect[10 10 30 30]/Contents(Unseen remark)",
      "/Subtype/Link/Rect[10 10 30 30]/Contents(A link)",
      "/Subtype/Highlight/Rect[100 698 300 712]/QuadPoints[100 712 300 712 100 698 300 698]/Contents(valve)",
      "/Subtype/Highlight/Rect[100 698 300 712]/QuadPoints[100 712 300 712 100 698 300 698]/Contents(Which one?)",
      "/FT/Tx/TU(Hidden field)/V(concealed)/F 2" WIDGET, "/FT/Tx/TU(Part)/V(valve)" WIDGET, NULL);
  /* The highlighted word stands where its comment is; the field is elsewhere. */
  expect_texts (extraction, "The valve must be closed.\nPart: valve\nAsk the plumber about this.\nChecked in May\n"
                            "Which one?\n");
  expect_rect (extraction, 3, 50, 730, 550, 20);
}

static void test_place (void)
{
  static const struct {
    const char *page;
    float x, y, width, height;
  } rows[] = {
    { "/CropBox[50 100 550 750]", 50, 230, 100, 20 },
    { "/CropBox[50 100 550 750]/Rotate 90", 400, 50, 20, 100 },
    { "/CropBox[50 100 550 750]/Rotate 180", 350, 400, 100, 20 },
    { "/CropBox[50 100 550 750]/Rotate 270", 230, 350, 20, 100 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (LecternExtraction) extraction = read_annotated (rows[i].page, "", "/FT/Tx/V(word)" WIDGET, NULL);
    expect_texts (extraction, "word\n");
    expect_rect (extraction, 0, rows[i].x, rows[i].y, rows[i].width, rows[i].height);
  }
}

static void test_nothing (void)
{
  g_autoptr (LecternExtraction) extraction
      = read_annotated ("", "", "/FT/Tx/TU(Name)" WIDGET, "/FT/Btn/TU(Insured)/V/Off/AS/Off" STATES WIDGET, NULL);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_NO_TEXT_LAYER);
  g_assert_cmpuint (extraction->blocks->len, ==, 0);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  g_setenv ("LECTERN_EXTRACT", argv[1], TRUE);
  g_autoptr (GError) error = NULL;
  folder = g_dir_make_tmp ("lectern-test-XXXXXX", &error);
  g_assert_no_error (error);
  extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  g_test_add_func ("/pdf-forms/fields", test_fields);
  g_test_add_func ("/pdf-forms/buttons", test_buttons);
  g_test_add_func ("/pdf-forms/comments", test_comments);
  g_test_add_func ("/pdf-forms/place", test_place);
  g_test_add_func ("/pdf-forms/nothing", test_nothing);
  int result = g_test_run ();
  lectern_extractor_free (extractor);
  g_rmdir (folder);
  g_free (folder);
  return result;
}
