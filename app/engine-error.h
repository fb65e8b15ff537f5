/* engine-error.h: the engine's error structs as GError, in the one place that converts. */
#ifndef LECTERN_ENGINE_ERROR_H
#define LECTERN_ENGINE_ERROR_H

#include "engine/engine.h"
#include <gio/gio.h>

/* TRUE if status is ENGINE_OK; else sets *error (ENGINE_ERROR_CANCELLED as G_IO_ERROR_CANCELLED). */
gboolean engine_check (int status, const struct engine_error *engine_error, GError **error);

/* NULL with *error if the file cannot be opened. */
struct engine_model *engine_model_open_gerror (const char *path, GError **error);
typedef struct engine_model EngineModel;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EngineModel, engine_model_close)

#endif
