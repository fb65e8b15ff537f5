#include "ingest/extract/archive/container.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>
#include <time.h>

#define FREE_BYTES (G_GUINT64_CONSTANT (32) << 20) /* may be loaded whatever the ratio */
#define PIECE_BYTES ((gsize)256 << 10)
#define MAX_NAME_BYTES 4096
/* Filters on one another, as in a file compressed twice. */
#define MAX_FILTERS 3

const ContainerLimits container_default_limits = {
  .max_entries = 65536,
  .max_entry_bytes = G_GUINT64_CONSTANT (192) << 20,
  .max_total_bytes = G_GUINT64_CONSTANT (384) << 20,
  .max_ratio = 200,
};

struct _Container {
  const guint8 *bytes;
  gsize size;
  ContainerFormats formats;
  ContainerLimits limits;
  guint64 left_bytes; /* that may still be loaded */
  GPtrArray *entries; /* of ContainerEntry, one for each in the container, in its order */
  GHashTable *by_name, *by_folded_name;
};

/* libarchive turns names into the locale's characters. In one of UTF-8 it has nothing to convert and opens no file. */
static locale_t utf8_locale;

void container_warm_up (void)
{
  if (utf8_locale)
    return;
  utf8_locale = newlocale (LC_CTYPE_MASK, "C.UTF-8", NULL);
  tzset ();
}

gboolean container_is_zip (const guint8 *bytes, gsize size)
{
  return size >= 22 && bytes[0] == 'P' && bytes[1] == 'K'
         && ((bytes[2] == 3 && bytes[3] == 4) || (bytes[2] == 5 && bytes[3] == 6));
}

gboolean container_is_compressed (const guint8 *bytes, gsize size)
{
  static const struct {
    const char *magic;
    gsize length;
  } magics[] = { { "\x1f\x8b\x08", 3 },
                 { "BZh", 3 },
                 { "\xfd"
                   "7zXZ\0",
                   6 },
                 { "\x28\xb5\x2f\xfd", 4 } };
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    if (size > magics[i].length && memcmp (bytes, magics[i].magic, magics[i].length) == 0)
      return TRUE;
  return FALSE;
}

/* ---- libarchive ------------------------------------------------------------------------------------------ */

/* A filter that libarchive was built without is one it would run a program for, and answers with a warning. Then the
 * program is asked for only when such a file comes, and the extractor has no way to start one. */
static struct archive *open_archive (const guint8 *bytes, gsize size, ContainerFormats formats, gboolean raw)
{
  struct archive *archive = archive_read_new ();
  if (!archive)
    return NULL;
  if (formats & CONTAINER_ZIP)
    archive_read_support_format_zip (archive);
  if (formats & CONTAINER_TAR)
    archive_read_support_format_tar (archive);
  if (raw) {
    archive_read_support_format_raw (archive);
    archive_read_support_format_empty (archive);
  }
  if (raw || (formats & CONTAINER_TAR)) {
    archive_read_support_filter_gzip (archive);
    archive_read_support_filter_bzip2 (archive);
    archive_read_support_filter_xz (archive);
    archive_read_support_filter_zstd (archive);
  }
  if (archive_read_open_memory (archive, bytes, size) != ARCHIVE_OK || archive_filter_count (archive) > MAX_FILTERS) {
    archive_read_free (archive);
    return NULL;
  }
  return archive;
}

static guint64 total_limit (gsize size, const ContainerLimits *limits)
{
  guint64 by_ratio = size > G_MAXUINT64 / MAX (limits->max_ratio, 1) ? G_MAXUINT64 : (guint64)size * limits->max_ratio;
  return MIN (limits->max_total_bytes, MAX (by_ratio, FREE_BYTES));
}

typedef struct {
  guint8 *bytes;
  gsize n_bytes;
  gboolean cut, damaged;
} Loaded;

/* The data of the entry at hand, at most `limit` bytes of it. */
static Loaded read_data (struct archive *archive, guint64 limit)
{
  Loaded loaded = { 0 };
  gsize room = 0;
  for (;;) {
    if (room - loaded.n_bytes < PIECE_BYTES / 4 || room == 0) {
      room = MAX (PIECE_BYTES, room * 2);
      loaded.bytes = g_realloc (loaded.bytes, room + 1);
    }
    gsize want = (gsize)MIN (room - loaded.n_bytes, limit - loaded.n_bytes + 1);
    la_ssize_t n = archive_read_data (archive, loaded.bytes + loaded.n_bytes, want);
    if (n < 0) {
      loaded.damaged = TRUE;
      break;
    }
    loaded.n_bytes += (gsize)n;
    if (loaded.n_bytes > limit) {
      loaded.n_bytes = (gsize)limit;
      loaded.cut = TRUE;
    }
    if (n == 0 || loaded.cut)
      break;
  }
  loaded.bytes = g_realloc (loaded.bytes, loaded.n_bytes + 1);
  loaded.bytes[loaded.n_bytes] = 0;
  return loaded;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static char *dup_name (const char *name)
{
  while (g_str_has_prefix (name, "./") || name[0] == '/')
    name += name[0] == '/' ? 1 : 2;
  g_autofree char *valid = g_utf8_make_valid (name, (gssize)strnlen (name, MAX_NAME_BYTES));
  char *normal = g_utf8_normalize (valid, -1, G_NORMALIZE_NFC);
  return normal ? normal : g_steal_pointer (&valid);
}

static void free_entry (gpointer data)
{
  ContainerEntry *entry = data;
  g_free (entry->name);
  g_free (entry->bytes);
  g_free (entry);
}

static void add_entry (Container *container, struct archive_entry *from)
{
  const char *name = archive_entry_pathname (from);
  ContainerEntry *entry = g_new0 (ContainerEntry, 1);
  entry->name = dup_name (name ? name : "");
  entry->encrypted = archive_entry_is_encrypted (from) > 0;
  g_ptr_array_add (container->entries, entry);
  if (!g_hash_table_contains (container->by_name, entry->name))
    g_hash_table_insert (container->by_name, entry->name, entry);
  char *folded = g_utf8_casefold (entry->name, -1);
  if (g_hash_table_contains (container->by_folded_name, folded))
    g_free (folded);
  else
    g_hash_table_insert (container->by_folded_name, folded, entry);
}

ContainerEntry *container_find (Container *container, const char *name)
{
  g_autofree char *key = dup_name (name);
  ContainerEntry *entry = g_hash_table_lookup (container->by_name, key);
  if (entry)
    return entry;
  g_autofree char *folded = g_utf8_casefold (key, -1);
  return g_hash_table_lookup (container->by_folded_name, folded);
}

guint container_count (const Container *container)
{
  return container->entries->len;
}

ContainerEntry *container_get (Container *container, guint index)
{
  return g_ptr_array_index (container->entries, index);
}

/* ---- a container ----------------------------------------------------------------------------------------- */

void container_free (Container *container)
{
  if (!container)
    return;
  g_hash_table_unref (container->by_name);
  g_hash_table_unref (container->by_folded_name);
  g_ptr_array_unref (container->entries);
  g_free (container);
}

/* Goes over the entries: notes their names if there are none yet, otherwise loads what is wanted. */
static gboolean pass (Container *container, ContainerWanted wanted, gpointer user_data, Outcome *failure)
{
  struct archive *archive = open_archive (container->bytes, container->size, container->formats, FALSE);
  gboolean whole = archive != NULL, full = FALSE;
  for (guint i = 0; whole && !full; i++) {
    struct archive_entry *from;
    int result = archive_read_next_header (archive, &from);
    if (result == ARCHIVE_EOF)
      break;
    whole = result == ARCHIVE_OK || result == ARCHIVE_WARN || result == ARCHIVE_RETRY;
    if (!whole)
      break;
    if (!wanted) {
      full = container->entries->len >= container->limits.max_entries;
      if (!full)
        add_entry (container, from);
      continue;
    }
    if (i >= container->entries->len)
      break;
    ContainerEntry *entry = g_ptr_array_index (container->entries, i);
    if (entry->loaded || entry->encrypted || !wanted (entry, user_data))
      continue;
    if (container->left_bytes == 0) {
      full = TRUE;
      break;
    }
    Loaded loaded = read_data (archive, MIN (container->limits.max_entry_bytes, container->left_bytes));
    container->left_bytes -= loaded.n_bytes;
    entry->loaded = TRUE;
    entry->bytes = loaded.bytes;
    entry->n_bytes = loaded.n_bytes;
    entry->cut = loaded.cut;
    entry->damaged = loaded.damaged;
  }
  if (archive)
    archive_read_free (archive);
  if (full && failure && !wanted)
    *failure = outcome_failed (LECTERN_STATUS_TOO_LARGE, "It holds more than %u files.", container->limits.max_entries);
  else if (full && failure)
    *failure = outcome_failed (LECTERN_STATUS_TOO_LARGE, "What it holds is too large when it is unpacked.");
  else if (!whole && failure)
    *failure = outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: it cannot be unpacked.");
  return whole && !full;
}

static gboolean pass_in_utf8 (Container *container, ContainerWanted wanted, gpointer user_data, Outcome *failure)
{
  container_warm_up ();
  locale_t before = utf8_locale ? uselocale (utf8_locale) : (locale_t)0;
  gboolean whole = pass (container, wanted, user_data, failure);
  if (before)
    uselocale (before);
  return whole;
}

Container *container_open (const guint8 *bytes, gsize size, ContainerFormats formats, const ContainerLimits *limits,
                           Outcome *failure)
{
  g_autoptr (Container) container = g_new0 (Container, 1);
  container->bytes = bytes;
  container->size = size;
  container->formats = formats;
  container->limits = *limits;
  container->left_bytes = total_limit (size, limits);
  container->entries = g_ptr_array_new_with_free_func (free_entry);
  container->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  container->by_folded_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Outcome why = { 0 };
  gboolean whole = pass_in_utf8 (container, NULL, NULL, &why);
  if (!whole && (why.status == LECTERN_STATUS_TOO_LARGE || container->entries->len == 0)) {
    *failure = why;
    return NULL;
  }
  g_free (why.reason); /* damaged, but some of it can be read */
  if (container->entries->len == 0) {
    *failure = outcome_failed (LECTERN_STATUS_EMPTY, "There is nothing in it.");
    return NULL;
  }
  return g_steal_pointer (&container);
}

gboolean container_load (Container *container, ContainerWanted wanted, gpointer user_data, Outcome *failure)
{
  return pass_in_utf8 (container, wanted, user_data, failure);
}

static gboolean is_in_set (const ContainerEntry *entry, gpointer set)
{
  return g_hash_table_contains (set, entry);
}

gboolean container_load_names (Container *container, const char *const *names, Outcome *failure)
{
  g_autoptr (GHashTable) set = g_hash_table_new (NULL, NULL);
  for (; *names; names++) {
    ContainerEntry *entry = container_find (container, *names);
    if (entry && !entry->loaded)
      g_hash_table_add (set, entry);
  }
  return g_hash_table_size (set) == 0 || container_load (container, is_in_set, set, failure);
}

const ContainerEntry *container_load_one (Container *container, const char *name)
{
  const char *names[] = { name, NULL };
  container_load_names (container, names, NULL);
  const ContainerEntry *entry = container_find (container, name);
  return entry && entry->loaded ? entry : NULL;
}

void container_unload (ContainerEntry *entry)
{
  g_clear_pointer (&entry->bytes, g_free);
  entry->n_bytes = 0;
  entry->loaded = FALSE;
}

char *container_dup_mimetype (const guint8 *bytes, gsize size)
{
  /* Formats that have it put it first and do not compress it, so that it stands at a fixed place. */
  static const char name[] = "mimetype";
  const gsize at = 30 + sizeof name - 1;
  if (!container_is_zip (bytes, size))
    return NULL;
  char *type = NULL;
  if (size > at + 4 && memcmp (bytes + 8, "\0\0", 2) == 0 && memcmp (bytes + 26, "\x08\0\0\0", 4) == 0
      && memcmp (bytes + 30, name, sizeof name - 1) == 0) {
    guint32 length = bytes[22] | bytes[23] << 8 | bytes[24] << 16 | (guint32)bytes[25] << 24;
    if (length > 0 && length < 256 && length <= size - at)
      type = g_strndup ((const char *)bytes + at, length);
  }
  if (!type) {
    Outcome failure = { 0 };
    g_autoptr (Container) container = container_open (bytes, size, CONTAINER_ZIP, &container_default_limits, &failure);
    g_free (failure.reason);
    const ContainerEntry *entry = container ? container_load_one (container, name) : NULL;
    if (entry && entry->n_bytes < 256)
      type = g_strndup ((const char *)entry->bytes, entry->n_bytes);
  }
  return type && g_utf8_validate (type, -1, NULL) ? g_strstrip (type) : (g_free (type), NULL);
}

/* ---- one compressed file --------------------------------------------------------------------------------- */

char *container_decompress (const guint8 *bytes, gsize size, const ContainerLimits *limits, gsize *length,
                            gboolean *cut, gboolean *damaged, Outcome *failure)
{
  struct archive *archive = open_archive (bytes, size, 0, TRUE);
  struct archive_entry *entry;
  Loaded loaded = { 0 };
  gboolean compressed = archive && archive_filter_code (archive, 0) != ARCHIVE_FILTER_NONE;
  int header = compressed ? archive_read_next_header (archive, &entry) : ARCHIVE_FATAL;
  if (header == ARCHIVE_OK)
    loaded = read_data (archive, MIN (limits->max_entry_bytes, total_limit (size, limits)));
  gboolean empty = header == ARCHIVE_EOF && archive_errno (archive) == 0; /* and not broken off before the first byte */
  if (archive)
    archive_read_free (archive);
  if (loaded.n_bytes == 0) {
    *failure = (!loaded.bytes && !empty) || loaded.damaged
                   ? outcome_failed (LECTERN_STATUS_DAMAGED, "It is damaged: it cannot be unpacked.")
                   : outcome_failed (LECTERN_STATUS_EMPTY, "There is nothing in it.");
    g_free (loaded.bytes);
    return NULL;
  }
  *length = loaded.n_bytes;
  *cut = loaded.cut;
  *damaged = loaded.damaged;
  return (char *)loaded.bytes;
}
