#include "ingest/extract/html/head.h"

#include "ingest/extract/html/blocks.h"

#include <string.h>

#define MAX_TITLE_BYTES 1000
#define MAX_AUTHOR_BYTES 200
/* JSON-LD is looked into so far, and for so many keys. */
#define MAX_JSON_BYTES (256u << 10)
#define MAX_JSON_KEYS 200

typedef struct {
  const char *og_title, *site, *author, *date, *time, *locale;
  xmlNode *title, *heading;
  char *json_author, *json_date;
} Found;

/* The first ten or more characters are a date: YYYY-MM-DD, and a time behind "T" or a space. */
static char *dup_date (const char *text)
{
  static const char shape[] = "dddd-dd-dd";
  if (!text)
    return NULL;
  text += strspn (text, " \t\r\n");
  for (guint i = 0; shape[i]; i++)
    if (shape[i] == 'd' ? !g_ascii_isdigit (text[i]) : text[i] != shape[i])
      return NULL;
  guint month = (guint)(text[5] - '0') * 10 + (guint)(text[6] - '0');
  guint day = (guint)(text[8] - '0') * 10 + (guint)(text[9] - '0');
  if (month < 1 || month > 12 || day < 1 || day > 31)
    return NULL;
  gsize length = 10;
  if ((text[10] == 'T' || text[10] == ' ') && g_ascii_isdigit (text[11]))
    length += 1 + strspn (text + 11, "0123456789:.+-Z");
  char *date = g_strndup (text, MIN (length, 40));
  if (date[10] == ' ')
    date[10] = 'T';
  return date;
}

static void see_meta (const xmlNode *node, Found *found)
{
  static const char *const dates[] = { "article:published_time",
                                       "datepublished",
                                       "date",
                                       "dc.date",
                                       "dcterms.created",
                                       "dc.date.issued",
                                       "publish-date",
                                       "pubdate",
                                       "og:published_time",
                                       "sailthru.date",
                                       "parsely-pub-date",
                                       "citation_publication_date",
                                       "dcterms.date" };
  const char *content = html_attribute (node, "content");
  const char *keys[] = { html_attribute (node, "property"), html_attribute (node, "name"),
                         html_attribute (node, "itemprop"), html_attribute (node, "http-equiv") };
  for (guint k = 0; content && content[0] && k < G_N_ELEMENTS (keys); k++) {
    const char *key = keys[k];
    if (!key)
      continue;
    if (g_ascii_strcasecmp (key, "og:title") == 0 && !found->og_title)
      found->og_title = content;
    else if (g_ascii_strcasecmp (key, "og:site_name") == 0 && !found->site)
      found->site = content;
    else if ((g_ascii_strcasecmp (key, "author") == 0 || g_ascii_strcasecmp (key, "dc.creator") == 0
              || g_ascii_strcasecmp (key, "article:author") == 0)
             && !found->author && !strstr (content, "://"))
      found->author = content;
    else if ((g_ascii_strcasecmp (key, "og:locale") == 0 || g_ascii_strcasecmp (key, "content-language") == 0)
             && !found->locale)
      found->locale = content;
    for (guint i = 0; !found->date && i < G_N_ELEMENTS (dates); i++)
      if (g_ascii_strcasecmp (key, dates[i]) == 0)
        found->date = content;
  }
}

/* ---- JSON-LD ---- */

/* The string that begins behind the quote at `at`; *end is behind its closing quote. NULL: it does not end. */
static char *dup_json_string (const char *at, const char **end)
{
  GString *text = g_string_new (NULL);
  for (at++; *at && *at != '"'; at++) {
    if (*at != '\\') {
      g_string_append_c (text, *at);
    } else if (at[1] == 'u' && g_ascii_isxdigit (at[2]) && g_ascii_isxdigit (at[3]) && g_ascii_isxdigit (at[4])
               && g_ascii_isxdigit (at[5])) {
      gunichar c = 0;
      for (guint i = 2; i < 6; i++)
        c = c * 16 + (gunichar)g_ascii_xdigit_value (at[i]);
      if (c > 0 && (c < 0xD800 || c > 0xDFFF))
        g_string_append_unichar (text, c);
      at += 5;
    } else if (at[1]) {
      at++;
      g_string_append_c (text, strchr ("nrtbf", *at) ? ' ' : *at);
    }
  }
  *end = *at ? at + 1 : at;
  return g_string_free (text, *at == '\0');
}

/* The first value of "key": a string, or the "name" of the object (or of the list's first) that it has. */
static char *find_json_value (const char *json, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", key);
  guint n = 0;
  for (const char *at = strstr (json, quoted); at && n < MAX_JSON_KEYS; at = strstr (at + 1, quoted), n++) {
    const char *value = at + strlen (quoted), *end;
    value += strspn (value, " \t\r\n");
    if (*value != ':')
      continue;
    value += 1 + strspn (value + 1, " \t\r\n[");
    if (*value == '"')
      return dup_json_string (value, &end);
    if (*value != '{')
      continue;
    const char *close = strchr (value, '}'), *name = strstr (value, "\"name\"");
    if (!name || (close && name > close))
      continue;
    name += strlen ("\"name\"");
    name += strspn (name, " \t\r\n:[");
    if (*name == '"')
      return dup_json_string (name, &end);
  }
  return NULL;
}

static void see_json (const xmlNode *node, Found *found)
{
  const char *type = html_attribute (node, "type");
  if (!type || g_ascii_strncasecmp (type, "application/ld+json", 19) != 0 || !node->children || !node->children->content
      || strlen ((const char *)node->children->content) > MAX_JSON_BYTES)
    return;
  const char *json = (const char *)node->children->content;
  if (!found->json_date)
    found->json_date = find_json_value (json, "datePublished");
  if (!found->json_author)
    found->json_author = find_json_value (json, "author");
}

/* ---- the title ---- */

static char *dup_normalised (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\r\n\f", -1);
  GString *out = g_string_new (NULL);
  for (guint i = 0; words[i]; i++)
    if (words[i][0])
      g_string_append_printf (out, "%s%s", out->len ? " " : "", words[i]);
  return g_string_free (out, FALSE);
}

/* Cuts " | Site", " - Site" … from the end where the site is known by name, or what is left is the page's heading. */
static void cut_site (char *title, const char *site, const char *heading)
{
  static const char *const separators[] = { " | ", " - ", " – ", " — ", " :: ", " » ", " · ", " : " };
  for (guint i = 0; i < G_N_ELEMENTS (separators); i++) {
    char *cut = g_strrstr (title, separators[i]);
    while (cut) {
      gsize kept = (gsize)(cut - title);
      gboolean is_site = site && g_ascii_strcasecmp (cut + strlen (separators[i]), site) == 0;
      gboolean is_heading = heading && heading[0] && strlen (heading) == kept && strncmp (title, heading, kept) == 0;
      if (kept > 0 && (is_site || is_heading)) {
        *cut = '\0';
        return;
      }
      cut = g_strrstr_len (title, (gssize)kept, separators[i]);
    }
  }
}

static char *choose_title (const Found *found)
{
  g_autofree char *heading = found->heading ? html_dup_text (found->heading) : NULL;
  g_autofree char *site = found->site ? dup_normalised (found->site) : NULL;
  g_autofree char *og = found->og_title ? dup_normalised (found->og_title) : NULL;
  g_autofree char *title = found->title ? html_dup_text (found->title) : NULL;
  char *candidates[] = { og, title };
  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++) {
    if (!candidates[i] || !candidates[i][0] || strlen (candidates[i]) > MAX_TITLE_BYTES
        || (site && strcmp (candidates[i], site) == 0 && i == 0))
      continue;
    cut_site (candidates[i], site, heading);
    return g_strdup (candidates[i]);
  }
  return heading && heading[0] && strlen (heading) <= MAX_TITLE_BYTES ? g_steal_pointer (&heading) : NULL;
}

static char *choose_author (const Found *found)
{
  const char *candidates[] = { found->author, found->json_author };
  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++) {
    g_autofree char *author = candidates[i] ? dup_normalised (candidates[i]) : NULL;
    if (author && author[0] && strlen (author) <= MAX_AUTHOR_BYTES && !strstr (author, "://"))
      return g_steal_pointer (&author);
  }
  return NULL;
}

void html_head_read (xmlNode *root, HtmlHead *head)
{
  Found found = { NULL };
  for (xmlNode *at = root; at; at = html_next (at, root, FALSE)) {
    if (at->type != XML_ELEMENT_NODE)
      continue;
    if (html_is (at, "meta"))
      see_meta (at, &found);
    else if (html_is (at, "title") && !found.title && !(at->parent && html_is (at->parent, "svg")))
      found.title = at;
    else if (html_is (at, "h1") && !found.heading && !html_is_hidden (at))
      found.heading = at;
    else if (html_is (at, "script"))
      see_json (at, &found);
    else if (html_is (at, "time") && !found.time)
      found.time = html_attribute (at, "datetime");
  }
  const char *language = html_attribute (root, "lang");
  if (!language || !language[0])
    language = html_attribute (root, "xml:lang");
  if (!language || !language[0])
    language = found.locale;
  head->title = choose_title (&found);
  head->author = choose_author (&found);
  head->language = language && language[0] ? g_strdelimit (g_strstrip (g_strndup (language, 35)), "_", '-') : NULL;
  const char *dates[] = { found.date, found.json_date, found.time };
  head->date = NULL;
  for (guint i = 0; !head->date && i < G_N_ELEMENTS (dates); i++)
    head->date = dup_date (dates[i]);
  g_free (found.json_author);
  g_free (found.json_date);
}

void html_head_clear (HtmlHead *head)
{
  g_clear_pointer (&head->title, g_free);
  g_clear_pointer (&head->author, g_free);
  g_clear_pointer (&head->date, g_free);
  g_clear_pointer (&head->language, g_free);
}
