#include "app/lora.h"
#include "app/engine-error.h"
#include <math.h>
#include <string.h>

char *lora_split (const char *text, float *scale)
{
  const char *colon = strrchr (text, ':');
  char *end = NULL;
  *scale = 1;
  if (!colon || colon == text || colon[1] == '\0' || strspn (colon + 1, "0123456789.eE+-") != strlen (colon + 1))
    return g_strdup (text);
  const double number = g_ascii_strtod (colon + 1, &end);
  if (*end != '\0' || !isfinite ((float)number))
    return g_strdup (text);
  *scale = (float)number;
  return g_strndup (text, (gsize)(colon - text));
}

static void close_adapter (gpointer adapter)
{
  engine_adapter_close (adapter);
}

GPtrArray *lora_apply (const struct engine_model *model, struct engine_session *session, const char *const *texts,
                       guint n, GError **error)
{
  g_autoptr (GPtrArray) adapters = g_ptr_array_new_with_free_func (close_adapter);
  g_autofree float *scales = g_new0 (float, MAX (n, 1));
  struct engine_error engine_error = { 0 };
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = lora_split (texts[i], &scales[i]);
    struct engine_adapter *adapter;
    const int status = engine_adapter_open (model, path, &adapter, &engine_error);
    if (!engine_check (status, &engine_error, error)) {
      g_autofree char *shown = g_filename_display_name (path);
      if (status != ENGINE_ERROR_IO) /* that names the file itself */
        g_prefix_error (error, "%s: ", shown);
      return NULL;
    }
    g_ptr_array_add (adapters, adapter);
  }
  if (!engine_check (engine_session_set_adapters (session, (const struct engine_adapter *const *)adapters->pdata,
                                                  scales, n, &engine_error),
                     &engine_error, error))
    return NULL;
  return g_steal_pointer (&adapters);
}
