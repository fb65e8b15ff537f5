#include "ingest/extract/html/html.h"

#include "ingest/extract/text/encoding.h"
#include "ingest/extract/html/blocks.h"
#include "ingest/extract/html/bundle.h"
#include "ingest/extract/html/head.h"
#include "ingest/extract/html/parse.h"

#include <libxml/parser.h>
#include <string.h>

/* The declaration of the encoding must stand in the first bytes (HTML standard: 1024; pages put more before it). */
#define LOOK_BYTES 4096
#define MAX_DECODED_BYTES ((gsize)512 << 20)

void html_warm_up (void)
{
  encoding_warm_up ();
  xmlInitParser ();
}

static gboolean starts_with (const char *text, gsize size, const char *word)
{
  gsize length = strlen (word);
  return size >= length && g_ascii_strncasecmp (text, word, length) == 0;
}

/* Markup with stray NULs, which browsers leave out: it has tags, and hardly any of the control characters that no page
 * has but every program, picture and archive. */
static gboolean is_damaged_markup (const Document *document)
{
  gsize look = MIN (document->size, LOOK_BYTES), nuls = 0, controls = 0;
  gboolean tag = FALSE;
  for (gsize i = 0; i < look; i++) {
    guint8 c = document->bytes[i];
    nuls += c == 0;
    controls += c > 0 && c < 0x20 && !g_ascii_isspace (c);
    tag |= c == '<' && i + 1 < look && (g_ascii_isalpha (document->bytes[i + 1]) || document->bytes[i + 1] == '!');
  }
  return tag && nuls <= look / 10 && controls <= look / 100;
}

int html_sniff (const Document *document)
{
  if (bundle_is (document->bytes, document->size))
    return 2;
  g_autofree char *head = encoding_decode (document->bytes, MIN (document->size, LOOK_BYTES), NULL, NULL, NULL);
  const char *at = head;
  for (;;) { /* past white space, the XML declaration and comments */
    at += strspn (at, " \t\r\n");
    const char *end = NULL;
    if (g_str_has_prefix (at, "<?xml"))
      end = strstr (at, "?>");
    else if (g_str_has_prefix (at, "<!--"))
      end = strstr (at, "-->");
    if (!end)
      break;
    at = end + (*end == '?' ? 2 : 3);
  }
  static const char *const starts[] = { "<!doctype html", "<html", "<head", "<body" };
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    if (starts_with (at, strlen (at), starts[i]))
      return 2;
  return encoding_is_binary (document->bytes, document->size) && !is_damaged_markup (document) ? 0 : 1;
}

/* The encoding that the page declares in <meta charset>, <meta content="…charset=…"> or <?xml encoding?>. */
static char *find_declared_encoding (const guint8 *bytes, gsize all)
{
  g_autofree char *head = g_ascii_strdown ((const char *)bytes, (gssize)MIN (all, LOOK_BYTES));
  gsize size = MIN (all, LOOK_BYTES);
  for (gsize i = 0; i < size; i++)
    if (head[i] == '\0')
      head[i] = ' ';
  static const char *const keys[] = { "charset", "encoding" };
  for (guint k = 0; k < G_N_ELEMENTS (keys); k++)
    for (const char *at = strstr (head, keys[k]); at; at = strstr (at + 1, keys[k])) {
      const char *open = at;
      while (open > head && *open != '<' && *open != '>')
        open--;
      if (!g_str_has_prefix (open, "<meta") && !g_str_has_prefix (open, "<?xml"))
        continue;
      const char *value = at + strlen (keys[k]);
      value += strspn (value, " \t\r\n");
      if (*value != '=')
        continue;
      value += 1 + strspn (value + 1, " \t\r\n\"'");
      gsize length = strcspn (value, " \t\r\n\"';/>?");
      if (length > 0)
        return g_strndup (value, length);
    }
  return NULL;
}

char *html_decode (const guint8 *bytes, gsize size, const char *header, gsize *length)
{
  g_autofree char *declared = header ? g_strdup (header) : find_declared_encoding (bytes, size);
  return encoding_decode (bytes, size, declared, length, NULL);
}

xmlNode *html_find_body (xmlNode *root)
{
  for (xmlNode *at = root; at; at = html_next (at, root, FALSE))
    if (html_is (at, "body"))
      return at;
  return root;
}

static void emit_head (const HtmlHead *head, Writer *writer)
{
  if (head->title)
    emit_title (writer, head->title);
  if (head->author)
    emit_author (writer, head->author);
  if (head->date)
    emit_date (writer, head->date);
  if (head->language)
    emit_language (writer, head->language);
}

/* A frame beside the page's own text, such as an advertisement, is of use only if it holds about so many characters. */
#define MIN_FRAME_CHARACTERS 200
/* Frames in frames. */
#define MAX_FRAME_DEPTH 3

static void emit_frames (GArray *parts, xmlNode *root, guint depth, HtmlExtent extent, Writer *writer);

/* The text of one page, which is UTF-8 and is taken (a large page leaves no room for both it and its tree), and then of its
 * frames. */
static void emit_page (GArray *parts, char *text, gsize length, guint depth, guint min_characters, HtmlExtent extent,
                       Writer *writer)
{
  htmlDocPtr page = html_parse (text, length);
  g_free (text);
  xmlNode *root = page ? xmlDocGetRootElement (page) : NULL;
  if (root) {
    HtmlHead head;
    html_head_read (root, &head);
    if (depth == 0 && extent == HTML_MAIN_CONTENT)
      emit_head (&head, writer);
    xmlNode *body = html_find_body (root);
    HtmlMain *main = extent == HTML_ALL_VISIBLE ? html_main_whole (body) : html_main_find (body, head.title);
    if (main && html_main_count_characters (main) >= min_characters) {
      html_blocks_emit (main, writer);
      html_main_report (main, writer);
    }
    html_main_free (main);
    html_head_clear (&head);
    emit_frames (parts, root, depth + 1, extent, writer);
  }
  if (page)
    xmlFreeDoc (page);
}

/* The frames that were saved with the page, in the order in which it refers to them. */
static void emit_frames (GArray *parts, xmlNode *root, guint depth, HtmlExtent extent, Writer *writer)
{
  if (parts->len <= 1 || depth > MAX_FRAME_DEPTH)
    return;
  for (xmlNode *at = root; at; at = html_next (at, root, FALSE)) {
    gboolean frame = html_is (at, "frame");
    const char *address = frame || (html_is (at, "iframe") && !html_is_hidden (at)) ? html_attribute (at, "src") : NULL;
    BundlePart *part = address ? bundle_take (parts, address) : NULL;
    if (!part)
      continue;
    gsize length;
    g_autofree char *text = html_decode (part->bytes, part->size, NULL, &length);
    emit_page (parts, g_steal_pointer (&text), length, depth, frame ? 0 : MIN_FRAME_CHARACTERS, extent, writer);
  }
}

Outcome html_extract_within (const Document *document, const char *charset, HtmlExtent extent, Writer *writer)
{
  guint before = emit_count_blocks (writer);
  g_autoptr (GArray) parts = bundle_new (document->bytes, document->size);
  const BundlePart *page = parts->len > 0 ? &g_array_index (parts, BundlePart, 0) : NULL;
  gsize length = 0;
  g_autofree char *text = page ? html_decode (page->bytes, page->size, charset, &length) : g_strdup ("");
  if (length > MAX_DECODED_BYTES)
    return outcome_failed (LECTERN_STATUS_TOO_LARGE, "The page is larger than 512 MiB.");
  if (text[strspn (text, " \t\r\n")] == '\0')
    return outcome_failed (LECTERN_STATUS_EMPTY, "The page holds no text.");
  emit_page (parts, g_steal_pointer (&text), length, 0, 0, extent, writer);
  if (emit_count_blocks (writer) == before)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The page holds no text.");
  return outcome_indexed ();
}

Outcome html_extract (const Document *document, Writer *writer)
{
  return html_extract_within (document, NULL, HTML_MAIN_CONTENT, writer);
}
