/* odf-body.h: the bodies of OpenDocument files. Internal to ingest/extract/office/. */
#ifndef LECTERN_EXTRACT_OFFICE_ODF_BODY_H
#define LECTERN_EXTRACT_OFFICE_ODF_BODY_H

#include "ingest/extract/office/flow.h"
#include "ingest/extract/office/odf-styles.h"

typedef struct {
  Flow flow;
  OdfStyles *styles;
  gboolean is_sheet;
  GString *code;                     /* lines of a code block that has not ended; empty: none */
  guint list_depth;                  /* lists around what is read */
  guint numbers[ODF_N_LEVELS];       /* of the items of the lists at hand */
  guint headings[ODF_N_LEVELS];      /* of the headings */
  gboolean item_begins;              /* the next paragraph is an item's first */
  char *list_style;                  /* of the list at hand, or NULL */
  char *ended_list_style;            /* of the outermost list read last, */
  guint ended_numbers[ODF_N_LEVELS]; /* and its numbers, for one that continues it */
} OdfReader;

/* The children of an element: paragraphs, headings, lists, tables, shapes. */
void odf_read_blocks (OdfReader *reader, Xml *xml);
/* A frame or shape: text boxes give their blocks, pictures their description. */
void odf_read_shape (OdfReader *reader, Xml *xml);
void odf_end_code (OdfReader *reader);
/* All text of the paragraphs in an element, in one line; the caller frees. */
char *odf_dup_paragraphs (OdfReader *reader, Xml *xml);

void odf_read_slides (OdfReader *reader, Xml *xml); /* of <office:presentation> */
void odf_read_sheets (OdfReader *reader, Xml *xml); /* of <office:spreadsheet> */

#endif
