#include "ingest/extract/html/features.h"

#include "ingest/extract/html/words.h"

#include <math.h>
#include <string.h>

/* Blocks whose element, parent and names are the same have one shape: what is usual for it says much of each. */
typedef struct {
  guint n, text, links, sentences;
} Shape;

static gboolean is_stop (gunichar c)
{
  return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0x61F;
}

static void add_text (TextBlock *block, const char *text)
{
  gsize length = strlen (block->start);
  gboolean space = TRUE;
  for (const char *at = text; *at; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (c <= ' ' || c == 0xA0) {
      space = TRUE;
      continue;
    }
    block->n_words += space || c >= 0x3000;
    block->n_stops += is_stop (c);
    block->n_commas += c == ',' || c == 0x3001 || c == 0xFF0C || c == 0x60C || c == ';';
    block->n_digits += c >= '0' && c <= '9';
    block->n_capitals += c < 0x80 ? g_ascii_isupper ((char)c) : g_unichar_isupper (c);
    block->tail = c < 0x80 ? (char)c : is_stop (c) ? '.' : c == 0x201D || c == 0xBB ? '"' : 'x';
    if (length + 8 < sizeof block->start) {
      if (space && length > 0)
        block->start[length++] = ' ';
      length += (gsize)g_unichar_to_utf8 (c, block->start + length);
      block->start[length] = '\0';
    }
    space = FALSE;
  }
}

static guint64 shape_key (const GArray *entries, guint index)
{
  const Entry *entry = page_tree_get (entries, index), *above = page_tree_get (entries, entry->parent);
  const char *class = html_attribute (entry->node, "class"), *class_above = html_attribute (above->node, "class");
  guint64 key = g_str_hash (entry->node->name);
  key = key * 31 + g_str_hash (above->node->name);
  key = key * 31 + (class ? g_str_hash (class) : 7);
  return key * 31 + (class_above ? g_str_hash (class_above) : 7);
}

static void count_shapes (PageFeatures *features)
{
  for (guint i = 0; i < features->blocks->len; i++) {
    TextBlock *block = &g_array_index (features->blocks, TextBlock, i);
    const Entry *entry = page_tree_get (features->entries, block->entry);
    guint64 key = shape_key (features->entries, block->entry);
    Shape *shape = g_hash_table_lookup (features->shapes, &key);
    if (!shape) {
      shape = g_new0 (Shape, 1);
      g_hash_table_insert (features->shapes, g_memdup2 (&key, sizeof key), shape);
    }
    block->shape = shape;
    shape->n++;
    shape->text += entry->text;
    shape->links += entry->links;
    shape->sentences += block->n_stops > 0;
  }
}

PageFeatures *page_features_new (const GArray *entries, guint main_index, const char *title)
{
  PageFeatures *features = g_new0 (PageFeatures, 1);
  guint n = entries->len;
  features->entries = entries;
  features->main_start = main_index;
  features->main_end = page_tree_get (entries, main_index)->end;
  g_utf8_strncpy (features->title, title ? title : "", sizeof features->title / 4 - 1);
  features->blocks = g_array_new (FALSE, TRUE, sizeof (TextBlock));
  features->shapes = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  features->text = g_new0 (double, n + 1);
  features->links = g_new0 (double, n + 1);
  features->counts = g_new0 (guint, n + 1);
  for (guint i = 0; i < n; i++) {
    const Entry *entry = page_tree_get (entries, i);
    features->text[i + 1] = features->text[i] + entry->text;
    features->links[i + 1] = features->links[i] + entry->links;
    features->counts[i + 1] = features->counts[i] + (entry->text > 0);
    if (entry->text > 0) {
      TextBlock block = { .entry = i };
      g_array_append_val (features->blocks, block);
    }
  }
  xmlNode *root = n ? page_tree_get (entries, 0)->node : NULL;
  for (xmlNode *node = root; node;) {
    gboolean skip = FALSE;
    if (node->type == XML_ELEMENT_NODE) {
      const Entry *entry = page_tree_find (entries, node);
      skip = !entry || entry->hidden;
    } else if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content) {
      const xmlNode *at = node->parent;
      while (at && at->type == XML_ELEMENT_NODE && !html_is_block (html_role (at)))
        at = at->parent;
      const Entry *entry = at && at->type == XML_ELEMENT_NODE ? page_tree_find (entries, at) : NULL;
      if (entry && entry->text > 0) {
        guint index = features->counts[entry - page_tree_get (entries, 0)];
        add_text (&g_array_index (features->blocks, TextBlock, index), (const char *)node->content);
      }
    }
    node = html_next (node, root, skip);
  }
  for (guint i = 0; i < features->blocks->len; i++) {
    TextBlock *block = &g_array_index (features->blocks, TextBlock, i);
    block->is_title
        = features->title[0] && block->start[0]
          && strncmp (block->start, features->title, MIN (strlen (block->start), strlen (features->title))) == 0;
    block->groups = words_of_text (block->start, 10);
    if (page_tree_get (entries, block->entry)->inside & INSIDE_HEADING)
      block->heading_groups = words_of_text (block->start, 6);
    block->hash = g_str_hash (block->start);
  }
  count_shapes (features);
  return features;
}

void page_features_free (PageFeatures *features)
{
  if (!features)
    return;
  g_array_unref (features->blocks);
  g_hash_table_unref (features->shapes);
  g_free (features->text);
  g_free (features->links);
  g_free (features->counts);
  g_free (features);
}

static float share (double part, double whole)
{
  return whole > 0 ? (float)(part / whole) : 0;
}

/* What kind of block it is, as one number. */
static float kind_of (const Entry *entry)
{
  static const char *const names[]
      = { "p",          "li",  "div", "td", "h1",         "h2",      "h3",      "h4",     "h5",    "h6",
          "blockquote", "pre", "dt",  "dd", "figcaption", "section", "article", "header", "footer" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (html_is (entry->node, names[i]))
      return (float)i;
  return G_N_ELEMENTS (names);
}

/* How near above the block a name of the group stands: 4 own, 3 parent, 2 above that, 1 farther, 0 nowhere. */
static float nearness (const PageFeatures *features, const Entry *entry, guint32 group)
{
  const Entry *parent = page_tree_get (features->entries, entry->parent);
  const Entry *above = page_tree_get (features->entries, parent->parent);
  if (entry->names & group)
    return 4;
  if (parent->names & group)
    return 3;
  if (above->names & group)
    return 2;
  return entry->names_above & group ? 1 : 0;
}

/* The numbers that are taken of the neighbours, too. */
static void put_short (const PageFeatures *features, gint64 i, float out[5])
{
  if (i < 0 || i >= features->blocks->len) {
    out[0] = out[1] = out[2] = out[3] = out[4] = -1;
    return;
  }
  const TextBlock *block = &g_array_index (features->blocks, TextBlock, i);
  const Entry *entry = page_tree_get (features->entries, block->entry);
  out[0] = logf ((float)entry->text);
  out[1] = share (entry->links, entry->text);
  out[2] = (float)(block->n_stops + block->n_commas);
  out[3] = block->entry >= features->main_start && block->entry < features->main_end;
  out[4] = entry->left_out;
}

/* Five numbers. */
static void put_region (const PageFeatures *features, guint index, float out[5])
{
  const Entry *entry = page_tree_get (features->entries, index);
  double text = features->text[entry->end] - features->text[index];
  double links = features->links[entry->end] - features->links[index];
  guint n = features->counts[entry->end] - features->counts[index];
  out[0] = logf ((float)text + 1);
  out[1] = share (links, text);
  out[2] = share (text, n);
  out[3] = (float)MIN (n, 200);
  out[4] = share (text, features->text[features->entries->len]);
}

void page_features_get (const PageFeatures *features, guint i, float out[N_BLOCK_FEATURES])
{
  const GArray *entries = features->entries;
  const TextBlock *block = &g_array_index (features->blocks, TextBlock, i);
  const Entry *entry = page_tree_get (entries, block->entry);
  guint n_blocks = features->blocks->len, n_entries = entries->len, k = 0;
  double all = features->text[n_entries];

  /* the block itself */
  put_short (features, i, out);
  k = 5;
  out[k++] = kind_of (entry);
  out[k++] = (float)MIN (block->n_words, 500);
  out[k++] = share (block->n_stops, block->n_words);
  out[k++] = share (block->n_commas, block->n_words);
  out[k++] = share (block->n_digits, entry->text);
  out[k++] = share (block->n_capitals, entry->text);
  out[k++] = block->tail == '.' || block->tail == '!' || block->tail == '?' || block->tail == '"' ? 1
             : block->tail == ':'                                                                 ? 2
             : block->tail == ')'                                                                 ? 3
                                                                                                  : 0;
  out[k++] = share (entry->text, block->n_words);
  guint32 text_groups = block->groups;
  for (guint group = 0; group < N_WORD_GROUPS; group++)
    if (group != WORDS_CONTENT && group != WORDS_HEAD && group != WORDS_SIDE)
      out[k++] = text_groups & (1u << group) ? 1 : 0;
  out[k++] = block->start[0] == '(' || block->start[0] == '[' ? 1 : strncmp (block->start, "©", 2) == 0 ? 2 : 0;

  /* where it stands */
  out[k++] = share (i, n_blocks);
  out[k++] = share (features->text[block->entry], all);
  out[k++] = (float)MIN (i, 100);
  out[k++] = (float)MIN (n_blocks - i, 100);
  double main_text = features->text[features->main_end] - features->text[features->main_start];
  out[k++] = share (features->text[block->entry] - features->text[features->main_start], main_text);
  out[k++] = (float)entry->depth - (float)page_tree_get (entries, features->main_start)->depth;
  static const guint16 inside[]
      = { INSIDE_NAV,  INSIDE_ASIDE, INSIDE_HEADER, INSIDE_FOOTER, INSIDE_FORM,     INSIDE_MAIN,
          INSIDE_LIST, INSIDE_TABLE, INSIDE_QUOTE,  INSIDE_FIGURE, INSIDE_BODY_TEXT };
  for (guint j = 0; j < G_N_ELEMENTS (inside); j++)
    out[k++] = entry->inside & inside[j] ? 1 : 0;
  for (guint group = 0; group < N_WORD_GROUPS; group++)
    out[k++] = nearness (features, entry, 1u << group);

  /* what it stands in: parent, the element above that, and the part of the main subtree that it belongs to */
  const Entry *parent = page_tree_get (entries, entry->parent);
  put_region (features, entry->parent, out + k);
  put_region (features, parent->parent, out + k + 5);
  k += 10;
  guint part = block->entry;
  if (block->entry > features->main_start && block->entry < features->main_end)
    while (page_tree_get (entries, part)->parent != features->main_start)
      part = page_tree_get (entries, part)->parent;
  put_region (features, part, out + k);
  k += 5;

  /* its like on the page */
  const Shape *shape = block->shape;
  out[k++] = (float)MIN (shape->n, 100);
  out[k++] = share (shape->text, all);
  out[k++] = share (shape->links, shape->text);
  out[k++] = share (shape->text, shape->n);
  out[k++] = share (shape->sentences, shape->n);

  /* its neighbours */
  for (gint64 near = 1; near <= 2; near++) {
    put_short (features, (gint64)i - near, out + k);
    put_short (features, (gint64)i + near, out + k + 5);
    k += near == 1 ? 10 : 0;
  }
  /* of the second ones only length, and whether in the main subtree */
  out[k + 1] = out[k + 3];
  out[k + 2] = out[k + 5];
  out[k + 3] = out[k + 8];
  k += 4;
  /* the heading above */
  guint back = 1;
  guint32 heading = 0;
  for (; back <= MIN (i, 12); back++) {
    const TextBlock *before = &g_array_index (features->blocks, TextBlock, i - back);
    if (page_tree_get (entries, before->entry)->inside & INSIDE_HEADING) {
      heading = before->heading_groups;
      break;
    }
  }
  out[k++] = (float)back;
  out[k++] = heading & (1u << WORDS_RELATED) ? 1 : heading & (1u << WORDS_COMMENT) ? 2 : heading ? 3 : 0;
  gboolean repeated = FALSE;
  for (guint j = 1; j <= MIN (i, 8); j++)
    repeated |= g_array_index (features->blocks, TextBlock, i - j).hash == block->hash;
  out[k++] = repeated;
  out[k++] = block->is_title;
  out[k++] = share (main_text, all);
  out[k++] = share (features->links[n_entries], all);
  out[k++] = logf ((float)all);
  g_assert (k <= N_BLOCK_FEATURES);
  while (k < N_BLOCK_FEATURES)
    out[k++] = 0;
}
