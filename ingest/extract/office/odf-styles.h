/* odf-styles.h: what an OpenDocument file's styles say of its paragraphs, lists and tables. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_OFFICE_ODF_STYLES_H
#define LECTERN_EXTRACT_OFFICE_ODF_STYLES_H

#include "ingest/extract/office/xml.h"

typedef enum { ODF_BODY, ODF_TITLE, ODF_CAPTION, ODF_CODE } OdfRole;

typedef struct {
  OdfRole role;
  gboolean hidden;
  guint outline_level; /* 0: none */
} OdfStyle;

typedef struct _OdfStyles OdfStyles;

OdfStyles *odf_styles_new (void);
void odf_styles_free (OdfStyles *styles);
/* Reads the children of <office:styles> or <office:automatic-styles>. */
void odf_styles_read (OdfStyles *styles, Xml *xml);

/* With all that it inherits; `family`: "paragraph", "text", "table", …; the name may be NULL. */
OdfStyle odf_styles_get (const OdfStyles *styles, const char *family, const char *name);

#define ODF_N_LEVELS 10
#define ODF_HEADINGS "" /* the list style of numbered headings */

/* Appends the label of a paragraph at `level` (from 0), whose list has these numbers. Nothing for a bullet. */
void odf_styles_append_label (const OdfStyles *styles, const char *list_style, guint level,
                              const guint numbers[ODF_N_LEVELS], GString *label);

#endif
