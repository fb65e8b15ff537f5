#include "retrieval/cache/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_VERSION = 1, CHUNK_BYTES = 1 << 20, FOOT_BYTES = 64, MAX_TOKENS = 1 << 24, MAX_PASSAGES = 1024 };
static const guint64 max_payload = G_GUINT64_CONSTANT (1) << 40;
static const char magic[8] = "LECTERNC";

void lectern_state_head_clear (LecternStateHead *head)
{
  g_clear_pointer (&head->tokens, g_array_unref);
  g_clear_pointer (&head->passages, g_array_unref);
}

static guint64 count_chunks (guint64 n_payload)
{
  return (n_payload + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

/* Between payload and foot. */
static guint64 count_table_bytes (guint64 n_payload, guint64 n_tokens, guint64 n_passages)
{
  return (count_chunks (n_payload) + n_passages) * LECTERN_DIGEST_BYTES + n_tokens * sizeof (guint32);
}

guint64 lectern_state_file_count_bytes (guint64 n_payload, const LecternStateHead *head)
{
  return n_payload + count_table_bytes (n_payload, head->tokens->len, head->passages->len) + FOOT_BYTES
         + LECTERN_DIGEST_BYTES;
}

static void put_le (guint8 *bytes, guint64 value, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = (guint8)(value >> (8 * i));
}

static guint64 get_le (const guint8 *bytes, gsize n_bytes)
{
  guint64 value = 0;
  for (gsize i = 0; i < n_bytes; i++)
    value |= (guint64)bytes[i] << (8 * i);
  return value;
}

/* ---- writing --------------------------------------------------------------------------------------------- */

typedef struct {
  int fd;
  GCancellable *cancellable;
  GByteArray *chunk, *table;
  guint64 n_payload;
} Writer;

static gboolean write_fully (int fd, const guint8 *bytes, gsize n_bytes)
{
  while (n_bytes > 0) {
    const ssize_t n = write (fd, bytes, n_bytes);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    bytes += n;
    n_bytes -= (gsize)n;
  }
  return TRUE;
}

static gboolean flush_chunk (Writer *writer)
{
  const GByteArray *chunk = writer->chunk;
  if (chunk->len == 0)
    return TRUE;
  const LecternDigest digest = lectern_digest_of (chunk->data, chunk->len);
  g_byte_array_append (writer->table, digest.bytes, sizeof digest.bytes);
  const gboolean done
      = !g_cancellable_is_cancelled (writer->cancellable) && write_fully (writer->fd, chunk->data, chunk->len);
  g_byte_array_set_size (writer->chunk, 0);
  return done;
}

static bool take_bytes (void *data, const void *bytes, size_t n_bytes)
{
  Writer *writer = data;
  const guint8 *from = bytes;
  writer->n_payload += n_bytes;
  while (n_bytes > 0) {
    const guint n = (guint)MIN (n_bytes, CHUNK_BYTES - writer->chunk->len);
    g_byte_array_append (writer->chunk, from, n);
    from += n;
    n_bytes -= n;
    if (writer->chunk->len == CHUNK_BYTES && !flush_chunk (writer))
      return false;
  }
  return true;
}

static void append_head (GByteArray *table, const LecternStateHead *head, guint64 n_payload)
{
  guint8 foot[FOOT_BYTES], number[4];
  for (guint i = 0; i < head->tokens->len; i++) {
    put_le (number, (guint32)g_array_index (head->tokens, gint32, i), sizeof number);
    g_byte_array_append (table, number, sizeof number);
  }
  for (guint i = 0; i < head->passages->len; i++)
    g_byte_array_append (table, g_array_index (head->passages, LecternDigest, i).bytes, LECTERN_DIGEST_BYTES);
  memcpy (foot, magic, 8);
  put_le (foot + 8, FILE_VERSION, 4);
  put_le (foot + 12, engine_get_state_version (), 4);
  memcpy (foot + 16, head->binding.bytes, LECTERN_DIGEST_BYTES);
  put_le (foot + 48, head->tokens->len, 4);
  put_le (foot + 52, head->passages->len, 4);
  put_le (foot + 56, n_payload, 8);
  g_byte_array_append (table, foot, sizeof foot);
}

gboolean lectern_state_file_write (int fd, const LecternDigest *key, const LecternStateHead *head,
                                   const struct engine_session *session, GCancellable *cancellable)
{
  g_autoptr (GByteArray) chunk = g_byte_array_sized_new (CHUNK_BYTES), table = g_byte_array_new ();
  Writer writer = { .fd = fd, .cancellable = cancellable, .chunk = chunk, .table = table };
  if (engine_session_write (session, head->tokens->len, take_bytes, &writer, NULL) != ENGINE_OK
      || !flush_chunk (&writer))
    return FALSE;
  append_head (table, head, writer.n_payload);
  const LecternDigestPart part = { table->data, table->len };
  const LecternDigest mac = lectern_digest_of_parts (key, &part, 1);
  return write_fully (fd, table->data, table->len) && write_fully (fd, mac.bytes, sizeof mac.bytes);
}

/* ---- opening --------------------------------------------------------------------------------------------- */

struct _LecternStateFile {
  int fd;
  LecternStateHead head;
  guint64 n_payload;
  LecternDigest *digests; /* [count_chunks (n_payload)] */
  /* while it is restored */
  guint8 *chunk;
  gsize chunk_at, chunk_end;
  guint64 n_read;
  GCancellable *cancellable;
};

static gboolean read_at (int fd, guint64 offset, guint8 *bytes, gsize n_bytes)
{
  while (n_bytes > 0) {
    const ssize_t n = pread (fd, bytes, n_bytes, (off_t)offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    bytes += n;
    offset += (guint64)n;
    n_bytes -= (gsize)n;
  }
  return TRUE;
}

static void read_head (LecternStateFile *file, const guint8 *table, guint32 n_tokens, guint32 n_passages)
{
  const guint64 n_chunks = count_chunks (file->n_payload);
  file->digests = g_memdup2 (table, (gsize)n_chunks * sizeof *file->digests);
  table += n_chunks * sizeof *file->digests;
  file->head.tokens = g_array_sized_new (FALSE, FALSE, sizeof (gint32), n_tokens);
  for (guint32 i = 0; i < n_tokens; i++, table += 4) {
    const gint32 id = (gint32)get_le (table, 4);
    g_array_append_val (file->head.tokens, id);
  }
  file->head.passages = g_array_sized_new (FALSE, FALSE, sizeof (LecternDigest), n_passages);
  g_array_append_vals (file->head.passages, table, n_passages);
}

/* Reads and authenticates what follows the payload. */
static gboolean read_rest (LecternStateFile *file, const LecternDigest *key, guint64 size)
{
  guint8 end[FOOT_BYTES + LECTERN_DIGEST_BYTES];
  if (size < sizeof end || !read_at (file->fd, size - sizeof end, end, sizeof end) || memcmp (end, magic, 8) != 0)
    return FALSE;
  /* These decide only how much is authenticated: no more than the file has. */
  const guint32 n_tokens = (guint32)get_le (end + 48, 4), n_passages = (guint32)get_le (end + 52, 4);
  const guint64 n_payload = get_le (end + 56, 8);
  if (n_tokens > MAX_TOKENS || n_passages > MAX_PASSAGES || n_payload > max_payload)
    return FALSE;
  const guint64 n_table = count_table_bytes (n_payload, n_tokens, n_passages);
  if (size != n_payload + n_table + sizeof end)
    return FALSE;
  g_autofree guint8 *table = g_try_malloc ((gsize)n_table + 1);
  if (!table || !read_at (file->fd, n_payload, table, (gsize)n_table))
    return FALSE;
  const LecternDigestPart parts[] = { { table, (gsize)n_table }, { end, FOOT_BYTES } };
  const LecternDigest mac = lectern_digest_of_parts (key, parts, G_N_ELEMENTS (parts));
  LecternDigest given;
  memcpy (given.bytes, end + FOOT_BYTES, sizeof given.bytes);
  if (!lectern_digest_equal (&mac, &given) || get_le (end + 8, 4) != FILE_VERSION
      || get_le (end + 12, 4) != engine_get_state_version ())
    return FALSE;
  memcpy (file->head.binding.bytes, end + 16, LECTERN_DIGEST_BYTES);
  file->n_payload = n_payload;
  read_head (file, table, n_tokens, n_passages);
  return TRUE;
}

LecternStateFile *lectern_state_file_open (int folder, const char *name, const LecternDigest *key, guint64 *inode)
{
  struct stat info;
  g_autoptr (LecternStateFile) file = g_new0 (LecternStateFile, 1);
  *inode = fstatat (folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_ino : 0;
  file->fd = openat (folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file->fd < 0 || fstat (file->fd, &info) != 0)
    return NULL;
  *inode = info.st_ino;
  if (!S_ISREG (info.st_mode) || info.st_uid != geteuid () || (info.st_mode & 077) != 0 || info.st_nlink > 1
      || info.st_size < 0 || !read_rest (file, key, (guint64)info.st_size))
    return NULL;
  return g_steal_pointer (&file);
}

void lectern_state_file_free (LecternStateFile *file)
{
  if (!file)
    return;
  if (file->fd >= 0)
    close (file->fd);
  lectern_state_head_clear (&file->head);
  g_free (file->digests);
  g_free (file->chunk);
  g_free (file);
}

const LecternStateHead *lectern_state_file_get_head (const LecternStateFile *file)
{
  return &file->head;
}

void lectern_state_file_touch (LecternStateFile *file)
{
  if (futimens (file->fd, NULL) != 0)
    g_debug ("a saved state keeps its old time: %s", g_strerror (errno));
}

/* ---- restoring ------------------------------------------------------------------------------------------- */

/* Reads the next chunk; it counts only if its digest is the one in the table. */
static gboolean next_chunk (LecternStateFile *file)
{
  const guint64 left = file->n_payload - file->n_read;
  const gsize n = (gsize)MIN (left, CHUNK_BYTES);
  if (n == 0 || g_cancellable_is_cancelled (file->cancellable) || !read_at (file->fd, file->n_read, file->chunk, n))
    return FALSE;
  const LecternDigest digest = lectern_digest_of (file->chunk, n);
  if (!lectern_digest_equal (&digest, &file->digests[file->n_read / CHUNK_BYTES]))
    return FALSE;
  file->n_read += n;
  file->chunk_at = 0;
  file->chunk_end = n;
  return TRUE;
}

static bool give_bytes (void *data, void *bytes, size_t n_bytes)
{
  LecternStateFile *file = data;
  guint8 *to = bytes;
  while (n_bytes > 0) {
    if (file->chunk_at == file->chunk_end && !next_chunk (file))
      return false;
    const gsize n = MIN (n_bytes, file->chunk_end - file->chunk_at);
    memcpy (to, file->chunk + file->chunk_at, n);
    file->chunk_at += n;
    to += n;
    n_bytes -= n;
  }
  return true;
}

gboolean lectern_state_file_restore (LecternStateFile *file, struct engine_session *session, GCancellable *cancellable)
{
  if (!file->chunk)
    file->chunk = g_malloc (CHUNK_BYTES);
  file->chunk_at = file->chunk_end = 0;
  file->n_read = 0;
  file->cancellable = cancellable;
  if (engine_session_read (session, give_bytes, file, NULL) != ENGINE_OK)
    return FALSE;
  if (file->n_read == file->n_payload && file->chunk_at == file->chunk_end)
    return TRUE;
  engine_session_truncate (session, 0, NULL);
  return FALSE;
}
