#include "app/commands.h"
#include "app/output.h"
#include "retrieval/retrieval.h"

static void print_json (const GPtrArray *models)
{
  const LecternModel *generator = lectern_models_find_generator (models);
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_array (writer);
  for (guint i = 0; i < models->len; i++) {
    const LecternModel *model = g_ptr_array_index (models, i);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "path", model->path);
    json_writer_member_string (writer, "name", model->name);
    json_writer_member_string (writer, "family", model->architecture);
    json_writer_member_string (writer, "role", model->role);
    json_writer_member_boolean (writer, "runs", model->runs);
    json_writer_member_string (writer, "reason", model->runs ? NULL : model->reason);
    json_writer_member_int (writer, "size_bytes", model->size_bytes);
    json_writer_member_int (writer, "memory_bytes", model->memory_bytes);
    json_writer_member_int (writer, "parameters", model->n_parameters);
    json_writer_member_boolean (writer, "in_use", model == generator);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  output_json (writer);
}

static void print_models (const Invocation *invocation, const GPtrArray *models)
{
  g_autofree char *dir = g_build_filename (invocation->library_dir, "models", NULL);
  g_autofree char *shown = g_filename_display_name (dir);
  if (models->len == 0) {
    output_printf ("There are no models in %s. Put GGUF files there; without one, answers quote the passages.\n",
                   shown);
    return;
  }
  const LecternModel *generator = lectern_models_find_generator (models);
  output_printf ("In %s:\n", shown);
  for (guint i = 0; i < models->len; i++) {
    const LecternModel *model = g_ptr_array_index (models, i);
    g_autofree char *file = g_path_get_basename (model->path);
    g_autofree char *size = output_dup_size ((guint64)model->size_bytes);
    g_autofree char *memory = output_dup_size ((guint64)model->memory_bytes);
    output_text (model == generator ? "* " : "  ");
    output_bold (file);
    output_printf ("  %s\n", model->name && *model->name ? model->name : "");
    output_printf ("    %s, %s, %s",
                   model->architecture && *model->architecture ? model->architecture : "unknown family", model->role,
                   size);
    if (model->runs)
      output_printf (", needs %s of memory\n", memory);
    else
      output_printf ("; does not run: %s\n", model->reason ? model->reason : "");
  }
  if (generator)
    output_text ("* answers questions\n");
}

static gboolean run_models (const Invocation *invocation, GError **error)
{
  g_autoptr (GPtrArray) models = lectern_models_list (invocation->library_dir);
  if (invocation->json)
    print_json (models);
  else
    print_models (invocation, models);
  return TRUE;
}

const Command command_models = {
  .name = "models",
  .arguments = "",
  .summary = "List the models found, their family, size, memory need and role",
  .run = run_models,
};
