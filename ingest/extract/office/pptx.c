#include "ingest/extract/office/pptx.h"

#include "ingest/extract/office/package.h"
#include "ingest/extract/office/xml.h"

#include <string.h>

#define MAX_SLIDES 100000

/* What a shape is on the slide: the type of its placeholder. */
typedef enum { SHAPE_PLAIN, SHAPE_TITLE, SHAPE_BODY, SHAPE_LEFT_OUT } ShapeRole;

static ShapeRole role_of (const char *type)
{
  static const char *const left_out[] = { "dt", "ftr", "hdr", "sldNum", "sldImg" };
  if (!type) /* a placeholder without a type is for content */
    return SHAPE_BODY;
  for (guint i = 0; i < G_N_ELEMENTS (left_out); i++)
    if (strcmp (type, left_out[i]) == 0)
      return SHAPE_LEFT_OUT;
  if (strcmp (type, "title") == 0 || strcmp (type, "ctrTitle") == 0)
    return SHAPE_TITLE;
  return strcmp (type, "body") == 0 || strcmp (type, "obj") == 0 ? SHAPE_BODY : SHAPE_PLAIN;
}

/* ---- text ------------------------------------------------------------------------------------------------ */

/* The runs of a paragraph; *level gets its nesting from 0, *bullet FALSE if it says that it has none. */
static char *dup_paragraph (Xml *xml, guint *level, gboolean *bullet)
{
  FlowText text = { g_string_new (NULL), FALSE };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "pPr")) {
      *level = xml_attribute_number (xml, "lvl", 0, 8);
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        if (xml_is (xml, "buNone"))
          *bullet = FALSE;
        else if (xml_is (xml, "buChar") || xml_is (xml, "buAutoNum"))
          *bullet = TRUE;
      }
    } else if (xml_is (xml, "br")) {
      text.space = TRUE;
    } else if (xml_is (xml, "r") || xml_is (xml, "fld")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_is (xml, "t"))
          for (int innermost = xml_depth (xml); xml_next_child (xml, innermost);)
            if (xml_text (xml))
              flow_text_append (&text, xml_text (xml));
    } else if (!xml_text (xml) && !xml_is (xml, "endParaRPr")) { /* formulas */
      g_autofree char *content = xml_dup_content (xml);
      flow_text_append (&text, content);
    }
  }
  return g_string_free (text.string, FALSE);
}

static void read_text_body (Flow *flow, Xml *xml, ShapeRole role)
{
  g_autoptr (GString) title = g_string_new (NULL);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (!xml_is (xml, "p"))
      continue;
    guint level = 0;
    gboolean bullet = role == SHAPE_BODY;
    g_autofree char *text = dup_paragraph (xml, &level, &bullet);
    if (role == SHAPE_LEFT_OUT)
      flow->boilerplate += flow_count_characters (text);
    else if (role == SHAPE_TITLE)
      g_string_append_printf (title, "%s%s", title->len && text[0] ? " " : "", text);
    else if (bullet || level > 0)
      flow_block (flow, LECTERN_BLOCK_LIST_ITEM, (int)level + 1, text);
    else
      flow_block (flow, LECTERN_BLOCK_PARAGRAPH, 0, text);
  }
  flow_block (flow, LECTERN_BLOCK_HEADING, 1, title->str);
}

static void read_table (Flow *flow, Xml *xml)
{
  flow_begin_table (flow, TRUE);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && flow->n_cells <= FLOW_MAX_CELLS;) {
    if (!xml_is (xml, "tr"))
      continue;
    flow_begin_row (flow, FALSE);
    for (int row = xml_depth (xml); xml_next_child (xml, row);) {
      if (!xml_is (xml, "tc"))
        continue;
      flow_begin_cell (flow, 1, xml_attribute_is (xml, "vMerge", "1") || xml_attribute_is (xml, "vMerge", "true"));
      for (int cell = xml_depth (xml); xml_next_child (xml, cell);)
        if (xml_is (xml, "txBody"))
          read_text_body (flow, xml, SHAPE_PLAIN);
    }
  }
  flow_end_table (flow);
}

/* ---- shapes ---------------------------------------------------------------------------------------------- */

static void read_shapes (Flow *flow, Xml *xml, gboolean notes);

/* The properties that name a shape: *role by its placeholder, and what a picture shows. */
static void read_shape_properties (Flow *flow, Xml *xml, ShapeRole *role, gboolean *hidden)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "cNvPr")) {
      const char *described = xml_attribute (xml, "descr");
      *hidden = xml_attribute_is (xml, "hidden", "1") || xml_attribute_is (xml, "hidden", "true");
      if (described && strchr (described, ' ') && !strstr (described, "utomatically generated") && !*hidden) {
        FlowText text = { g_string_new (NULL), FALSE };
        flow_text_append (&text, described);
        flow_block (flow, LECTERN_BLOCK_CAPTION, 0, text.string->str);
        g_string_free (text.string, TRUE);
      }
    } else if (xml_is (xml, "nvPr")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_is (xml, "ph"))
          *role = role_of (xml_attribute (xml, "type"));
    }
  }
}

static void read_shape (Flow *flow, Xml *xml, gboolean notes)
{
  ShapeRole role = SHAPE_PLAIN;
  gboolean hidden = FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (g_str_has_prefix (xml_name (xml), "nv")) {
      read_shape_properties (flow, xml, &role, &hidden);
    } else if (xml_is (xml, "txBody")) {
      if (hidden) {
        g_autofree char *content = xml_dup_content (xml);
        flow->hidden += flow_count_characters (content);
      } else if (!notes) {
        read_text_body (flow, xml, role);
      } else if (role == SHAPE_BODY) {
        g_autofree char *content = xml_dup_content_by (xml, "p");
        g_autofree char *line = g_strconcat ("Notes: ", content, NULL);
        if (content[0])
          flow_block (flow, LECTERN_BLOCK_PARAGRAPH, 0, line);
      }
    }
  }
}

static void read_shapes (Flow *flow, Xml *xml, gboolean notes)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "sp") || xml_is (xml, "pic") || xml_is (xml, "cxnSp")) {
      read_shape (flow, xml, notes);
    } else if (xml_is (xml, "tbl")) {
      read_table (flow, xml);
    } else if (xml_is (xml, "AlternateContent")) {
      gboolean chosen = FALSE;
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (!chosen && !xml_text (xml)) {
          chosen = TRUE;
          read_shapes (flow, xml, notes);
        }
    } else if (!xml_text (xml)) {
      read_shapes (flow, xml, notes);
    }
  }
}

/* ---- slides ---------------------------------------------------------------------------------------------- */

/* The texts of a diagram, which stands in a part of its own. */
static void read_diagram (Flow *flow, const ContainerEntry *entry)
{
  g_autoptr (Xml) xml = xml_open (entry);
  if (!xml_root (xml))
    return;
  for (int a = xml_depth (xml); xml_next_child (xml, a);)
    if (xml_is (xml, "ptLst"))
      for (int b = xml_depth (xml); xml_next_child (xml, b);)
        for (int c = xml_depth (xml); xml_next_child (xml, c);)
          if (xml_is (xml, "t"))
            read_text_body (flow, xml, SHAPE_BODY);
}

static void read_slide (Flow *flow, const Package *package, const char *part, int number)
{
  g_autoptr (Xml) xml = xml_open (package_get (package, part));
  if (!xml_root (xml))
    return;
  if (xml_attribute_is (xml, "show", "0") || xml_attribute_is (xml, "show", "false")) {
    g_autofree char *content = xml_dup_content (xml);
    flow->hidden += flow_count_characters (content);
    return;
  }
  flow_begin_slide (flow, number);
  read_shapes (flow, xml, FALSE);
  g_autoptr (GPtrArray) relations = package_dup_relations (package, part);
  for (guint i = 0; i < relations->len; i++) {
    const Relation *relation = g_ptr_array_index (relations, i);
    if (strcmp (relation->type, "diagramData") == 0)
      read_diagram (flow, package_get (package, relation->target));
  }
  const Relation *notes = package_find_type (relations, "notesSlide");
  g_autoptr (Xml) notes_xml = xml_open (notes ? package_get (package, notes->target) : NULL);
  if (xml_root (notes_xml))
    read_shapes (flow, notes_xml, TRUE);
  flow_end_slide (flow);
  if (!xml_is_sound (xml))
    emit_warning (flow->writer, "Slide %d is damaged; it was read up to the damage.", number);
}

int pptx_sniff (const Document *document)
{
  const char *application = package_sniff (document);
  return application && strcmp (application, "presentationml") == 0 ? 2 : 0;
}

Outcome pptx_extract (const Document *document, Writer *writer)
{
  static const char *const folders[] = { "ppt/", NULL };
  Outcome failure = { 0 };
  g_autoptr (Package) package = package_open (document, folders, writer, &failure);
  if (!package)
    return failure;
  g_autoptr (GPtrArray) relations = package_dup_relations (package, package->main_part);
  g_autoptr (Xml) xml = xml_open (package_get (package, package->main_part));
  gboolean titled = package_emit_properties (package, writer);
  Flow flow;
  int n = 0;
  flow_init (&flow, writer);
  if (xml_root (xml))
    for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
      if (!xml_is (xml, "sldIdLst"))
        continue;
      for (int inner = xml_depth (xml); n < MAX_SLIDES && xml_next_child (xml, inner);) {
        if (!xml_is (xml, "sldId"))
          continue;
        const Relation *relation = package_find_id (relations, xml_relation_id (xml));
        n++;
        if (relation)
          read_slide (&flow, package, relation->target, n);
      }
    }
  emit_page_count (writer, n);
  flow_finish (&flow, titled);
  return outcome_indexed ();
}
