#include "ingest/extract/html/main-content.h"

#include "ingest/extract/html/block-model.h"
#include "ingest/extract/html/words.h"

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

/* What the model says of a block is followed above this; of code, tables and definitions, which it has seen few of, where
 * the subtree with the best sum has them, and of all of that where the model leaves next to nothing. */
#define MIN_SCORE -0.1f
#define MIN_SCORE_LEFT_OUT 1.0f /* what says of itself that it is boilerplate */
#define MIN_SCORE_STRUCTURE -1.5f
#define MIN_MODEL_SHARE 0.2
/* A page is one of a set of files, such as a manual, when this share of its links lead to files beside it, or within it. */
#define MANUAL_LINKS 0.9
#define MANUAL_LINKS_NEIGHBOURS 0.3 /* where it names its neighbours in the set, too */
/* Of a table of contents in a manual: it repeats the headings below it when this share of its links lead within the page. */
#define OWN_LINKS 0.8
/* More blocks than this below the last prose of a manual's page are a list. */
#define MAX_LAST_BLOCKS 8
/* Pages with more blocks than this are judged by the sums alone. */
#define MAX_BLOCKS 200000

struct _HtmlMain {
  GArray *entries; /* of Entry, elements in document order */
  PageFeatures *features;
  xmlNode *root;
  gboolean everything;
  gboolean judged; /* each block by the model, instead of left_out */
  gboolean manual; /* one of a set of files: only what is navigation by its own word or by its place is left out */
  guint first_heading, last_text; /* of a manual: blocks between which its text stands */
};

static double block_value (const Entry *entry)
{
  if (entry->text == 0)
    return 0;
  if (html_role (entry->node) == ELEMENT_CODE || html_role (entry->node) == ELEMENT_HEADING)
    return (double)entry->text - LINK_WEIGHT * (double)entry->links;
  return (double)(entry->text - entry->links) - LINK_WEIGHT * (double)entry->links - BLOCK_COST;
}

/* Where a link leads. */
typedef enum {
  LINK_NONE,
  LINK_WITHIN,
  LINK_BESIDE, /* a file of the same set */
  LINK_AWAY,   /* other sites, the top of this one, programs and files that are no pages */
  N_LINK_TARGETS
} LinkTarget;

static LinkTarget link_target (const xmlNode *node)
{
  const char *address = html_is (node, "a") || html_is (node, "link") ? html_attribute (node, "href") : NULL;
  if (!address || !*address)
    return LINK_NONE;
  if (*address == '#')
    return LINK_WITHIN;
  gsize path = strcspn (address, "#");
  if (*address == '/' || memchr (address, ':', path) || memchr (address, '?', path))
    return LINK_AWAY;
  gboolean page = (path > 5 && g_ascii_strncasecmp (address + path - 5, ".html", 5) == 0)
                  || (path > 6 && g_ascii_strncasecmp (address + path - 6, ".xhtml", 6) == 0)
                  || (path > 4 && g_ascii_strncasecmp (address + path - 4, ".htm", 4) == 0);
  return page ? LINK_BESIDE : LINK_AWAY;
}

/* What share of its links must lead beside a page for it to be a manual's, by what its head says of its place. */
static double least_manual_links (const xmlNode *body)
{
  static const char *const relations[] = { "next", "prev", "previous", "up", "start", "home", "contents" };
  const xmlNode *head = body->parent && body->parent->type == XML_ELEMENT_NODE ? body->parent->children : NULL;
  while (head && !html_is (head, "head"))
    head = head->next;
  double least = MANUAL_LINKS;
  for (const xmlNode *at = head ? head->children : NULL; at; at = at->next) {
    if (html_is (at, "base") && html_attribute (at, "href"))
      return 2; /* none does: its links start from elsewhere */
    const char *relation = html_is (at, "link") ? html_attribute (at, "rel") : NULL;
    for (guint i = 0; relation && i < G_N_ELEMENTS (relations); i++)
      if (g_ascii_strcasecmp (relation, relations[i]) == 0 && link_target (at) == LINK_BESIDE)
        least = MANUAL_LINKS_NEIGHBOURS;
  }
  return least;
}

static gboolean is_manual (const HtmlMain *main)
{
  guint n[N_LINK_TARGETS] = { 0 };
  for (guint i = 0; i < main->entries->len; i++)
    n[link_target (page_tree_get (main->entries, i)->node)]++;
  guint own = n[LINK_WITHIN] + n[LINK_BESIDE];
  return n[LINK_BESIDE] > 0
         && own >= least_manual_links (page_tree_get (main->entries, 0)->node) * (own + n[LINK_AWAY]);
}

/* Leaves out what is navigation in a page of a manual by its own word: a text's own index or list of links is content unless it
 * leads to the headings of the same page. */
static void mark_navigation (HtmlMain *main)
{
  guint n = main->entries->len;
  g_autofree double *text = g_new0 (double, n + 1);
  g_autofree guint *within = g_new0 (guint, n + 1);
  g_autofree guint *links = g_new0 (guint, n + 1);
  g_autofree guint *headings = g_new0 (guint, n + 1);
  for (guint i = 0; i < n; i++) {
    const Entry *entry = page_tree_get (main->entries, i);
    LinkTarget target = link_target (entry->node);
    text[i + 1] = text[i] + entry->text;
    within[i + 1] = within[i] + (target == LINK_WITHIN);
    links[i + 1] = links[i] + (target != LINK_NONE);
    headings[i + 1] = headings[i] + (html_role (entry->node) == ELEMENT_HEADING);
  }
  for (guint i = 0; i < n;) {
    Entry *entry = page_tree_get (main->entries, i);
    guint n_links = links[entry->end] - links[i];
    HtmlNavigation kind = html_navigation (entry->node);
    gboolean small = text[entry->end] - text[i] <= 0.5 * text[n];
    gboolean repeats = n_links > 1 && within[entry->end] - within[i] >= OWN_LINKS * n_links;
    if (!entry->hidden
        && !((kind == HTML_NAVIGATION && small) || (kind == HTML_CONTENTS && repeats && headings[n] > 1 && small))) {
      i++;
      continue;
    }
    for (guint below = i; below < entry->end; below++) {
      page_tree_get (main->entries, below)->value = 0;
      page_tree_get (main->entries, below)->left_out = TRUE;
    }
    i = MAX (entry->end, i + 1);
  }
}

static void mark_boilerplate (HtmlMain *main)
{
  guint n = main->entries->len;
  /* Prose is the text of blocks that come out positive; prose[i]: before entry i. */
  g_autofree double *prose = g_new0 (double, n + 1);
  g_autofree guint *code = g_new0 (guint, n + 1);
  for (guint i = 0; i < n; i++)
    code[i + 1] = code[i] + (html_role (page_tree_get (main->entries, i)->node) == ELEMENT_CODE);
  for (guint i = 0; i < n; i++)
    prose[i + 1] = prose[i] + MAX (g_array_index (main->entries, Entry, i).value, 0);
  for (guint i = 0; i < n;) {
    Entry *entry = &g_array_index (main->entries, Entry, i);
    if (entry->hidden
        || (html_is_boilerplate (entry->node)
            && (code[entry->end] == code[i] || (entry->names & (1u << WORDS_COMMENT))) /* code: a manual's section */
            && prose[entry->end] - prose[i] <= TRUSTED_PROSE * prose[n])) {
      entry->left_out = TRUE;
      for (guint below = i; below < entry->end; below++)
        page_tree_get (main->entries, below)->value = 0;
      for (guint below = i; below < entry->end; below++)
        page_tree_get (main->entries, below)->left_out = TRUE;
      i = MAX (entry->end, i + 1);
    } else {
      i++;
    }
  }
}

/* The characters of a subtree without what is left out in it. */
static double count_kept (const HtmlMain *main, guint index)
{
  double kept = 0;
  guint end = page_tree_get (main->entries, index)->end;
  for (guint i = index; i < end;) {
    const Entry *entry = page_tree_get (main->entries, i);
    gboolean out = entry->hidden || (entry->left_out && !main->everything);
    kept += out ? 0 : entry->text;
    i = out ? MAX (entry->end, i + 1) : i + 1;
  }
  return kept;
}

static gboolean is_structure (const Entry *entry)
{
  ElementRole role = html_role (entry->node);
  return !entry->left_out && entry->links * 2 <= entry->text
         && ((entry->inside & (INSIDE_CODE | INSIDE_TABLE)) || role == ELEMENT_TERM || role == ELEMENT_DEFINITION);
}

/* Above the first heading and below the last prose of a manual's page there may be lines of links without a mark. */
static void find_text (HtmlMain *main)
{
  const GArray *blocks = main->features->blocks;
  main->first_heading = 0;
  main->last_text = blocks->len;
  for (guint i = 0; i < blocks->len; i++) {
    const Entry *entry = page_tree_get (main->entries, g_array_index (blocks, TextBlock, i).entry);
    if ((entry->inside & INSIDE_HEADING) && !entry->left_out) {
      main->first_heading = i;
      break;
    }
  }
  /* Everything is links in an index; then nothing is below its text. */
  for (guint i = blocks->len; i-- > main->first_heading + 1;) {
    const Entry *entry = page_tree_get (main->entries, g_array_index (blocks, TextBlock, i).entry);
    if (!entry->left_out && entry->links * 2 <= entry->text && entry->text > 2 * BLOCK_COST) {
      main->last_text = i + MAX_LAST_BLOCKS < blocks->len ? blocks->len : i;
      break;
    }
  }
}

BlockRule html_main_rule (const HtmlMain *main, guint block)
{
  if (!main->manual)
    return BLOCK_JUDGED;
  const Entry *entry = page_tree_get (main->entries, g_array_index (main->features->blocks, TextBlock, block).entry);
  if (entry->left_out || (block < main->first_heading && entry->links >= 0.8 * entry->text))
    return BLOCK_OUT;
  return block < main->first_heading || block > main->last_text ? BLOCK_JUDGED : BLOCK_IN;
}

/* Lets the model judge each block. */
static void judge_blocks (HtmlMain *main)
{
  const PageFeatures *features = main->features;
  guint n = features->blocks->len;
  double kept = 0, by_sums = count_kept (main, features->main_start);
  gboolean titled = FALSE;
  if (main->manual)
    find_text (main);
  for (guint i = 0; i < n; i++) {
    const TextBlock *block = &g_array_index (features->blocks, TextBlock, i);
    Entry *entry = page_tree_get (main->entries, block->entry);
    float numbers[N_BLOCK_FEATURES];
    page_features_get (features, i, numbers);
    gboolean in_main = block->entry >= features->main_start && block->entry < features->main_end;
    float least = entry->left_out                   ? MIN_SCORE_LEFT_OUT
                  : in_main && is_structure (entry) ? MIN_SCORE_STRUCTURE
                                                    : MIN_SCORE;
    gboolean is_title = !titled && (entry->inside & INSIDE_HEADING) && block->is_title && !entry->left_out;
    BlockRule rule = html_main_rule (main, i);
    entry->refused = rule == BLOCK_OUT || (rule == BLOCK_JUDGED && block_model_score (numbers) < least && !is_title);
    titled |= is_title;
    kept += entry->refused ? 0 : entry->text;
  }
  main->judged = main->manual ? kept > 0 : kept >= LITTLE && kept >= MIN_MODEL_SHARE * by_sums;
  if (main->judged)
    main->root = page_tree_get (main->entries, 0)->node;
}

HtmlMain *html_main_find (xmlNode *root, const char *title)
{
  HtmlMain *main = g_new0 (HtmlMain, 1);
  main->entries = page_tree_new (root);
  guint n = main->entries->len;
  double visible = 0, outside_links = 0;
  for (guint i = 0; i < n; i++) {
    Entry *entry = &g_array_index (main->entries, Entry, i);
    entry->value = (float)block_value (entry);
    visible += entry->text;
    outside_links += entry->text - entry->links;
  }
  if (visible == 0) {
    html_main_free (main);
    return NULL;
  }
  main->manual = is_manual (main);
  if (main->manual)
    mark_navigation (main);
  else
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
    main->everything = main->manual ? rest == 0 : rest < MIN_SHARE * visible;
  }
  guint n_blocks = 0;
  for (guint i = 0; i < n; i++)
    n_blocks += page_tree_get (main->entries, i)->text > 0;
  if (n_blocks > MAX_BLOCKS)
    return main;
  main->features = page_features_new (main->entries, GPOINTER_TO_UINT (main->root->_private) - 1, title);
  if (!main->everything)
    judge_blocks (main);
  return main;
}

HtmlMain *html_main_whole (xmlNode *root)
{
  HtmlMain *main = g_new0 (HtmlMain, 1);
  main->entries = page_tree_new (root);
  main->root = root;
  main->everything = TRUE;
  return main;
}

void html_main_free (HtmlMain *main)
{
  if (!main)
    return;
  page_features_free (main->features);
  g_array_unref (main->entries);
  g_free (main);
}

xmlNode *html_main_get_root (const HtmlMain *main)
{
  return main->root;
}

gboolean html_main_is_left_out (const HtmlMain *main, const xmlNode *node)
{
  const Entry *entry = page_tree_find (main->entries, node);
  if (!entry || node == main->root)
    return FALSE;
  return entry->hidden || (!main->judged && entry->left_out && !main->everything);
}

gboolean html_main_is_refused (const HtmlMain *main, const xmlNode *block)
{
  const Entry *entry = main->judged ? page_tree_find (main->entries, block) : NULL;
  return entry && entry->refused;
}

gboolean html_main_is_table_refused (const HtmlMain *main, const xmlNode *table)
{
  const Entry *entry = main->judged ? page_tree_find (main->entries, table) : NULL;
  if (!entry)
    return FALSE;
  double kept = 0, all = 0;
  for (guint i = GPOINTER_TO_UINT (table->_private) - 1; i < entry->end; i++) {
    const Entry *below = page_tree_get (main->entries, i);
    all += below->text;
    kept += below->refused ? 0 : below->text;
  }
  return kept < 0.5 * all;
}

gboolean html_main_shows_picture (const HtmlMain *main, const xmlNode *image)
{
  const Entry *entry = page_tree_find (main->entries, image);
  if (!entry || entry->hidden)
    return FALSE;
  if (!main->features) /* not judged by blocks */
    return TRUE;
  if (entry->left_out)
    return FALSE;
  guint index = (guint)(entry - page_tree_get (main->entries, 0));
  /* Pictures in links lead elsewhere, except in figures. */
  if (index < main->features->main_start || index >= main->features->main_end
      || ((entry->inside & INSIDE_LINK) && !(entry->inside & INSIDE_FIGURE)))
    return FALSE;
  if (!main->judged)
    return TRUE;
  /* Between blocks that are kept. */
  guint n = main->features->blocks->len, at = main->features->counts[index];
  for (guint step = 0; step < 2; step++) {
    gboolean kept = FALSE;
    for (guint back = 1; back <= 3 && !kept; back++) {
      gint64 i = step == 0 ? (gint64)at - back : (gint64)at + back - 1;
      if (i >= 0 && i < n)
        kept = !page_tree_get (main->entries, g_array_index (main->features->blocks, TextBlock, i).entry)->refused;
    }
    if (!kept)
      return FALSE;
  }
  return TRUE;
}

guint html_main_count_characters (const HtmlMain *main)
{
  guint n = 0;
  for (guint i = 0; i < main->entries->len; i++) {
    const Entry *entry = page_tree_get (main->entries, i);
    n += entry->hidden || entry->refused ? 0 : entry->text;
  }
  return n;
}

void html_main_count_hidden (const HtmlMain *main, guint64 hidden[N_HIDINGS])
{
  for (guint i = 0; i < main->entries->len; i++) {
    const Entry *entry = page_tree_get (main->entries, i);
    if (!entry->hidden || html_role (entry->node) == ELEMENT_DROPPED)
      continue;
    Hiding hiding = html_hiding (entry->node);
    for (xmlNode *at = entry->node; at; at = html_next (at, entry->node, html_role (at) == ELEMENT_DROPPED))
      if (at->type == XML_TEXT_NODE && at->content)
        hidden[hiding] += page_tree_count_characters ((const char *)at->content);
  }
}

void html_report_hidden (const guint64 hidden[N_HIDINGS], Writer *writer)
{
  for (guint i = 1; i < N_HIDINGS; i++)
    if (hidden[i] > 0)
      emit_finding (writer, LECTERN_FINDING_HIDDEN_TEXT, 0, hidden[i], html_hiding_to_string (i));
}

void html_main_report (const HtmlMain *main, Writer *writer)
{
  guint64 all = 0, kept = 0, hidden[N_HIDINGS] = { 0 };
  guint root = GPOINTER_TO_UINT (main->root->_private) - 1, root_end = page_tree_get (main->entries, root)->end;
  for (guint i = 0; i < main->entries->len; i++) {
    const Entry *entry = page_tree_get (main->entries, i);
    all += entry->text;
    if (i >= root && i < root_end && !(main->judged ? entry->refused : entry->left_out && !main->everything))
      kept += entry->text;
  }
  html_main_count_hidden (main, hidden);
  html_report_hidden (hidden, writer);
  if (all <= kept)
    return;
  g_autofree char *detail = g_strdup_printf (
      "of %" G_GUINT64_FORMAT " characters: navigation, advertising, comments, notices and the like", all);
  emit_finding (writer, LECTERN_FINDING_BOILERPLATE, 0, all - kept, detail);
}

const PageFeatures *html_main_get_features (const HtmlMain *main)
{
  return main->features;
}
