#include "retrieval/cache/cache.h"
#include "retrieval/cache/user_key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Of evaluating a token, reading one costs at most so little. */
enum { READING_SHARE = 8, NAME_BYTES = 16, LOCK_ATTEMPTS = 40, LOCK_PAUSE_US = 50000 };
static const guint64 default_quota = G_GUINT64_CONSTANT (2) << 30;
static const char suffix[] = ".state", temporary_name[] = "new.tmp", lock_name[] = "lock";

struct _LecternCache {
  gatomicrefcount references;
  char *dir, *key_path;
  guint64 quota; /* 0: the default */
  gboolean off;
};

LecternCache *lectern_cache_new (const char *dir, const char *key_path, guint64 quota_bytes)
{
  LecternCache *cache = g_new0 (LecternCache, 1);
  g_atomic_ref_count_init (&cache->references);
  cache->dir = g_strdup (dir);
  cache->key_path = g_strdup (key_path);
  cache->quota = quota_bytes;
  return cache;
}

LecternCache *lectern_cache_new_default (void)
{
  const char *given = g_getenv ("LECTERN_CACHE_BYTES");
  guint64 quota = 0;
  const gboolean is_given = given && *given;
  if (is_given && !g_ascii_string_to_unsigned (given, 10, 0, G_MAXUINT64, &quota, NULL))
    quota = 0;
  g_autofree char *dir = g_build_filename (g_get_user_cache_dir (), "lectern", "sessions", NULL);
  g_autofree char *key_path = g_build_filename (g_get_user_state_dir (), "lectern", "session.key", NULL);
  LecternCache *cache = lectern_cache_new (dir, key_path, quota);
  cache->off = is_given && quota == 0;
  return cache;
}

LecternCache *lectern_cache_ref (LecternCache *cache)
{
  g_atomic_ref_count_inc (&cache->references);
  return cache;
}

void lectern_cache_unref (LecternCache *cache)
{
  if (!cache || !g_atomic_ref_count_dec (&cache->references))
    return;
  g_free (cache->dir);
  g_free (cache->key_path);
  g_free (cache);
}

/* ---- the folder ------------------------------------------------------------------------------------------ */

/* A folder of this user's, which becomes closed to others; -1: there is none. */
static int open_folder (const LecternCache *cache, gboolean make)
{
  struct stat info;
  if (make && g_mkdir_with_parents (cache->dir, 0700) != 0)
    return -1;
  const int folder = open (cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0)
    return -1;
  if (fstat (folder, &info) == 0 && info.st_uid == geteuid ()
      && ((info.st_mode & 077) == 0 || fchmod (folder, 0700) == 0))
    return folder;
  close (folder);
  return -1;
}

/* For as long as the descriptor is open. -1: another program holds it, or it cannot be had. */
static int take_lock (int folder, guint attempts)
{
  const int lock = openat (folder, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  for (guint i = 0; lock >= 0; i++) {
    if (flock (lock, LOCK_EX | LOCK_NB) == 0)
      return lock;
    if (errno != EINTR && (errno != EWOULDBLOCK || i + 1 >= attempts))
      break;
    g_usleep (LOCK_PAUSE_US);
  }
  if (lock >= 0)
    close (lock);
  return -1;
}

static gboolean is_state_name (const char *name)
{
  const gsize length = 2 * NAME_BYTES;
  return strspn (name, "0123456789abcdef") == length && strcmp (name + length, suffix) == 0;
}

static void remove_name (int folder, const char *name)
{
  if (unlinkat (folder, name, 0) != 0 && (errno == EISDIR || errno == EPERM))
    unlinkat (folder, name, AT_REMOVEDIR);
}

/* One of the folder's states. */
typedef struct {
  char name[2 * NAME_BYTES + sizeof suffix];
  guint64 n_bytes;
  struct timespec used;
} Listed;

static int compare_use (gconstpointer a, gconstpointer b)
{
  const Listed *one = a, *other = b;
  if (one->used.tv_sec != other->used.tv_sec)
    return one->used.tv_sec < other->used.tv_sec ? -1 : 1;
  if (one->used.tv_nsec != other->used.tv_nsec)
    return one->used.tv_nsec < other->used.tv_nsec ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* Of Listed, the one that was used longest ago first. */
static GArray *list_states (int folder)
{
  GArray *listed = g_array_new (FALSE, TRUE, sizeof (Listed));
  const int copy = openat (folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *entries = copy < 0 ? NULL : fdopendir (copy);
  if (!entries) {
    if (copy >= 0)
      close (copy);
    return listed;
  }
  for (struct dirent *entry; (entry = readdir (entries));) {
    struct stat info;
    Listed one = { 0 };
    if (!is_state_name (entry->d_name) || fstatat (folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    g_strlcpy (one.name, entry->d_name, sizeof one.name);
    one.n_bytes = S_ISREG (info.st_mode) && info.st_size > 0 ? (guint64)info.st_size : 0;
    one.used = info.st_mtim;
    g_array_append_val (listed, one);
  }
  closedir (entries);
  g_array_sort (listed, compare_use);
  return listed;
}

static guint64 count_bytes (const GArray *listed)
{
  guint64 n_bytes = 0;
  for (guint i = 0; i < listed->len; i++)
    n_bytes += g_array_index (listed, Listed, i).n_bytes;
  return n_bytes;
}

/* A tenth of what is free, its own files counted as free, and 2 GB at most; or what was asked for. */
static guint64 get_quota (const LecternCache *cache, int folder, guint64 n_used)
{
  struct statvfs info;
  if (cache->quota > 0 || cache->off)
    return cache->quota;
  if (fstatvfs (folder, &info) != 0)
    return 0;
  const guint64 free_bytes = (guint64)info.f_bavail * info.f_frsize;
  return MIN (default_quota, (free_bytes + n_used) / 10);
}

/* Unless another program has put another file there meanwhile. */
static void remove_doubtful (int folder, const char *name, guint64 inode)
{
  struct stat info;
  const int lock = take_lock (folder, 1);
  if (lock < 0)
    return;
  if (fstatat (folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_ino == inode)
    remove_name (folder, name);
  close (lock);
}

/* NULL, after removing it, if there is any doubt. */
static LecternStateFile *open_state (int folder, const char *name, const LecternDigest *key)
{
  guint64 inode;
  LecternStateFile *file = lectern_state_file_open (folder, name, key, &inode);
  if (!file && inode != 0)
    remove_doubtful (folder, name, inode);
  return file;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static void name_state (const LecternDigest *key, const LecternDigest *binding, const char *kind,
                        LecternDigestPart what, char name[static 2 * NAME_BYTES + sizeof suffix])
{
  const LecternDigestPart parts[]
      = { { "lectern state of ", 17 }, { kind, strlen (kind) + 1 }, { binding, sizeof *binding }, what };
  const LecternDigest digest = lectern_digest_of_parts (key, parts, G_N_ELEMENTS (parts));
  for (gsize i = 0; i < NAME_BYTES; i++)
    g_snprintf (name + 2 * i, 3, "%02x", digest.bytes[i]);
  memcpy (name + (gsize)2 * NAME_BYTES, suffix, sizeof suffix);
}

static void name_conversation (const LecternDigest *key, const LecternDigest *binding, const char *conversation,
                               char name[static 2 * NAME_BYTES + sizeof suffix])
{
  name_state (key, binding, "conversation", (LecternDigestPart){ conversation, strlen (conversation) }, name);
}

static void name_entry (const LecternDigest *key, const LecternCacheEntry *entry,
                        char name[static 2 * NAME_BYTES + sizeof suffix])
{
  const GArray *tokens = entry->head.tokens;
  if (entry->conversation)
    name_conversation (key, &entry->head.binding, entry->conversation, name);
  else
    name_state (key, &entry->head.binding, "tokens", (LecternDigestPart){ tokens->data, tokens->len * sizeof (gint32) },
                name);
}

/* ---- reading --------------------------------------------------------------------------------------------- */

static gsize count_common (const LecternStateHead *head, const gint32 *ids, gsize n_ids)
{
  const gint32 *own = (const gint32 *)(void *)head->tokens->data;
  gsize n = 0;
  while (n < n_ids && n < head->tokens->len && own[n] == ids[n])
    n++;
  return n;
}

/* What reading the state saves, in tokens that need not be evaluated. */
static gint64 weigh (const LecternStateHead *head, const gint32 *ids, gsize n_ids, gsize n_have)
{
  return (gint64)count_common (head, ids, n_ids) - (gint64)n_have - (gint64)(head->tokens->len / READING_SHARE);
}

void lectern_cache_restore (LecternCache *cache, const LecternDigest *binding, struct engine_session *session,
                            const gint32 *ids, gsize n_ids, gsize n_have, GCancellable *cancellable)
{
  LecternDigest key;
  const int folder = cache->off ? -1 : open_folder (cache, FALSE);
  if (folder < 0)
    return;
  if (!lectern_user_key_read (cache->key_path, FALSE, &key)) {
    close (folder);
    return;
  }
  g_autoptr (GArray) listed = list_states (folder);
  g_autoptr (LecternStateFile) best = NULL;
  const Listed *best_listed = NULL;
  gint64 best_gain = 0;
  for (guint i = listed->len; i-- > 0 && !g_cancellable_is_cancelled (cancellable);) {
    const Listed *one = &g_array_index (listed, Listed, i);
    LecternStateFile *file = open_state (folder, one->name, &key);
    if (!file)
      continue;
    const LecternStateHead *head = lectern_state_file_get_head (file);
    const gint64 gain = lectern_digest_equal (&head->binding, binding) ? weigh (head, ids, n_ids, n_have) : 0;
    if (gain > best_gain) {
      best_gain = gain;
      best_listed = one;
      lectern_state_file_free (best);
      best = file;
    } else {
      lectern_state_file_free (file);
    }
  }
  if (best && lectern_state_file_restore (best, session, cancellable)) {
    lectern_state_file_touch (best);
  } else if (best && !g_cancellable_is_cancelled (cancellable)) {
    struct stat info;
    if (fstatat (folder, best_listed->name, &info, AT_SYMLINK_NOFOLLOW) == 0)
      remove_doubtful (folder, best_listed->name, info.st_ino);
  }
  close (folder);
}

GArray *lectern_cache_find_passages (LecternCache *cache, const LecternDigest *binding, const char *conversation)
{
  LecternDigest key;
  GArray *passages = NULL;
  const int folder = cache->off ? -1 : open_folder (cache, FALSE);
  if (folder < 0)
    return NULL;
  if (lectern_user_key_read (cache->key_path, FALSE, &key)) {
    char name[2 * NAME_BYTES + sizeof suffix];
    name_conversation (&key, binding, conversation, name);
    g_autoptr (LecternStateFile) file = open_state (folder, name, &key);
    if (file && lectern_digest_equal (&lectern_state_file_get_head (file)->binding, binding))
      passages = g_array_ref (lectern_state_file_get_head (file)->passages);
  }
  close (folder);
  return passages;
}

/* ---- writing --------------------------------------------------------------------------------------------- */

/* Whether the very state is there; then it counts as used. */
static gboolean has_state (int folder, const char *name, const LecternDigest *key, const LecternStateHead *head)
{
  g_autoptr (LecternStateFile) file = open_state (folder, name, key);
  if (!file)
    return FALSE;
  const LecternStateHead *other = lectern_state_file_get_head (file);
  const gint32 *ids = (const gint32 *)(void *)head->tokens->data;
  if (other->tokens->len != head->tokens->len || count_common (other, ids, head->tokens->len) != head->tokens->len
      || other->passages->len != head->passages->len
      || (head->passages->len > 0
          && memcmp (other->passages->data, head->passages->data, head->passages->len * sizeof (LecternDigest)) != 0))
    return FALSE;
  lectern_state_file_touch (file);
  return TRUE;
}

/* Lets states go, the one that was used longest ago first, until n_bytes more under `name` are within the quota. */
static void make_room (int folder, const char *name, guint64 n_bytes, guint64 quota)
{
  g_autoptr (GArray) listed = list_states (folder);
  guint64 n_used = count_bytes (listed);
  guint n_files = listed->len;
  for (guint i = 0; i < listed->len; i++)
    if (strcmp (g_array_index (listed, Listed, i).name, name) == 0) { /* what is replaced takes no room */
      n_used -= g_array_index (listed, Listed, i).n_bytes;
      n_files--;
    }
  for (guint i = 0; i < listed->len && (n_used + n_bytes > quota || n_files + 1 > LECTERN_CACHE_MAX_FILES); i++) {
    const Listed *one = &g_array_index (listed, Listed, i);
    if (strcmp (one->name, name) == 0)
      continue;
    remove_name (folder, one->name);
    n_used -= one->n_bytes;
    n_files--;
  }
}

/* With the lock held. The old states stay until the new one is whole. */
static void write_state (int folder, const char *name, const LecternDigest *key, const LecternCacheEntry *entry,
                         const struct engine_session *session, guint64 n_bytes, guint64 quota,
                         GCancellable *cancellable)
{
  remove_name (folder, temporary_name); /* of a program that was killed */
  const int fd = openat (folder, temporary_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  gboolean done = fchmod (fd, 0600) == 0 && lectern_state_file_write (fd, key, &entry->head, session, cancellable);
  done = close (fd) == 0 && done && !g_cancellable_is_cancelled (cancellable);
  if (done) {
    make_room (folder, name, n_bytes, quota);
    done = renameat (folder, temporary_name, folder, name) == 0;
  }
  if (!done)
    unlinkat (folder, temporary_name, 0);
}

void lectern_cache_store (LecternCache *cache, const LecternCacheEntry *entry, const struct engine_session *session,
                          GCancellable *cancellable)
{
  LecternDigest key;
  char name[2 * NAME_BYTES + sizeof suffix];
  uint64_t n_payload = 0;
  const int folder = cache->off ? -1 : open_folder (cache, TRUE);
  if (folder < 0)
    return;
  if (lectern_user_key_read (cache->key_path, TRUE, &key)
      && engine_session_count_state_bytes (session, entry->head.tokens->len, &n_payload, NULL, NULL) == ENGINE_OK) {
    name_entry (&key, entry, name);
    g_autoptr (GArray) listed = list_states (folder);
    const guint64 n_bytes = lectern_state_file_count_bytes (n_payload, &entry->head);
    const guint64 quota = get_quota (cache, folder, count_bytes (listed));
    const int lock = n_bytes > quota || has_state (folder, name, &key, &entry->head) ? -1 : take_lock (folder, 1);
    if (lock >= 0) {
      write_state (folder, name, &key, entry, session, n_bytes, quota, cancellable);
      close (lock);
    }
  }
  close (folder);
}

/* ---- for people ------------------------------------------------------------------------------------------ */

void lectern_cache_get_status (LecternCache *cache, LecternCacheStatus *status)
{
  *status = (LecternCacheStatus){ .dir = cache->dir,
                                  .quota_bytes = cache->quota || cache->off ? cache->quota : default_quota };
  const int folder = open_folder (cache, FALSE);
  if (folder < 0)
    return;
  g_autoptr (GArray) listed = list_states (folder);
  status->n_files = listed->len;
  status->n_bytes = count_bytes (listed);
  status->quota_bytes = get_quota (cache, folder, status->n_bytes);
  close (folder);
}

gboolean lectern_cache_clear (LecternCache *cache, guint *n_removed, GError **error)
{
  *n_removed = 0;
  const int folder = open_folder (cache, FALSE);
  if (folder < 0) {
    if (!g_file_test (cache->dir, G_FILE_TEST_EXISTS))
      return TRUE;
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "The folder of saved sessions, “%s”, cannot be opened; check its owner and permissions.", cache->dir);
    return FALSE;
  }
  const int lock = take_lock (folder, LOCK_ATTEMPTS);
  if (lock < 0) {
    close (folder);
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_BUSY,
                 "Another program is saving a session in “%s”; wait until it is done and try again.", cache->dir);
    return FALSE;
  }
  g_autoptr (GArray) listed = list_states (folder);
  for (guint i = 0; i < listed->len; i++)
    remove_name (folder, g_array_index (listed, Listed, i).name);
  remove_name (folder, temporary_name);
  g_autoptr (GArray) left = list_states (folder);
  *n_removed = listed->len - MIN (left->len, listed->len);
  close (lock);
  close (folder);
  if (left->len == 0)
    return TRUE;
  g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
               "%u saved sessions in “%s” cannot be removed; check the folder's permissions.", left->len, cache->dir);
  return FALSE;
}
