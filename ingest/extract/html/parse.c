#include "ingest/extract/html/parse.h"

#include "ingest/extract/html/dom.h"
#include "ingest/extract/html/style-sheet.h"

#include <libxml/SAX2.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* ---- attributes ------------------------------------------------------------------------------------------ */

static gboolean is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Goes over the attributes of a start tag, from behind its name to its ">", and blanks those beyond the limit. */
static char *limit_attributes (char *at, const char *end)
{
  char *surplus = NULL;
  for (guint n = 0;; n++) {
    while (at < end && (is_space (*at) || *at == '/'))
      at++;
    if (at == end || *at == '>')
      break;
    if (n == HTML_MAX_ATTRIBUTES)
      surplus = at;
    at++; /* a name may begin with anything, even "=" */
    while (at < end && !is_space (*at) && *at != '/' && *at != '>' && *at != '=')
      at++;
    char *value = at;
    while (value < end && is_space (*value))
      value++;
    if (value == end || *value != '=')
      continue;
    for (value++; value < end && is_space (*value);)
      value++;
    if (value < end && (*value == '"' || *value == '\'')) {
      char *quote = memchr (value + 1, *value, (gsize)(end - value - 1));
      at = quote ? quote + 1 : (char *)end;
    } else {
      for (at = value; at < end && !is_space (*at) && *at != '>';)
        at++;
    }
  }
  if (surplus)
    memset (surplus, ' ', (gsize)(at - surplus));
  return at;
}

static char *find (char *at, const char *end, const char *what)
{
  char *found = memmem (at, (gsize)(end - at), what, strlen (what));
  return found ? found + strlen (what) : (char *)end;
}

static gboolean begins_with (const char *at, const char *end, const char *name)
{
  gsize length = strlen (name);
  return (gsize)(end - at) > length && g_ascii_strncasecmp (at, name, length) == 0 && !g_ascii_isalnum (at[length]);
}

/* Behind the end of an element whose content is not markup; `at` is behind its start tag. */
static char *skip_raw (char *at, const char *end, const char *name)
{
  while ((at = find (at, end, "</")) < end)
    if (begins_with (at, end, name))
      break;
  return at;
}

static void limit_tags (char *text, gsize length)
{
  static const char *const raw[] = { "script", "style" };
  const char *end = text + length;
  for (char *at = text; (at = memchr (at, '<', (gsize)(end - at)));) {
    at++;
    if (end - at >= 3 && memcmp (at, "!--", 3) == 0) {
      at = find (at + 3, end, "-->");
    } else if (at < end && g_ascii_isalpha (*at)) {
      const char *name = at;
      while (at < end && !is_space (*at) && *at != '/' && *at != '>')
        at++;
      at = limit_attributes (at, end);
      for (guint i = 0; i < G_N_ELEMENTS (raw); i++)
        if (begins_with (name, end, raw[i]))
          at = skip_raw (at, end, raw[i]);
    }
    if (at >= end)
      break;
  }
}

/* ---- depth ----------------------------------------------------------------------------------------------- */

/* The parser has just put the new element's name on its stack. */
static void start_element (void *context, const xmlChar *name, const xmlChar **attributes)
{
  htmlParserCtxtPtr parser = context;
  if (parser->nameNr > HTML_MAX_DEPTH) {
    /* The name below the new one was the last to be opened, so its element is the one that is open now. */
    xmlSAX2EndElement (parser, parser->nameTab[parser->nameNr - 2]);
    parser->nameTab[parser->nameNr - 2] = parser->nameTab[parser->nameNr - 1];
    parser->nameNr--;
  }
  xmlSAX2StartElement (parser, name, attributes);
  if (parser->node)
    html_set_role (parser->node);
}

/* White space behind a block is no text: without it, a long table or list takes a good part less memory. */
static void add_characters (void *context, const xmlChar *text, int length)
{
  htmlParserCtxtPtr parser = context;
  const xmlNode *node = parser->node, *last = node ? node->last : NULL;
  ElementRole role = node ? html_role (node) : ELEMENT_INLINE;
  gboolean blank = last && html_is_block (html_role (last))
                   && (role == ELEMENT_BLOCK || role == ELEMENT_LIST || role == ELEMENT_TABLE || role == ELEMENT_ROW);
  for (int i = 0; i < length && blank; i++)
    blank = is_space ((char)text[i]);
  if (!blank)
    xmlSAX2Characters (parser, text, length);
}

htmlDocPtr html_parse (char *text, gsize length)
{
  limit_tags (text, length);
  htmlParserCtxtPtr parser = htmlCreateMemoryParserCtxt (text, (int)length);
  if (!parser)
    return NULL;
  htmlCtxtUseOptions (parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET
                                  | HTML_PARSE_IGNORE_ENC);
  parser->options |= XML_PARSE_HUGE; /* a text node may be longer than 10 MB */
  parser->sax->startElement = start_element;
  parser->sax->characters = parser->sax->ignorableWhitespace = add_characters;
  xmlSwitchEncoding (parser, XML_CHAR_ENCODING_UTF8);
  htmlParseDocument (parser);
  htmlDocPtr page = parser->myDoc;
  htmlFreeParserCtxt (parser);
  xmlNode *root = page ? xmlDocGetRootElement (page) : NULL;
  if (root)
    style_sheet_apply (root);
  return page;
}
