#include "ingest/extract/office/odf.h"

#include "ingest/extract/office/odf-body.h"

#include <string.h>

#define MAX_SLIDES 100000

/* ---- presentations --------------------------------------------------------------------------------------- */

static void read_slide_shapes (OdfReader *reader, Xml *xml, guint depth_left)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    const char *role = xml_attribute (xml, "class");
    if (xml_text (xml))
      continue;
    if (role
        && (strcmp (role, "header") == 0 || strcmp (role, "footer") == 0 || strcmp (role, "date-time") == 0
            || strcmp (role, "page-number") == 0)) {
      g_autofree char *content = xml_dup_content (xml);
      reader->flow.boilerplate += flow_count_characters (content);
    } else if (role && strcmp (role, "title") == 0) {
      g_autofree char *title = xml_dup_content_by (xml, "p");
      flow_block (&reader->flow, LECTERN_BLOCK_HEADING, 1, title);
    } else if (xml_is (xml, "notes")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        if (!xml_attribute_is (xml, "class", "notes") || xml_attribute_is (xml, "placeholder", "true"))
          continue;
        g_autofree char *text = xml_dup_content_by (xml, "p");
        g_autofree char *notes = g_strconcat ("Notes: ", text, NULL);
        if (text[0])
          flow_block (&reader->flow, LECTERN_BLOCK_PARAGRAPH, 0, notes);
      }
    } else if (xml_is (xml, "g") && depth_left > 0) {
      read_slide_shapes (reader, xml, depth_left - 1);
    } else if (!xml_attribute_is (xml, "placeholder", "true")) {
      odf_read_shape (reader, xml);
    }
  }
}

void odf_read_slides (OdfReader *reader, Xml *xml)
{
  int n = 0;
  for (int depth = xml_depth (xml); n < MAX_SLIDES && xml_next_child (xml, depth);) {
    if (!xml_is (xml, "page"))
      continue;
    n++;
    if (odf_styles_get (reader->styles, "drawing-page", xml_attribute (xml, "style-name")).hidden) {
      g_autofree char *content = xml_dup_content (xml);
      reader->flow.hidden += flow_count_characters (content);
      continue;
    }
    flow_begin_slide (&reader->flow, n);
    read_slide_shapes (reader, xml, 16);
    odf_end_code (reader);
    flow_end_slide (&reader->flow);
  }
  emit_page_count (reader->flow.writer, n);
}

/* ---- the document ---------------------------------------------------------------------------------------- */

static gboolean emit_metadata (const ContainerEntry *entry, Writer *writer)
{
  g_autoptr (Xml) xml = xml_open (entry);
  gboolean titled = FALSE;
  g_autofree char *author = NULL, *editor = NULL;
  if (!xml_root (xml))
    return FALSE;
  for (int outer = xml_depth (xml); xml_next_child (xml, outer);) {
    if (!xml_is (xml, "meta"))
      continue;
    for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
      gboolean is_title = xml_is (xml, "title"), is_date = xml_is (xml, "date"), is_language = xml_is (xml, "language");
      gboolean is_author = xml_is (xml, "initial-creator");
      if (!is_title && !is_date && !is_language && !is_author && !xml_is (xml, "creator"))
        continue;
      g_autofree char *content = xml_dup_content (xml);
      if (content[0] == '\0')
        continue;
      if (is_title && flow_title_is_good (content)) {
        emit_title (writer, content);
        titled = TRUE;
      } else if (is_date) {
        emit_date (writer, content);
      } else if (is_language) {
        emit_language (writer, content);
      } else if (!is_title) {
        char **field = is_author ? &author : &editor;
        g_free (*field);
        *field = g_steal_pointer (&content);
      }
    }
  }
  if (author || editor)
    emit_author (writer, author ? author : editor);
  return titled;
}

/* Whether the manifest says that the content is encrypted. */
static gboolean is_encrypted (const ContainerEntry *manifest)
{
  g_autoptr (Xml) xml = xml_open (manifest);
  if (!xml_root (xml))
    return FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    gboolean is_content = xml_attribute_is (xml, "full-path", "content.xml")
                          || xml_attribute_is (xml, "full-path", "encrypted-package");
    for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
      if (is_content && xml_is (xml, "encryption-data"))
        return TRUE;
  }
  return FALSE;
}

/* FALSE: it is damaged. */
static gboolean read_content (OdfReader *reader, const ContainerEntry *content)
{
  g_autoptr (Xml) xml = xml_open (content);
  if (xml_root (xml))
    for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
      if (xml_is (xml, "automatic-styles") || xml_is (xml, "styles"))
        odf_styles_read (reader->styles, xml);
      if (!xml_is (xml, "body"))
        continue;
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        if (xml_is (xml, "presentation"))
          odf_read_slides (reader, xml);
        else if (xml_is (xml, "spreadsheet"))
          reader->is_sheet = TRUE, odf_read_sheets (reader, xml);
        else
          odf_read_blocks (reader, xml);
      }
    }
  odf_end_code (reader);
  if (!xml_is_sound (xml))
    emit_warning (reader->flow.writer, "The document is damaged; it was read up to the damage.");
  if (content->cut)
    emit_warning (reader->flow.writer, "The document is too large when it is unpacked; its end is left out.");
  return xml_is_sound (xml);
}

Outcome odf_extract (const Document *document, Writer *writer)
{
  static const char *const parts[] = { "META-INF/manifest.xml", "meta.xml", "styles.xml", "content.xml", NULL };
  Outcome failure = { 0 };
  g_autoptr (Container) container
      = container_open (document->bytes, document->size, CONTAINER_ZIP, &container_default_limits, &failure);
  if (!container)
    return failure;
  gboolean whole = container_load_names (container, parts, &failure);
  const ContainerEntry *content = container_find (container, "content.xml");
  const ContainerEntry *manifest = container_find (container, "META-INF/manifest.xml");
  if (is_encrypted (manifest) || (content && content->encrypted)) {
    g_free (failure.reason);
    return outcome_failed (LECTERN_STATUS_ENCRYPTED, "It needs a password.");
  }
  if (!content || !content->loaded)
    return whole ? outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: its content is missing.") : failure;
  g_free (failure.reason);

  OdfReader reader = { .code = g_string_new (NULL), .styles = odf_styles_new () };
  flow_init (&reader.flow, writer);
  gboolean titled = emit_metadata (container_find (container, "meta.xml"), writer);
  g_autoptr (Xml) styles = xml_open (container_find (container, "styles.xml"));
  if (xml_root (styles))
    for (int depth = xml_depth (styles); xml_next_child (styles, depth);) {
      if (xml_is (styles, "styles")) {
        odf_styles_read (reader.styles, styles);
      } else if (xml_is (styles, "master-styles")) { /* with headers and footers */
        g_autofree char *text = xml_dup_content (styles);
        reader.flow.boilerplate += flow_count_characters (text);
      }
    }
  gboolean sound = read_content (&reader, content);
  flow_finish (&reader.flow, titled || reader.is_sheet); /* the name of a sheet is no title */
  odf_styles_free (reader.styles);
  g_string_free (reader.code, TRUE);
  g_free (reader.list_style);
  g_free (reader.ended_list_style);
  if (!sound && emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: its text cannot be read.");
  return outcome_indexed ();
}

/* ---- recognising ----------------------------------------------------------------------------------------- */

static int sniff (const Document *document, const char *type)
{
  static const char prefix[] = "application/vnd.oasis.opendocument.";
  g_autofree char *found = container_dup_mimetype (document->bytes, document->size);
  if (!found || !g_str_has_prefix (found, prefix))
    return 0;
  const char *kind = found + strlen (prefix);
  return g_str_has_prefix (kind, type) && (kind[strlen (type)] == '\0' || kind[strlen (type)] == '-') ? 2 : 0;
}

int odt_sniff (const Document *document)
{
  return sniff (document, "text");
}

int odp_sniff (const Document *document)
{
  return sniff (document, "presentation");
}

int ods_sniff (const Document *document)
{
  return sniff (document, "spreadsheet");
}
