/* hidden.h: elements that a page does not show. Internal to ingest/extract/.
 *
 * Text that nobody sees can be there to be read by programs only, so it is not taken as text, and is reported. Looked at are
 * attributes, and what style sheets within the page hide (style-sheet.h). */
#ifndef LECTERN_EXTRACT_HTML_HIDDEN_H
#define LECTERN_EXTRACT_HTML_HIDDEN_H

#include <glib.h>
#include <libxml/HTMLparser.h>

typedef enum {
  HIDING_NONE,
  HIDING_ATTRIBUTE,
  HIDING_ARIA,
  HIDING_DISPLAY,
  HIDING_VISIBILITY,
  HIDING_TRANSPARENT,
  HIDING_TINY,
  HIDING_OFF_PAGE,
  HIDING_CLIPPED,
  HIDING_COLOUR,
  N_HIDINGS
} Hiding;

Hiding html_hiding (const xmlNode *node); /* of this element itself, not of what it stands in */
/* Keeps in the element (in the high byte of xmlNode.extra) that a style sheet hides it; HIDING_NONE takes it back. */
void html_mark_hidden (xmlNode *node, Hiding hiding);

/* What a list of declarations says of each way of hiding: sets of bits, 1 << Hiding. */
typedef struct {
  guint16 hides, shows, important;
} HideDeclarations;

/* What fades or moves in (a transition, an animation) hides nothing, and neither does a picture in place of a text. */
void html_read_declarations (const char *css, HideDeclarations *declarations);

const char *html_hiding_to_string (Hiding hiding);

#endif
