/* features.h: what is known of each block of text of a page, as numbers. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_HTML_FEATURES_H
#define LECTERN_EXTRACT_HTML_FEATURES_H

#include "ingest/extract/html/page-tree.h"

#define N_BLOCK_FEATURES 96

typedef struct {
  guint entry;     /* the block's index in the page's tree */
  char start[160]; /* the beginning of its text, white space normalised */
  char tail;       /* its last character */
  guint n_words, n_stops, n_commas, n_digits, n_capitals;
  gboolean is_title;              /* is the page's title, or how it begins */
  guint32 groups, heading_groups; /* word groups of its beginning; of a heading's, 0 of others */
  gconstpointer shape;            /* private */
  guint32 hash;                   /* of the start: equal for repeated texts */
} TextBlock;

typedef struct {
  GArray *blocks; /* of TextBlock: all blocks with text, in document order */
  const GArray *entries;
  guint main_start, main_end; /* entries of the subtree that has the best sum of values */
  char title[160];            /* of the page, as it begins */
  gpointer shapes;            /* private */
  double *text, *links;       /* characters before each entry, n + 1 of them */
  guint *counts;              /* blocks with text before each entry */
} PageFeatures;

PageFeatures *page_features_new (const GArray *entries, guint main_index, const char *title);
void page_features_free (PageFeatures *features);

/* Writes the numbers of block `i`. */
void page_features_get (const PageFeatures *features, guint i, float out[N_BLOCK_FEATURES]);

#endif
