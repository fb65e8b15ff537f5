/* flow.h: what the readers of office documents find, put in order and emitted: paragraphs, tables that are gathered row by
 * row, and what belongs behind the paragraph in which it stands (notes, text boxes, comments). Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_OFFICE_FLOW_H
#define LECTERN_EXTRACT_OFFICE_FLOW_H

#include "ingest/extract/extractor.h"

#define FLOW_CELL_SEPARATOR " | "
#define FLOW_MAX_COLUMNS 1024
#define FLOW_MAX_CELLS 2000000u /* of all tables of a document that have text in them */

/* Text in work, white space collapsed. */
typedef struct {
  GString *string;
  gboolean space; /* white space stands before what comes */
} FlowText;

void flow_text_append (FlowText *text, const char *more);
gsize flow_count_characters (const char *text); /* but for white space */

typedef struct _FlowTable FlowTable;

typedef struct {
  Writer *writer;
  int page;            /* of what is emitted; 0: none */
  GPtrArray *tables;   /* of FlowTable, the open ones, outermost first */
  GPtrArray *held;     /* of LecternBlock: what comes behind the paragraph or table in work */
  guint hold;          /* paragraphs in work in the innermost table (or outside of all) */
  guint n_cells;       /* so far */
  char *title;         /* the first heading; NULL: none yet */
  guint64 boilerplate; /* characters left out as headers, footers, tables of contents, for flow_finish() */
  guint64 hidden;      /* characters that nobody sees, for flow_finish() */
  guint64 characters;  /* emitted */
} Flow;

void flow_init (Flow *flow, Writer *writer);
/* Emits what is still open, the title if the document gave none worth showing, and what was left out. The flow is spent. */
void flow_finish (Flow *flow, gboolean titled);

/* A block: into the cell at hand, behind the paragraph in work, or out. Empty ones are dropped. */
void flow_block (Flow *flow, LecternBlockKind kind, int level, const char *text);
/* Around a paragraph's content: what is given between goes behind the paragraph, which is given after flow_release(). */
void flow_hold (Flow *flow);
void flow_release (Flow *flow);

/* A table. One that is there for the layout (one column, long cells, headings in cells) comes out as its paragraphs. */
void flow_begin_table (Flow *flow, gboolean first_row_is_header);
void flow_begin_row (Flow *flow, gboolean header);
/* Before a cell's blocks. `n_columns`: how many it spans; `repeats_above`: it continues the cell above it. */
void flow_begin_cell (Flow *flow, guint n_columns, gboolean repeats_above);
void flow_end_table (Flow *flow);

/* ---- helpers ---- */

/* Whether a first row of `n` cells (NULL or "": empty) is made of labels rather than values. */
gboolean flow_is_header_row (const char *const *cells, guint n);
gboolean flow_is_number (const char *text);

/* A number as lists show it: format '1', 'a', 'A', 'i' or 'I'. */
void flow_append_number (GString *label, char format, guint number);

/* Around what is on a slide, from 1: its blocks get this page, and its first heading comes first. */
void flow_begin_slide (Flow *flow, int number);
void flow_end_slide (Flow *flow);

/* A title worth showing: not a file name or a program's default. */
gboolean flow_title_is_good (const char *title);

#endif
