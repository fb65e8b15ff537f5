#include "ingest/extract/html/page-tree.h"

#include "ingest/extract/html/words.h"

#include <string.h>

Entry *page_tree_find (const GArray *entries, const xmlNode *node)
{
  guint index = GPOINTER_TO_UINT (node->_private);
  return index ? page_tree_get (entries, index - 1) : NULL;
}

guint page_tree_count_characters (const char *text)
{
  guint n = 0;
  for (; *text; text++)
    n += (guchar)*text > ' ' && ((guchar)*text & 0xC0) != 0x80;
  return n;
}

static guint16 inside_of (const xmlNode *node)
{
  static const struct {
    const char *name;
    guint16 inside;
  } names[] = {
    { "nav", INSIDE_NAV },       { "menu", INSIDE_NAV },      { "aside", INSIDE_ASIDE },
    { "header", INSIDE_HEADER }, { "footer", INSIDE_FOOTER }, { "form", INSIDE_FORM },
    { "main", INSIDE_MAIN },     { "article", INSIDE_MAIN },  { "blockquote", INSIDE_QUOTE },
    { "q", INSIDE_QUOTE },       { "figure", INSIDE_FIGURE }, { "figcaption", INSIDE_FIGURE },
    { "a", INSIDE_LINK },
  };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp ((const char *)node->name, names[i].name) == 0)
      return names[i].inside;
  switch (html_role (node)) {
  case ELEMENT_ITEM: return INSIDE_LIST;
  case ELEMENT_CELL: return INSIDE_TABLE;
  case ELEMENT_HEADING: return INSIDE_HEADING;
  case ELEMENT_CODE: return INSIDE_CODE;
  default: return 0;
  }
}

typedef struct {
  GArray *entries;
  GHashTable *names; /* attribute's value to its word groups + 1 */
} Measure;

static guint32 names_of (Measure *measure, const xmlNode *node)
{
  guint32 groups = 0;
  static const char *const attributes[] = { "class", "id" };
  for (guint i = 0; node->properties && i < G_N_ELEMENTS (attributes); i++) {
    const char *value = html_attribute (node, attributes[i]);
    if (!value || !*value)
      continue;
    gpointer known = g_hash_table_lookup (measure->names, value);
    if (!known) {
      known = GUINT_TO_POINTER (words_of_name (value) + 1);
      g_hash_table_insert (measure->names, (gpointer)value, known);
    }
    groups |= GPOINTER_TO_UINT (known) - 1;
  }
  return groups;
}

static gboolean add_element (Measure *measure, xmlNode *node, const xmlNode *root)
{
  GArray *entries = measure->entries;
  Entry entry = { .node = node, .parent = entries->len };
  const Entry *above = node != root && node->parent ? page_tree_find (entries, node->parent) : NULL;
  gboolean hidden = node != root && (html_role (node) == ELEMENT_DROPPED || html_is_hidden (node));
  if (!hidden) {
    const char *itemprop = html_attribute (node, "itemprop");
    entry.inside = inside_of (node);
    if (itemprop && strcmp (itemprop, "articleBody") == 0)
      entry.inside |= INSIDE_MAIN | INSIDE_BODY_TEXT;
    entry.names = node == root || html_is (node, "body") ? 0 : names_of (measure, node);
  }
  if (above) {
    entry.parent = (guint)(above - &g_array_index (entries, Entry, 0));
    entry.inside |= above->inside;
    entry.names_above = above->names_above | above->names;
    entry.depth = above->depth + 1;
  }
  entry.hidden = hidden;
  g_array_append_val (entries, entry);
  node->_private = GUINT_TO_POINTER (entries->len);
  return hidden;
}

static void add_text (Measure *measure, const xmlNode *node)
{
  guint n = page_tree_count_characters ((const char *)node->content);
  const xmlNode *block = node->parent;
  while (n > 0 && block && block->type == XML_ELEMENT_NODE && !html_is_block (html_role (block)))
    block = block->parent;
  Entry *entry = n > 0 && block ? page_tree_find (measure->entries, block) : NULL;
  const Entry *own = n > 0 ? page_tree_find (measure->entries, node->parent) : NULL;
  if (!entry || !own)
    return;
  entry->text += n;
  entry->links += own->inside & INSIDE_LINK ? n : 0; /* a link around blocks is a link too */
}

GArray *page_tree_new (xmlNode *root)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  Measure measure = { g_array_new (FALSE, TRUE, sizeof (Entry)), names };
  for (xmlNode *node = root; node;) {
    gboolean skip = FALSE;
    if (node->type == XML_ELEMENT_NODE)
      skip = add_element (&measure, node, root);
    else if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content)
      add_text (&measure, node);
    node = html_next (node, root, skip);
  }
  GArray *entries = measure.entries;
  for (guint i = 0; i < entries->len; i++)
    page_tree_get (entries, i)->end = i + 1;
  for (guint i = entries->len; i-- > 1;) {
    Entry *above = page_tree_get (entries, page_tree_get (entries, i)->parent);
    above->end = MAX (above->end, page_tree_get (entries, i)->end);
  }
  return entries;
}
