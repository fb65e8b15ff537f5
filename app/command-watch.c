/* watch run: the service itself, in the foreground. */
#include "app/commands.h"
#include "app/output.h"
#include "ingest/ingest.h"

static void print_batch (const LecternWatchBatch *batch, gpointer user_data)
{
  const Invocation *invocation = user_data;
  const struct {
    const char *name;
    guint n;
  } counts[] = { { "added", batch->added },
                 { "updated", batch->updated },
                 { "moved", batch->moved },
                 { "removed", batch->removed },
                 { "failed", batch->failed } };
  g_autoptr (JsonWriter) writer = json_writer_new ();
  g_autoptr (GString) line = g_string_new (NULL);
  json_writer_begin_object (writer);
  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++) {
    json_writer_member_int (writer, counts[i].name, counts[i].n);
    if (counts[i].n)
      g_string_append_printf (line, "%s%u %s", line->len ? ", " : "", counts[i].n, counts[i].name);
  }
  json_writer_member_double (writer, "seconds", batch->seconds);
  json_writer_end_object (writer);
  if (invocation->json)
    output_json (writer);
  else
    output_printf ("%s in %.1f s.\n", line->str, batch->seconds);
  output_flush ();
}

static gboolean run_watch (const Invocation *invocation, GError **error)
{
  const LecternWatchOptions options = {
    .rescan_s = (guint)options_get_count (invocation->options, "rescan", 0),
    .max_watches = (guint)options_get_count (invocation->options, "max-watches", 0),
  };
  return lectern_watch_run (invocation->library_dir, &options, print_batch, (gpointer)invocation,
                            invocation->cancellable, error);
}

static const OptionSpec options[] = {
  { 0, "rescan", OPTION_COUNT, "SECONDS", 1, 1000000, "look so often through folders that cannot be watched (600)",
    FALSE },
  { 0, "max-watches", OPTION_COUNT, "N", 1, 100000000, "watch at most N folders (all that the system allows)", FALSE },
  OPTIONS_END,
};

const Command command_watch_run = {
  .name = "watch run",
  .arguments = "",
  .summary = "Watch the folders and keep the library up to date, until stopped",
  .details
  = "Runs in the foreground and gives way to other programs. Prints a line, or with --json an object, for each\n"
    "batch of changes. Pauses while the computer saves power or is short of memory. Other programs reach it\n"
    "over D-Bus as org.lectern.Indexer1; it needs no session bus.\n",
  .options = options,
  .run = run_watch,
};
