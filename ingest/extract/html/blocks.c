#include "ingest/extract/html/blocks.h"

#include <string.h>

#define CELL_SEPARATOR " | "
/* A table whose cells are longer on average is there for the layout. */
#define MAX_CELL_CHARACTERS 300
/* An alternative text of a picture that is shorter names it at most, one that is longer is an article. */
#define MIN_ALT_BYTES 15
#define MAX_ALT_BYTES 1000

typedef struct {
  const HtmlMain *main;
  Writer *writer;
  xmlNode *root;
  GString *text;       /* of the block in work, white space normalised unless `code` */
  gboolean space;      /* white space stands between text and what comes */
  gboolean line_break; /* a <br> stands there */
  gboolean code;
  const xmlNode *block; /* the block-level element that the text stands in */
  char *alt; /* of a picture that was just passed, until it is clear that no caption says the same; or NULL */
  GHashTable *pictures; /* descriptions and captions that were emitted: each is told once */
  GString *term;        /* a definition list's term that waits for its definition; empty: none */
} Emitter;

/* Appends text with white space collapsed; no-break and other Unicode spaces count as white space. */
static void append_text (Emitter *emitter, const char *content)
{
  GString *text = emitter->text;
  for (const char *at = content; *at;) {
    gunichar c = g_utf8_get_char (at);
    const char *next = g_utf8_next_char (at);
    if (c == 0xAD || c == 0x200B || c == 0xFEFF) {
      at = next; /* soft hyphens and zero-width spaces are no text */
      continue;
    }
    if (emitter->code) {
      g_string_append_len (text, at, next - at);
    } else if (c <= ' ' || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x3000) {
      emitter->space = TRUE;
    } else {
      if (emitter->space && text->len > 0)
        g_string_append_c (text, ' ');
      emitter->space = emitter->line_break = FALSE;
      g_string_append_len (text, at, next - at);
    }
    at = next;
  }
}

static const xmlNode *enclosing (const Emitter *emitter, const xmlNode *node, ElementRole role)
{
  for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
    if (html_role (node) == role)
      return node;
    if (node == emitter->root)
      break;
  }
  return NULL;
}

static int list_depth (const Emitter *emitter, const xmlNode *node)
{
  int depth = 0;
  for (; node && node->type == XML_ELEMENT_NODE && depth < 99; node = node->parent) {
    depth += html_role (node) == ELEMENT_LIST;
    if (node == emitter->root)
      break;
  }
  return MAX (depth, 1);
}

static void flush_term (Emitter *emitter)
{
  if (emitter->term->len == 0)
    return;
  emit_block_text (emitter->writer, LECTERN_BLOCK_LIST_ITEM, 1, emitter->term->str);
  g_string_truncate (emitter->term, 0);
}

/* What stands for a picture: told unless a caption or the text beside it says it, too. */
static void flush_alt (Emitter *emitter, const char *beside)
{
  g_autofree char *alt = g_steal_pointer (&emitter->alt);
  if (!alt || (beside && strstr (beside, alt)) || g_hash_table_contains (emitter->pictures, alt))
    return;
  emit_block_text (emitter->writer, LECTERN_BLOCK_CAPTION, 0, alt);
  g_hash_table_add (emitter->pictures, g_steal_pointer (&alt));
}

/* An alternative text that says something: some words, no file name. */
static void see_picture (Emitter *emitter, xmlNode *image)
{
  const char *alt = html_attribute (image, "alt");
  gsize length = alt ? strlen (alt) : 0;
  guint spaces = 0;
  for (gsize i = 0; i < length; i++)
    spaces += alt[i] == ' ';
  if (length < MIN_ALT_BYTES || length > MAX_ALT_BYTES || spaces < 2 || alt[0] == '<'
      || !html_main_shows_picture (emitter->main, image))
    return;
  Emitter part = { .text = g_string_new (NULL) };
  append_text (&part, alt);
  g_free (emitter->alt);
  emitter->alt = g_string_free (part.text, FALSE);
}

/* Ends the block in work. */
static void flush (Emitter *emitter)
{
  GString *text = emitter->text;
  if (text->len > 0)
    flush_alt (emitter, text->str);
  emitter->space = emitter->line_break = FALSE;
  if (emitter->code) {
    while (text->len > 0 && g_ascii_isspace (text->str[text->len - 1]))
      g_string_truncate (text, text->len - 1);
    gsize blank = 0; /* empty lines at the top */
    for (gsize i = 0; i < text->len && g_ascii_isspace (text->str[i]); i++)
      blank = text->str[i] == '\n' ? i + 1 : blank;
    g_string_erase (text, 0, (gssize)blank);
  }
  if (text->len == 0 || !emitter->block)
    return;
  LecternBlockKind kind = LECTERN_BLOCK_PARAGRAPH;
  int level = 0;
  const xmlNode *heading = enclosing (emitter, emitter->block, ELEMENT_HEADING);
  const xmlNode *item = enclosing (emitter, emitter->block, ELEMENT_ITEM);
  if (emitter->code) {
    kind = LECTERN_BLOCK_CODE;
  } else if (heading && !(heading->parent && html_is_admonition (heading->parent))) {
    kind = LECTERN_BLOCK_HEADING;
    level = html_heading_level (heading);
  } else if (enclosing (emitter, emitter->block, ELEMENT_CAPTION)) {
    kind = LECTERN_BLOCK_CAPTION;
  } else if (html_role (emitter->block) == ELEMENT_TERM) {
    g_string_append_printf (emitter->term, "%s%s", emitter->term->len ? ", " : "", text->str);
    g_string_truncate (text, 0);
    return;
  } else if (item) {
    kind = LECTERN_BLOCK_LIST_ITEM;
    level = list_depth (emitter, item);
  }
  if (emitter->term->len > 0 && kind == LECTERN_BLOCK_PARAGRAPH) {
    gboolean ends = strchr (":.?!", emitter->term->str[emitter->term->len - 1]) != NULL;
    g_string_prepend (text, ends ? " " : ": ");
    g_string_prepend (text, emitter->term->str);
    g_string_truncate (emitter->term, 0);
    kind = LECTERN_BLOCK_LIST_ITEM;
    level = list_depth (emitter, emitter->block);
  }
  flush_term (emitter);
  if (kind != LECTERN_BLOCK_CAPTION || g_hash_table_add (emitter->pictures, g_strdup (text->str)))
    emit_block_text (emitter->writer, kind, level, text->str);
  g_string_truncate (text, 0);
}

char *html_dup_text (xmlNode *node)
{
  Emitter emitter = { .text = g_string_new (NULL) };
  for (xmlNode *at = node; at;) {
    gboolean skip = at != node && html_role (at) == ELEMENT_DROPPED;
    if (html_role (at) != ELEMENT_INLINE)
      emitter.space = TRUE;
    if ((at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE) && at->content)
      append_text (&emitter, (const char *)at->content);
    at = html_next (at, node, skip);
  }
  return g_string_free (emitter.text, FALSE);
}

/* ---- tables ---- */

/* A table of data: no table or heading in it, cells of a moderate length, and more than one column or else a header. */
static gboolean is_data_table (xmlNode *table)
{
  const char *role = html_attribute (table, "role");
  if (role && (strcmp (role, "presentation") == 0 || strcmp (role, "none") == 0))
    return FALSE;
  guint n_cells = 0, n_rows = 0, headers = 0;
  gsize bytes = 0;
  for (xmlNode *at = html_next (table, table, FALSE); at; at = html_next (at, table, FALSE)) {
    ElementRole role_at = html_role (at);
    if (role_at == ELEMENT_TABLE || role_at == ELEMENT_HEADING)
      return FALSE;
    n_rows += role_at == ELEMENT_ROW;
    n_cells += role_at == ELEMENT_CELL;
    headers += html_is (at, "th");
    if (at->type == XML_TEXT_NODE && at->content)
      bytes += strlen ((const char *)at->content);
  }
  if (n_rows == 0 || n_cells < n_rows || (n_cells == n_rows && (headers == 0 || n_rows < 3)))
    return FALSE;
  return bytes / n_cells <= (headers > 0 ? 3 * MAX_CELL_CHARACTERS : MAX_CELL_CHARACTERS);
}

static void emit_row (Emitter *emitter, xmlNode *row)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean all_headers = TRUE, any_text = FALSE;
  guint n_cells = 0;
  for (xmlNode *cell = row->children; cell; cell = cell->next) {
    if (html_role (cell) != ELEMENT_CELL || html_is_hidden (cell))
      continue;
    g_autofree char *text = html_dup_text (cell);
    if (n_cells++ > 0)
      g_string_append (line, CELL_SEPARATOR);
    g_string_append (line, text);
    any_text |= text[0] != '\0';
    all_headers &= html_is (cell, "th");
  }
  if (!any_text)
    return;
  gboolean in_head = row->parent && html_is (row->parent, "thead");
  emit_block_text (emitter->writer, LECTERN_BLOCK_TABLE_ROW, in_head || (all_headers && n_cells > 1), line->str);
}

static void emit_table (Emitter *emitter, xmlNode *table)
{
  flush (emitter);
  flush_term (emitter);
  for (xmlNode *at = html_next (table, table, FALSE); at;) {
    ElementRole role = html_role (at);
    if (role == ELEMENT_CAPTION) {
      g_autofree char *text = html_dup_text (at);
      emit_block_text (emitter->writer, LECTERN_BLOCK_CAPTION, 0, text);
    } else if (role == ELEMENT_ROW) {
      emit_row (emitter, at);
    }
    at = html_next (at, table, role == ELEMENT_ROW || role == ELEMENT_CAPTION || role == ELEMENT_DROPPED);
  }
}

/* ---- the walk ---- */

static const xmlNode *block_of (const Emitter *emitter, const xmlNode *node)
{
  while (node && node != emitter->root && !html_is_block (html_role (node)))
    node = node->parent;
  return node;
}

static void see_text (Emitter *emitter, const xmlNode *node)
{
  const xmlNode *block = block_of (emitter, node->parent);
  if (block && html_main_is_refused (emitter->main, block)) {
    emitter->space = TRUE;
    return;
  }
  gboolean code = enclosing (emitter, node->parent, ELEMENT_CODE) != NULL;
  if (block != emitter->block || code != emitter->code) {
    flush (emitter);
    emitter->block = block;
    emitter->code = code;
  }
  append_text (emitter, (const char *)node->content);
}

void html_blocks_emit (const HtmlMain *main, Writer *writer)
{
  Emitter emitter = { .main = main, .writer = writer, .root = html_main_get_root (main) };
  emitter.text = g_string_new (NULL);
  emitter.term = g_string_new (NULL);
  emitter.pictures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (xmlNode *at = emitter.root; at;) {
    gboolean skip = FALSE;
    ElementRole role = html_role (at);
    if (at->type == XML_ELEMENT_NODE) {
      skip = role == ELEMENT_DROPPED || html_main_is_left_out (main, at);
      if (skip) {
        emitter.space = TRUE;
      } else if (html_is (at, "img")) {
        see_picture (&emitter, at);
      } else if (role == ELEMENT_TABLE && is_data_table (at)) {
        if (!html_main_is_table_refused (main, at))
          emit_table (&emitter, at);
        skip = TRUE;
      } else if (role == ELEMENT_BREAK && emitter.code) {
        g_string_append_c (emitter.text, '\n');
      } else if (role == ELEMENT_BREAK) {
        if (emitter.line_break)
          flush (&emitter);
        emitter.line_break = emitter.space = TRUE;
      } else if (html_is_block (role)) {
        flush (&emitter);
      }
    } else if ((at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE) && at->content) {
      see_text (&emitter, at);
    }
    at = html_next (at, emitter.root, skip);
  }
  flush (&emitter);
  flush_term (&emitter);
  flush_alt (&emitter, NULL);
  g_hash_table_unref (emitter.pictures);
  g_string_free (emitter.text, TRUE);
  g_string_free (emitter.term, TRUE);
}
