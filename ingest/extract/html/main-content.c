#include "ingest/extract/html/main-content.h"

#include <string.h>

/* A block's value: text outside links - LINK_WEIGHT * text in links - BLOCK_COST, in characters. */
#define LINK_WEIGHT 2
#define BLOCK_COST 25
/* A marked region that holds more than this share of the page's prose is no boilerplate, whatever its class says. */
#define TRUSTED_PROSE 0.6
/* Less than this share of the visible text outside links: the page is not made of one main content. A candidate that is
 * worth ENOUGH by itself may be a smaller part of a crowded page. */
#define MIN_SHARE 0.3
#define ENOUGH 600
/* A candidate that is worth less than this is no main content: a page of links or of a few short lines. */
#define LITTLE 140
#define MIN_SHARE_ENOUGH 0.1
/* A subtree with this share of the best sum is as good, and closer. */
#define TIGHT_SHARE 0.99

typedef struct {
  xmlNode *node;
  guint end;         /* the entries of its subtree are [own index, end) */
  guint text, links; /* characters directly in this block, all and in links */
  double value;
  gboolean hidden, left_out;
} Entry;

struct _HtmlMain {
  GArray *entries; /* of Entry, elements in document order */
  xmlNode *root;
  gboolean everything;
};

static Entry *entry_of (const HtmlMain *main, const xmlNode *node)
{
  guint index = GPOINTER_TO_UINT (node->_private);
  return index ? &g_array_index (main->entries, Entry, index - 1) : NULL;
}

static guint count_characters (const char *text)
{
  guint n = 0;
  for (; *text; text++)
    n += (guchar)*text > ' ' && ((guchar)*text & 0xC0) != 0x80;
  return n;
}

/* Numbers the elements and counts the text of each block. */
static void measure (HtmlMain *main, xmlNode *root)
{
  xmlNode *node = root;
  while (node) {
    gboolean skip = FALSE;
    if (node->type == XML_ELEMENT_NODE) {
      Entry entry = { .node = node };
      skip = html_role (node) == ELEMENT_DROPPED || html_is_hidden (node);
      entry.hidden = skip;
      g_array_append_val (main->entries, entry);
      node->_private = GUINT_TO_POINTER (main->entries->len);
    } else if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content) {
      guint n = count_characters ((const char *)node->content);
      gboolean in_link = FALSE;
      xmlNode *block = node->parent;
      while (n > 0 && block && block->type == XML_ELEMENT_NODE && !html_is_block (html_role (block))) {
        in_link |= html_is (block, "a");
        block = block->parent;
      }
      /* A link around blocks is a link too. */
      for (xmlNode *up = block; n > 0 && !in_link && up && up != root && up->type == XML_ELEMENT_NODE; up = up->parent)
        in_link = html_is (up, "a");
      Entry *entry = block && n > 0 ? entry_of (main, block) : NULL;
      if (entry) {
        entry->text += n;
        entry->links += in_link ? n : 0;
      }
    }
    xmlNode *next = html_next (node, root, skip);
    node = next;
  }
  /* Subtree ends: an element's subtree ends where the next element that is not below it begins. */
  for (guint i = main->entries->len; i-- > 0;) {
    Entry *entry = &g_array_index (main->entries, Entry, i);
    xmlNode *after = entry->node == root ? NULL : html_next (entry->node, root, TRUE);
    while (after && after->type != XML_ELEMENT_NODE)
      after = html_next (after, root, TRUE);
    entry->end = after && after->_private ? GPOINTER_TO_UINT (after->_private) - 1 : main->entries->len;
  }
}

static double block_value (const Entry *entry)
{
  if (entry->text == 0)
    return 0;
  if (html_role (entry->node) == ELEMENT_CODE || html_role (entry->node) == ELEMENT_HEADING)
    return (double)entry->text - LINK_WEIGHT * (double)entry->links;
  return (double)(entry->text - entry->links) - LINK_WEIGHT * (double)entry->links - BLOCK_COST;
}

static void mark_boilerplate (HtmlMain *main)
{
  guint n = main->entries->len;
  /* Prose is the text of blocks that come out positive; prose[i]: before entry i. */
  g_autofree double *prose = g_new0 (double, n + 1);
  for (guint i = 0; i < n; i++)
    prose[i + 1] = prose[i] + MAX (g_array_index (main->entries, Entry, i).value, 0);
  for (guint i = 0; i < n;) {
    Entry *entry = &g_array_index (main->entries, Entry, i);
    if (entry->hidden
        || (html_is_boilerplate (entry->node) && prose[entry->end] - prose[i] <= TRUSTED_PROSE * prose[n])) {
      entry->left_out = TRUE;
      for (guint below = i; below < entry->end; below++)
        g_array_index (main->entries, Entry, below).value = 0;
      i = MAX (entry->end, i + 1);
    } else {
      i++;
    }
  }
}

HtmlMain *html_main_find (xmlNode *root)
{
  HtmlMain *main = g_new0 (HtmlMain, 1);
  main->entries = g_array_new (FALSE, TRUE, sizeof (Entry));
  measure (main, root);
  guint n = main->entries->len;
  double visible = 0, outside_links = 0;
  for (guint i = 0; i < n; i++) {
    Entry *entry = &g_array_index (main->entries, Entry, i);
    entry->value = block_value (entry);
    visible += entry->text;
    outside_links += entry->text - entry->links;
  }
  if (visible == 0) {
    html_main_free (main);
    return NULL;
  }
  mark_boilerplate (main);

  /* Sums of values before each entry, so that a subtree's is a difference. */
  g_autofree double *before = g_new0 (double, n + 1);
  for (guint i = 0; i < n; i++)
    before[i + 1] = before[i] + g_array_index (main->entries, Entry, i).value;
  guint best = 0;
  double best_sum = 0;
  for (guint i = 0; i < n; i++) {
    const Entry *entry = &g_array_index (main->entries, Entry, i);
    double sum = before[entry->end] - before[i];
    if (html_is_main (entry->node))
      sum *= 1.1;
    if (sum >= best_sum && html_is_block (html_role (entry->node))) {
      best_sum = sum;
      best = i;
    }
  }
  for (gboolean tighter = TRUE; tighter && best_sum > 0;) {
    tighter = FALSE;
    guint end = g_array_index (main->entries, Entry, best).end;
    for (guint i = best + 1; i < end && !tighter; i++) {
      const Entry *entry = &g_array_index (main->entries, Entry, i);
      if (before[entry->end] - before[i] >= TIGHT_SHARE * best_sum && html_is_block (html_role (entry->node))) {
        best = i;
        tighter = TRUE;
      }
    }
  }
  double kept = 0;
  const Entry *chosen = &g_array_index (main->entries, Entry, best);
  for (guint i = best; i < chosen->end;) {
    const Entry *entry = &g_array_index (main->entries, Entry, i);
    if (!entry->left_out)
      kept += entry->text - entry->links;
    i = entry->left_out ? MAX (entry->end, i + 1) : i + 1;
  }
  main->root = chosen->node;
  if (best_sum < LITTLE || kept < (best_sum >= ENOUGH ? MIN_SHARE_ENOUGH : MIN_SHARE) * outside_links) {
    main->root = root;
    /* Then all that does not say of itself that it is boilerplate, if that is not too little either. */
    double rest = 0;
    for (guint i = 0; i < n;) {
      const Entry *entry = &g_array_index (main->entries, Entry, i);
      rest += entry->left_out ? 0 : entry->text;
      i = entry->left_out ? MAX (entry->end, i + 1) : i + 1;
    }
    main->everything = rest < MIN_SHARE * visible;
  }
  return main;
}

HtmlMain *html_main_whole (xmlNode *root)
{
  HtmlMain *main = g_new0 (HtmlMain, 1);
  main->entries = g_array_new (FALSE, TRUE, sizeof (Entry));
  measure (main, root);
  main->root = root;
  main->everything = TRUE;
  return main;
}

void html_main_free (HtmlMain *main)
{
  if (!main)
    return;
  g_array_free (main->entries, TRUE);
  g_free (main);
}

xmlNode *html_main_get_root (const HtmlMain *main)
{
  return main->root;
}

gboolean html_main_is_left_out (const HtmlMain *main, const xmlNode *node)
{
  const Entry *entry = entry_of (main, node);
  if (!entry || node == main->root)
    return FALSE;
  return entry->hidden || (entry->left_out && !main->everything);
}
