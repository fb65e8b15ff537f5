#include "ingest/extract/office/xlsx.h"

#include "ingest/extract/office/number-format.h"
#include "ingest/extract/office/package.h"
#include "ingest/extract/office/sheet.h"
#include "ingest/extract/office/xml.h"

#include <string.h>

#define MAX_STRINGS 8000000u
#define MAX_FORMATS 70000u
#define MAX_COLUMNS 16384u
#define MAX_SHEETS 4096u

typedef struct {
  guint first, last;
} Columns;

typedef struct {
  Flow flow;
  Sheet *sheet;
  GPtrArray *strings; /* the strings that cells share */
  GHashTable *codes;  /* format codes by number */
  GArray *formats;    /* of guint: the format's number of each cell style */
  gboolean from_1904;
} Reader;

/* Plain or rich text, without the readings above characters. */
static char *dup_rich_text (Xml *xml)
{
  FlowText text = { g_string_new (NULL), FALSE };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "t")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_text (xml))
          flow_text_append (&text, xml_text (xml));
    } else if (xml_is (xml, "r")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_is (xml, "t"))
          for (int innermost = xml_depth (xml); xml_next_child (xml, innermost);)
            if (xml_text (xml))
              flow_text_append (&text, xml_text (xml));
    }
  }
  return g_string_free (text.string, FALSE);
}

static void read_strings (Reader *reader, const ContainerEntry *entry)
{
  g_autoptr (Xml) xml = xml_open (entry);
  if (!xml_root (xml))
    return;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && reader->strings->len < MAX_STRINGS;)
    if (xml_is (xml, "si"))
      g_ptr_array_add (reader->strings, dup_rich_text (xml));
}

static void read_styles (Reader *reader, const ContainerEntry *entry)
{
  g_autoptr (Xml) xml = xml_open (entry);
  if (!xml_root (xml))
    return;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    gboolean codes = xml_is (xml, "numFmts"), styles = xml_is (xml, "cellXfs");
    if (!codes && !styles)
      continue;
    for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
      guint id = xml_attribute_number (xml, "numFmtId", 0, G_MAXINT);
      const char *code = xml_attribute (xml, "formatCode");
      if (codes && code && g_hash_table_size (reader->codes) < MAX_FORMATS)
        g_hash_table_replace (reader->codes, GUINT_TO_POINTER (id), g_strdup (code));
      else if (styles && xml_is (xml, "xf") && reader->formats->len < MAX_FORMATS)
        g_array_append_val (reader->formats, id);
    }
  }
}

/* ---- sheets ---------------------------------------------------------------------------------------------- */

/* The column of a reference such as "AB12", from 0; `absent` if it is none. */
static guint column_of (const char *reference, guint absent)
{
  guint column = 0;
  if (!reference || !g_ascii_isalpha (*reference))
    return absent;
  for (; g_ascii_isalpha (*reference); reference++) {
    column = column * 26 + (guint)(g_ascii_toupper (*reference) - 'A') + 1;
    if (column > MAX_COLUMNS)
      return absent;
  }
  return column - 1;
}

/* What a person sees in the cell; NULL: nothing. */
static char *read_cell (Reader *reader, Xml *xml)
{
  g_autofree char *type = g_strdup (xml_attribute (xml, "t"));
  guint style = xml_attribute_number (xml, "s", 0, MAX_FORMATS);
  g_autofree char *value = NULL;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "v") && !value)
      value = xml_dup_content (xml);
    else if (xml_is (xml, "is") && !value)
      value = dup_rich_text (xml);
  }
  if (!value || !value[0])
    return NULL;
  if (g_strcmp0 (type, "s") == 0) {
    guint64 index = g_ascii_strtoull (value, NULL, 10);
    return index < reader->strings->len ? g_strdup (g_ptr_array_index (reader->strings, index)) : NULL;
  }
  if (g_strcmp0 (type, "b") == 0)
    return g_strdup (value[0] == '1' ? "TRUE" : "FALSE");
  if (type && strcmp (type, "n") != 0)
    return g_steal_pointer (&value);
  guint id = style < reader->formats->len ? g_array_index (reader->formats, guint, style) : 0;
  const char *code = g_hash_table_lookup (reader->codes, GUINT_TO_POINTER (id));
  return number_format_apply (code ? code : number_format_built_in (id), value, reader->from_1904);
}

static gboolean is_hidden_column (const GArray *hidden, guint column)
{
  for (guint i = 0; i < hidden->len; i++) {
    const Columns *columns = &g_array_index (hidden, Columns, i);
    if (column >= columns->first && column <= columns->last)
      return TRUE;
  }
  return FALSE;
}

static gboolean is_true (const Xml *xml, const char *attribute)
{
  return xml_attribute_is (xml, attribute, "1") || xml_attribute_is (xml, attribute, "true");
}

static void read_rows (Reader *reader, Xml *xml, const GArray *hidden_columns, gboolean all_hidden)
{
  guint last_row = 0;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (!xml_is (xml, "row"))
      continue;
    gboolean hidden = all_hidden || is_true (xml, "hidden");
    guint row = xml_attribute_number (xml, "r", last_row + 1, G_MAXINT), next = 0;
    if (row > last_row + 1)
      sheet_end_row (reader->sheet); /* empty ones between */
    last_row = row;
    for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
      if (!xml_is (xml, "c"))
        continue;
      guint column = column_of (xml_attribute (xml, "r"), next);
      g_autofree char *text = read_cell (reader, xml);
      next = MIN (column, MAX_COLUMNS) + 1;
      if (text && is_hidden_column (hidden_columns, column))
        reader->flow.hidden += flow_count_characters (text);
      else if (text && !sheet_cell (reader->sheet, column, text))
        return;
    }
    if (hidden)
      sheet_skip_row (reader->sheet);
    else
      sheet_end_row (reader->sheet);
  }
}

static void read_sheet (Reader *reader, const ContainerEntry *entry, const char *name, gboolean hidden)
{
  g_autoptr (GArray) hidden_columns = g_array_new (FALSE, FALSE, sizeof (Columns));
  g_autoptr (Xml) xml = xml_open (entry);
  if (!xml_root (xml))
    return;
  if (!hidden)
    sheet_begin (reader->sheet, name);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "cols")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        Columns columns
            = { xml_attribute_number (xml, "min", 1, MAX_COLUMNS), xml_attribute_number (xml, "max", 1, MAX_COLUMNS) };
        columns.first -= columns.first > 0;
        columns.last -= columns.last > 0;
        if (is_true (xml, "hidden") && hidden_columns->len < 64)
          g_array_append_val (hidden_columns, columns);
      }
    } else if (xml_is (xml, "sheetData")) {
      read_rows (reader, xml, hidden_columns, hidden);
    }
  }
  sheet_end (reader->sheet);
  if (!xml_is_sound (xml))
    emit_warning (reader->flow.writer, "The sheet “%.200s” is damaged; it was read up to the damage.", name);
}

static void read_workbook (Reader *reader, const Package *package, const GPtrArray *relations)
{
  g_autoptr (Xml) xml = xml_open (package_get (package, package->main_part));
  guint n_sheets = 0;
  if (!xml_root (xml))
    return;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "workbookPr"))
      reader->from_1904 = is_true (xml, "date1904");
    if (!xml_is (xml, "sheets"))
      continue;
    for (int inner = xml_depth (xml); xml_next_child (xml, inner) && n_sheets++ < MAX_SHEETS;) {
      const char *name = xml_attribute (xml, "name"), *state = xml_attribute (xml, "state");
      const Relation *relation = package_find_id (relations, xml_relation_id (xml));
      if (relation && strcmp (relation->type, "worksheet") == 0)
        read_sheet (reader, package_get (package, relation->target), name ? name : "",
                    state && strcmp (state, "visible") != 0);
    }
  }
}

int xlsx_sniff (const Document *document)
{
  const char *application = package_sniff (document);
  return application && strcmp (application, "spreadsheetml") == 0 ? 2 : 0;
}

Outcome xlsx_extract (const Document *document, Writer *writer)
{
  static const char *const folders[] = { "xl/", NULL };
  Outcome failure = { 0 };
  g_autoptr (Package) package = package_open (document, folders, writer, &failure);
  if (!package)
    return failure;
  g_autoptr (GPtrArray) relations = package_dup_relations (package, package->main_part);
  const Relation *strings = package_find_type (relations, "sharedStrings");
  const Relation *styles = package_find_type (relations, "styles");
  Reader reader = { 0 };
  flow_init (&reader.flow, writer);
  reader.sheet = sheet_new (&reader.flow);
  reader.strings = g_ptr_array_new_with_free_func (g_free);
  reader.codes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  reader.formats = g_array_new (FALSE, FALSE, sizeof (guint));
  package_emit_properties (package, writer);
  read_strings (&reader, strings ? package_get (package, strings->target) : NULL);
  read_styles (&reader, styles ? package_get (package, styles->target) : NULL);
  read_workbook (&reader, package, relations);
  flow_finish (&reader.flow, TRUE); /* the name of a sheet is no title */
  sheet_free (reader.sheet);
  g_ptr_array_unref (reader.strings);
  g_hash_table_unref (reader.codes);
  g_array_unref (reader.formats);
  return outcome_indexed ();
}
