#include "ingest/extract/text/markdown.h"

#include "ingest/extract/text/encoding.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <string.h>

static const char *const extensions[] = { "table", "strikethrough", "tasklist", "autolink" };

void markdown_warm_up (void)
{
  encoding_warm_up ();
  cmark_gfm_core_extensions_ensure_registered ();
}

int markdown_sniff (const Document *document)
{
  return encoding_is_binary (document->bytes, document->size) ? 0 : 1;
}

/* White space collapsed, none at the ends. */
static void append_text (GString *out, const char *text)
{
  for (; text && *text; text++) {
    if (!g_ascii_isspace (*text))
      g_string_append_c (out, *text);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
}

/* The text of HTML inside Markdown: what stands outside tags. */
static void append_without_tags (GString *out, const char *html)
{
  gboolean tag = FALSE;
  for (const char *at = html; at && *at; at++) {
    if (g_str_has_prefix (at, "<!--")) {
      const char *end = strstr (at, "-->");
      if (!end)
        break;
      at = end + 2;
      continue;
    }
    char one[2] = { *at, '\0' };
    if (*at == '<')
      tag = TRUE;
    if (!tag)
      append_text (out, one);
    else if (*at == '>') {
      tag = FALSE;
      append_text (out, " ");
    }
  }
}

/* All text below a node. */
static void append_inlines (GString *out, cmark_node *node)
{
  cmark_iter *iterator = cmark_iter_new (node);
  cmark_event_type event;
  while ((event = cmark_iter_next (iterator)) != CMARK_EVENT_DONE) {
    cmark_node *at = cmark_iter_get_node (iterator);
    cmark_node_type type = cmark_node_get_type (at);
    if (event != CMARK_EVENT_ENTER)
      continue;
    if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE)
      append_text (out, cmark_node_get_literal (at));
    else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)
      append_text (out, " ");
  }
  cmark_iter_free (iterator);
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
}

static void emit_row (Writer *writer, cmark_node *row)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean any = FALSE;
  for (cmark_node *cell = cmark_node_first_child (row); cell; cell = cmark_node_next (cell)) {
    g_autoptr (GString) text = g_string_new (NULL);
    append_inlines (text, cell);
    if (cell != cmark_node_first_child (row))
      g_string_append (line, " | ");
    g_string_append (line, text->str);
    any |= text->len > 0;
  }
  if (any)
    emit_block_text (writer, LECTERN_BLOCK_TABLE_ROW, cmark_gfm_extensions_get_table_row_is_header (row), line->str);
}

typedef struct {
  Writer *writer;
  int list_depth;
  gboolean has_title;
} Walk;

/* One block; whether its children are done with it. */
static gboolean enter (Walk *walk, cmark_node *node)
{
  g_autoptr (GString) text = g_string_new (NULL);
  cmark_node_type type = cmark_node_get_type (node);
  if (type == CMARK_NODE_HEADING) {
    append_inlines (text, node);
    if (!walk->has_title && text->len > 0)
      emit_title (walk->writer, text->str);
    walk->has_title |= text->len > 0;
    emit_block_text (walk->writer, LECTERN_BLOCK_HEADING, cmark_node_get_heading_level (node), text->str);
    return TRUE;
  }
  if (type == CMARK_NODE_PARAGRAPH) {
    append_inlines (text, node);
    gboolean item = walk->list_depth > 0;
    emit_block_text (walk->writer, item ? LECTERN_BLOCK_LIST_ITEM : LECTERN_BLOCK_PARAGRAPH,
                     item ? walk->list_depth : 0, text->str);
    return TRUE;
  }
  if (type == CMARK_NODE_CODE_BLOCK) {
    g_string_append (text, cmark_node_get_literal (node));
    while (text->len > 0 && g_ascii_isspace (text->str[text->len - 1]))
      g_string_truncate (text, text->len - 1);
    emit_block_text (walk->writer, LECTERN_BLOCK_CODE, 0, text->str);
    return TRUE;
  }
  if (type == CMARK_NODE_HTML_BLOCK) {
    append_without_tags (text, cmark_node_get_literal (node));
    g_strstrip (text->str);
    emit_block_text (walk->writer, LECTERN_BLOCK_PARAGRAPH, 0, text->str);
    return TRUE;
  }
  const char *name = cmark_node_get_type_string (node);
  if (strcmp (name, "table_row") == 0 || strcmp (name, "table_header") == 0) {
    emit_row (walk->writer, node);
    return TRUE;
  }
  return FALSE;
}

/* The block after `node`; lists that are left on the way are counted off. */
static cmark_node *next_block (Walk *walk, cmark_node *node, gboolean done)
{
  cmark_node *child = done ? NULL : cmark_node_first_child (node);
  if (child) {
    walk->list_depth += cmark_node_get_type (node) == CMARK_NODE_LIST;
    return child;
  }
  while (node && !cmark_node_next (node)) {
    node = cmark_node_parent (node);
    if (node)
      walk->list_depth -= cmark_node_get_type (node) == CMARK_NODE_LIST;
  }
  return node ? cmark_node_next (node) : NULL;
}

/* Front matter ("---" to "---") is data about the document; its title is taken. Returns where the text begins. */
static const char *skip_front_matter (const char *text, Walk *walk)
{
  if (!g_str_has_prefix (text, "---\n") && !g_str_has_prefix (text, "---\r\n"))
    return text;
  const char *end = strstr (text + 3, "\n---");
  if (!end || (end[4] != '\n' && end[4] != '\r' && end[4] != '\0'))
    return text;
  const char *title = g_strstr_len (text, end - text, "\ntitle:");
  if (title) {
    title += strlen ("\ntitle:");
    g_autofree char *value = g_strndup (title, strcspn (title, "\r\n"));
    g_strstrip (value);
    gsize length = strlen (value);
    if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
      value[length - 1] = '\0';
      memmove (value, value + 1, length - 1);
    }
    walk->has_title = value[0] != '\0';
    if (walk->has_title)
      emit_title (walk->writer, value);
  }
  return end + 4;
}

Outcome markdown_extract (const Document *document, Writer *writer)
{
  if (encoding_is_binary (document->bytes, document->size))
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "The file holds binary data, not text.");
  markdown_warm_up ();
  gsize length;
  g_autofree char *text = encoding_decode (document->bytes, document->size, NULL, &length, NULL);
  Walk walk = { writer, 0, FALSE };
  const char *body = skip_front_matter (text, &walk);
  cmark_parser *parser = cmark_parser_new (CMARK_OPT_FOOTNOTES);
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++) {
    cmark_syntax_extension *extension = cmark_find_syntax_extension (extensions[i]);
    if (extension)
      cmark_parser_attach_syntax_extension (parser, extension);
  }
  cmark_parser_feed (parser, body, length - (gsize)(body - text));
  cmark_node *root = cmark_parser_finish (parser);
  for (cmark_node *node = root; node;)
    node = next_block (&walk, node, enter (&walk, node));
  cmark_node_free (root);
  cmark_parser_free (parser);
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The file holds no text.");
  return outcome_indexed ();
}
