#include "ingest/extract/office/xml.h"

#include "ingest/extract/office/flow.h"

#include <libxml/xmlreader.h>
#include <string.h>

struct _Xml {
  xmlTextReader *reader;
  int type, depth; /* of where it stands; type -1: nowhere */
  gboolean sound;
};

static void ignore_error (void *context, const char *message, xmlParserSeverities severity,
                          xmlTextReaderLocatorPtr locator)
{}

Xml *xml_open (const ContainerEntry *entry)
{
  Xml *xml = g_new0 (Xml, 1);
  xml->type = -1;
  xml->sound = TRUE;
  if (!entry || !entry->bytes || entry->n_bytes == 0 || entry->n_bytes > G_MAXINT)
    return xml;
  xml->reader = xmlReaderForMemory ((const char *)entry->bytes, (int)entry->n_bytes, NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
  if (xml->reader)
    xmlTextReaderSetErrorHandler (xml->reader, ignore_error, NULL);
  return xml;
}

void xml_close (Xml *xml)
{
  if (!xml)
    return;
  if (xml->reader)
    xmlFreeTextReader (xml->reader);
  g_free (xml);
}

static gboolean advance (Xml *xml)
{
  if (!xml->reader)
    return FALSE;
  int result = xmlTextReaderRead (xml->reader);
  if (result != 1) {
    xml->sound &= result == 0;
    xml->type = -1;
    xmlFreeTextReader (xml->reader);
    xml->reader = NULL;
    return FALSE;
  }
  xml->type = xmlTextReaderNodeType (xml->reader);
  xml->depth = xmlTextReaderDepth (xml->reader);
  return TRUE;
}

gboolean xml_root (Xml *xml)
{
  while (advance (xml))
    if (xml->type == XML_READER_TYPE_ELEMENT)
      return TRUE;
  return FALSE;
}

gboolean xml_is_sound (const Xml *xml)
{
  return xml->sound;
}

int xml_depth (const Xml *xml)
{
  return xml->depth;
}

static gboolean is_text (const Xml *xml)
{
  return xml->type == XML_READER_TYPE_TEXT || xml->type == XML_READER_TYPE_CDATA
         || xml->type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE || xml->type == XML_READER_TYPE_WHITESPACE;
}

gboolean xml_next_child (Xml *xml, int depth)
{
  if (!xml->reader || xml->depth < depth)
    return FALSE;
  if (xml->depth == depth && (xml->type != XML_READER_TYPE_ELEMENT || xmlTextReaderIsEmptyElement (xml->reader) == 1))
    return FALSE; /* at its end already, or it has none */
  while (advance (xml)) {
    if (xml->depth <= depth)
      return FALSE;
    if (xml->depth == depth + 1 && (xml->type == XML_READER_TYPE_ELEMENT || is_text (xml)))
      return TRUE;
  }
  return FALSE;
}

const char *xml_name (const Xml *xml)
{
  if (xml->type != XML_READER_TYPE_ELEMENT)
    return "";
  const xmlNode *node = xmlTextReaderCurrentNode (xml->reader);
  return node && node->name ? (const char *)node->name : "";
}

gboolean xml_is (const Xml *xml, const char *name)
{
  return strcmp (xml_name (xml), name) == 0;
}

gboolean xml_is_in (const Xml *xml, const char *namespace_part)
{
  const xmlNode *node = xml->type == XML_READER_TYPE_ELEMENT ? xmlTextReaderCurrentNode (xml->reader) : NULL;
  return node && node->ns && node->ns->href && strstr ((const char *)node->ns->href, namespace_part);
}

const char *xml_text (const Xml *xml)
{
  return is_text (xml) ? (const char *)xmlTextReaderConstValue (xml->reader) : NULL;
}

const char *xml_attribute (const Xml *xml, const char *name)
{
  const xmlNode *node = xml->type == XML_READER_TYPE_ELEMENT ? xmlTextReaderCurrentNode (xml->reader) : NULL;
  for (const xmlAttr *at = node ? node->properties : NULL; at; at = at->next)
    if (strcmp ((const char *)at->name, name) == 0)
      return at->children && at->children->type == XML_TEXT_NODE && at->children->content
                 ? (const char *)at->children->content
                 : "";
  return NULL;
}

const char *xml_relation_id (const Xml *xml)
{
  const xmlNode *node = xml->type == XML_READER_TYPE_ELEMENT ? xmlTextReaderCurrentNode (xml->reader) : NULL;
  for (const xmlAttr *at = node ? node->properties : NULL; at; at = at->next)
    if (at->ns && at->ns->href && strcmp ((const char *)at->name, "id") == 0
        && strstr ((const char *)at->ns->href, "officeDocument") && at->children && at->children->content)
      return (const char *)at->children->content;
  return NULL;
}

gboolean xml_attribute_is (const Xml *xml, const char *name, const char *value)
{
  const char *found = xml_attribute (xml, name);
  return found && strcmp (found, value) == 0;
}

guint xml_attribute_number (const Xml *xml, const char *name, guint absent, guint max)
{
  const char *found = xml_attribute (xml, name);
  guint64 number;
  if (!found || !g_ascii_isdigit (found[0]))
    return absent;
  number = g_ascii_strtoull (found, NULL, 10);
  return (guint)MIN (number, max);
}

gboolean xml_is_on (const Xml *xml)
{
  const char *value = xml_attribute (xml, "val");
  return !value || !(strcmp (value, "0") == 0 || strcmp (value, "false") == 0 || strcmp (value, "off") == 0);
}

char *xml_dup_content_by (Xml *xml, const char *name)
{
  FlowText text = { .string = g_string_new (NULL) };
  int depth = xml->depth;
  if (xml->reader && xml->type == XML_READER_TYPE_ELEMENT && xmlTextReaderIsEmptyElement (xml->reader) != 1)
    while (advance (xml) && xml->depth > depth) {
      if (is_text (xml))
        flow_text_append (&text, xml_text (xml));
      else if (name && xml_is (xml, name))
        text.space = TRUE;
    }
  return g_string_free (text.string, FALSE);
}

char *xml_dup_content (Xml *xml)
{
  return xml_dup_content_by (xml, NULL);
}
