/* scan.h: paths that a person names to the files that an indexing run looks at. Internal to ingest/.
 *
 * Folders are walked depth first, entries in byte order of their names. Left out in folders: what ignore.h tells (hidden
 * entries among it), names of no known format, special files, symbolic links into a folder that is walked anyway
 * (which also ends every loop), and the folders of saved pages (saved-page.h).
 * What is named explicitly is always in the list, even if it does not exist. */
#ifndef LECTERN_INGEST_SCAN_H
#define LECTERN_INGEST_SCAN_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  GPtrArray *files;   /* of char *: absolute paths in the file system's bytes, each once */
  GPtrArray *folders; /* of char *: the folders that were named, resolved */
  GPtrArray *closed;  /* of char *: folders that could not be read */
  GPtrArray *empty;   /* of char *: folders without a single entry */
} LecternScan;

/* FALSE only if cancelled. The caller frees *scan in both cases. */
gboolean lectern_scan_paths (const char *const *paths, LecternScan **scan, GCancellable *cancellable, GError **error);
void lectern_scan_free (LecternScan *scan);

/* Whether `path` is `folder` or below it. */
gboolean lectern_path_is_below (const char *path, const char *folder);

G_END_DECLS

#endif
