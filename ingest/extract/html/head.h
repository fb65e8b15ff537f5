/* head.h: what a page says of itself: title, author, date, language. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_HTML_HEAD_H
#define LECTERN_EXTRACT_HTML_HEAD_H

#include "ingest/extract/html/dom.h"

typedef struct {
  char *title;    /* og:title, else <title>, without the site's name; else the first <h1> */
  char *author;   /* meta author, else JSON-LD */
  char *date;     /* of publication, ISO 8601: meta article:published_time and its like, JSON-LD, <time> */
  char *language; /* lang of the page, else og:locale or Content-Language, as BCP 47 */
} HtmlHead;

/* Each field is NULL where the page does not say. */
void html_head_read (xmlNode *root, HtmlHead *head);
void html_head_clear (HtmlHead *head);

#endif
