/* The PDF reader, through lectern-extract (argv[1]), on small PDF files written here. */
#include "ingest/ingest.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static char *folder;
static LecternExtractor *extractor;

/* ---- writing PDF files ----------------------------------------------------------------------------------- */

typedef struct {
  GPtrArray *pages; /* of GString: content streams */
  const char *info, *trailer, *catalog, *page; /* page: of the dictionary of each */
} Pdf;

static void pdf_init (Pdf *pdf)
{
  *pdf = (Pdf){ g_ptr_array_new (), "", "", "", "" };
}

static void add_page (Pdf *pdf)
{
  g_ptr_array_add (pdf->pages, g_string_new (NULL));
}

/* font: R regular, B bold, M monospace, H with the letters a to h being the first of the Hebrew alphabet. y from the top of a page of 600 × 800 points. */
static void add_text (Pdf *pdf, char font, int size, double x, double y, const char *text)
{
  GString *page = pdf->pages->pdata[pdf->pages->len - 1];
  char number[2][G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (page, "BT /%c %d Tf %s %s Td (%s) Tj ET\n", font, size,
                          g_ascii_formatd (number[0], sizeof number[0], "%.2f", x),
                          g_ascii_formatd (number[1], sizeof number[1], "%.2f", 800 - y), text);
}

/* Lines of 10 points under each other; NULL ends. Returns the y of the next. */
static double G_GNUC_NULL_TERMINATED add_lines (Pdf *pdf, double x, double y, ...)
{
  va_list lines;
  va_start (lines, y);
  for (const char *line; (line = va_arg (lines, const char *)); y += 12)
    add_text (pdf, 'R', 10, x, y, line);
  va_end (lines);
  return y;
}

static char *write_pdf (Pdf *pdf, const char *name)
{
  GString *out = g_string_new ("%PDF-1.4\n");
  GArray *offsets = g_array_new (FALSE, FALSE, sizeof (gsize));
  static const char *const fonts[] = { "Helvetica", "Helvetica-Bold", "Courier", "Alefbet" };
  static const char *const encodings[] = {
    "/WinAnsiEncoding", "/WinAnsiEncoding", "/WinAnsiEncoding",
    "<</Type/Encoding/BaseEncoding/WinAnsiEncoding/Differences[97/afii57664/afii57665/afii57666/afii57667"
    "/afii57668/afii57669/afii57670/afii57671]>>/FirstChar 97/LastChar 104"
    "/Widths[500 500 500 500 500 500 500 500]/FontDescriptor<</Type/FontDescriptor/FontName/Alefbet/Flags 32"
    "/FontBBox[0 -200 1000 900]/Ascent 800/Descent -200/CapHeight 700/ItalicAngle 0/StemV 80/MissingWidth 300>>"
  };
  guint n = pdf->pages->len;
#define OBJECT(...)                                                                                                    \
  (g_array_append_val (offsets, out->len), g_string_append_printf (out, "%u 0 obj\n", offsets->len),                   \
   g_string_append_printf (out, __VA_ARGS__), g_string_append (out, "\nendobj\n"))
  OBJECT ("<</Type/Catalog/Pages 2 0 R%s>>", pdf->catalog);
  g_autofree char *kids = g_strdup ("");
  for (guint i = 0; i < n; i++) {
    char *longer = g_strdup_printf ("%s %u 0 R", kids, 8 + 2 * i);
    g_free (kids);
    kids = longer;
  }
  OBJECT ("<</Type/Pages/Count %u/Kids[%s]>>", n, kids);
  for (guint i = 0; i < 4; i++)
    OBJECT ("<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding%s>>", fonts[i], encodings[i]);
  OBJECT ("<<%s>>", pdf->info);
  for (guint i = 0; i < n; i++) {
    GString *page = pdf->pages->pdata[i];
    OBJECT ("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %u 0 R%s"
            "/Resources<</Font<</R 3 0 R/B 4 0 R/M 5 0 R/H 6 0 R>>>>>>",
            9 + 2 * i, pdf->page);
    OBJECT ("<</Length %u>>stream\n%s\nendstream", (guint)page->len, page->str);
    g_string_free (page, TRUE);
  }
  gsize start = out->len;
  g_string_append_printf (out, "xref\n0 %u\n0000000000 65535 f \n", offsets->len + 1);
  for (guint i = 0; i < offsets->len; i++)
    g_string_append_printf (out, "%010u 00000 n \n", (guint)g_array_index (offsets, gsize, i));
  g_string_append_printf (out, "trailer<</Size %u/Root 1 0 R/Info 7 0 R%s>>\nstartxref\n%u\n%%%%EOF\n",
                          offsets->len + 1, pdf->trailer, (guint)start);
  char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, out->str, (gssize)out->len, NULL));
  g_string_free (out, TRUE);
  g_array_unref (offsets);
  g_ptr_array_unref (pdf->pages);
  return path;
}

static LecternExtraction *read_path (char *path)
{
  g_autoptr (GError) error = NULL;
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, NULL, NULL, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_free (path);
  return extraction;
}

static LecternExtraction *read_pdf (Pdf *pdf)
{
  LecternExtraction *extraction = read_path (write_pdf (pdf, "test.pdf"));
  if (extraction->error)
    g_test_message ("%s", extraction->error);
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    g_test_message ("[%s %d, page %d] %s", lectern_block_kind_to_string (block->kind), block->level, block->page,
                    block->text);
  }
  return extraction;
}

static void expect (const LecternExtraction *extraction, guint i, LecternBlockKind kind, int level, int page,
                    const char *text)
{
  g_assert_cmpuint (i, <, extraction->blocks->len);
  const LecternBlock *block = extraction->blocks->pdata[i];
  g_assert_cmpstr (block->text, ==, text);
  g_assert_cmpint (block->kind, ==, kind);
  g_assert_cmpint (block->level, ==, level);
  g_assert_cmpint (block->page, ==, page);
}

/* ---- what is read ---------------------------------------------------------------------------------------- */

static void test_structure (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  pdf.info = "/Title(Microsoft Word - manual.doc)";
  add_text (&pdf, 'B', 20, 60, 80, "Pump Manual");
  add_text (&pdf, 'B', 14, 60, 120, "1.1 Filling the tank");
  double y
      = add_lines (&pdf, 60, 145, "Before you begin, close the drain valve of the tank and make sure that nobody works",
                   "on the pipe. Fill the tank slowly with clean water until the level reaches the examin-",
                   "ation window. The examination takes a minute.", NULL);
  add_lines (&pdf, 60, y + 10, "1. Open the inlet valve.", "2. Wait until the pressure is steady.", NULL);
  y = add_lines (&pdf, 60, y + 44, "\225 Never run the pump dry.", NULL);
  add_text (&pdf, 'M', 9, 60, y + 20, "pump --start");
  add_text (&pdf, 'M', 9, 60, y + 31, "pump --watch");
  add_lines (&pdf, 60, y + 60, "Figure 1: The tank from above.", NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  g_assert_cmpstr (extraction->type, ==, "pdf");
  g_assert_cmpstr (extraction->title, ==, "Pump Manual");
  g_assert_cmpint (extraction->n_pages, ==, 1);
  expect (extraction, 0, LECTERN_BLOCK_HEADING, 1, 1, "Pump Manual");
  expect (extraction, 1, LECTERN_BLOCK_HEADING, 2, 1, "1.1 Filling the tank");
  expect (
      extraction, 2, LECTERN_BLOCK_PARAGRAPH, 0, 1,
      "Before you begin, close the drain valve of the tank and make sure that nobody works on the pipe. Fill the tank "
      "slowly with clean water until the level reaches the examination window. The examination takes a minute.");
  expect (extraction, 3, LECTERN_BLOCK_LIST_ITEM, 1, 1, "1. Open the inlet valve.");
  expect (extraction, 4, LECTERN_BLOCK_LIST_ITEM, 1, 1, "2. Wait until the pressure is steady.");
  expect (extraction, 5, LECTERN_BLOCK_LIST_ITEM, 1, 1, "• Never run the pump dry.");
  expect (extraction, 6, LECTERN_BLOCK_CODE, 0, 1, "pump --start\npump --watch");
  expect (extraction, 7, LECTERN_BLOCK_CAPTION, 0, 1, "Figure 1: The tank from above.");
  g_assert_cmpuint (extraction->blocks->len, ==, 8);
  lectern_extraction_free (extraction);
}

/* Every word has its rectangle where it was printed, from the top left corner. */
static void test_spans (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_lines (&pdf, 60, 100, "First words of a line that is followed by one", "more line below.", NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  const LecternBlock *block = extraction->blocks->pdata[0];
  g_assert_cmpuint (block->spans->len, ==, 13);
  const LecternSpan *first = &g_array_index (block->spans, LecternSpan, 0);
  const LecternSpan *last = &g_array_index (block->spans, LecternSpan, 12);
  g_assert_cmpuint (first->start, ==, 0);
  g_assert_cmpuint (first->length, ==, 5);
  g_assert_cmpint (first->rect.page, ==, 1);
  g_assert_cmpfloat (fabsf (first->rect.x - 60), <, 1);
  g_assert_cmpfloat (first->rect.y, >, 85);
  g_assert_cmpfloat (first->rect.y + first->rect.height, <, 106);
  g_assert_true (strncmp (block->text + last->start, "below.", last->length) == 0);
  g_assert_cmpfloat (last->rect.y, >, first->rect.y + 10);
  lectern_extraction_free (extraction);
}

/* Text that runs up the page from a point of it, as on a page for landscape tables. */
static void add_upward (Pdf *pdf, double x, double y, const char *text)
{
  GString *page = pdf->pages->pdata[pdf->pages->len - 1];
  g_string_append_printf (page, "BT /R 10 Tf 0 1 -1 0 %d %d Tm (%s) Tj ET\n", (int)x, (int)(800 - y), text);
}

/* What is printed up the margin is neither title nor heading, however large; a page that is turned as a whole has both. */
static void test_stamp (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  GString *page = pdf.pages->pdata[0];
  g_string_append (page, "BT /B 24 Tf 0 1 -1 0 40 250 Tm (Preprint:2401.01234 [cs] 2 Jan) Tj ET\n");
  add_text (&pdf, 'B', 16, 120, 80, "Pumps that never stop");
  add_lines (&pdf, 120, 120, "The pumps of this series are made for water that holds no sand and no",
             "other solid matter at all; they run for a year and are not looked after.", NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpstr (extraction->title, ==, "Pumps that never stop");
  guint headings = 0;
  for (guint i = 0; i < extraction->blocks->len; i++)
    headings += ((LecternBlock *)extraction->blocks->pdata[i])->kind == LECTERN_BLOCK_HEADING;
  g_assert_cmpuint (headings, ==, 1);
  expect (extraction, 0, LECTERN_BLOCK_HEADING, 1, 1, "Pumps that never stop");
  lectern_extraction_free (extraction);

  pdf_init (&pdf);
  add_page (&pdf);
  page = pdf.pages->pdata[0];
  g_string_append (page, "BT /B 18 Tf 0 1 -1 0 100 100 Tm (Weights of pumps) Tj ET\n");
  add_upward (&pdf, 140, 700, "The pumps differ in their weight, which depends on the metal of which they");
  add_upward (&pdf, 152, 700, "are made and on the length of the pipe, as the makers know.");
  extraction = read_pdf (&pdf);
  g_assert_cmpstr (extraction->title, ==, "Weights of pumps");
  expect (extraction, 0, LECTERN_BLOCK_HEADING, 1, 1, "Weights of pumps");
  lectern_extraction_free (extraction);
}

/* Rectangles are those of the page as it is shown, turned by the quarters that the file says. */
static void test_rotated_pages (void)
{
  for (int turn = 90; turn <= 270; turn += 90) {
    Pdf pdf;
    pdf_init (&pdf);
    add_page (&pdf);
    g_autofree char *rotate = g_strdup_printf ("/Rotate %d", turn);
    pdf.page = rotate;
    GString *page = pdf.pages->pdata[0];
    /* What is upright when the page is shown: its left edge is the file's bottom (90), right (180) or top (270). */
    static const char *const matrices[] = { "0 1 -1 0 80 60 Tm", "-1 0 0 -1 540 80 Tm", "0 -1 1 0 520 740 Tm" };
    g_string_append_printf (page,
                            "BT /B 18 Tf 22 TL %s (Filling the tank) Tj /R 10 Tf T* "
                            "(Close the drain valve before you fill the tank with) Tj 12 TL T* "
                            "(water and look at the gauge beside it.) Tj ET\n",
                            matrices[turn / 90 - 1]);
    LecternExtraction *extraction = read_pdf (&pdf);
    g_assert_cmpstr (extraction->title, ==, "Filling the tank");
    expect (extraction, 0, LECTERN_BLOCK_HEADING, 1, 1, "Filling the tank");
    expect (extraction, 1, LECTERN_BLOCK_PARAGRAPH, 0, 1,
            "Close the drain valve before you fill the tank with water and look at the gauge beside it.");
    const LecternBlock *block = extraction->blocks->pdata[1];
    const LecternRect *first = &g_array_index (block->spans, LecternSpan, 0).rect;
    const LecternRect *second = &g_array_index (block->spans, LecternSpan, 1).rect;
    const LecternRect *last = &g_array_index (block->spans, LecternSpan, block->spans->len - 1).rect;
    g_assert_cmpfloat (fabsf (first->x - 60), <, 1);
    g_assert_cmpfloat (fabsf (first->y + first->height - 104), <, 5);
    g_assert_cmpfloat (first->width, >, first->height);
    g_assert_cmpfloat (second->x, >, first->x + first->width);
    g_assert_cmpfloat (fabsf (second->y - first->y), <, 1);
    g_assert_cmpfloat (fabsf (last->y - first->y - 12), <, 1.5);
    lectern_extraction_free (extraction);
  }
}

/* A table that is turned is read row by row, after what stands upright; its rectangles stand as it does. */
static void test_turned (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  for (int row = 0; row < 4; row++) {
    static const char *const cells[4][3] = {
      { "Pump", "Litres", "Weight" }, { "Small", "120", "14" }, { "Middle", "340", "29" }, { "Large", "900", "61" }
    };
    for (int column = 0; column < 3; column++)
      add_upward (&pdf, 300 + 14 * row, 700 - 120 * column, cells[row][column]);
  }
  add_lines (&pdf, 60, 60, "The pumps differ in what they move in a minute and in their weight,", "as the table shows.",
             NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 0, LECTERN_BLOCK_PARAGRAPH, 0, 1,
          "The pumps differ in what they move in a minute and in their weight, as the table shows.");
  expect (extraction, 1, LECTERN_BLOCK_TABLE_ROW, 1, 1, "Pump | Litres | Weight");
  expect (extraction, 2, LECTERN_BLOCK_TABLE_ROW, 0, 1, "Small | 120 | 14");
  expect (extraction, 4, LECTERN_BLOCK_TABLE_ROW, 0, 1, "Large | 900 | 61");
  const LecternBlock *block = extraction->blocks->pdata[1];
  const LecternRect *rect = &g_array_index (block->spans, LecternSpan, 0).rect;
  g_assert_cmpfloat (rect->height, >, 1.5f * rect->width);
  g_assert_cmpfloat (rect->x, >, 285);
  g_assert_cmpfloat (rect->x + rect->width, <, 306);
  g_assert_cmpfloat (fabsf (rect->y + rect->height - 700), <, 1);
  lectern_extraction_free (extraction);
}

/* The letters are printed from left to right in the order that the eye meets them from that side. */
static void test_right_to_left (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'H', 10, 280, 100, "fed cba");
  add_text (&pdf, 'H', 10, 100, 100, "abc def");
  add_text (&pdf, 'H', 10, 280, 114, "hgf hgf");
  LecternExtraction *extraction = read_pdf (&pdf);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < extraction->blocks->len; i++)
    g_string_append_printf (text, "%s%s", i ? " " : "", ((LecternBlock *)extraction->blocks->pdata[i])->text);
  g_assert_cmpstr (text->str, ==, "אבג דהו והד גבא וזח וזח");
  const LecternBlock *block = extraction->blocks->pdata[0];
  const LecternRect *first = &g_array_index (block->spans, LecternSpan, 0).rect;
  g_assert_cmpfloat (first->x, >, 290);
  g_assert_cmpfloat (first->x + first->width, <, 330);
  lectern_extraction_free (extraction);
}

/* The rectangle of a word does not reach into the next line, however near that stands. */
static void test_tight_lines (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'R', 10, 60, 100, "Nobody leaves much room between lines of print");
  add_text (&pdf, 'R', 10, 60, 108, "and so the boxes of their fonts lie over each other");
  LecternExtraction *extraction = read_pdf (&pdf);
  const LecternBlock *block = extraction->blocks->pdata[0];
  const LecternRect *first = &g_array_index (block->spans, LecternSpan, 0).rect;
  const LecternRect *last = &g_array_index (block->spans, LecternSpan, block->spans->len - 1).rect;
  g_assert_cmpfloat (first->y + first->height, <, last->y + 0.01f);
  g_assert_cmpfloat (first->height, >, 5);
  lectern_extraction_free (extraction);
}

/* No blank between an index and the comma after it, nor between a letter and its exponent. */
static void test_indices (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'R', 10, 60, 100, "Let V");
  add_text (&pdf, 'R', 7, 84.6, 102, "1");
  add_text (&pdf, 'R', 10, 90, 100, ", W");
  add_text (&pdf, 'R', 7, 106.5, 96, "2");
  add_text (&pdf, 'R', 10, 115, 100, "and the rest be spaces.");
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 0, LECTERN_BLOCK_PARAGRAPH, 0, 1, "Let V1, W2 and the rest be spaces.");
  lectern_extraction_free (extraction);
}

static void test_furniture (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  for (int i = 1; i <= 4; i++) {
    g_autofree char *header = g_strdup_printf ("Chapter 2: Pumps %d", 10 + i), *number = g_strdup_printf ("%d", i);
    add_page (&pdf);
    add_text (&pdf, 'R', 9, 60, 40, header);
    /* A sentence that runs over from each page to the next. */
    add_lines (&pdf, 60, 300,
               i == 1 ? "The pumps of this series are made for water that" : "and on, from one page to the next, until",
               "holds no sand and no other solid matter at all", NULL);
    add_text (&pdf, 'R', 9, 300, 770, number);
  }
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpuint (extraction->blocks->len, ==, 1);
  const LecternBlock *block = extraction->blocks->pdata[0];
  g_assert_null (strstr (block->text, "Chapter"));
  g_assert_nonnull (strstr (block->text, "matter at all and on, from one page"));
  g_assert_cmpint (g_array_index (block->spans, LecternSpan, block->spans->len - 1).rect.page, ==, 4);
  lectern_extraction_free (extraction);
}

/* A page that begins a chapter has its number at the foot, alone; the others have it in their headers. */
static void test_lone_number (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  for (int i = 1; i <= 5; i++) {
    g_autofree char *header = g_strdup_printf ("Pumps and pipes   %d", 20 + i);
    add_page (&pdf);
    if (i != 3)
      add_text (&pdf, 'R', 9, 60, 40, header);
    add_lines (&pdf, 60, 200 + 20 * i, i == 1 ? "Water flows." : i == 2 ? "Pipes burst." : "Valves close.", NULL);
    if (i == 3)
      add_text (&pdf, 'R', 9, 300, 770, "23");
  }
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 2, LECTERN_BLOCK_PARAGRAPH, 0, 3, "Valves close.");
  g_assert_cmpuint (extraction->blocks->len, ==, 5);
  g_assert_cmpuint (extraction->findings->len, ==, 1);
  const LecternFinding *finding = extraction->findings->pdata[0];
  g_assert_cmpint (finding->kind, ==, LECTERN_FINDING_BOILERPLATE);
  g_assert_cmpint (finding->page, ==, 0);
  g_assert_cmpuint (finding->amount, ==, 4 * strlen ("Pumpsandpipes21") + 2);
  lectern_extraction_free (extraction);
}

/* The letters of a watermark stand in no line. */
static void test_watermark (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  for (int i = 0; i < 10; i++)
    add_text (&pdf, 'R', 10, 60, 300 + 12 * i, "the water of the left column runs");
  for (int i = 0; i < 10; i++)
    add_text (&pdf, 'R', 10, 310, 306 + 12 * i, "the steam of the right column is hot");
  add_text (&pdf, 'R', 150, 160, 420, "D");
  LecternExtraction *extraction = read_pdf (&pdf);
  const LecternBlock *block = extraction->blocks->pdata[0];
  g_assert_null (strstr (block->text, "D"));
  g_assert_nonnull (strstr (block->text, "steam")); /* no sentence ends: it goes on in the next column */
  g_assert_true (strstr (block->text, "steam") > g_strrstr (block->text, "water"));
  lectern_extraction_free (extraction);
}

static void test_columns (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  for (int i = 0; i < 20; i++) {
    g_autofree char *left = g_strdup_printf ("left line %d says what the left column says,", i);
    g_autofree char *right = g_strdup_printf ("right line %d says what the right one says,", i);
    add_text (&pdf, 'R', 10, 60, 100 + 12 * i, left);
    add_text (&pdf, 'R', 10, 320, 100 + 12 * i, right);
  }
  LecternExtraction *extraction = read_pdf (&pdf);
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    g_assert_cmpint (block->kind, ==, LECTERN_BLOCK_PARAGRAPH);
    g_string_append_printf (all, "%s ", block->text);
  }
  g_assert_nonnull (strstr (all->str, "left column says, left line 19"));
  g_assert_nonnull (strstr (all->str, "right one says, right line 1 says"));
  g_assert_true (strstr (all->str, "left line 19") < strstr (all->str, "right line 0"));
  g_string_free (all, TRUE);
  lectern_extraction_free (extraction);
}

static void test_table (void)
{
  static const char *const cells[4][3] = { { "Part", "Number", "Weight" },
                                           { "Pump", "A-17", "12.5 kg" },
                                           { "Inlet valve", "B-02", "0.8 kg" },
                                           { "Tank", "C-44", "31 kg" } };
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_lines (&pdf, 60, 100, "The parts are listed with their numbers and what they weigh.", NULL);
  for (int row = 0; row < 4; row++)
    for (int column = 0; column < 3; column++)
      add_text (&pdf, row ? 'R' : 'B', 10, 60 + 150 * column, 140 + 15 * row, cells[row][column]);
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 1, LECTERN_BLOCK_TABLE_ROW, 1, 1, "Part | Number | Weight");
  expect (extraction, 2, LECTERN_BLOCK_TABLE_ROW, 0, 1, "Pump | A-17 | 12.5 kg");
  expect (extraction, 3, LECTERN_BLOCK_TABLE_ROW, 0, 1, "Inlet valve | B-02 | 0.8 kg");
  expect (extraction, 4, LECTERN_BLOCK_TABLE_ROW, 0, 1, "Tank | C-44 | 31 kg");
  g_assert_cmpuint (extraction->blocks->len, ==, 5);
  const LecternBlock *row = extraction->blocks->pdata[2];
  const LecternSpan *weight = &g_array_index (row->spans, LecternSpan, 2);
  g_assert_true (strncmp (row->text + weight->start, "12.5", weight->length) == 0);
  g_assert_cmpfloat (fabsf (weight->rect.x - 360), <, 1);
  lectern_extraction_free (extraction);
}

static char *all_text (const LecternExtraction *extraction);

/* Rows may stand far apart if they do so evenly, and lack many of their cells. */
static void test_airy_table (void)
{
  static const char *const cells[6][4] = { { "Part", "Place", "Expected", "Found" }, { "Pump", "A-12", "450", NULL },
                                           { NULL, "B-07", NULL, "289" },            { "Valve", NULL, "780", "778" },
                                           { "Tank", "D-22", NULL, "156" },          { NULL, NULL, "920", "935" } };
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_lines (&pdf, 60, 100, "The parts are listed with what was expected and what was found.", NULL);
  for (int row = 0; row < 6; row++)
    for (int column = 0; column < 4; column++)
      if (cells[row][column])
        add_text (&pdf, row ? 'R' : 'B', 10, 60 + 100 * column, 150 + 26 * row, cells[row][column]);
  add_lines (&pdf, 60, 340, "Nobody knows what became of the rest.", NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 1, LECTERN_BLOCK_TABLE_ROW, 1, 1, "Part | Place | Expected | Found");
  expect (extraction, 2, LECTERN_BLOCK_TABLE_ROW, 0, 1, "Pump | A-12 | 450 | ");
  expect (extraction, 3, LECTERN_BLOCK_TABLE_ROW, 0, 1, " | B-07 | | 289");
  expect (extraction, 6, LECTERN_BLOCK_TABLE_ROW, 0, 1, " | | 920 | 935");
  expect (extraction, 7, LECTERN_BLOCK_PARAGRAPH, 0, 1, "Nobody knows what became of the rest.");
  lectern_extraction_free (extraction);
}

/* The columns above a table end at its first row, though only one cell of that stands in the gutter. */
static void test_torn_row (void)
{
  static const char *const cells[2][5] = { { "Start", "End", "Number", "Gross amount", "Net amount" },
                                           { "12/20", "12/31", "48", "12,500.00", "11,250.00" } };
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  for (int i = 0; i < 9; i++) {
    add_text (&pdf, 'R', 10, 60, 100 + 14 * i, "Pump");
    add_text (&pdf, 'R', 10, 160, 100 + 14 * i, "moves water and oil");
    add_text (&pdf, 'R', 10, 300, 107 + 14 * i, "Tank");
    add_text (&pdf, 'R', 10, 380, 107 + 14 * i, "keeps it for a year");
  }
  add_text (&pdf, 'B', 12, 60, 260, "Summary");
  for (int row = 0; row < 2; row++)
    for (int column = 0; column < 5; column++)
      add_text (&pdf, 'R', 10, column < 4 ? 60 + 60 * column : 340, 280 + 13 * row, cells[row][column]);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_autofree char *text = all_text (extraction);
  const char *heading = strstr (text, "Summary\n");
  g_assert_nonnull (heading);
  g_assert_nonnull (strstr (heading, "Start | End | Number | Gross amount | Net amount\n"));
  g_assert_nonnull (strstr (heading, "12/20 | 12/31 | 48 | 12,500.00 | 11,250.00\n"));
  g_assert_null (strstr (heading, "Tank"));
  lectern_extraction_free (extraction);
}

/* The texts of all blocks, each after "kind level: " and ended by a line break. */
static char *all_text (const LecternExtraction *extraction)
{
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    g_string_append_printf (all, "%s %d: %s\n", lectern_block_kind_to_string (block->kind), block->level, block->text);
  }
  return g_string_free (all, FALSE);
}

/* Two columns of different leading between headings: one that crosses the gutter, and a short one that does not. */
static void test_heading_across (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'B', 16, 60, 60, "2   A heading that stands across both of the columns");
  for (int i = 0; i < 10; i++) {
    add_text (&pdf, 'R', 10, 60, 100 + 12 * i,
              i < 9 ? "the left column goes on and on with more words" : "and it ends with a full stop just here now.");
    if (i < 9)
      add_text (&pdf, 'R', 10, 320, 103 + 13 * i, "the right column is set with other leading too");
  }
  add_text (&pdf, 'B', 14, 60, 250, "2.1   Below");
  add_lines (&pdf, 60, 270, "Text that runs over the whole width of the page again, across the gutter of the columns",
             "above it, and that is read after both of them, with the heading before it.", NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpuint (extraction->blocks->len, ==, 5);
  expect (extraction, 0, LECTERN_BLOCK_HEADING, 1, 1, "2 A heading that stands across both of the columns");
  const LecternBlock *left = extraction->blocks->pdata[1], *right = extraction->blocks->pdata[2];
  g_assert_null (strstr (left->text, "right"));
  g_assert_null (strstr (right->text, "left"));
  g_assert_cmpuint (left->spans->len, ==, 100);
  g_assert_cmpuint (right->spans->len, ==, 81);
  expect (extraction, 3, LECTERN_BLOCK_HEADING, 2, 1, "2.1 Below");
  g_assert_true (g_str_has_prefix (((LecternBlock *)extraction->blocks->pdata[4])->text, "Text that runs over"));
  lectern_extraction_free (extraction);
}

/* Cells of several lines, with columns that poppler takes for columns of text. */
static void test_long_cells (void)
{
  static const char *const lines[][3] = {
    { "The coffee is", "Likely cause", "Change" },
    { "sour, thin", "water too cool, coffee", "raise the tempera-" },
    { NULL, "too coarse", "ture or grind finer" },
    { "weak", "dose too small", "add half a second of" },
    { NULL, NULL, "grinding" },
    { "dripping", "coffee too fine or dose", "grind coarser" },
    { NULL, "too large", NULL },
  };
  Pdf pdf;
  pdf_init (&pdf);
  for (int page = 0; page < 2; page++) {
    add_page (&pdf);
    for (guint row = 0; row < G_N_ELEMENTS (lines); row++)
      for (int column = 0; column < 3; column++)
        if (lines[row][column])
          add_text (&pdf, 'R', 10, 60 + column * 118, 200 + 12 * row + (row ? 6 : 0), lines[row][column]);
  }
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpuint (extraction->blocks->len, ==, 7);
  expect (extraction, 0, LECTERN_BLOCK_TABLE_ROW, 1, 1, "The coffee is | Likely cause | Change");
  for (guint page = 0; page < 2; page++) {
    /* The header that the second page repeats is left out. */
    expect (extraction, 1 + 3 * page, LECTERN_BLOCK_TABLE_ROW, 0, (int)page + 1,
            "sour, thin | water too cool, coffee too coarse | raise the temperature or grind finer");
    expect (extraction, 2 + 3 * page, LECTERN_BLOCK_TABLE_ROW, 0, (int)page + 1,
            "weak | dose too small | add half a second of grinding");
    expect (extraction, 3 + 3 * page, LECTERN_BLOCK_TABLE_ROW, 0, (int)page + 1,
            "dripping | coffee too fine or dose too large | grind coarser");
  }
  const LecternBlock *row = extraction->blocks->pdata[1];
  for (guint i = 0; i < row->spans->len; i++) {
    const LecternSpan *span = &g_array_index (row->spans, LecternSpan, i);
    g_assert_cmpuint (span->start + span->length, <=, strlen (row->text));
    if (strncmp (row->text + span->start, "coarse", span->length) == 0)
      g_assert_cmpfloat (fabsf (span->rect.x - 203), <, 12);
  }
  lectern_extraction_free (extraction);
}

/* A centred column, a right-aligned one, and a header wider than what stands under it. */
static void test_aligned_columns (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'B', 14, 60, 120, "3.1   Water");
  static const double header_x[] = { 60, 130, 230, 280 };
  static const char *const header[] = { "Pink squares", "Hardness", "Setting", "Descale after" };
  for (int column = 0; column < 4; column++)
    add_text (&pdf, 'R', 10, header_x[column], 145, header[column]);
  static const char *const cells[3][4] = { { "0", "very soft, under 4", "1", "180 litres" },
                                           { "1", "soft, 4 to 7", "2", "75 litres" },
                                           { "2", "medium", "3", "8 litres" } };
  for (int row = 0; row < 3; row++)
    for (int column = 0; column < 4; column++)
      add_text (&pdf, 'R', 10,
                column == 0   ? 86
                : column == 3 ? 340 - 4.9 * (double)strlen (cells[row][3])
                              : header_x[column],
                162 + 12 * row, cells[row][column]);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_autofree char *all = all_text (extraction);
  g_assert_cmpstr (all, ==,
                   "heading 2: 3.1 Water\n"
                   "table row 1: Pink squares | Hardness | Setting | Descale after\n"
                   "table row 0: 0 | very soft, under 4 | 1 | 180 litres\n"
                   "table row 0: 1 | soft, 4 to 7 | 2 | 75 litres\n"
                   "table row 0: 2 | medium | 3 | 8 litres\n");
  lectern_extraction_free (extraction);
}

static void test_contents (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'B', 14, 60, 60, "Contents");
  static const char *const chapters[] = { "Safety", "The machine", "Cleaning" };
  for (int i = 0; i < 3; i++) {
    g_autofree char *number = g_strdup_printf ("%d", i + 1), *section = g_strdup_printf ("%d.1", i + 1);
    add_text (&pdf, 'B', 10, 60, 90 + 40 * i, number);
    add_text (&pdf, 'B', 10, 75, 90 + 40 * i, chapters[i]);
    add_text (&pdf, 'B', 10, 500, 90 + 40 * i, number);
    add_text (&pdf, 'R', 10, 75, 102 + 40 * i, section);
    add_text (&pdf, 'R', 10, 98, 102 + 40 * i,
              i < 2 ? "What to know . . . . . . . . . . . . . . ." : "An annex . . . . . . . .");
    add_text (&pdf, 'R', 10, 500, 102 + 40 * i, number);
  }
  for (int i = 0; i < 3; i++) {
    g_autofree char *number = g_strdup_printf ("%d", i + 1), *section = g_strdup_printf ("%d.1", i + 1);
    add_page (&pdf);
    add_text (&pdf, 'B', 16, 60, 60, number);
    add_text (&pdf, 'B', 16, 84, 60, chapters[i]);
    add_text (&pdf, 'B', 12, 60, 90, section);
    add_text (&pdf, 'B', 12, 95, 90, i < 2 ? "What to know" : "More");
    add_lines (&pdf, 60, 215 + 20 * i,
               i == 1 ? "The machine brews coffee and heats milk for up to ten people every day, in small"
                      : "Read this before the machine is used for the first time, and keep it for later, in",
               "offices and in households.", NULL);
  }
  LecternExtraction *extraction = read_pdf (&pdf);
  g_autofree char *all = all_text (extraction);
  /* Headings are read where they stand; of the contents only what repeats none is left. */
  static const char *const expected = "list item 1: 3.1 An annex 3\n";
  g_assert_true (g_str_has_prefix (all, expected));
  g_assert_true (g_str_has_prefix (all + strlen (expected),
                                   "heading 1: 1 Safety\nheading 2: 1.1 What to know\nparagraph 0: Read this"));
  g_assert_nonnull (strstr (all, "heading 1: 3 Cleaning\nheading 2: 3.1 More\nparagraph"));
  g_assert_cmpuint (extraction->blocks->len, ==, 10);
  lectern_extraction_free (extraction);
}

/* Justified lines whose words stand far apart, here and there below each other, are no table. */
static void test_wide_gaps (void)
{
  static const char *const words[6][4]
      = { { "Narrow columns that", "are justified have", "gaps between the", "words which are" },
          { "wider than one is used", "to, since there are", "but few of them", "in each line to" },
          { "take up the", "space that is left and", "no word may be cut to fill", "it. They are" },
          { "no sign of a table", "for they stand now", "here and now there as the", "words happen" },
          { "to fall, and a", "reader never stops at", "them. A program should not", "either, as" },
          { "it would tear apart", "what belongs together", "in a sentence like", "this one here." } };
  static const double x[6][3] = { { 170, 280, 380 }, { 185, 292, 390 }, { 140, 262, 402 },
                                  { 160, 270, 410 }, { 145, 258, 407 }, { 170, 290, 392 } };
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  for (int row = 0; row < 6; row++)
    for (int column = 0; column < 4; column++)
      add_text (&pdf, 'R', 10, column ? x[row][column - 1] : 60, 100 + 12 * row, words[row][column]);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpuint (extraction->blocks->len, ==, 1);
  const LecternBlock *block = extraction->blocks->pdata[0];
  g_assert_cmpint (block->kind, ==, LECTERN_BLOCK_PARAGRAPH);
  g_assert_true (
      g_str_has_prefix (block->text, "Narrow columns that are justified have gaps between the words which are wider"));
  g_assert_true (g_str_has_suffix (block->text, "what belongs together in a sentence like this one here."));
  lectern_extraction_free (extraction);
}

/* Code with line numbers stays code. */
static void test_numbered_code (void)
{
  static const char *const code[] = { "int n = 0;", "while (more ())", "n++;", "return n;" };
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  for (int i = 0; i < 4; i++) {
    g_autofree char *number = g_strdup_printf ("%d", i + 1);
    add_text (&pdf, 'R', 6, 60, 100 + 12 * i, number);
    add_text (&pdf, 'M', 10, 80, 100 + 12 * i, code[i]);
  }
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 0, LECTERN_BLOCK_CODE, 0, 1, "1 int n = 0;\n2 while (more ())\n3 n++;\n4 return n;");
  g_assert_cmpuint (extraction->blocks->len, ==, 1);
  lectern_extraction_free (extraction);
}

/* Words of nobody's interest, as a paragraph of three lines. Returns the y of the next line. */
static double add_paragraph (Pdf *pdf, double y)
{
  return add_lines (pdf, 60, y, "The pump is made for clean water and for nothing else, and whoever uses it with oil",
                    "or with sea water has to expect that its seals will swell and that the shaft is worn out",
                    "long before its time.", NULL);
}

/* Headings of the body's size and weight are known by their number and the space around them; bold words at the beginning
 * of a paragraph and numbered steps are none. */
static void test_plain_headings (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  double y = 60;
  add_text (&pdf, 'R', 10, 60, y, "2.1 Inlet and outlet");
  y = add_paragraph (&pdf, y + 24);
  add_text (&pdf, 'B', 10, 60, y + 10, "Note");
  add_text (&pdf, 'R', 10, 90, y + 10,
            "The inlet is the wider one of the two pipes, and it is marked with a blue ring that");
  y = add_lines (&pdf, 60, y + 22, "must not be taken off.", NULL);
  add_text (&pdf, 'B', 10, 60, y + 14, "Outlet");
  y = add_paragraph (&pdf, y + 30);
  y = add_lines (&pdf, 60, y + 10, "1. Open the inlet.", "2. Wait.", NULL);
  add_text (&pdf, 'R', 10, 60, y + 14, "2.2 Seals");
  add_paragraph (&pdf, y + 38);
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 0, LECTERN_BLOCK_HEADING, 2, 1, "2.1 Inlet and outlet");
  const LecternBlock *note = extraction->blocks->pdata[2];
  g_assert_cmpint (note->kind, ==, LECTERN_BLOCK_PARAGRAPH);
  g_assert_true (g_str_has_prefix (note->text, "Note The inlet"));
  const LecternBlock *outlet = extraction->blocks->pdata[3];
  g_assert_cmpint (outlet->kind, ==, LECTERN_BLOCK_HEADING);
  g_assert_cmpstr (outlet->text, ==, "Outlet");
  expect (extraction, 5, LECTERN_BLOCK_LIST_ITEM, 1, 1, "1. Open the inlet.");
  expect (extraction, 6, LECTERN_BLOCK_LIST_ITEM, 1, 1, "2. Wait.");
  expect (extraction, 7, LECTERN_BLOCK_HEADING, 2, 1, "2.2 Seals");
  g_assert_cmpuint (extraction->blocks->len, ==, 9);
  lectern_extraction_free (extraction);
}

/* A title of two lines is one heading; a second one right below it is another, and names below the title are none. */
static void test_heading_lines (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'B', 22, 60, 60, "Pumps");
  add_text (&pdf, 'R', 13, 60, 85, "Ada Miller and Ben Smith");
  add_text (&pdf, 'B', 14, 60, 130, "1 What is to be known about the seals of pumps for clean water and of");
  add_text (&pdf, 'B', 14, 76, 147, "those for oil");
  add_text (&pdf, 'B', 12, 60, 168, "1.1 Seals");
  add_paragraph (&pdf, 190);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpstr (extraction->title, ==, "Pumps");
  expect (extraction, 0, LECTERN_BLOCK_HEADING, 1, 1, "Pumps");
  expect (extraction, 1, LECTERN_BLOCK_PARAGRAPH, 0, 1, "Ada Miller and Ben Smith");
  expect (extraction, 2, LECTERN_BLOCK_HEADING, 1, 1,
          "1 What is to be known about the seals of pumps for clean water and of those for oil");
  expect (extraction, 3, LECTERN_BLOCK_HEADING, 2, 1, "1.1 Seals");
  g_assert_cmpuint (extraction->blocks->len, ==, 5);
  lectern_extraction_free (extraction);
}

/* The program takes more room than the text about it: the text is the body all the same. */
static void test_mostly_code (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_paragraph (&pdf, 60);
  for (int i = 0; i < 30; i++)
    add_text (&pdf, 'M', 8, i % 3 == 0 ? 60 : 69.6, 120 + 10 * i,
              i % 3 == 2 ? "return nothing_at_all (because, of, this);" : "if (there_is_more (to, be, read)) {");
  add_paragraph (&pdf, 450);
  LecternExtraction *extraction = read_pdf (&pdf);
  for (guint i = 0; i < extraction->blocks->len; i++)
    g_assert_cmpint (((LecternBlock *)extraction->blocks->pdata[i])->kind, !=, LECTERN_BLOCK_HEADING);
  const LecternBlock *code = extraction->blocks->pdata[1];
  g_assert_cmpint (code->kind, ==, LECTERN_BLOCK_CODE);
  g_assert_true (g_str_has_prefix (code->text, "if (there_is_more (to, be, read)) {\n"
                                               "  if (there_is_more (to, be, read)) {\n"
                                               "  return nothing_at_all (because, of, this);\nif ("));
  g_assert_cmpuint (extraction->blocks->len, ==, 3);
  lectern_extraction_free (extraction);
}

/* Indentation counts from the leftmost line, and a blank line stays. */
static void test_code_indentation (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_paragraph (&pdf, 60);
  add_text (&pdf, 'M', 10, 84, 120, "begin");
  add_text (&pdf, 'M', 10, 72, 132, "middle");
  add_text (&pdf, 'M', 10, 60, 156, "end");
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 1, LECTERN_BLOCK_CODE, 0, 1, "    begin\n  middle\n\nend");
  lectern_extraction_free (extraction);
}

/* Notes come after the paragraph that goes on over the page, each with its mark. */
static void test_footnotes (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  for (int i = 0; i < 2; i++) {
    add_page (&pdf);
    double y = 60;
    while (y < 600)
      y = add_paragraph (&pdf, y) + 6;
    if (i == 0) {
      add_lines (&pdf, 60, y,
                 "This paragraph ends on the page that follows, since there is no room left for it on this",
                 "page, where it", NULL);
      add_text (&pdf, 'R', 8, 60, 720,
                "1 Clean water has no more than a gram of salt in a litre, and no sand at all that the eye");
      add_text (&pdf, 'R', 8, 60, 730, "could see.");
      add_text (&pdf, 'R', 8, 60, 740, "2 Oil is any oil.");
    }
  }
  GString *second = pdf.pages->pdata[1];
  g_string_prepend (second, "BT /R 10 Tf 60 755 Td (has begun.) Tj ET\n");
  LecternExtraction *extraction = read_pdf (&pdf);
  guint at = 0;
  while (at < extraction->blocks->len
         && !g_str_has_prefix (((LecternBlock *)extraction->blocks->pdata[at])->text, "This paragraph"))
    at++;
  expect (extraction, at, LECTERN_BLOCK_PARAGRAPH, 0, 1,
          "This paragraph ends on the page that follows, since there is no room left for it on this page, where it has "
          "begun.");
  expect (extraction, at + 1, LECTERN_BLOCK_PARAGRAPH, 0, 1,
          "1 Clean water has no more than a gram of salt in a litre, and no sand at all that the eye could see.");
  expect (extraction, at + 2, LECTERN_BLOCK_PARAGRAPH, 0, 1, "2 Oil is any oil.");
  lectern_extraction_free (extraction);
}

static void test_captions_and_lists (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  double y = add_paragraph (&pdf, 60);
  add_text (&pdf, 'R', 8, 60, y + 20, "Abbildung 3 Der Tank von oben");
  y = add_paragraph (&pdf, y + 50);
  add_text (&pdf, 'R', 10, 60, y + 20, "Tableau 2 : Les joints");
  y = add_paragraph (&pdf, y + 50);
  y = add_lines (&pdf, 60, y, "Table 2 tells which seals belong to which pump, and how long they last in clean water.",
                 NULL);
  add_text (&pdf, 'R', 10, 60, y + 8, "\225");
  add_text (&pdf, 'R', 10, 72, y + 8,
            "A seal of rubber, which is good for clean water but swells in oil and must never come");
  y = add_lines (&pdf, 72, y + 20, "near it.", NULL);
  y = add_lines (&pdf, 84, y, "i\\) It lasts a year.", "ii\\) It is black.", NULL);
  add_lines (&pdf, 60, y, "\225 A seal of metal.", NULL);
  LecternExtraction *extraction = read_pdf (&pdf);
  expect (extraction, 1, LECTERN_BLOCK_CAPTION, 0, 1, "Abbildung 3 Der Tank von oben");
  expect (extraction, 3, LECTERN_BLOCK_CAPTION, 0, 1, "Tableau 2 : Les joints");
  guint at = 6;
  expect (extraction, at - 1, LECTERN_BLOCK_PARAGRAPH, 0, 1,
          "Table 2 tells which seals belong to which pump, and how long they last in clean water.");
  expect (extraction, at, LECTERN_BLOCK_LIST_ITEM, 1, 1,
          "• A seal of rubber, which is good for clean water but swells in oil and must never come near it.");
  expect (extraction, at + 1, LECTERN_BLOCK_LIST_ITEM, 2, 1, "i) It lasts a year.");
  expect (extraction, at + 2, LECTERN_BLOCK_LIST_ITEM, 2, 1, "ii) It is black.");
  expect (extraction, at + 3, LECTERN_BLOCK_LIST_ITEM, 1, 1, "• A seal of metal.");
  lectern_extraction_free (extraction);
}

static void test_metadata (void)
{
  static const struct {
    const char *info, *title;
  } cases[] = { { "/Title(Seals)", "Seals" },
                { "/Title(seals.indd)", "Pumps" },
                { "/Title(Unbenannt-1)", "Pumps" },
                { "/Title(tr_2024_17)", "Pumps" },
                { "/Title(Document management for pumps)", "Document management for pumps" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Pdf pdf;
    pdf_init (&pdf);
    pdf.info = cases[i].info;
    add_page (&pdf);
    add_text (&pdf, 'R', 20, 60, 60, "Pumps");
    add_paragraph (&pdf, 100);
    pdf.catalog = i % 2 ? "/Lang(de-CH)" : "/Lang<FEFF00660072>";
    LecternExtraction *extraction = read_pdf (&pdf);
    g_assert_cmpstr (extraction->title, ==, cases[i].title);
    g_assert_cmpstr (extraction->language, ==, i % 2 ? "de-CH" : "fr");
    lectern_extraction_free (extraction);
  }
  /* No print is larger than the rest: the first heading is the title. */
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_text (&pdf, 'B', 10, 60, 60, "About pumps");
  add_paragraph (&pdf, 90);
  LecternExtraction *extraction = read_pdf (&pdf);
  g_assert_cmpstr (extraction->title, ==, "About pumps");
  g_assert_null (extraction->language);
  lectern_extraction_free (extraction);
}

/* ---- what is not ----------------------------------------------------------------------------------------- */

static void expect_failure (LecternExtraction *extraction, LecternStatus status, const char *part)
{
  g_test_message ("%s", extraction->error);
  g_assert_cmpint (extraction->status, ==, status);
  g_assert_nonnull (strstr (extraction->error, part));
  lectern_extraction_free (extraction);
}

static char *write_file (const char *name, const char *content)
{
  char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return path;
}

static void test_failures (void)
{
  Pdf pdf;
  pdf_init (&pdf);
  add_page (&pdf);
  add_page (&pdf);
  expect_failure (read_pdf (&pdf), LECTERN_STATUS_NO_TEXT_LAYER, "None of its 2 pages holds text");
  pdf_init (&pdf);
  add_page (&pdf);
  add_lines (&pdf, 60, 100, "Secret", NULL);
  pdf.trailer = "/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]/Encrypt<</Filter/Standard/V "
                "1/R 2/P -4"
                "/O<000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f>"
                "/U<f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f>>>";
  expect_failure (read_pdf (&pdf), LECTERN_STATUS_ENCRYPTED, "password");
  expect_failure (read_path (write_file ("broken.pdf", "%PDF-1.4\nthis is all that is left of it\n")),
                  LECTERN_STATUS_DAMAGED, "damaged");
  expect_failure (read_path (write_file ("page.pdf", "a letter in the wrong place")), LECTERN_STATUS_DAMAGED,
                  "not a PDF");
  expect_failure (read_path (write_file ("picture.png", "\x89PNG\r\n\x1a\n")), LECTERN_STATUS_UNSUPPORTED,
                  "not in a format");
}

/* Poppler follows a structure tree down until its stack is used up; the text does not depend on the tree. */
static void test_deep_structure (void)
{
  enum { DEPTH = 60000, FIRST = 7 };
  static const char text[] = "BT /F 12 Tf 60 700 Td (Close the drain valve before you fill the tank.) Tj ET";
  g_autoptr (GString) file = g_string_new ("%PDF-1.7\n"); /* without an xref table, which poppler rebuilds */
  g_string_append_printf (file,
                          "1 0 obj<</Type/Catalog/Pages 2 0 R/MarkInfo<</Marked true>>/StructTreeRoot 6 0 R>>endobj\n"
                          "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                          "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
                          "/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
                          "4 0 obj<</Length %u>>stream\n%s\nendstream endobj\n"
                          "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
                          "6 0 obj<</Type/StructTreeRoot/K 7 0 R>>endobj\n",
                          (guint)strlen (text), text);
  for (int i = FIRST; i < FIRST + DEPTH; i++)
    g_string_append_printf (file, "%d 0 obj<</Type/StructElem/S/H1/P %d 0 R/K %d 0 R>>endobj\n", i, i - 1, i + 1);
  g_string_append_printf (file, "%d 0 obj<</Type/StructElem/S/H1/P %d 0 R/K 0>>endobj\ntrailer<</Root 1 0 R/Size %d>>\n",
                          FIRST + DEPTH, FIRST + DEPTH - 1, FIRST + DEPTH + 1);
  char *path = g_build_filename (folder, "deep.pdf", NULL);
  g_assert_true (g_file_set_contents (path, file->str, (gssize)file->len, NULL));
  LecternExtraction *extraction = read_path (path);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  expect (extraction, 0, LECTERN_BLOCK_PARAGRAPH, 0, 1, "Close the drain valve before you fill the tank.");
  for (guint i = 0; i < extraction->warnings->len; i++)
    g_test_message ("%s", (const char *)extraction->warnings->pdata[i]);
  lectern_extraction_free (extraction);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, >=, 2);
  g_setenv ("LECTERN_EXTRACT", argv[1], TRUE);
  folder = g_dir_make_tmp ("lectern-pdf-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  g_test_add_func ("/pdf/structure", test_structure);
  g_test_add_func ("/pdf/spans", test_spans);
  g_test_add_func ("/pdf/turned", test_turned);
  g_test_add_func ("/pdf/stamp", test_stamp);
  g_test_add_func ("/pdf/rotated-pages", test_rotated_pages);
  g_test_add_func ("/pdf/right-to-left", test_right_to_left);
  g_test_add_func ("/pdf/tight-lines", test_tight_lines);
  g_test_add_func ("/pdf/indices", test_indices);
  g_test_add_func ("/pdf/furniture", test_furniture);
  g_test_add_func ("/pdf/lone-number", test_lone_number);
  g_test_add_func ("/pdf/watermark", test_watermark);
  g_test_add_func ("/pdf/columns", test_columns);
  g_test_add_func ("/pdf/table", test_table);
  g_test_add_func ("/pdf/airy-table", test_airy_table);
  g_test_add_func ("/pdf/torn-row", test_torn_row);
  g_test_add_func ("/pdf/heading-across", test_heading_across);
  g_test_add_func ("/pdf/long-cells", test_long_cells);
  g_test_add_func ("/pdf/aligned-columns", test_aligned_columns);
  g_test_add_func ("/pdf/contents", test_contents);
  g_test_add_func ("/pdf/wide-gaps", test_wide_gaps);
  g_test_add_func ("/pdf/numbered-code", test_numbered_code);
  g_test_add_func ("/pdf/plain-headings", test_plain_headings);
  g_test_add_func ("/pdf/heading-lines", test_heading_lines);
  g_test_add_func ("/pdf/mostly-code", test_mostly_code);
  g_test_add_func ("/pdf/code-indentation", test_code_indentation);
  g_test_add_func ("/pdf/footnotes", test_footnotes);
  g_test_add_func ("/pdf/captions-and-lists", test_captions_and_lists);
  g_test_add_func ("/pdf/metadata", test_metadata);
  g_test_add_func ("/pdf/deep-structure", test_deep_structure);
  g_test_add_func ("/pdf/failures", test_failures);
  int status = g_test_run ();
  lectern_extractor_free (extractor);
  g_rmdir (folder);
  g_free (folder);
  return status;
}
