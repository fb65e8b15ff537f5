#include "app/cache.h"
#include "app/commands.h"
#include "app/output.h"

void cache_write_json (JsonWriter *writer, const LecternCacheStatus *status)
{
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "folder", status->dir);
  json_writer_member_int (writer, "sessions", status->n_files);
  json_writer_member_int (writer, "bytes", (gint64)MIN (status->n_bytes, (guint64)G_MAXINT64));
  json_writer_member_int (writer, "quota_bytes", (gint64)MIN (status->quota_bytes, (guint64)G_MAXINT64));
  json_writer_end_object (writer);
}

static void print_status (const LecternCacheStatus *status)
{
  g_autofree char *dir = g_filename_display_name (status->dir);
  g_autofree char *size = output_dup_size (status->n_bytes);
  g_autofree char *quota = output_dup_size (status->quota_bytes);
  output_printf ("Folder    %s\n", dir);
  output_printf ("Sessions  %u\n", status->n_files);
  if (status->quota_bytes > 0)
    output_printf ("Size      %s of at most %s\n", size, quota);
  else
    output_printf ("Size      %s; turned off by LECTERN_CACHE_BYTES\n", size);
}

static gboolean run_cache (const Invocation *invocation, GError **error)
{
  g_autoptr (LecternCache) cache = lectern_cache_new_default ();
  LecternCacheStatus status;
  guint n_removed = 0;
  const gboolean clear = options_has (invocation->options, "clear");
  if (clear && !lectern_cache_clear (cache, &n_removed, error))
    return FALSE;
  lectern_cache_get_status (cache, &status);
  if (invocation->json) {
    g_autoptr (JsonWriter) writer = json_writer_new ();
    cache_write_json (writer, &status);
    output_json (writer);
  } else if (clear) {
    output_printf ("%u saved %s removed.\n", n_removed, n_removed == 1 ? "session" : "sessions");
  } else {
    print_status (&status);
  }
  return TRUE;
}

static const OptionSpec options[] = {
  { 0, "clear", OPTION_FLAG, NULL, 0, 0, "remove all of them", FALSE },
  OPTIONS_END,
};

const Command command_cache = {
  .name = "cache",
  .arguments = "",
  .summary = "Show, or remove, the saved sessions that answers begin with",
  .details = "What a generator has computed from a prompt's beginning is saved, so that the next question on the same\n"
             "passages is answered sooner. It can be removed at any time; then it is computed again.\n",
  .options = options,
  .run = run_cache,
};
