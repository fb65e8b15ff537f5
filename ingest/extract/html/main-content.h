/* main-content.h: the main content of a page against its navigation, advertising and notices. Internal to ingest/extract/.
 *
 * Every block-level element gets a value from the text that stands directly in it: its characters outside links count
 * for it, those in links against it, and every block costs a little, so that lists of links and short labels come out
 * negative and prose positive. The main content is the subtree with the largest sum. Subtrees that say of themselves that
 * they are boilerplate count for nothing. Then a model that has learnt from marked pages (block-model.h) judges each block by
 * itself, its neighbours and its place in and around that subtree. In a page whose links lead to files beside it, as in a
 * manual, all is kept but what is navigation by its own word, and lines of links at its ends that the model refuses. If the model leaves next to nothing, the subtree is what
 * counts. If that holds too little of what the page shows, all of
 * the page but the boilerplate is taken, and if even that is little, all of it. */
#ifndef LECTERN_EXTRACT_HTML_MAIN_CONTENT_H
#define LECTERN_EXTRACT_HTML_MAIN_CONTENT_H

#include "ingest/extract/extractor.h"
#include "ingest/extract/html/features.h"
#include "ingest/extract/html/hidden.h"

typedef struct _HtmlMain HtmlMain;

/* `title`: the page's, or NULL. Uses node->_private of every element; NULL without any text. */
HtmlMain *html_main_find (xmlNode *root, const char *title);
/* All of it, but what is hidden: for what is known to have no boilerplate, such as the chapters of a book. */
HtmlMain *html_main_whole (xmlNode *root);
void html_main_free (HtmlMain *main);
const PageFeatures *html_main_get_features (const HtmlMain *main);

/* Who decides on a block of the features. */
typedef enum {
  BLOCK_JUDGED, /* the model */
  BLOCK_IN,
  BLOCK_OUT,
} BlockRule;
BlockRule html_main_rule (const HtmlMain *main, guint block);

xmlNode *html_main_get_root (const HtmlMain *main);
/* Whether this element below the root is left out with all that is in it. */
gboolean html_main_is_left_out (const HtmlMain *main, const xmlNode *node);
/* Whether a picture (<img>) belongs to the content. */
gboolean html_main_shows_picture (const HtmlMain *main, const xmlNode *image);
guint html_main_count_characters (const HtmlMain *main); /* about what is not left out, without white space */
/* Reports how much was left out, and what of it is hidden. */
void html_main_report (const HtmlMain *main, Writer *writer);
/* The same for what is read in parts, such as the chapters of a book: adds up the characters that are hidden in each way, and
 * reports the sums at the end. */
void html_main_count_hidden (const HtmlMain *main, guint64 hidden[N_HIDINGS]);
void html_report_hidden (const guint64 hidden[N_HIDINGS], Writer *writer);
/* Whether the text that stands directly in this block is left out. */
gboolean html_main_is_refused (const HtmlMain *main, const xmlNode *block);
/* Whether most of what a table holds is. */
gboolean html_main_is_table_refused (const HtmlMain *main, const xmlNode *table);

#endif
