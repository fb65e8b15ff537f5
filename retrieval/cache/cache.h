/* cache.h: the folder of saved states: which one serves a prompt, which ones have to go.
 *
 * Whatever goes wrong here only means that something is computed again: no function reports errors. Several programs may
 * use a folder at the same time. Who writes or removes holds a lock; who finds it taken does not keep its state. */
#ifndef LECTERN_CACHE_CACHE_H
#define LECTERN_CACHE_CACHE_H

#include "retrieval/cache/state_file.h"
#include "retrieval/retrieval.h"

G_BEGIN_DECLS

enum { LECTERN_CACHE_MAX_FILES = 64 };

/* How a state is found again: a conversation has one state, which is replaced; others go by their tokens. */
typedef struct {
  LecternStateHead head;
  const char *conversation; /* NULL: none */
} LecternCacheEntry;

/* Lets the session go on from the saved state that saves most work for ids[n_ids], if it is worth reading: the session has
 * `n_have` of these tokens already. Files that are in any doubt are removed. */
void lectern_cache_restore (LecternCache *cache, const LecternDigest *binding, struct engine_session *session,
                            const gint32 *ids, gsize n_ids, gsize n_have, GCancellable *cancellable);

/* Saves the session's state after the first entry->head.tokens->len tokens, unless it is there; then it counts as used. What
 * was used longest ago goes to make room. Cancelled, or without room, nothing changes. */
void lectern_cache_store (LecternCache *cache, const LecternCacheEntry *entry, const struct engine_session *session,
                          GCancellable *cancellable);

/* The passages of the conversation's last prompt, in order (of LecternDigest); NULL if it is not known. */
GArray *lectern_cache_find_passages (LecternCache *cache, const LecternDigest *binding, const char *conversation);

G_END_DECLS

#endif
