/* package.h: an Office Open XML package (ISO/IEC 29500-2): parts and the relations between them. Internal to
 * ingest/extract/. */
#ifndef LECTERN_EXTRACT_OFFICE_PACKAGE_H
#define LECTERN_EXTRACT_OFFICE_PACKAGE_H

#include "ingest/extract/archive/container.h"
#include "ingest/extract/office/flow.h"

typedef struct {
  char *id;
  char *type;   /* the last part of its address: "styles", "slide", … the same in strict and transitional documents */
  char *target; /* the part's name */
} Relation;

typedef struct {
  Container *container;
  char *main_part; /* the name of the document's main part, such as "word/document.xml" */
} Package;

/* Opens the document and loads the parts that matter below `folders` (NULL-terminated, such as "word/"). NULL: *failure
 * says why. Parts that are damaged or too large are warned of. */
Package *package_open (const Document *document, const char *const *folders, Writer *writer, Outcome *failure);
void package_free (Package *package);

/* Where a target in a part leads: "../media/x" in "word/document.xml" to "media/x". The caller frees. */
char *package_resolve (const char *part, const char *target);

/* Of Relation; never NULL. What leads out of the package is left out. */
GPtrArray *package_dup_relations (const Package *package, const char *part);
/* The first relation of a type, or the one of an id; NULL: none. */
const Relation *package_find_type (const GPtrArray *relations, const char *type);
const Relation *package_find_id (const GPtrArray *relations, const char *id);
/* NULL: it is not there. */
const ContainerEntry *package_get (const Package *package, const char *part);

/* Title, author, date and language from the core properties. TRUE: it has a title worth showing. */
gboolean package_emit_properties (const Package *package, Writer *writer);

/* What application the main part is for: "wordprocessingml", "presentationml", "spreadsheetml"; NULL: it is no package
 * that can be opened, or of something else. Static. */
const char *package_sniff (const Document *document);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Package, package_free)

#endif
