/* watch add, remove, list: which folders are watched. */
#include "app/commands.h"
#include "app/output.h"
#include "ingest/ingest.h"

static void print_count (const Invocation *invocation, const char *member, guint n)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_int (writer, member, n);
  json_writer_end_object (writer);
  output_json (writer);
}

static gboolean service_runs (const Invocation *invocation)
{
  g_autoptr (LecternWatchStatus) status
      = lectern_watch_get_status (invocation->library_dir, invocation->cancellable, NULL);
  return status != NULL;
}

static gboolean run_add (const Invocation *invocation, GError **error)
{
  guint n;
  if (!lectern_watch_add (invocation->library_dir, (const char *const *)invocation->words, &n, error))
    return FALSE;
  if (invocation->json)
    print_count (invocation, "added", n);
  else
    output_printf ("%u %s added%s.\n", n, n == 1 ? "folder" : "folders",
                   n == 0                      ? ": all of them are watched already"
                   : service_runs (invocation) ? ""
                                               : "; “lecternctl watch run” indexes and watches");
  return TRUE;
}

const Command command_watch_add = {
  .name = "watch add",
  .arguments = "FOLDER…",
  .summary = "Add folders to those that are watched",
  .details = "A running service begins to index and watch them at once. What the files .lecternignore and .gitignore\n"
             "in them name is left out, and so is what is hidden.\n",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .run = run_add,
};

static gboolean run_remove (const Invocation *invocation, GError **error)
{
  guint n;
  if (!lectern_watch_remove (invocation->library_dir, (const char *const *)invocation->words, &n, error))
    return FALSE;
  if (invocation->json)
    print_count (invocation, "removed", n);
  else
    output_printf ("%u %s not watched any more; the documents stay (“lecternctl remove” forgets them).\n", n,
                   n == 1 ? "folder is" : "folders are");
  return TRUE;
}

const Command command_watch_remove = {
  .name = "watch remove",
  .arguments = "FOLDER…",
  .summary = "Take folders from those that are watched",
  .details = "Their documents stay in the library until “remove” forgets them.\n",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .run = run_remove,
};

static gboolean run_list (const Invocation *invocation, GError **error)
{
  g_autoptr (GPtrArray) folders = lectern_watch_list (invocation->library_dir, error);
  if (!folders)
    return FALSE;
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_array (writer);
  for (guint i = 0; i < folders->len; i++) {
    const char *folder = g_ptr_array_index (folders, i);
    g_autofree char *shown = lectern_path_to_utf8 (folder);
    gboolean present = g_file_test (folder, G_FILE_TEST_IS_DIR);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "path", shown);
    json_writer_member_boolean (writer, "present", present);
    json_writer_end_object (writer);
    if (!invocation->json)
      output_printf ("%s%s\n", shown, present ? "" : " (missing)");
  }
  json_writer_end_array (writer);
  if (invocation->json)
    output_json (writer);
  else if (folders->len == 0)
    output_text ("No folders are watched; lecternctl watch add adds one.\n");
  return TRUE;
}

const Command command_watch_list = {
  .name = "watch list",
  .arguments = "",
  .summary = "List the folders that are watched",
  .run = run_list,
};
