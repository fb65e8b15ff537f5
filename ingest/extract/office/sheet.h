/* sheet.h: the rows of a spreadsheet to blocks. Internal to ingest/extract/.
 *
 * A sheet is a heading and then its regions, which empty rows divide. In a region, rows with one cell before the first with
 * more are paragraphs (titles, remarks); the first row of labels above values is the header. */
#ifndef LECTERN_EXTRACT_OFFICE_SHEET_H
#define LECTERN_EXTRACT_OFFICE_SHEET_H

#include "ingest/extract/office/flow.h"

typedef struct _Sheet Sheet;

Sheet *sheet_new (Flow *flow);
void sheet_free (Sheet *sheet);

void sheet_begin (Sheet *sheet, const char *name);
/* The next cell of the row in work, by column from 0 in rising order; empty ones need not be given. FALSE: the document has
 * had all the cells that are read. */
gboolean sheet_cell (Sheet *sheet, guint column, const char *text);
void sheet_end_row (Sheet *sheet);
void sheet_skip_row (Sheet *sheet); /* counts the row's cells as hidden and forgets them */
void sheet_end (Sheet *sheet);

#endif
