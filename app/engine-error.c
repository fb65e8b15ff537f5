#include "app/engine-error.h"

gboolean engine_check (int status, const struct engine_error *engine_error, GError **error)
{
  if (status == ENGINE_OK)
    return TRUE;
  GIOErrorEnum code = G_IO_ERROR_FAILED;
  if (status == ENGINE_ERROR_CANCELLED)
    code = G_IO_ERROR_CANCELLED;
  else if (status == ENGINE_ERROR_UNSUPPORTED)
    code = G_IO_ERROR_NOT_SUPPORTED;
  else if (status == ENGINE_ERROR_FORMAT)
    code = G_IO_ERROR_INVALID_DATA;
  g_set_error_literal (error, G_IO_ERROR, code, code == G_IO_ERROR_CANCELLED ? "Stopped." : engine_error->message);
  return FALSE;
}

struct engine_model *engine_model_open_gerror (const char *path, GError **error)
{
  struct engine_model *model = NULL;
  struct engine_error engine_error = { 0 };
  return engine_check (engine_model_open (path, &model, &engine_error), &engine_error, error) ? model : NULL;
}
