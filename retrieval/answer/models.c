#include "retrieval/answer/generator.h"

#include <glib/gstdio.h>
#include <string.h>

/* The session that answering uses; what a model's memory is counted with. */
enum { CONTEXT_TOKENS = 4096 };

static const char *const role_names[] = {
  [ENGINE_ROLE_NONE] = "other",
  [ENGINE_ROLE_GENERATOR] = "generator",
  [ENGINE_ROLE_ENCODER] = "encoder",
  [ENGINE_ROLE_RERANKER] = "reranker",
};

const char *lectern_role_get_name (enum engine_role role)
{
  return role_names[role];
}

void lectern_model_free (LecternModel *model)
{
  if (!model)
    return;
  g_free (model->path);
  g_free (model->name);
  g_free (model->architecture);
  g_free (model->role);
  g_free (model->reason);
  g_free (model);
}

static LecternModel *describe (const char *path)
{
  LecternModel *model = g_new0 (LecternModel, 1);
  model->path = g_strdup (path);
  struct engine_model *file = NULL;
  struct engine_error problem;
  if (engine_model_open (path, &file, &problem) != ENGINE_OK) {
    model->name = g_path_get_basename (path);
    model->architecture = g_strdup ("");
    model->role = g_strdup ("other");
    model->reason = g_strdup (problem.message);
    GStatBuf file_stat;
    if (g_stat (path, &file_stat) == 0)
      model->size_bytes = file_stat.st_size;
    return model;
  }
  const struct engine_model_info *info = engine_model_get_info (file);
  model->name = *info->name ? g_strdup (info->name) : g_path_get_basename (path);
  model->architecture = g_strdup (info->architecture);
  model->role = g_strdup (role_names[info->role]);
  model->runs = info->runs;
  model->reason = info->runs ? NULL : g_strdup (info->reason);
  model->size_bytes = (gint64)info->file_bytes;
  model->memory_bytes = model->size_bytes;
  if (info->runs)
    model->memory_bytes += (gint64)engine_model_get_session_bytes (file, CONTEXT_TOKENS);
  model->n_parameters = (gint64)info->n_parameters;
  engine_model_close (file);
  return model;
}

static int compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* Whether `name` is NAME-00002-of-00003.gguf and the like, and the name before it another part of the same model. */
static gboolean is_further_part (const char *name, const char *before)
{
  enum { NUMBER = 5, TAIL = sizeof "-of-00003.gguf" - 1 };
  gsize length = strlen (name);
  if (length <= TAIL + NUMBER + 1 || strlen (before) != length)
    return FALSE;
  const char *number = name + length - TAIL - NUMBER;
  if (number[-1] != '-' || !g_str_has_prefix (number + NUMBER, "-of-"))
    return FALSE;
  for (int i = 0; i < NUMBER; i++)
    if (!g_ascii_isdigit (number[i]) || !g_ascii_isdigit (number[NUMBER + 4 + i]))
      return FALSE;
  return strncmp (name, before, (gsize)(number - name)) == 0 && strcmp (number + NUMBER, before + length - TAIL) == 0;
}

GPtrArray *lectern_models_list (const char *dir)
{
  GPtrArray *models = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_model_free);
  g_autofree char *folder = g_build_filename (dir, "models", NULL);
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name; files && (name = g_dir_read_name (files));) {
    g_autofree char *lower = g_ascii_strdown (name, -1);
    if (g_str_has_suffix (lower, ".gguf"))
      g_ptr_array_add (names, g_build_filename (folder, name, NULL));
  }
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    if (i == 0 || !is_further_part (g_ptr_array_index (names, i), g_ptr_array_index (names, i - 1)))
      g_ptr_array_add (models, describe (g_ptr_array_index (names, i)));
  return models;
}

const LecternModel *lectern_models_find_generator (const GPtrArray *models)
{
  for (guint i = 0; i < models->len; i++) {
    const LecternModel *model = g_ptr_array_index (models, i);
    if (model->runs && !strcmp (model->role, role_names[ENGINE_ROLE_GENERATOR]))
      return model;
  }
  return NULL;
}
