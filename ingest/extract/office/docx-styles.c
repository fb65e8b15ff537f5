#include "ingest/extract/office/docx-styles.h"

#include "ingest/extract/office/flow.h"

#include <string.h>

#define MAX_INHERITANCE 16
#define MAX_STYLES 20000u
#define MAX_LISTS 20000u
#define N_LEVELS 9

/* ---- styles ---------------------------------------------------------------------------------------------- */

typedef struct {
  char *based_on;
  DocxProperties own;
  DocxRole role;
} Style;

struct _DocxStyles {
  GHashTable *styles; /* of Style by id */
  char *standard;     /* id of the default paragraph style */
  char *language;
};

static void free_style (gpointer data)
{
  g_free (((Style *)data)->based_on);
  g_free (data);
}

void docx_styles_free (DocxStyles *styles)
{
  g_hash_table_unref (styles->styles);
  g_free (styles->standard);
  g_free (styles->language);
  g_free (styles);
}

/* The names of built-in styles are English in every language's Word; their ids are not. */
static void read_name (Style *style, const char *given)
{
  g_autofree char *name = g_ascii_strdown (given, -1);
  if (g_str_has_prefix (name, "heading ") && name[8] >= '1' && name[8] <= '9' && style->own.outline_level < 0)
    style->own.outline_level = name[8] - '1';
  if (strcmp (name, "title") == 0)
    style->role = DOCX_TITLE;
  else if (strcmp (name, "caption") == 0)
    style->role = DOCX_CAPTION;
  else if (g_str_has_prefix (name, "toc ") || strcmp (name, "table of figures") == 0
           || strcmp (name, "contents heading") == 0)
    style->role = DOCX_CONTENTS;
  else if (strcmp (name, "html preformatted") == 0 || strcmp (name, "preformatted text") == 0
           || strcmp (name, "source code") == 0 || strcmp (name, "code") == 0 || strcmp (name, "plain text") == 0
           || strcmp (name, "macro text") == 0 || strcmp (name, "macro") == 0)
    style->role = DOCX_CODE;
}

/* Of the element <w:numPr>. */
static void read_list_properties (Xml *xml, DocxProperties *properties)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "numId"))
      properties->list = (int)xml_attribute_number (xml, "val", 0, 1u << 30);
    else if (xml_is (xml, "ilvl"))
      properties->list_level = (int)xml_attribute_number (xml, "val", 0, N_LEVELS - 1);
  }
}

static void read_style (DocxStyles *styles, Xml *xml)
{
  const char *id = xml_attribute (xml, "styleId");
  if (!id || g_hash_table_size (styles->styles) >= MAX_STYLES)
    return;
  Style *style = g_new0 (Style, 1);
  style->own = DOCX_NO_PROPERTIES;
  if (xml_attribute_is (xml, "type", "paragraph")
      && (xml_attribute_is (xml, "default", "1") || xml_attribute_is (xml, "default", "true"))) {
    g_free (styles->standard);
    styles->standard = g_strdup (id);
  }
  g_hash_table_insert (styles->styles, g_strdup (id), style);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "name")) {
      const char *name = xml_attribute (xml, "val");
      if (name)
        read_name (style, name);
    } else if (xml_is (xml, "basedOn")) {
      g_free (style->based_on);
      style->based_on = g_strdup (xml_attribute (xml, "val"));
    } else if (xml_is (xml, "pPr")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        if (xml_is (xml, "outlineLvl"))
          style->own.outline_level = (int)xml_attribute_number (xml, "val", 9, 9);
        else if (xml_is (xml, "numPr"))
          read_list_properties (xml, &style->own);
      }
    } else if (xml_is (xml, "rPr")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_is (xml, "vanish"))
          style->own.hidden = xml_is_on (xml);
    }
  }
}

DocxStyles *docx_styles_new (const ContainerEntry *entry)
{
  DocxStyles *styles = g_new0 (DocxStyles, 1);
  styles->styles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_style);
  g_autoptr (Xml) xml = xml_open (entry);
  if (!xml_root (xml))
    return styles;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "style")) {
      read_style (styles, xml);
    } else if (xml_is (xml, "docDefaults")) {
      for (int a = xml_depth (xml); xml_next_child (xml, a);)
        for (int b = xml_depth (xml); xml_next_child (xml, b);)
          for (int c = xml_depth (xml); xml_next_child (xml, c);)
            if (xml_is (xml, "lang") && !styles->language)
              styles->language = g_strdup (xml_attribute (xml, "val"));
    }
  }
  return styles;
}

DocxProperties docx_styles_get (const DocxStyles *styles, const char *id, DocxRole *role)
{
  DocxProperties all = DOCX_NO_PROPERTIES;
  DocxRole found = DOCX_BODY;
  if (!id)
    id = styles->standard;
  for (guint n = 0; id && n < MAX_INHERITANCE; n++) {
    const Style *style = g_hash_table_lookup (styles->styles, id);
    if (!style)
      break;
    all.outline_level = all.outline_level < 0 ? style->own.outline_level : all.outline_level;
    all.list = all.list < 0 ? style->own.list : all.list;
    all.list_level = all.list_level < 0 ? style->own.list_level : all.list_level;
    all.hidden = all.hidden < 0 ? style->own.hidden : all.hidden;
    found = found == DOCX_BODY ? style->role : found;
    id = style->based_on;
  }
  if (role)
    *role = found;
  return all;
}

const char *docx_styles_get_language (const DocxStyles *styles)
{
  return styles->language;
}

/* ---- lists ----------------------------------------------------------------------------------------------- */

typedef struct {
  char *format; /* "decimal", "bullet", …; NULL: not defined */
  char *text;   /* "%1.%2" */
  guint start;
} Level;

/* The definition, shared by the lists made from it, with the numbers of the paragraphs counted last. */
typedef struct {
  Level levels[N_LEVELS];
  guint numbers[N_LEVELS];
} Definition;

typedef struct {
  Definition *definition;
  guint starts[N_LEVELS]; /* that this list sets anew when it begins; G_MAXUINT: none */
  gboolean begun;
} List;

struct _DocxLists {
  GHashTable *definitions; /* of Definition by number */
  GHashTable *lists;       /* of List by number */
};

static void free_definition (gpointer data)
{
  Definition *definition = data;
  for (guint i = 0; i < N_LEVELS; i++) {
    g_free (definition->levels[i].format);
    g_free (definition->levels[i].text);
  }
  g_free (definition);
}

void docx_lists_free (DocxLists *lists)
{
  g_hash_table_unref (lists->lists);
  g_hash_table_unref (lists->definitions);
  g_free (lists);
}

static void replace (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static void read_level (Xml *xml, Definition *definition)
{
  Level *level = &definition->levels[xml_attribute_number (xml, "ilvl", 0, N_LEVELS - 1)];
  level->start = 1;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "start"))
      level->start = xml_attribute_number (xml, "val", 1, 1u << 30);
    else if (xml_is (xml, "numFmt"))
      replace (&level->format, xml_attribute (xml, "val"));
    else if (xml_is (xml, "lvlText"))
      replace (&level->text, xml_attribute (xml, "val"));
  }
}

static void read_list (DocxLists *lists, Xml *xml)
{
  guint id = xml_attribute_number (xml, "numId", 0, 1u << 30);
  List *list = g_new0 (List, 1);
  for (guint i = 0; i < N_LEVELS; i++)
    list->starts[i] = G_MAXUINT;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "abstractNumId")) {
      guint number = xml_attribute_number (xml, "val", 0, 1u << 30);
      list->definition = g_hash_table_lookup (lists->definitions, GUINT_TO_POINTER (number));
    } else if (xml_is (xml, "lvlOverride")) {
      guint level = xml_attribute_number (xml, "ilvl", 0, N_LEVELS - 1);
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_is (xml, "startOverride"))
          list->starts[level] = xml_attribute_number (xml, "val", 1, 1u << 30);
    }
  }
  g_hash_table_replace (lists->lists, GUINT_TO_POINTER (id), list);
}

DocxLists *docx_lists_new (const ContainerEntry *numbering)
{
  DocxLists *lists = g_new0 (DocxLists, 1);
  lists->definitions = g_hash_table_new_full (NULL, NULL, NULL, free_definition);
  lists->lists = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (Xml) xml = xml_open (numbering);
  if (!xml_root (xml))
    return lists;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (g_hash_table_size (lists->definitions) + g_hash_table_size (lists->lists) >= MAX_LISTS)
      break;
    if (xml_is (xml, "abstractNum")) {
      guint id = xml_attribute_number (xml, "abstractNumId", 0, 1u << 30);
      if (g_hash_table_contains (lists->definitions, GUINT_TO_POINTER (id)))
        continue;
      Definition *definition = g_new0 (Definition, 1);
      g_hash_table_insert (lists->definitions, GUINT_TO_POINTER (id), definition);
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_is (xml, "lvl"))
          read_level (xml, definition);
    } else if (xml_is (xml, "num")) {
      read_list (lists, xml);
    }
  }
  return lists;
}

static void append_number (GString *label, const char *format, guint number)
{
  gboolean upper = g_str_has_prefix (format, "upper");
  if (strcmp (format, "decimalZero") == 0 && number < 10)
    g_string_append_c (label, '0');
  if (strcmp (format, "none") != 0)
    flow_append_number (label,
                        g_str_has_suffix (format, "Letter")  ? (upper ? 'A' : 'a')
                        : g_str_has_suffix (format, "Roman") ? (upper ? 'I' : 'i')
                                                             : '1',
                        number);
}

char *docx_lists_next (DocxLists *lists, int id, int level)
{
  List *list = g_hash_table_lookup (lists->lists, GINT_TO_POINTER (id));
  if (!list || !list->definition || level < 0 || level >= N_LEVELS)
    return NULL;
  Definition *definition = list->definition;
  const Level *own = &definition->levels[level];
  if (!list->begun)
    for (guint i = 0; i < N_LEVELS; i++)
      if (list->starts[i] != G_MAXUINT)
        definition->numbers[i] = list->starts[i] - (list->starts[i] > 0);
  list->begun = TRUE;
  guint *number = &definition->numbers[level];
  *number = *number == 0 ? MAX (own->start, 1) : *number + 1;
  for (int i = 0; i < level; i++)
    if (definition->numbers[i] == 0)
      definition->numbers[i] = MAX (definition->levels[i].start, 1);
  for (int i = level + 1; i < N_LEVELS; i++)
    definition->numbers[i] = 0;
  GString *label = g_string_new (NULL);
  if (!own->format || !own->text || strcmp (own->format, "bullet") == 0)
    return g_string_free (label, FALSE);
  for (const char *at = own->text; *at; at++) {
    if (at[0] == '%' && at[1] >= '1' && at[1] <= '9') {
      guint which = (guint)(at[1] - '1');
      const char *format = definition->levels[which].format;
      append_number (label, format ? format : "decimal", definition->numbers[which]);
      at++;
    } else {
      g_string_append_c (label, *at);
    }
  }
  return g_string_free (label, FALSE);
}
