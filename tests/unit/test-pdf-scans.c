/* Pages that are images, and text that nobody sees: the PDF reader through lectern-extract (argv[1]). What needs
 * tesseract with its English data is skipped where there is none. */
#include "ingest/ingest.h"

#include <cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <glib/gstdio.h>
#include <string.h>

static const char *program;
static char *folder;

/* ---- files ----------------------------------------------------------------------------------------------- */

/* A page of 600 × 800 points. */
static char *write_page (const char *content)
{
  char *path = g_build_filename (folder, "page.pdf", NULL);
  g_autoptr (GString) out = g_string_new ("%PDF-1.4\n");
  g_string_append_printf (out,
                          "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                          "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                          "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
                          "/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
                          "4 0 obj<</Length %u>>stream\n%s\nendstream endobj\n"
                          "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>endobj\n"
                          "trailer<</Root 1 0 R>>\n",
                          (guint)strlen (content), content);
  g_assert_true (g_file_set_contents (path, out->str, (gssize)out->len, NULL));
  return path;
}

#define SCAN_SCALE (200.0 / 72)

static int scan_quarters; /* by which pages are laid on the scanner the wrong way round, to the right */
static double scan_top = 100; /* where the first line stands */

/* Draws lines of 14 points on an image of a page at 200 dpi, slightly grey as scans are. */
static cairo_surface_t *draw_scan (const char *const *lines)
{
  cairo_surface_t *image
      = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)(600 * SCAN_SCALE), (int)(800 * SCAN_SCALE));
  cairo_t *cairo = cairo_create (image);
  cairo_set_source_rgb (cairo, 0.97, 0.97, 0.95);
  cairo_paint (cairo);
  cairo_set_source_rgb (cairo, 0.1, 0.1, 0.1);
  cairo_scale (cairo, SCAN_SCALE, SCAN_SCALE);
  cairo_translate (cairo, 300, 400);
  cairo_rotate (cairo, scan_quarters * G_PI / 2);
  cairo_translate (cairo, -300, -400);
  cairo_select_font_face (cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cairo, 14);
  for (guint i = 0; lines && lines[i]; i++) {
    cairo_move_to (cairo, 60, scan_top + 20 * i);
    cairo_show_text (cairo, lines[i]);
  }
  cairo_destroy (cairo);
  return image;
}

/* Where a word of a line stands, as cairo measures it. */
static void measure_word (const char *before, const char *word, double *x, double *width)
{
  cairo_surface_t *image = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 10, 10);
  cairo_t *cairo = cairo_create (image);
  cairo_text_extents_t extents;
  cairo_select_font_face (cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cairo, 14);
  cairo_text_extents (cairo, before, &extents);
  *x = 60 + extents.x_advance;
  cairo_text_extents (cairo, word, &extents);
  *width = extents.width;
  cairo_destroy (cairo);
  cairo_surface_destroy (image);
}

static const char *const valve_lines[] = { "Close the drain valve before you fill the tank with water.",
                                           "The pressure of the pump must not exceed four bars.", NULL };
static const char *const no_lines[] = { NULL };

/* A document of pages that are images; a page whose lines are NULL has a text layer instead. */
static char *write_scans (const char *name, const char *const *const *pages, guint n_pages)
{
  char *path = g_build_filename (folder, name, NULL);
  cairo_surface_t *pdf = cairo_pdf_surface_create (path, 600, 800);
  cairo_t *cairo = cairo_create (pdf);
  for (guint i = 0; i < n_pages; i++) {
    if (pages[i]) {
      cairo_surface_t *image = draw_scan (pages[i]);
      cairo_save (cairo);
      cairo_scale (cairo, 1 / SCAN_SCALE, 1 / SCAN_SCALE);
      cairo_set_source_surface (cairo, image, 0, 0);
      cairo_paint (cairo);
      cairo_restore (cairo);
      cairo_surface_destroy (image);
    } else {
      cairo_select_font_face (cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
      cairo_set_font_size (cairo, 14);
      cairo_set_source_rgb (cairo, 0, 0, 0);
      cairo_move_to (cairo, 60, 100);
      cairo_show_text (cairo, "This page has a text layer of its own.");
    }
    cairo_show_page (cairo);
  }
  cairo_destroy (cairo);
  cairo_surface_finish (pdf);
  g_assert_cmpint (cairo_surface_status (pdf), ==, CAIRO_STATUS_SUCCESS);
  cairo_surface_destroy (pdf);
  return path;
}

/* ---- reading --------------------------------------------------------------------------------------------- */

static LecternExtraction *read_file (const char *path, gboolean no_recognition)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LecternExtractor) extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  LecternExtractLimits limits = { .no_recognition = no_recognition };
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, &limits, NULL, &error);
  g_assert_no_error (error);
  if (extraction->error)
    g_test_message ("%s", extraction->error);
  return extraction;
}

static char *text_of (const LecternExtraction *extraction)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < extraction->blocks->len; i++) {
    g_string_append (text, ((const LecternBlock *)extraction->blocks->pdata[i])->text);
    g_string_append_c (text, '\n');
  }
  g_test_message ("%s", text->str);
  return g_string_free (text, FALSE);
}

static const LecternFinding *find (const LecternExtraction *extraction, LecternFindingKind kind, int page)
{
  for (guint i = 0; i < extraction->findings->len; i++) {
    const LecternFinding *finding = extraction->findings->pdata[i];
    if (finding->kind == kind && finding->page == page)
      return finding;
  }
  return NULL;
}

/* ---- text that nobody sees ------------------------------------------------------------------------------- */

#define SEEN "BT /F 12 Tf 60 740 Td (These words are printed in black for everybody to read.) Tj ET\n"

static void test_hidden (void)
{
  static const struct {
    const char *what, *content, *detail; /* detail NULL: it is seen */
  } cases[] = {
    { "white on paper", "1 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", "white" },
    { "nearly white on paper", "0.96 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", "white" },
    { "white in a sentence", "BT /F 12 Tf 60 600 Td (Shown ) Tj 1 g (Secret ) Tj 0 g (again) Tj ET\n", "white" },
    { "white below black letters",
      "1 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n0 g BT /F 12 Tf 60 600 Td (Nothing) Tj ET\n", "white" },
    { "white on a light bar", "0.95 g 40 590 520 40 re f 1 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", "white" },
    { "tiny", "BT /F 0.5 Tf 60 600 Td (Secret) Tj ET\n", "too small" },
    { "scaled down", "q 0.05 0 0 0.05 0 0 cm BT /F 12 Tf 1200 12000 Td (Secret) Tj ET Q\n", "too small" },
    { "white on black", "0 g 40 590 520 40 re f 1 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", NULL },
    { "white on red", "0.8 0.1 0.1 rg 58 597 80 16 re f 1 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", NULL },
    { "yellow on paper", "1 1 0 rg BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", NULL },
    { "grey on paper", "0.6 g BT /F 12 Tf 60 600 Td (Secret) Tj ET\n", NULL },
    { "small print", "BT /F 4 Tf 60 600 Td (Secret) Tj ET\n", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s", cases[i].what);
    g_autofree char *content = g_strconcat (SEEN, cases[i].content, NULL);
    g_autofree char *path = write_page (content);
    g_autoptr (LecternExtraction) extraction = read_file (path, TRUE);
    g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
    g_autofree char *text = text_of (extraction);
    g_assert_nonnull (strstr (text, "printed in black for everybody"));
    g_assert_true ((strstr (text, "Secret") == NULL) == (cases[i].detail != NULL));
    gboolean reported = FALSE;
    for (guint j = 0; j < extraction->findings->len; j++) {
      const LecternFinding *finding = extraction->findings->pdata[j];
      if (finding->kind != LECTERN_FINDING_HIDDEN_TEXT)
        continue;
      g_assert_nonnull (cases[i].detail);
      g_assert_cmpint (finding->page, ==, 1);
      if (strcmp (finding->detail, cases[i].detail) == 0) {
        g_assert_cmpuint (finding->amount, ==, strlen ("Secret"));
        reported = TRUE;
      }
    }
    g_assert_true (reported == (cases[i].detail != NULL));
    g_unlink (path);
  }
}

/* Painted over: seen where the page is looked at anyway, and the fonts are in the file. */
static void test_covered (void)
{
  g_autofree char *path = g_build_filename (folder, "covered.pdf", NULL);
  cairo_surface_t *pdf = cairo_pdf_surface_create (path, 600, 800);
  cairo_t *cairo = cairo_create (pdf);
  cairo_select_font_face (cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cairo, 12);
  cairo_move_to (cairo, 60, 100);
  cairo_show_text (cairo, "These words are printed in black for everybody to read.");
  cairo_move_to (cairo, 60, 200);
  cairo_show_text (cairo, "Secret");
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_rectangle (cairo, 40, 180, 520, 40);
  cairo_fill (cairo);
  cairo_move_to (cairo, 60, 300);
  cairo_show_text (cairo, "white");
  cairo_destroy (cairo);
  cairo_surface_finish (pdf);
  cairo_surface_destroy (pdf);
  g_autoptr (LecternExtraction) extraction = read_file (path, TRUE);
  g_autofree char *text = text_of (extraction);
  g_assert_cmpstr (text, ==, "These words are printed in black for everybody to read.\n");
  g_assert_cmpuint (extraction->findings->len, ==, 2);
  const LecternFinding *finding = extraction->findings->pdata[1];
  g_assert_cmpint (finding->kind, ==, LECTERN_FINDING_HIDDEN_TEXT);
  g_assert_cmpstr (finding->detail, ==, "covered");
  g_assert_cmpuint (finding->amount, ==, strlen ("Secret"));
  g_unlink (path);
}

/* White boxes to be ticked on a coloured page are seen, though they fill all the room that a letter has. */
static void test_light_boxes (void)
{
  for (int seen = 0; seen < 2; seen++) {
    g_autofree char *path = g_build_filename (folder, "boxes.pdf", NULL);
    cairo_surface_t *pdf = cairo_pdf_surface_create (path, 600, 800);
    cairo_t *cairo = cairo_create (pdf);
    cairo_set_source_rgb (cairo, seen ? 0.8 : 1, seen ? 0.83 : 1, seen ? 0.93 : 1);
    cairo_paint (cairo);
    cairo_set_source_rgb (cairo, 0, 0, 0);
    cairo_select_font_face (cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size (cairo, 12);
    cairo_move_to (cairo, 60, 100);
    cairo_show_text (cairo, "Tick one of the boxes below.");
    cairo_set_source_rgb (cairo, 1, 1, 1);
    cairo_move_to (cairo, 60, 140);
    cairo_show_text (cairo, "█");
    cairo_destroy (cairo);
    cairo_surface_finish (pdf);
    cairo_surface_destroy (pdf);
    g_autoptr (LecternExtraction) extraction = read_file (path, TRUE);
    g_assert_true ((find (extraction, LECTERN_FINDING_HIDDEN_TEXT, 1) == NULL) == (seen != 0));
    g_unlink (path);
  }
}

/* What stands beside the page is not given out by poppler at all. */
static void test_off_page (void)
{
  g_autofree char *path
      = write_page (SEEN "BT /F 12 Tf 700 600 Td (Secret) Tj ET BT /F 12 Tf 60 -300 Td (Secret) Tj ET\n");
  g_autoptr (LecternExtraction) extraction = read_file (path, TRUE);
  g_autofree char *text = text_of (extraction);
  g_assert_null (strstr (text, "Secret"));
  g_unlink (path);
}

/* The layer that text recognition leaves: not painted itself, over the image of the words. */
static void test_recognized_layer (void)
{
  g_autoptr (GString) content = g_string_new ("q 600 0 0 800 0 0 cm BI /W 8 /H 8 /BPC 8 /CS /G /F /AHx ID\n");
  for (guint i = 0; i < 64; i++)
    g_string_append (content, i % 3 ? "FF" : "20");
  g_string_append (content, ">\nEI Q\nBT 3 Tr /F 12 Tf 60 600 Td (The text of the scan is kept as it is.) Tj ET\n");
  g_autofree char *path = write_page (content->str);
  g_autoptr (LecternExtraction) extraction = read_file (path, TRUE);
  g_autofree char *text = text_of (extraction);
  g_assert_nonnull (strstr (text, "The text of the scan is kept"));
  g_assert_null (find (extraction, LECTERN_FINDING_HIDDEN_TEXT, 1));
  g_unlink (path);
}

/* ---- scans ----------------------------------------------------------------------------------------------- */

/* Whether text can be recognised here; otherwise the test is skipped. */
static gboolean can_recognize (const LecternExtraction *extraction)
{
  if (extraction->error
      && (strstr (extraction->error, "install the package") || strstr (extraction->error, "built without"))) {
    g_test_skip ("tesseract or its English data is not here");
    return FALSE;
  }
  return TRUE;
}

static char *cache_file (void)
{
  g_autofree char *dir = g_build_filename (g_get_user_cache_dir (), "lectern", "ocr", NULL);
  GDir *entries = g_dir_open (dir, 0, NULL);
  const char *name = entries ? g_dir_read_name (entries) : NULL;
  char *path = name ? g_build_filename (dir, name, NULL) : NULL;
  if (entries)
    g_dir_close (entries);
  return path;
}

static void expect_near (double found, double wanted)
{
  g_assert_cmpfloat (found, >, wanted - 4);
  g_assert_cmpfloat (found, <, wanted + 4);
}

static void test_scan (void)
{
  const char *const *const pages[] = { valve_lines };
  g_autofree char *path = write_scans ("scan.pdf", pages, 1);
  g_autoptr (LecternExtraction) extraction = read_file (path, FALSE);
  if (!can_recognize (extraction))
    return;
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  g_autofree char *text = text_of (extraction);
  g_assert_nonnull (strstr (text, "Close the drain valve before you fill the tank with water."));
  g_assert_nonnull (strstr (text, "The pressure of the pump must not exceed four bars."));
  const LecternFinding *finding = find (extraction, LECTERN_FINDING_PAGE_RECOGNIZED, 1);
  g_assert_nonnull (finding);
  g_assert_cmpuint (finding->amount, >=, 80);

  /* The word leads to its place. */
  double x, width;
  measure_word ("Close the drain ", "valve", &x, &width);
  gboolean found = FALSE;
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    for (guint j = 0; j < block->spans->len; j++) {
      const LecternSpan *span = &g_array_index (block->spans, LecternSpan, j);
      if (span->length != strlen ("valve") || strncmp (block->text + span->start, "valve", span->length) != 0)
        continue;
      found = TRUE;
      g_assert_cmpint (span->rect.page, ==, 1);
      expect_near ((double)span->rect.x, x);
      expect_near ((double)span->rect.width, width);
      expect_near ((double)(span->rect.y + span->rect.height), 101);
      expect_near ((double)span->rect.height, 13);
    }
  }
  g_assert_true (found);
  g_unlink (path);
}

static void test_turned (void)
{
  const char *const *const pages[] = { valve_lines };
  double x, width;
  measure_word ("Close the drain ", "valve", &x, &width);
  for (int quarters = 1; quarters < 4; quarters++) {
    scan_quarters = quarters;
    scan_top = 300;
    g_autofree char *path = write_scans ("turned.pdf", pages, 1);
    scan_quarters = 0;
    scan_top = 100;
    g_autoptr (LecternExtraction) extraction = read_file (path, FALSE);
    if (!can_recognize (extraction))
      return;
    g_autofree char *text = text_of (extraction);
    g_assert_nonnull (strstr (text, "Close the drain valve before you fill the tank with water."));
    gboolean found = FALSE;
    for (guint i = 0; i < extraction->blocks->len; i++) {
      const LecternBlock *block = extraction->blocks->pdata[i];
      for (guint j = 0; j < block->spans->len; j++) {
        const LecternSpan *span = &g_array_index (block->spans, LecternSpan, j);
        if (span->length != strlen ("valve") || strncmp (block->text + span->start, "valve", span->length) != 0)
          continue;
        /* The middle of the word, turned about the middle of the page; its line stands at 300. */
        double dx = x + width / 2 - 300, dy = 296 - 400;
        for (int turn = 0; turn < quarters; turn++) {
          double before = dx;
          dx = -dy;
          dy = before;
        }
        found = TRUE;
        expect_near ((double)(span->rect.x + span->rect.width / 2), 300 + dx);
        expect_near ((double)(span->rect.y + span->rect.height / 2), 400 + dy);
      }
    }
    g_assert_true (found);
    lectern_recognition_forget (path);
    g_unlink (path);
  }
}

static void test_cache (void)
{
  const char *const *const pages[] = { valve_lines };
  g_autofree char *path = write_scans ("cached.pdf", pages, 1);
  lectern_recognition_forget (path);
  g_autofree char *scan = g_build_filename (folder, "scan.pdf", NULL);
  lectern_recognition_forget (scan);
  g_autoptr (LecternExtraction) first = read_file (path, FALSE);
  if (!can_recognize (first))
    return;
  g_autofree char *file = cache_file (), *text = text_of (first), *bytes = NULL;
  gsize n, n_again;
  g_assert_nonnull (file);
  g_assert_true (g_file_get_contents (file, &bytes, &n, NULL));

  /* Nothing is recognised again: what the cache says is taken, even if the page says something else. */
  char *word = memmem (bytes, n, "valve", 5);
  g_assert_nonnull (word);
  memcpy (word, "VALVE", 5);
  g_assert_true (g_file_set_contents (file, bytes, (gssize)n, NULL));
  g_autoptr (LecternExtraction) second = read_file (path, FALSE);
  g_autofree char *cached = text_of (second);
  g_assert_nonnull (strstr (cached, "drain VALVE before"));
  g_assert_nonnull (find (second, LECTERN_FINDING_PAGE_RECOGNIZED, 1));

  /* What makes no sense is not taken. */
  word[0] = (char)0xff;
  g_assert_true (g_file_set_contents (file, bytes, (gssize)n, NULL));
  g_autoptr (LecternExtraction) third = read_file (path, FALSE);
  g_autofree char *recognized = text_of (third);
  g_assert_cmpstr (recognized, ==, text);

  /* A record that a killed run has left half written is cut off, and the page recognised again. */
  g_assert_true (g_file_set_contents (file, bytes, (gssize)n - 7, NULL));
  g_autoptr (LecternExtraction) fourth = read_file (path, FALSE);
  g_autofree char *again = text_of (fourth), *bytes_again = NULL;
  g_assert_cmpstr (again, ==, text);
  g_assert_true (g_file_get_contents (file, &bytes_again, &n_again, NULL));
  g_assert_cmpuint (n_again, ==, n);

  lectern_recognition_forget (path);
  g_assert_false (g_file_test (file, G_FILE_TEST_EXISTS));
  g_unlink (path);
}

static void test_mixed (void)
{
  const char *const *const pages[] = { NULL, valve_lines, no_lines };
  g_autofree char *path = write_scans ("mixed.pdf", pages, 3);
  g_autoptr (LecternExtraction) without = read_file (path, TRUE);
  g_assert_cmpint (without->status, ==, LECTERN_STATUS_INDEXED);
  g_assert_nonnull (find (without, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 2));
  g_assert_null (find (without, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 1));
  g_autoptr (LecternExtraction) extraction = read_file (path, FALSE);
  if (find (extraction, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 2)) {
    g_test_skip ("tesseract or its English data is not here");
    return;
  }
  g_autofree char *text = text_of (extraction);
  const char *own = strstr (text, "This page has a text layer"), *scanned = strstr (text, "drain valve");
  g_assert_nonnull (own);
  g_assert_nonnull (scanned);
  g_assert_true (own < scanned);
  g_assert_nonnull (find (extraction, LECTERN_FINDING_PAGE_RECOGNIZED, 2));
  g_assert_null (find (extraction, LECTERN_FINDING_PAGE_RECOGNIZED, 1));
  /* The third page is blank, of which there is nothing to say. */
  g_assert_null (find (extraction, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 3));
  g_unlink (path);
}

static void test_without (void)
{
  const char *const *const pages[] = { valve_lines, valve_lines };
  g_autofree char *path = write_scans ("without.pdf", pages, 2);
  g_autoptr (LecternExtraction) forbidden = read_file (path, TRUE);
  g_assert_cmpint (forbidden->status, ==, LECTERN_STATUS_NO_TEXT_LAYER);
  g_assert_nonnull (strstr (forbidden->error, "None of its 2 pages holds text; 2 are images"));
  g_assert_nonnull (find (forbidden, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 1));
  g_assert_nonnull (find (forbidden, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 2));
  if (strstr (forbidden->error, "built without"))
    return;
  g_assert_nonnull (strstr (forbidden->error, "--no-ocr"));

  g_autofree char *before = g_strdup (g_getenv ("TESSDATA_PREFIX"));
  g_setenv ("TESSDATA_PREFIX", folder, TRUE);
  g_autoptr (LecternExtraction) extraction = read_file (path, FALSE);
  if (before)
    g_setenv ("TESSDATA_PREFIX", before, TRUE);
  else
    g_unsetenv ("TESSDATA_PREFIX");
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_NO_TEXT_LAYER);
  g_assert_nonnull (strstr (extraction->error, "install the package tesseract-ocr-"));
  g_unlink (path);
}

/* A photograph gives no words. */
static void test_noise (void)
{
  g_autofree char *path = g_build_filename (folder, "noise.pdf", NULL);
  cairo_surface_t *pdf = cairo_pdf_surface_create (path, 600, 800);
  cairo_t *cairo = cairo_create (pdf);
  cairo_surface_t *image = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 300, 400);
  cairo_surface_flush (image);
  guint8 *pixels = cairo_image_surface_get_data (image);
  guint32 state = 7;
  for (int i = 0; i < cairo_image_surface_get_stride (image) * 400; i++) {
    state = state * 1664525u + 1013904223u;
    pixels[i] = (guint8)(state >> 24);
  }
  cairo_surface_mark_dirty (image);
  cairo_scale (cairo, 2, 2);
  cairo_set_source_surface (cairo, image, 0, 0);
  cairo_paint (cairo);
  cairo_surface_destroy (image);
  cairo_destroy (cairo);
  cairo_surface_finish (pdf);
  cairo_surface_destroy (pdf);
  g_autoptr (LecternExtraction) extraction = read_file (path, FALSE);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_NO_TEXT_LAYER);
  g_assert_nonnull (find (extraction, LECTERN_FINDING_PAGE_WITHOUT_TEXT, 1));
  g_unlink (path);
}

int main (int argc, char **argv)
{
  g_autofree char *cache = g_dir_make_tmp ("lectern-cache-XXXXXX", NULL);
  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  program = argv[1];
  g_setenv ("LECTERN_EXTRACT", program, TRUE);
  folder = g_dir_make_tmp ("lectern-scans-XXXXXX", NULL);
  g_test_add_func ("/pdf-scans/hidden", test_hidden);
  g_test_add_func ("/pdf-scans/covered", test_covered);
  g_test_add_func ("/pdf-scans/light-boxes", test_light_boxes);
  g_test_add_func ("/pdf-scans/off-page", test_off_page);
  g_test_add_func ("/pdf-scans/recognized-layer", test_recognized_layer);
  g_test_add_func ("/pdf-scans/scan", test_scan);
  g_test_add_func ("/pdf-scans/turned", test_turned);
  g_test_add_func ("/pdf-scans/cache", test_cache);
  g_test_add_func ("/pdf-scans/mixed", test_mixed);
  g_test_add_func ("/pdf-scans/without", test_without);
  g_test_add_func ("/pdf-scans/noise", test_noise);
  int result = g_test_run ();
  g_autofree char *file = cache_file ();
  for (; file; g_free (file), file = cache_file ())
    g_unlink (file);
  g_autofree char *ocr = g_build_filename (cache, "lectern", "ocr", NULL);
  g_autofree char *lectern = g_build_filename (cache, "lectern", NULL);
  g_rmdir (ocr);
  g_rmdir (lectern);
  g_rmdir (cache);
  g_rmdir (folder);
  g_free (folder);
  cairo_debug_reset_static_data (); /* its fonts */
  FcFini ();
  return result;
}
