/* document.h: what the parts of the PDF reader know together about one document. */
#ifndef LECTERN_EXTRACT_PDF_DOCUMENT_H
#define LECTERN_EXTRACT_PDF_DOCUMENT_H

#include "ingest/extract/extractor.h"
#include "ingest/extract/pdf/page.h"

typedef struct {
  char *key; /* letters and digits of the title, lower case */
  int level; /* from 1 */
  int page;  /* 0 if it leads to none */
} PdfOutlineEntry;

typedef struct {
  GPtrArray *pages;    /* of PdfPage */
  GHashTable *lexicon; /* words as they stand in the middle of lines, lower case */
  GArray *outline;     /* of PdfOutlineEntry */
  GPtrArray *forms;    /* of LecternBlock: what stands in form fields and comments, by page */
  gboolean careful;    /* nothing optional is read, no page is painted (Document) */
  float body_size;     /* the font size of most of the text */
  float body_leading;  /* the usual distance of its lines, in font sizes */
} PdfDocument;

/* furniture.c: marks running headers, footers and page numbers as dropped. */
void pdf_mark_furniture (PdfDocument *document);
/* How many characters were marked, blanks aside. Asked before contents.c marks more lines. */
guint64 pdf_count_furniture (const PdfDocument *document);

/* contents.c: marks the lines of tables of contents, and those as dropped that repeat headings. Needs the
 * document's sizes; furniture is marked before. */
void pdf_mark_contents (PdfDocument *document);

#define PDF_MAX_COLUMNS 24u

/* Words of one line of print in one column of a table. */
typedef struct {
  guint first, n; /* in PdfPage.words */
  guint row;      /* of print, from the table's first */
  guint column;
} PdfCell;

typedef struct {
  GArray *cells; /* of PdfCell: by rows from top to bottom, within a row from left to right */
  guint n_columns;
} PdfTable;

/* table.c: marks the fragments that are cells and returns the tables (elements PdfTable; free with the array). */
GPtrArray *pdf_find_tables (PdfPage *page);
/* table-rows.c: emits the rows of a table. *header: the header row of the table right before it on the page before,
 * or NULL; a row that repeats it is left out. It becomes the header row of this one (free it with g_free()). */
void pdf_emit_table (const PdfDocument *document, const PdfPage *page, const PdfTable *table, char **header,
                     Writer *writer);

/* text.c: building a block's text and spans. */
LecternBlock *pdf_block_new (LecternBlockKind kind, int level, int page);
/* Appends the words of a fragment. A hyphen at the end of what is there already is dissolved or kept as the lexicon says. */
void pdf_block_append_line (LecternBlock *block, const PdfDocument *document, const PdfPage *page, const PdfLine *line,
                            gboolean after_soft_hyphen);
/* Whether a row of dots leads the eye through it, as in a table of contents. */
gboolean pdf_line_has_leader (const PdfPage *page, const PdfLine *line);
/* Appends text that stands for no word on the page. */
void pdf_block_append_text (LecternBlock *block, const char *text);
void pdf_collect_words (GHashTable *lexicon, const PdfPage *page);
/* Letters and digits of a text, lower case: for comparing titles. */
char *pdf_text_key (const char *text);

/* blocks.c: emits the document's blocks in reading order, those of a page's forms after its own. Returns the text of the
 * first heading (free it with g_free()), or NULL. */
char *pdf_emit_blocks (const PdfDocument *document, Writer *writer);

#endif
