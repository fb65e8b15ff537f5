/* models.h: which model a command uses. */
#ifndef LECTERN_APP_MODELS_H
#define LECTERN_APP_MODELS_H

#include "retrieval/retrieval.h"

/* The first generator that runs among `models` (as lectern_models_list() gives them), or NULL; borrowed. */
const LecternModel *models_find_generator (const GPtrArray *models);

#endif
