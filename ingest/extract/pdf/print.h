/* print.h: lines of print as the structure of a document is told from them, and what they look like. */
#ifndef LECTERN_EXTRACT_PDF_PRINT_H
#define LECTERN_EXTRACT_PDF_PRINT_H

#include "ingest/extract/pdf/document.h"

typedef enum {
  PDF_PRINT_BODY,
  PDF_PRINT_TABLE, /* stands for a whole table: `first` is its index, the rest is 0 */
} PdfPrintKind;

/* The fragments of one line of print, as one. */
typedef struct {
  guint first, n; /* fragments, consecutive in reading order */
  PdfBox box;
  float size;
  guint style, chars, words;
  guint32 look; /* of most of its characters: font and colour */
  PdfPrintKind kind;
  gboolean contents; /* a line of a table of contents */
  int level;         /* of the heading that it belongs to; 0: none */
  gboolean goes_on;  /* belongs to the same heading as the line before */
  gboolean note;     /* belongs to a footnote */
} PdfPrint;

#define PDF_PRINT(prints, i) (&g_array_index ((prints), PdfPrint, i))

/* The lines of a page in reading order (elements PdfPrint). A table stands where its first cell does. */
GArray *pdf_collect_prints (const PdfPage *page, guint n_tables);

char *pdf_print_text (const PdfPage *page, const PdfPrint *print);
const PdfWord *pdf_print_first_word (const PdfPage *page, const PdfPrint *print);
const PdfWord *pdf_print_last_word (const PdfPage *page, const PdfPrint *print);
gboolean pdf_print_begins_lower (const PdfPage *page, const PdfPrint *print);
/* Whether a line is bold from end to end: else a bold title only runs into the text. */
gboolean pdf_print_is_bold (const PdfPage *page, const PdfPrint *print);
/* How far right the lines of the same size near line `at` of the same column reach. */
float pdf_print_column_right (const GArray *prints, guint at);

/* marks.c: what the words of a line say about it. */
/* Bytes of the mark that begins a list item, blank included; 0: none. */
gsize pdf_list_mark (const char *text);
/* marked: the line looks like one, smaller or with a bold label; then "Figure 3 The tank" is one without punctuation. */
gboolean pdf_is_caption (const char *text, gboolean marked);
/* "2", "2.1", "A.3", "Chapter 4", "§ 5": how deep a numbered heading is; 0: not numbered. */
int pdf_numbering_depth (const char *text);
gboolean pdf_ends_sentence (const char *text);

/* headings.c: sets level and goes_on of the lines that are headings. prints: an array of PdfPrint per page. */
void pdf_mark_headings (const PdfDocument *document, const GPtrArray *prints);

/* footnotes.c: marks the lines of footnotes on a page. Headings are marked before. */
void pdf_mark_footnotes (const PdfDocument *document, const PdfPage *page, GArray *prints);
/* Appends the footnotes of a page (elements LecternBlock, which the array owns), each with its mark. */
void pdf_collect_footnotes (const PdfDocument *document, const PdfPage *page, const GArray *prints, GPtrArray *notes);

#endif
