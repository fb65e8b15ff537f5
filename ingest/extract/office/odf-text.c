#include "ingest/extract/office/odf-body.h"

#include <string.h>

typedef struct {
  FlowText text;
  OdfRole role;
  gsize hidden; /* characters of it that nobody sees */
} Paragraph;

static gboolean is_one_of (const Xml *xml, const char *const *names)
{
  const char *name = xml_name (xml);
  for (; *names; names++)
    if (strcmp (name, *names) == 0)
      return TRUE;
  return FALSE;
}

static gsize count_content (Xml *xml)
{
  g_autofree char *content = xml_dup_content (xml);
  return flow_count_characters (content);
}

/* ---- in a paragraph -------------------------------------------------------------------------------------- */

static void add_text (Paragraph *paragraph, const char *text, gboolean hidden)
{
  if (hidden)
    paragraph->hidden += flow_count_characters (text);
  else if (paragraph->role == ODF_CODE)
    g_string_append (paragraph->text.string, text);
  else
    flow_text_append (&paragraph->text, text);
}

static void read_inline (OdfReader *reader, Xml *xml, Paragraph *paragraph, gboolean hidden);
static void read_paragraph (OdfReader *reader, Xml *xml);
static void read_list (OdfReader *reader, Xml *xml);
static void read_table (OdfReader *reader, Xml *xml);

char *odf_dup_paragraphs (OdfReader *reader, Xml *xml)
{
  Paragraph all = { .text = { g_string_new (NULL), FALSE } };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    static const char *const left_out[] = { "creator", "date", "date-string", "annotation", "shapes", NULL };
    if (xml_text (xml) || is_one_of (xml, left_out))
      continue;
    all.text.space = TRUE;
    read_inline (reader, xml, &all, FALSE);
  }
  return g_string_free (all.text.string, FALSE);
}

static void read_note (OdfReader *reader, Xml *xml, Paragraph *paragraph)
{
  g_autofree char *mark = NULL;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "note-citation")) {
      g_free (mark);
      mark = xml_dup_content (xml);
    } else if (xml_is (xml, "note-body")) {
      g_autofree char *text = odf_dup_paragraphs (reader, xml);
      g_autofree char *label = g_strdup_printf ("[%s]", mark ? mark : "*");
      g_autofree char *note = g_strconcat (label, " ", text, NULL);
      if (text[0] == '\0')
        continue;
      paragraph->text.space = TRUE;
      add_text (paragraph, label, FALSE);
      flow_block (&reader->flow, LECTERN_BLOCK_PARAGRAPH, 0, note);
    }
  }
}

static void read_annotation (OdfReader *reader, Xml *xml)
{
  g_autoptr (GString) line = g_string_new ("Comment: ");
  FlowText text = { line, FALSE };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "creator")) {
      g_autofree char *author = xml_dup_content (xml);
      flow_text_append (&text, author);
      flow_text_append (&text, ": ");
    } else if (xml_is (xml, "p") || xml_is (xml, "list")) {
      g_autofree char *content = xml_dup_content (xml);
      flow_text_append (&text, content);
      text.space = TRUE;
    }
  }
  flow_block (&reader->flow, LECTERN_BLOCK_PARAGRAPH, 0, line->str);
}

void odf_read_shape (OdfReader *reader, Xml *xml)
{
  static const char *const descriptions[] = { "desc", "title", NULL };
  g_autofree char *described = NULL;
  guint outer_depth = reader->list_depth;
  reader->list_depth = 0;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (is_one_of (xml, descriptions)) {
      gboolean longer = xml_is (xml, "desc");
      g_autofree char *content = xml_dup_content (xml);
      if (!described || longer) {
        g_free (described);
        described = g_steal_pointer (&content);
      }
    } else if (xml_is (xml, "text-box")) {
      odf_read_blocks (reader, xml);
    } else if (xml_is (xml, "table")) {
      read_table (reader, xml);
    } else if (xml_is (xml, "p") || xml_is (xml, "h")) {
      read_paragraph (reader, xml);
    } else if (xml_is (xml, "list")) {
      read_list (reader, xml);
    }
  }
  reader->list_depth = outer_depth;
  if (described && strchr (described, ' '))
    flow_block (&reader->flow, LECTERN_BLOCK_CAPTION, 0, described);
}

static void read_inline (OdfReader *reader, Xml *xml, Paragraph *paragraph, gboolean hidden)
{
  static const char *const left_out[]
      = { "ruby-text", "tracked-changes", "script", "annotation-end", "event-listeners", "glue-point", NULL };
  static const char *const shapes[] = { "custom-shape", "rect", "ellipse", "line", "connector", "path", NULL };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_text (xml)) {
      add_text (paragraph, xml_text (xml), hidden);
    } else if (xml_is (xml, "s")) {
      guint n = xml_attribute_number (xml, "c", 1, 200);
      for (guint i = 0; i < n; i++)
        add_text (paragraph, " ", hidden);
    } else if (xml_is (xml, "tab")) {
      add_text (paragraph, "\t", hidden);
    } else if (xml_is (xml, "line-break")) {
      add_text (paragraph, paragraph->role == ODF_CODE ? "\n" : " ", hidden);
    } else if (xml_is (xml, "note")) {
      read_note (reader, xml, paragraph);
    } else if (xml_is (xml, "annotation")) {
      read_annotation (reader, xml);
    } else if (xml_is (xml, "frame")) {
      odf_read_shape (reader, xml);
    } else if (xml_is (xml, "g")) {
      odf_read_blocks (reader, xml);
    } else if (is_one_of (xml, shapes)) {
      odf_read_shape (reader, xml);
    } else if (xml_is (xml, "span")) {
      OdfStyle style = odf_styles_get (reader->styles, "text", xml_attribute (xml, "style-name"));
      read_inline (reader, xml, paragraph, hidden || style.hidden);
    } else if (xml_is (xml, "hidden-text") && xml_attribute_is (xml, "is-hidden", "true")) {
      const char *value = xml_attribute (xml, "string-value");
      paragraph->hidden += value ? flow_count_characters (value) : 0;
    } else if (xml_is (xml, "hidden-paragraph") && xml_attribute_is (xml, "is-hidden", "true")) {
      hidden = TRUE;
    } else if (!is_one_of (xml, left_out)) {
      read_inline (reader, xml, paragraph, hidden);
    }
  }
}

/* ---- blocks ---------------------------------------------------------------------------------------------- */

void odf_end_code (OdfReader *reader)
{
  if (reader->code->len == 0)
    return;
  g_strchomp (reader->code->str);
  flow_block (&reader->flow, LECTERN_BLOCK_CODE, 0, reader->code->str);
  g_string_truncate (reader->code, 0);
}

/* Counts a heading and returns its text with its number. */
static char *dup_numbered_heading (OdfReader *reader, guint level, const char *text)
{
  GString *label = g_string_new (NULL);
  guint at = MIN (level, ODF_N_LEVELS) - 1;
  reader->headings[at]++;
  for (guint i = at + 1; i < ODF_N_LEVELS; i++)
    reader->headings[i] = 0;
  odf_styles_append_label (reader->styles, ODF_HEADINGS, at, reader->headings, label);
  if (label->len > 0)
    g_string_append_c (label, ' ');
  g_string_append (label, text);
  return g_string_free (label, FALSE);
}

static char *dup_list_item (OdfReader *reader, const char *text)
{
  GString *label = g_string_new (NULL);
  if (reader->item_begins)
    odf_styles_append_label (reader->styles, reader->list_style, reader->list_depth - 1, reader->numbers, label);
  reader->item_begins = FALSE;
  if (label->len > 0 && !g_str_has_suffix (label->str, " "))
    g_string_append_c (label, ' ');
  g_string_append (label, text);
  return g_string_free (label, FALSE);
}

static void read_paragraph (OdfReader *reader, Xml *xml)
{
  Flow *flow = &reader->flow;
  gboolean is_heading = xml_is (xml, "h") && !xml_attribute_is (xml, "is-list-header", "true");
  OdfStyle style = odf_styles_get (reader->styles, "paragraph", xml_attribute (xml, "style-name"));
  guint level = is_heading ? xml_attribute_number (xml, "outline-level", 1, 10) : style.outline_level;
  Paragraph paragraph = { .text = { g_string_new (NULL), FALSE }, .role = level ? ODF_BODY : style.role };
  flow_hold (flow);
  read_inline (reader, xml, &paragraph, style.hidden);
  flow_release (flow);
  const char *text = paragraph.text.string->str;
  flow->hidden += paragraph.hidden;
  if (paragraph.role != ODF_CODE)
    odf_end_code (reader);
  if (paragraph.role == ODF_CODE) {
    g_string_append (reader->code, text);
    g_string_append_c (reader->code, '\n');
    if (flow->hold > 0 || flow->tables->len > 0)
      odf_end_code (reader);
  } else if (text[0] == '\0') {
    flow_block (flow, LECTERN_BLOCK_PARAGRAPH, 0, "");
  } else if (level > 0) {
    g_autofree char *numbered = dup_numbered_heading (reader, level, text);
    flow_block (flow, LECTERN_BLOCK_HEADING, (int)MIN (level, 6), numbered);
  } else if (paragraph.role == ODF_TITLE) {
    flow_block (flow, LECTERN_BLOCK_HEADING, 1, text);
  } else if (paragraph.role == ODF_CAPTION) {
    flow_block (flow, LECTERN_BLOCK_CAPTION, 0, text);
  } else if (reader->list_depth > 0) {
    g_autofree char *item = dup_list_item (reader, text);
    flow_block (flow, LECTERN_BLOCK_LIST_ITEM, (int)reader->list_depth, item);
  } else {
    flow_block (flow, LECTERN_BLOCK_PARAGRAPH, 0, text);
  }
  g_string_free (paragraph.text.string, TRUE);
}

static void read_list (OdfReader *reader, Xml *xml)
{
  g_autofree char *outer_style = reader->list_style;
  const char *own = xml_attribute (xml, "style-name");
  gboolean continues = xml_attribute_is (xml, "continue-numbering", "true") || xml_attribute (xml, "continue-list");
  reader->list_style = g_strdup (own ? own : outer_style);
  guint level = reader->list_depth++;
  if (level < ODF_N_LEVELS)
    reader->numbers[level] = 0;
  if (level == 0 && continues && g_strcmp0 (reader->list_style, reader->ended_list_style) == 0)
    memcpy (reader->numbers, reader->ended_numbers, sizeof reader->numbers);
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "list-item")) {
      if (level < ODF_N_LEVELS)
        reader->numbers[level] = xml_attribute_number (xml, "start-value", reader->numbers[level] + 1, 1u << 30);
      reader->item_begins = TRUE;
      odf_read_blocks (reader, xml);
      reader->item_begins = FALSE;
    } else if (xml_is (xml, "list-header")) {
      odf_read_blocks (reader, xml);
    }
  }
  reader->list_depth--;
  if (level == 0) {
    g_free (reader->ended_list_style);
    reader->ended_list_style = g_strdup (reader->list_style);
    memcpy (reader->ended_numbers, reader->numbers, sizeof reader->numbers);
  }
  g_free (reader->list_style);
  reader->list_style = g_steal_pointer (&outer_style);
}

static void read_rows (OdfReader *reader, Xml *xml, gboolean header)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && reader->flow.n_cells <= FLOW_MAX_CELLS;) {
    if (xml_is (xml, "table-header-rows")) {
      read_rows (reader, xml, TRUE);
    } else if (xml_is (xml, "table-rows") || xml_is (xml, "table-row-group")) {
      read_rows (reader, xml, header);
    } else if (xml_is (xml, "table-row")) {
      flow_begin_row (&reader->flow, header);
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        gboolean covered = xml_is (xml, "covered-table-cell");
        if (!covered && !xml_is (xml, "table-cell"))
          continue;
        flow_begin_cell (&reader->flow, xml_attribute_number (xml, "number-columns-repeated", 1, FLOW_MAX_COLUMNS),
                         FALSE);
        if (!covered)
          odf_read_blocks (reader, xml);
        odf_end_code (reader);
      }
    }
  }
}

static void read_table (OdfReader *reader, Xml *xml)
{
  guint outer_depth = reader->list_depth;
  reader->list_depth = 0;
  odf_end_code (reader);
  flow_begin_table (&reader->flow, TRUE);
  read_rows (reader, xml, FALSE);
  flow_end_table (&reader->flow);
  reader->list_depth = outer_depth;
}

void odf_read_blocks (OdfReader *reader, Xml *xml)
{
  static const char *const left_out[] = { "tracked-changes",
                                          "forms",
                                          "sequence-decls",
                                          "variable-decls",
                                          "user-field-decls",
                                          "dde-connection-decls",
                                          "event-listeners",
                                          "soft-page-break",
                                          NULL };
  static const char *const contents[] = { "table-of-content", "illustration-index", "table-index", "object-index",
                                          "user-index",       "alphabetical-index", NULL };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_text (xml) || is_one_of (xml, left_out))
      continue;
    if (xml_is (xml, "p") || xml_is (xml, "h"))
      read_paragraph (reader, xml);
    else if (xml_is (xml, "list"))
      read_list (reader, xml);
    else if (xml_is (xml, "table"))
      read_table (reader, xml);
    else if (xml_is (xml, "frame"))
      odf_read_shape (reader, xml);
    else if (xml_is (xml, "annotation"))
      read_annotation (reader, xml);
    else if (is_one_of (xml, contents))
      reader->flow.boilerplate += count_content (xml);
    else if (xml_is (xml, "section") && xml_attribute_is (xml, "display", "none"))
      reader->flow.hidden += count_content (xml);
    else
      odf_read_blocks (reader, xml);
  }
}
