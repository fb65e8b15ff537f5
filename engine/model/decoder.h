/* decoder.h: one batch of tokens through a decoder: embeddings, layers, language-model head. */
#ifndef LECTERN_DECODER_H
#define LECTERN_DECODER_H

#include "engine/model/forward.h"

#define DECODER_BATCH_TOKENS 512 /* of one pass during prefill */

/* Evaluates n_tokens (1 to forward->buffers.n_tokens) valid ids at `position`, whose predecessors are in the cache and in
 * the recurrent state, and puts theirs there. logits[n_logits][vocab] get those after each of the last n_logits tokens (0: none
 * are computed). False when cancelled: then cache entries from `position` on, the recurrent state and the logits are
 * undefined. */
bool decoder_evaluate (struct forward *forward, const int32_t *ids, uint32_t n_tokens, uint32_t position,
                       uint32_t n_logits, float *logits);

#endif
