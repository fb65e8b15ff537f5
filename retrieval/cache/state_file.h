/* state_file.h: a session's state in a file that only this user's programs can have written.
 *
 *   n_payload              what engine_session_write() gives
 *   32 per chunk           SHA-256 of each 1 MiB of it
 *   4 per token            the tokens of the state
 *   32 per passage         the passages of its prompt, in order
 *   FOOT                   "LECTERNC", versions, binding, the numbers of tokens, passages and payload bytes
 *   32                     HMAC-SHA256, with the user's key, of all that follows the payload
 *
 * Numbers are little-endian. The HMAC covers the payload through its digests. Nothing is believed before it was
 * authenticated, and what is handed on is the very memory that was: a file that changes while it is read is refused. */
#ifndef LECTERN_CACHE_STATE_FILE_H
#define LECTERN_CACHE_STATE_FILE_H

#include "engine/engine.h"
#include "retrieval/cache/digest.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* What a file says of its state. */
typedef struct {
  LecternDigest binding; /* of the model, and all else without which the state is worth nothing */
  GArray *tokens;        /* of gint32 */
  GArray *passages;      /* of LecternDigest; empty: a beginning without passages */
} LecternStateHead;

void lectern_state_head_clear (LecternStateHead *head);

/* Size of the file for a payload and a head. */
guint64 lectern_state_file_count_bytes (guint64 n_payload, const LecternStateHead *head);

/* Writes the state of the first head->tokens->len tokens to an empty file. FALSE: it is not whole. */
gboolean lectern_state_file_write (int fd, const LecternDigest *key, const LecternStateHead *head,
                                   const struct engine_session *session, GCancellable *cancellable);

typedef struct _LecternStateFile LecternStateFile;

/* Opens and authenticates all but the payload. NULL if there is any doubt: not a plain file of this user's alone, another
 * version, a wrong HMAC, sizes that do not fit. `*inode` (0: it cannot even be looked at) tells which file it was. */
LecternStateFile *lectern_state_file_open (int folder, const char *name, const LecternDigest *key, guint64 *inode);
void lectern_state_file_free (LecternStateFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternStateFile, lectern_state_file_free)

const LecternStateHead *lectern_state_file_get_head (const LecternStateFile *file);

/* Lets it be the one that was used last. */
void lectern_state_file_touch (LecternStateFile *file);

/* Lets the session go on from it. FALSE: the session is empty or as it was, and the file is to be removed unless
 * the reading was cancelled. */
gboolean lectern_state_file_restore (LecternStateFile *file, struct engine_session *session, GCancellable *cancellable);

G_END_DECLS

#endif
