/* dom.h: what an element is, and which parts of a page are seen. Internal to ingest/extract/.
 *
 * The tree is walked by next pointers, never by recursion, so that no nesting depth can exhaust the stack. */
#ifndef LECTERN_EXTRACT_HTML_DOM_H
#define LECTERN_EXTRACT_HTML_DOM_H

#include <glib.h>
#include <libxml/HTMLparser.h>

typedef enum {
  ELEMENT_INLINE, /* also every unknown name */
  ELEMENT_BLOCK,
  ELEMENT_DROPPED, /* never text: script, form controls, media */
  ELEMENT_HEADING,
  ELEMENT_LIST,
  ELEMENT_ITEM,
  ELEMENT_TERM,
  ELEMENT_DEFINITION,
  ELEMENT_TABLE,
  ELEMENT_ROW,
  ELEMENT_CELL,
  ELEMENT_CODE, /* pre */
  ELEMENT_CAPTION,
  ELEMENT_BREAK,
} ElementRole;

ElementRole html_role (const xmlNode *node); /* ELEMENT_INLINE for what is no element */
/* Keeps the element's role in it (in the low byte of xmlNode.extra, which is for the tree's user), so that it is looked up only
 * once. */
void html_set_role (xmlNode *node);
int html_heading_level (const xmlNode *node);

static inline gboolean html_is_block (ElementRole role)
{
  return role != ELEMENT_INLINE && role != ELEMENT_BREAK && role != ELEMENT_DROPPED;
}

gboolean html_is (const xmlNode *node, const char *name);           /* an element of that name */
const char *html_attribute (const xmlNode *node, const char *name); /* borrowed; NULL if absent or not plain text */

/* Not shown to a reader (hidden.h). */
gboolean html_is_hidden (const xmlNode *node);

/* Says of itself that it is navigation, advertising, a cookie notice, comments, …: by name, role, id and class. */
gboolean html_is_boilerplate (const xmlNode *node);
/* The same within a set of files that is no web site, such as a manual, whose words of class and id may be of its text. */
typedef enum {
  HTML_TEXT,
  HTML_NAVIGATION,
  HTML_CONTENTS, /* a list of what there is: on the page itself, or on others */
} HtmlNavigation;
HtmlNavigation html_navigation (const xmlNode *node);
/* A box beside the text's outline: class "note", "tip", "warning", … Its heading opens no section. */
gboolean html_is_admonition (const xmlNode *node);
/* Says of itself that it is the main content. */
gboolean html_is_main (const xmlNode *node);

/* The next node in document order within `root`: into `node`'s children unless `skip_children`; NULL at the end. */
xmlNode *html_next (xmlNode *node, const xmlNode *root, gboolean skip_children);

#endif
