/* container.h: what is in a zip file, a tar file or a compressed file, through libarchive and from memory. Internal to
 * ingest/extract/.
 *
 * Nothing here is written anywhere: the name of an entry is only a name. What an entry says of its size is only a hint:
 * bytes are counted as they come, against the limits. No external program is ever asked to decompress. */
#ifndef LECTERN_EXTRACT_CONTAINER_H
#define LECTERN_EXTRACT_CONTAINER_H

#include "ingest/extract/extractor.h"

typedef struct {
  guint max_entries;       /* a container with more is not read */
  guint64 max_entry_bytes; /* of one entry, decompressed; what is beyond is left out */
  guint64 max_total_bytes; /* of all that is loaded, decompressed */
  guint max_ratio;         /* of all that is loaded to the container's size; the first 32 MiB are free */
} ContainerLimits;

extern const ContainerLimits container_default_limits;

/* Which containers are accepted; flags. */
typedef enum {
  CONTAINER_ZIP = 1 << 0,
  CONTAINER_TAR = 1 << 1, /* also compressed by gzip, bzip2, xz or zstd */
} ContainerFormats;

typedef struct {
  char *name; /* UTF-8 in NFC, without "/" or "./" in front */
  gboolean encrypted;
  gboolean loaded;
  gboolean cut;     /* loaded, but longer than the limits let through */
  gboolean damaged; /* loaded, but what could be read is not all, or not as it was packed */
  guint8 *bytes;    /* of loaded ones; NUL-terminated beyond n_bytes */
  gsize n_bytes;
} ContainerEntry;

typedef struct _Container Container;

/* Loads what libarchive wants of the system (time zone, locale), before the program may no longer open files. */
void container_warm_up (void);

gboolean container_is_zip (const guint8 *bytes, gsize size); /* by the first bytes */

/* The content of the entry "mimetype" of a zip file, by which some formats name themselves. NULL: it is no zip file or has
 * none. The caller frees. */
char *container_dup_mimetype (const guint8 *bytes, gsize size);

/* Reads the names of what is in it. `bytes` must outlive the container. NULL: *failure says why, in a sentence. */
Container *container_open (const guint8 *bytes, gsize size, ContainerFormats formats, const ContainerLimits *limits,
                           Outcome *failure);
void container_free (Container *container);

guint container_count (const Container *container);
ContainerEntry *container_get (Container *container, guint index); /* in the container's order */
/* By name; if no entry is called exactly that, then without regard to case; of several of one name the first. NULL: none. */
ContainerEntry *container_find (Container *container, const char *name);

/* Loads in one pass every entry that is wanted and not loaded yet. FALSE: a limit on the total was hit or the rest is
 * damaged; *failure (may be NULL) says so, and what was loaded until then stays. An encrypted entry is not loaded. */
typedef gboolean (*ContainerWanted) (const ContainerEntry *entry, gpointer user_data);
gboolean container_load (Container *container, ContainerWanted wanted, gpointer user_data, Outcome *failure);
/* The same for the entries named, NULL-terminated. */
gboolean container_load_names (Container *container, const char *const *names, Outcome *failure);
/* One entry, loaded if it was not; a pass of its own. NULL: there is none, or it is encrypted or unreadable. */
const ContainerEntry *container_load_one (Container *container, const char *name);
void container_unload (ContainerEntry *entry); /* frees its bytes */

/* ---- one compressed file (gzip, bzip2, xz, zstd) ---------------------------------------------------------- */

gboolean container_is_compressed (const guint8 *bytes, gsize size); /* by the first bytes */

/* NULL: *failure says why. *damaged: it breaks off or is damaged, and what could be read is returned; *cut: it is longer
 * than max_entry_bytes or the ratio lets through. The text ends with a NUL that *length does not count; g_free() it. */
char *container_decompress (const guint8 *bytes, gsize size, const ContainerLimits *limits, gsize *length,
                            gboolean *cut, gboolean *damaged, Outcome *failure);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Container, container_free)

#endif
