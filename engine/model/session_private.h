/* session_private.h: what the files of a session share. */
#ifndef LECTERN_SESSION_PRIVATE_H
#define LECTERN_SESSION_PRIVATE_H

#include "engine/model/checkpoints.h"
#include "engine/model/forward.h"
#include "engine/model/hash.h"

struct engine_session {
  struct forward forward;
  struct checkpoints checkpoints; /* of at most n_ready tokens each */
  void *memory;                   /* everything below points into it */
  float *logit_rows;              /* [ENGINE_VERIFY_TOKENS_MAX][vocab] */
  float *logits;                  /* of those rows the one after the last token ... */
  uint32_t n_logits_before;       /* ... and how many tokens before it have theirs in the rows before */
  int32_t *ids;                   /* [context_tokens], of which n_ids are the sequence */
  uint32_t n_ids;
  uint32_t
      n_ready; /* the first so many are in the KV cache and the recurrent state: fewer after going back or cancelling */
  uint32_t context_tokens;
  uint8_t adapters[HASH_BYTES]; /* fingerprint_adapters() of those that are set */
  bool has_logits;              /* those after the last token; then all tokens are ready */
  atomic_bool cancel;
};

/* RANGE unless all ids are in the vocabulary. */
int session_check_ids (const struct engine_session *session, const int32_t *ids, size_t n_ids,
                       struct engine_error *error);

/* Lets the sequence be empty. */
void session_clear (struct engine_session *session);

/* engine_session_restore() from the bytes of a file; `name` is what messages call it. */
int session_restore_bytes (struct engine_session *session, const char *name, const uint8_t *bytes, size_t n_bytes,
                           struct engine_error *error);

#endif
