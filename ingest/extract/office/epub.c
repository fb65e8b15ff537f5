#include "ingest/extract/office/epub.h"

#include "ingest/extract/html/blocks.h"
#include "ingest/extract/html/html.h"
#include "ingest/extract/html/parse.h"
#include "ingest/extract/office/package.h"
#include "ingest/extract/office/xml.h"
#include "ingest/extract/text/encoding.h"

#include <string.h>

#define MAX_ITEMS 65536u

typedef struct {
  char *path; /* in the container */
  char *type, *properties;
} Item;

/* What the table of contents calls a chapter. */
typedef struct {
  char *title;
  int level;
} Label;

typedef struct {
  Container *container;
  Writer *writer;
  char *opf;           /* the path of the package document */
  GHashTable *items;   /* of Item by id */
  GPtrArray *chapters; /* of Item, borrowed, in the order of reading */
  char *toc_id;        /* of the item with the table of contents of EPUB 2, or NULL */
  GHashTable *labels;  /* of Label by path */
  guint64 hidden[N_HIDINGS];
} Book;

static void free_item (gpointer data)
{
  Item *item = data;
  g_free (item->path);
  g_free (item->type);
  g_free (item->properties);
  g_free (item);
}

static void free_label (gpointer data)
{
  g_free (((Label *)data)->title);
  g_free (data);
}

/* A reference in the file `base` to a path in the container, without the fragment. */
static char *resolve (const char *base, const char *reference)
{
  g_autofree char *path = g_strndup (reference, strcspn (reference, "#?"));
  g_autofree char *plain = g_uri_unescape_string (path, NULL);
  return plain && plain[0] ? package_resolve (base, plain) : NULL;
}

/* ---- the package document -------------------------------------------------------------------------------- */

static char *find_package_document (Container *container)
{
  g_autoptr (Xml) xml = xml_open (container_load_one (container, "META-INF/container.xml"));
  if (xml_root (xml))
    for (int depth = xml_depth (xml); xml_next_child (xml, depth);)
      for (int inner = xml_depth (xml); xml_next_child (xml, inner);) {
        const char *path = xml_is (xml, "rootfile") ? xml_attribute (xml, "full-path") : NULL;
        if (path)
          return package_resolve ("", path);
      }
  for (guint i = 0; i < container_count (container); i++) /* the pointer is missing, the document is there */
    if (g_str_has_suffix (container_get (container, i)->name, ".opf"))
      return g_strdup (container_get (container, i)->name);
  return NULL;
}

static void read_metadata (Book *book, Xml *xml)
{
  gboolean titled = FALSE, authored = FALSE, dated = FALSE, language = FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    const char *event = xml_attribute (xml, "event");
    gboolean other_date = event && strcmp (event, "publication") != 0;
    if (xml_is (xml, "dc-metadata")) {
      read_metadata (book, xml);
      continue;
    }
    gboolean is_title = xml_is (xml, "title") && !titled, is_author = xml_is (xml, "creator") && !authored;
    gboolean is_date = xml_is (xml, "date") && !dated && !other_date,
             is_language = xml_is (xml, "language") && !language;
    if (!is_title && !is_author && !is_date && !is_language)
      continue;
    g_autofree char *content = xml_dup_content (xml);
    if (content[0] == '\0')
      continue;
    if (is_title)
      emit_title (book->writer, content);
    else if (is_author)
      emit_author (book->writer, content);
    else if (is_date)
      emit_date (book->writer, content);
    else
      emit_language (book->writer, content);
    titled |= is_title;
    authored |= is_author;
    dated |= is_date;
    language |= is_language;
  }
}

static void read_manifest (Book *book, Xml *xml)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && g_hash_table_size (book->items) < MAX_ITEMS;) {
    const char *id = xml_attribute (xml, "id"), *href = xml_attribute (xml, "href");
    char *path = xml_is (xml, "item") && id && href ? resolve (book->opf, href) : NULL;
    if (!path)
      continue;
    Item *item = g_new0 (Item, 1);
    item->path = path;
    item->type = g_strdup (xml_attribute (xml, "media-type"));
    item->properties = g_strdup (xml_attribute (xml, "properties"));
    g_hash_table_replace (book->items, g_strdup (id), item);
  }
}

static gboolean has_property (const Item *item, const char *property)
{
  g_auto (GStrv) words = g_strsplit (item->properties ? item->properties : "", " ", 16);
  return g_strv_contains ((const char *const *)words, property);
}

static void read_spine (Book *book, Xml *xml)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_free (book->toc_id);
  book->toc_id = g_strdup (xml_attribute (xml, "toc"));
  for (int depth = xml_depth (xml); xml_next_child (xml, depth) && book->chapters->len < MAX_ITEMS;) {
    const char *id = xml_attribute (xml, "idref");
    Item *item = id ? g_hash_table_lookup (book->items, id) : NULL;
    if (!item || !g_hash_table_add (seen, item) || has_property (item, "nav"))
      continue;
    if (item->type && !strstr (item->type, "html") && !strstr (item->type, "xml"))
      continue; /* a picture in place of a page */
    g_ptr_array_add (book->chapters, item);
  }
}

static void read_package_document (Book *book)
{
  g_autoptr (Xml) xml = xml_open (container_load_one (book->container, book->opf));
  if (!xml_root (xml))
    return;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "metadata"))
      read_metadata (book, xml);
    else if (xml_is (xml, "manifest"))
      read_manifest (book, xml);
    else if (xml_is (xml, "spine") && book->chapters->len == 0)
      read_spine (book, xml);
  }
}

/* ---- the table of contents ------------------------------------------------------------------------------- */

static void add_label (Book *book, const char *base, const char *reference, const char *title, int level)
{
  char *path = reference ? resolve (base, reference) : NULL;
  if (!path || !title || !title[0] || g_hash_table_contains (book->labels, path)
      || g_hash_table_size (book->labels) >= MAX_ITEMS) {
    g_free (path);
    return;
  }
  Label *label = g_new0 (Label, 1);
  label->title = g_strdup (title);
  label->level = CLAMP (level, 1, 6);
  g_hash_table_insert (book->labels, path, label);
}

/* Of EPUB 2: <navMap> or <navPoint>. */
static void read_ncx (Book *book, const char *base, Xml *xml, int level)
{
  g_autofree char *title = NULL;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    if (xml_is (xml, "navLabel") && !title)
      title = xml_dup_content (xml);
    else if (xml_is (xml, "content"))
      add_label (book, base, xml_attribute (xml, "src"), title, level);
    else if (xml_is (xml, "navMap") || xml_is (xml, "navPoint"))
      read_ncx (book, base, xml, level + xml_is (xml, "navPoint"));
  }
}

/* Of EPUB 3: <nav>, <ol> or <li>. */
static void read_nav (Book *book, const char *base, Xml *xml, int level)
{
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    const char *reference = xml_is (xml, "a") ? xml_attribute (xml, "href") : NULL;
    if (reference) {
      g_autofree char *kept = g_strdup (reference);
      g_autofree char *title = xml_dup_content (xml);
      add_label (book, base, kept, title, level);
    } else if (xml_is (xml, "nav")) {
      const char *type = xml_attribute (xml, "type");
      if (!type || strcmp (type, "toc") == 0)
        read_nav (book, base, xml, 0);
    } else if (!xml_text (xml)) {
      read_nav (book, base, xml, level + xml_is (xml, "ol"));
    }
  }
}

static void read_table_of_contents (Book *book)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, book->items);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Item *item = value;
    if (!has_property (item, "nav"))
      continue;
    g_autoptr (Xml) xml = xml_open (container_load_one (book->container, item->path));
    if (xml_root (xml))
      read_nav (book, item->path, xml, 0);
  }
  const Item *ncx = book->toc_id ? g_hash_table_lookup (book->items, book->toc_id) : NULL;
  if (ncx && g_hash_table_size (book->labels) == 0) {
    g_autoptr (Xml) xml = xml_open (container_load_one (book->container, ncx->path));
    if (xml_root (xml))
      read_ncx (book, ncx->path, xml, 0);
  }
}

/* ---- protection ------------------------------------------------------------------------------------------ */

/* Whether chapters are encrypted. Fonts often are, by ways that only keep them from being taken out. */
static gboolean is_protected (Book *book)
{
  g_autoptr (GHashTable) chapters = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < book->chapters->len; i++)
    g_hash_table_add (chapters, ((Item *)g_ptr_array_index (book->chapters, i))->path);
  g_autoptr (Xml) xml = xml_open (container_load_one (book->container, "META-INF/encryption.xml"));
  if (!xml_root (xml))
    return FALSE;
  for (int a = xml_depth (xml); xml_next_child (xml, a);)
    for (int b = xml_depth (xml); xml_next_child (xml, b);)
      for (int c = xml_depth (xml); xml_next_child (xml, c);) {
        const char *reference = xml_is (xml, "CipherReference") ? xml_attribute (xml, "URI") : NULL;
        g_autofree char *path = reference ? resolve ("", reference) : NULL;
        if (path && g_hash_table_contains (chapters, path))
          return TRUE;
      }
  return FALSE;
}

/* ---- chapters -------------------------------------------------------------------------------------------- */

static char *dup_declared_encoding (const ContainerEntry *entry)
{
  g_autofree char *head = g_strndup ((const char *)entry->bytes, MIN (entry->n_bytes, 256));
  const char *end = g_str_has_prefix (head, "<?xml") ? strstr (head, "?>") : NULL;
  const char *at = end ? g_strstr_len (head, end - head, "encoding") : NULL;
  if (!at)
    return NULL;
  at += strcspn (at, "\"'");
  return *at ? g_strndup (at + 1, strcspn (at + 1, "\"'")) : NULL;
}

/* The body of a chapter; *headed: it has a heading of its own. */
static xmlNode *find_body (xmlNode *root, gboolean *headed)
{
  xmlNode *body = NULL;
  *headed = FALSE;
  for (xmlNode *at = root; at; at = html_next (at, root, FALSE)) {
    if (!body && html_is (at, "body"))
      body = at;
    *headed |= html_role (at) == ELEMENT_HEADING;
  }
  return body ? body : root;
}

static void read_chapter (Book *book, const Item *item, const ContainerEntry *entry)
{
  gsize length;
  g_autofree char *declared = dup_declared_encoding (entry);
  g_autofree char *text = encoding_decode (entry->bytes, entry->n_bytes, declared, &length, NULL);
  if (length > G_MAXINT || text[strspn (text, " \t\r\n")] == '\0')
    return;
  htmlDocPtr page = html_parse (text, length);
  xmlNode *root = page ? xmlDocGetRootElement (page) : NULL;
  if (root) {
    gboolean headed;
    xmlNode *body = find_body (root, &headed);
    HtmlMain *main = html_main_whole (body);
    const Label *label = g_hash_table_lookup (book->labels, item->path);
    if (label && !headed)
      emit_block_text (book->writer, LECTERN_BLOCK_HEADING, label->level, label->title);
    html_blocks_emit (main, book->writer);
    html_main_count_hidden (main, book->hidden);
    html_main_free (main);
  }
  if (page)
    xmlFreeDoc (page);
}

static gboolean is_wanted (const ContainerEntry *entry, gpointer wanted)
{
  return g_hash_table_contains (wanted, entry);
}

static Outcome read_chapters (Book *book)
{
  Outcome failure = { 0 };
  g_autoptr (GHashTable) wanted = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < book->chapters->len; i++) {
    const Item *item = g_ptr_array_index (book->chapters, i);
    ContainerEntry *entry = container_find (book->container, item->path);
    if (entry && entry->encrypted)
      return outcome_failed (LECTERN_STATUS_ENCRYPTED, "It needs a password.");
    if (entry)
      g_hash_table_add (wanted, entry);
  }
  gboolean whole = container_load (book->container, is_wanted, wanted, &failure);
  guint n_missing = 0;
  for (guint i = 0; i < book->chapters->len; i++) {
    const Item *item = g_ptr_array_index (book->chapters, i);
    ContainerEntry *entry = container_find (book->container, item->path);
    if (!entry || !entry->loaded) {
      n_missing++;
      continue;
    }
    if (entry->damaged || entry->cut)
      emit_warning (book->writer, "%s in the book is %s; what could be read of it is kept.", entry->name,
                    entry->cut ? "too large" : "damaged");
    read_chapter (book, item, entry);
    container_unload (entry);
    entry->loaded = TRUE; /* read: a second item of the same file gives nothing */
    entry->bytes = (guint8 *)g_strdup ("");
  }
  html_report_hidden (book->hidden, book->writer);
  if (!whole && emit_count_blocks (book->writer) == 0)
    return failure;
  if (n_missing > 0)
    emit_warning (book->writer, "%u of the book's %u parts are missing or could not be unpacked.", n_missing,
                  book->chapters->len);
  g_free (failure.reason);
  return outcome_indexed ();
}

/* ---- the document ---------------------------------------------------------------------------------------- */

void epub_warm_up (void)
{
  container_warm_up ();
  html_warm_up ();
}

int epub_sniff (const Document *document)
{
  g_autofree char *type = container_dup_mimetype (document->bytes, document->size);
  return type && strcmp (type, "application/epub+zip") == 0            ? 2
         : type || !container_is_zip (document->bytes, document->size) ? 0
                                                                       : 1;
}

Outcome epub_extract (const Document *document, Writer *writer)
{
  Outcome outcome = { 0 };
  g_autoptr (Container) container
      = container_open (document->bytes, document->size, CONTAINER_ZIP, &container_default_limits, &outcome);
  if (!container)
    return outcome;
  Book book = { .container = container, .writer = writer };
  book.opf = find_package_document (container);
  if (!book.opf)
    return outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: the book's list of chapters is missing.");
  book.items = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_item);
  book.labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_label);
  book.chapters = g_ptr_array_new ();
  read_package_document (&book);
  if (is_protected (&book)) {
    outcome = outcome_failed (LECTERN_STATUS_ENCRYPTED, "It is protected against copying (DRM) and cannot be read.");
  } else if (book.chapters->len == 0) {
    outcome = outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: the book's list of chapters cannot be read.");
  } else {
    read_table_of_contents (&book);
    outcome = read_chapters (&book);
  }
  g_hash_table_unref (book.items);
  g_hash_table_unref (book.labels);
  g_ptr_array_unref (book.chapters);
  g_free (book.opf);
  g_free (book.toc_id);
  return outcome;
}
