/* xml.h: the XML inside office documents, read forwards in constant memory. Internal to ingest/extract/.
 *
 * Nothing outside the bytes is ever loaded, entities that a document declares are not expanded, and nesting is bounded
 * (libxml2: 256 levels). Names are local names: office formats exist with several namespaces for the same thing (strict
 * and transitional), and hardly any name in them means two things. Reading goes by elements and their children:
 *
 *   int depth = xml_depth (xml);
 *   while (xml_next_child (xml, depth))
 *     if (xml_is (xml, "p"))
 *       read_paragraph (xml);   // may go over its children in the same way, or not
 *
 * Recursion over it is bounded by the nesting. */
#ifndef LECTERN_EXTRACT_OFFICE_XML_H
#define LECTERN_EXTRACT_OFFICE_XML_H

#include "ingest/extract/archive/container.h"

typedef struct _Xml Xml;

/* The entry may be NULL: then there is nothing to read. The bytes must outlive the reader. */
Xml *xml_open (const ContainerEntry *entry);
void xml_close (Xml *xml);
/* Goes to the root element. FALSE: there is none. */
gboolean xml_root (Xml *xml);
/* Whether all that was read so far is well formed. */
gboolean xml_is_sound (const Xml *xml);

int xml_depth (const Xml *xml);
/* Goes to the next child (element or text) of the element at `depth`, past what is left of the child before. FALSE: there
 * are no more, or the document breaks off. */
gboolean xml_next_child (Xml *xml, int depth);
gboolean xml_is (const Xml *xml, const char *name);              /* an element of that local name */
gboolean xml_is_in (const Xml *xml, const char *namespace_part); /* whose namespace holds this */
const char *xml_name (const Xml *xml);                           /* local; "" for text */
const char *xml_text (const Xml *xml);                           /* of a text; NULL for an element */

/* By local name; borrowed until the cursor moves; NULL: absent. */
const char *xml_attribute (const Xml *xml, const char *name);
gboolean xml_attribute_is (const Xml *xml, const char *name, const char *value);
/* The one that names a relation (r:id), which stands beside others called "id". */
const char *xml_relation_id (const Xml *xml);
/* A number in 0..max; `absent` if it is not there or not a number. */
guint xml_attribute_number (const Xml *xml, const char *name, guint absent, guint max);
/* An on/off property such as <w:vanish w:val="0"/>: on unless the attribute says off. */
gboolean xml_is_on (const Xml *xml);

/* All text in the element, white space collapsed. Goes past it; the caller frees. */
char *xml_dup_content (Xml *xml);

/* The same, with white space between the elements called `name`, such as paragraphs. */
char *xml_dup_content_by (Xml *xml, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Xml, xml_close)

#endif
