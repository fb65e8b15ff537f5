#include "ingest/index/black-box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SLOTS 256u
#define MAX_SUSPECTS_BYTES (1 << 20)

/* A slot in the file. Empty: an empty path. */
typedef struct {
  gint64 size_bytes, mtime_ns;
  char path[4096];
} Slot;

typedef struct {
  gint64 size_bytes, mtime_ns;
  guint strikes;
} Suspect;

struct _BlackBox {
  GMutex mutex;
  int fd; /* of the slots, locked; -1: nothing is kept */
  char *suspects_path;
  GHashTable *suspects; /* path to Suspect */
  guint n_slots;
  char **paths; /* in work, per slot */
};

/* ---- suspects: a line each: strikes, size, time, path with C escapes ----------------------------------------- */

static void add_suspect (BlackBox *box, const char *path, gint64 size_bytes, gint64 mtime_ns, guint strikes)
{
  Suspect *suspect = g_new (Suspect, 1);
  *suspect = (Suspect){ size_bytes, mtime_ns, strikes };
  g_hash_table_replace (box->suspects, g_strdup (path), suspect);
}

static void load_suspects (BlackBox *box)
{
  g_autofree char *content = NULL;
  struct stat information;
  if (stat (box->suspects_path, &information) != 0 || information.st_size > MAX_SUSPECTS_BYTES
      || !g_file_get_contents (box->suspects_path, &content, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], " ", 4);
    if (g_strv_length (fields) != 4)
      continue;
    g_autofree char *path = g_strcompress (fields[3]);
    add_suspect (box, path, g_ascii_strtoll (fields[1], NULL, 10), g_ascii_strtoll (fields[2], NULL, 10),
                 (guint)MIN (g_ascii_strtoull (fields[0], NULL, 10), 1000u));
  }
}

static void save_suspects (BlackBox *box)
{
  if (g_hash_table_size (box->suspects) == 0) {
    unlink (box->suspects_path);
    return;
  }
  g_autoptr (GString) content = g_string_new (NULL);
  GHashTableIter iter;
  gpointer path, value;
  g_hash_table_iter_init (&iter, box->suspects);
  while (g_hash_table_iter_next (&iter, &path, &value)) {
    const Suspect *suspect = value;
    g_autofree char *escaped = g_strescape (path, NULL);
    g_string_append_printf (content, "%u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s\n", suspect->strikes,
                            suspect->size_bytes, suspect->mtime_ns, escaped);
  }
  /* Without a box on disk the run goes on as it would have. */
  (void)g_file_set_contents_full (box->suspects_path, content->str, (gssize)content->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

/* ---- slots ------------------------------------------------------------------------------------------------ */

/* What is still in a slot was in work when the run before this one ended. */
static void accuse_leftovers (BlackBox *box)
{
  gboolean any = FALSE;
  for (guint i = 0; i < MAX_SLOTS; i++) {
    Slot slot;
    if (pread (box->fd, &slot, sizeof slot, (off_t)(i * sizeof slot)) != (ssize_t)sizeof slot)
      break;
    slot.path[sizeof slot.path - 1] = '\0';
    if (!*slot.path)
      continue;
    const Suspect *before = g_hash_table_lookup (box->suspects, slot.path);
    gboolean same = before && before->size_bytes == slot.size_bytes && before->mtime_ns == slot.mtime_ns;
    add_suspect (box, slot.path, slot.size_bytes, slot.mtime_ns, same ? before->strikes + 1 : 1);
    any = TRUE;
  }
  if (any)
    save_suspects (box);
  /* The strikes are on disk before the slots are cleared: dying in between counts one too many rather than none. */
  if (ftruncate (box->fd, 0) != 0 || ftruncate (box->fd, (off_t)(box->n_slots * sizeof (Slot))) != 0) {
    close (box->fd);
    box->fd = -1;
  }
}

static void write_slot (BlackBox *box, guint slot, const Slot *content)
{
  ssize_t n;
  do
    n = pwrite (box->fd, content, sizeof *content, (off_t)(slot * sizeof *content));
  while (n < 0 && errno == EINTR);
}

BlackBox *black_box_open (const char *folder, guint n_slots)
{
  BlackBox *box = g_new0 (BlackBox, 1);
  g_autofree char *path = folder ? g_build_filename (folder, "reading", NULL) : g_strdup ("");
  g_mutex_init (&box->mutex);
  box->n_slots = CLAMP (n_slots, 1, MAX_SLOTS);
  box->paths = g_new0 (char *, box->n_slots);
  box->suspects_path = folder ? g_build_filename (folder, "suspects", NULL) : g_strdup ("");
  box->suspects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  box->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (box->fd >= 0 && flock (box->fd, LOCK_EX | LOCK_NB) != 0) {
    close (box->fd);
    box->fd = -1;
  }
  load_suspects (box);
  if (box->fd >= 0)
    accuse_leftovers (box);
  return box;
}

void black_box_close (BlackBox *box)
{
  if (!box)
    return;
  for (guint i = 0; i < box->n_slots; i++)
    g_free (box->paths[i]);
  g_free (box->paths);
  if (box->fd >= 0) {
    if (ftruncate (box->fd, 0) != 0)
      g_debug ("The black box cannot be emptied: %s", g_strerror (errno));
    close (box->fd);
  }
  g_hash_table_unref (box->suspects);
  g_free (box->suspects_path);
  g_mutex_clear (&box->mutex);
  g_free (box);
}

guint black_box_count_strikes (BlackBox *box, const char *path, gint64 size_bytes, gint64 mtime_ns)
{
  g_mutex_lock (&box->mutex);
  const Suspect *suspect = g_hash_table_lookup (box->suspects, path);
  guint strikes = suspect && suspect->size_bytes == size_bytes && suspect->mtime_ns == mtime_ns ? suspect->strikes : 0;
  g_mutex_unlock (&box->mutex);
  return strikes;
}

guint black_box_begin (BlackBox *box, const char *path, gint64 size_bytes, gint64 mtime_ns)
{
  Slot content = { size_bytes, mtime_ns, "" };
  guint slot = 0;
  if (box->fd < 0 || strlen (path) >= sizeof content.path)
    return box->n_slots;
  g_strlcpy (content.path, path, sizeof content.path);
  g_mutex_lock (&box->mutex);
  while (slot < box->n_slots && box->paths[slot])
    slot++;
  if (slot < box->n_slots)
    box->paths[slot] = g_strdup (path);
  g_mutex_unlock (&box->mutex);
  if (slot < box->n_slots)
    write_slot (box, slot, &content);
  return slot;
}

void black_box_end (BlackBox *box, guint slot)
{
  if (slot >= box->n_slots)
    return;
  write_slot (box, slot, &(Slot){ 0 });
  g_mutex_lock (&box->mutex);
  if (g_hash_table_remove (box->suspects, box->paths[slot]))
    save_suspects (box);
  g_clear_pointer (&box->paths[slot], g_free);
  g_mutex_unlock (&box->mutex);
}
