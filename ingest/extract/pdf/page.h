/* page.h: one page of print: words with their rectangles, in fragments of lines, in the order of reading.
 * A PdfPage owns its arrays and holds no poppler object. page.c takes poppler's characters and gives words; turn.c turns
 * them upright; layout.c takes the words and gives fragments in order. */
#ifndef LECTERN_EXTRACT_PDF_PAGE_H
#define LECTERN_EXTRACT_PDF_PAGE_H

#include <poppler.h>

typedef enum {
  PDF_BOLD = 1 << 0,
  PDF_MONO = 1 << 1,
  PDF_SOFT_HYPHEN = 1 << 2, /* the word ended in one (it is not part of its text) */
  PDF_BREAK = 1 << 3,       /* poppler begins another line or place with the word */
  PDF_SHORT = 1 << 4,       /* the word has two characters, which may also be a letter and its accent */
} PdfStyle;

#define PDF_LOOK_SHIFT 8 /* the upper bits of a word's style tell its font and colour from others */

/* Points from the top left corner; y0 < y1. */
typedef struct {
  float x0, y0, x1, y1;
} PdfBox;

/* Which way print runs. */
typedef enum {
  PDF_TURN_NONE, /* to the right */
  PDF_TURN_DOWN,
  PDF_TURN_UP,
  PDF_TURN_OVER,   /* on its head */
  PDF_TURN_LEFT,   /* to the left: on pages of a right-to-left script, all upright words */
  PDF_TURN_ACROSS, /* large, over other print, as a watermark: where it stands tells nothing */
  PDF_TURN_UNKNOWN /* only while a page is read */
} PdfTurn;

typedef struct {
  guint32 start, length; /* in PdfPage.text, at least one byte */
  PdfBox box;            /* as the layout sees it: upright (turn.c) */
  PdfBox shown;          /* on the page, no higher than its line */
  float size;            /* of the font, points */
  guint style;
  PdfTurn turn;
  guint32 color; /* 0xRRGGBB, what it is filled with */
} PdfWord;

/* Ways of hiding text (hidden.c). */
typedef enum { PDF_HIDDEN_COLOR, PDF_HIDDEN_SIZE, PDF_HIDDEN_PLACE, PDF_HIDDEN_COVERED, PDF_N_HIDDEN } PdfHidden;

/* A fragment: words on one line with no gap between them that could be one between columns. */
typedef struct {
  guint first, n; /* in PdfPage.words */
  PdfBox box;
  float size;
  guint style;       /* of most of its characters; PDF_SOFT_HYPHEN: of its last word */
  guint32 chars;     /* bytes of text */
  guint region;      /* fragments of one column between two cuts of the page have the same */
  guint row;         /* fragments of one line of print have the same; ascends with the order of reading */
  gboolean dropped;  /* is not read: a running header, footer or page number, an entry of the contents */
  gboolean contents; /* belongs to a table of contents */
  int table;         /* 1 + index of the table that it is a cell of; 0: none */
  PdfTurn turn;      /* of its words; not PDF_TURN_NONE: its box is not where it stands on the page */
} PdfLine;

typedef struct {
  int number; /* from 1 */
  float width, height;
  GString *text;
  GArray *words; /* of PdfWord, in poppler's order */
  GArray *lines; /* of PdfLine, in the order of reading */
  gboolean doubtful; /* the order of reading is a guess */
  PdfTurn turn;      /* of most of its words: what runs another way is a stamp, a watermark, the label of an axis */
  guint n_characters, n_unmapped; /* as they stand in the file; those that stand for no known letter */
  guint hidden[PDF_N_HIDDEN];       /* characters that nobody sees and that were left out */
} PdfPage;

#define PDF_WORD(page, i) (&g_array_index ((page)->words, PdfWord, i))
#define PDF_LINE(page, i) (&g_array_index ((page)->lines, PdfLine, i))

/* A fragment ends where the gap to the next word is wider than this many font sizes. Justified lines have such gaps,
 * too; fragments of one row are one line again unless a gutter or the columns of a table separate them. */
#define PDF_WIDE_GAP 0.75f

/* A page of this size without words. */
PdfPage *pdf_page_new (PopplerPage *source, int number);
/* careful: the page is not painted; words that only that could show to be visible are left out as hidden. */
PdfPage *pdf_page_read (PopplerPage *source, int number, gboolean careful);
void pdf_page_free (PdfPage *page);

/* Turns words that do not run to the right so that they seem to, mirrors those of right-to-left scripts; and turns what
 * they are shown at back. */
void pdf_page_turn (PdfPage *page);
void pdf_page_turn_back (PdfPage *page);
gboolean pdf_is_right_to_left (gunichar c);

/* Fills page->lines from page->words. */
void pdf_page_arrange (PdfPage *page);

/* The text of a fragment, words separated by blanks. */
void pdf_line_append_text (const PdfPage *page, const PdfLine *line, GString *out);

/* Whether two boxes stand on the same line of print. */
gboolean pdf_box_same_line (const PdfBox *a, const PdfBox *b);
/* The first fragment after `at` that is of another row (or the number of fragments). */
guint pdf_row_end (const PdfPage *page, guint at);
void pdf_box_unite (PdfBox *box, const PdfBox *other);

#endif
