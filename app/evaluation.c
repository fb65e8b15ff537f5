#include "app/evaluation.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static void text_free (gpointer data)
{
  JudgedText *text = data;
  g_free (text->id);
  g_free (text->title);
  g_free (text->text);
  g_free (text);
}

void judged_collection_free (JudgedCollection *collection)
{
  if (!collection)
    return;
  g_clear_pointer (&collection->documents, g_ptr_array_unref);
  g_clear_pointer (&collection->queries, g_ptr_array_unref);
  g_clear_pointer (&collection->grades, g_hash_table_unref);
  g_free (collection);
}

static char *dup_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  return node && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_dup_string (node) : NULL;
}

static gboolean read_line (JsonParser *parser, const char *line, gsize length, GPtrArray *texts, GError **error)
{
  if (!json_parser_load_from_data (parser, line, (gssize)length, error))
    return FALSE;
  JsonNode *root = json_parser_get_root (parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "not a JSON object");
    return FALSE;
  }
  JsonObject *object = json_node_get_object (root);
  JudgedText *text = g_new0 (JudgedText, 1);
  g_ptr_array_add (texts, text);
  text->id = dup_member (object, "id");
  text->title = dup_member (object, "title");
  text->text = dup_member (object, "text");
  if (text->id && text->text)
    return TRUE;
  g_set_error_literal (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "“id” or “text” is missing");
  return FALSE;
}

static GPtrArray *read_texts (const char *path, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (text_free);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *bytes = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &bytes, &length, error))
    return NULL;
  guint number = 1;
  for (const char *line = bytes, *end = bytes + length; line < end; number++) {
    const char *stop = memchr (line, '\n', (gsize)(end - line));
    if (!stop)
      stop = end;
    g_autofree char *copy = g_strstrip (g_strndup (line, (gsize)(stop - line)));
    if (*copy && !read_line (parser, copy, strlen (copy), texts, error)) {
      g_prefix_error (error, "Line %u of “%s” cannot be read: ", number, path);
      return NULL;
    }
    line = stop + 1;
  }
  return g_steal_pointer (&texts);
}

static GHashTable *read_grades (const char *path, GError **error)
{
  g_autoptr (GHashTable) grades
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
  g_autofree char *bytes = NULL;
  if (!g_file_get_contents (path, &bytes, NULL, error))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (bytes, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (g_strchomp (lines[i]), "\t", -1);
    gint64 grade = 0;
    if (!fields[0])
      continue;
    if (g_strv_length (fields) != 3
        || !g_ascii_string_to_signed (fields[2], 10, G_MININT32, G_MAXINT32, &grade, NULL)) {
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                   "Line %u of “%s” is not query, document and grade, separated by tabs.", i + 1, path);
      return NULL;
    }
    GHashTable *of_query = g_hash_table_lookup (grades, fields[0]);
    if (!of_query) {
      of_query = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_hash_table_insert (grades, g_strdup (fields[0]), of_query);
    }
    g_hash_table_insert (of_query, g_strdup (fields[1]), GINT_TO_POINTER ((int)grade));
  }
  return g_steal_pointer (&grades);
}

JudgedCollection *judged_collection_load (const char *documents, const char *queries, const char *grades,
                                          GError **error)
{
  g_autoptr (JudgedCollection) collection = g_new0 (JudgedCollection, 1);
  if (!(collection->documents = read_texts (documents, error)) || !(collection->queries = read_texts (queries, error))
      || !(collection->grades = read_grades (grades, error)))
    return NULL;
  return g_steal_pointer (&collection);
}

static void add_block (GPtrArray *blocks, const char *text, gsize length)
{
  g_autofree char *copy = g_strstrip (g_strndup (text, length));
  if (!*copy)
    return;
  for (char *p = copy; *p; p++)
    if (g_ascii_isspace (*p))
      *p = ' ';
  LecternBlock *block = g_new0 (LecternBlock, 1);
  block->kind = LECTERN_BLOCK_PARAGRAPH;
  block->text = g_steal_pointer (&copy);
  block->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  g_ptr_array_add (blocks, block);
}

/* The text as a plain text file gives it: paragraphs are separated by empty lines. */
static GPtrArray *make_blocks (const JudgedText *document)
{
  GPtrArray *blocks = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free);
  const char *paragraph = document->text, *stop;
  for (; (stop = strstr (paragraph, "\n\n")); paragraph = stop + 2)
    add_block (blocks, paragraph, (gsize)(stop - paragraph));
  add_block (blocks, paragraph, strlen (paragraph));
  return blocks;
}

gboolean judged_collection_index (const JudgedCollection *collection, LecternLibrary *library,
                                  GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < collection->documents->len; i++) {
    const JudgedText *document = g_ptr_array_index (collection->documents, i);
    g_autoptr (GPtrArray) blocks = make_blocks (document);
    g_autofree char *whole = g_strconcat (document->title ? document->title : "", "\n", document->text, NULL);
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    LecternDraft *draft = lectern_draft_new ();
    draft->path = g_strdup_printf ("/%u", i);
    /* Two documents with the same text are still two. */
    draft->hash = g_strdup_printf ("%u", i);
    draft->title = g_strdup (document->title);
    draft->type = g_strdup ("text");
    draft->language = g_strdup (lectern_language_detect (whole, -1));
    lectern_chunk_blocks (blocks, draft->language, draft);
    /* A document that is only a title is found by it. */
    if (draft->chunks->len == 0 && document->title) {
      LecternChunk *chunk = lectern_chunk_new ();
      chunk->text = g_strdup ("");
      g_ptr_array_add (draft->chunks, chunk);
    }
    gboolean stored = lectern_library_store (library, draft, NULL, error);
    lectern_draft_free (draft);
    if (!stored)
      return FALSE;
  }
  return lectern_library_optimize (library, error);
}

const JudgedText *judged_collection_find (const JudgedCollection *collection, const char *path)
{
  guint64 i = 0;
  if (*path != '/' || !g_ascii_string_to_unsigned (path + 1, 10, 0, G_MAXUINT, &i, NULL)
      || i >= collection->documents->len)
    return NULL;
  return g_ptr_array_index (collection->documents, (guint)i);
}

static int compare_descending (gconstpointer a, gconstpointer b)
{
  int x = *(const int *)a, y = *(const int *)b;
  return (x < y) - (x > y);
}

static double discount (guint rank)
{
  return log2 ((double)rank + 1);
}

gboolean judged_scores_add (JudgedScores *scores, const JudgedCollection *collection, const char *query,
                            const GPtrArray *ranked)
{
  GHashTable *grades = g_hash_table_lookup (collection->grades, query);
  g_autoptr (GArray) ideal = g_array_new (FALSE, FALSE, sizeof (int));
  GHashTableIter iterator;
  gpointer value;
  if (!grades)
    return FALSE;
  g_hash_table_iter_init (&iterator, grades);
  while (g_hash_table_iter_next (&iterator, NULL, &value)) {
    int grade = GPOINTER_TO_INT (value);
    if (grade > 0)
      g_array_append_val (ideal, grade);
  }
  if (ideal->len == 0)
    return FALSE;
  g_array_sort (ideal, compare_descending);
  double best = 0, gained = 0, first = 0;
  guint found = 0;
  for (guint i = 0; i < ideal->len && i < 10; i++)
    best += g_array_index (ideal, int, i) / discount (i + 1);
  for (guint i = 0; i < ranked->len && i < 100; i++) {
    int grade = GPOINTER_TO_INT (g_hash_table_lookup (grades, g_ptr_array_index (ranked, i)));
    if (grade == 0)
      continue;
    if (i < 10)
      gained += grade / discount (i + 1);
    if (grade < 0)
      continue;
    found++;
    if (i < 10 && first == 0)
      first = 1.0 / (i + 1);
  }
  scores->n_queries++;
  scores->ndcg_10 += gained / best;
  scores->mrr_10 += first;
  scores->recall_100 += (double)found / ideal->len;
  return TRUE;
}
