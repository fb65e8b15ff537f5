#include "app/cache.h"
#include "app/commands.h"
#include "app/output.h"
#include "ingest/ingest.h"
#include "retrieval/retrieval.h"

/* How documents are read on this system; the reason why that is not known is as good as an answer. */
static void write_protections_json (JsonWriter *writer, const LecternProtections *protections, const char *problem)
{
  json_writer_begin_object (writer);
  for (guint i = 0; protections && i < LECTERN_N_PROTECTIONS; i++) {
    g_autofree char *key = g_strdup (lectern_protection_to_string ((LecternProtection)i));
    json_writer_member_boolean (writer, g_strdelimit (key, " ", '_'), protections->active[i]);
  }
  if (protections)
    json_writer_member_int (writer, "landlock_abi", protections->landlock_abi);
  json_writer_member_string (writer, "error", problem);
  json_writer_end_object (writer);
}

static void print_protections (const LecternProtections *protections, const char *problem)
{
  if (!protections) {
    output_printf ("Reader     %s\n", problem);
    return;
  }
  g_autoptr (GString) active = g_string_new (NULL);
  for (guint i = 0; i < LECTERN_N_PROTECTIONS; i++)
    if (protections->active[i])
      g_string_append_printf (active, "%s%s", active->len ? ", " : "",
                              lectern_protection_to_string ((LecternProtection)i));
  output_printf ("Reader     locked up: %s\n", active->len ? active->str : "not at all");
  for (guint i = 0; i < LECTERN_N_PROTECTIONS; i++)
    if (!protections->active[i])
      output_printf ("           this system lacks protection of %s: that a reader %s\n",
                     lectern_protection_to_string ((LecternProtection)i),
                     lectern_protection_describe ((LecternProtection)i));
}

static void print_status_json (const Invocation *invocation, const LecternLibraryStatus *status,
                               const LecternModel *generator, const LecternCacheStatus *cache,
                               const LecternProtections *protections, const char *problem, gboolean check)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "library", invocation->library_dir);
  json_writer_member_int (writer, "schema_version", status->schema_version);
  json_writer_member_int (writer, "documents", status->n_documents);
  json_writer_member_int (writer, "indexed", status->n_indexed);
  json_writer_member_int (writer, "failed", status->n_failed);
  json_writer_member_int (writer, "contents", status->n_contents);
  json_writer_member_int (writer, "chunks", status->n_chunks);
  json_writer_member_int (writer, "pages", status->n_pages);
  json_writer_member_int (writer, "database_bytes", status->database_bytes);
  json_writer_member_int (writer, "text_bytes", status->text_bytes);
  json_writer_key (writer, "models");
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "generator", generator ? generator->path : NULL);
  json_writer_end_object (writer);
  json_writer_key (writer, "cache");
  cache_write_json (writer, cache);
  json_writer_key (writer, "protections");
  write_protections_json (writer, protections, problem);
  json_writer_member_string (writer, "health", status->health);
  json_writer_member_string (writer, "checked", check ? "database and index" : "database");
  json_writer_end_object (writer);
  output_json (writer);
}

static void print_status (const Invocation *invocation, const LecternLibraryStatus *status,
                          const LecternModel *generator, const LecternCacheStatus *cache,
                          const LecternProtections *protections, const char *problem, gboolean check)
{
  g_autofree char *dir = g_filename_display_name (invocation->library_dir);
  g_autofree char *database = output_dup_size ((guint64)status->database_bytes);
  g_autofree char *text = output_dup_size ((guint64)status->text_bytes);
  output_printf ("Library    %s\n", dir);
  output_printf ("Documents  %" G_GINT64_FORMAT " (%" G_GINT64_FORMAT " indexed, %" G_GINT64_FORMAT " not)\n",
                 status->n_documents, status->n_indexed, status->n_failed);
  output_printf ("Passages   %" G_GINT64_FORMAT " from %" G_GINT64_FORMAT " pages\n", status->n_chunks,
                 status->n_pages);
  output_printf ("Size       %s for %s of text\n", database, text);
  output_printf ("Generator  %s\n", generator ? generator->name : "none (answers quote the passages)");
  g_autofree char *cache_size = output_dup_size (cache->n_bytes);
  output_printf ("Cache      %s in %u saved %s\n", cache_size, cache->n_files,
                 cache->n_files == 1 ? "session" : "sessions");
  print_protections (protections, problem);
  output_printf ("Health     %s (%s)\n", status->health,
                 check ? "database and index checked"
                       : "database checked; --check compares the index with the texts too");
}

static gboolean run_status (const Invocation *invocation, GError **error)
{
  /* The comparison of the index with the texts needs a writer; a writer would create a library that is not there. */
  gboolean check = options_has (invocation->options, "check");
  if (check) {
    g_autoptr (LecternLibrary) present = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_READ, error);
    if (!present)
      return FALSE;
  }
  g_autoptr (LecternLibrary) library
      = lectern_library_open (invocation->library_dir, check ? LECTERN_LIBRARY_WRITE : LECTERN_LIBRARY_READ, error);
  if (!library)
    return FALSE;
  g_autoptr (LecternLibraryStatus) status = lectern_library_get_status (library, TRUE, error);
  if (!status)
    return FALSE;
  g_autoptr (GPtrArray) models = lectern_models_list (invocation->library_dir);
  const LecternModel *generator = lectern_models_find_generator (models);
  g_autoptr (LecternCache) cache = lectern_cache_new_default ();
  LecternCacheStatus cache_status;
  lectern_cache_get_status (cache, &cache_status);
  LecternProtections found;
  g_autoptr (GError) problem = NULL;
  g_autoptr (LecternExtractor) extractor = lectern_extractor_new (&problem);
  const LecternProtections *protections
      = extractor && lectern_extractor_get_protections (extractor, &found, &problem) ? &found : NULL;
  if (invocation->json)
    print_status_json (invocation, status, generator, &cache_status, protections, problem ? problem->message : NULL,
                       check);
  else
    print_status (invocation, status, generator, &cache_status, protections, problem ? problem->message : NULL, check);
  return TRUE;
}

static const OptionSpec options[] = {
  { 0, "check", OPTION_FLAG, NULL, 0, 0, "also compare the full-text index with the texts", FALSE },
  OPTIONS_END,
};

const Command command_status = {
  .name = "status",
  .arguments = "",
  .summary = "Show counts, sizes, the models in use, and check the library's health",
  .options = options,
  .run = run_status,
};
