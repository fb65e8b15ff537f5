/* fingerprint.h: which model it is, without reading all of it. */
#ifndef LECTERN_FINGERPRINT_H
#define LECTERN_FINGERPRINT_H

#include "engine/adapter/adapter.h"
#include "engine/model/hash.h"

/* Hash of the file's size, its metadata, its tensor table, and of each tensor the whole, if it is small, or a few samples.
 * Two models of one architecture differ everywhere in their weights, so samples tell them apart; a file of which only a few
 * weights were changed by hand may go unnoticed. Takes milliseconds. */
void fingerprint_model (const struct engine_model *model, uint8_t digest[HASH_BYTES]);

/* The same of what a session applies: of each adapter whose scale is not 0, its file and the scale, in order. All 0 if
 * there are none. */
void fingerprint_adapters (const struct engine_adapter *const *adapters, const float *scales, size_t n_adapters,
                           uint8_t digest[HASH_BYTES]);

#endif
