/* cache.h: how saved sessions are shown. */
#ifndef LECTERN_APP_CACHE_H
#define LECTERN_APP_CACHE_H

#include "app/json-writer.h"
#include "retrieval/retrieval.h"

/* An object with folder, sessions, bytes and quota_bytes. */
void cache_write_json (JsonWriter *writer, const LecternCacheStatus *status);

#endif
