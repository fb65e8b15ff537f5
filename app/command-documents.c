/* command-documents.c: what the library holds: list and remove. */
#include "app/commands.h"
#include "app/findings.h"
#include "app/output.h"
#include "ingest/ingest.h"
#include "retrieval/retrieval.h"
#include <string.h>

/* ---- list ------------------------------------------------------------------------------------------------ */

static void print_documents_json (const GPtrArray *documents)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_array (writer);
  for (guint i = 0; i < documents->len; i++) {
    const LecternDocument *document = g_ptr_array_index (documents, i);
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "id", document->id);
    json_writer_member_string (writer, "path", document->path);
    json_writer_member_string (writer, "title", document->title);
    json_writer_member_string (writer, "type", document->type);
    json_writer_member_int (writer, "pages", document->n_pages);
    json_writer_member_int (writer, "chunks", document->n_chunks);
    json_writer_member_string (writer, "status", lectern_status_to_string (document->status));
    json_writer_member_string (writer, "error", document->error);
    json_writer_member_string (writer, "language", document->language);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  output_json (writer);
}

enum { COLUMN_ID, COLUMN_STATUS, COLUMN_TYPE, COLUMN_PAGES, COLUMN_PATH, N_COLUMNS };

static void print_row (char *const cells[N_COLUMNS], const guint widths[N_COLUMNS], gboolean heading)
{
  for (guint c = 0; c < N_COLUMNS; c++) {
    gboolean number = c == COLUMN_ID || c == COLUMN_PAGES;
    guint columns = output_measure (cells[c]);
    if (number && columns < widths[c])
      output_printf ("%*s", (int)(widths[c] - columns), "");
    g_autofree char *cell
        = widths[c] == 0 ? output_dup_clean (cells[c], TRUE)
                         : output_dup_fitted (cells[c], widths[c], c == COLUMN_PATH, !number && c != COLUMN_PATH);
    if (heading)
      output_bold (cell);
    else
      output_text (cell);
    output_text (c + 1 < N_COLUMNS ? "  " : "\n");
  }
}

static void print_documents (const GPtrArray *documents)
{
  if (documents->len == 0) {
    output_text ("The library holds no documents yet. Add some with: lecternctl add PATH…\n");
    return;
  }
  guint widths[N_COLUMNS] = { 2, 6, 4, 5, 0 };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  for (guint i = 0; i < documents->len; i++) {
    const LecternDocument *document = g_ptr_array_index (documents, i);
    char **cells = g_new0 (char *, N_COLUMNS + 1);
    cells[COLUMN_ID] = g_strdup_printf ("%" G_GINT64_FORMAT, document->id);
    cells[COLUMN_STATUS] = g_strdup (lectern_status_to_string (document->status));
    cells[COLUMN_TYPE] = g_strdup (document->type ? document->type : "");
    cells[COLUMN_PAGES] = document->n_pages > 0 ? g_strdup_printf ("%d", document->n_pages) : g_strdup ("");
    cells[COLUMN_PATH] = g_strdup (document->path);
    for (guint c = 0; c < COLUMN_PATH; c++)
      widths[c] = MAX (widths[c], output_measure (cells[c]));
    g_ptr_array_add (rows, cells);
  }
  guint terminal = output_get_width (), used = 0;
  for (guint c = 0; c < COLUMN_PATH; c++)
    used += widths[c] + 2;
  if (terminal)
    widths[COLUMN_PATH] = terminal > used + 20 ? terminal - used : 20;
  print_row ((char *[]){ (char *)"ID", (char *)"Status", (char *)"Type", (char *)"Pages", (char *)"File" }, widths,
             TRUE);
  for (guint i = 0; i < rows->len; i++)
    print_row (g_ptr_array_index (rows, i), widths, FALSE);
}

/* ---- list --problems ------------------------------------------------------------------------------------- */

/* What a document has to tell besides its text. */
typedef struct {
  const LecternDocument *document;
  GPtrArray *findings;
  char **warnings;
} Problems;

static void problems_free (gpointer data)
{
  Problems *problems = data;
  g_ptr_array_unref (problems->findings);
  g_strfreev (problems->warnings);
  g_free (problems);
}

static gboolean has_problems (const Problems *problems)
{
  if (problems->document->status != LECTERN_STATUS_INDEXED || problems->warnings[0])
    return TRUE;
  for (guint i = 0; i < problems->findings->len; i++)
    if (lectern_finding_is_problem (g_ptr_array_index (problems->findings, i)))
      return TRUE;
  return FALSE;
}

/* Elements Problems, of the documents that have any. */
static GPtrArray *find_problems (LecternLibrary *library, const GPtrArray *documents, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (problems_free);
  for (guint i = 0; i < documents->len; i++) {
    const LecternDocument *document = g_ptr_array_index (documents, i);
    g_autoptr (GPtrArray) findings = lectern_library_list_findings (library, document->id, error);
    if (!findings)
      return NULL;
    char **warnings = lectern_library_dup_warnings (library, document->id, error);
    if (!warnings)
      return NULL;
    Problems *problems = g_new0 (Problems, 1);
    *problems = (Problems){ document, g_steal_pointer (&findings), warnings };
    if (has_problems (problems))
      g_ptr_array_add (found, problems);
    else
      problems_free (problems);
  }
  return g_steal_pointer (&found);
}

static void print_problems_json (const GPtrArray *found)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_array (writer);
  for (guint i = 0; i < found->len; i++) {
    const Problems *problems = g_ptr_array_index (found, i);
    const LecternDocument *document = problems->document;
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "id", document->id);
    json_writer_member_string (writer, "path", document->path);
    json_writer_member_string (writer, "status", lectern_status_to_string (document->status));
    json_writer_member_string (writer, "error", document->error);
    json_writer_key (writer, "warnings");
    json_writer_begin_array (writer);
    for (char **warning = problems->warnings; *warning; warning++)
      json_writer_string (writer, *warning);
    json_writer_end_array (writer);
    json_writer_key (writer, "findings");
    findings_write_json (writer, problems->findings);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  output_json (writer);
}

static void print_problems (const GPtrArray *found)
{
  if (found->len == 0)
    output_text ("No problems: every document was read, and nothing in them was left out.\n");
  for (guint i = 0; i < found->len; i++) {
    const Problems *problems = g_ptr_array_index (found, i);
    g_autofree char *name = g_filename_display_name (problems->document->path);
    output_printf ("%s%s\n", i ? "\n" : "", name);
    if (problems->document->status != LECTERN_STATUS_INDEXED)
      output_printf ("  Not indexed (%s). %s\n", lectern_status_to_string (problems->document->status),
                     problems->document->error ? problems->document->error : "");
    findings_print (problems->findings, TRUE, "  ");
    for (char **warning = problems->warnings; *warning; warning++)
      output_printf ("  %s\n", *warning);
  }
}

static gboolean list_problems (const Invocation *invocation, LecternLibrary *library, const GPtrArray *documents,
                               GError **error)
{
  g_autoptr (GPtrArray) found = find_problems (library, documents, error);
  if (!found)
    return FALSE;
  if (invocation->json)
    print_problems_json (found);
  else
    print_problems (found);
  return TRUE;
}

static gboolean run_list (const Invocation *invocation, GError **error)
{
  g_autoptr (LecternLibrary) library = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_READ, error);
  if (!library)
    return FALSE;
  g_autoptr (GPtrArray) documents = lectern_library_list (library, NULL, error);
  if (!documents)
    return FALSE;
  if (options_has (invocation->options, "problems"))
    return list_problems (invocation, library, documents, error);
  if (invocation->json)
    print_documents_json (documents);
  else
    print_documents (documents);
  return TRUE;
}

static const OptionSpec list_options[] = {
  { 0, "problems", OPTION_FLAG, NULL, 0, 0, "only documents of which something was not read, with what and why", FALSE },
  OPTIONS_END,
};

const Command command_list = {
  .name = "list",
  .arguments = "",
  .summary = "List the documents with their status",
  .options = list_options,
  .run = run_list,
};

/* ---- remove ---------------------------------------------------------------------------------------------- */

static gboolean is_number (const char *word)
{
  return *word && strlen (word) <= 18 && strspn (word, "0123456789") == strlen (word);
}

static gboolean add_id (GArray *ids, gint64 id)
{
  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, gint64, i) == id)
      return FALSE;
  g_array_append_val (ids, id);
  return TRUE;
}

/* The documents at or below the path as it was typed or, if there are none, with its symbolic links followed. */
static GPtrArray *list_path (LecternLibrary *library, const char *word, GError **error)
{
  g_autofree char *path = invocation_dup_stored_path (word);
  g_autoptr (GPtrArray) documents = lectern_library_list (library, path, error);
  if (!documents || documents->len)
    return g_steal_pointer (&documents);
  g_autofree char *real = realpath (word, NULL);
  g_autofree char *stored = real ? lectern_path_to_utf8 (real) : NULL;
  return stored ? lectern_library_list (library, stored, error) : g_steal_pointer (&documents);
}

static gboolean collect_ids (LecternLibrary *library, const char *word, GArray *ids, GError **error)
{
  g_autofree char *shown = g_filename_display_name (word);
  if (is_number (word)) {
    g_autoptr (GError) find_error = NULL;
    g_autoptr (LecternDocument) document
        = lectern_library_find_id (library, g_ascii_strtoll (word, NULL, 10), &find_error);
    if (find_error && !g_error_matches (find_error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND)) {
      g_propagate_error (error, g_steal_pointer (&find_error));
      return FALSE;
    }
    if (document) {
      add_id (ids, document->id);
      return TRUE;
    }
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND,
                 "No document has the number %s; lecternctl list shows them (a file of that name: ./%s).", shown,
                 shown);
    return FALSE;
  }
  g_autoptr (GPtrArray) documents = list_path (library, word, error);
  if (!documents)
    return FALSE;
  if (documents->len == 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND, "The library holds no document at or below %s.", shown);
    return FALSE;
  }
  for (guint i = 0; i < documents->len; i++)
    add_id (ids, ((const LecternDocument *)g_ptr_array_index (documents, i))->id);
  return TRUE;
}

static gboolean run_remove (const Invocation *invocation, GError **error)
{
  /* Opening for writing would create a library; there is nothing to forget in a new one. */
  LecternLibrary *existing = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_READ, error);
  if (!existing)
    return FALSE;
  lectern_library_close (existing);

  g_autoptr (LecternLibrary) library = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_WRITE, error);
  if (!library)
    return FALSE;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < invocation->n_words; i++)
    if (!collect_ids (library, invocation->words[i], ids, error))
      return FALSE;
  for (guint i = 0; i < ids->len; i++) {
    g_autoptr (LecternDocument) document = lectern_library_find_id (library, g_array_index (ids, gint64, i), NULL);
    if (document)
      lectern_recognition_forget (document->path);
  }
  if (!lectern_library_remove (library, (const gint64 *)(void *)ids->data, ids->len, error))
    return FALSE;
  /* What models have computed from the passages tells of their text. */
  g_autoptr (LecternCache) cache = lectern_cache_new_default ();
  guint n_sessions;
  if (!lectern_cache_clear (cache, &n_sessions, error)) {
    g_prefix_error (error, "The documents are forgotten, but not all that was computed from them. ");
    return FALSE;
  }
  if (invocation->json) {
    g_autoptr (JsonWriter) writer = json_writer_new ();
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "removed", ids->len);
    json_writer_end_object (writer);
    output_json (writer);
  } else
    output_printf ("%u %s forgotten; the files themselves were not touched.\n", ids->len,
                   ids->len == 1 ? "document" : "documents");
  return TRUE;
}

const Command command_remove = {
  .name = "remove",
  .arguments = "PATH|ID…",
  .summary = "Forget documents and overwrite their text in the library",
  .details = "A folder stands for every document below it. The files themselves are not touched.\n",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .run = run_remove,
};
