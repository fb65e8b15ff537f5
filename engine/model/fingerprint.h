/* fingerprint.h: which model it is, without reading all of it. */
#ifndef LECTERN_FINGERPRINT_H
#define LECTERN_FINGERPRINT_H

#include "engine/model/hash.h"
#include "engine/model/model.h"

/* Hash of the file's size, its metadata, its tensor table, and of each tensor the whole, if it is small, or a few samples.
 * Two models of one architecture differ everywhere in their weights, so samples tell them apart; a file of which only a few
 * weights were changed by hand may go unnoticed. Takes milliseconds. */
void fingerprint_model (const struct engine_model *model, uint8_t digest[HASH_BYTES]);

#endif
