/* source-row.h: one numbered source below an answer: document, page, heading path, passage. */
#ifndef LECTERN_SOURCE_ROW_H
#define LECTERN_SOURCE_ROW_H

#include "retrieval/retrieval.h"
#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LECTERN_TYPE_SOURCE_ROW (lectern_source_row_get_type ())
G_DECLARE_FINAL_TYPE (LecternSourceRow, lectern_source_row, LECTERN, SOURCE_ROW, GtkListBoxRow)

/* The row copies what it shows of `result`. */
GtkWidget *lectern_source_row_new (guint number, const LecternResult *result);

/* The file that the row's passage stands in; borrowed. */
const char *lectern_source_row_get_path (LecternSourceRow *self);

G_END_DECLS

#endif
