/* page-tree.h: the elements of a page in document order, with the text that stands in them. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_HTML_PAGE_TREE_H
#define LECTERN_EXTRACT_HTML_PAGE_TREE_H

#include "ingest/extract/html/dom.h"

#include <stdbool.h>

/* What an element stands in, itself included: a set of bits. */
enum {
  INSIDE_NAV = 1 << 0,
  INSIDE_ASIDE = 1 << 1,
  INSIDE_HEADER = 1 << 2,
  INSIDE_FOOTER = 1 << 3,
  INSIDE_FORM = 1 << 4,
  INSIDE_MAIN = 1 << 5, /* main, article, itemprop=articleBody */
  INSIDE_LIST = 1 << 6,
  INSIDE_TABLE = 1 << 7,
  INSIDE_QUOTE = 1 << 8,
  INSIDE_FIGURE = 1 << 9,
  INSIDE_HEADING = 1 << 10,
  INSIDE_CODE = 1 << 11,
  INSIDE_LINK = 1 << 12,
  INSIDE_BODY_TEXT = 1 << 13, /* itemprop=articleBody */
};

typedef struct {
  xmlNode *node;
  guint parent;      /* index of the entry above; its own for the root */
  guint end;         /* the entries of its subtree are [own index, end) */
  guint text, links; /* characters directly in this block, all and in links */
  guint32 names;     /* word groups (words.h) of its class and id */
  guint32 names_above;
  guint16 inside;
  guint16 depth;
  float value;
  bool hidden;   /* not text, or not shown: nothing below it is looked at */
  bool left_out; /* boilerplate by its own word */
  bool refused;  /* this block's text, by the model */
} Entry;

/* Numbers the elements below `root` (in node->_private, index + 1) and counts the text of each block: of Entry. */
GArray *page_tree_new (xmlNode *root);

static inline Entry *page_tree_get (const GArray *entries, guint index)
{
  return &g_array_index (entries, Entry, index);
}

Entry *page_tree_find (const GArray *entries, const xmlNode *node); /* NULL: not in the tree */

guint page_tree_count_characters (const char *text); /* without white space */

#endif
