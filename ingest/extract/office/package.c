#include "ingest/extract/office/package.h"

#include "ingest/extract/office/xml.h"

#include <string.h>

#define MAX_RELATIONS 100000u
/* For the types of parts; the first file in nearly every package. */
#define CONTENT_TYPES "[Content_Types].xml"

static void free_relation (gpointer data)
{
  Relation *relation = data;
  g_free (relation->id);
  g_free (relation->type);
  g_free (relation->target);
  g_free (relation);
}

char *package_resolve (const char *part, const char *target)
{
  const char *slash = strrchr (part, '/');
  g_autofree char *joined = target[0] == '/' || !slash
                                ? g_strdup (target)
                                : g_strdup_printf ("%.*s/%s", (int)MIN (slash - part, 4096), part, target);
  g_auto (GStrv) steps = g_strsplit (joined, "/", 64);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  for (guint i = 0; steps[i]; i++) {
    if (strcmp (steps[i], "..") == 0) {
      if (kept->len > 0)
        g_ptr_array_set_size (kept, (int)kept->len - 1);
    } else if (steps[i][0] && strcmp (steps[i], ".") != 0) {
      g_ptr_array_add (kept, steps[i]);
    }
  }
  g_ptr_array_add (kept, NULL);
  return g_strjoinv ("/", (char **)kept->pdata);
}

static GPtrArray *read_relations (const ContainerEntry *entry, const char *part)
{
  GPtrArray *relations = g_ptr_array_new_with_free_func (free_relation);
  g_autoptr (Xml) xml = xml_open (entry);
  if (!xml_root (xml))
    return relations;
  for (int depth = xml_depth (xml); relations->len < MAX_RELATIONS && xml_next_child (xml, depth);) {
    if (!xml_is (xml, "Relationship") || xml_attribute_is (xml, "TargetMode", "External"))
      continue;
    const char *id = xml_attribute (xml, "Id"), *type = xml_attribute (xml, "Type");
    const char *target = xml_attribute (xml, "Target");
    if (!id || !type || !target)
      continue;
    Relation *relation = g_new0 (Relation, 1);
    const char *slash = strrchr (type, '/');
    relation->id = g_strdup (id);
    relation->type = g_strdup (slash ? slash + 1 : type);
    relation->target = package_resolve (part, target);
    g_ptr_array_add (relations, relation);
  }
  return relations;
}

GPtrArray *package_dup_relations (const Package *package, const char *part)
{
  const char *slash = strrchr (part, '/');
  g_autofree char *name = g_strdup_printf ("%.*s_rels/%s.rels", slash ? (int)MIN (slash + 1 - part, 4096) : 0, part,
                                           slash ? slash + 1 : part);
  return read_relations (package_get (package, name), part);
}

const Relation *package_find_type (const GPtrArray *relations, const char *type)
{
  for (guint i = 0; i < relations->len; i++) {
    const Relation *relation = g_ptr_array_index (relations, i);
    if (strcmp (relation->type, type) == 0)
      return relation;
  }
  return NULL;
}

const Relation *package_find_id (const GPtrArray *relations, const char *id)
{
  for (guint i = 0; id && i < relations->len; i++) {
    const Relation *relation = g_ptr_array_index (relations, i);
    if (strcmp (relation->id, id) == 0)
      return relation;
  }
  return NULL;
}

const ContainerEntry *package_get (const Package *package, const char *part)
{
  const ContainerEntry *entry = container_find (package->container, part);
  return entry && entry->loaded ? entry : NULL;
}

void package_free (Package *package)
{
  if (!package)
    return;
  container_free (package->container);
  g_free (package->main_part);
  g_free (package);
}

/* Parts that hold no text of the document. */
static gboolean is_wanted (const ContainerEntry *entry, gpointer user_data)
{
  static const char *const needless[]
      = { "/theme/",        "/glossary/",     "fontTable.xml", "webSettings.xml", "calcChain.xml", "/pivotCache",
          "/slideLayouts/", "/slideMasters/", "/embeddings/",  "/media/",         "vmlDrawing" };
  const char *const *folders = user_data;
  if (!g_str_has_suffix (entry->name, ".xml") && !g_str_has_suffix (entry->name, ".rels"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (needless); i++)
    if (strstr (entry->name, needless[i]))
      return FALSE;
  if (g_str_has_prefix (entry->name, "_rels/") || g_str_has_prefix (entry->name, "docProps/"))
    return TRUE;
  for (; *folders; folders++)
    if (g_str_has_prefix (entry->name, *folders))
      return TRUE;
  return strchr (entry->name, '/') == NULL;
}

Package *package_open (const Document *document, const char *const *folders, Writer *writer, Outcome *failure)
{
  Container *container
      = container_open (document->bytes, document->size, CONTAINER_ZIP, &container_default_limits, failure);
  if (!container)
    return NULL;
  g_autoptr (Package) package = g_new0 (Package, 1);
  package->container = container;
  Outcome why = { 0 };
  gboolean whole = container_load (container, is_wanted, (gpointer)folders, &why);
  const ContainerEntry *root = package_get (package, "_rels/.rels");
  g_autoptr (GPtrArray) relations = read_relations (root, "");
  const Relation *relation = package_find_type (relations, "officeDocument");
  if (relation)
    package->main_part = g_strdup (relation->target);
  if (relation && !package_get (package, relation->target))
    container_load_one (container, relation->target); /* in no usual folder */
  const ContainerEntry *entry = relation ? container_find (container, relation->target) : NULL;
  if (!entry || !entry->loaded) {
    if (entry && entry->encrypted)
      *failure = outcome_failed (LECTERN_STATUS_ENCRYPTED, "It needs a password.");
    else if (!whole)
      *failure = why;
    else
      *failure = outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: the document's main part is missing.");
    if (whole || (entry && entry->encrypted))
      g_free (why.reason);
    return NULL;
  }
  if (!whole) {
    emit_warning (writer, "Part of the document is left out. %s", why.reason);
    g_free (why.reason);
  }
  for (guint i = 0; i < container_count (container); i++) {
    const ContainerEntry *part = container_get (container, i);
    if (part->loaded && part->damaged)
      emit_warning (writer, "%s in the document is damaged; what could be read of it is kept.", part->name);
    if (part->loaded && part->cut)
      emit_warning (writer, "%s in the document is too large; its end is left out.", part->name);
  }
  return g_steal_pointer (&package);
}

gboolean package_emit_properties (const Package *package, Writer *writer)
{
  const ContainerEntry *root = package_get (package, "_rels/.rels");
  g_autoptr (GPtrArray) relations = read_relations (root, "");
  const Relation *relation = package_find_type (relations, "core-properties");
  g_autoptr (Xml) xml = xml_open (relation ? package_get (package, relation->target) : NULL);
  gboolean titled = FALSE;
  g_autofree char *created = NULL, *modified = NULL;
  if (!xml_root (xml))
    return FALSE;
  for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
    gboolean is_title = xml_is (xml, "title"), is_author = xml_is (xml, "creator");
    gboolean is_language = xml_is (xml, "language"), is_created = xml_is (xml, "created");
    if (!is_title && !is_author && !is_language && !is_created && !xml_is (xml, "modified"))
      continue;
    g_autofree char *content = xml_dup_content (xml);
    if (content[0] == '\0')
      continue;
    if (is_title && flow_title_is_good (content)) {
      emit_title (writer, content);
      titled = TRUE;
    } else if (is_author) {
      emit_author (writer, content);
    } else if (is_language) {
      emit_language (writer, content);
    } else if (!is_title) {
      char **date = is_created ? &created : &modified;
      g_free (*date);
      *date = g_steal_pointer (&content);
    }
  }
  if (modified || created)
    emit_date (writer, modified ? modified : created);
  return titled;
}

const char *package_sniff (const Document *document)
{
  static const char *const applications[] = { "wordprocessingml", "presentationml", "spreadsheetml" };
  static const char *const folders[] = { "word/", "ppt/", "xl/" };
  static const char *const with_macros[] = { "vnd.ms-word.", "vnd.ms-powerpoint.", "vnd.ms-excel." };
  if (!container_is_zip (document->bytes, document->size))
    return NULL;
  Outcome failure = { 0 };
  g_autoptr (Container) container
      = container_open (document->bytes, document->size, CONTAINER_ZIP, &container_default_limits, &failure);
  g_free (failure.reason);
  if (!container || !container_find (container, CONTENT_TYPES))
    return NULL;
  g_autoptr (Xml) xml = xml_open (container_load_one (container, CONTENT_TYPES));
  if (xml_root (xml))
    for (int depth = xml_depth (xml); xml_next_child (xml, depth);) {
      const char *type = xml_attribute (xml, "ContentType");
      if (!type || !strstr (type, ".main+xml"))
        continue;
      for (guint i = 0; i < G_N_ELEMENTS (applications); i++)
        if (strstr (type, applications[i]) || strstr (type, with_macros[i]))
          return applications[i];
    }
  for (guint i = 0; i < container_count (container); i++) /* the list of types is damaged, or of a kind of its own */
    for (guint k = 0; k < G_N_ELEMENTS (folders); k++)
      if (g_str_has_prefix (container_get (container, i)->name, folders[k]))
        return applications[k];
  return NULL;
}
