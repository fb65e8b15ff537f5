/* watch status, pause, resume, stop: talking to the service. */
#include "app/commands.h"
#include "app/output.h"
#include "ingest/ingest.h"

static LecternWatchStatus *status_of_nobody (const Invocation *invocation, GError **error)
{
  g_autoptr (GPtrArray) folders = lectern_watch_list (invocation->library_dir, error);
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new (), states = g_strv_builder_new ();
  if (!folders)
    return NULL;
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (folders, i));
    g_strv_builder_add (paths, shown);
    g_strv_builder_add (states, "not watched now");
  }
  LecternWatchStatus *status = g_new0 (LecternWatchStatus, 1);
  status->state = g_strdup ("not running");
  status->folders = g_strv_builder_end (paths);
  status->folder_states = g_strv_builder_end (states);
  status->problems = g_new0 (char *, 1);
  return status;
}

static void print_json (const LecternWatchStatus *status)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "state", status->state);
  json_writer_member_string (writer, "paused_because",
                             status->paused_because && *status->paused_because ? status->paused_because : NULL);
  json_writer_member_int (writer, "documents", (gint64)status->documents);
  json_writer_member_int (writer, "pending", (gint64)status->pending);
  json_writer_member_string (writer, "current", status->current && *status->current ? status->current : NULL);
  json_writer_key (writer, "problems");
  json_writer_begin_array (writer);
  for (gsize i = 0; status->problems[i]; i++)
    json_writer_string (writer, status->problems[i]);
  json_writer_end_array (writer);
  json_writer_key (writer, "folders");
  json_writer_begin_array (writer);
  for (gsize i = 0; status->folders[i]; i++) {
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "path", status->folders[i]);
    json_writer_member_string (writer, "state", status->folder_states[i]);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  json_writer_end_object (writer);
  output_json (writer);
}

static void print_text (const LecternWatchStatus *status, gboolean running)
{
  if (!running)
    output_text ("No service watches the folders; “lecternctl watch run” starts one.\n");
  else
    output_printf ("State      %s%s%s\n", status->state, *status->paused_because ? ": " : "", status->paused_because);
  if (running)
    output_printf ("Documents  %" G_GUINT64_FORMAT "\nPending    %" G_GUINT64_FORMAT "\n", status->documents,
                   status->pending);
  if (running && *status->current)
    output_printf ("Current    %s\n", status->current);
  for (gsize i = 0; status->folders[i]; i++)
    output_printf ("%s  %s: %s\n", i == 0 ? "Folders  " : "         ", status->folders[i], status->folder_states[i]);
  for (gsize i = 0; status->problems[i]; i++)
    output_printf ("%s  %s\n", i == 0 ? "Problems " : "         ", status->problems[i]);
}

static gboolean run_status (const Invocation *invocation, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (LecternWatchStatus) status
      = lectern_watch_get_status (invocation->library_dir, invocation->cancellable, &problem);
  const gboolean running = status != NULL;
  if (g_error_matches (problem, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND))
    status = status_of_nobody (invocation, error);
  else if (problem)
    g_propagate_error (error, g_steal_pointer (&problem));
  if (!status)
    return FALSE;
  if (invocation->json)
    print_json (status);
  else
    print_text (status, running);
  return TRUE;
}

const Command command_watch_status = {
  .name = "watch status",
  .arguments = "",
  .summary = "Show what the service that watches folders is doing",
  .run = run_status,
};

static gboolean call (const Invocation *invocation, const char *method, const char *state, GError **error)
{
  if (!lectern_watch_call (invocation->library_dir, method, invocation->cancellable, error))
    return FALSE;
  if (!invocation->json) {
    output_printf ("The service is %s.\n", state);
    return TRUE;
  }
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "state", state);
  json_writer_end_object (writer);
  output_json (writer);
  return TRUE;
}

static gboolean run_pause (const Invocation *invocation, GError **error)
{
  return call (invocation, "Pause", "paused", error);
}

static gboolean run_resume (const Invocation *invocation, GError **error)
{
  return call (invocation, "Resume", "resumed", error);
}

static gboolean run_stop (const Invocation *invocation, GError **error)
{
  return call (invocation, "Stop", "stopped", error);
}

const Command command_watch_pause = {
  .name = "watch pause",
  .arguments = "",
  .summary = "Let the service pause until it is resumed",
  .run = run_pause,
};

const Command command_watch_resume = {
  .name = "watch resume",
  .arguments = "",
  .summary = "Let a paused service go on",
  .run = run_resume,
};

const Command command_watch_stop = {
  .name = "watch stop",
  .arguments = "",
  .summary = "End the service, and wait until it has ended",
  .run = run_stop,
};
