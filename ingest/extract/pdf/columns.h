/* columns.h: finding the gutter that separates columns of text. */
#ifndef LECTERN_EXTRACT_PDF_COLUMNS_H
#define LECTERN_EXTRACT_PDF_COLUMNS_H

#include "ingest/extract/pdf/page.h"

/* Items [first, end) of a region, none of them across the gutter, that are to be read left side first. */
typedef struct {
  guint first, end;
} PdfRun;

typedef struct {
  float x;
  GArray *runs; /* of PdfRun, ascending; the items between them are not cut */
} PdfGutter;

/* items: n indices of fragments, sorted from top to bottom; size: the usual font size of the page. Returns FALSE if no
 * gutter separates columns of text; else fills *gutter, whose runs the caller frees with g_array_unref(). A gutter
 * between the cells of a table is none: rows that share their baselines and are no running text. */
gboolean pdf_find_gutter (const PdfPage *page, const guint *items, guint n, float size, PdfGutter *gutter);

#endif
