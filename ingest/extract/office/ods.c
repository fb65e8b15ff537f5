#include "ingest/extract/office/odf-body.h"
#include "ingest/extract/office/sheet.h"

#include <string.h>

#define MAX_REPEATS 64u /* of a row or cell with text */
#define MAX_COLUMNS 16384u

static void read_row (OdfReader *reader, Sheet *sheet, Xml *xml)
{
  guint column = 0;
  const char *visibility = xml_attribute (xml, "visibility");
  gboolean hidden = visibility && strcmp (visibility, "visible") != 0;
  guint repeats = MIN (xml_attribute_number (xml, "number-rows-repeated", 1, G_MAXINT), MAX_REPEATS);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (guint));
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && column < MAX_COLUMNS;) {
    gboolean covered = xml_is (xml, "covered-table-cell");
    if (!covered && !xml_is (xml, "table-cell"))
      continue;
    guint n = xml_attribute_number (xml, "number-columns-repeated", 1, MAX_COLUMNS);
    g_autofree char *text = covered ? NULL : odf_dup_paragraphs (reader, xml);
    for (guint i = 0; text && text[0] && i < MIN (n, MAX_REPEATS); i++) {
      guint at = column + i;
      g_ptr_array_add (texts, g_strdup (text));
      g_array_append_val (columns, at);
    }
    column += n;
  }
  for (guint r = 0; r < (texts->len ? repeats : 1); r++) {
    for (guint i = 0; i < texts->len; i++)
      sheet_cell (sheet, g_array_index (columns, guint, i), g_ptr_array_index (texts, i));
    if (hidden)
      sheet_skip_row (sheet);
    else
      sheet_end_row (sheet);
  }
}

static void read_rows (OdfReader *reader, Sheet *sheet, Xml *xml)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && reader->flow.n_cells <= FLOW_MAX_CELLS;) {
    if (xml_is (xml, "table-row"))
      read_row (reader, sheet, xml);
    else if (xml_is (xml, "table-header-rows") || xml_is (xml, "table-rows") || xml_is (xml, "table-row-group"))
      read_rows (reader, sheet, xml);
    else if (xml_is (xml, "shapes"))
      odf_read_blocks (reader, xml);
  }
}

void odf_read_sheets (OdfReader *reader, Xml *xml)
{
  Sheet *sheet = sheet_new (&reader->flow);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (!xml_is (xml, "table"))
      continue;
    const char *name = xml_attribute (xml, "name");
    if (odf_styles_get (reader->styles, "table", xml_attribute (xml, "style-name")).hidden) {
      g_autofree char *content = xml_dup_content (xml);
      reader->flow.hidden += flow_count_characters (content);
      continue;
    }
    sheet_begin (sheet, name ? name : "");
    read_rows (reader, sheet, xml);
    sheet_end (sheet);
  }
  sheet_free (sheet);
}
