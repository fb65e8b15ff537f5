/* style-sheet.h: what the style sheets within a page hide. Internal to ingest/extract/.
 *
 * No engine for CSS: rules are applied whose selectors name an element, classes or an id (p, .note, p.note, .a.b, #x), in the
 * order of CSS (importance, specificity, appearance), and only the properties that can hide text. Rules for other media, for
 * states (:hover, .menu.open) and for places (.js .panel) hide nothing here; where one shows what another hides, a person can
 * reach the text, which is then taken as shown. So are tab panels, details and what a label or control names, and a page of
 * which next to nothing would be left. */
#ifndef LECTERN_EXTRACT_HTML_STYLE_SHEET_H
#define LECTERN_EXTRACT_HTML_STYLE_SHEET_H

#include "ingest/extract/html/hidden.h"

/* Marks the elements below `root` that its <style> elements hide (html_mark_hidden()). */
void style_sheet_apply (xmlNode *root);

#endif
