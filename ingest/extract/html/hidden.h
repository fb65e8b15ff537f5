/* hidden.h: elements that a page does not show. Internal to ingest/extract/.
 *
 * Text that nobody sees can be there to be read by programs only, so it is not taken as text, and is reported. Looked at are
 * attributes: style sheets are not applied. */
#ifndef LECTERN_EXTRACT_HTML_HIDDEN_H
#define LECTERN_EXTRACT_HTML_HIDDEN_H

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
const char *html_hiding_to_string (Hiding hiding);

#endif
