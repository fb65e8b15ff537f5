/* html.h: the reader of web pages: libxml2's HTML parser, the main content (main-content.h), blocks. */
#ifndef LECTERN_EXTRACT_HTML_H
#define LECTERN_EXTRACT_HTML_H

#include "ingest/extract/extractor.h"

#include <libxml/HTMLparser.h>

void html_warm_up (void);
int html_sniff (const Document *document);
Outcome html_extract (const Document *document, Writer *writer);

/* The page's text: by its byte order mark, else the encoding that it came with (`header`, of a Content-Type; or NULL), else
 * the one that it declares, else by what its bytes are. The caller frees it. */
char *html_decode (const guint8 *bytes, gsize size, const char *header, gsize *length);

xmlNode *html_find_body (xmlNode *root); /* the root itself if there is none */

/* What is taken of a page that stands in another document. */
typedef enum {
  HTML_MAIN_CONTENT, /* as of a page by itself */
  HTML_PART_OF_PAGE, /* a frame: main content, without title and language */
  HTML_ALL_VISIBLE,  /* a mail: all that is shown, without title and language; layout tables make it a poor page */
} HtmlExtent;

/* `charset`: as the other document declares it, or NULL; it goes before what the page says itself. */
Outcome html_extract_within (const Document *document, const char *charset, HtmlExtent extent, Writer *writer);

#endif
