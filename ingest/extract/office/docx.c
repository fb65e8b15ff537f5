#include "ingest/extract/office/docx.h"

#include "ingest/extract/office/docx-styles.h"
#include "ingest/extract/office/package.h"

#include <string.h>

#define MAX_NOTES 200000u

/* Footnotes, endnotes and comments, by id, as they are put into the text. */
typedef struct {
  GHashTable *texts; /* owned strings */
  const char *label; /* before the text of a comment; NULL: a note, which has a number */
  guint n;           /* notes so far */
} Notes;

typedef struct {
  Flow flow;
  DocxStyles *styles;
  DocxLists *lists;
  Notes footnotes, endnotes, comments;
  GString *code; /* lines of a code block that has not ended; empty: none */
  gboolean in_notes;
} Reader;

/* A paragraph in work. */
typedef struct {
  FlowText text;
  DocxProperties properties;
  DocxRole role;
  gsize hidden; /* characters of it that nobody sees */
} Paragraph;

static void read_blocks (Reader *reader, Xml *xml);

/* ---- runs ------------------------------------------------------------------------------------------------ */

/* A run's own properties. TRUE: it is hidden. */
static gboolean read_run_properties (const Reader *reader, Xml *xml, gboolean hidden)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "vanish")) {
      hidden = xml_is_on (xml);
    } else if (xml_is (xml, "rStyle")) {
      const char *style = xml_attribute (xml, "val");
      DocxProperties properties = style ? docx_styles_get (reader->styles, style, NULL) : DOCX_NO_PROPERTIES;
      if (properties.hidden >= 0)
        hidden = properties.hidden;
    }
  }
  return hidden;
}

static void add_text (Paragraph *paragraph, const char *text, gboolean hidden)
{
  if (hidden)
    paragraph->hidden += flow_count_characters (text);
  else if (paragraph->role == DOCX_CODE)
    g_string_append (paragraph->text.string, text);
  else
    flow_text_append (&paragraph->text, text);
}

/* The mark in the text, and the note behind the paragraph. */
static void refer_to (Reader *reader, Paragraph *paragraph, Notes *notes, const char *id)
{
  const char *text = id && notes->texts ? g_hash_table_lookup (notes->texts, id) : NULL;
  if (!text || reader->in_notes)
    return;
  g_autoptr (GString) note = g_string_new (notes->label);
  if (!notes->label) {
    g_string_printf (note, "[%u] ", ++reader->footnotes.n);
    paragraph->text.space = TRUE;
    g_autofree char *mark = g_strdup_printf ("[%u]", reader->footnotes.n);
    add_text (paragraph, mark, FALSE);
  }
  g_string_append (note, text);
  flow_block (&reader->flow, LECTERN_BLOCK_PARAGRAPH, 0, note->str);
  g_hash_table_remove (notes->texts, id); /* a second reference to it gives no second copy */
}

static void read_inline (Reader *reader, Xml *xml, Paragraph *paragraph, gboolean hidden);

/* Alternatives of the same content: the first one that is given. */
static void read_alternatives (Reader *reader, Xml *xml, Paragraph *paragraph, gboolean hidden)
{
  gboolean chosen = FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (chosen || xml_text (xml))
      continue;
    chosen = TRUE;
    if (paragraph)
      read_inline (reader, xml, paragraph, hidden);
    else
      read_blocks (reader, xml);
  }
}

/* What the picture shows, as its author wrote for those who cannot see it. */
static void read_picture (Reader *reader, const Xml *xml)
{
  const char *described = xml_attribute (xml, "descr");
  if (!described || !strchr (described, ' ') || strstr (described, "utomatically generated"))
    return;
  FlowText text = { g_string_new (NULL), FALSE };
  flow_text_append (&text, described);
  flow_block (&reader->flow, LECTERN_BLOCK_CAPTION, 0, text.string->str);
  g_string_free (text.string, TRUE);
}

/* The children of a run, a link, a field, a drawing, …: whatever stands in a paragraph. */
static void read_inline (Reader *reader, Xml *xml, Paragraph *paragraph, gboolean hidden)
{
  static const char *const left_out[]
      = { "instrText", "delText", "delInstrText", "del",      "moveFrom", "rt",         "pPr",
          "sdtPr",     "fldData", "ffData",       "sdtEndPr", "ctrlPr",   "fldSimplePr" };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    const char *name = xml_name (xml);
    if (name[0] == '\0')
      continue;
    gboolean skip = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS (left_out) && !skip; i++)
      skip = strcmp (name, left_out[i]) == 0;
    if (skip)
      continue;
    if (strcmp (name, "t") == 0) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);)
        if (xml_text (xml))
          add_text (paragraph, xml_text (xml), hidden);
    } else if (strcmp (name, "rPr") == 0) {
      hidden = read_run_properties (reader, xml, hidden);
    } else if (strcmp (name, "r") == 0) {
      read_inline (reader, xml, paragraph, paragraph->properties.hidden > 0);
    } else if (strcmp (name, "tab") == 0 || strcmp (name, "ptab") == 0) {
      add_text (paragraph, "\t", hidden);
    } else if (strcmp (name, "br") == 0 || strcmp (name, "cr") == 0) {
      add_text (paragraph, paragraph->role == DOCX_CODE ? "\n" : " ", hidden);
    } else if (strcmp (name, "noBreakHyphen") == 0) {
      add_text (paragraph, "-", hidden);
    } else if (strcmp (name, "footnoteReference") == 0) {
      refer_to (reader, paragraph, &reader->footnotes, xml_attribute (xml, "id"));
    } else if (strcmp (name, "endnoteReference") == 0) {
      refer_to (reader, paragraph, &reader->endnotes, xml_attribute (xml, "id"));
    } else if (strcmp (name, "commentReference") == 0) {
      refer_to (reader, paragraph, &reader->comments, xml_attribute (xml, "id"));
    } else if (strcmp (name, "docPr") == 0) {
      read_picture (reader, xml);
    } else if (strcmp (name, "AlternateContent") == 0) {
      read_alternatives (reader, xml, paragraph, hidden);
    } else if (strcmp (name, "txbxContent") == 0) {
      read_blocks (reader, xml);
    } else if (strcmp (name, "den") == 0 || strcmp (name, "sup") == 0 || strcmp (name, "sub") == 0) {
      /* of formulas, in one line */
      add_text (paragraph, name[0] == 'd' ? "/" : name[2] == 'p' ? "^" : "_", hidden);
      read_inline (reader, xml, paragraph, hidden);
    } else {
      read_inline (reader, xml, paragraph, hidden);
    }
  }
}

/* ---- paragraphs ------------------------------------------------------------------------------------------ */

static void end_code (Reader *reader)
{
  if (reader->code->len == 0)
    return;
  g_strchomp (reader->code->str);
  flow_block (&reader->flow, LECTERN_BLOCK_CODE, 0, reader->code->str);
  g_string_truncate (reader->code, 0);
}

static void read_paragraph_properties (Reader *reader, Xml *xml, Paragraph *paragraph)
{
  DocxProperties own = DOCX_NO_PROPERTIES;
  g_autofree char *style = NULL;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "pStyle")) {
      g_free (style);
      style = g_strdup (xml_attribute (xml, "val"));
    } else if (xml_is (xml, "outlineLvl")) {
      own.outline_level = (int)xml_attribute_number (xml, "val", 9, 9);
    } else if (xml_is (xml, "numPr")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        if (xml_is (xml, "numId"))
          own.list = (int)xml_attribute_number (xml, "val", 0, 1u << 30);
        else if (xml_is (xml, "ilvl"))
          own.list_level = (int)xml_attribute_number (xml, "val", 0, 8);
      }
    }
  }
  DocxProperties all = docx_styles_get (reader->styles, style, &paragraph->role);
  all.outline_level = own.outline_level >= 0 ? own.outline_level : all.outline_level;
  all.list = own.list >= 0 ? own.list : all.list;
  all.list_level = own.list_level >= 0 ? own.list_level : all.list_level;
  paragraph->properties = all;
}

static void end_paragraph (Reader *reader, Paragraph *paragraph)
{
  Flow *flow = &reader->flow;
  const DocxProperties *properties = &paragraph->properties;
  const char *text = paragraph->text.string->str;
  flow->hidden += paragraph->hidden;
  if (paragraph->role == DOCX_CODE && properties->outline_level < 0) {
    g_string_append (reader->code, text);
    g_string_append_c (reader->code, '\n');
    if (flow->hold > 0 || flow->tables->len > 0)
      end_code (reader);
    return;
  }
  end_code (reader);
  if (paragraph->role == DOCX_CONTENTS) {
    flow->boilerplate += flow_count_characters (text);
    return;
  }
  if (text[0] == '\0') {
    flow_block (flow, LECTERN_BLOCK_PARAGRAPH, 0, "");
    return;
  }
  g_autofree char *label = NULL;
  if (properties->list > 0)
    label = docx_lists_next (reader->lists, properties->list, MAX (properties->list_level, 0));
  g_autofree char *labelled = label && label[0] ? g_strdup_printf ("%s %s", label, text) : g_strdup (text);
  if (paragraph->role == DOCX_TITLE)
    flow_block (flow, LECTERN_BLOCK_HEADING, 1, text);
  else if (properties->outline_level >= 0 && properties->outline_level < 9)
    flow_block (flow, LECTERN_BLOCK_HEADING, MIN (properties->outline_level + 1, 6), labelled);
  else if (paragraph->role == DOCX_CAPTION)
    flow_block (flow, LECTERN_BLOCK_CAPTION, 0, labelled);
  else if (label)
    flow_block (flow, LECTERN_BLOCK_LIST_ITEM, MAX (properties->list_level, 0) + 1, labelled);
  else
    flow_block (flow, LECTERN_BLOCK_PARAGRAPH, 0, text);
}

static void read_paragraph (Reader *reader, Xml *xml)
{
  Paragraph paragraph = { .text = { g_string_new (NULL), FALSE } };
  paragraph.properties = docx_styles_get (reader->styles, NULL, &paragraph.role);
  flow_hold (&reader->flow);
  /* Properties come first; read_inline() passes over them. */
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "pPr")) {
      read_paragraph_properties (reader, xml, &paragraph);
    } else if (xml_is (xml, "r")) {
      read_inline (reader, xml, &paragraph, paragraph.properties.hidden > 0);
    } else if (!xml_text (xml) && !xml_is (xml, "del") && !xml_is (xml, "moveFrom")) {
      if (xml_is (xml, "AlternateContent"))
        read_alternatives (reader, xml, &paragraph, FALSE);
      else
        read_inline (reader, xml, &paragraph, paragraph.properties.hidden > 0);
    }
  }
  flow_release (&reader->flow);
  end_paragraph (reader, &paragraph);
  g_string_free (paragraph.text.string, TRUE);
}

/* ---- tables ---------------------------------------------------------------------------------------------- */

static void read_cell (Reader *reader, Xml *xml)
{
  guint n_columns = 1;
  gboolean repeats = FALSE, begun = FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "tcPr")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        if (xml_is (xml, "gridSpan"))
          n_columns = xml_attribute_number (xml, "val", 1, FLOW_MAX_COLUMNS);
        else if (xml_is (xml, "vMerge"))
          repeats = !xml_attribute_is (xml, "val", "restart");
      }
      continue;
    }
    if (!begun)
      flow_begin_cell (&reader->flow, n_columns, repeats);
    begun = TRUE;
    if (xml_is (xml, "p"))
      read_paragraph (reader, xml);
    else if (!xml_text (xml))
      read_blocks (reader, xml);
  }
  if (!begun)
    flow_begin_cell (&reader->flow, n_columns, repeats);
  end_code (reader);
}

static void read_row (Reader *reader, Xml *xml)
{
  gboolean begun = FALSE, header = FALSE, deleted = FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "trPr")) {
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        header |= xml_is (xml, "tblHeader") && xml_is_on (xml);
        deleted |= xml_is (xml, "del");
      }
      continue;
    }
    if (deleted || xml_text (xml))
      continue;
    if (!begun)
      flow_begin_row (&reader->flow, header);
    begun = TRUE;
    if (xml_is (xml, "tc"))
      read_cell (reader, xml);
    else if (xml_is (xml, "sdt")) /* a cell in a content control */
      for (int a = xml_depth (xml); xml_next_child (xml, a);)
        if (xml_is (xml, "sdtContent"))
          for (int b = xml_depth (xml); xml_next_child (xml, b);)
            if (xml_is (xml, "tc"))
              read_cell (reader, xml);
  }
}

/* The rows of a table, or of a part of one in a content control or a tracked change. */
static void read_rows (Reader *reader, Xml *xml, guint depth_left)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "tr"))
      read_row (reader, xml);
    else if (depth_left > 0 && (xml_is (xml, "sdt") || xml_is (xml, "sdtContent") || xml_is (xml, "customXml")))
      read_rows (reader, xml, depth_left - 1);
    if (reader->flow.n_cells > FLOW_MAX_CELLS)
      return;
  }
}

static void read_table (Reader *reader, Xml *xml)
{
  end_code (reader);
  flow_begin_table (&reader->flow, TRUE);
  read_rows (reader, xml, 6);
  flow_end_table (&reader->flow);
}

static void read_blocks (Reader *reader, Xml *xml)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "p"))
      read_paragraph (reader, xml);
    else if (xml_is (xml, "tbl"))
      read_table (reader, xml);
    else if (xml_is (xml, "AlternateContent"))
      read_alternatives (reader, xml, NULL, FALSE);
    else if (!xml_text (xml) && !xml_is (xml, "sectPr") && !xml_is (xml, "sdtPr") && !xml_is (xml, "del")
             && !xml_is (xml, "moveFrom") && !xml_is (xml, "pPr"))
      read_blocks (reader, xml);
  }
}

/* ---- notes, headers and footers -------------------------------------------------------------------------- */

/* The text of a note: its paragraphs in one. */
static char *read_note (Reader *reader, Xml *xml)
{
  FlowText text = { g_string_new (NULL), FALSE };
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_text (xml))
      continue;
    Paragraph paragraph = { .text = { g_string_new (NULL), FALSE }, .properties = DOCX_NO_PROPERTIES };
    read_inline (reader, xml, &paragraph, FALSE);
    text.space = TRUE;
    flow_text_append (&text, paragraph.text.string->str);
    g_string_free (paragraph.text.string, TRUE);
  }
  return g_string_free (text.string, FALSE);
}

static void read_notes (Reader *reader, const Package *package, const GPtrArray *relations, const char *type,
                        Notes *notes)
{
  const Relation *relation = package_find_type (relations, type);
  gboolean comments = strcmp (type, "comments") == 0;
  notes->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  notes->label = comments ? "Comment: " : NULL;
  g_autoptr (Xml) xml = xml_open (relation ? package_get (package, relation->target) : NULL);
  if (!xml_root (xml))
    return;
  reader->in_notes = TRUE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    const char *id = xml_attribute (xml, "id"), *kind = xml_attribute (xml, "type");
    if (!id || g_hash_table_size (notes->texts) >= MAX_NOTES || (kind && strcmp (kind, "normal") != 0))
      continue; /* the lines between text and notes */
    char *key = g_strdup (id);
    g_autofree char *author = comments ? g_strdup (xml_attribute (xml, "author")) : NULL;
    g_autofree char *text = read_note (reader, xml);
    if (author && author[0] && text[0])
      g_hash_table_replace (notes->texts, key, g_strdup_printf ("%s: %s", author, text));
    else if (text[0])
      g_hash_table_replace (notes->texts, key, g_steal_pointer (&text));
    else
      g_free (key);
  }
  reader->in_notes = FALSE;
}

static void count_headers_and_footers (Reader *reader, const Package *package, const GPtrArray *relations)
{
  for (guint i = 0; i < relations->len; i++) {
    const Relation *relation = g_ptr_array_index (relations, i);
    if (strcmp (relation->type, "header") != 0 && strcmp (relation->type, "footer") != 0)
      continue;
    g_autoptr (Xml) xml = xml_open (package_get (package, relation->target));
    if (!xml_root (xml))
      continue;
    g_autofree char *text = xml_dup_content (xml);
    reader->flow.boilerplate += flow_count_characters (text);
  }
}

/* ---- the document ---------------------------------------------------------------------------------------- */

int docx_sniff (const Document *document)
{
  const char *application = package_sniff (document);
  return application && strcmp (application, "wordprocessingml") == 0 ? 2 : 0;
}

Outcome docx_extract (const Document *document, Writer *writer)
{
  static const char *const folders[] = { "word/", NULL };
  Outcome failure = { 0 };
  g_autoptr (Package) package = package_open (document, folders, writer, &failure);
  if (!package)
    return failure;
  g_autoptr (GPtrArray) relations = package_dup_relations (package, package->main_part);
  const Relation *styles = package_find_type (relations, "styles");
  const Relation *numbering = package_find_type (relations, "numbering");
  Reader reader = { .code = g_string_new (NULL) };
  flow_init (&reader.flow, writer);
  reader.styles = docx_styles_new (styles ? package_get (package, styles->target) : NULL);
  reader.lists = docx_lists_new (numbering ? package_get (package, numbering->target) : NULL);
  read_notes (&reader, package, relations, "footnotes", &reader.footnotes);
  read_notes (&reader, package, relations, "endnotes", &reader.endnotes);
  read_notes (&reader, package, relations, "comments", &reader.comments);
  count_headers_and_footers (&reader, package, relations);
  gboolean titled = package_emit_properties (package, writer);
  if (docx_styles_get_language (reader.styles))
    emit_language (writer, docx_styles_get_language (reader.styles));

  g_autoptr (Xml) xml = xml_open (package_get (package, package->main_part));
  if (xml_root (xml))
    for (int depth = xml_depth (xml); xml_next_child (xml, depth);)
      if (xml_is (xml, "body"))
        read_blocks (&reader, xml);
  end_code (&reader);
  if (!xml_is_sound (xml))
    emit_warning (writer, "The document is damaged; it was read up to the damage.");
  flow_finish (&reader.flow, titled);
  gboolean lost = !xml_is_sound (xml) && emit_count_blocks (writer) == 0;

  g_hash_table_unref (reader.footnotes.texts);
  g_hash_table_unref (reader.endnotes.texts);
  g_hash_table_unref (reader.comments.texts);
  docx_styles_free (reader.styles);
  docx_lists_free (reader.lists);
  g_string_free (reader.code, TRUE);
  return lost ? outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: its text cannot be read.") : outcome_indexed ();
}
