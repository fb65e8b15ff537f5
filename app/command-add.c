#include "app/commands.h"
#include "app/output.h"
#include "ingest/ingest.h"
#include <stdlib.h>
#include <string.h>

static const OptionSpec options[] = {
  { 0, "no-ocr", OPTION_FLAG, NULL, 0, 0, "do not recognise text on pages that are images", FALSE },
  OPTIONS_END,
};

static void show_progress (guint done, guint total, const char *path, gpointer user_data)
{
  g_autofree char *name = g_filename_display_basename (path);
  g_autofree char *line = g_strdup_printf ("%u/%u %s", done, total, name);
  output_progress (line);
}

static gboolean is_good (LecternStatus status)
{
  return status == LECTERN_STATUS_INDEXED || status == LECTERN_STATUS_UNCHANGED;
}

static void print_json (const LecternIndexReport *report)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_int (writer, "added", report->added);
  json_writer_member_int (writer, "updated", report->updated);
  json_writer_member_int (writer, "unchanged", report->unchanged);
  json_writer_member_int (writer, "failed", report->failed);
  json_writer_member_int (writer, "removed", report->removed);
  json_writer_member_int (writer, "chunks", (gint64)report->chunks);
  json_writer_member_int (writer, "pages", (gint64)report->pages);
  json_writer_member_double (writer, "seconds", report->seconds);
  json_writer_key (writer, "documents");
  json_writer_begin_array (writer);
  for (guint i = 0; i < report->documents->len; i++) {
    const LecternIndexedDocument *document = g_ptr_array_index (report->documents, i);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "path", document->path);
    json_writer_member_string (writer, "status", lectern_status_to_string (document->status));
    json_writer_member_string (writer, "error", document->error);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  json_writer_end_object (writer);
  output_json (writer);
}

static void print_report (const LecternIndexReport *report)
{
  for (guint i = 0; i < report->documents->len; i++) {
    const LecternIndexedDocument *document = g_ptr_array_index (report->documents, i);
    if (is_good (document->status))
      continue;
    g_autofree char *name = g_filename_display_name (document->path);
    output_printf ("%s: %s. %s\n", name, lectern_status_to_string (document->status),
                   document->error ? document->error : "");
  }
  g_autoptr (GString) line = g_string_new (NULL);
  const struct {
    guint n;
    const char *what;
  } counts[] = {
    { report->added, "added" },   { report->updated, "updated" }, { report->unchanged, "unchanged" },
    { report->failed, "failed" }, { report->removed, "removed" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    if (counts[i].n)
      g_string_append_printf (line, "%s%u %s", line->len ? ", " : "", counts[i].n, counts[i].what);
  output_printf ("%s", line->len ? line->str : "No documents found");
  if (report->chunks)
    output_printf ("; %" G_GUINT64_FORMAT " passages", report->chunks);
  if (report->pages)
    output_printf (" from %" G_GUINT64_FORMAT " pages", report->pages);
  output_printf (" in %.1f s.\n", report->seconds);
}

/* The first document that was named on the command line and is not in the library now. */
static const LecternIndexedDocument *find_failed_argument (const LecternIndexReport *report, const char *const *paths)
{
  for (guint i = 0; i < report->documents->len; i++) {
    const LecternIndexedDocument *document = g_ptr_array_index (report->documents, i);
    if (is_good (document->status))
      continue;
    for (gsize p = 0; paths[p]; p++) {
      g_autofree char *real = realpath (paths[p], NULL);
      g_autofree char *stored = lectern_path_to_utf8 (real ? real : paths[p]);
      if (strcmp (document->path, stored) == 0)
        return document;
    }
  }
  return NULL;
}

static gboolean run_add (const Invocation *invocation, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < invocation->n_words; i++)
    g_ptr_array_add (paths, invocation_dup_path (invocation->words[i]));
  g_ptr_array_add (paths, NULL);
  const char *const *names = (const char *const *)paths->pdata;

  g_autoptr (LecternLibrary) library = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_WRITE, error);
  if (!library)
    return FALSE;
  const LecternExtractLimits limits = { .no_recognition = options_has (invocation->options, "no-ocr") };
  g_autoptr (GError) index_error = NULL;
  g_autoptr (LecternIndexReport) report = lectern_index (
      library, names, &limits, invocation->progress ? show_progress : NULL, NULL, invocation->cancellable, &index_error);
  output_progress (NULL);
  if (report && invocation->json)
    print_json (report);
  else if (report)
    print_report (report);

  if (g_error_matches (index_error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                 "Stopped; the documents finished so far are kept, and the same command goes on from here.");
    return FALSE;
  }
  if (index_error) {
    g_propagate_error (error, g_steal_pointer (&index_error));
    return FALSE;
  }
  const LecternIndexedDocument *failed = find_failed_argument (report, names);
  if (failed) {
    g_autofree char *name = g_filename_display_name (failed->path);
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s was not indexed (%s)%s%s", name,
                 lectern_status_to_string (failed->status), failed->error ? ". " : ".",
                 failed->error ? failed->error : "");
    return FALSE;
  }
  return TRUE;
}

const Command command_add = {
  .name = "add",
  .arguments = "PATH…",
  .summary = "Index files and folders; only what is new or changed",
  .details = "Folders are searched with everything below them. A document that cannot be read is reported with its\n"
             "reason and the run goes on; it is not read again until it changes, but reported in every run.\n"
             "The exit status is 1 only if a PATH itself could not be indexed.\n",
  .options = options,
  .min_words = 1,
  .max_words = G_MAXUINT,
  .run = run_add,
};
