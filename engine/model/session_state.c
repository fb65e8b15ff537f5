/* session_state.c: a session to a file and back.
 *
 * The file, after its header (state_header.h): ids[n_ids], then of each head's keys and values (in the cache's order) those
 * of n_ready tokens as the cache has them; the recurrent state and the kept copies of it; the logits, if
 * there are any; and the hash of all bytes before it. Numbers are little-endian, as every machine's that this runs on. */
#include "engine/error.h"
#include "engine/gguf/cursor.h"
#include "engine/model/fingerprint.h"
#include "engine/model/session_private.h"
#include "engine/model/state_header.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Saved sessions are little-endian."
#endif

_Static_assert(KV_F16 == 0 && KV_F32 == 1 && KV_Q8_0 == 2, "numbers that are in files");

/* ---- layout ---------------------------------------------------------------------------------------------- */

/* A run of the session's memory that the file holds. */
struct piece {
  void *bytes;
  size_t n_bytes;
};

/* Gives piece `index` of a session with these lengths and this recurrent state; false: there are no more. */
static bool get_piece (const struct engine_session *session, const struct state_header *header, float *state,
                       uint64_t index, struct piece *piece)
{
  const struct kv_cache *cache = &session->forward.cache;
  const uint64_t n_runs = 2 * (uint64_t)header->n_kv_heads;
  if (index == 0) {
    *piece = (struct piece){ session->ids, header->n_ids * sizeof *session->ids };
    return true;
  }
  index -= 1;
  if (index < n_runs) { /* n_kv_heads is of all layers: it is 2^20 at most */
    const size_t row_bytes = kv_format_row_bytes (cache->format, cache->head_dim);
    *piece = (struct piece){ cache->data + kv_cache_offset_bytes (cache, (uint32_t)index, 0),
                             header->n_ready * row_bytes };
    return true;
  }
  index -= n_runs;
  const size_t state_bytes = session->checkpoints.n_floats * sizeof (float);
  if (index == 0) {
    *piece = (struct piece){ state, state_bytes };
    return true;
  }
  index -= 1;
  if (index < session->checkpoints.n) {
    *piece = (struct piece){ session->checkpoints.copies + index * session->checkpoints.n_floats,
                             header->checkpoint_tokens[index] ? state_bytes : 0 };
    return true;
  }
  index -= session->checkpoints.n;
  *piece = (struct piece){ session->logits, header->has_logits ? header->n_vocab * sizeof *session->logits : 0 };
  return index == 0;
}

/* The lengths must be within the session's. */
static uint64_t count_payload (const struct engine_session *session, const struct state_header *header)
{
  struct piece piece;
  uint64_t n_bytes = 0;
  for (uint64_t i = 0; get_piece (session, header, session->forward.state, i, &piece); i++)
    n_bytes += piece.n_bytes;
  return n_bytes;
}

static bool has_long_rope (const struct engine_session *session)
{
  return session->forward.ropes[ROPE_TABLE_GLOBAL] == &session->forward.model->long_rope;
}

/* What a file of this session begins with, but for the lengths. */
static struct state_header describe (const struct engine_session *session)
{
  const struct model_shape *shape = &session->forward.model->shape;
  struct state_header header = {
    .kv_format = session->forward.cache.format,
    .long_rope = has_long_rope (session),
    .head_dim = shape->head_dim,
    .n_kv_heads = shape->n_kv_heads_all,
    .n_vocab = shape->n_vocab,
    .n_state = shape->n_state_all,
    .context_tokens = session->context_tokens,
  };
  memcpy (header.adapters, session->adapters, sizeof header.adapters);
  fingerprint_model (session->forward.model, header.model);
  return header;
}

/* ---- saving ---------------------------------------------------------------------------------------------- */

/* Of the first n_tokens, n_tokens <= session->n_ids. */
static struct state_header describe_first (const struct engine_session *session, uint32_t n_tokens)
{
  struct state_header header = describe (session);
  header.n_ids = n_tokens;
  header.n_ready = session->n_ready <= n_tokens ? session->n_ready : checkpoints_find (&session->checkpoints, n_tokens);
  header.has_logits = session->has_logits && n_tokens == session->n_ids;
  for (uint32_t i = 0; i < CHECKPOINTS_MAX; i++)
    if (session->checkpoints.n_tokens[i] <= header.n_ready)
      header.checkpoint_tokens[i] = session->checkpoints.n_tokens[i];
  header.n_payload_bytes = count_payload (session, &header);
  return header;
}

struct writer {
  engine_write_func write;
  void *data;
  struct hash hash;
};

static bool write_hashed (struct writer *writer, const void *bytes, size_t n_bytes)
{
  hash_add (&writer->hash, bytes, n_bytes);
  return n_bytes == 0 || writer->write (writer->data, bytes, n_bytes);
}

static bool write_state (const struct engine_session *session, uint32_t n_tokens, engine_write_func write, void *data)
{
  const struct state_header header = describe_first (session, n_tokens);
  struct writer writer = { .write = write, .data = data };
  uint8_t head[STATE_HEADER_BYTES], digest[HASH_BYTES];
  struct piece piece;
  float *copy = checkpoints_get (&session->checkpoints, header.n_ready);
  float *state = header.n_ready == session->n_ready || !copy ? session->forward.state : copy;
  hash_init (&writer.hash);
  state_header_write (&header, head);
  bool done = write_hashed (&writer, head, sizeof head);
  for (uint64_t i = 0; done && get_piece (session, &header, state, i, &piece); i++)
    done = write_hashed (&writer, piece.bytes, piece.n_bytes);
  hash_finish (&writer.hash, digest);
  return done && write (data, digest, sizeof digest);
}

static int check_length (const struct engine_session *session, size_t n_tokens, struct engine_error *error)
{
  if (n_tokens <= session->n_ids)
    return ENGINE_OK;
  return engine_error_set (error, ENGINE_ERROR_RANGE, "The first %zu tokens of a session cannot be saved: it has %u.",
                           n_tokens, session->n_ids);
}

int engine_session_count_state_bytes (const struct engine_session *session, size_t n_tokens, uint64_t *n_bytes,
                                      size_t *n_ready, struct engine_error *error)
{
  const int status = check_length (session, n_tokens, error);
  if (status != ENGINE_OK)
    return status;
  const struct state_header header = describe_first (session, (uint32_t)n_tokens);
  *n_bytes = STATE_HEADER_BYTES + header.n_payload_bytes + HASH_BYTES;
  if (n_ready)
    *n_ready = header.n_ready;
  return ENGINE_OK;
}

int engine_session_write (const struct engine_session *session, size_t n_tokens, engine_write_func write, void *data,
                          struct engine_error *error)
{
  const int status = check_length (session, n_tokens, error);
  if (status != ENGINE_OK)
    return status;
  if (!write_state (session, (uint32_t)n_tokens, write, data))
    return engine_error_set (error, ENGINE_ERROR_IO, "The session's state was not taken whole.");
  return ENGINE_OK;
}

static bool write_to_file (void *file, const void *bytes, size_t n_bytes)
{
  return fwrite (bytes, 1, n_bytes, file) == n_bytes;
}

/* The folder's entry is what makes the new name last. Not all file systems can: that is no failure. */
static void sync_folder (const char *path)
{
  const char *slash = strrchr (path, '/');
  char *folder = slash ? strndup (path, slash == path ? 1 : (size_t)(slash - path)) : strdup (".");
  const int descriptor = folder ? open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  free (folder);
  if (descriptor >= 0) {
    fsync (descriptor);
    close (descriptor);
  }
}

static int cannot_write (const char *path, struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_IO, "The session cannot be saved to %.200s: %s.", path,
                           strerror (errno));
}

int engine_session_save (const struct engine_session *session, const char *path, struct engine_error *error)
{
  const size_t length = strlen (path);
  char *temporary = malloc (length + sizeof ".XXXXXX");
  if (!temporary)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to save the session.");
  memcpy (temporary, path, length);
  memcpy (temporary + length, ".XXXXXX", sizeof ".XXXXXX");
  int status = ENGINE_OK;
  const int descriptor = mkostemp (temporary, O_CLOEXEC); /* which only the user may read */
  FILE *file = descriptor < 0 ? NULL : fdopen (descriptor, "wb");
  if (!file) {
    status = cannot_write (path, error);
    if (descriptor >= 0) {
      close (descriptor);
      unlink (temporary);
    }
    free (temporary);
    return status;
  }
  bool done
      = write_state (session, session->n_ids, write_to_file, file) && fflush (file) == 0 && fsync (descriptor) == 0;
  if (!done)
    status = cannot_write (path, error);
  if (fclose (file) != 0 && done)
    status = cannot_write (path, error);
  if (status == ENGINE_OK && rename (temporary, path) != 0)
    status = cannot_write (path, error);
  if (status == ENGINE_OK)
    sync_folder (path);
  else
    unlink (temporary);
  free (temporary);
  return status;
}

/* ---- restoring ------------------------------------------------------------------------------------------- */

static const char *format_name (uint32_t kv_format)
{
  static const char *const names[] = { [KV_F16] = "f16", [KV_F32] = "f32 (exact)", [KV_Q8_0] = "q8_0" };
  return kv_format < sizeof names / sizeof *names ? names[kv_format] : "an unknown format";
}

/* Does the session fit the file? Afterwards all of the header is consistent with the session. */
static int check_header (const struct engine_session *session, const char *name, const struct state_header *header,
                         struct engine_error *error)
{
  const struct state_header own = describe (session);
  if (memcmp (header->model, own.model, sizeof own.model) != 0)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED, "The session %.200s was saved with another model.", name);
  if (memcmp (header->adapters, own.adapters, sizeof own.adapters) != 0)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The session %.200s was saved with other adapters: set the same, with the same scales.",
                             name);
  if (header->kv_format != own.kv_format)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The session %.200s was saved with a KV cache of %s, this one has %s: choose the same.",
                             name, format_name (header->kv_format), format_name (own.kv_format));
  if (header->n_ids > session->context_tokens)
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "The saved session %.200s has %u tokens but the context holds %u: choose a longer one.",
                             name, header->n_ids, session->context_tokens);
  if (header->long_rope != own.long_rope)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The session %.200s was saved in a context of %u tokens, where this model numbers "
                             "positions in another way than "
                             "in one of %u: choose the same.",
                             name, header->context_tokens, session->context_tokens);
  bool sound = header->head_dim == own.head_dim && header->n_kv_heads == own.n_kv_heads
               && header->n_vocab == own.n_vocab && header->n_state == own.n_state && header->has_logits <= 1
               && header->n_ready <= header->n_ids && (header->n_ready == header->n_ids || !header->has_logits)
               && (header->n_ids > 0 || !header->has_logits);
  for (uint32_t i = 0; i < CHECKPOINTS_MAX; i++) {
    const uint32_t n = header->checkpoint_tokens[i];
    sound = sound && n <= (i < session->checkpoints.n ? header->n_ready : 0);
    for (uint32_t j = 0; j < i; j++)
      sound = sound && (n == 0 || n != header->checkpoint_tokens[j]);
  }
  if (!sound || header->n_payload_bytes != count_payload (session, header))
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The saved session %.200s is damaged (its sizes).", name);
  return ENGINE_OK;
}

/* What the header says of the session, once the rest is in place. */
static void take_header (struct engine_session *session, const struct state_header *header)
{
  memcpy (session->checkpoints.n_tokens, header->checkpoint_tokens, sizeof header->checkpoint_tokens);
  session->n_ids = header->n_ids;
  session->n_ready = header->n_ready;
  session->has_logits = header->has_logits;
  session->n_logits_before = 0;
  if (session->n_ready == 0) /* whatever the file has for the state of no tokens */
    checkpoints_restore (&session->checkpoints, session->forward.state, 0);
}

static int check_file (const struct engine_session *session, const char *name, const struct state_header *header,
                       const uint8_t *bytes, size_t n_bytes, struct engine_error *error)
{
  const uint64_t n_needed = STATE_HEADER_BYTES + header->n_payload_bytes + HASH_BYTES;
  uint8_t digest[HASH_BYTES];
  struct hash hash;
  if (n_bytes != n_needed)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The saved session %.200s is %s.", name,
                             n_bytes < n_needed ? "cut short" : "damaged (something follows its end)");
  hash_init (&hash);
  hash_add (&hash, bytes, n_bytes - HASH_BYTES);
  hash_finish (&hash, digest);
  if (memcmp (digest, bytes + n_bytes - HASH_BYTES, HASH_BYTES) != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The saved session %.200s is damaged.", name);
  for (uint32_t i = 0; i < header->n_ids; i++) {
    const int32_t id = (int32_t)load_le (bytes + STATE_HEADER_BYTES + 4 * (size_t)i, 4);
    const int status = session_check_ids (session, &id, 1, error);
    if (status != ENGINE_OK)
      return status;
  }
  return ENGINE_OK;
}

int session_restore_bytes (struct engine_session *session, const char *name, const uint8_t *bytes, size_t n_bytes,
                           struct engine_error *error)
{
  struct state_header header;
  struct piece piece;
  int status = state_header_read (&header, name, bytes, n_bytes, error);
  if (status == ENGINE_OK)
    status = check_header (session, name, &header, error);
  if (status == ENGINE_OK)
    status = check_file (session, name, &header, bytes, n_bytes, error);
  if (status != ENGINE_OK)
    return status;
  bytes += STATE_HEADER_BYTES;
  for (uint64_t i = 0; get_piece (session, &header, session->forward.state, i, &piece); i++) {
    if (piece.n_bytes > 0)
      memcpy (piece.bytes, bytes, piece.n_bytes);
    bytes += piece.n_bytes;
  }
  take_header (session, &header);
  return ENGINE_OK;
}

/* ---- restoring piece by piece ----------------------------------------------------------------------------------- */

static const char streamed[] = "given";

static int cut_short (struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_IO, "The saved session could not be read to its end.");
}

/* Into the session's own memory: the sequence must be empty. */
static int read_pieces (struct engine_session *session, const struct state_header *header, const uint8_t *head,
                        engine_read_func read, void *data, struct engine_error *error)
{
  uint8_t digest[HASH_BYTES], given[HASH_BYTES];
  struct piece piece;
  struct hash hash;
  hash_init (&hash);
  hash_add (&hash, head, STATE_HEADER_BYTES);
  for (uint64_t i = 0; get_piece (session, header, session->forward.state, i, &piece); i++) {
    if (piece.n_bytes > 0 && !read (data, piece.bytes, piece.n_bytes))
      return cut_short (error);
    hash_add (&hash, piece.bytes, piece.n_bytes);
  }
  hash_finish (&hash, digest);
  if (!read (data, given, sizeof given))
    return cut_short (error);
  if (memcmp (digest, given, sizeof given) != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The saved session is damaged.");
  return session_check_ids (session, session->ids, header->n_ids, error);
}

int engine_session_read (struct engine_session *session, engine_read_func read, void *data, struct engine_error *error)
{
  uint8_t head[STATE_HEADER_BYTES];
  struct state_header header;
  if (!read (data, head, sizeof head))
    return cut_short (error);
  int status = state_header_read (&header, streamed, head, sizeof head, error);
  if (status == ENGINE_OK)
    status = check_header (session, streamed, &header, error);
  if (status != ENGINE_OK)
    return status;
  session_clear (session);
  status = read_pieces (session, &header, head, read, data, error);
  if (status == ENGINE_OK)
    take_header (session, &header);
  else
    session_clear (session);
  return status;
}

uint32_t engine_get_state_version (void)
{
  return (uint32_t)STATE_FORMAT_VERSION << 16 | STATE_KV_VERSION;
}

void engine_session_get_state_id (const struct engine_session *session, uint8_t id[ENGINE_STATE_ID_BYTES])
{
  struct state_header header = describe (session);
  uint8_t bytes[STATE_HEADER_BYTES];
  _Static_assert(ENGINE_STATE_ID_BYTES == HASH_BYTES, "the id is a hash");
  header.context_tokens = 0; /* says nothing that long_rope does not */
  state_header_write (&header, bytes);
  memcpy (id, bytes + STATE_HEADER_BYTES - HASH_BYTES, HASH_BYTES);
}

/* ---- restoring a file -------------------------------------------------------------------------------------------- */

static int cannot_read (const char *path, struct engine_error *error)
{
  return engine_error_set (error, ENGINE_ERROR_IO, "The saved session %.200s cannot be read: %s.", path,
                           strerror (errno));
}

static bool read_fully (int descriptor, uint8_t *bytes, size_t n_bytes)
{
  while (n_bytes > 0) {
    const ssize_t n = read (descriptor, bytes, n_bytes);
    if (n < 0 && errno == EINTR)
      continue;
    if (n == 0)
      errno = EIO; /* it has become shorter */
    if (n <= 0)
      return false;
    bytes += n;
    n_bytes -= (size_t)n;
  }
  return true;
}

/* Reads the file, if its size is what the header and this session make it. *bytes is the caller's to free, also after a
 * failure. */
static int read_file (const struct engine_session *session, const char *path, int descriptor, uint8_t **bytes,
                      size_t *n_bytes, struct engine_error *error)
{
  struct stat info;
  uint8_t head[STATE_HEADER_BYTES];
  struct state_header header;
  if (fstat (descriptor, &info) != 0)
    return cannot_read (path, error);
  if (!S_ISREG (info.st_mode))
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "%.200s is not a file, so no saved session.", path);
  const uint64_t size = (uint64_t)info.st_size;
  const size_t n_head = size < sizeof head ? (size_t)size : sizeof head;
  if (!read_fully (descriptor, head, n_head))
    return cannot_read (path, error);
  int status = state_header_read (&header, path, head, n_head, error);
  if (status == ENGINE_OK)
    status = check_header (session, path, &header, error);
  if (status != ENGINE_OK)
    return status;
  /* No more than the session itself has room for: the file's size is wrong, or it is this. */
  *n_bytes = STATE_HEADER_BYTES + (size_t)header.n_payload_bytes + HASH_BYTES;
  *n_bytes = size < *n_bytes ? (size_t)size : size > *n_bytes ? *n_bytes + 1 : *n_bytes;
  *bytes = malloc (*n_bytes);
  if (!*bytes)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left to read the saved session %.200s.",
                             path);
  memcpy (*bytes, head, sizeof head);
  return read_fully (descriptor, *bytes + sizeof head, *n_bytes - sizeof head) ? ENGINE_OK : cannot_read (path, error);
}

int engine_session_restore (struct engine_session *session, const char *path, struct engine_error *error)
{
  uint8_t *bytes = NULL;
  size_t n_bytes = 0;
  const int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe does not make it wait */
  if (descriptor < 0)
    return cannot_read (path, error);
  int status = read_file (session, path, descriptor, &bytes, &n_bytes, error);
  close (descriptor);
  if (status == ENGINE_OK)
    status = session_restore_bytes (session, path, bytes, n_bytes, error);
  free (bytes);
  return status;
}
