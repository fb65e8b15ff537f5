/* adapter_set.h: the adapters that one session or encoder applies, with their scales and the work memory for it.
 *
 * All memory is taken in adapter_set_new(). Results have the guarantee of matmul(): a token's do not depend on the others
 * of its batch, nor on the number of threads. */
#ifndef LECTERN_ADAPTER_SET_H
#define LECTERN_ADAPTER_SET_H

#include "engine/adapter/adapter.h"

struct adapter_set;

/* For batches of at most n_tokens of `model`. An adapter of scale 0 is left out; *set is NULL if none is left. The
 * adapters must stay open. Errors: RANGE (a scale that is not finite, an adapter of another model), NO_MEMORY. */
int adapter_set_new (const struct engine_model *model, const struct engine_adapter *const *adapters,
                     const float *scales, size_t n_adapters, uint32_t n_tokens, struct adapter_set **set,
                     struct engine_error *error);
void adapter_set_free (struct adapter_set *set);

/* out += what the adapters add to w * x; the shapes are those of matmul(). w may be a view of a base tensor's rows. Work
 * memory is the set's own: one caller at a time. */
void adapter_set_project (const struct adapter_set *set, struct pool *pool, const struct matrix *w, const float *x,
                          size_t x_stride, uint32_t n_tokens, float *out, size_t out_stride, bool exact,
                          const atomic_bool *cancel);

/* out[n_tokens][embd] += factor * what they add to the embeddings of ids[n_tokens]. */
void adapter_set_embed (const struct adapter_set *set, struct pool *pool, const int32_t *ids, uint32_t n_tokens,
                        float factor, float *out, bool exact, const atomic_bool *cancel);

#endif
