/* parse.h: a page's text to libxml2's tree, in time and depth that no page can drive up. Internal to ingest/extract/.
 *
 * libxml2's parser walks its stack of open elements for every end tag and compares every attribute of a tag with all
 * before it: 100 000 nested elements or a million attributes take minutes. So the tree is kept at most HTML_MAX_DEPTH
 * deep (an element below that ends the one open at that depth, and becomes its sibling, as in browsers: no text is
 * lost), and of each tag only the first HTML_MAX_ATTRIBUTES attributes are seen. */
#ifndef LECTERN_EXTRACT_HTML_PARSE_H
#define LECTERN_EXTRACT_HTML_PARSE_H

#include <glib.h>
#include <libxml/HTMLparser.h>

#define HTML_MAX_DEPTH 256
#define HTML_MAX_ATTRIBUTES 256

/* `text` is UTF-8 of `length` bytes, and is changed. The tree is the caller's (xmlFreeDoc); NULL if there is none. */
htmlDocPtr html_parse (char *text, gsize length);

#endif
