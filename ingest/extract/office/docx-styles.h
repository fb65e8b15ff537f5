/* docx-styles.h: what a Word document's styles and lists say of its paragraphs. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_OFFICE_DOCX_STYLES_H
#define LECTERN_EXTRACT_OFFICE_DOCX_STYLES_H

#include "ingest/extract/office/xml.h"

/* What a style, or a paragraph's own properties, set; -1: nothing. */
typedef struct {
  int outline_level; /* 0 to 8; 9: body text */
  int list, list_level;
  int hidden;
} DocxProperties;

#define DOCX_NO_PROPERTIES ((DocxProperties){ -1, -1, -1, -1 })

typedef enum { DOCX_BODY, DOCX_TITLE, DOCX_CAPTION, DOCX_CODE, DOCX_CONTENTS } DocxRole;

typedef struct _DocxStyles DocxStyles;

DocxStyles *docx_styles_new (const ContainerEntry *styles); /* NULL: there are none */
void docx_styles_free (DocxStyles *styles);
/* With all that a style inherits. `role` may be NULL. A style of NULL is the default one. */
DocxProperties docx_styles_get (const DocxStyles *styles, const char *style, DocxRole *role);
const char *docx_styles_get_language (const DocxStyles *styles); /* NULL: not said */

typedef struct _DocxLists DocxLists;

DocxLists *docx_lists_new (const ContainerEntry *numbering);
void docx_lists_free (DocxLists *lists);
/* Counts one more paragraph of the list and returns the label that stands before it ("3.1", "(a)"), or "" if it is a
 * bullet or has none. NULL: there is no such list. The caller frees. */
char *docx_lists_next (DocxLists *lists, int list, int level);

#endif
