/* pdf-page.h: one page of print: words with their rectangles, in fragments of lines, in poppler's reading order.
 * A PdfPage owns its arrays and holds no poppler object. */
#ifndef LECTERN_EXTRACT_PDF_PAGE_H
#define LECTERN_EXTRACT_PDF_PAGE_H

#include <poppler.h>

typedef enum {
  PDF_BOLD = 1 << 0,
  PDF_MONO = 1 << 1,
  PDF_SOFT_HYPHEN = 1 << 2, /* the word ended in one (it is not part of its text) */
} PdfStyle;

/* Points from the top left corner; y0 < y1. */
typedef struct {
  float x0, y0, x1, y1;
} PdfBox;

typedef struct {
  guint32 start, length; /* in PdfPage.text, at least one byte */
  PdfBox box;
  float size; /* of the font, points */
  guint style;
} PdfWord;

/* Words on one line with no wide gap between them. */
typedef struct {
  guint first, n; /* in PdfPage.words */
  PdfBox box;
  float size;
  guint style;      /* of most of its characters; PDF_SOFT_HYPHEN: of its last word */
  guint32 chars;    /* bytes of text */
  gboolean dropped; /* a running header, footer or page number */
  gboolean joined;  /* goes on on the same line as the fragment before it */
  int table;        /* 1 + index of the table that it is a cell of; 0: none */
} PdfLine;

typedef struct {
  int number; /* from 1 */
  float width, height;
  GString *text;
  GArray *words; /* of PdfWord */
  GArray *lines; /* of PdfLine */
} PdfPage;

#define PDF_WORD(page, i) (&g_array_index ((page)->words, PdfWord, i))
#define PDF_LINE(page, i) (&g_array_index ((page)->lines, PdfLine, i))

/* A fragment ends where the gap to the next word is wider than this many font sizes. */
#define PDF_WIDE_GAP 1.6f

PdfPage *pdf_page_read (PopplerPage *source, int number);
void pdf_page_free (PdfPage *page);

/* The text of a fragment, words separated by blanks. */
void pdf_line_append_text (const PdfPage *page, const PdfLine *line, GString *out);

/* Whether two boxes stand on the same line of print. */
gboolean pdf_box_same_line (const PdfBox *a, const PdfBox *b);
void pdf_box_unite (PdfBox *box, const PdfBox *other);

#endif
