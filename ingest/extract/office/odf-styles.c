#include "ingest/extract/office/odf-styles.h"

#include "ingest/extract/office/flow.h"

#include <string.h>

#define MAX_INHERITANCE 16
#define MAX_STYLES 100000u

typedef struct {
  char *parent;
  OdfRole role;
  int hidden; /* -1: not said */
  guint outline_level;
} Style;

typedef struct {
  char format; /* as flow_append_number() takes it; 0: bullet or nothing */
  guint shown; /* levels shown in the label */
  char *prefix, *suffix;
} Level;

typedef struct {
  Level levels[ODF_N_LEVELS];
} ListStyle;

struct _OdfStyles {
  GHashTable *styles; /* of Style, by family and name */
  GHashTable *lists;  /* of ListStyle, by name */
};

static void free_style (gpointer data)
{
  g_free (((Style *)data)->parent);
  g_free (data);
}

static void free_list_style (gpointer data)
{
  ListStyle *list = data;
  for (guint i = 0; i < ODF_N_LEVELS; i++) {
    g_free (list->levels[i].prefix);
    g_free (list->levels[i].suffix);
  }
  g_free (list);
}

OdfStyles *odf_styles_new (void)
{
  OdfStyles *styles = g_new0 (OdfStyles, 1);
  styles->styles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_style);
  styles->lists = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_list_style);
  return styles;
}

void odf_styles_free (OdfStyles *styles)
{
  g_hash_table_unref (styles->styles);
  g_hash_table_unref (styles->lists);
  g_free (styles);
}

static char *dup_key (const char *family, const char *name)
{
  return g_strconcat (family ? family : "", "/", name, NULL);
}

static OdfRole role_of (const char *name)
{
  static const struct {
    const char *name;
    OdfRole role;
  } roles[] = { { "Title", ODF_TITLE },
                { "Caption", ODF_CAPTION },
                { "Illustration", ODF_CAPTION },
                { "Table", ODF_CAPTION },
                { "Drawing", ODF_CAPTION },
                { "Figure", ODF_CAPTION },
                { "Preformatted_20_Text", ODF_CODE },
                { "Source_20_Code", ODF_CODE } };
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (strcmp (name, roles[i].name) == 0)
      return roles[i].role;
  return ODF_BODY;
}

static void read_style (OdfStyles *styles, Xml *xml)
{
  const char *name = xml_attribute (xml, "name"), *family = xml_attribute (xml, "family");
  if (!name || g_hash_table_size (styles->styles) >= MAX_STYLES)
    return;
  Style *style = g_new0 (Style, 1);
  style->parent = g_strdup (xml_attribute (xml, "parent-style-name"));
  style->hidden = -1;
  style->role = family && strcmp (family, "paragraph") == 0 ? role_of (name) : ODF_BODY;
  style->outline_level = xml_attribute_number (xml, "default-outline-level", 0, 10);
  g_hash_table_replace (styles->styles, dup_key (family, name), style);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (!g_str_has_suffix (xml_name (xml), "-properties"))
      continue;
    const char *display = xml_attribute (xml, "display");
    if (display) /* "none" and "true" for text, "false" for tables */
      style->hidden = strcmp (display, "none") == 0 || strcmp (display, "false") == 0;
    if (xml_attribute_is (xml, "visibility", "hidden"))
      style->hidden = TRUE;
  }
}

static void read_list_style (OdfStyles *styles, Xml *xml, const char *name)
{
  if (!name || g_hash_table_size (styles->lists) >= MAX_STYLES)
    return;
  ListStyle *list = g_new0 (ListStyle, 1);
  g_hash_table_replace (styles->lists, g_strdup (name), list);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    guint number = xml_attribute_number (xml, "level", 0, ODF_N_LEVELS);
    const char *format = xml_attribute (xml, "num-format");
    if (number == 0 || !format || !format[0] || !strchr ("1aAiI", format[0]))
      continue;
    Level *level = &list->levels[number - 1];
    level->format = format[0];
    level->shown = xml_attribute_number (xml, "display-levels", 1, number);
    g_free (level->prefix);
    g_free (level->suffix);
    level->prefix = g_strdup (xml_attribute (xml, "num-prefix"));
    level->suffix = g_strdup (xml_attribute (xml, "num-suffix"));
  }
}

void odf_styles_read (OdfStyles *styles, Xml *xml)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "style"))
      read_style (styles, xml);
    else if (xml_is (xml, "list-style"))
      read_list_style (styles, xml, xml_attribute (xml, "name"));
    else if (xml_is (xml, "outline-style"))
      read_list_style (styles, xml, ODF_HEADINGS);
  }
}

OdfStyle odf_styles_get (const OdfStyles *styles, const char *family, const char *name)
{
  OdfStyle all = { ODF_BODY, FALSE, 0 };
  int hidden = -1;
  for (guint n = 0; name && n < MAX_INHERITANCE; n++) {
    g_autofree char *key = dup_key (family, name);
    const Style *style = g_hash_table_lookup (styles->styles, key);
    if (!style) { /* a built-in one need not be defined */
      if (all.role == ODF_BODY && strcmp (family, "paragraph") == 0)
        all.role = role_of (name);
      break;
    }
    hidden = hidden < 0 ? style->hidden : hidden;
    all.role = all.role == ODF_BODY ? style->role : all.role;
    all.outline_level = all.outline_level == 0 ? style->outline_level : all.outline_level;
    name = style->parent;
  }
  all.hidden = hidden > 0;
  return all;
}

void odf_styles_append_label (const OdfStyles *styles, const char *list_style, guint level,
                              const guint numbers[ODF_N_LEVELS], GString *label)
{
  const ListStyle *list = list_style ? g_hash_table_lookup (styles->lists, list_style) : NULL;
  if (!list || level >= ODF_N_LEVELS || list->levels[level].format == 0)
    return;
  const Level *own = &list->levels[level];
  if (own->prefix)
    g_string_append (label, own->prefix);
  for (guint i = level + 1 - MIN (own->shown, level + 1); i <= level; i++) {
    if (list->levels[i].format == 0)
      continue;
    flow_append_number (label, list->levels[i].format, MAX (numbers[i], 1));
    if (i < level)
      g_string_append_c (label, '.');
  }
  if (own->suffix)
    g_string_append (label, own->suffix);
}
