#include "ingest/extract/html/style-sheet.h"

#include "ingest/extract/html/dom.h"

#include <string.h>

/* Of all style sheets of a page; what comes after is not looked at. */
#define MAX_SHEET_BYTES ((gsize)2 << 20)
#define MAX_RULES 4000
#define MAX_CLASSES 4 /* of a selector */
#define MAX_NAME_BYTES 64
#define MAX_CLASSES_OF_ELEMENT 16
/* Rules that are tried on elements, so that many of the one do not multiply many of the other. */
#define MAX_TRIES 5000000
/* Where less than this share of the text would be left, a script shows the page. */
#define MIN_SHOWN 0.1

typedef struct {
  char tag[MAX_NAME_BYTES], id[MAX_NAME_BYTES], classes[MAX_CLASSES][MAX_NAME_BYTES];
  guint n_classes;
} Selector;

typedef struct {
  Selector *selector;
  HideDeclarations declarations;
  guint16 reachable; /* ways that another rule undoes in some state */
  guint specificity, order;
} Rule;

typedef struct {
  GHashTable *rules;  /* ".class", "#id" or "tag" to GPtrArray of Rule, in order of appearance */
  GHashTable *states; /* ".class" or "#id" to ways that a rule for a state or a place shows */
  GPtrArray *all;
  gsize n_bytes;
  gint64 tries;
  gboolean hides;
} StyleSheet;

static void free_rule (gpointer data)
{
  Rule *rule = data;
  g_free (rule->selector);
  g_free (rule);
}

/* ---- selectors ------------------------------------------------------------------------------------------- */

static gboolean is_name_byte (char c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '_' || ((guchar)c & 0x80);
}

/* A name at `*at`; FALSE: none, or a long one. */
static gboolean take_name (const char **at, const char *end, char name[MAX_NAME_BYTES])
{
  gsize n = 0;
  while (*at + n < end && is_name_byte ((*at)[n]))
    n++;
  if (n == 0 || n >= MAX_NAME_BYTES)
    return FALSE;
  memcpy (name, *at, n);
  name[n] = '\0';
  *at += n;
  return TRUE;
}

/* Reads the last compound of a selector. *simple: it is all of the selector. FALSE: it holds something else as well. */
static gboolean parse_selector (const char *start, const char *end, Selector *selector, gboolean *simple)
{
  memset (selector, 0, sizeof *selector);
  while (start < end && g_ascii_isspace (*start))
    start++;
  while (end > start && g_ascii_isspace (end[-1]))
    end--;
  const char *at = end;
  for (int depth = 0; at > start; at--) {
    depth += at[-1] == ')' || at[-1] == ']';
    depth -= at[-1] == '(' || at[-1] == '[';
    if (depth == 0 && (g_ascii_isspace (at[-1]) || at[-1] == '>' || at[-1] == '+' || at[-1] == '~'))
      break;
  }
  *simple = at == start;
  if (at < end && *at == '*')
    at++;
  else if (at < end && is_name_byte (*at)) {
    if (!take_name (&at, end, selector->tag))
      return FALSE;
    for (char *c = selector->tag; *c; c++)
      *c = g_ascii_tolower (*c);
  }
  while (at < end) {
    char mark = *at++;
    if (mark == '#' && !selector->id[0]) {
      if (!take_name (&at, end, selector->id))
        return FALSE;
    } else if (mark == '.' && selector->n_classes < MAX_CLASSES) {
      if (!take_name (&at, end, selector->classes[selector->n_classes]))
        return FALSE;
      selector->n_classes++;
    } else {
      *simple = FALSE; /* a state or an attribute; what stands before it still names the element */
      break;
    }
  }
  return selector->tag[0] || selector->id[0] || selector->n_classes > 0;
}

static void add_state (StyleSheet *sheet, const char *mark, const char *name, guint ways)
{
  g_autofree char *key = g_strconcat (mark, name, NULL);
  ways |= GPOINTER_TO_UINT (g_hash_table_lookup (sheet->states, key));
  g_hash_table_insert (sheet->states, g_steal_pointer (&key), GUINT_TO_POINTER (ways));
}

static void add_rule (StyleSheet *sheet, const char *start, const char *end, const HideDeclarations *declarations,
                      gboolean conditional)
{
  Selector selector;
  gboolean simple;
  if (sheet->all->len >= MAX_RULES || !parse_selector (start, end, &selector, &simple))
    return;
  if (!simple || conditional || selector.n_classes > 1 || (selector.n_classes > 0 && selector.id[0])) {
    if (selector.id[0])
      add_state (sheet, "#", selector.id, declarations->shows);
    for (guint i = 0; i < selector.n_classes; i++)
      add_state (sheet, ".", selector.classes[i], declarations->shows);
    if (!simple || conditional)
      return;
  }
  Rule *rule = g_new0 (Rule, 1);
  rule->selector = g_memdup2 (&selector, sizeof selector);
  rule->declarations = *declarations;
  rule->specificity = (selector.id[0] ? 100 : 0) + 10 * selector.n_classes + (selector.tag[0] ? 1 : 0);
  rule->order = sheet->all->len;
  g_ptr_array_add (sheet->all, rule);
  sheet->hides |= declarations->hides != 0;
  g_autofree char *key = selector.id[0]           ? g_strconcat ("#", selector.id, NULL)
                         : selector.n_classes > 0 ? g_strconcat (".", selector.classes[0], NULL)
                                                  : g_strdup (selector.tag);
  GPtrArray *list = g_hash_table_lookup (sheet->rules, key);
  if (!list) {
    list = g_ptr_array_new ();
    g_hash_table_insert (sheet->rules, g_steal_pointer (&key), list);
  }
  g_ptr_array_add (list, rule);
}

/* ---- sheets ---------------------------------------------------------------------------------------------- */

/* Comments become spaces. */
static void blank_comments (char *css)
{
  for (char *at = css; (at = strstr (at, "/*"));) {
    char *end = strstr (at + 2, "*/");
    end = end ? end + 2 : at + strlen (at);
    memset (at, ' ', (gsize)(end - at));
    at = end;
  }
}

/* How a block of rules counts, by what stands behind its "@": applied, of use only for what it shows, or not at all. */
typedef enum {
  BLOCK_APPLIED,
  BLOCK_CONDITIONAL,
  BLOCK_IGNORED,
} BlockUse;

static BlockUse use_of_media (const char *condition)
{
  g_autofree char *text = g_strstrip (g_ascii_strdown (condition, -1));
  if (!*text || strcmp (text, "all") == 0 || strcmp (text, "screen") == 0 || strcmp (text, "only screen") == 0)
    return BLOCK_APPLIED;
  return strstr (text, "print") && !strstr (text, "screen") && !strstr (text, "not ") ? BLOCK_IGNORED
                                                                                      : BLOCK_CONDITIONAL;
}

static BlockUse use_of_at_rule (const char *at, gsize length)
{
  g_autofree char *text = g_strndup (at, length);
  if (g_ascii_strncasecmp (text, "@media", 6) == 0)
    return use_of_media (text + 6);
  return g_ascii_strncasecmp (text, "@supports", 9) == 0 || g_ascii_strncasecmp (text, "@layer", 6) == 0
             ? BLOCK_CONDITIONAL
             : BLOCK_IGNORED;
}

static void read_sheet (StyleSheet *sheet, char *css, BlockUse use)
{
  blank_comments (css);
  BlockUse within[8] = { use };
  guint depth = 0;
  for (const char *at = css; *at;) {
    at += strspn (at, " \t\r\n\f;");
    if (*at == '}') {
      depth -= depth > 0;
      at++;
      continue;
    }
    gsize length = *at == '@' ? strcspn (at, "{};") : strcspn (at, "{}");
    const char *head = at, *open = at + length;
    if (*open != '{') {
      at = open;
      continue;
    }
    if (*head == '@') {
      if (depth + 1 >= G_N_ELEMENTS (within))
        return;
      depth++;
      within[depth] = MAX (within[depth - 1], use_of_at_rule (head, length));
      at = open + 1;
      continue;
    }
    gsize body = strcspn (open + 1, "}");
    at = open + 1 + body + (open[1 + body] == '}');
    if (within[depth] == BLOCK_IGNORED)
      continue;
    g_autofree char *text = g_strndup (open + 1, body);
    HideDeclarations declarations;
    html_read_declarations (text, &declarations);
    if (!declarations.hides && !declarations.shows)
      continue;
    for (const char *from = head; from < open;) {
      const char *comma = memchr (from, ',', (gsize)(open - from));
      const char *to = comma ? comma : open;
      add_rule (sheet, from, to, &declarations, within[depth] == BLOCK_CONDITIONAL);
      from = to + 1;
    }
  }
}

static void read_style_element (StyleSheet *sheet, const xmlNode *style)
{
  const char *media = html_attribute (style, "media");
  BlockUse use = media ? use_of_media (media) : BLOCK_APPLIED;
  if (use == BLOCK_APPLIED && style->parent && html_is (style->parent, "noscript"))
    use = BLOCK_CONDITIONAL;
  for (const xmlNode *text = style->children; text && use != BLOCK_IGNORED; text = text->next) {
    if (!text->content)
      continue;
    gsize left = MAX_SHEET_BYTES - sheet->n_bytes;
    g_autofree char *css = g_strndup ((const char *)text->content, left);
    sheet->n_bytes += strlen (css);
    read_sheet (sheet, css, use);
  }
}

/* What a rule hides and one for a state of the same elements shows can be reached. */
static void mark_reachable (StyleSheet *sheet)
{
  for (guint i = 0; i < sheet->all->len; i++) {
    Rule *rule = sheet->all->pdata[i];
    const Selector *selector = rule->selector;
    if (selector->id[0]) {
      g_autofree char *key = g_strconcat ("#", selector->id, NULL);
      rule->reachable |= (guint16)GPOINTER_TO_UINT (g_hash_table_lookup (sheet->states, key));
    }
    for (guint k = 0; k < selector->n_classes; k++) {
      g_autofree char *key = g_strconcat (".", selector->classes[k], NULL);
      rule->reachable |= (guint16)GPOINTER_TO_UINT (g_hash_table_lookup (sheet->states, key));
    }
  }
}

/* ---- elements -------------------------------------------------------------------------------------------- */

typedef struct {
  const xmlNode *node;
  const char *id;
  char classes[MAX_CLASSES_OF_ELEMENT][MAX_NAME_BYTES];
  guint n_classes;
  const Rule *best[N_HIDINGS]; /* the rule that decides on each way of hiding */
} Element;

static void split_classes (Element *element)
{
  const char *at = html_attribute (element->node, "class");
  while (at && element->n_classes < MAX_CLASSES_OF_ELEMENT) {
    at += strspn (at, " \t\r\n\f");
    gsize length = strcspn (at, " \t\r\n\f");
    if (length == 0)
      break;
    if (length < MAX_NAME_BYTES) {
      memcpy (element->classes[element->n_classes], at, length);
      element->classes[element->n_classes++][length] = '\0';
    }
    at += length;
  }
}

static gboolean has_class (const Element *element, const char *name)
{
  for (guint i = 0; i < element->n_classes; i++)
    if (strcmp (element->classes[i], name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean matches (const Selector *selector, const Element *element)
{
  if ((selector->tag[0] && strcmp (selector->tag, (const char *)element->node->name) != 0)
      || (selector->id[0] && (!element->id || strcmp (selector->id, element->id) != 0)))
    return FALSE;
  for (guint i = 0; i < selector->n_classes; i++)
    if (!has_class (element, selector->classes[i]))
      return FALSE;
  return TRUE;
}

static void try_rules (StyleSheet *sheet, const char *mark, const char *name, Element *element)
{
  char key[MAX_NAME_BYTES + 2];
  g_snprintf (key, sizeof key, "%s%s", mark, name);
  const GPtrArray *rules = g_hash_table_lookup (sheet->rules, key);
  for (guint i = 0; rules && i < rules->len && sheet->tries > 0; i++) {
    const Rule *rule = rules->pdata[i];
    sheet->tries--;
    if (!matches (rule->selector, element))
      continue;
    for (guint way = 1; way < N_HIDINGS; way++) {
      guint bit = 1u << way;
      const Rule *best = element->best[way];
      if (!((rule->declarations.hides | rule->declarations.shows) & bit))
        continue;
      gboolean important = (rule->declarations.important & bit) != 0;
      gboolean best_important = best && (best->declarations.important & bit);
      if (!best || important > best_important
          || (important == best_important
              && (rule->specificity > best->specificity
                  || (rule->specificity == best->specificity && rule->order > best->order))))
        element->best[way] = rule;
    }
  }
}

/* Part of what a person opens: a tab's panel, details, what names the label or control that opens it. */
static gboolean is_opened_by_reader (const xmlNode *node)
{
  for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
    const char *role = html_attribute (node, "role");
    if ((role && strcmp (role, "tabpanel") == 0) || html_is (node, "details")
        || html_attribute (node, "aria-labelledby") || html_attribute (node, "aria-expanded"))
      return TRUE;
  }
  return FALSE;
}

static void find_rules (StyleSheet *sheet, const xmlNode *node, Element *element)
{
  *element = (Element){ .node = node, .id = html_attribute (node, "id") };
  split_classes (element);
  try_rules (sheet, "", (const char *)node->name, element);
  if (element->id)
    try_rules (sheet, "#", element->id, element);
  for (guint i = 0; i < element->n_classes; i++)
    try_rules (sheet, ".", element->classes[i], element);
}

/* Size and visibility are inherited: whether something below the element has its own. */
static gboolean is_undone_below (StyleSheet *sheet, xmlNode *node, guint way)
{
  guint bit = 1u << way;
  for (xmlNode *at = html_next (node, node, FALSE); at && sheet->tries > 0; at = html_next (at, node, FALSE)) {
    if (at->type != XML_ELEMENT_NODE)
      continue;
    sheet->tries--;
    Element below;
    find_rules (sheet, at, &below);
    if (below.best[way] && (below.best[way]->declarations.shows & bit))
      return TRUE;
    for (guint i = 0; i < below.n_classes; i++) {
      char key[MAX_NAME_BYTES + 2];
      g_snprintf (key, sizeof key, ".%s", below.classes[i]);
      if (GPOINTER_TO_UINT (g_hash_table_lookup (sheet->states, key)) & bit)
        return TRUE;
    }
  }
  return FALSE;
}

static Hiding hiding_of (StyleSheet *sheet, xmlNode *node)
{
  Element element;
  find_rules (sheet, node, &element);
  const char *style = html_attribute (node, "style");
  HideDeclarations own = { 0 };
  gboolean read = FALSE;
  for (guint way = 1; way < N_HIDINGS; way++) {
    const Rule *rule = element.best[way];
    guint bit = 1u << way;
    if (!rule || !(rule->declarations.hides & bit) || (rule->reachable & bit))
      continue;
    if (style && !read)
      html_read_declarations (style, &own);
    read = TRUE;
    if ((own.shows & bit) && !(rule->declarations.important & bit))
      continue;
    if ((way == HIDING_TINY || way == HIDING_VISIBILITY) && is_undone_below (sheet, node, way))
      continue;
    return is_opened_by_reader (node) ? HIDING_NONE : (Hiding)way;
  }
  return HIDING_NONE;
}

/* Marks; returns the share of the text that is left. */
static double mark_elements (StyleSheet *sheet, xmlNode *root, GPtrArray *marked)
{
  double all = 0, shown = 0;
  const xmlNode *hidden = NULL; /* the element that is left next */
  for (xmlNode *at = root; at;) {
    gboolean skip = html_role (at) == ELEMENT_DROPPED;
    if (at->type == XML_ELEMENT_NODE && !skip && sheet->tries > 0) {
      Hiding hiding = hiding_of (sheet, at);
      if (hiding && !html_is (at, "body") && !html_is (at, "html")) {
        html_mark_hidden (at, hiding);
        g_ptr_array_add (marked, at);
        hidden = hidden ? hidden : at;
      }
    } else if (at->type == XML_TEXT_NODE && at->content) {
      double n = (double)strlen ((const char *)at->content);
      all += n;
      shown += hidden ? 0 : n;
    }
    xmlNode *next = html_next (at, root, skip);
    /* Out of the hidden element, unless the next node is within it: it is where its children's walk ends. */
    if (hidden && next != at->children) {
      const xmlNode *above = next ? next->parent : NULL;
      while (above && above != hidden && above->type == XML_ELEMENT_NODE)
        above = above->parent;
      if (above != hidden)
        hidden = NULL;
    }
    at = next;
  }
  return all > 0 ? shown / all : 1;
}

void style_sheet_apply (xmlNode *root)
{
  StyleSheet sheet = { .tries = MAX_TRIES };
  sheet.rules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  sheet.states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  sheet.all = g_ptr_array_new_with_free_func (free_rule);
  for (xmlNode *at = root; at; at = html_next (at, root, FALSE))
    if (html_is (at, "style") && sheet.n_bytes < MAX_SHEET_BYTES)
      read_style_element (&sheet, at);
  if (sheet.hides) {
    mark_reachable (&sheet);
    g_autoptr (GPtrArray) marked = g_ptr_array_new ();
    if (mark_elements (&sheet, root, marked) < MIN_SHOWN)
      for (guint i = 0; i < marked->len; i++)
        html_mark_hidden (marked->pdata[i], HIDING_NONE);
  }
  g_hash_table_unref (sheet.rules);
  g_hash_table_unref (sheet.states);
  g_ptr_array_unref (sheet.all);
}
