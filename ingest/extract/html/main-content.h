/* main-content.h: the main content of a page against its navigation, advertising and notices. Internal to ingest/extract/.
 *
 * Every block-level element gets a value from the text that stands directly in it: its characters outside links count
 * for it, those in links against it, and every block costs a little, so that lists of links and short labels come out
 * negative and prose positive. The main content is the subtree with the largest sum. Subtrees that say of themselves that
 * they are boilerplate count for nothing. If the result holds too little of what the page shows, all of
 * the page but the boilerplate is taken, and if even that is little, all of it. */
#ifndef LECTERN_EXTRACT_HTML_MAIN_CONTENT_H
#define LECTERN_EXTRACT_HTML_MAIN_CONTENT_H

#include "ingest/extract/html/dom.h"

typedef struct _HtmlMain HtmlMain;

HtmlMain *html_main_find (xmlNode *root); /* uses node->_private of every element; NULL without any text */
/* All of it, but what is hidden: for what is known to have no boilerplate, such as the chapters of a book. */
HtmlMain *html_main_whole (xmlNode *root);
void html_main_free (HtmlMain *main);

xmlNode *html_main_get_root (const HtmlMain *main);
/* Whether this element below the root is left out with all that is in it. */
gboolean html_main_is_left_out (const HtmlMain *main, const xmlNode *node);

#endif
