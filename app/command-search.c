#include "app/commands.h"
#include "app/output.h"
#include "app/passages.h"
#include <string.h>

static const OptionSpec options[] = {
  { 'n', NULL, OPTION_COUNT, "N", 1, 1000, "at most N passages (default: 10)", FALSE },
  { 0, "mode", OPTION_TEXT, "MODE", 0, 0, "hybrid (the best that the library can do; default), keyword or semantic",
    FALSE },
  { 0, "in", OPTION_TEXT, "PATH", 0, 0, "only in this file or folder", FALSE },
  OPTIONS_END,
};

static void print_json (const char *query, double took_ms, const GPtrArray *results)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "query", query);
  json_writer_member_double (writer, "took_ms", took_ms);
  json_writer_key (writer, "results");
  json_writer_begin_array (writer);
  for (guint i = 0; i < results->len; i++) {
    json_writer_begin_object (writer);
    json_writer_result_members (writer, g_ptr_array_index (results, i));
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  json_writer_end_object (writer);
  output_json (writer);
}

static void print_results (const char *query, const GPtrArray *results)
{
  if (results->len == 0)
    output_text ("Nothing found.\n");
  for (guint i = 0; i < results->len; i++) {
    const LecternResult *result = g_ptr_array_index (results, i);
    g_autofree char *title = passage_dup_title (result);
    g_autofree char *pages = passage_dup_pages (result);
    g_autofree char *heading = g_strjoinv (" › ", result->heading);
    g_autofree char *snippet = passage_dup_snippet (result->text, query, 280);
    g_autofree char *path = g_filename_display_name (result->path);
    output_printf ("%s%u. ", i ? "\n" : "", result->rank);
    output_bold (title);
    output_printf ("%s%s\n", *pages ? ", " : "", pages);
    if (*heading)
      output_printf ("   %s\n", heading);
    passage_print_marked (snippet, query, 3);
    output_text ("   ");
    output_dim (path);
    output_text ("\n");
  }
}

static gboolean run_search (const Invocation *invocation, GError **error)
{
  LecternSearchOptions search = { .mode = LECTERN_SEARCH_HYBRID };
  const char *mode = options_get_text (invocation->options, "mode");
  if (!search_mode_from_string (mode, &search.mode, error))
    return FALSE;
  search.limit = (guint)options_get_count (invocation->options, "n", 10);
  const char *in = options_get_text (invocation->options, "in");
  g_autofree char *in_path = in ? invocation_dup_stored_path (in) : NULL;
  search.in_path = in_path;

  g_autofree char *query = invocation_dup_query (invocation, invocation->words[0], error);
  if (!query)
    return FALSE;
  g_autoptr (LecternLibrary) library = lectern_library_open (invocation->library_dir, LECTERN_LIBRARY_READ, error);
  if (!library)
    return FALSE;
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GPtrArray) results = lectern_search (library, query, &search, invocation->cancellable, error);
  if (!results)
    return FALSE;
  double took_ms = (double)(g_get_monotonic_time () - start) / 1000.0;
  if (invocation->json)
    print_json (query, took_ms, results);
  else
    print_results (query, results);
  return TRUE;
}

gboolean search_mode_from_string (const char *word, LecternSearchMode *mode, GError **error)
{
  static const char *const words[] = { "hybrid", "keyword", "semantic" };
  static const LecternSearchMode modes[] = { LECTERN_SEARCH_HYBRID, LECTERN_SEARCH_KEYWORD, LECTERN_SEARCH_SEMANTIC };
  if (!word)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (word, words[i]) == 0) {
      *mode = modes[i];
      return TRUE;
    }
  g_autofree char *shown = g_utf8_make_valid (word, -1);
  g_set_error (error, USAGE_ERROR, 0, "--mode is hybrid, keyword or semantic, not “%s”.", shown);
  return FALSE;
}

const Command command_search = {
  .name = "search",
  .arguments = "QUERY",
  .summary = "Find passages, best first",
  .details
  = "Any text is a valid query; \"quoted words\" must stand together. A QUERY of - is read from standard input.\n",
  .options = options,
  .min_words = 1,
  .max_words = 1,
  .run = run_search,
};
