#include "ingest/extract/html/dom.h"

#include "ingest/extract/html/hidden.h"

#include <string.h>

typedef struct {
  const char *name;
  ElementRole role;
} Element;

/* Sorted by name. */
static const Element elements[] = {
  { "address", ELEMENT_BLOCK },
  { "area", ELEMENT_DROPPED },
  { "article", ELEMENT_BLOCK },
  { "aside", ELEMENT_BLOCK },
  { "audio", ELEMENT_DROPPED },
  { "blockquote", ELEMENT_BLOCK },
  { "body", ELEMENT_BLOCK },
  { "br", ELEMENT_BREAK },
  { "button", ELEMENT_DROPPED },
  { "canvas", ELEMENT_DROPPED },
  { "caption", ELEMENT_CAPTION },
  { "center", ELEMENT_BLOCK },
  { "datalist", ELEMENT_DROPPED },
  { "dd", ELEMENT_DEFINITION },
  { "details", ELEMENT_BLOCK },
  { "dialog", ELEMENT_BLOCK },
  { "dir", ELEMENT_LIST },
  { "div", ELEMENT_BLOCK },
  { "dl", ELEMENT_LIST },
  { "dt", ELEMENT_TERM },
  { "embed", ELEMENT_DROPPED },
  { "fieldset", ELEMENT_BLOCK },
  { "figcaption", ELEMENT_CAPTION },
  { "figure", ELEMENT_BLOCK },
  { "footer", ELEMENT_BLOCK },
  { "form", ELEMENT_BLOCK },
  { "frameset", ELEMENT_DROPPED },
  { "h1", ELEMENT_HEADING },
  { "h2", ELEMENT_HEADING },
  { "h3", ELEMENT_HEADING },
  { "h4", ELEMENT_HEADING },
  { "h5", ELEMENT_HEADING },
  { "h6", ELEMENT_HEADING },
  { "head", ELEMENT_DROPPED },
  { "header", ELEMENT_BLOCK },
  { "hgroup", ELEMENT_BLOCK },
  { "hr", ELEMENT_BLOCK },
  { "html", ELEMENT_BLOCK },
  { "iframe", ELEMENT_DROPPED },
  { "input", ELEMENT_DROPPED },
  { "legend", ELEMENT_BLOCK },
  { "li", ELEMENT_ITEM },
  { "link", ELEMENT_DROPPED },
  { "listing", ELEMENT_CODE },
  { "main", ELEMENT_BLOCK },
  { "map", ELEMENT_DROPPED },
  { "menu", ELEMENT_LIST },
  { "meta", ELEMENT_DROPPED },
  { "nav", ELEMENT_BLOCK },
  { "noframes", ELEMENT_DROPPED },
  { "noscript", ELEMENT_DROPPED },
  { "object", ELEMENT_DROPPED },
  { "ol", ELEMENT_LIST },
  { "optgroup", ELEMENT_DROPPED },
  { "option", ELEMENT_DROPPED },
  { "p", ELEMENT_BLOCK },
  { "plaintext", ELEMENT_CODE },
  { "pre", ELEMENT_CODE },
  { "script", ELEMENT_DROPPED },
  { "search", ELEMENT_BLOCK },
  { "section", ELEMENT_BLOCK },
  { "select", ELEMENT_DROPPED },
  { "style", ELEMENT_DROPPED },
  { "summary", ELEMENT_BLOCK },
  { "svg", ELEMENT_DROPPED },
  { "table", ELEMENT_TABLE },
  { "tbody", ELEMENT_BLOCK },
  { "td", ELEMENT_CELL },
  { "template", ELEMENT_DROPPED },
  { "textarea", ELEMENT_DROPPED },
  { "tfoot", ELEMENT_BLOCK },
  { "th", ELEMENT_CELL },
  { "thead", ELEMENT_BLOCK },
  { "title", ELEMENT_DROPPED },
  { "tr", ELEMENT_ROW },
  { "ul", ELEMENT_LIST },
  { "video", ELEMENT_DROPPED },
  { "xmp", ELEMENT_CODE },
};

/* Words of class and id attributes (cut at '-', '_', white space and camelCase, lower case) that mark boilerplate. */
static const char *const boilerplate_words[] = {
  "ad",        "ads",          "advert",     "advertisement", "advertising", "banner",    "breadcrumb", "breadcrumbs",
  "byline",    "comment",      "comments",   "consent",       "cookie",      "cookies",   "copyright",  "disqus",
  "footer",    "footnav",      "gdpr",       "hidden",        "login",       "masthead",  "menu",       "meta",
  "modal",     "mostread",     "nav",        "navbar",        "navfooter",   "navheader", "navigation", "newsletter",
  "outbrain",  "pager",        "pagination", "popular",       "popup",       "print",     "promo",      "promoted",
  "recirc",    "recommended",  "related",    "respond",       "rss",         "share",     "sharebar",   "sharing",
  "shoutbox",  "sidebar",      "signup",     "skip",          "skyscraper",  "social",    "sponsor",    "sponsored",
  "subscribe", "subscription", "taboola",    "tags",          "taglist",     "teaser",    "teasers",    "toc",
  "toolbar",   "topnav",       "trending",   "widget",        "widgets",
};

static const char *const boilerplate_roles[] = { "navigation", "banner",  "contentinfo", "complementary", "search",
                                                 "menu",       "menubar", "dialog",      "alertdialog",   "toolbar" };

static int compare_element (const void *name, const void *element)
{
  return strcmp (name, ((const Element *)element)->name);
}

void html_set_role (xmlNode *node)
{
  ElementRole role = html_role (node);
  node->extra = (unsigned short)((node->extra & 0xFF00) | (role + 1));
}

ElementRole html_role (const xmlNode *node)
{
  if (node->type != XML_ELEMENT_NODE)
    return ELEMENT_INLINE;
  if (node->extra & 0xFF)
    return (ElementRole)((node->extra & 0xFF) - 1);
  const Element *found = bsearch (node->name, elements, G_N_ELEMENTS (elements), sizeof (Element), compare_element);
  return found ? found->role : ELEMENT_INLINE;
}

int html_heading_level (const xmlNode *node)
{
  return node->name[1] - '0';
}

gboolean html_is (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && strcmp ((const char *)node->name, name) == 0;
}

const char *html_attribute (const xmlNode *node, const char *name)
{
  if (node->type != XML_ELEMENT_NODE)
    return NULL;
  for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
    if (strcmp ((const char *)attribute->name, name) == 0)
      return attribute->children ? (const char *)attribute->children->content : "";
  return NULL;
}

gboolean html_is_hidden (const xmlNode *node)
{
  return html_hiding (node) != HIDING_NONE;
}

static gboolean is_one_of (const char *word, const char *const *words, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (word, words[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Whether a word of the attribute is a boilerplate word. */
static gboolean has_boilerplate_word (const char *value)
{
  char word[32];
  gsize length = 0;
  for (const char *at = value;; at++) {
    gboolean upper = g_ascii_isupper (*at);
    gboolean ends = !g_ascii_isalpha (*at) || (upper && at > value && g_ascii_islower (at[-1]));
    if (ends && length > 0) {
      word[length] = '\0';
      if (is_one_of (word, boilerplate_words, G_N_ELEMENTS (boilerplate_words)))
        return TRUE;
      length = 0;
    }
    if (*at == '\0')
      return FALSE;
    if (g_ascii_isalpha (*at) && length + 1 < sizeof word)
      word[length++] = g_ascii_tolower (*at);
  }
}

gboolean html_is_boilerplate (const xmlNode *node)
{
  if (node->type != XML_ELEMENT_NODE)
    return FALSE;
  static const char *const names[] = { "nav", "aside", "footer", "dialog", "search", "menu" };
  const char *name = (const char *)node->name;
  if (is_one_of (name, names, G_N_ELEMENTS (names)))
    return TRUE;
  if (strcmp (name, "body") == 0 || strcmp (name, "html") == 0 || !html_is_block (html_role (node))
      || !node->properties)
    return FALSE;
  const char *role = html_attribute (node, "role"), *class = html_attribute (node, "class"),
             *id = html_attribute (node, "id");
  return (role && is_one_of (role, boilerplate_roles, G_N_ELEMENTS (boilerplate_roles)))
         || (class && has_boilerplate_word (class)) || (id && has_boilerplate_word (id));
}

HtmlNavigation html_navigation (const xmlNode *node)
{
  static const char *const names[] = { "nav", "footer", "dialog", "search", "menu" };
  static const char *const roles[] = { "navigation", "banner", "contentinfo", "search", "menu", "menubar", "toolbar" };
  static const char *const classes[]
      = { "navheader", "navfooter", "navbar", "nav",     "navigation", "breadcrumb", "breadcrumbs",   "footer", "sidebar",
          "menu",      "mainmenu",  "topnav",  "footnav", "pager",      "related",    "sphinxsidebar", "toolbar" };
  static const char *const contents[] = { "toc", "contents", "table-of-contents", "tableofcontents" };
  if (node->type != XML_ELEMENT_NODE || !html_is_block (html_role (node)) || html_role (node) == ELEMENT_HEADING
      || html_is (node, "body") || html_is (node, "html"))
    return HTML_TEXT;
  if (is_one_of ((const char *)node->name, names, G_N_ELEMENTS (names)))
    return HTML_NAVIGATION;
  const char *role = html_attribute (node, "role");
  if (role && is_one_of (role, roles, G_N_ELEMENTS (roles)))
    return HTML_NAVIGATION;
  static const char *const attributes[] = { "class", "id" };
  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++) {
    const char *at = html_attribute (node, attributes[i]);
    while (at && *at) {
      gsize length = strcspn (at, " \t\r\n");
      g_autofree char *word = g_ascii_strdown (at, (gssize)MIN (length, 32));
      /* An identifier may be made of a heading: that of a section. */
      if (is_one_of (word, contents, G_N_ELEMENTS (contents)) && (i == 0 || !html_is (node, "section")))
        return HTML_CONTENTS;
      if (is_one_of (word, classes, G_N_ELEMENTS (classes)) && (i == 0 || !html_is (node, "section")))
        return HTML_NAVIGATION;
      at += length;
      at += strspn (at, " \t\r\n");
    }
  }
  return HTML_TEXT;
}

gboolean html_is_admonition (const xmlNode *node)
{
  static const char *const words[] = { "note", "tip", "warning", "caution", "important", "danger", "hint", "admonition" };
  const char *class = html_attribute (node, "class");
  for (guint i = 0; class && i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);
    if (strncmp (class, words[i], length) == 0 && (class[length] == '\0' || class[length] == ' '))
      return TRUE;
  }
  return FALSE;
}

gboolean html_is_main (const xmlNode *node)
{
  const char *role = html_attribute (node, "role"), *itemprop = html_attribute (node, "itemprop");
  return html_is (node, "main") || html_is (node, "article") || (role && strcmp (role, "main") == 0)
         || (itemprop && strcmp (itemprop, "articleBody") == 0);
}

xmlNode *html_next (xmlNode *node, const xmlNode *root, gboolean skip_children)
{
  if (!skip_children && node->children && node->type == XML_ELEMENT_NODE)
    return node->children;
  while (node && node != root && !node->next)
    node = node->parent;
  return !node || node == root ? NULL : node->next;
}
