/* state_header.h: the first bytes of a saved session (session_state.c tells what follows them).
 *
 *   8   "LECTERNS"
 *   4   STATE_FORMAT_VERSION: how the file is laid out
 *   4   STATE_KV_VERSION: what the numbers in it mean
 *   .   the fields of struct state_header, in order, little-endian
 *   16  hash of all bytes before it (hash.h) */
#ifndef LECTERN_STATE_HEADER_H
#define LECTERN_STATE_HEADER_H

#include "engine/model/checkpoints.h"
#include "engine/model/hash.h"
#include "engine/engine.h"

#define STATE_FORMAT_VERSION 1
#define STATE_KV_VERSION                                                                                               \
  2 /* counts up whenever a session would compute other keys, values or states from the same tokens */

struct state_header {
  uint8_t model[HASH_BYTES], adapters[HASH_BYTES]; /* fingerprint.h */
  uint32_t kv_format;                              /* 0: F16, 1: F32 (exact), 2: Q8_0 */
  uint32_t long_rope;                              /* 1: positions are rotated as in long contexts */
  uint32_t head_dim, n_kv_heads, n_vocab;
  uint32_t context_tokens;                     /* of the session that was saved */
  uint32_t n_ids, n_ready, has_logits;         /* as in struct engine_session */
  uint32_t checkpoint_tokens[CHECKPOINTS_MAX]; /* as in struct checkpoints; 0: the file has no such copy */
  uint64_t n_state;                            /* floats of one recurrent state */
  uint64_t n_payload_bytes;                    /* between the header and the hash at the file's end */
};

#define STATE_HEADER_BYTES (8 + 4 + 4 + 2 * HASH_BYTES + 4 * (9 + CHECKPOINTS_MAX) + 2 * 8 + HASH_BYTES)

void state_header_write (const struct state_header *header, uint8_t bytes[STATE_HEADER_BYTES]);

/* FORMAT for what is no saved session, is cut short or damaged; UNSUPPORTED for other versions. No field is believed yet
 * but for coming out of a whole header. */
int state_header_read (struct state_header *header, const char *name, const uint8_t *bytes, size_t n_bytes,
                       struct engine_error *error);

#endif
